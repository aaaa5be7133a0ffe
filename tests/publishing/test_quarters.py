"""What a release says of quarters."""

from datetime import date

import pytest

from app.publishing.quarters import released_quarters
from app.series.content import ReleasedQuarter
from app.series.facts import Count

LONG_AFTER = date(2025, 1, 1)


def counted(first: str, last: str, sessions: int) -> Count:
    return Count(date.fromisoformat(first), date.fromisoformat(last), sessions)


def quarter(sessions: int | None, reporting: int, *, partial: bool = False) -> ReleasedQuarter:
    return ReleasedQuarter(sessions=sessions, reporting=reporting, partial=partial)


def test_the_counts_of_a_quarter_and_of_its_months_add_up() -> None:
    counts = {
        "297": [counted("2023-01-01", "2023-03-31", 7), counted("2023-04-01", "2023-04-30", 1)],
        "140": [counted("2023-01-01", "2023-01-31", 2), counted("2023-03-01", "2023-03-31", 3)],
    }

    assert released_quarters(counts, [2023], LONG_AFTER) == {
        "2023-Q1": quarter(12, 2),
        "2023-Q2": quarter(1, 1, partial=True),
        "2023-Q3": quarter(None, 0),
        "2023-Q4": quarter(None, 0),
    }


@pytest.mark.parametrize("last", ["2023-12-31", "2023-04-01"])
def test_a_count_of_more_than_a_quarter_leaves_its_year_without_sessions_by_quarter(last: str) -> None:
    counts = {
        "297": [counted("2023-01-01", "2023-03-31", 7), counted("2024-01-01", "2024-03-31", 0)],
        "140": [counted("2023-01-01", last, 3)],
    }

    said = released_quarters(counts, [2023, 2024], LONG_AFTER)

    assert {said[f"2023-Q{number}"].sessions for number in range(1, 5)} == {None}
    assert (said["2023-Q1"].reporting, said["2023-Q2"].reporting) == (1, 0)
    assert said["2024-Q1"] == quarter(0, 1)


def test_a_year_that_was_counted_to_a_day_of_its_first_quarter_lies_in_that() -> None:
    said = released_quarters({"297": [counted("2023-01-01", "2023-03-27", 23)]}, [2023], LONG_AFTER)

    assert said["2023-Q1"] == quarter(23, 1, partial=True)


def test_a_quarter_is_partial_until_it_is_over_and_one_that_has_not_begun_is_not_said() -> None:
    counts = {"297": [counted("2023-01-01", "2023-03-31", 7)]}

    assert released_quarters(counts, [2023], date(2023, 3, 31)) == {"2023-Q1": quarter(7, 1)}
    assert released_quarters(counts, [2023], date(2023, 3, 30)) == {"2023-Q1": quarter(7, 1, partial=True)}
    assert released_quarters(counts, [2023], date(2023, 4, 1)) == {
        "2023-Q1": quarter(7, 1),
        "2023-Q2": quarter(None, 0, partial=True),
    }


def test_one_who_did_not_count_to_the_end_makes_a_quarter_partial() -> None:
    counts = {
        "297": [counted("2023-01-01", "2023-03-31", 7)],
        "140": [counted("2023-01-01", "2023-01-31", 2), counted("2023-03-01", "2023-03-30", 3)],
    }

    assert released_quarters(counts, [2023], LONG_AFTER)["2023-Q1"] == quarter(12, 2, partial=True)
