"""What a reader of one release is after, and what it tells him: cells, and the equations between them."""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
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


class Cell(NamedTuple):
    """The sessions of a municipality from a day to the last one counted; where none of this differs, one unknown."""

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


def said(content: Content, counts: Counts) -> Said:
    """What `content` says, if it is made of `counts`; carried years say nothing of their own."""
    cells: set[Cell] = set()
    withheld: set[Cell] = set()
    equations: set[Equation] = set()
    for year in spoken_of(content):
        of_year = counts_of(year, counts)
        spans = _spans(content, year)
        for municipality, own in of_year.items():
            cells.update(_cells(municipality, year, spans, own))
            equations.update(_adding_up(municipality, year, spans, own))
        hidden = [code for code in of_year if (row := content.municipalities.get(code, {}).get(year)) and row.withheld]
        withheld.update(_all(year, YEAR, {code: of_year[code] for code in hidden}))
        equations.update(Equation(parts, None) for parts in _shown(content, year, counts) if parts)
    return Said(frozenset(cells), frozenset(withheld), frozenset(equations))


def grown(before: Content, counts_before: Counts, now: Content, counts_now: Counts) -> Iterator[Equation]:
    """What everybody knows of a year that went on: it is what was counted up to then, if that stands, and the rest."""
    for year in set(spoken_of(before)) & set(spoken_of(now)):
        older = {cell.municipality: cell for cell in year_cells(year, counts_before)}
        for whole in year_cells(year, counts_now):
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


def year_cells(year: int, counts: Counts) -> frozenset[Cell]:
    """The whole year of each municipality that has a count in it."""
    return _all(year, YEAR, counts_of(year, counts))


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


def _shown(content: Content, year: int, counts: Counts) -> Iterator[frozenset[Cell]]:
    """The cells of each number of the year that stands in the release, with the year before that it compares with."""
    row, of_year = content.years[year], counts_of(year, counts)
    if row.sessions is not None:
        yield _all(year, YEAR, of_year)
    for code, rows in content.municipalities.items():
        if year in rows and rows[year].sessions is not None and code in of_year:
            yield _all(year, YEAR, {code: of_year[code]})
    for months in QUARTERS:
        quarter = content.quarters.get(period(year, months))
        if quarter and quarter.sessions is not None:
            yield _all(year, months, of_year)
    if row.comparable_through and row.comparable_sessions is not None:
        yield _all(year, (1, row.comparable_through.month), of_year)
    if row.comparable_through and row.comparable_previous_sessions is not None:
        yield _all(year - 1, (1, row.comparable_through.month), counts_of(year - 1, counts))


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


def _cells(municipality: str, year: int, spans: Iterable[Months], own: Sequence[Count]) -> Iterator[Cell]:
    """One for each of `spans` in which the municipality has a count: who reports is known to everybody."""
    for months in spans:
        if counted := within(months, own):
            first, _ = days(year, months)
            yield Cell(municipality, first, max(count.last for count in counted), sum(c.sessions for c in counted))


def _adding_up(municipality: str, year: int, spans: set[Months], own: Sequence[Count]) -> Iterator[Equation]:
    """What everybody knows: each cell of the municipality and year is the sum of the parts into which others cut it."""
    ends = sorted({end for first, last in spans for end in (first - 1, last)})
    pieces = [(before + 1, end) for before, end in pairwise(ends)]
    for first, last in spans.difference(pieces):
        inside = [piece for piece in pieces if first <= piece[0] and piece[1] <= last]
        for whole in _cells(municipality, year, [(first, last)], own):
            parts = frozenset(_cells(municipality, year, inside, own))
            if parts != {whole}:
                yield Equation(parts, whole)


def _all(year: int, months: Months, of_year: Counts) -> frozenset[Cell]:
    return frozenset(cell for code, own in of_year.items() for cell in _cells(code, year, [months], own))
