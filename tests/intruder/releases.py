"""Small releases and the counts behind them, to build examples from."""

from calendar import monthrange
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from app.intruder.audit import audit
from app.intruder.verdict import Verdict
from app.series.content import Content, ReleasedQuarter, Statement
from app.series.facts import Count
from app.series.figures import ReleasedYear

THRESHOLD = 5

Counts = Mapping[str, Sequence[Count]]


def whole(sessions: int, year: int = 2023) -> Count:
    return Count(date(year, 1, 1), date(year, 12, 31), sessions)


def quarter(number: int, sessions: int, year: int = 2023) -> Count:
    return Count(date(year, 3 * number - 2, 1), month_end(year, 3 * number), sessions)


def years(**sessions: int) -> dict[str, list[Count]]:
    """What each municipality counted in 2023."""
    return {code: [whole(number)] for code, number in sessions.items()}


def month_end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def said_of(
    counts: Counts,
    *,
    withheld: Collection[str] = (),
    table: bool = True,
    quarters: bool = False,
    pair_until: int | None = None,
) -> Content:
    """What a release says of `counts`: of the county by year, and by municipality and quarter if asked for.

    `withheld` are codes of municipalities (all their years), years of the county, as in "2023", and quarters, as in
    "2023-Q1". `pair_until` is the month up to which the last year is compared with the one before.
    """
    of_years = sorted({count.first.year for own in counts.values() for count in own})
    rows = {year: _row(_of_year(counts, year), str(year) in withheld) for year in of_years}
    if pair_until is not None:
        rows[of_years[-1]] = _compared(counts, of_years[-1], pair_until)
    municipalities = {
        code: {
            year: _row(_of_year({code: own}, year), code in withheld)
            for year in of_years
            if any(count.first.year == year for count in own)
        }
        for code, own in counts.items()
    }
    quarterly = {
        f"{year}-Q{number}": _quarter(_of_quarter(counts, year, number), f"{year}-Q{number}" in withheld)
        for year in of_years
        for number in (1, 2, 3, 4)
    }
    return Content(years=rows, municipalities=municipalities if table else {}, quarters=quarterly if quarters else {})


def imported(**sessions: int) -> Statement:
    """A release of which only the totals are known: y2023=105."""
    rows = {int(name[1:]): ReleasedYear(covers=True, sessions=number) for name, number in sessions.items()}
    return Statement(content=Content(years=rows), counts={})


def audited(
    published: Content, counts: Counts, earlier: Sequence[Statement] = (), *, threshold: int = THRESHOLD
) -> Verdict:
    return audit(published, counts, earlier, threshold=threshold, tell=lambda done, total: None)


def _row(found: Mapping[str, Sequence[Count]], hidden: bool) -> ReleasedYear:
    sessions = _sum(found) if found else None
    return ReleasedYear(covers=True, sessions=None if hidden else sessions, reporting=len(found), withheld=hidden)


def _compared(counts: Counts, year: int, until: int) -> ReleasedYear:
    now, before = (
        {code: [count for count in own if count.last.month <= until] for code, own in _of_year(counts, each).items()}
        for each in (year, year - 1)
    )
    return ReleasedYear(
        covers=True,
        sessions=_sum(_of_year(counts, year)),
        reporting=len(now),
        comparable_through=month_end(year, until),
        comparable_municipalities=len(now),
        comparable_sessions=_sum(now),
        comparable_previous_sessions=_sum(before),
    )


def _quarter(found: Mapping[str, Sequence[Count]], hidden: bool) -> ReleasedQuarter:
    sessions = _sum(found) if found else None
    return ReleasedQuarter(sessions=None if hidden else sessions, reporting=len(found), partial=False, withheld=hidden)


def _of_year(counts: Counts, year: int) -> dict[str, list[Count]]:
    found = {code: [count for count in own if count.first.year == year] for code, own in counts.items()}
    return {code: own for code, own in found.items() if own}


def _of_quarter(counts: Counts, year: int, number: int) -> dict[str, list[Count]]:
    of_year = _of_year(counts, year)
    found = {
        code: [count for count in own if (count.first.month + 2) // 3 == (count.last.month + 2) // 3 == number]
        for code, own in of_year.items()
    }
    return {code: own for code, own in found.items() if own}


def _sum(found: Mapping[str, Sequence[Count]]) -> int:
    return sum(count.sessions for own in found.values() for count in own)
