"""How the releases look to whoever reads the new one by itself, and all of them together, year by year."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from app.disclosure.cells import Cell, Figure, Parts, Said, growth, said_by_days, said_by_value, stated_years
from app.disclosure.views import Demanded, View
from app.series.content import Statement


@dataclass(frozen=True, slots=True)
class Sight:
    """A view of a year, and what the releases that it is made of say.

    `public` are cells that may be withheld although everybody knows them: that hides only what came since.
    """

    view: View
    new: Said
    others: Sequence[Said]
    public: frozenset[Cell]
    alone: bool
    together: bool

    def demanded(self, hidden: Collection[Figure], threshold: int) -> Demanded:
        """The cells that have to be protected while `hidden` is hidden."""
        ours = self.new.cells | _of_pairs(self.new, hidden)
        small = frozenset(cell for cell in ours if cell.sessions < threshold)
        if not self.together:
            return Demanded(small, frozenset())
        theirs = {cell for release in self.others for cell in release.cells | _of_pairs(release, ())}
        withheld = {cell for release in self.others for cell in release.withheld}
        withheld |= {
            cell for figure in hidden if figure.kind == "municipality" for cell in self.new.shown.get(figure, ())
        }
        wide = small | {cell for cell in theirs if cell.sessions < threshold} | (withheld - self.public)
        return Demanded(small if self.alone else frozenset(), wide)


def sights_of(year: int, new: Statement, earlier: Sequence[Statement]) -> list[Sight]:
    """How `year` looks in the new release by itself, and with the earlier ones: by days, and by value if that differs.

    The first is that of the new release by itself.
    """
    before = speaking(year, earlier)
    totals = _imported(year, earlier)
    ours = said_by_days(new, year)
    alone = View(_structure(ours.wholes), ours.shown, ours.cells)
    if not before and not totals:
        return [Sight(alone, ours, (), frozenset(), alone=True, together=True)]
    in_turn = [*before, new]
    by_days = [said_by_days(statement, year) for statement in in_turn]
    by_value = [said_by_value(statement, year) for statement in in_turn]
    grown = [dict(growth(*two, year)) for two in combinations(in_turn, 2)]
    sights = [
        Sight(alone, ours, (), frozenset(), alone=True, together=False),
        _together(by_days, totals, grown, frozenset()),
    ]
    if not before or by_days == by_value:
        return sights
    return [*sights, _together(by_value, totals, [], _public(by_value[:-1]))]


def speaking(year: int, earlier: Sequence[Statement]) -> list[Statement]:
    """The earlier releases that were made of counts and say something of `year`."""
    return [statement for statement in earlier if statement.counts and year in years_of(statement)]


def years_of(statement: Statement) -> list[int]:
    """The years, ascending, of which the release states something, and those before with which they are compared."""
    rows = statement.content.years
    years = stated_years(statement.content)
    return sorted({*years, *(year - 1 for year in years if rows[year].comparable_previous_sessions is not None)})


def _together(
    releases: Sequence[Said],
    totals: Collection[int],
    grown: Iterable[Mapping[Cell, Parts]],
    public: frozenset[Cell],
) -> Sight:
    """What `releases`, of which the last is the new one, say with imported `totals` and with the years that went on."""
    *theirs, ours = releases
    fixed = [row for release in releases for row in _structure(release.wholes)]
    fixed += [row for years in grown for row in _structure(years)]
    fixed += [dict.fromkeys(parts, 1) for release in theirs for parts in release.shown.values()]
    for release in releases:
        if release.years and sum(cell.sessions for cell in release.years) in totals:
            fixed.append(dict.fromkeys(release.years, 1))
    others = [cell for release in releases for cell in release.cells]
    return Sight(View(fixed, ours.shown, others), ours, theirs, public, alone=False, together=True)


def _public(releases: Iterable[Said]) -> frozenset[Cell]:
    """The cells of which a figure says the number."""
    return frozenset(parts[0] for release in releases for parts in release.shown.values() if len(parts) == 1)


def _imported(year: int, earlier: Sequence[Statement]) -> list[int]:
    """The totals of `year` of the releases that were made public without their counts."""
    return [
        total
        for statement in earlier
        if not statement.counts
        and (row := statement.content.years.get(year)) is not None
        and not row.carried
        and (total := row.sessions) is not None
    ]


def _structure(wholes: Mapping[Cell, Parts]) -> Iterator[dict[Cell, int]]:
    """What is zero in every table: each whole less its parts."""
    for whole, parts in wholes.items():
        yield {whole: 1} | dict.fromkeys(parts, -1)


def _of_pairs(release: Said, hidden: Collection[Figure]) -> frozenset[Cell]:
    """The cells of the comparable sums that the release shows."""
    return frozenset(
        cell
        for figure, parts in release.shown.items()
        if figure.kind == "pair" and figure not in hidden
        for cell in parts
    )
