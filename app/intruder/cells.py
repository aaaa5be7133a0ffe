"""What a reader of one release is after, and what it tells him: cells, and the equations between them."""

from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from app.series.content import Content
from app.series.facts import Count

Months = tuple[int, int]
"""The first and the last month of a part of a year, 1 to 12."""

YEAR: Months = (1, 12)
QUARTERS: Sequence[Months] = ((1, 3), (4, 6), (7, 9), (10, 12))

Counts = Mapping[str, Sequence[Count]]

Naming = Callable[[date, Iterable[Count]], date]
"""The last day of a cell, out of the last day of its months and the counts in them."""


def as_named(last: date, counted: Iterable[Count]) -> date:
    """The last day of the months, however far they were counted: a year that comes to the same is the same unknown."""
    return last


def as_counted(last: date, counted: Iterable[Count]) -> date:
    """The last day that was counted: a year that went on is another unknown, even if it comes to the same."""
    return max(count.last for count in counted)


class Cell(NamedTuple):
    """The sessions of a municipality from a day to a day; where nothing of this differs, it is the same unknown."""

    municipality: str
    first: date
    last: date
    sessions: int


class Equation(NamedTuple):
    """`parts` add up to the cell `whole`, or, where it is None, to a number that was published."""

    parts: frozenset[Cell]
    whole: Cell | None

    @property
    def cells(self) -> frozenset[Cell]:
        return self.parts | {self.whole} if self.whole else self.parts


@dataclass(frozen=True, slots=True)
class Said:
    """What one release says: of these `cells`, of which it withholds some, these `equations`."""

    cells: frozenset[Cell]
    withheld: frozenset[Cell]
    equations: frozenset[Equation]


def said(content: Content, counts: Counts, naming: Naming) -> Said:
    """What `content` says, if it is made of `counts`; carried years say nothing of their own."""
    cells: set[Cell] = set()
    withheld: set[Cell] = set()
    equations: set[Equation] = set()
    for year in spoken_of(content):
        of_year = counts_of(year, counts)
        spans = _spans(content, year)
        for municipality, own in of_year.items():
            cells.update(_cells(municipality, year, spans, own, naming))
            equations.update(_adding_up(municipality, year, spans, own, naming))
        hidden = [code for code in of_year if (row := content.municipalities.get(code, {}).get(year)) and row.withheld]
        withheld.update(_all(year, YEAR, {code: of_year[code] for code in hidden}, naming))
        equations.update(Equation(parts, None) for parts in _shown(content, year, counts, naming) if parts)
    return Said(frozenset(cells), frozenset(withheld), frozenset(equations))


def grown(before: Content, counts_before: Counts, now: Content, counts_now: Counts) -> Iterator[Equation]:
    """What everybody knows of a year that went on: it is what was counted up to then, if that stands, and the rest."""
    for year in set(spoken_of(before)) & set(spoken_of(now)):
        older = {cell.municipality: cell for cell in year_cells(year, counts_before, as_counted)}
        for whole in year_cells(year, counts_now, as_counted):
            part = older.get(whole.municipality)
            if part and part.last < whole.last:
                own = counts_of(year, counts_now)[whole.municipality]
                until = sum(count.sessions for count in own if count.last <= part.last)
                apart = all(count.last <= part.last or count.first > part.last for count in own)
                if apart and until == part.sessions:
                    rest = Cell(whole.municipality, part.last + timedelta(1), whole.last, whole.sessions - until)
                    yield Equation(frozenset([part, rest]), whole)


def spoken_of(content: Content) -> list[int]:
    """The years of which the release itself speaks, ascending."""
    return [year for year, row in sorted(content.years.items()) if row.covers and not row.carried]


def counts_of(year: int, counts: Counts) -> dict[str, list[Count]]:
    """Those of the year, by the municipalities that have one."""
    found = {code: [count for count in given if count.first.year == year] for code, given in counts.items()}
    return {code: of_year for code, of_year in found.items() if of_year}


def year_cells(year: int, counts: Counts, naming: Naming) -> frozenset[Cell]:
    """The whole year of each municipality that has a count in it."""
    return _all(year, YEAR, counts_of(year, counts), naming)


def within(months: Months, counts: Iterable[Count]) -> list[Count]:
    """Those of the counts, all of one year, that lie in these months."""
    first, last = months
    return [count for count in counts if first <= count.first.month and count.last.month <= last]


def days(year: int, months: Months) -> tuple[date, date]:
    """The first and the last day of these months."""
    return date(year, months[0], 1), date(year, months[1], monthrange(year, months[1])[1])


def period(year: int, months: Months) -> str:
    """How the release calls this quarter."""
    return f"{year}-Q{(months[0] + 2) // 3}"


def _shown(content: Content, year: int, counts: Counts, naming: Naming) -> Iterator[frozenset[Cell]]:
    """The cells of each number of the year that stands in the release, with the year before that it compares with."""
    row, of_year = content.years[year], counts_of(year, counts)
    if row.sessions is not None:
        yield _all(year, YEAR, of_year, naming)
    for code, rows in content.municipalities.items():
        if year in rows and rows[year].sessions is not None and code in of_year:
            yield _all(year, YEAR, {code: of_year[code]}, naming)
    for months in QUARTERS:
        quarter = content.quarters.get(period(year, months))
        if quarter and quarter.sessions is not None:
            yield _all(year, months, of_year, naming)
    if row.comparable_through and row.comparable_sessions is not None:
        yield _all(year, (1, row.comparable_through.month), of_year, naming)
    if row.comparable_through and row.comparable_previous_sessions is not None:
        yield _all(year - 1, (1, row.comparable_through.month), counts_of(year - 1, counts), naming)


def _spans(content: Content, year: int) -> set[Months]:
    """The parts of the year of which the release gives, or withholds, a number."""
    spans = {YEAR}
    quarters = [quarter for months in QUARTERS if (quarter := content.quarters.get(period(year, months)))]
    if any(quarter.withheld or quarter.sessions is not None for quarter in quarters):
        spans.update(QUARTERS)
    now, after = content.years[year], content.years.get(year + 1)
    if now.comparable_through and now.comparable_sessions is not None:
        spans.add((1, now.comparable_through.month))
    if after and not after.carried and after.comparable_through and after.comparable_previous_sessions is not None:
        spans.add((1, after.comparable_through.month))
    return spans


def _cells(
    municipality: str, year: int, spans: Iterable[Months], own: Sequence[Count], naming: Naming
) -> Iterator[Cell]:
    """One for each of `spans` in which the municipality has a count: who reports is known to everybody."""
    for months in spans:
        if counted := within(months, own):
            first, last = days(year, months)
            yield Cell(municipality, first, naming(last, counted), sum(count.sessions for count in counted))


def _adding_up(
    municipality: str, year: int, spans: set[Months], own: Sequence[Count], naming: Naming
) -> Iterator[Equation]:
    """What everybody knows: each cell of the municipality and year is the sum of the parts into which others cut it."""
    ends = sorted({end for first, last in spans for end in (first - 1, last)})
    pieces = [(before + 1, end) for before, end in pairwise(ends)]
    for first, last in spans.difference(pieces):
        inside = [piece for piece in pieces if first <= piece[0] and piece[1] <= last]
        parts = frozenset(_cells(municipality, year, inside, own, naming))
        for whole in _cells(municipality, year, [(first, last)], own, naming):
            if parts != {whole}:
                yield Equation(parts, whole)


def _all(year: int, months: Months, of_year: Counts, naming: Naming) -> frozenset[Cell]:
    return frozenset(cell for code, own in of_year.items() for cell in _cells(code, year, [months], own, naming))
