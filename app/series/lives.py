"""The days of one municipality, in the register, active and counted, over its life and in one year."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

from app.series.days import Span, clipped, common, first_missing, merged, number_of_days
from app.series.facts import Count, History

ACTIVE = ("pilot", "in_use")

MOST_LIVES = 1_024
MOST_LIFE_YEARS = 8_192
"""How many are kept in memory, some 20 MB: those of three practices in the whole country."""


# Equal only to itself, so that it is told from others at once.
@dataclass(frozen=True, slots=True, eq=False)
class Life:
    """A history in days up to the as-of day, made once for all years; `counts` are by year, ascending.

    `breaks` are the years whose counts, with the latest one of the years before, come from more than one reporter.
    """

    code: str
    register: Span
    status_days: list[int]
    statuses: list[str]
    active: list[Span]
    counts: dict[int, list[Count]]
    breaks: frozenset[int]

    @property
    def years(self) -> set[int]:
        """Those with a count or an active day; of active days the first and the last of each span."""
        return {*self.counts, *(date.fromordinal(day).year for span in self.active for day in span)}


class Standing(NamedTuple):
    """What one municipality adds to the status fields of its area, by their names."""

    municipalities: bool
    pilot: bool
    in_use: bool
    active_at_end: bool
    started: bool
    resumed: bool
    stopped: bool
    merged: bool


@dataclass(frozen=True, slots=True, eq=False)
class LifeYear:
    """One municipality from 1 January to the last day, on which it is `in_register` or not; the counts of the year.

    `has_status` is True if any status is dated up to then. `last_counted` is None without a count, and `missing`, the
    first active day that is not counted, if all are.
    """

    code: str
    in_register: bool
    has_status: bool
    standing: Standing
    active: list[Span]
    counts: list[Count]
    sessions: int
    active_and_counted: list[Span]
    missing: int | None
    last_counted: date | None
    break_in_series: bool


# Nothing but what is asked decides what these two answer, and most municipalities are as they were a moment ago.
@lru_cache(MOST_LIVES)
def life_of(history: History, as_of: date) -> Life:
    """What `history` comes to in days; active is who is so by status and in the register (rule 6)."""
    until = as_of.toordinal()
    days = [day.toordinal() for day, _ in history.statuses]
    statuses = [status for _, status in history.statuses]
    held = zip(pairwise([*days, until + 1]), statuses, strict=True)
    active = merged((first, after - 1) for (first, after), status in held if status in ACTIVE)
    first, last = history.in_register_from.toordinal(), (history.in_register_to or date.max).toordinal()
    counts: dict[int, list[Count]] = {}
    for count in sorted(history.counts, key=attrgetter("first")):
        counts.setdefault(count.first.year, []).append(count)
    return Life(
        history.code,
        (first, last),
        days,
        statuses,
        clipped(active, first, min(last, until)),
        counts,
        frozenset(_breaks(counts)),
    )


@lru_cache(MOST_LIFE_YEARS)
def life_year(life: Life, year: int, last_day: date) -> LifeYear:
    """The part of `life` from 1 January of `year` to `last_day`; the counts are all those of the year."""
    first, last = date(year, 1, 1).toordinal(), last_day.toordinal()
    active = clipped(life.active, first, last)
    counts = life.counts.get(year, [])
    counted = merged((count.first.toordinal(), count.last.toordinal()) for count in counts)
    return LifeYear(
        code=life.code,
        in_register=life.register[0] <= last <= life.register[1],
        has_status=bisect_right(life.status_days, last) > 0,
        standing=_standing(life, active, first, last),
        active=active,
        counts=counts,
        sessions=sum(count.sessions for count in counts),
        active_and_counted=common(active, counted),
        missing=first_missing(active, counted),
        last_counted=date.fromordinal(counted[-1][1]) if counted else None,
        break_in_series=year in life.breaks,
    )


def _standing(life: Life, active: Sequence[Span], first: int, last: int) -> Standing:
    """That of `life` from the day `first`, a 1 January, to `last`; in between it is `active` on these."""
    in_register = life.register[0] <= last <= life.register[1]
    in_force = bisect_right(life.status_days, last)
    status = life.statuses[in_force - 1] if in_register and in_force else None
    active_at_end = status in ACTIVE
    started = bool(active) and life.active[0][0] >= first
    entered = started or any(start <= first - 1 <= end for start, end in life.active)
    return Standing(
        municipalities=bool(active),
        pilot=status == "pilot",
        in_use=status == "in_use",
        active_at_end=active_at_end,
        started=started,
        resumed=active_at_end and not entered,
        stopped=entered and in_register and not active_at_end,
        merged=entered and not in_register,
    )


def days_until(lives: Iterable[LifeYear], day: date) -> tuple[int, int]:
    """Municipality-days from 1 January to `day`: active, and both active and counted."""
    until = day.toordinal()
    active = covered = 0
    for life in lives:
        active += number_of_days(life.active, until)
        covered += number_of_days(life.active_and_counted, until)
    return active, covered


def _breaks(counts: Mapping[int, Sequence[Count]]) -> Iterator[int]:
    """Those of the years, which ascend, in which someone else reported than before, or more than one did."""
    before: set[int | None] = set()
    for year, of_year in counts.items():
        if len(before.union(count.reporter for count in of_year)) > 1:
            yield year
        before = {of_year[-1].reporter}
