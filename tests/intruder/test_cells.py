"""What everybody knows of a year that went on."""

from datetime import date

import pytest

from app.intruder.cells import Cell, Equation, grown
from app.series.facts import Count
from tests.intruder.releases import Counts, quarter, said_of, whole

NEW_YEAR, MARCH, JUNE = date(2023, 1, 1), date(2023, 3, 31), date(2023, 6, 30)


def told(before: Counts, now: Counts) -> list[Equation]:
    return list(grown(said_of(before), before, said_of(now), now))


def test_a_year_that_went_on_is_what_it_was_and_the_rest() -> None:
    begun, rest = Cell("a", NEW_YEAR, MARCH, 9), Cell("a", date(2023, 4, 1), JUNE, 2)

    assert told({"a": [quarter(1, 9)]}, {"a": [quarter(1, 9), quarter(2, 2)]}) == [
        Equation(frozenset([begun, rest]), Cell("a", NEW_YEAR, JUNE, 11))
    ]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([quarter(1, 9)], [quarter(1, 9)]),
        ([quarter(1, 9), quarter(2, 2)], [quarter(1, 9)]),
        ([quarter(1, 9)], [quarter(1, 8), quarter(2, 2)]),
        ([quarter(1, 9)], [whole(11)]),
        # Nobody knows how much of the year was before April.
        ([quarter(1, 0)], [whole(11)]),
        ([quarter(1, 9, 2022)], [quarter(1, 9, 2022), quarter(1, 9)]),
    ],
)
def test_a_year_that_stands_still_or_was_corrected_is_nothing_of_the_kind(
    before: list[Count], now: list[Count]
) -> None:
    assert told({"a": before}, {"a": now}) == []


def test_who_joined_has_no_year_that_went_on() -> None:
    assert told({"a": [quarter(1, 9)]}, {"a": [quarter(1, 9)], "b": [quarter(1, 1), quarter(2, 2)]}) == []
