"""What is left of a release when figures are withheld."""

from collections.abc import Collection
from dataclasses import replace

from app.disclosure.cells import Figure, county_year, municipality_year, pair
from app.series.content import Content
from app.series.figures import ReleasedYear


def without(content: Content, hidden: Collection[Figure]) -> Content:
    """`content` with the figures `hidden` withheld."""
    return Content(
        years={year: _county_row(year, row, hidden) for year, row in content.years.items()},
        municipalities={
            code: {
                year: _withheld(row) if municipality_year(code, year) in hidden else _without_pair(row)
                for year, row in rows.items()
            }
            for code, rows in content.municipalities.items()
        },
        quarters={
            text: replace(row, sessions=None, withheld=True)
            if Figure("quarter", None, text, int(text[:4])) in hidden
            else row
            for text, row in content.quarters.items()
        },
    )


def _county_row(year: int, row: ReleasedYear, hidden: Collection[Figure]) -> ReleasedYear:
    if county_year(year) in hidden:
        return _withheld(row)
    if row.comparable_through is not None and pair(year, row.comparable_through) in hidden:
        return _without_pair(row)
    return row


def _withheld(row: ReleasedYear) -> ReleasedYear:
    return replace(_without_pair(row), sessions=None, withheld=True)


def _without_pair(row: ReleasedYear) -> ReleasedYear:
    """The row without comparable figures; a municipality's never has any, since they would be parts of its year."""
    return replace(
        row,
        comparable_through=None,
        comparable_municipalities=None,
        comparable_sessions=None,
        comparable_previous_sessions=None,
    )
