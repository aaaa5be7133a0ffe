"""All second tables of tiny releases, by trying every one: who could work out what."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import numpy

from app.periods import period
from app.series.content import Content, Statement
from app.series.facts import Count

Name = tuple[str, date, date, int]
"""Municipality, first and last day, sessions."""


Named = Callable[[date, Sequence[Count]], date]
"""The last day in a name, out of that of the days and the counts in them."""

Grown = tuple[Name, Name, Name]
"""A year that went on, what it was, and what came since."""


@dataclass
class Release:
    """One release's atoms by municipality, its cells as tuples of atoms, and its equations."""

    atoms: dict[str, list[Name]]
    cells: dict[Name, tuple[Name, ...]]
    withheld: set[Name]
    equations: list[tuple[tuple[Name, ...], int]]


def violated(published: Content, counts: Mapping[str, Sequence[Count]], earlier: Sequence[Statement], t: int) -> bool:
    """True if somebody can tell too much of some cell of `published`, by itself or after `earlier`."""
    new = Statement(content=published, counts=counts)
    years = [year for year, row in published.years.items() if row.covers and not row.carried]
    return any(_violated(new, earlier, year, t) for year in years)


def _violated(new: Statement, earlier: Sequence[Statement], year: int, t: int) -> bool:
    ours = _release(new, year, _counted)
    small = [name for name in ours.cells if name[3] < t]
    for owner, values in _ranges([ours], [], [], small, t):
        if any(owner != name[0] and not (low == 0 and high >= t - 1) for name, (low, high) in values.items()):
            return True
    made = [*(old for old in earlier if old.counts and _states(old.content, year)), new]
    totals = [old.content.years[year].sessions for old in earlier if not old.counts and year in old.content.years]
    plain = [replace(one, content=replace(one.content, quarters={})) for one in made]
    by_value = [_release(one, year, lambda last, counts: last) for one in plain]
    for release in by_value:
        # What was shown before may be withheld for what came since.
        release.withheld -= {parts[0] for one in by_value[:-1] for parts, _ in one.equations if len(parts) == 1}
    by_days = [_release(one, year, _counted) for one in made]
    return _narrowed(by_value, totals, [], t) or _narrowed(by_days, totals, _grown(made, year), t)


def _narrowed(releases: Sequence[Release], totals: Sequence[int | None], grown: Sequence[Grown], t: int) -> bool:
    imported = []
    for release in releases:
        every = [atom for atoms in release.atoms.values() for atom in atoms]
        if every and sum(atom[3] for atom in every) in totals:
            imported.append((tuple(every), sum(atom[3] for atom in every)))
    wide = {name for release in releases for name in release.cells if name[3] < t or name in release.withheld}
    for owner, values in _ranges(releases, imported, grown, sorted(wide), t):
        if any(owner != name[0] and high - low < t - 1 for name, (low, high) in values.items()):
            return True
    return False


def _counted(last: date, counts: Sequence[Count]) -> date:
    return max(count.last for count in counts)


def _grown(made: Sequence[Statement], year: int) -> list[Grown]:
    grown: list[Grown] = []
    for one, other in combinations(made, 2):
        for code in one.counts.keys() & other.counts.keys():
            was, now = ([c for c in each.counts[code] if c.first.year == year] for each in (one, other))
            until = _counted(date.max, was)
            since = [count for count in now if count.first > until]
            sums = [sum(count.sessions for count in part) for part in (now, was, since)]
            if since and sums[0] == sums[1] + sums[2] == sum(c.sessions for c in now if c.last <= until) + sums[2]:
                last = _counted(date.max, now)
                first = date(year, 1, 1)
                rest = (code, until + timedelta(days=1), last, sums[2])
                grown.append(((code, first, last, sums[0]), (code, first, until, sums[1]), rest))
    return grown


def _states(content: Content, year: int) -> bool:
    return year in content.years and content.years[year].covers and not content.years[year].carried


