"""A month of one municipality: whether its active days are counted, by which period, since when, and when that is due.

Pure arithmetic of days; it knows no database.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Literal

from app.clock import helsinki_day
from app.periods import Period, period
from app.series.days import Span, common, first_missing, merged

Covered = Literal["whole", "partly", "no"]
State = Literal["on_time", "late", "overdue", "not_due"]


@dataclass(frozen=True, slots=True)
class Said:
    """What one entry says of the count of a period: which days it counts, None if it withdraws the count."""

    at: datetime
    period: str
    days: Span | None


@dataclass(frozen=True, slots=True)
class Cover:
    """How far the active days of a month are counted, and by the count of which period; None if by none.

    `since` is the moment from which on all of them were, without a break; None unless they are.
    """

    covered: Covered
    by: str | None
    since: datetime | None


def month_of(day: date) -> Period:
    """The month that `day` lies in."""
    return period(f"{day:%Y-%m}")


def due_on(month: Period, due_day: int) -> date:
    """By which day the month is due: `due_day` of the month after it, however long the municipality's own periods are.

    Who reports by quarter or year is late for the earlier months of a period, and the figures show it.
    """
    return (month.last + timedelta(days=1)).replace(day=due_day)


def cover(active: Sequence[Span], said: Iterable[Said]) -> Cover:
    """How the days `active` of one month are counted after all that was `said`, oldest first, of periods around it.

    A correction takes nothing away from a report that came in time, nor does a count that another replaces, nor one
    that is withdrawn and posted again on the same day in Helsinki. One that is withdrawn for longer was missing, so
    that the month is counted anew from then on.
    """
    in_force: dict[str, Span] = {}
    since: datetime | None = None
    lost: datetime | None = None
    kept: datetime | None = None
    for at, together in groupby(said, key=attrgetter("at")):
        for one in together:
            in_force.pop(one.period, None)
            if one.days:
                in_force[one.period] = one.days
        whole = first_missing(active, merged(sorted(in_force.values()))) is None
        if whole and since is None:
            since = kept if lost and helsinki_day(lost) == helsinki_day(at) else at
        elif not whole and since is not None:
            lost, kept, since = at, since, None
    by = next((name for name, days in in_force.items() if common(active, [days])), None)
    if since is not None:
        return Cover("whole", by, since)
    return Cover("partly" if by else "no", by, None)


def state_of(reported_on: date | None, due: date | None, today: date) -> State:
    """How a month stands on the day `today`: reported by the day it was due, after it, not at all, or not yet due.

    A month that is never due, None, is not due.
    """
    if due is None:
        return "not_due"
    if reported_on is not None:
        return "on_time" if reported_on <= due else "late"
    return "overdue" if due < today else "not_due"
