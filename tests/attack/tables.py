"""Made-up counties shaped like North Savo, and what they would publish if nothing were hidden."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date
from random import Random

from app.series.content import Content, ReleasedQuarter, Statement
from app.series.facts import Count
from app.series.figures import ReleasedYear

NUMBERS = (140, 174, 178, 204, 239, 263, 297, 402, 420, 595, 686, 687, 749, 762, 778, 844, 915, 921, 925)
CODES = [str(number) for number in NUMBERS]
KUOPIO = "297"
RESIDENTS = {code: 124_000 if code == KUOPIO else 1_900 + 1_300 * number for number, code in enumerate(reversed(CODES))}
YEARS = {2021: (8, 94), 2022: (14, 105), 2023: (15, 23)}
"""How many municipalities held how many sessions, as the first release has it."""

Counts = dict[str, list[Count]]


def whole_year(year: int, sessions: int) -> Count:
    return Count(date(year, 1, 1), date(year, 12, 31), sessions)


def quarter(year: int, number: int, sessions: int) -> Count:
    return Count(date(year, 3 * number - 2, 1), _month_end(year, 3 * number), sessions)


def north_savo(seed: int) -> Counts:
    """Yearly counts of three years; shares have a heavy tail, and Kuopio's is large."""
    random = Random(seed)
    counts: Counts = {}
    for year, (active, about) in YEARS.items():
        active = random.randint(max(8, active - 3), min(15, active + 3))
        total = random.randint(round(about * 0.9), round(about * 1.1))
        for code, sessions in _shared_out(random, _with_kuopio(random, active), total).items():
            counts.setdefault(code, []).append(whole_year(year, sessions))
    return counts


def six_moments(seed: int) -> list[Counts]:
    """The counts at six moments of two years: they grow, are corrected, and municipalities join."""
    random = Random(seed)
    joining = _with_kuopio(random, 15)
    using = joining[: random.randint(8, 11)]
    counts: Counts = {code: [] for code in using}
    moments = []
    for moment in range(6):
        year, number = 2022 + moment // 4, moment % 4 + 1
        for code, sessions in _shared_out(random, using, random.randint(14, 34)).items():
            counts.setdefault(code, []).append(quarter(year, number, sessions))
        for _ in range(random.randint(0, 2)):
            _correct(random, counts)
        if len(using) < len(joining) and random.random() < 0.5:
            using = joining[: len(using) + 1]
        moments.append({code: list(own) for code, own in counts.items()})
    return moments


def statement(
    counts: Mapping[str, Sequence[Count]], *, municipalities: bool = True, quarters: bool = False
) -> Statement:
    """What a release of `counts` says before anything is hidden."""
    years = sorted({count.first.year for own in counts.values() for count in own})
    rows = {year: _year(counts, year) for year in years}
    table = {
        code: {year: ReleasedYear(covers=True, sessions=_sum({code: own}, year)) for year in years if _has(own, year)}
        for code, own in counts.items()
        if own
    }
    quarterly = {f"{year}-Q{n}": _quarter(counts, year, n) for year in years for n in (1, 2, 3, 4)} if quarters else {}
    content = Content(years=rows, municipalities=table if municipalities else {}, quarters=quarterly)
    return Statement(content=content, counts={code: list(own) for code, own in counts.items() if own})


def _year(counts: Mapping[str, Sequence[Count]], year: int) -> ReleasedYear:
    """The county's figures, with the pair if all who report counted the same months of both years."""
    now = _reporting(counts, year)
    lasts = {max(count.last.month for count in counts[code] if count.first.year == year) for code in now}
    until = max(lasts)
    comparable = {
        code for code in now if _unbroken(counts[code], year, until) and _unbroken(counts[code], year - 1, until)
    }
    if not comparable == now == _reporting(counts, year - 1):
        return ReleasedYear(covers=True, sessions=_sum(counts, year), reporting=len(now))
    return ReleasedYear(
        covers=True,
        sessions=_sum(counts, year),
        reporting=len(now),
        comparable_through=_month_end(year, until),
        comparable_municipalities=len(now),
        comparable_sessions=_sum(counts, year, 1, until),
        comparable_previous_sessions=_sum(counts, year - 1, 1, until),
    )


def _quarter(counts: Mapping[str, Sequence[Count]], year: int, number: int) -> ReleasedQuarter:
    inside = [any(c.first.year == year and (c.first.month + 2) // 3 == number for c in own) for own in counts.values()]
    longer = any(count.last.month - count.first.month > 2 for count in _all(counts, year))
    sessions = _sum(counts, year, 3 * number - 2, 3 * number) if any(inside) and not longer else None
    return ReleasedQuarter(sessions=sessions, reporting=sum(inside), partial=False)


def _with_kuopio(random: Random, number: int) -> list[str]:
    """So many municipalities in the order in which they joined; Kuopio was the first."""
    return [KUOPIO, *random.sample([code for code in CODES if code != KUOPIO], number - 1)]


def _shared_out(random: Random, codes: Sequence[str], total: int) -> dict[str, int]:
    tail = random.choice((0.9, 1.5, 3.0))
    weights = [random.paretovariate(tail) * (4 if code == KUOPIO else 1) for code in codes]
    drawn = random.choices(codes, weights, k=total)
    return {code: drawn.count(code) for code in codes}


def _correct(random: Random, counts: Counts) -> None:
    own = counts[random.choice(sorted(code for code, own in counts.items() if own))]
    place = random.randrange(len(own))
    own[place] = own[place]._replace(sessions=max(0, own[place].sessions + random.choice((-3, -1, 1, 1, 2, 6))))


def _all(counts: Mapping[str, Sequence[Count]], year: int) -> list[Count]:
    return [count for own in counts.values() for count in own if count.first.year == year]


def _reporting(counts: Mapping[str, Sequence[Count]], year: int) -> set[str]:
    return {code for code, own in counts.items() if _has(own, year)}


def _unbroken(own: Sequence[Count], year: int, until: int) -> bool:
    """True if the counts of the year, up to the end of the month `until`, leave out no month and go over no end."""
    months = [
        m
        for c in own
        if c.first.year == year and c.first.month <= until
        for m in range(c.first.month, c.last.month + 1)
    ]
    return sorted(months) == list(range(1, until + 1))


def _has(own: Sequence[Count], year: int) -> bool:
    return any(count.first.year == year for count in own)


def _sum(counts: Mapping[str, Sequence[Count]], year: int, first: int = 1, last: int = 12) -> int:
    return sum(c.sessions for c in _all(counts, year) if first <= c.first.month and c.last.month <= last)


def _month_end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])
