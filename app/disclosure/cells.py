"""What a release says of a year, as sums of cells: the sessions of one municipality between two days.

Of several releases together there are two views. By value a year that comes to the same as before is the same unknown:
who learns that nothing was corrected takes it for that, and what joined since is the difference of two totals. By days
a cell runs to the last day counted in it: who knows that a year went on takes it for what it was and what came since.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, NamedTuple

from app.periods import period
from app.series.content import Content, Statement
from app.series.facts import Count
from app.series.figures import ReleasedYear

QUARTERS = ("Q1", "Q2", "Q3", "Q4")


class Cell(NamedTuple):
    """The sessions of one municipality from `first` to `last`: in a view by days, the last day counted.

    Releases that have the same cell speak of the same unknown number; a corrected one is another.
    """

    municipality: str
    first: date
    last: date
    sessions: int


class Figure(NamedTuple):
    """A figure that a release shows or withholds as one; `area` is None for the county's.

    `period` is the year, the quarter, or for a comparable pair its year and last day (2023 to 2023-03-31). `year` is
    that of the row it stands in.
    """

    kind: Literal["municipality", "pair", "quarter", "county"]
    area: str | None
    period: str
    year: int


Parts = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What one release says of one year, and what everybody knows of its cells.

    `years` are the cells of the whole year, by municipality; `cells` are these and those of its quarters; a pair's
    cells are those of its sum in `shown`. `wholes` are the cells that are made of finer ones, with these. `shown` are
    the sums that the figures of the release are, a pair's being the half that lies in this year. `withheld` are the
    cells of municipalities that it withholds.
    """

    years: Parts
    cells: frozenset[Cell]
    wholes: Mapping[Cell, Parts]
    shown: Mapping[Figure, Parts]
    withheld: frozenset[Cell]


def stated_years(content: Content) -> list[int]:
    """The years of which `content` says something that it did not take over from the release before."""
    return [year for year, row in content.years.items() if row.covers and not row.carried]


def county_year(year: int) -> Figure:
    """The county's sessions of `year`."""
    return Figure("county", None, str(year), year)


def municipality_year(code: str, year: int) -> Figure:
    """The sessions of one municipality in `year`."""
    return Figure("municipality", code, str(year), year)


def pair(year: int, through: date) -> Figure:
    """The comparable sums of `year` and of the year before."""
    return Figure("pair", None, f"{year} to {through}", year)


def said_by_value(statement: Statement, year: int) -> Said:
    """What a release that is made of counts says of `year`, of which it states something, but for its quarters.

    Two quarters that add up to an unchanged year would tell that the second is nothing, whatever is withheld. So a year
    that was shown before and came to the same may be withheld again, for what came since.

    Raises:
        ValueError: its figures do not follow from its counts.
    """
    return _said(replace(statement.content, quarters={}), dict(_of(statement, year)), year)


def said_by_days(statement: Statement, year: int) -> Said:
    """What a release that is made of counts says of `year`, of which it states something.

    Raises:
        ValueError: its figures do not follow from its counts.
    """
    counts = dict(_of(statement, year))
    nominal = _said(statement.content, counts, year)

    def by_days(cells: Iterable[Cell]) -> Parts:
        return tuple(cell._replace(last=_last_counted(cell, counts[cell.municipality])) for cell in cells)

    wholes = zip(by_days(nominal.wholes), map(by_days, nominal.wholes.values()), strict=True)
    return Said(
        years=by_days(nominal.years),
        cells=frozenset(by_days(nominal.cells)),
        wholes={whole: parts for whole, parts in wholes if parts != (whole,)},
        shown={figure: by_days(parts) for figure, parts in nominal.shown.items()},
        withheld=frozenset(by_days(nominal.withheld)),
    )


def growth(before: Statement, now: Statement, year: int) -> Iterator[tuple[Cell, Parts]]:
    """The years by days that went on between two releases: each with what it was and what was counted since.

    Only where the counts up to the last day of the earlier release come to the same as there, and none goes over it.
    """
    earlier = dict(_of(before, year))
    for code, counts in _of(now, year):
        if code in earlier:
            was, whole = _year_to_date(code, earlier[code]), _year_to_date(code, counts)
            stood = [count.sessions for count in counts if count.last <= was.last]
            since = [count.sessions for count in counts if count.first > was.last]
            if since and len(stood) + len(since) == len(counts) and sum(stood) == was.sessions:
                yield whole, (was, Cell(code, was.last + timedelta(days=1), whole.last, sum(since)))


def _said(content: Content, counts: Mapping[str, Sequence[Count]], year: int) -> Said:
    """What `content` says of `year`, in cells that run to the days it names; `counts` are those of the year."""
    atoms = {code: _atoms(code, mine, _cuts(content, year)) for code, mine in counts.items()}
    # Atoms add up to whole cells; a municipality is known to have nothing where it has no count.
    sums = _Sums(atoms)
    shown = dict(_shown(content, year, sums))
    rows = content.municipalities
    years = sums.cells(*_days(str(year)))
    withheld = {cell for cell in years if (row := rows.get(cell.municipality, {}).get(year)) and row.withheld}
    quarters = {cell for text in _quarters(content, year) for cell in sums.cells(*_days(text))}
    return Said(years, frozenset({*years, *quarters}), sums.wholes, shown, frozenset(withheld))


