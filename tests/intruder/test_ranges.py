"""Tables that are offered as proof are put into the equations again."""

from datetime import date

from app.intruder.cells import Cell, Equation
from app.intruder.ranges import Ranges, connected


def cell(municipality: str, sessions: int) -> Cell:
    return Cell(municipality, date(2023, 1, 1), date(2023, 12, 31), sessions)


A, B, C, D = cell("a", 1), cell("b", 2), cell("c", 9), cell("d", 7)
TOTAL = Equation(frozenset([A, B, C]), None)
SHOWN = Equation(frozenset([D]), None)


def ranges(*equations: Equation) -> Ranges:
    return Ranges(equations, threshold=5, seconds=60.0)


def test_a_table_that_fits_convinces_everybody_whose_cells_it_leaves() -> None:
    found = ranges(TOTAL)

    assert found.offer({A: 4, C: 6})
    assert [found.range(A, attacker) for attacker in (None, "b", "c")] == [(1, 4), (1, 4), (1, 1)]
    assert found.offer({A: 0, B: 3})
    assert [found.range(A, attacker) for attacker in (None, "b", "c")] == [(0, 4), (1, 4), (0, 1)]
    assert found.tables == [{A: 4, C: 6}, {A: 0, B: 3}]


def test_a_table_that_does_not_fit_convinces_nobody() -> None:
    found = ranges(TOTAL, SHOWN)

    assert not found.offer({A: 4, C: 7})
    assert not found.offer({A: 4, B: -1})
    assert not found.offer({D: 8})
    assert (found.tables, found.range(A, None)) == ([], (1, 1))


def test_a_whole_is_its_parts() -> None:
    part, rest, whole = cell("a", 1), cell("a", 4), cell("a", 5)
    found = ranges(Equation(frozenset([part, rest]), whole))

    assert found.offer({part: 3, whole: 7})
    assert not found.offer({part: 3})
    assert not found.offer({whole: 7})


def test_who_knows_nothing_of_his_own_is_the_public() -> None:
    found = ranges(TOTAL, SHOWN)

    assert found.attackers(A) == {None, "b", "c"}
    assert found.attackers(D) == {None}
    assert found.cells == {A, B, C, D}


def test_what_shares_a_cell_hangs_together() -> None:
    assert {frozenset(one) for one in connected([[A, B], [C], [D, C], [], [A]])} == {
        frozenset([A, B]),
        frozenset([C, D]),
    }
