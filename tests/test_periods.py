"""Periods against plain sets of days."""

from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import example, given, strategies as st

from app.periods import NotAPeriod, Period, Precision, around_and_inside, day, period

years = st.integers(2015, 9998)
texts = st.one_of(
    years.map(str),
    st.builds("{}-Q{}".format, years, st.integers(1, 4)),
    st.builds("{}-{:02}".format, years, st.integers(1, 12)),
)
texts_of_three_years = [
    f"{year}{part}"
    for year in (2023, 2024, 2025)
    for part in ("", *(f"-Q{quarter}" for quarter in range(1, 5)), *(f"-{month:02}" for month in range(1, 13)))
]


def days_of(asked: Period) -> set[date]:
    return {asked.first + timedelta(days=number) for number in range((asked.last - asked.first).days + 1)}


def days_meant(text: str) -> set[date]:
    """The days of the calendar that `text` means, picked one by one."""
    year, _, part = text.partition("-")
    everyday = (date(int(year), 1, 1) + timedelta(days=number) for number in range(366))
    of_the_year = {each for each in everyday if each.year == int(year)}
    if part.startswith("Q"):
        return {each for each in of_the_year if (each.month + 2) // 3 == int(part[1:])}
    return {each for each in of_the_year if not part or each.month == int(part)}


@given(texts)
@example("2024-02")
@example("2023-Q1")
@example("2100-02")
def test_a_period_has_the_days_that_its_text_means(text: str) -> None:
    found = period(text)

    assert found.text == text
    assert days_of(found) == days_meant(text)


def test_a_period_contains_another_if_all_its_days_do() -> None:
    for one, other in product(map(period, texts_of_three_years), repeat=2):
        assert one.contains(other) == (days_of(one) >= days_of(other)), (one, other)


def test_periods_overlap_if_they_share_a_day() -> None:
    for one, other in product(map(period, texts_of_three_years), repeat=2):
        assert one.overlaps(other) == bool(days_of(one) & days_of(other)), (one, other)


def test_around_and_inside_a_period_are_all_others_that_share_a_day_with_it() -> None:
    for one in map(period, texts_of_three_years):
        others = [text for text in sorted(texts_of_three_years) if text != one.text and period(text).overlaps(one)]
        assert around_and_inside(one) == others


@given(texts, texts)
def test_periods_that_share_a_day_contain_one_another(one: str, other: str) -> None:
    first, second = period(one), period(other)

    assert first.overlaps(second) == (first.contains(second) or second.contains(first))
    assert first.overlaps(second) == bool(days_of(first) & days_of(second))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "22",
        "2022-3",
        "2022-Q0",
        "2022-Q5",
        "2022-q1",
        "2022Q1",
        "2022-1-3",
        "2022-03-15",
        "2022-",
        " 2022",
        "2022\n",
        "2022-H1",
        "+2022",
        "٢٠٢٢",
        "2022-W01",
    ],
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(NotAPeriod) as refused:
        period(text)

    assert (
        str(refused.value) == f"{text!r} is not a period; write a year (2022), a quarter (2022-Q1) or a month (2022-03)"
    )


@pytest.mark.parametrize("text", ["2022-00", "2022-13", "2022-99"])
def test_a_month_that_no_year_has_is_refused(text: str) -> None:
    with pytest.raises(NotAPeriod) as refused:
        period(text)

    assert str(refused.value) == f"{text!r} is not a period; months run from 01 to 12"


@pytest.mark.parametrize("text", ["2014", "2014-Q4", "2014-12", "0001", "0000", "9999"])
def test_a_period_before_2015_or_at_the_end_of_time_is_refused(text: str) -> None:
    with pytest.raises(NotAPeriod) as refused:
        period(text)

    assert str(refused.value) == f"figures are kept for the years 2015 to 9998, not for {text[:4]}"


@pytest.mark.parametrize(
    ("text", "first", "precision"),
    [
        ("2022-03-15", date(2022, 3, 15), "day"),
        ("2024-02-29", date(2024, 2, 29), "day"),
        ("2022-03", date(2022, 3, 1), "month"),
        ("2022", date(2022, 1, 1), "year"),
        ("2015-01-01", date(2015, 1, 1), "day"),
    ],
)
def test_a_day_may_be_given_as_its_month_or_year(text: str, first: date, precision: Precision) -> None:
    assert day(text) == (first, precision)


@pytest.mark.parametrize(
    "text", ["", "2022-Q1", "2022-3-1", "15.3.2022", "2022-03-15T00:00:00Z", "2022-03-15 ", "٢٠٢٢"]
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(NotAPeriod) as refused:
        day(text)

    assert str(refused.value) == f"{text!r} is not a day; write 2022-03-15, or 2022-03 or 2022 for its first day"


@pytest.mark.parametrize(
    "text", ["2022-02-29", "2022-00", "2022-13-01", "2022-04-31", "2022-01-00", "2014-12-31", "9999"]
)
def test_a_day_outside_the_calendar_or_before_2015_is_refused(text: str) -> None:
    with pytest.raises(NotAPeriod):
        day(text)
