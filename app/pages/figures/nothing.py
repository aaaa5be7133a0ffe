"""Which kind of nothing stands where a row of the trend has no figure."""

from dataclasses import dataclass

from app.pages.figures.phrases import misses_reports
from app.pages.wording import Wording
from app.trends.models import TrendRow


@dataclass(frozen=True, slots=True)
class Nothing:
    """Says why a row has no figure of a kind; `counted` is whether the practice counts its sessions."""

    words: Wording
    counted: bool

    def standing(self, row: TrendRow) -> str:
        """Of how municipalities stood, and of whatever else a release may leave out."""
        silent = row.basis == "none" and row.sessions_missing is None
        return self.words.gettext("not published") if silent else self.words.gettext("not known")

    def sessions(self, row: TrendRow) -> str:
        """Of sessions, and of what describes them."""
        if row.sessions_missing == "withheld":
            return self.words.gettext("withheld")
        if not self.counted:
            return self.words.gettext("not counted")
        if row.sessions_missing == "not_reported":
            return self.words.gettext("not reported")
        if row.sessions_missing == "not_applicable":
            return self.words.gettext("not applicable")
        return self.standing(row)

    def rate(self, row: TrendRow) -> str:
        """Of sessions divided by something, which only a year has that is whole and misses no report."""
        if row.sessions is None:
            return self.sessions(row)
        if row.partial:
            return self.words.gettext("part of the year")
        if misses_reports(row):
            return self.words.gettext("reports missing")
        if row.municipalities == 0:
            return self.words.gettext("not applicable")
        return self.standing(row)

    def pace(self, row: TrendRow) -> str:
        """Of the pace, which only a part year has."""
        return self.words.gettext("not applicable") if row.partial is False else self.sessions(row)

    def comparison(self, row: TrendRow) -> str:
        """Of what is set against the year before."""
        silent = row.basis == "none" and row.sessions_missing is None
        return self.standing(row) if silent else self.words.gettext("no comparison")

    def publication(self, row: TrendRow) -> str:
        """Of the day of the release, of which a sum has several."""
        return self.standing(row) if row.basis == "none" else self.words.gettext("on several days")
