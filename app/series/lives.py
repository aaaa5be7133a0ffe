"""The days of one municipality, in the register, active and counted, over its life and in one year."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from operator import attrgetter

from app.series.days import Span, clipped, common, merged, number_of_days
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


@dataclass(frozen=True, slots=True, eq=False)
class LifeYear:
    """One municipality from 1 January to the last day, of which `in_register` and `status` (in force) speak.

    `has_status` is True if any status is dated up to then; `was_active` speaks of 31 December of the year before.
    """

    code: str
    in_register: bool
    has_status: bool
    status: str | None
    was_active: bool
    started: bool
    active: list[Span]
    counts: list[Count]
    counted: list[Span]
    active_and_counted: list[Span]
    break_in_series: bool

    @property
    def active_at_end(self) -> bool:
        return self.status in ACTIVE

    @property
    def entered(self) -> bool:
        return self.was_active or self.started

    @property
    def last_counted(self) -> date:
        return date.fromordinal(self.counted[-1][1])


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
    in_register = life.register[0] <= last <= life.register[1]
    in_force = bisect_right(life.status_days, last)
    return LifeYear(
        code=life.code,
        in_register=in_register,
        has_status=in_force > 0,
        status=life.statuses[in_force - 1] if in_register and in_force else None,
        was_active=any(start <= first - 1 <= end for start, end in life.active),
        started=bool(active) and life.active[0][0] >= first,
        active=active,
        counts=counts,
        counted=counted,
        active_and_counted=common(active, counted),
        break_in_series=year in life.breaks,
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
