"""Figures of a row of the trend as they are said wherever they stand."""

from datetime import date

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


def what_is_kept(words: Wording, release: int | None, day: date) -> str:
    """What a permanent link keeps that names a `release`, or none, and was made on a `day`."""
    if release is None:
        return words.gettext(
            "The link keeps what had been published by %(day)s. A release that is published later on that day, or "
            "taken over afterwards with an earlier day, still joins it.",
            day=words.day(day),
        )
    return words.gettext(
        "The link keeps release %(number)s, and what was known of the municipalities on %(day)s, whatever is published "
        "later.",
        number=release,
        day=words.day(day),
    )
