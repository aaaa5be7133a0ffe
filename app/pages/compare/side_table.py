"""The table of a comparison: every year of every side."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.pages.figures.columns import figure_column
from app.pages.figures.nothing import Nothing
from app.pages.reading.sides import ComparisonView, Named, Side
from app.pages.tables import Cell, Column, Table, table
from app.pages.wording import Wording
from app.trends.models import TrendRow

FIGURES = (
    *("year", "share", "municipalities", "municipalities_in_area", "sessions_per_1000_residents", "through"),
    *("coverage", "counties", "published_on"),
)
"""What is compared, by the fields of the API; how many counties only where the country is a side."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A year of a side."""

    number: int
    name: str
    side: Side
    year: TrendRow


def side_table(words: Wording, named: Named, view: ComparisonView) -> Table:
    """Every year of every side, the latest year first.

    Raises:
        InvalidParameter: it is to be sorted by a column that there is not.
    """
    rows = [_Row(number, name, side, year) for number, (name, side) in enumerate(named, start=1) for year in side.told]
    return table(
        "compared",
        words.gettext("The figures side by side"),
        list(_columns(words, country=any(side.county is None for _, side in named))),
        sorted(rows, key=lambda row: -row.year.year),
        row_id=lambda row: f"side-{row.number}-{row.year.year}",
        sort=view.sort,
        parameter="sort",
        href=lambda sort: view.href(sort=sort),
    )


def _columns(words: Wording, *, country: bool) -> Iterable[Column[_Row]]:
    yield Column(
        "side",
        words.gettext("What is compared"),
        lambda row: Cell(row.name, href=row.side.view.href()),
        lambda row: words.alphabetical(row.name),
        numeric=False,
    )
    for field in FIGURES:
        if field != "counties" or country:
            yield figure_column(
                words,
                field,
                row_of=lambda row: row.year,
                nothing_of=lambda row: Nothing(words, row.side.practice.counted),
            )
