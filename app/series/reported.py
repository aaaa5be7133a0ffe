"""The figures of one county and year, counted from what its municipalities reported."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from app.series.comparable import with_pair
from app.series.days import first_missing, last_day, number_of_days
from app.series.facts import Question
from app.series.figures import Figures, is_partial, residents_of
from app.series.lives import LifeYear, days_until


def reported_figures(year: int, now: Sequence[LifeYear], before: Sequence[LifeYear], question: Question) -> Figures:
    """What the municipalities `now` say of `year`; `before` are the same ones a year earlier.

    `before` is empty unless that year has the basis `reports` too. As long as there is no status at all, the status
    fields are None.
    """
    figures = register_figures(year, now, question.residents)
    figures = _with_counts(figures, now, last_day(year, question.as_of))
    figures = with_pair(figures, year, now, before)
    return _with_statuses(figures, now) if any(life.has_status for life in now) else figures


def register_figures(year: int, now: Sequence[LifeYear], residents: Mapping[int, Mapping[str, int]]) -> Figures:
    """What is known without any report: who is in the register on the last day, and their residents."""
    codes = [life.code for life in now if life.in_register]
    return Figures(municipalities_in_area=len(codes), residents=residents_of(codes, year, residents), reporting=0)


def _with_counts(figures: Figures, now: Sequence[LifeYear], last: date) -> Figures:
    """`figures` and what was counted: sessions, to which day, on how many of the active days."""
    reporting = [life for life in now if life.counts]
    through = _through(now, last)
    until = through if reporting else last
    active_days, covered_days = days_until(now, until) if until else (None, None)
    return replace(
        figures,
        sessions=sum(count.sessions for life in reporting for count in life.counts) if reporting else None,
        reporting=len(reporting),
        through=through,
        partial=is_partial(last, bool(reporting), through),
        active_days=active_days,
        covered_days=covered_days,
        covered_days_in_year=days_until(now, last)[1],
        counts_without_active_day=any(not life.active for life in reporting),
        counts_beyond_through=any(through is not None and life.last_counted > through for life in reporting),
    )


def _with_statuses(figures: Figures, now: Sequence[LifeYear]) -> Figures:
    """`figures` and the status fields: active_at_end = last year's + started + resumed − stopped − merged."""
    return replace(
        figures,
        municipalities=sum(bool(life.active) for life in now),
        pilot=sum(life.status == "pilot" for life in now),
        in_use=sum(life.status == "in_use" for life in now),
        active_at_end=sum(life.active_at_end for life in now),
        started=sum(life.started for life in now),
        resumed=sum(life.active_at_end and not life.entered for life in now),
        stopped=sum(life.entered and life.in_register and not life.active_at_end for life in now),
        merged=sum(life.entered and not life.in_register for life in now),
    )


def _through(now: Sequence[LifeYear], last: date) -> date | None:
    """The last day to which all active days of the reporting are counted; None if not even the first one is.

    A municipality without an active day limits it only if none has one, then by its last day counted.
    """
    if not any(life.active for life in now):
        return min((life.last_counted for life in now if life.counts), default=None)
    reporting = [life for life in now if life.counts and life.active]
    gaps = [gap for life in reporting if (gap := first_missing(life.active, life.counted))]
    until = min(gaps) - 1 if gaps else last.toordinal()
    anything_counted = any(number_of_days(life.active_and_counted, until) for life in reporting)
    return date.fromordinal(until) if anything_counted else None
