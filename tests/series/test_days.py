"""The arithmetic of spans, beside that of sets of days."""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise

from hypothesis import given, settings, strategies as st

from app.series.days import (
    Span,
    clipped,
    common,
    day_of_year,
    days_of,
    first_missing,
    last_day,
    merged,
    number_of_days,
)

QUIETLY = settings(derandomize=True, database=None, deadline=None)

days = st.integers(1, 40)
pairs = st.lists(st.tuples(days, days).map(lambda pair: (min(pair), max(pair)))).map(sorted)
spans = pairs.map(merged)


@QUIETLY
@given(pairs)
def test_merged_spans_hold_the_same_days_and_stand_apart(pairs: Sequence[Span]) -> None:
    apart = merged(pairs)

    assert _days(apart) == _days(pairs)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(apart))


@QUIETLY
@given(spans, days, days)
def test_clipped_spans_hold_the_days_in_between(spans: Sequence[Span], first: int, last: int) -> None:
    assert _days(clipped(spans, first, last)) == {day for day in _days(spans) if first <= day <= last}


@QUIETLY
@given(spans, spans)
def test_common_days_are_in_both(spans: Sequence[Span], others: Sequence[Span]) -> None:
    assert _days(common(spans, others)) == _days(spans) & _days(others)


@QUIETLY
@given(spans, spans)
def test_the_first_missing_day_is_the_first_that_the_others_lack(spans: Sequence[Span], others: Sequence[Span]) -> None:
    assert first_missing(spans, others) == min(_days(spans) - _days(others), default=None)


@QUIETLY
@given(spans, days)
def test_days_are_counted_up_to_a_day_and_with_it(spans: Sequence[Span], until: int) -> None:
    assert number_of_days(spans, until) == len([day for day in _days(spans) if day <= until])


def test_a_year_is_known_up_to_its_end_or_the_day_of_looking() -> None:
    year_end, march = date(2023, 12, 31), date(2023, 3, 27)

    assert [last_day(2023, on) for on in (march, year_end, date(2024, 1, 1))] == [march, year_end, year_end]


def test_a_leap_year_has_a_day_more_from_march_on() -> None:
    assert [(days_of(year), day_of_year(date(year, 3, 1))) for year in (2023, 2024)] == [(365, 60), (366, 61)]


def _days(spans: Iterable[Span]) -> set[int]:
    return {day for first, last in spans for day in range(first, last + 1)}