def _ranges(
    releases: Sequence[Release], more: Sequence[Any], grown: Sequence[Grown], wanted: Sequence[Name], t: int
) -> Iterator[tuple[str, dict[Name, tuple[int, int]]]]:
    """For each attacker ("" is the public) the least and the greatest value of each wanted cell."""
    atoms = sorted({atom for release in releases for mine in release.atoms.values() for atom in mine})
    at = {atom: number for number, atom in enumerate(atoms)}
    grid = numpy.array(
        numpy.meshgrid(*[numpy.arange(atom[3] + t + 1, dtype=numpy.int16) for atom in atoms], indexing="ij")
    )
    grid = grid.reshape(len(atoms), -1)
    cells: dict[Name, tuple[Name, ...]] = {}

    def keep(rows: Sequence[Name], value: Any) -> None:
        nonlocal grid
        grid = grid[:, sum(grid[at[atom]] for atom in rows) == value]

    for release in releases:
        for equation in release.equations:
            keep(*equation)
        for name, parts in release.cells.items():
            if name in cells and cells[name] != parts:
                # An unchanged cell is the same number, however a release divides it.
                keep(parts, sum(grid[at[atom]] for atom in cells[name]))
            cells.setdefault(name, parts)
    for equation in more:
        keep(*equation)
    for whole, was, rest in grown:
        since = sum(grid[at[atom]] for atom in cells[whole]) - sum(grid[at[atom]] for atom in cells[was])
        expected = sum(grid[at[atom]] for atom in cells[rest]) if rest in cells else since
        grid = grid[:, (since >= 0) & (since == expected)]
    for attacker in ["", *sorted({atom[0] for atom in atoms})]:
        seen = numpy.ones(grid.shape[1], dtype=bool)
        for atom in atoms:
            if atom[0] == attacker:
                seen &= grid[at[atom]] == atom[3]
        tables = grid[:, seen]
        sums = {name: sum(tables[at[atom]] for atom in cells[name]) for name in wanted}
        yield attacker, {name: (int(values.min()), int(values.max())) for name, values in sums.items()}


def _release(statement: Statement, year: int, named: Named) -> Release:
    content, counts = statement.content, statement.counts
    first_day, last_day = date(year, 1, 1), date(year, 12, 31)
    row, after = content.years.get(year), content.years.get(year + 1)
    quarters = {text: said for text, said in content.quarters.items() if text.startswith(f"{year}-")}
    halves = []
    if row and row.comparable_through:
        halves.append((row.comparable_through, row.comparable_sessions))
    if after and after.comparable_through:
        halves.append((after.comparable_through.replace(year=year), after.comparable_previous_sessions))
    ends = sorted({last_day, *(last for last, _ in halves), *(period(text).last for text in quarters)})
    starts = [first_day, *(end + timedelta(days=1) for end in ends[:-1])]
    atoms: dict[str, list[Name]] = {}
    for code, mine in counts.items():
        for first, last in zip(starts, ends, strict=True):
            within = [count for count in mine if first <= count.first and count.last <= last]
            if within:
                number = sum(count.sessions for count in within)
                atoms.setdefault(code, []).append((code, first, named(last, within), number))
    release = Release(atoms, {}, set(), [])

    def cells(first: date, last: date) -> list[Name]:
        found = []
        for code, mine in atoms.items():
            parts = tuple(atom for atom in mine if first <= atom[1] and atom[2] <= last)
            if parts:
                within = [count for count in counts[code] if first <= count.first and count.last <= last]
                found.append((code, first, named(last, within), sum(atom[3] for atom in parts)))
                release.cells[found[-1]] = parts
        return found

    def equation(names: Sequence[Name], value: int | None) -> None:
        if value is not None:
            release.equations.append((tuple(atom for name in names for atom in release.cells[name]), value))

    whole = cells(first_day, last_day)
    equation(whole, row.sessions if row else None)
    for name in whole:
        said = content.municipalities.get(name[0], {}).get(year)
        if said and said.withheld:
            release.withheld.add(name)
        equation([name], said.sessions if said else None)
    for text, quarter in quarters.items():
        equation(cells(period(text).first, period(text).last), quarter.sessions)
    for last, sessions in halves:
        equation(cells(first_day, last), sessions)
    return release
