"""Maps out of a few squares that are easily drawn by hand, and the whole country."""

import re

from app.pages.atlas.boundaries import MERGED_INTO, Boundaries, boundaries
from app.pages.atlas.drawing import LONGEST, drawn

# Three squares side by side, the last two named as those that became one:
#
#   0,0 --0-- 1,0 --2-- 2,0 --5-- 3,0
#    |         |         |         |
#    0   one   1  merged 3   into  5
#    |         |         |         |
#   0,1 --0-- 1,1 --4-- 2,1 --5-- 3,1
MERGED, INTO = next(iter(MERGED_INTO.items()))
SQUARES = Boundaries(
    arcs=[
        [(1, 1), (0, 1), (0, 0), (1, 0)],
        [(1, 0), (1, 1)],
        [(1, 0), (2, 0)],
        [(2, 0), (2, 1)],
        [(2, 1), (1, 1)],
        [(2, 0), (3, 0), (3, 1), (2, 1)],
    ],
    shapes={"one": [[0, 1]], MERGED: [[2, 3, 4, ~1]], INTO: [[5, ~3]]},
)
UNIT = round(LONGEST / 3)


def test_an_area_is_a_closed_path_and_the_longer_side_fills_the_box() -> None:
    drawing = drawn(SQUARES, {"one": "A", MERGED: "A", INTO: "B"})

    assert (drawing.width, drawing.height) == (LONGEST, UNIT)
    assert drawing.areas["one"] == f"M0 {UNIT}l0 -{UNIT} {UNIT} 0 0 {UNIT}z"
    assert _dots(drawing.areas[MERGED]) == _square(1, 2)
    assert _dots(drawing.areas[INTO]) == _square(2, 3)
    assert all(area.endswith("z") and area.count("M") == 1 for area in drawing.areas.values())


def test_borders_within_a_group_are_apart_from_those_between_groups() -> None:
    drawing = drawn(SQUARES, {"one": "A", MERGED: "A", INTO: "B"})

    assert _verticals(drawing.inner) == {1}
    assert _verticals(drawing.outer) == {0, 2, 3}


def test_what_was_merged_is_drawn_as_the_one_that_it_became() -> None:
    drawing = drawn(SQUARES, {"one": "A", INTO: "A"})

    assert drawing.areas.keys() == {"one", INTO}
    assert drawing.areas[INTO].count("z") == 2
    assert _dots(drawing.areas[INTO]) == _square(1, 3) | _square(2, 2)
    assert _verticals(drawing.inner) == {1}
    assert _verticals(drawing.outer) == {0, 3}


def test_who_is_not_asked_for_is_not_drawn() -> None:
    drawing = drawn(SQUARES, {"one": "A", "unheard of": "A"})

    assert (drawing.width, drawing.height) == (LONGEST, LONGEST)
    assert drawing.areas.keys() == {"one"}
    assert drawing.inner == ""


def test_of_nobody_nothing_is_drawn() -> None:
    drawing = drawn(SQUARES, {"unheard of": "A"})

    assert (drawing.width, drawing.height, drawing.areas, drawing.inner, drawing.outer) == (0, 0, {}, "", "")


def test_in_whole_units_no_border_crosses_another() -> None:
    drawing = drawn(boundaries(), dict.fromkeys(boundaries().shapes, "FI"))

    sides = sorted({tuple(sorted(side)) for path in drawing.areas.values() for side in _sides(path)})
    crossing = []
    for number, (a, b) in enumerate(sides):
        for c, d in sides[number + 1 :]:
            if c[0] > b[0]:
                break
            if min(c[1], d[1]) <= max(a[1], b[1]) and min(a[1], b[1]) <= max(c[1], d[1]) and _cross(a, b, c, d):
                crossing.append((a, b, c, d))

    assert len(drawing.areas) == 309
    assert crossing == []


Dot = tuple[int, int]


def _square(left: int, right: int) -> set[Dot]:
    return {(round(LONGEST * x / 3), round(LONGEST * y / 3)) for x in (left, right) for y in (0, 1)}


def _dots(path: str) -> set[Dot]:
    return {dot for side in _sides(path) for dot in side}


def _verticals(path: str) -> set[int]:
    """Where there are upright borders, in squares from the left."""
    return {round(3 * x / LONGEST) for (x, top), (there, bottom) in _sides(path) if x == there and top != bottom}


def _sides(path: str) -> list[tuple[Dot, Dot]]:
    """The sides of a path of our own kind: moves, steps and closes."""
    sides = []
    for part in re.findall(r"M([^Mz]+)(z?)", path):
        begin, steps = part[0].split("l")
        x, y = map(int, begin.split())
        dots = [(x, y)]
        numbers = list(map(int, steps.split()))
        for across, down in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = x + across, y + down
            dots.append((x, y))
        sides += list(zip(dots, dots[1:] + dots[:1] * bool(part[1]), strict=False))
    return sides


def _cross(a: Dot, b: Dot, c: Dot, d: Dot) -> bool:
    """Whether each of two sides has the ends of the other on both sides of it."""
    return _turn(a, b, c) * _turn(a, b, d) < 0 and _turn(c, d, a) * _turn(c, d, b) < 0


def _turn(a: Dot, b: Dot, c: Dot) -> int:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
