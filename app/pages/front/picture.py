"""The charts of the years: their columns with what is written at them, and the same said in words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from babel.dates import format_date

from app.pages.figures.chart import BASELINE, MOST_YEARS, WIDTH, Column, Stack, columns, crowded, squeezed
from app.pages.figures.nothing import Nothing
from app.pages.front.finding import reached_by_all
from app.pages.language import Language
from app.pages.wording import Wording
from app.trends.models import TrendRow

# The heights of what is written below a column.
_YEAR = 21
_LINE = 13
# With a no-break space, so that a day stays on its line.
_DAY_AND_MONTH: dict[Language, str] = {"fi": "d.M.", "sv": "d.M.", "en": "d\N{NO-BREAK SPACE}MMM"}


@dataclass(frozen=True, slots=True)
class Labelled:
    """A column and what is written at it.

    `figure` and `total` stand above it, `year` and the lines of `until` below it. Where there is no figure, `nothing`
    says why, in the place of the column.
    """

    column: Column
    year: str
    figure: str | None
    total: str | None
    nothing: str | None
    until: Sequence[str]


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of the legend: what blocks of a kind are."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart; its `description` says all that it shows."""

    name: str
    title: str
    description: str
    columns: Sequence[Labelled]
    legend: Sequence[Mark]

    @property
    def crowded(self) -> bool:
        """True if its figures have to be written small."""
        return crowded([one.figure or "" for one in self.columns])

    def room(self, figure: str) -> float | None:
        """The width into which `figure` has to be squeezed; None if it fits as it is."""
        return squeezed(figure, len(self.columns))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, down to the last line below a column."""
        return WIDTH, BASELINE + _YEAR + _LINE * max(len(one.until) for one in self.columns)


def charts(words: Wording, rows: Sequence[TrendRow], *, counted: bool) -> list[Chart]:
    """Municipalities, and sessions unless none are counted, of the latest `MOST_YEARS` of `rows`, which ascend."""
    shown = rows[-MOST_YEARS:]
    if not shown:
        return []
    nothing = Nothing(words, counted)
    municipalities = _municipalities(words, nothing, shown)
    counting = counted or any(row.sessions is not None or row.sessions_missing == "withheld" for row in shown)
    return [municipalities, _sessions(words, nothing, shown)] if counting else [municipalities]


def _municipalities(words: Wording, nothing: Nothing, rows: Sequence[TrendRow]) -> Chart:
    stacks = [Stack(_by_status(row), row.municipalities_in_area) for row in rows]
    labelled = [
        Labelled(
            column,
            year=str(row.year),
            figure=None if row.municipalities is None else words.number(row.municipalities),
            total=None if row.municipalities_in_area is None else words.number(row.municipalities_in_area),
            nothing=nothing.standing(row) if row.municipalities is None else None,
            until=(),
        )
        for row, column in zip(rows, columns(stacks), strict=True)
    ]
    kinds = {
        "in_use": words.gettext("in use"),
        "pilot": words.gettext("on trial"),
        "earlier": words.gettext("only earlier in the year"),
        "active": words.gettext("on trial or in use"),
        "whole": words.gettext("all municipalities"),
    }
    return Chart(
        "chart-municipalities",
        words.gettext("Municipalities with the practice on trial or in use"),
        _described(rows, lambda row: _municipalities_of(words, nothing, row)),
        labelled,
        _legend(kinds, labelled),
    )


def _by_status(row: TrendRow) -> Sequence[tuple[str, int]]:
    """The municipalities of a year by how they stood at its end, or all in one where that is not known."""
    if row.municipalities is None:
        return ()
    if row.pilot is None or row.in_use is None:
        return [("active", row.municipalities)]
    earlier = row.municipalities - row.in_use - row.pilot
    return [("in_use", row.in_use), ("pilot", row.pilot), ("earlier", earlier)]


def _municipalities_of(words: Wording, nothing: Nothing, row: TrendRow) -> str:
    if row.municipalities is None:
        return nothing.standing(row)
    number = words.number(row.municipalities)
    if row.municipalities_in_area is None:
        return number
    return words.gettext(
        "%(number)s of %(total)s", number=number, total=words.number(row.municipalities_in_area)
    ) + _split(words, row)


def _split(words: Wording, row: TrendRow) -> str:
    if row.pilot is None or row.in_use is None:
        return ""
    said = words.gettext(
        "in use %(in_use)s, on trial %(pilot)s", in_use=words.number(row.in_use), pilot=words.number(row.pilot)
    )
    return f" ({said})"


def _sessions(words: Wording, nothing: Nothing, rows: Sequence[TrendRow]) -> Chart:
    kinds = {"whole_year": words.gettext("whole year"), "part_year": words.gettext("part of the year")}
    stacks = [
        Stack() if row.sessions is None else Stack([("part_year" if row.partial else "whole_year", row.sessions)])
        for row in rows
    ]
    labelled = [
        Labelled(
            column,
            year=str(row.year),
            figure=None if row.sessions is None else words.number(row.sessions),
            total=None,
            nothing=nothing.sessions(row) if row.sessions is None else None,
            until=_until(words, row),
        )
        for row, column in zip(rows, columns(stacks), strict=True)
    ]
    return Chart(
        "chart-sessions",
        words.gettext("Sessions"),
        _described(rows, lambda row: _sessions_of(words, nothing, row)),
        labelled,
        _legend(kinds, labelled),
    )


def _until(words: Wording, row: TrendRow) -> Sequence[str]:
    """To which day the sessions of a part year reach, in lines short enough to stand below a column."""
    if row.sessions is None or not row.partial:
        return ()
    until = reached_by_all(row)
    if until is None:
        return words.gettext("part year").split(" ")
    day = format_date(until, _DAY_AND_MONTH[words.language], locale=words.locale)
    return words.gettext("to %(day)s", day=day).split(" ")


def _sessions_of(words: Wording, nothing: Nothing, row: TrendRow) -> str:
    if row.sessions is None:
        return nothing.sessions(row)
    number = words.number(row.sessions)
    if not row.partial:
        return number
    until = reached_by_all(row)
    if until is None:
        return words.gettext("%(number)s in a part of the year", number=number)
    return words.gettext("%(number)s by %(day)s", number=number, day=words.day(until))


def _described(rows: Sequence[TrendRow], told: Callable[[TrendRow], str]) -> str:
    """Every year with what is told of it."""
    return "; ".join(f"{row.year}: {told(row)}" for row in rows) + "."


def _legend(kinds: dict[str, str], labelled: Sequence[Labelled]) -> list[Mark]:
    """Of the kinds that occur."""
    drawn = {block.kind for one in labelled for block in one.column.blocks}
    drawn |= {one.column.outline.kind for one in labelled if one.column.outline}
    return [Mark(kind, text) for kind, text in kinds.items() if kind in drawn]
