"""The table of years and all that trend.html tells of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.pages.figures.chart import MOST_YEARS
from app.pages.figures.columns import figure_column
from app.pages.figures.nothing import Nothing
from app.pages.front.finding import finding, latest, like_for_like, pace
from app.pages.front.picture import Chart, charts
from app.pages.reading.overview import Overview
from app.pages.tables import Column, Table, table
from app.pages.view import View
from app.pages.wording import Wording
from app.trends.models import TrendRow

FIGURES = (
    *("year", "municipalities", "municipalities_in_area", "share", "pilot", "in_use", "sessions", "through"),
    *("sessions_per_municipality", "sessions_per_1000_residents"),
)
"""What most readers look for, by the fields of the API."""

MORE = (
    *("year", "counties", "change_municipalities", "started", "resumed", "stopped", "merged", "change_sessions"),
    *("reporting", "coverage", "annual_pace", "sessions_per_municipality_year", "comparable_through"),
    *("comparable_municipalities", "comparable_sessions", "comparable_previous_sessions", "residents"),
)
"""What explains them; the year names the rows of both tables."""


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
    wanted = (view.sort_years or "").removeprefix("-")
    more_open = wanted in MORE[1:]
    row = latest(rows)

    def tabled(name: str, caption: str, fields: Sequence[str], *, sort: str | None) -> Table:
        return table(
            name,
            caption,
            _columns(words, fields, counted=counted),
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
        figures=tabled("years", words.gettext("Figures by year"), FIGURES, sort=None if more_open else view.sort_years),
        more=tabled(
            "more-years", words.gettext("More figures by year"), MORE, sort=view.sort_years if wanted in MORE else None
        ),
        more_open=more_open,
    )


def _left_out(words: Wording, rows: Sequence[TrendRow]) -> str | None:
    if len(rows) <= MOST_YEARS:
        return None
    return words.gettext("The columns show the %(number)s latest years, the tables all of them.", number=MOST_YEARS)


def _columns(words: Wording, fields: Sequence[str], *, counted: bool) -> list[Column[TrendRow]]:
    nothing = Nothing(words, counted)
    return [figure_column(words, field, row_of=lambda row: row, nothing_of=lambda _: nothing) for field in fields]
