"""What a release says of quarters: how many sessions the counts that lie in each come to."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from app.periods import Period, period
from app.series.content import ReleasedQuarter
from app.series.facts import Count


def released_quarters(
    counts: Mapping[str, Sequence[Count]], years: Collection[int], day: date
) -> dict[str, ReleasedQuarter]:
    """By period: each quarter of `years` that had begun on `day`, in their order.

    A count lies in a quarter if all its counted days do. If some count of a year lies in none, no quarter of that year
    has sessions, since they would leave its sessions out. A quarter of which nothing was reported has none either.
    """
    quarters = [period(f"{year}-Q{number}") for year in sorted(years) for number in range(1, 5)]
    everything = [count for own in counts.values() for count in own]
    undivided = {count.first.year for count in everything if _quarter_of(count.first) != _quarter_of(count.last)}
    return {
        quarter.text: _released_quarter(quarter, counts, quarter.first.year not in undivided, day)
        for quarter in quarters
        if quarter.first <= day
    }


def _released_quarter(
    quarter: Period, counts: Mapping[str, Sequence[Count]], divided: bool, day: date
) -> ReleasedQuarter:
    """Partial is one that was not over on `day`, or that somebody who reported did not count to its end."""
    inside = [
        own_inside
        for own in counts.values()
        if (own_inside := [count for count in own if quarter.first <= count.first and count.last <= quarter.last])
    ]
    counted_to_the_end = all(max(count.last for count in own) == quarter.last for own in inside)
    sessions = sum(count.sessions for own in inside for count in own)
    return ReleasedQuarter(
        sessions=sessions if inside and divided else None,
        reporting=len(inside),
        partial=day < quarter.last or not counted_to_the_end,
    )


def _quarter_of(day: date) -> int:
    return (day.month - 1) // 3
