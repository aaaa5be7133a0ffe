"""Columns of figures of the trend: named, written and left empty alike, whatever table they stand in."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from app.pages.figures.nothing import Nothing
from app.pages.figures.phrases import coverage_in_words, share_in_words
from app.pages.tables import Cell, Column, Row
from app.pages.wording import Wording
from app.trends.models import TrendRow

Missing = Callable[[Nothing, TrendRow], str]
"""Which kind of nothing a row has where it has no figure."""

_MISSING: Mapping[str, Missing] = {
    "sessions": Nothing.sessions,
    "through": Nothing.sessions,
    "coverage": Nothing.sessions,
    "sessions_per_municipality_year": Nothing.sessions,
    "sessions_per_municipality": Nothing.rate,
    "sessions_per_1000_residents": Nothing.rate,
    "annual_pace": Nothing.pace,
    "published_on": Nothing.publication,
    "change_municipalities": Nothing.comparison,
    "change_sessions": Nothing.comparison,
    "comparable_through": Nothing.comparison,
    "comparable_municipalities": Nothing.comparison,
    "comparable_sessions": Nothing.comparison,
    "comparable_previous_sessions": Nothing.comparison,
}
"""By field; of every other it is how municipalities stood."""


def figure_column(
    words: Wording,
    field: str,
    *,
    row_of: Callable[[Row], TrendRow | None],
    nothing_of: Callable[[Row], Nothing],
) -> Column[Row]:
    """The column of a `field` of the trend; a row of the table has what `row_of` and `nothing_of` give.

    Where the former is None there is a dash: another cell says that nothing was published.
    """

    def cell(row: Row) -> Cell:
        found = row_of(row)
        return Cell("–") if found is None else figure_cell(nothing_of(row), field, found)

    return Column(
        field,
        headings(words)[field],
        cell,
        lambda row: getattr(row_of(row), field, None),
        meaning=None if field == "year" else field,
    )


def figure_cell(nothing: Nothing, field: str, row: TrendRow) -> Cell:
    """A `field` of `row`, or which kind of nothing stands there."""
    value = getattr(row, field)
    if value is None:
        return Cell(_MISSING.get(field, Nothing.standing)(nothing, row))
    if isinstance(value, date):
        return Cell(nothing.words.short_day(value), value.isoformat(), day=True)
    return Cell(_written(nothing.words, field, value, row), value)


def _written(words: Wording, field: str, value: Any, row: TrendRow) -> str:
    if field == "share":
        return share_in_words(words, row)
    if field == "coverage":
        return coverage_in_words(words, row)
    if field.startswith("change_"):
        sign = "+" if value > 0 else "\N{MINUS SIGN}" if value < 0 else ""
        return sign + words.number(abs(value))
    return str(value) if field == "year" else words.number(value)


def headings(words: Wording) -> Mapping[str, str]:
    """By field of the trend: what its column is called."""
    return {
        "year": words.gettext("Year"),
        "municipalities": words.gettext("Municipalities on trial or in use"),
        "municipalities_in_area": words.gettext("Municipalities in all"),
        "share": words.gettext("Share"),
        "pilot": words.gettext("On trial"),
        "in_use": words.gettext("In use"),
        "sessions": words.gettext("Sessions"),
        "through": words.gettext("Figures complete to"),
        "sessions_per_municipality": words.gettext("Sessions per municipality"),
        "sessions_per_1000_residents": words.gettext("Sessions per 1,000 residents"),
        "change_municipalities": words.gettext("Change of municipalities"),
        "change_sessions": words.gettext("Change of sessions"),
        "counties": words.gettext("Counties in the sum"),
        "started": words.gettext("Started"),
        "resumed": words.gettext("Resumed"),
        "stopped": words.gettext("Stopped"),
        "merged": words.gettext("Merged"),
        "reporting": words.gettext("Municipalities that reported"),
        "coverage": words.gettext("Reports received"),
        "annual_pace": words.gettext("Pace of the year"),
        "sessions_per_municipality_year": words.gettext("Sessions per municipality and full year"),
        "comparable_through": words.gettext("Compared up to"),
        "comparable_municipalities": words.gettext("Municipalities compared"),
        "comparable_sessions": words.gettext("Their sessions"),
        "comparable_previous_sessions": words.gettext("Their sessions a year earlier"),
        "residents": words.gettext("Residents of the area"),
        "published_on": words.gettext("Published"),
    }
