"""The shapes of the municipalities, read once out of data/ and projected for a map of Finland."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from math import atan2, atanh, cos, degrees, radians, sin, tan
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parent / "data" / "municipalities_2023.topojson"

MERGED_INTO: Mapping[str, str] = {"588": "507"}
"""Who has the land of a municipality that the file draws and the register has ended: Pertunmaa's is Mäntyharju's."""

_CENTRAL_MERIDIAN = 27

Point = tuple[float, float]
"""To the east and to the south, in degrees of a great circle of the Earth (111 km)."""

Ring = Sequence[int]
"""A closed line as the numbers of its arcs; ~n is arc n from its end to its beginning, as TopoJSON has it."""


@dataclass(frozen=True, slots=True)
class Boundaries:
    """`arcs` are the lines between two municipalities, or along the outer edge; `shapes` the rings of each, by code.

    What several shapes share is the same arc. A ring inside another is a hole.
    """

    arcs: Sequence[Sequence[Point]]
    shapes: Mapping[str, Sequence[Ring]]


@cache
def boundaries() -> Boundaries:
    """All that are shipped, in the order of the codes."""
    topology = json.loads(_FILE.read_text(encoding="utf-8"))
    shapes = {shape["id"]: _rings(shape) for shape in topology["objects"]["municipalities"]["geometries"]}
    return Boundaries([_arc(arc, topology["transform"]) for arc in topology["arcs"]], dict(sorted(shapes.items())))


def projected(longitude: float, latitude: float) -> Point:
    """Where a place is on a transverse Mercator map about 27° E, of a spherical Earth (Snyder 1987, 8-1 and 8-3)."""
    east, north = radians(longitude - _CENTRAL_MERIDIAN), radians(latitude)
    x = atanh(cos(north) * sin(east))
    y = atan2(tan(north), cos(east))
    return degrees(x), -degrees(y)


def _rings(shape: Mapping[str, Any]) -> list[Ring]:
    polygons = [shape["arcs"]] if shape["type"] == "Polygon" else shape["arcs"]
    return [ring for polygon in polygons for ring in polygon]


def _arc(steps: Iterable[Sequence[int]], transform: Mapping[str, Sequence[float]]) -> list[Point]:
    """The points of an arc, each of which is told as steps in whole numbers from the one before."""
    (scale_x, scale_y), (left, bottom) = transform["scale"], transform["translate"]
    places = accumulate(steps, lambda place, step: (place[0] + step[0], place[1] + step[1]))
    return [projected(left + scale_x * x, bottom + scale_y * y) for x, y in places]
