"""The arithmetic of odd figures, against definitions that are written out one number at a time."""

from calendar import monthrange
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from statistics import mean, median
from typing import Any, get_args

import pytest
from hypothesis import example, given, strategies as st

from app.periods import period
from app.reports.doubts import (
    MEANINGS,
    Doubt,
    Figure,
    Figures,
    QualityCode,
    ReceiptCode,
    a_year_after,
    doubts,
    in_use_since,
    usual_range,
)
from tests.conftest import Caller, count, status

IN_USE = ((date(2015, 1, 1), "in_use"),)


def figure(text: str, sessions: int, through: str | None = None) -> Figure:
    asked = period(text)
    return Figure(text, asked.first, asked.last, date.fromisoformat(through) if through else asked.last, sessions)


def months(first: str, *sessions: int) -> list[Figure]:
    """Counts of consecutive months."""
    year, month = int(first[:4]), int(first[5:]) - 1
    return [figure(f"{year + (month + n) // 12}-{(month + n) % 12 + 1:02}", held) for n, held in enumerate(sessions)]


def codes(one: Figure, others: Iterable[Figure], statuses: Sequence[tuple[date, str]] = ()) -> list[str]:
    return [doubt.code for doubt in doubts(one, Figures([one, *others]), statuses)]


def test_every_code_has_a_meaning() -> None:
    assert MEANINGS.keys() == {*get_args(ReceiptCode), *get_args(QualityCode)}
    assert all(MEANINGS.values())


# Outliers.


def is_doubted(number: int, others: list[int]) -> bool:
    """By the definition of Iglewicz and Hoaglin, in exact fractions, and the two bounds that are ours."""
    if len(others) < 6:
        return False
    middle = median(map(Fraction, others))
    distances = [abs(other - middle) for other in others]
    spread, factor = median(distances), Fraction("0.6745")
    if spread == 0:
        spread, factor = mean(distances), 1 / Fraction("1.253314")
    far = spread == 0 or abs(factor * (number - middle) / spread) > Fraction("3.5")
    return far and abs(number - middle) > 5


numbers = st.one_of(
    st.lists(st.integers(0, 30), max_size=16),
    st.lists(st.integers(0, 1_000_000), max_size=9),
    st.builds(lambda same, rest: [same] * 8 + rest, st.integers(0, 40), st.lists(st.integers(0, 99), max_size=5)),
)


@given(numbers, st.integers(0, 1_000_000))
@example([10] * 6, 100)
@example([0, 0, 0, 0, 0, 60], 53)
@example([1, 2, 3, 4, 5, 6, 7], 9)
def test_the_usual_range_holds_exactly_what_the_definition_does_not_doubt(others: list[int], number: int) -> None:
    found = usual_range(others)

    low, high = found or (0, 10**9)
    near = [one for one in (number, low, low - 1, high, high + 1) if 0 <= one < 10**9]
    assert [not low <= one <= high for one in near] == [is_doubted(one, others) for one in near]
    assert bool(found) == (len(others) >= 6)


@given(st.lists(st.integers(0, 40) | st.integers(0, 400), min_size=1, max_size=20), st.integers(0, 19))
@example([0, 10, 10, 12, 14, 32, 41, 49, 69], 8)
def test_each_month_is_held_against_all_the_others_and_not_against_itself(held: list[int], place: int) -> None:
    own = months("2019-01", *held)
    one = own[place % len(own)]
    others = [other.sessions for other in own if other is not one]

    found = [doubt for doubt in doubts(one, Figures(own), ()) if doubt.code == "outlier"]

    assert bool(found) == is_doubted(one.sessions, others)
    assert [(doubt.low, doubt.high) for doubt in found] == [usual_range(others)] * len(found)


def test_an_outlier_is_told_with_the_figure_and_the_bounds() -> None:
    own = months("2022-01", 10, 12, 9, 11, 10, 12, 40)

    assert doubts(own[-1], Figures(own), ()) == [
        Doubt("outlier", "40 sessions in 2022-07; its 6 other counts like it suggest 6 to 15", 6, 15)
    ]


@pytest.mark.parametrize(
    ("others", "doubted"),
    [
        (months("2022-01", 10, 12, 9, 11, 10, 12), True),
        (months("2022-01", 10, 12, 9, 11, 10), False),
        # Quarters, a part of a month, and what is seven years away are no measure.
        ([*months("2022-01", 10, 12, 9, 11, 10), figure("2021-Q1", 12)], False),
        ([*months("2022-01", 10, 12, 9, 11, 10), figure("2022-06", 12, "2022-06-29")], False),
        ([*months("2022-01", 10, 12, 9, 11, 10), figure("2015-12", 12)], False),
        ([*months("2022-01", 10, 12, 9, 11, 10), figure("2016-12", 12)], True),
        ([*months("2022-01", 10, 12, 9, 11, 10), figure("2028-12", 12)], True),
        ([*months("2022-01", 10, 12, 9, 11, 10), figure("2029-01", 12)], False),
    ],
)
def test_whole_periods_of_the_same_kind_within_six_years_are_the_measure(others: list[Figure], doubted: bool) -> None:
    assert codes(figure("2022-07", 40), others) == (["outlier"] if doubted else [])
    assert codes(figure("2022-07", 40, "2022-07-30"), others) == []


