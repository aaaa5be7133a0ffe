"""A reader who wants to know: whole-number programs made of nothing but published figures and own counts.

It shares no code with the protection and none with the audit, and asks the solver by itself. Of several releases the
reader thinks twice: first that a number which came to the same is the same number, and nothing of quarters; then that
a year went on, so that it is what it was, if that stands, and what came since.
"""

from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations
from typing import Any, NamedTuple

import numpy
from scipy.optimize import Bounds, LinearConstraint, milp  # type: ignore[import-untyped]
from scipy.sparse import block_diag, coo_array  # type: ignore[import-untyped]

from app.series.content import Content, Statement
from app.series.facts import Count

Key = tuple[str, date, date, int]
"""A municipality, two days, and the sessions between them: the name of one unknown."""

Until = Callable[[date, Iterable[Count]], date]
"""The last day that an unknown's name has, out of the last one asked for and the counts."""

FAR = 10_000.0
"""No county holds so many sessions in a year."""


class Narrowed(NamedTuple):
    """A cell of which the `attacker` (None is everybody) knows that it is from `low` to `high`, which is too exact."""

    attacker: str | None
    cell: Key
    low: int
    high: int
    how: str


@dataclass
class System:
    """Numbers that were published: each row of `rows` is unknowns with their signs, and what they come to."""

    rows: list[tuple[dict[Key, int], int]]
    small: set[Key]
    withheld: set[Key]
    until: Until

    @property
    def unknowns(self) -> list[Key]:
        return sorted({key for row, _ in self.rows for key in row})


def narrowed(statements: Sequence[Statement], threshold: int) -> list[Narrowed]:
    """What can be worked out of the last of `statements` alone, and of all together in either way of thinking."""
    alone = going_on(statements[-1:], threshold)
    found = []
    for (attacker, cell), (low, high) in ranges(alone, alone.small, threshold).items():
        if low > 0 or high < threshold - 1:
            found.append(Narrowed(attacker, cell, low, high, "alone"))
    return list(
        dict.fromkeys(
            [
                *found,
                *_together(unchanged(statements, threshold), threshold),
                *_together(going_on(statements, threshold), threshold),
            ]
        )
    )


def _together(whole: System, threshold: int) -> list[Narrowed]:
    asked = ranges(whole, whole.small | whole.withheld, threshold)
    return [
        Narrowed(attacker, cell, low, high, "together")
        for (attacker, cell), (low, high) in asked.items()
        if high - low < threshold - 1
    ]


def unchanged(statements: Sequence[Statement], threshold: int) -> System:
    """The unknowns and the numbers of `statements` but for quarters, if what came to the same is the same."""
    plain = [replace(one, content=replace(one.content, quarters={})) for one in statements]
    whole = _system(plain, threshold, lambda last, counts: last)
    *earlier, _ = plain
    before = _system(earlier, threshold, whole.until)
    # Nobody promised to hide again what was shown before.
    whole.withheld -= {key for row, _ in before.rows if len(row) == 1 for key in row}
    return whole


def going_on(statements: Sequence[Statement], threshold: int) -> System:
    """The unknowns and the numbers of `statements`, if all that is counted ends on its last day."""
    whole = _system(statements, threshold, lambda last, counts: max(count.last for count in counts))
    for before, now in combinations(statements, 2):
        _go_on(whole, before, now)
    return whole


def _system(statements: Sequence[Statement], threshold: int, until: Until) -> System:
    """An imported total is about all that comes to the same."""
    whole = System([], set(), set(), until)
    for statement in statements:
        for year in _years(statement.content):
            if statement.counts:
                _read_year(whole, statement, year, threshold)
    for year, total in _imported(statements):
        for statement in statements:
            keys = _keys(statement.counts, date(year, 1, 1), date(year, 12, 31), until)
            if year in _years(statement.content) and keys and sum(key[3] for key in keys) == total:
                whole.rows.append((dict.fromkeys(keys, 1), total))
    return whole


