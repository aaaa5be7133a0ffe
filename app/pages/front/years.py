"""The table of years and all that trend.html tells of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.pages.figures.nothing import Nothing
from app.pages.front.finding import finding, latest, like_for_like, pace
from app.pages.front.overview import Overview
from app.pages.front.picture import MOST_YEARS, Chart, charts
from app.pages.tables import Cell, Column, Table, table
from app.pages.view import View
from app.pages.wording import Wording
from app.trends.models import TrendRow

Missing = Callable[[TrendRow], str]
"""Which kind of nothing a row has where it has no figure."""


@dataclass(frozen=True, slots=True)
class Part:
    """What the template reads.

    `lead` are the sentences that stand first; `left_out` says that the charts do not show every year; `compared` is
    what is said like for like, by year, the latest first; `figures` and `more` are tables with a row a year, and
    `more_open` is True if the second is to be seen at once.
    """

    lead: Sequence[str]
    charts: Sequence[Chart]
    left_out: str | None
    compared: Sequence[tuple[int, str]]
    pace: str | None
    figures: Table
    more: Table
    more_open: bool


def trend_part(words: Wording, shown: Overview, view: View) -> Part:
    """The finding, the picture of the years, and their tables.

    Raises:
        InvalidParameter: the years are to be sorted by a column that there is not.
    """
    rows, counted = shown.trend.years, shown.practice.counted
    figures, more = _figures(words, counted=counted), _more(words, counted=counted)
    more_open = _names(more, view.sort_years)
    row = latest(rows)

    def tabled(name: str, caption: str, columns: Sequence[Column[TrendRow]], *, sort: str | None) -> Table:
        return table(
            name,
            caption,
            columns,
            rows,
            row_id=lambda row: f"{name}-{row.year}",
            sort=sort,
            parameter="sort_years",
            href=lambda sort: view.href(sort_years=sort),
        )

    return Part(
        lead=finding(words, rows, shown.standings, counted=counted),
        charts=charts(words, rows, counted=counted),
        left_out=_left_out(words, rows),
        compared=[(row.year, said) for row in reversed(rows) if (said := like_for_like(words, row))],
        pace=pace(words, row) if row else None,
        figures=tabled("years", words.gettext("Figures by year"), figures, sort=None if more_open else view.sort_years),
        more=tabled(
            "more-years", words.gettext("More figures by year"), more, sort=view.sort_years if more_open else None
        ),
        more_open=more_open,
    )


def _left_out(words: Wording, rows: Sequence[TrendRow]) -> str | None:
    if len(rows) <= MOST_YEARS:
        return None
    return words.gettext("The columns show the %(number)s latest years, the tables all of them.", number=MOST_YEARS)


def _names(columns: Sequence[Column[TrendRow]], sort: str | None) -> bool:
    """True if `sort` is one of `columns`, other than the year, which names the rows of every table."""
    return sort is not None and sort.removeprefix("-") in {column.key for column in columns[1:]}


def _figures(words: Wording, *, counted: bool) -> list[Column[TrendRow]]:
    """What most readers look for."""
    nothing = Nothing(words, counted)
    return [
        _year(words),
        _number(words, "municipalities", words.gettext("Municipalities on trial or in use"), nothing.standing),
        _number(words, "municipalities_in_area", words.gettext("Municipalities in all"), nothing.standing),
        _share(words, nothing.standing),
        _number(words, "pilot", words.gettext("On trial"), nothing.standing),
        _number(words, "in_use", words.gettext("In use"), nothing.standing),
        _number(words, "sessions", words.gettext("Sessions"), nothing.sessions),
        _day(words, "through", words.gettext("Figures complete to"), nothing.sessions),
        _number(words, "sessions_per_municipality", words.gettext("Sessions per municipality"), nothing.rate),
        _number(words, "sessions_per_1000_residents", words.gettext("Sessions per 1,000 residents"), nothing.rate),
        _change(words, "change_municipalities", words.gettext("Change of municipalities"), nothing.comparison),
        _change(words, "change_sessions", words.gettext("Change of sessions"), nothing.comparison),
    ]


def _more(words: Wording, *, counted: bool) -> list[Column[TrendRow]]:
    """What explains them."""
    nothing = Nothing(words, counted)
    return [
        _year(words),
        _number(words, "counties", words.gettext("Counties in the sum"), nothing.standing),
        _number(words, "started", words.gettext("Started"), nothing.standing),
        _number(words, "resumed", words.gettext("Resumed"), nothing.standing),
        _number(words, "stopped", words.gettext("Stopped"), nothing.standing),
        _number(words, "merged", words.gettext("Merged"), nothing.standing),
        _number(words, "reporting", words.gettext("Municipalities that reported"), nothing.standing),
        _coverage(words, nothing.sessions),
        _number(words, "annual_pace", words.gettext("Pace of the year"), nothing.pace),
        _number(
            words,
            "sessions_per_municipality_year",
            words.gettext("Sessions per municipality and full year"),
            nothing.sessions,
        ),
        _day(words, "comparable_through", words.gettext("Compared up to"), nothing.comparison),
        _number(words, "comparable_municipalities", words.gettext("Municipalities compared"), nothing.comparison),
        _number(words, "comparable_sessions", words.gettext("Their sessions"), nothing.comparison),
        _number(
            words, "comparable_previous_sessions", words.gettext("Their sessions a year earlier"), nothing.comparison
        ),
        _number(words, "residents", words.gettext("Residents of the area"), nothing.standing),
    ]


def _year(words: Wording) -> Column[TrendRow]:
    return Column("year", words.gettext("Year"), lambda row: Cell(str(row.year), row.year), lambda row: row.year)


def _number(words: Wording, key: str, heading: str, missing: Missing) -> Column[TrendRow]:
    return _figures_of(key, heading, words.number, missing)


def _change(words: Wording, key: str, heading: str, missing: Missing) -> Column[TrendRow]:
    """With its sign."""

    def signed(change: int) -> str:
        sign = "+" if change > 0 else "\N{MINUS SIGN}" if change < 0 else ""
        return sign + words.number(abs(change))

    return _figures_of(key, heading, signed, missing)


def _coverage(words: Wording, missing: Missing) -> Column[TrendRow]:
    """With both decimals, so that what is missed by little is not shown as all."""

    def percent(share: float) -> str:
        return words.share(round(share * 10_000), 10_000, decimals=2)

    return _figures_of("coverage", words.gettext("Reports received"), percent, missing)


def _figures_of(key: str, heading: str, text: Callable[[Any], str], missing: Missing) -> Column[TrendRow]:
    """The column of a field of the row, whose figures are written as `text`."""

    def figure(row: TrendRow) -> Any:
        return getattr(row, key)

    def cell(row: TrendRow) -> Cell:
        return Cell(missing(row)) if figure(row) is None else Cell(text(figure(row)), figure(row))

    return Column(key, heading, cell, figure, meaning=key)


def _share(words: Wording, missing: Missing) -> Column[TrendRow]:
    def cell(row: TrendRow) -> Cell:
        if row.share is None or row.municipalities is None or not row.municipalities_in_area:
            return Cell(missing(row))
        return Cell(words.share(row.municipalities, row.municipalities_in_area), row.share)

    return Column("share", words.gettext("Share"), cell, lambda row: row.share, meaning="share")


def _day(words: Wording, key: str, heading: str, missing: Missing) -> Column[TrendRow]:
    def day(row: TrendRow) -> date | None:
        found: date | None = getattr(row, key)
        return found

    def cell(row: TrendRow) -> Cell:
        found = day(row)
        return Cell(missing(row)) if found is None else Cell(words.short_day(found), found.isoformat(), day=True)

    return Column(key, heading, cell, day, meaning=key)
