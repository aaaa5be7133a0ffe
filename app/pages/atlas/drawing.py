"""How municipalities become the lines of a map: paths of SVG in whole numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.pages.atlas.boundaries import MERGED_INTO, Boundaries, Point, Ring

LONGEST = 2000
"""Units of the longer side of a drawing."""

Dot = tuple[int, int]
Line = Sequence[Dot]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A map of `width` by `height` units; a path is what stands in the `d` of an SVG path.

    `areas` has a path for each municipality; they meet at their borders and never overlap. `inner` is the borders
    between two of one group, `outer` those between groups and the edge of the whole.
    """

    width: int
    height: int
    areas: Mapping[str, str]
    inner: str
    outer: str


def drawn(boundaries: Boundaries, groups: Mapping[str, str]) -> Drawing:
    """The municipalities whose codes are the keys of `groups`, each in the group that it names.

    A municipality has also the land of those merged into it, unless `groups` knows these too. One that `boundaries`
    does not know is not drawn.
    """
    owners = {code: owner for code in boundaries.shapes if (owner := _owner(code, groups)) is not None}
    sides = _sides(boundaries.shapes, owners)
    lines = _fitted({number: boundaries.arcs[number] for number in sides})
    areas: dict[str, str] = {}
    for code, owner in sorted(owners.items()):
        areas[owner] = areas.get(owner, "") + "".join(_area(ring, lines) for ring in boundaries.shapes[code])
    alike = {number for number, between in sides.items() if _alike(between, groups)}
    gone = {number for number in alike if len(set(sides[number])) == 1}
    dots = [dot for line in lines.values() for dot in line]
    return Drawing(
        width=max((x for x, _ in dots), default=0),
        height=max((y for _, y in dots), default=0),
        areas=areas,
        inner="".join(_open(lines[number]) for number in sorted(alike - gone)),
        outer="".join(_open(lines[number]) for number in sorted(sides.keys() - alike)),
    )


def _owner(code: str, groups: Mapping[str, str]) -> str | None:
    """Whose land the shape with `code` is, if it is drawn at all."""
    return next((owner for owner in (code, MERGED_INTO.get(code)) if owner in groups), None)


def _sides(shapes: Mapping[str, Sequence[Ring]], owners: Mapping[str, str]) -> dict[int, list[str]]:
    """By arc: who is on its sides, twice the same where two shapes became one."""
    sides: dict[int, list[str]] = {}
    for code, owner in owners.items():
        for ring in shapes[code]:
            for number in ring:
                sides.setdefault(max(number, ~number), []).append(owner)
    return sides


def _alike(between: Sequence[str], groups: Mapping[str, str]) -> bool:
    """True if both sides of an arc are drawn and of one group."""
    return len(between) == 2 and len({groups[owner] for owner in between}) == 1


def _fitted(arcs: Mapping[int, Sequence[Point]]) -> dict[int, Line]:
    """The arcs moved to begin at 0 and scaled so that the longer side has `LONGEST` units."""
    points = [point for arc in arcs.values() for point in arc]
    left, top = (min((point[axis] for point in points), default=0) for axis in (0, 1))
    longer = max((max(x - left, y - top) for x, y in points), default=1)
    scale = LONGEST / longer
    return {
        number: [(round((x - left) * scale), round((y - top) * scale)) for x, y in arc] for number, arc in arcs.items()
    }


def _area(ring: Ring, lines: Mapping[int, Line]) -> str:
    """The path of a closed ring."""
    dots: list[Dot] = []
    for number in ring:
        line = lines[number] if number >= 0 else lines[~number][::-1]
        # Each arc begins where the one before it ended.
        dots += line[1:]
    return _open(dots) + "z"


def _open(line: Line) -> str:
    """The path from dot to dot, in steps, which are shorter than places."""
    x, y = line[0]
    steps = ((there[0] - here[0], there[1] - here[1]) for here, there in pairwise(line))
    return f"M{x} {y}l" + " ".join(f"{across} {down}" for across, down in steps)
