"""The like-for-like pair: what the same municipalities counted over the same days of two years."""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import cache, lru_cache

from app.series.days import day_of_year
from app.series.facts import Count
from app.series.figures import Figures
from app.series.lives import MOST_LIFE_YEARS, LifeYear


def with_pair(figures: Figures, year: int, now: Sequence[LifeYear], before: Sequence[LifeYear]) -> Figures:
    """`figures` and the comparable ones at the month end with the most municipalities × days, the latest of those.

    `now` and `before` are the same municipalities in the same order; nothing compares with an empty `before`.
    """
    pairs = [
        (new, old, _complete_months(year, new) & _complete_months(year - 1, old))
        for new, old in zip(now, before, strict=bool(before))
    ]
    municipalities = Counter(month for _, _, months in pairs for month in months)
    if not municipalities:
        return figures
    best = max(municipalities, key=lambda month: (municipalities[month] * day_of_year(_month_end(year, month)), month))
    return replace(
        figures,
        comparable_through=_month_end(year, best),
        comparable_municipalities=municipalities[best],
        comparable_sessions=sum(_sessions_until(best, new.counts) for new, _, months in pairs if best in months),
        comparable_previous_sessions=sum(
            _sessions_until(best, old.counts) for _, old, months in pairs if best in months
        ),
    )


@cache
def _month_end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


@lru_cache(MOST_LIFE_YEARS)
def _complete_months(year: int, life: LifeYear) -> frozenset[int]:
    """Those at whose end all days of the year so far are active and counted, and that no count's days straddle."""
    spans = life.active_and_counted
    if not spans or spans[0][0] > date(year, 1, 1).toordinal():
        return frozenset()
    unbroken_until = date.fromordinal(spans[0][1])
    straddled = {month for count in life.counts for month in range(count.first.month, count.last.month)}
    return frozenset(
        month for month in range(1, 13) if month not in straddled and _month_end(year, month) <= unbroken_until
    )


def _sessions_until(month: int, counts: Iterable[Count]) -> int:
    """Those of the counts whose days end in January to `month`."""
    return sum(count.sessions for count in counts if count.last.month <= month)
