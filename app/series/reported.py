"""The figures of one county and year, counted from what its municipalities reported."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from app.series.comparable import compared
from app.series.days import last_day, number_of_days
from app.series.facts import Question
from app.series.figures import Figures, is_partial, residents_of
from app.series.lives import LifeYear, Standing, days_until


def reported_figures(year: int, now: Sequence[LifeYear], before: Sequence[LifeYear], question: Question) -> Figures:
    """What the municipalities `now` say of `year`; `before` are the same ones a year earlier.

    `before` is empty unless that year has the basis `reports` too. As long as there is no status at all, the status
    fields are None.
    """
    return Figures(
        **register(year, now, question.residents),
        **_counted(now, last_day(year, question.as_of)),
        **compared(year, now, before),
        **(_statuses(now) if any(life.has_status for life in now) else {}),
    )


def register(year: int, now: Sequence[LifeYear], residents: Mapping[int, Mapping[str, int]]) -> dict[str, Any]:
    """What is known without any report: who is in the register on the last day, and their residents."""
    codes = [life.code for life in now if life.in_register]
    return {"municipalities_in_area": len(codes), "residents": residents_of(codes, year, residents)}


def _counted(now: Sequence[LifeYear], last: date) -> dict[str, Any]:
    """What was counted: sessions, to which day, on how many of the active days."""
    reporting = [life for life in now if life.counts]
    through = _through(now, last)
    until = through if reporting else last
    in_year = days_until(now, last)
    active_days, covered_days = in_year if until == last else days_until(now, until) if until else (None, None)
    return {
        "sessions": sum(life.sessions for life in reporting) if reporting else None,
        "reporting": len(reporting),
        "through": through,
        "partial": is_partial(last, bool(reporting), through),
        "active_days": active_days,
        "covered_days": covered_days,
        "covered_days_in_year": in_year[1],
        "counts_without_active_day": any(not life.active for life in reporting),
        "counts_beyond_through": any(through and life.last_counted and life.last_counted > through for life in now),
    }


def _statuses(now: Sequence[LifeYear]) -> dict[str, Any]:
    """The status fields: active_at_end = last year's + started + resumed − stopped − merged."""
    each = zip(*(life.standing for life in now), strict=True)
    return dict(zip(Standing._fields, map(sum, each), strict=True))


def _through(now: Sequence[LifeYear], last: date) -> date | None:
    """The last day to which all active days of the reporting are counted; None if not even the first one is.

    A municipality without an active day limits it only if none has one, then by its last day counted.
    """
    if not any(life.active for life in now):
        return min((life.last_counted for life in now if life.last_counted), default=None)
    reporting = [life for life in now if life.counts and life.active]
    gaps = [life.missing for life in reporting if life.missing]
    until = min(gaps) - 1 if gaps else last.toordinal()
    anything_counted = any(number_of_days(life.active_and_counted, until) for life in reporting)
    return date.fromordinal(until) if anything_counted else None