def test_quarters_and_years_have_their_own_measure() -> None:
    quarters = [figure(f"{year}-Q{n}", 30 + n) for year in (2021, 2022) for n in (1, 2, 3, 4)]
    years = [figure(f"{year}", 90 + year % 10) for year in range(2015, 2021)]

    assert codes(figure("2023-Q1", 300), quarters) == ["outlier"]
    assert codes(figure("2023-Q1", 33), quarters) == []
    assert codes(figure("2021", 900), years) == ["outlier"]


def test_small_numbers_are_never_outliers() -> None:
    for usual in ((0, 0, 1, 0, 0, 0), (0, 0, 0, 0, 0, 0)):
        assert codes(figure("2022-07", 5), months("2022-01", *usual)) == []
        assert codes(figure("2022-07", 6), months("2022-01", *usual)) == ["outlier"]


# Copied months.


@given(st.lists(st.sampled_from((0, 4, 5, 5, 5, 9)), min_size=1, max_size=14), st.integers(0, 13))
def test_a_month_is_a_duplicate_if_three_in_a_row_that_hold_it_are_equal(held: list[int], place: int) -> None:
    own = months("2021-06", *held)
    place %= len(own)
    windows = [held[start : start + 3] for start in range(max(place - 2, 0), place + 1)]

    found = codes(own[place], own[:place] + own[place + 1 :])

    expected = held[place] >= 5 and any(len(window) == 3 and len(set(window)) == 1 for window in windows)
    assert ("duplicate_month" in found) == expected


def test_a_run_is_told_from_its_first_to_its_last_month() -> None:
    own = months("2021-10", 7, 8, 8, 8, 8, 7)

    told = [doubts(one, Figures(own), ()) for one in own]

    words = "8 sessions in each of the 4 months from 2021-11 to 2022-02; is one a copy of another?"
    assert told == [[], *[[Doubt("duplicate_month", words)]] * 4, []]


def test_quarters_parts_of_months_and_gaps_are_no_run() -> None:
    assert codes(figure("2022-Q1", 8), [figure("2022-Q2", 8), figure("2022-Q3", 8)]) == []
    assert codes(figure("2022-03", 8, "2022-03-30"), months("2022-01", 8, 8)) == []
    assert codes(figure("2022-03", 8), [figure("2022-01", 8), figure("2022-02", 8, "2022-02-27")]) == []
    assert codes(figure("2022-04", 8), months("2022-01", 8, 8)) == []


# Zeros.


@pytest.mark.parametrize(
    ("statuses", "doubted"),
    [
        ({"2021-05-01": "in_use"}, True),
        ({"2021-05-02": "in_use"}, False),
        ({"2021-05-01": "pilot"}, False),
        ({"2020-01-01": "pilot", "2021-06-01": "in_use"}, False),
        ({"2020-01-01": "pilot", "2021-05-01": "in_use", "2022-01-01": "in_use"}, True),
        ({"2020-01-01": "in_use", "2021-05-01": "paused", "2021-06-01": "in_use"}, False),
        ({"2020-01-01": "in_use", "2022-05-31": "ended"}, False),
        ({"2020-01-01": "in_use", "2022-06-01": "ended"}, True),
        ({}, False),
    ],
)
def test_a_zero_is_doubted_a_year_after_in_use_began(statuses: dict[str, str], doubted: bool) -> None:
    dated = [(date.fromisoformat(day), name) for day, name in statuses.items()]

    assert codes(figure("2022-05", 0), [], dated) == (["zero_in_use"] if doubted else [])
    assert codes(figure("2022-05", 1), [], dated) == []


@given(st.lists(st.integers(0, 6), max_size=30), st.sampled_from(("2022-05", "2022-Q2", "2022")))
@example([0] * 20 + [1], "2022-05")
def test_a_zero_is_doubted_where_none_or_three_were_to_be_expected(held: list[int], text: str) -> None:
    zero = figure(text, 0)
    before = [one for one in months("2020-01", *held) if one.last < zero.first]
    year_before = zero.first.replace(year=2021)

    found = codes(zero, before, IN_USE)

    counted = [one for one in before if one.first >= year_before]
    sessions = sum(one.sessions for one in counted)
    days = sum(monthrange(one.first.year, one.first.month)[1] for one in counted)
    # In proportion to the days: sessions / days × days of the period.
    expected = Fraction(sessions, days) * ((zero.last - zero.first).days + 1) if days else 0
    assert ("zero_in_use" in found) == (sessions == 0 or expected >= 3)


