"""The shipped boundaries against the register that ships, and against places whose coordinates everybody knows."""

import csv
from collections.abc import Sequence
from itertools import pairwise
from math import degrees
from pathlib import Path

import pytest

import app.places
from app.pages.atlas.boundaries import MERGED_INTO, Point, Ring, boundaries, projected

REGISTER = Path(app.places.__file__).parent / "data" / "municipalities.csv"


def register() -> list[dict[str, str]]:
    with REGISTER.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_projection_is_the_one_of_the_textbook() -> None:
    # Snyder, Map Projections: A Working Manual (1987), page 268: 1.5 degrees from the meridian, at 40.5 north.
    x, y = projected(28.5, 40.5)

    assert x == pytest.approx(degrees(0.0199077), abs=1e-5)
    assert y == pytest.approx(-degrees(0.7070276), abs=1e-5)


def test_every_municipality_of_today_has_a_shape_and_every_shape_a_municipality_of_today() -> None:
    today = {row["code"] for row in register() if not row["valid_to"]}
    successors = {row["code"]: row["successor_code"] for row in register() if row["valid_to"]}
    shapes = boundaries().shapes.keys()

    assert today - shapes == set()
    assert {code: successors[code] for code in shapes - today} == MERGED_INTO


def test_every_ring_is_closed() -> None:
    shipped = boundaries()

    open_rings = [
        code
        for code, rings in shipped.shapes.items()
        for ring in rings
        if any(_line(one)[-1] != _line(next_one)[0] for one, next_one in pairwise([*ring, ring[0]]))
    ]

    assert open_rings == []


def test_neighbours_share_their_border_so_that_none_overlaps_another() -> None:
    users: dict[int, list[str]] = {}
    for code, rings in boundaries().shapes.items():
        for number in (number for ring in rings for number in ring):
            users.setdefault(number, []).append(code)

    # Along an arc each way has one municipality; but Espoo goes round its hole as Kauniainen goes round itself.
    assert [codes for codes in users.values() if len(codes) > 1] == [["049", "235"]]
    assert {max(number, ~number) for number in users} == set(range(len(boundaries().arcs)))


@pytest.mark.parametrize(
    ("place", "code", "longitude", "latitude"),
    [
        ("Helsinki", "091", 24.945, 60.18),
        ("Kuopio", "297", 27.68, 62.89),
        ("Utsjoki", "890", 27.02, 69.90),
        ("Kauniainen, inside Espoo", "235", 24.72, 60.21),
        ("Mäntyharju", "507", 26.88, 61.42),
        ("Pertunmaa, merged into it", "588", 26.48, 61.50),
    ],
)
def test_a_place_lies_in_its_municipality_and_in_no_other(
    place: str, code: str, longitude: float, latitude: float
) -> None:
    point = projected(longitude, latitude)

    assert [found for found, rings in boundaries().shapes.items() if _inside(point, rings)] == [code], place


def _line(number: int) -> Sequence[Point]:
    arcs = boundaries().arcs
    return arcs[number] if number >= 0 else arcs[~number][::-1]


def _inside(point: Point, rings: Sequence[Ring]) -> bool:
    """Whether a ray to the east crosses the rings an odd number of times."""
    x, y = point
    crossings = 0
    for ring in rings:
        for number in ring:
            for (x1, y1), (x2, y2) in pairwise(_line(number)):
                crossings += (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1)
    return crossings % 2 == 1