def ranges(system: System, cells: Iterable[Key], threshold: int) -> dict[tuple[str | None, Key], tuple[int, int]]:
    """The least and the greatest (up to `FAR`) of each of `cells`, for everybody and for each other municipality."""
    found: dict[tuple[str | None, Key], tuple[int, int]] = {}
    wanted = set(cells)
    for unknowns, rows in _parts(system):
        for attacker in [None, *sorted({key[0] for key in unknowns})]:
            asked = [key for key in unknowns if key in wanted and key[0] != attacker]
            low = _extremes(unknowns, rows, attacker, asked, 1)
            high = _extremes(unknowns, rows, attacker, asked, -1)
            found |= {(attacker, key): pair for key, pair in zip(asked, zip(low, high, strict=True), strict=True)}
    return found


def _extremes(
    unknowns: Sequence[Key],
    rows: Sequence[tuple[dict[Key, int], int]],
    attacker: str | None,
    asked: list[Key],
    way: int,
) -> list[int]:
    """One program made of a copy of the system for each cell, since they have nothing to do with one another."""
    if not asked:
        return []
    place = {key: number for number, key in enumerate(unknowns)}
    entries = [(number, place[key], sign) for number, (row, _) in enumerate(rows) for key, sign in row.items()]
    down, across, signs = zip(*entries, strict=True)
    one = coo_array((signs, (down, across)), shape=(len(rows), len(unknowns)))
    least = [float(key[3]) if key[0] == attacker else 0.0 for key in unknowns]
    most = [float(key[3]) if key[0] == attacker else FAR for key in unknowns]
    cost = numpy.zeros((len(asked), len(unknowns)))
    for number, key in enumerate(asked):
        cost[number, place[key]] = way
    totals = [total for _, total in rows] * len(asked)
    answer: Any = milp(
        cost.ravel(),
        integrality=numpy.ones(cost.size),
        bounds=Bounds(least * len(asked), most * len(asked)),
        constraints=LinearConstraint(block_diag([one] * len(asked), format="csr"), totals, totals),
        options={"mip_rel_gap": 0.0},
    )
    assert answer.status == 0, answer.message
    values = answer.x.reshape(cost.shape)
    return [round(values[number, place[key]]) for number, key in enumerate(asked)]


def _parts(system: System) -> list[tuple[list[Key], list[tuple[dict[Key, int], int]]]]:
    """The system in parts that have no unknown in common."""
    group: dict[Key, Key] = {key: key for key in system.unknowns}

    def root(key: Key) -> Key:
        while group[key] != key:
            key = group[key]
        return key

    for row, _ in system.rows:
        first, *others = row
        for other in others:
            group[root(other)] = root(first)
    parts: dict[Key, tuple[list[Key], list[tuple[dict[Key, int], int]]]] = {}
    for key in system.unknowns:
        parts.setdefault(root(key), ([], []))[0].append(key)
    for row, total in system.rows:
        parts[root(next(iter(row)))][1].append((row, total))
    return list(parts.values())


def _read_year(whole: System, statement: Statement, year: int, threshold: int) -> None:
    """Add to `whole` what the statement tells of the year and, by the pair, of the one before."""
    content, counts = statement.content, statement.counts
    row = content.years[year]
    first, last = date(year, 1, 1), date(year, 12, 31)
    _add(whole, counts, first, last, row.sessions)
    for code, rows in content.municipalities.items():
        if year in rows and (own := _keys({code: counts.get(code, ())}, first, last, whole.until)):
            _add(whole, {code: counts[code]}, first, last, rows[year].sessions)
            whole.withheld |= own if rows[year].withheld else set()
    quarters = _quarters(content, year)
    for start, end, sessions in quarters:
        _add(whole, counts, start, end, sessions)
    pairs = _pairs(content, year)
    for _, end, sessions in pairs:
        _add(whole, counts, first, end, sessions)
    spans = [(first, last), *((start, end) for start, end, _ in quarters), *((start, end) for start, end, _ in pairs)]
    for code in counts:
        _split(whole, {code: counts[code]}, year, spans)
    for start, end in spans:
        whole.small |= {key for key in _keys(counts, start, end, whole.until) if key[3] < threshold}