def test_a_zero_is_told_with_what_was_held_before() -> None:
    own = [*months("2021-05", *[8] * 12), figure("2022-05", 0)]
    silent = [figure("2022-05", 0)]

    since = "0 sessions in 2022-05, in use since 2015-01-01; in the twelve months before "
    assert doubts(own[-1], Figures(own), IN_USE)[1:] == [Doubt("zero_in_use", f"{since}96 sessions were held")]
    assert doubts(silent[0], Figures(silent), IN_USE) == [Doubt("zero_in_use", f"{since}no session was counted either")]


@given(
    st.dictionaries(st.integers(0, 20), st.sampled_from(("in_use", "in_use", "pilot", "ended")), max_size=6),
    st.integers(0, 20),
    st.integers(0, 20),
)
def test_in_use_is_looked_at_day_by_day(said: dict[int, str], one: int, other: int) -> None:
    start = date(2022, 1, 1)
    first, last = sorted((start + timedelta(days=one), start + timedelta(days=other)))
    statuses = sorted((start + timedelta(days=n), name) for n, name in said.items())

    found = in_use_since(statuses, first, last)

    def on(day: date) -> str | None:
        return next((name for since, name in reversed(statuses) if since <= day), None)

    whole = all(on(first + timedelta(days=n)) == "in_use" for n in range((last - first).days + 1))
    begins = first
    while whole and on(begins - timedelta(days=1)) == "in_use":
        begins -= timedelta(days=1)
    assert found == (begins if whole else None)


def test_a_year_after_29_february_is_28_february() -> None:
    assert a_year_after(date(2024, 2, 29)) == date(2025, 2, 28)
    assert a_year_after(date(2023, 2, 28)) == date(2024, 2, 28)


# On receipts.


def told(answer: Any) -> list[list[str]]:
    """The codes of the warnings of each row."""
    assert answer.status_code in (200, 201), answer.text
    return [[warning["code"] for warning in row["warnings"]] for row in answer.json()["rows"]]


def posts(*held: int, first: str = "2023-01") -> list[dict[str, Any]]:
    return [count("507", one.period, one.sessions) for one in months(first, *held)]


def test_the_row_that_is_odd_carries_the_warning(nation: Caller) -> None:
    nation.post(posts(10, 12, 9, 11, 10, 12), [status("507", "2020", "in_use")])

    answer = nation.post([count("507", "2023-07", 40), count("507", "2023-08", 0), count("507", "2023-09", 11)])

    assert [row["warnings"] for row in answer.json()["rows"]] == [
        [
            {
                "code": "outlier",
                "detail": "40 sessions in 2023-07; its 8 other counts like it suggest 6 to 15",
            }
        ],
        [
            {"code": "outlier", "detail": "0 sessions in 2023-08; its 8 other counts like it suggest 6 to 16"},
            {
                "code": "zero_in_use",
                "detail": "0 sessions in 2023-08, in use since 2020-01-01; "
                "in the twelve months before 104 sessions were held",
            },
        ],
        [],
    ]


def test_a_copied_month_is_doubted_when_it_comes_in_and_is_recorded(nation: Caller) -> None:
    nation.post(posts(8, 8), [status("507", "2023", "pilot")])

    third = nation.post(posts(8, first="2023-03"))
    dry = nation.post(posts(8, first="2023-04"), dry_run=True)
    corrected = nation.put("/v1/session-counts/yhdessa-aika/507/2023-03", {"sessions": 7})

    assert (told(third), told(dry), told(corrected)) == ([["duplicate_month"]], [["duplicate_month"]], [[]])
    assert third.json()["created"] == 1


def test_figures_of_years_away_are_a_measure_also_beside_a_row_that_cannot_be(nation: Caller) -> None:
    nation.post(posts(10, 12, 9, 11, 10, 12, first="2018-01"), [status("507", "2017", "in_use")])

    near = nation.post([count("507", "2024-01", 100)], dry_run=True)
    beside = nation.post([count("507", "2024-01", 100), count("507", "9998", 1)], skip_invalid=True, dry_run=True)
    earlier = nation.post([count("507", "2017-12", 100)], dry_run=True)

    assert (told(near), told(beside), told(earlier)) == ([["outlier"]], [["outlier"], []], [["outlier"]])


def test_nothing_depends_on_what_else_is_posted(nation: Caller) -> None:
    nation.post(posts(10, 12, 9, 11, 10, 12, first="2016-01"), [status("507", "2015", "in_use")])

    alone = nation.post([count("507", "2023-01", 40)], dry_run=True)
    beside = nation.post([count("507", "2023-01", 40), count("507", "2020-01", 10)], dry_run=True)

    assert (told(alone), told(beside)) == ([[]], [[], []])


def test_another_municipality_is_no_measure(nation: Caller, new_key: Callable[..., str]) -> None:
    nation.post(posts(10, 12, 9, 11, 10, 12), [status(code, "2020", "in_use") for code in ("507", "491")])

    assert told(nation.post([count("491", "2023-07", 400)])) == [[]]