class _Sums:
    """The cells that were asked for, out of each municipality's atoms in the order of their days."""

    def __init__(self, atoms: Mapping[str, Sequence[Cell]]) -> None:
        self._atoms = atoms
        self.wholes: dict[Cell, Parts] = {}

    def cell(self, code: str, first: date, last: date) -> Cell:
        """The municipality's cell from `first` to `last`, both of which are cuts."""
        parts = tuple(atom for atom in self._atoms[code] if first <= atom.first and atom.last <= last)
        whole = Cell(code, first, last, sum(atom.sessions for atom in parts))
        if parts != (whole,):
            self.wholes[whole] = parts
        return whole

    def cells(self, first: date, last: date) -> Parts:
        """Those of the municipalities that counted anything in these days."""
        return tuple(
            self.cell(code, first, last)
            for code, atoms in self._atoms.items()
            if any(first <= atom.first and atom.last <= last for atom in atoms)
        )


def _shown(content: Content, year: int, sums: _Sums) -> Iterator[tuple[Figure, Parts]]:
    """The figures that `content` shows of `year`, as sums."""
    whole_year = _days(str(year))
    row = content.years[year] if year in content.years else ReleasedYear(covers=False)
    if not row.carried and row.sessions is not None:
        yield _fitting(county_year(year), sums.cells(*whole_year), row.sessions)
    for code, rows in content.municipalities.items():
        if year in rows and (sessions := rows[year].sessions) is not None:
            yield _fitting(municipality_year(code, year), (sums.cell(code, *whole_year),), sessions)
    for text in _quarters(content, year):
        if (sessions := content.quarters[text].sessions) is not None:
            yield _fitting(Figure("quarter", None, text, year), sums.cells(*_days(text)), sessions)
    for figure, last, sessions in _halves(content, year):
        yield _fitting(figure, sums.cells(date(year, 1, 1), last), sessions)


def _fitting(figure: Figure, cells: Parts, sessions: int) -> tuple[Figure, Parts]:
    if sum(cell.sessions for cell in cells) != sessions:
        raise ValueError(f"{figure.kind} {figure.area or ''} {figure.period} is not the sum of its counts")
    return figure, cells


def _halves(content: Content, year: int) -> Iterator[tuple[Figure, date, int]]:
    """The comparable sums about days of `year`: its own, and the earlier one of the year after; with their last day."""
    for stated in (year, year + 1):
        row = content.years.get(stated)
        if row is not None and not row.carried and (through := row.comparable_through) is not None:
            last = date(year, through.month, monthrange(year, through.month)[1])
            sessions = row.comparable_sessions if stated == year else row.comparable_previous_sessions
            yield from [] if sessions is None else [(pair(stated, through), last, sessions)]


def _quarters(content: Content, year: int) -> list[str]:
    """The quarters of `year` about which `content` says a figure, or withholds it."""
    texts = [f"{year}-{quarter}" for quarter in QUARTERS]
    return [
        text for text in texts if (row := content.quarters.get(text)) and (row.withheld or row.sessions is not None)
    ]


def _cuts(content: Content, year: int) -> list[date]:
    """The last days, ascending, of the stretches into which what `content` says divides `year`."""
    ends = {last for _, last, _ in _halves(content, year)} | {date(year, 12, 31)}
    if _quarters(content, year):
        ends |= {_days(f"{year}-{quarter}")[1] for quarter in QUARTERS}
    return sorted(ends)


def _atoms(code: str, counts: Sequence[Count], cuts: Sequence[date]) -> list[Cell]:
    """The municipality's cells between two cuts in which it counted anything."""
    atoms, placed = [], 0
    for first, last in zip([date(cuts[0].year, 1, 1), *(cut + timedelta(days=1) for cut in cuts)], cuts, strict=False):
        if within := [count.sessions for count in counts if first <= count.first and count.last <= last]:
            atoms.append(Cell(code, first, last, sum(within)))
            placed += len(within)
    if placed < len(counts):
        raise ValueError(f"a count of municipality {code} lies on both sides of a day up to which others are added up")
    return atoms


def _of(statement: Statement, year: int) -> Iterator[tuple[str, list[Count]]]:
    """Each municipality with a count in `year`, by code, and those counts."""
    for code, counts in sorted(statement.counts.items()):
        if within := [count for count in counts if count.first.year == year]:
            yield code, within


def _last_counted(cell: Cell, counts: Iterable[Count]) -> date:
    return max(count.last for count in counts if cell.first <= count.first and count.last <= cell.last)


def _year_to_date(code: str, counts: Sequence[Count]) -> Cell:
    """The municipality's year by days, of which these are the counts."""
    return Cell(
        code,
        date(counts[0].first.year, 1, 1),
        max(count.last for count in counts),
        sum(count.sessions for count in counts),
    )


def _days(text: str) -> tuple[date, date]:
    named = period(text)
    return named.first, named.last
