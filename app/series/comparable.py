"""The like-for-like pair: what the same municipalities counted over the same days of two years."""

from calendar import monthrange
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from itertools import accumulate
from typing import Any

from app.series.days import day_of_year
from app.series.lives import MOST_LIFE_YEARS, LifeYear


def compared(year: int, now: Sequence[LifeYear], before: Sequence[LifeYear]) -> dict[str, Any]:
    """The comparable figures, if any, at the month end with the most municipalities × days, the latest of those.

    `now` and `before` are the same municipalities in the same order; nothing compares with an empty `before`.
    """
    pairs = [
        (_complete_months(year, new), _complete_months(year - 1, old))
        for new, old in zip(now, before, strict=bool(before))
    ]
    municipalities = Counter(month for new, old in pairs for month in new.keys() & old.keys())
    if not municipalities:
        return {}
    best = max(municipalities, key=lambda month: (municipalities[month] * _days_to_end(year, month), month))
    alike = [(new[best], old[best]) for new, old in pairs if best in new and best in old]
    return {
        "comparable_through": _month_end(year, best),
        "comparable_municipalities": len(alike),
        "comparable_sessions": sum(sessions for sessions, _ in alike),
        "comparable_previous_sessions": sum(sessions for _, sessions in alike),
    }


@cache
def _days_to_end(year: int, month: int) -> int:
    return day_of_year(_month_end(year, month))


@cache
def _month_end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


@lru_cache(MOST_LIFE_YEARS)
def _complete_months(year: int, life: LifeYear) -> Mapping[int, int]:
    """Those at whose end all days of the year so far are active and counted, and that no count's days straddle.

    With the sessions of the year up to that end.
    """
    spans = life.active_and_counted
    if not spans or spans[0][0] > date(year, 1, 1).toordinal():
        return {}
    unbroken_until = date.fromordinal(spans[0][1])
    straddled = {month for count in life.counts for month in range(count.first.month, count.last.month)}
    ended = [0] * 13
    for count in life.counts:
        ended[count.last.month] += count.sessions
    until = list(accumulate(ended))
    return {
        month: until[month]
        for month in range(1, 13)
        if month not in straddled and _month_end(year, month) <= unbroken_until
    }
