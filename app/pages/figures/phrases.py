"""Figures of a row of the trend as they are said wherever they stand."""

from app.pages.wording import Wording
from app.trends.models import TrendRow


def share_in_words(words: Wording, row: TrendRow) -> str:
    """The share of a row that has one, from the numbers that it is taken of."""
    return words.share(row.municipalities or 0, row.municipalities_in_area or 0)


def coverage_in_words(words: Wording, row: TrendRow) -> str:
    """The coverage of a row that has one, so exact that what is missed by little is not said to be all."""
    return words.share(round((row.coverage or 0) * 10_000), 10_000, decimals=2)


def misses_reports(row: TrendRow) -> bool:
    """Whether sessions of the row are known to be missing, so few that its coverage is rounded to 1 included.

    A whole year has a rate by residents unless reports are missing.
    """
    if row.coverage is None:
        return False
    whole = row.partial is False and row.sessions is not None and row.residents
    return row.coverage < 1 or bool(whole and row.sessions_per_1000_residents is None)


def counties_in_words(words: Wording, counties: int, total: int) -> str:
    """How many counties of the country the figures are of."""
    return words.ngettext("%(some)s of %(number)s county", "%(some)s of %(number)s counties", total, some=counties)
