"""The like-for-like pair."""

from datetime import date

import pytest

from app.series.facts import History
from tests.series.examples import END, PAIR, monthly, of, place, quarter, released, trend, whole


def test_whole_years_compare_the_municipalities_that_were_there_both_years() -> None:
    both_years = place(whole(2022, 4), whole(2023, 6), code="1", since=date(2022, 1, 1))
    second_year = place(whole(2023, 100), code="2", since=date(2023, 1, 1))

    rows = trend(both_years, second_year)

    assert of(rows[2022], PAIR) == (None, None, None, None)
    assert of(rows[2023], PAIR) == (END, 1, 6, 4)


def test_a_part_year_is_compared_with_the_same_months_a_year_earlier() -> None:
    home = place(*monthly(2022, sessions=2), *monthly(2023, 1, 3, sessions=3), since=date(2022, 1, 1))

    row = trend(home, as_of=date(2023, 4, 15))[2023]

    assert of(row, PAIR) == (date(2023, 3, 31), 1, 9, 6)


@pytest.mark.parametrize("through", [date(2024, 2, 29), date(2025, 2, 28)])
def test_the_end_of_february_is_compared_with_the_end_of_february(through: date) -> None:
    before = through.year - 1
    home = place(*monthly(before, 1, 2, sessions=5), *monthly(through.year, 1, 2, sessions=4), since=date(before, 1, 1))

    row = trend(home, as_of=through)[through.year]

    assert of(row, PAIR) == (through, 1, 8, 10)


def test_a_count_that_straddles_the_month_end_is_not_cut() -> None:
    quarters = [quarter(2022, number, 6) for number in (1, 2, 3, 4)]
    home = place(*quarters, *monthly(2023, 1, 8, sessions=1), since=date(2022, 1, 1))

    row = trend(home)[2023]

    assert of(row, PAIR) == (date(2023, 6, 30), 1, 6, 12)


def test_a_year_in_one_count_compares_with_no_part_of_a_year() -> None:
    home = place(whole(2022, 6), *monthly(2023, 1, 8, sessions=1), since=date(2022, 1, 1))

    assert of(trend(home)[2023], PAIR) == (None, None, None, None)


def test_like_for_like_takes_the_most_municipality_days_and_of_equals_the_latest() -> None:
    def counted_until(month: int, code: str) -> History:
        return place(
            *monthly(2022, sessions=1),
            *monthly(2023, 1, month, sessions=2),
            code=code,
            since=date(2022, 1, 1),
        )

    def places(*months: int) -> list[History]:
        return [counted_until(month, str(i)) for i, month in enumerate(months)]

    many, longer, equal = (trend(*places(*m))[2023] for m in ((3, 3, 3, 4), (3, 5), (3, 4, 4, 4)))

    assert of(many, PAIR) == (date(2023, 3, 31), 4, 24, 12)
    assert of(longer, PAIR) == (date(2023, 3, 31), 2, 12, 6)
    assert of(equal, PAIR) == (date(2023, 4, 30), 3, 24, 12)


def test_a_municipality_that_paused_compares_only_up_to_its_pause() -> None:
    statuses = [(date(2022, 1, 1), "in_use"), (date(2023, 5, 10), "paused"), (date(2023, 6, 1), "in_use")]
    home = place(*monthly(2022, sessions=1), *monthly(2023, sessions=1), statuses=statuses)

    assert of(trend(home)[2023], PAIR) == (date(2023, 4, 30), 1, 4, 4)


def test_a_municipality_that_counted_from_february_on_does_not_compare() -> None:
    home = place(*monthly(2022), *monthly(2023, 2, 12), since=date(2022, 1, 1))

    assert trend(home)[2023].comparable_through is None


def test_like_for_like_needs_reports_in_both_years() -> None:
    home = place(whole(2022, 4), whole(2023, 4), since=date(2022, 1, 1))

    row = trend(home, release=released(2022, municipalities=1))[2023]

    assert of(row, "basis comparable_through") == ("reports", None)
