"""What attackers see of the cells of one year, and which second tables are known to fit it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, NamedTuple

from app.disclosure.cells import Cell, Figure, Parts

Goal = Literal["zero", "top", "wide"]
Unmet = dict[tuple[int, Goal], list[str]]
"""By unknown and goal: the attackers for whom it is not met."""

Table = Mapping[int, int]
"""By unknown: its sessions where they are others than in truth."""


class Demand(NamedTuple):
    """That an attacker can tell too little of an unknown.

    As far as he sees it could be `zero`, or be the threshold less one (`top`), or be as many consecutive numbers as the
    threshold says (`wide`). The `attacker` is a municipality, or "" for the public.
    """

    unknown: int
    attacker: str
    goal: Goal


@dataclass(frozen=True, slots=True)
class Demanded:
    """The cells of which something is demanded: of `small` ones zero and top, of `wide` ones width."""

    small: frozenset[Cell]
    wide: frozenset[Cell]


class View:
    """The cells of one year, what is fixed for everybody, and what the new release's figures would show.

    `fixed` are sums of cells, each times its number, that nobody can hide; `figures` are sums that can be hidden.
    """

    def __init__(
        self, fixed: Iterable[Mapping[Cell, int]], figures: Mapping[Figure, Parts], others: Iterable[Cell]
    ) -> None:
        sums = list(fixed)
        cells = {
            *others,
            *(cell for row in sums for cell in row),
            *(cell for parts in figures.values() for cell in parts),
        }
        self.cells: Sequence[Cell] = sorted(cells)
        self.index = {cell: number for number, cell in enumerate(self.cells)}
        self.truth = [cell.sessions for cell in self.cells]
        self.owners = [cell.municipality for cell in self.cells]
        self.municipalities = sorted(set(self.owners))
        self.attackers = [*self.municipalities, ""]
        self.fixed = [{self.index[cell]: times for cell, times in row.items()} for row in sums]
        self.figures = {figure: {self.index[cell]: 1 for cell in parts} for figure, parts in figures.items()}
        self._tables: list[tuple[Table, frozenset[str], frozenset[Figure]]] = []
        self._lay_out()

    def fits(self, table: Table) -> bool:
        """True if the table keeps every fixed sum and has no number below 0."""
        return min(table.values(), default=0) >= 0 and not any(self._changes(row, table) for row in self.fixed)

    def changed_by(self, table: Table) -> frozenset[Figure]:
        """The figures that would be others in the table."""
        return frozenset(figure for figure, row in self.figures.items() if self._changes(row, table))

    def keep(self, table: Table) -> None:
        """Remember a table that fits all that is seen now."""
        if table:
            touched = frozenset(self.owners[unknown] for unknown in table)
            self._tables.append((table, touched, self.changed_by(table)))
            self._widen(table, touched)

    def look_again(self, hidden: Collection[Figure]) -> None:
        """Forget the ranges, and take them from the tables that fit what is seen while `hidden` is hidden."""
        self._lay_out()
        for table, touched, changed in self._tables:
            if changed.issubset(hidden):
                self._widen(table, touched)

    def demands(self, demanded: Demanded) -> Unmet:
        """All that is demanded, in a public order."""
        demands: Unmet = {}
        for unknown, cell in enumerate(self.cells):
            goals: list[Goal] = ["zero", "top"] if cell in demanded.small else []
            goals += ["wide"] if cell in demanded.wide else []
            demands |= {
                (unknown, goal): [code for code in self.attackers if code != cell.municipality] for goal in goals
            }
        return demands

    def take_out(self, unmet: Unmet, unknowns: Iterable[int], threshold: int) -> None:
        """Take out of `unmet` what is met by now, as far as it is about these unknowns."""
        goals: tuple[Goal, ...] = ("zero", "top", "wide")
        for unknown, goal in product(unknowns, goals):
            attackers = unmet.get((unknown, goal), [])
            still = [code for code in attackers if not self.is_met(Demand(unknown, code, goal), threshold)]
            if still:
                unmet[unknown, goal] = still
            elif attackers:
                del unmet[unknown, goal]

    def is_met(self, demand: Demand, threshold: int) -> bool:
        """True if the tables known so far reach as far as is demanded."""
        low, high = self.range(demand.unknown, demand.attacker)
        if demand.goal == "zero":
            return low == 0
        return (high if demand.goal == "top" else high - low) >= threshold - 1

    def range(self, unknown: int, attacker: str) -> tuple[int, int]:
        """The least and the greatest number that the unknown has in the tables known to fit what the attacker sees."""
        return self._low[attacker][unknown], self._high[attacker][unknown]

    def _lay_out(self) -> None:
        self._low = {attacker: list(self.truth) for attacker in self.attackers}
        self._high = {attacker: list(self.truth) for attacker in self.attackers}

    def _widen(self, table: Table, touched: Collection[str]) -> None:
        for attacker in self.attackers:
            if attacker in touched:
                continue
            low, high = self._low[attacker], self._high[attacker]
            for unknown, sessions in table.items():
                low[unknown] = min(low[unknown], sessions)
                high[unknown] = max(high[unknown], sessions)

    def _changes(self, row: Mapping[int, int], table: Table) -> bool:
        return sum(row[unknown] * (table[unknown] - self.truth[unknown]) for unknown in row.keys() & table.keys()) != 0
