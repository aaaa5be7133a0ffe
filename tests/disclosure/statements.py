"""Releases for tests: whole statements out of a few numbers."""

from collections.abc import Mapping, Sequence
from datetime import date

from app.periods import period
from app.series.content import Content, ReleasedQuarter, Statement
from app.series.facts import Count
from app.series.figures import ReleasedYear

Sessions = Mapping[str, Mapping[str, int]]
"""By municipality and period."""


def statement(
    sessions: Sessions, *, table: bool = True, quarters: bool = False, through: date | None = None
) -> Statement:
    """A release with nothing hidden, made of those counts.

    With the municipality table, with quarters, and with a comparable pair in its last year up to `through`.
    """
    counts = {
        code: [Count(period(text).first, period(text).last, number) for text, number in mine.items()]
        for code, mine in sessions.items()
    }
    years = sorted({count.first.year for mine in counts.values() for count in mine})
    return Statement(
        content=Content(
            years={year: _row(counts, year, through if through and through.year == year else None) for year in years},
            municipalities={
                code: {year: _row({code: mine}, year, None) for year in years if _within(mine, str(year))}
                for code, mine in counts.items()
                if table
            },
            quarters={
                text: ReleasedQuarter(sessions=_sum(counts, text), reporting=len(counts), partial=False)
                for text in sorted({text for mine in sessions.values() for text in mine})
                if quarters
            },
        ),
        counts=counts,
    )


def imported(totals: Mapping[int, int]) -> Statement:
    """An imported release with these totals by year."""
    return Statement(
        content=Content(years={year: ReleasedYear(covers=True, sessions=total) for year, total in totals.items()}),
        counts={},
    )


def _row(counts: Mapping[str, Sequence[Count]], year: int, through: date | None) -> ReleasedYear:
    row = ReleasedYear(covers=True, sessions=_sum(counts, str(year)))
    if through is None:
        return row
    return ReleasedYear(
        covers=True,
        sessions=row.sessions,
        comparable_through=through,
        comparable_municipalities=len(counts),
        comparable_sessions=_until(counts, through),
        comparable_previous_sessions=_until(counts, through.replace(year=year - 1)),
    )


def _until(counts: Mapping[str, Sequence[Count]], last: date) -> int:
    return sum(
        count.sessions
        for mine in counts.values()
        for count in mine
        if date(last.year, 1, 1) <= count.first and count.last <= last
    )


def _sum(counts: Mapping[str, Sequence[Count]], text: str) -> int:
    return sum(count.sessions for mine in counts.values() for count in _within(mine, text))


def _within(counts: Sequence[Count], text: str) -> list[Count]:
    named = period(text)
    return [count for count in counts if named.first <= count.first and count.last <= named.last]