def _split(whole: System, own: Mapping[str, Sequence[Count]], year: int, spans: Sequence[tuple[date, date]]) -> None:
    """Each of `spans` is the sum of the pieces into which the others cut it."""
    pieces = []
    start = date(year, 1, 1)
    for end in sorted({end for _, end in spans}):
        pieces.append((start, end))
        start = date.fromordinal(end.toordinal() + 1)
    for first, last in spans:
        inside = [piece for piece in pieces if first <= piece[0] and piece[1] <= last]
        parts = [key for piece in inside for key in _keys(own, *piece, whole.until)]
        for key in _keys(own, first, last, whole.until):
            if parts != [key]:
                whole.rows.append(({**dict.fromkeys(parts, 1), key: -1}, 0))


def _go_on(whole: System, before: Statement, now: Statement) -> None:
    """A year that went on, and whose counts stand, is what it was and what came after."""
    for year in _years(before.content) & _years(now.content):
        first, last = date(year, 1, 1), date(year, 12, 31)
        for old in _keys(before.counts, first, last, whole.until):
            own = {old[0]: now.counts.get(old[0], ())}
            after = date.fromordinal(old[2].toordinal() + 1)
            stood = sum(key[3] for key in _keys(own, first, old[2], whole.until))
            for new in _keys(own, first, last, whole.until):
                # What lies on both sides of the day is in none of the three.
                for rest in _keys(own, after, last, whole.until):
                    if stood == old[3] and stood + rest[3] == new[3]:
                        whole.rows.append(({old: 1, rest: 1, new: -1}, 0))


def _add(whole: System, counts: Mapping[str, Sequence[Count]], first: date, last: date, sessions: int | None) -> None:
    keys = _keys(counts, first, last, whole.until)
    if sessions is not None and keys:
        assert sum(key[3] for key in keys) == sessions, (first, last, sessions)
        whole.rows.append((dict.fromkeys(keys, 1), sessions))


def _keys(counts: Mapping[str, Sequence[Count]], first: date, last: date, until: Until) -> set[Key]:
    """The unknowns of these days, one for each municipality that counted in them."""
    inside = {code: [c for c in own if first <= c.first and c.last <= last] for code, own in counts.items()}
    return {(code, first, until(last, own), sum(c.sessions for c in own)) for code, own in inside.items() if own}


def _years(content: Content) -> set[int]:
    return {year for year, row in content.years.items() if row.covers and not row.carried}


def _quarters(content: Content, year: int) -> list[tuple[date, date, int | None]]:
    """The first and last day and the sessions of each quarter of the year, if the release has any."""
    rows = {n: content.quarters.get(f"{year}-Q{n}") for n in (1, 2, 3, 4)}
    if not any(row and (row.withheld or row.sessions is not None) for row in rows.values()):
        return []
    return [
        (date(year, 3 * n - 2, 1), date(year, 3 * n, monthrange(year, 3 * n)[1]), row.sessions if row else None)
        for n, row in rows.items()
    ]


def _pairs(content: Content, year: int) -> list[tuple[date, date, int]]:
    """The last day and the sum of what the year is compared with, before and after it."""
    pairs = []
    row, after = content.years[year], content.years.get(year + 1)
    if row.comparable_through and row.comparable_sessions is not None:
        pairs.append((date(year, 1, 1), row.comparable_through, row.comparable_sessions))
    if after and not after.carried and after.comparable_through and after.comparable_previous_sessions is not None:
        month = after.comparable_through.month
        end = date(year, month, monthrange(year, month)[1])
        pairs.append((date(year, 1, 1), end, after.comparable_previous_sessions))
    return pairs


def _imported(statements: Sequence[Statement]) -> set[tuple[int, int]]:
    return {
        (year, total)
        for statement in statements
        if not statement.counts
        for year in _years(statement.content)
        if (total := statement.content.years[year].sessions) is not None
    }
