"""A year that goes on, by days: what everybody knows of it."""

from datetime import date

import pytest

from app.disclosure.cells import Cell, growth, said_by_days, said_by_value
from app.series.content import Content, Statement
from app.series.facts import Count
from tests.disclosure.statements import Sessions, statement

NEW_YEAR, MARCH, JUNE = date(2023, 1, 1), date(2023, 3, 31), date(2023, 6, 30)


def test_a_year_that_went_on_is_what_it_was_and_what_came_since() -> None:
    before, now = statement({"297": {"2023-Q1": 9}}), statement({"297": {"2023-Q1": 9, "2023-Q2": 2}})

    assert list(growth(before, now, 2023)) == [
        (
            Cell("297", NEW_YEAR, JUNE, 11),
            (Cell("297", NEW_YEAR, MARCH, 9), Cell("297", date(2023, 4, 1), JUNE, 2)),
        )
    ]


@pytest.mark.parametrize(
    "now",
    [
        {"297": {"2023-Q1": 9}},
        {"297": {"2023-Q1": 8, "2023-Q2": 2}},
        {"297": {"2023": 11}},
        {"297": {"2024-Q1": 9}},
        {"140": {"2023-Q1": 9, "2023-Q2": 2}},
    ],
)
def test_a_year_that_stands_still_or_was_corrected_did_not_go_on(now: Sessions) -> None:
    assert list(growth(statement({"297": {"2023-Q1": 9}}), statement(now), 2023)) == []


def test_a_count_that_goes_over_the_last_day_is_no_growth() -> None:
    counts = {"297": [Count(NEW_YEAR, JUNE, 4), Count(date(2023, 7, 1), date(2023, 9, 30), 1)]}
    now = Statement(content=Content(years={}), counts=counts)

    # Nothing was counted up to March, and nothing stands; yet nobody knows how much of the 4 was before April.
    assert list(growth(statement({"297": {"2023-Q1": 0}}), now, 2023)) == []


def test_a_year_ends_by_value_with_the_year_and_by_days_when_it_was_counted() -> None:
    release = statement({"297": {"2023-Q1": 9}}, quarters=True)

    assert said_by_value(release, 2023).cells == {Cell("297", NEW_YEAR, date(2023, 12, 31), 9)}
    # The year so far is its first quarter.
    assert said_by_days(release, 2023).cells == {Cell("297", NEW_YEAR, MARCH, 9)}
    assert said_by_days(release, 2023).wholes == {}
