"""Arithmetic of days: those of a year, and spans of them.

Spans are ascending, disjoint and not adjacent pairs (first, last) of `date.toordinal()`, both ends included.
"""

from calendar import isleap
from collections.abc import Iterable, Sequence
from datetime import date

Span = tuple[int, int]


def last_day(year: int, on: date) -> date:
    """Up to which day `on` knows of `year`: the earlier of its 31 December and `on`."""
    return min(date(year, 12, 31), on)


def days_of(year: int) -> int:
    """How many days the year has."""
    return 366 if isleap(year) else 365


def day_of_year(day: date) -> int:
    """How many days there are from 1 January to `day`."""
    return day.timetuple().tm_yday


def merged(spans: Iterable[Span]) -> list[Span]:
    """The days of `spans`, which ascend by their first day and may touch or overlap."""
    apart: list[Span] = []
    for first, last in spans:
        if apart and first <= apart[-1][1] + 1:
            apart[-1] = (apart[-1][0], max(apart[-1][1], last))
        else:
            apart.append((first, last))
    return apart


def clipped(spans: Iterable[Span], first: int, last: int) -> list[Span]:
    """The days of `spans` from `first` to `last`."""
    cut = ((max(start, first), min(end, last)) for start, end in spans)
    return [span for span in cut if span[0] <= span[1]]


def common(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """The days that are in both."""
    shared: list[Span] = []
    i = j = 0
    while i < len(spans) and j < len(others):
        first, last = max(spans[i][0], others[j][0]), min(spans[i][1], others[j][1])
        if first <= last:
            shared.append((first, last))
        if spans[i][1] < others[j][1]:
            i += 1
        else:
            j += 1
    return shared


def first_missing(spans: Iterable[Span], others: Sequence[Span]) -> int | None:
    """The first day of `spans` that is not in `others`, None if all are."""
    for first, last in spans:
        # Spans are never adjacent, so the day after the one that holds `first` is in none of the others.
        day = next((end + 1 for start, end in others if start <= first <= end), first)
        if day <= last:
            return day
    return None


def number_of_days(spans: Iterable[Span], until: int) -> int:
    """How many days of `spans` there are up to `until`."""
    days = 0
    for first, last in spans:
        if first <= until:
            days += min(last, until) - first + 1
    return days
