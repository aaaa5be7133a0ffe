"""How far a cell can be from what it is and still fit all that an attacker sees: shown by other tables that do."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from app.intruder.cells import Cell, Equation
from app.intruder.verdict import NotAudited
from app.solver import NotSolved, Row, cheapest

Attacker = str | None
"""A municipality, which knows its own cells; None is the public."""

Table = Mapping[Cell, int]
"""What the cells that differ from the truth would be instead."""

INFINITE = float("inf")


@dataclass(frozen=True, slots=True)
class Goal:
    """What a table is to show: a cell of at least, or at most, so many sessions."""

    cell: Cell
    least: float = -INFINITE
    most: float = INFINITE


class Ranges:
    """What each attacker must think possible of each cell, as far as tables that were found show it.

    Every table is put into the equations again, in whole numbers, before it counts; `tables` are those that held.
    `cells` are those of which the equations speak; any other can be anything.
    """

    def __init__(self, equations: Iterable[Equation], *, threshold: int, seconds: float) -> None:
        self.tables: list[Table] = []
        self._threshold = threshold
        self._seconds = seconds
        self._equations: dict[Cell, list[Equation]] = defaultdict(list)
        self._blocks: dict[Cell, _Block] = {}
        self._ranges: dict[Cell, dict[Attacker, tuple[int, int]]] = defaultdict(dict)
        distinct = frozenset(equations)
        for equation in distinct:
            for cell in equation.cells:
                self._equations[cell].append(equation)
        self.cells = frozenset(self._equations)
        shown = {cell for parts, whole in distinct if whole is None and len(parts) == 1 for cell in parts}
        for cells in connected([equation.cells - shown for equation in distinct]):
            block = _Block(cells, {equation for cell in cells for equation in self._equations[cell]}, threshold)
            self._blocks.update(dict.fromkeys(cells, block))

    def range(self, cell: Cell, attacker: Attacker) -> tuple[int, int]:
        """The least and the greatest that `cell` was shown to be able to be."""
        return self._ranges[cell].get(attacker, (cell.sessions, cell.sessions))

    def attackers(self, cell: Cell) -> set[Attacker]:
        """The public, and every other municipality that knows something which the public does not."""
        municipalities = self._blocks[cell].municipalities if cell in self._blocks else frozenset()
        return {None, *municipalities} - {cell.municipality}

    def offer(self, table: Table) -> bool:
        """Count `table` if it fits all that is said; True if it does."""
        if not self._fits(table):
            return False
        self.tables.append(table)
        moved = {cell.municipality for cell in table}
        for cell, sessions in table.items():
            ranges = self._ranges[cell]
            for attacker in self.attackers(cell) - moved:
                low, high = self.range(cell, attacker)
                ranges[attacker] = min(low, sessions), max(high, sessions)
        return True

    def unconvinced(self, goal: Goal, convinced: Callable[[Attacker], bool]) -> list[Attacker]:
        """The attackers who know better than `goal`, after looking for tables that would convince them.

        One table convinces every attacker whose own cells it leaves as they are, so few have to be found.
        """
        left = self._left(goal, convinced)
        if None in left and not self._find(goal, frozenset()):
            return left
        left = self._left(goal, convinced)
        if len(left) > 1 and self._find(goal, frozenset(left)):
            return []
        return [one for one in left if not convinced(one) and not self._find(goal, frozenset({one}))]

    def extremes(self, cell: Cell, attacker: Attacker) -> tuple[int, int | None]:
        """The bounds of `cell` by the solver's word; the upper one is None at the threshold above the truth or more.

        The tables that reach them are counted.
        """
        low = self._extreme(cell, attacker, -1)
        high = self._extreme(cell, attacker, 1)
        return low, high if high < cell.sessions + self._threshold else None

    def _left(self, goal: Goal, convinced: Callable[[Attacker], bool]) -> list[Attacker]:
        return [one for one in self.attackers(goal.cell) if not convinced(one)]

    def _find(self, goal: Goal, knowing: frozenset[Attacker]) -> bool:
        """Look for a table that reaches `goal` and leaves the cells of those `knowing` as they are."""
        block = self._blocks.get(goal.cell)
        if block is None:
            return False
        table = block.cheapest_table(goal, knowing, self._seconds)
        if table is not None:
            self._take(table)
            if not goal.least <= table.get(goal.cell, goal.cell.sessions) <= goal.most:
                raise NotAudited("the solver's table is not what was asked for")
        return table is not None

    def _extreme(self, cell: Cell, attacker: Attacker, way: int) -> int:
        if cell not in self._blocks:
            return cell.sessions
        table = self._blocks[cell].extreme_table(cell, attacker, way, self._seconds)
        self._take(table)
        return table.get(cell, cell.sessions)

    def _take(self, table: Table) -> None:
        if not self.offer(table):
            raise NotAudited("the solver's table does not fit what the release says")

    def _fits(self, table: Table) -> bool:
        """True if no cell is below 0 and every equation holds as it does in truth."""
        touched = {equation for cell in table for equation in self._equations[cell]}
        changes = {cell: sessions - cell.sessions for cell, sessions in table.items()}
        return min(table.values(), default=0) >= 0 and all(
            sum(changes.get(cell, 0) for cell in parts) == (changes.get(whole, 0) if whole else 0)
            for parts, whole in touched
        )


class _Block:
    """Cells that hang together by equations, as a program of whole numbers.

    Unknowns are how much more (even places) and how much less (odd ones) than it is each cell would be.
    """

    def __init__(self, cells: Iterable[Cell], equations: Iterable[Equation], threshold: int) -> None:
        self.cells = sorted(cells)
        self.municipalities = frozenset(cell.municipality for cell in self.cells)
        self._threshold = threshold
        self._places = {cell: 2 * number for number, cell in enumerate(self.cells)}
        self._rows = [self._row(equation) for equation in sorted(equations, key=str)]
        # A cell that can give up the whole threshold alone is cheaper than several that must: whoever is not moved
        # is convinced.
        self._cost = [cost for cell in self.cells for cost in (1.0, threshold / max(1, min(cell.sessions, threshold)))]

    def cheapest_table(self, goal: Goal, knowing: Collection[Attacker], seconds: float) -> Table | None:
        """A table that reaches `goal` without changing cells of those `knowing`; None if there is none."""
        now = goal.cell.sessions
        wanted = Row(self._change(goal.cell, 1), goal.least - now, goal.most - now)
        return self._solved(self._cost, [*self._rows, wanted], self._upper(knowing), seconds)

    def extreme_table(self, cell: Cell, attacker: Attacker, way: int, seconds: float) -> Table:
        """The table with the greatest (`way` 1), or least (−1), number in `cell`; up to the threshold more than now."""
        cost = [0.0] * len(self._cost)
        place = self._places[cell]
        cost[place], cost[place + 1] = -way, way
        upper = self._upper([attacker])
        upper[place] = self._threshold
        return self._solved(cost, self._rows, upper, seconds) or {}

    def _row(self, equation: Equation) -> Row:
        times: dict[int, int] = {}
        for cell in equation.parts & self._places.keys():
            times |= self._change(cell, 1)
        if equation.whole in self._places:
            times |= self._change(equation.whole, -1)
        return Row(times, 0, 0)

    def _change(self, cell: Cell, times: int) -> dict[int, int]:
        place = self._places[cell]
        return {place: times, place + 1: -times}

    def _upper(self, knowing: Collection[Attacker]) -> list[float]:
        free = [(0.0, 0.0) if cell.municipality in knowing else (INFINITE, cell.sessions) for cell in self.cells]
        return list(chain.from_iterable(free))

    def _solved(self, cost: list[float], rows: list[Row], upper: list[float], seconds: float) -> Table | None:
        try:
            found = cheapest(cost, rows, upper, seconds=seconds)
        except NotSolved as reason:
            raise NotAudited(f"the solver gave up: {reason}") from reason
        if found is None:
            return None
        changes = {cell: found[place] - found[place + 1] for cell, place in self._places.items()}
        return {cell: cell.sessions + change for cell, change in changes.items() if change}


def connected(groups: Iterable[Collection[Cell]]) -> list[set[Cell]]:
    """The cells of `groups` in sets, so that those of one group, and all that share a cell with it, are in one."""
    sets: dict[Cell, set[Cell]] = {}
    for group in groups:
        joined = set(group).union(*(sets[cell] for cell in group if cell in sets))
        for cell in joined:
            sets[cell] = joined
    return list({id(found): found for found in sets.values()}.values())
