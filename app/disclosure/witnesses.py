"""Second tables: what the cells could be as well, as far as an attacker sees."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from app.disclosure.cells import Figure
from app.disclosure.views import Demand, Table, View
from app.solver import Row, cheapest

ROOM = 10
"""How many thresholds a cell may be away from the truth in a table for which figures would have to be hidden."""

MUCH = 10_000

INFINITE = float("inf")


class Aim(NamedTuple):
    """An unknown, and how far `down` or `up` a table should take it."""

    unknown: int
    way: Literal["down", "up"]
    to: int


def furthest(
    view: View, hidden: Collection[Figure], known: Collection[str], first: Aim, others: Iterable[Aim], *, seconds: float
) -> Table:
    """A table that keeps what is shown and all that the municipalities `known` have, and goes as far as it can.

    As far as `first` goes before all, then as far as the `others` go together. Empty if there is none but the truth.

    Raises:
        NotSolved: it was not found in `seconds`.
    """
    room = sum(view.truth) + first.to
    program = _Program(view, known, room=room)
    unknowns = program.table()
    for figure, row in view.figures.items():
        if figure not in hidden:
            program.keep(unknowns, row)
    aims = {first: MUCH} | {aim: 1 for aim in others if aim != first}
    for aim, cost in aims.items():
        missing = program.unknown(cost, aim.to + view.truth[aim.unknown] + room)
        if aim.way == "up":
            program.at_least(unknowns, aim, missing)
        else:
            program.at_most(unknowns, aim, missing)
    solved = program.solved(seconds)
    table = {} if solved is None else solved[0]
    return table if view.fits(table) and not view.changed_by(table) - set(hidden) else {}


def cheapest_to_hide(
    view: View,
    hidden: Collection[Figure],
    demand: Demand,
    *,
    threshold: int,
    weights: Mapping[Figure, int],
    seconds: float,
) -> Sequence[Table] | None:
    """Tables that would meet the demand if the figures that they change were hidden: those of the least weight.

    None if there are none, whatever is hidden of the figures that have a weight.

    Raises:
        NotSolved: they were not found in `seconds`.
    """
    program = _Program(view, [demand.attacker], room=ROOM * threshold)
    tables = [program.table() for _ in range(2 if demand.goal == "wide" else 1)]
    for figure, row in view.figures.items():
        if figure in weights and figure not in hidden:
            program.pay(tables, row, weights[figure])
        elif figure not in hidden:
            for table in tables:
                program.keep(table, row)
    if demand.goal == "zero":
        program.at_most(tables[0], Aim(demand.unknown, "down", 0))
    elif demand.goal == "top":
        program.at_least(tables[0], Aim(demand.unknown, "up", threshold - 1))
    else:
        program.apart(tables, demand.unknown, threshold - 1)
    solved = program.solved(seconds)
    return solved if solved is not None and all(view.fits(table) for table in solved) else None


class _Program:
    """A whole-number program about tables that keep the fixed sums of `view` and what the `known` have.

    In each table a number is at most `room` away from the truth.
    """

    def __init__(self, view: View, known: Collection[str], *, room: int) -> None:
        self._view = view
        self._known = known
        self._room = room
        self._cost: list[int] = []
        self._upper: list[int] = []
        self._rows: list[Row] = []
        self._tables: list[dict[int, int]] = []

    def unknown(self, cost: int, upper: int) -> int:
        """A new unknown from 0 to `upper`."""
        self._cost.append(cost)
        self._upper.append(upper)
        return len(self._cost) - 1

    def table(self) -> dict[int, int]:
        """A new table: the program's unknown for each unknown of the view that may change.

        The program's is how much the number is above the least that it may be.
        """
        view = self._view
        table = {
            number: self.unknown(0, self._room + sessions - self._least(number))
            for number, (owner, sessions) in enumerate(zip(view.owners, view.truth, strict=True))
            if owner not in self._known
        }
        self._tables.append(table)
        for row in view.fixed:
            self.keep(table, row)
        return table

    def keep(self, table: Mapping[int, int], row: Mapping[int, int]) -> None:
        """The sum stays as it is in truth."""
        self._add(table, row, {}, 0, 0)

    def pay(self, tables: Iterable[Mapping[int, int]], row: Mapping[int, int], weight: int) -> None:
        """The sum may change, in any of the tables, for `weight`."""
        paid = self.unknown(weight, 1)
        most = self._room * len(row)
        for table in tables:
            self._add(table, row, {paid: -most}, -INFINITE, 0)
            self._add(table, row, {paid: most}, 0, INFINITE)

    def at_most(self, table: Mapping[int, int], aim: Aim, missing: int | None = None) -> None:
        """The aim's number is at most what it is to be, but for what is `missing`."""
        short = {} if missing is None else {missing: -1}
        self._add(table, {aim.unknown: 1}, short, -INFINITE, aim.to - self._view.truth[aim.unknown])

    def at_least(self, table: Mapping[int, int], aim: Aim, missing: int | None = None) -> None:
        """The aim's number is at least what it is to be, but for what is `missing`."""
        short = {} if missing is None else {missing: 1}
        self._add(table, {aim.unknown: 1}, short, aim.to - self._view.truth[aim.unknown], INFINITE)

    def apart(self, tables: Sequence[Mapping[int, int]], unknown: int, distance: int) -> None:
        """In the second table the number is greater by `distance` than in the first."""
        self._rows.append(Row({tables[1][unknown]: 1, tables[0][unknown]: -1}, distance, INFINITE))

    def solved(self, seconds: float) -> list[Table] | None:
        """The tables of the least cost, None if there are none; each number has yet to be checked."""
        found = cheapest(self._cost, self._rows, self._upper, seconds=seconds)
        if found is None:
            return None
        truth = self._view.truth
        return [
            {
                number: sessions
                for number, unknown in table.items()
                if (sessions := found[unknown] + self._least(number)) != truth[number]
            }
            for table in self._tables
        ]

    def _add(
        self, table: Mapping[int, int], row: Mapping[int, int], more: Mapping[int, int], least: float, most: float
    ) -> None:
        """How much the sum is above the truth in the table, with `more` added, is from `least` to `most`."""
        times = {table[number]: factor for number, factor in row.items() if number in table}
        if not times:
            return
        # The program's unknowns count from the least number, not from the truth.
        offset = sum(
            factor * (self._view.truth[number] - self._least(number))
            for number, factor in row.items()
            if number in table
        )
        self._rows.append(Row({**times, **more}, least + offset, most + offset))

    def _least(self, number: int) -> int:
        return max(0, self._view.truth[number] - self._room)
