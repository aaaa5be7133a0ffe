"""The days of one municipality (in the register, active, counted) as day spans, and the arithmetic of spans.

Spans are ascending, disjoint and not adjacent pairs (first, last) of `date.toordinal()`, both ends included.
"""

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from operator import attrgetter

Span = tuple[int, int]

ACTIVE = ("pilot", "in_use")


@dataclass(frozen=True, slots=True)
class Count:
    """The sessions of one period, in the year of `first`; `last` is its `through`, else its last day."""

    first: date
    last: date
    sessions: int


@dataclass(frozen=True, slots=True)
class History:
    """All that is recorded of one municipality for the practice, as of the moment of reading.

    `in_register_to` is its last day in the register, None if it is still there. `statuses` ascend by day, at
    most one a day: planned, pilot, in_use, paused or ended. `counts` come in any order; their periods never
    contain one another.
    """

    code: str
    in_register_from: date
    in_register_to: date | None
    statuses: Sequence[tuple[date, str]] = ()
    counts: Sequence[Count] = ()


@dataclass(frozen=True, slots=True)
class Life:
    """A history in days up to the as-of day, made once for all years; `counts` are by year, ascending."""

    code: str
    register: Span
    status_days: list[int]
    statuses: list[str]
    active: list[Span]
    counts: dict[int, list[Count]]


@dataclass(frozen=True, slots=True)
class LifeYear:
    """One municipality from 1 January to the last day, of which `in_register` and `status` (in force) speak.

    `has_status` is True if any status is dated up to then; `was_active` speaks of 31 December of the year
    before. `complete_months` are those at whose end all days of the year so far were active and counted, and
    that no count's days straddle.
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
    complete_months: frozenset[int]

    @property
    def active_at_end(self) -> bool:
        return self.status in ACTIVE

    @property
    def entered(self) -> bool:
        return self.was_active or self.started

    @property
    def last_counted(self) -> date:
        return date.fromordinal(self.counted[-1][1])

    def sessions_until(self, month: int) -> int:
        """Those of the counts whose days end in January to `month`."""
        return sum(count.sessions for count in self.counts if count.last.month <= month)


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
    return Life(history.code, (first, last), days, statuses, clipped(active, first, min(last, until)), counts)


def life_year(life: Life, year: int, last_day: date) -> LifeYear:
    """The part of `life` from 1 January of `year` to `last_day`; the counts are all those of the year."""
    first, last = date(year, 1, 1).toordinal(), last_day.toordinal()
    active = clipped(life.active, first, last)
    counts = life.counts.get(year, [])
    counted = merged((count.first.toordinal(), count.last.toordinal()) for count in counts)
    active_and_counted = common(active, counted)
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
        active_and_counted=active_and_counted,
        complete_months=_complete_months(year, active_and_counted, counts),
    )


@cache
def month_ends(year: int) -> tuple[int, ...]:
    """The last days of January to December."""
    return tuple(date(year, month, monthrange(year, month)[1]).toordinal() for month in range(1, 13))


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
    return sum(min(last, until) - first + 1 for first, last in spans if first <= until)


def _complete_months(year: int, active_and_counted: list[Span], counts: list[Count]) -> frozenset[int]:
    if not active_and_counted or active_and_counted[0][0] > date(year, 1, 1).toordinal():
        return frozenset()
    unbroken_until = active_and_counted[0][1]
    straddled = {month for count in counts for month in range(count.first.month, count.last.month)}
    ends = enumerate(month_ends(year), start=1)
    return frozenset(month for month, end in ends if end <= unbroken_until and month not in straddled)
