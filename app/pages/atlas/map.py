"""The map of a page: every municipality in its place with its stage, leading to what the tables tell of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.pages.atlas.boundaries import MERGED_INTO, Boundaries, boundaries
from app.pages.atlas.drawing import drawn
from app.pages.reading.standings import Standing
from app.pages.wording import Wording

NO_COUNTY = ""
"""What Åland's municipalities are in."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where the municipalities with `codes` lead to together, and how that is called."""

    href: str
    label: str
    codes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Shape:
    """The area of a municipality."""

    name: str
    stage: str
    path: str


@dataclass(frozen=True, slots=True)
class Map:
    """A map of `width` by `height` units; `outer` is the borders of counties, `inner` those within them.

    `outside` is land that the map does not speak of.
    """

    width: int
    height: int
    links: Sequence[tuple[Link, Sequence[Shape]]]
    inner: str
    outer: str
    outside: str


def map_of(
    words: Wording, standings: Sequence[Standing], stages: Mapping[str, str], links: Sequence[Link], *, outside: bool
) -> Map:
    """The municipalities of `standings`, each at its one of `stages` by code, each part of one of the `links`.

    With `outside` also the land that is in no county, which leads nowhere.
    """
    shipped = boundaries()
    names = {standing.place.code: words.name(standing.place) for standing in standings}
    groups = {standing.place.code: standing.place.county or NO_COUNTY for standing in standings}
    others = _others(shipped, groups) if outside else {}
    drawing = drawn(shipped, groups | others)
    shapes = {code: Shape(names[code], stages[code], drawing.areas[code]) for code in names if code in drawing.areas}
    return Map(
        width=drawing.width,
        height=drawing.height,
        links=[(link, [shapes[code] for code in link.codes if code in shapes]) for link in links],
        inner=drawing.inner,
        outer=drawing.outer,
        outside="".join(drawing.areas[code] for code in others),
    )


def _others(shipped: Boundaries, groups: Mapping[str, str]) -> dict[str, str]:
    """The municipalities that no link is about, as one group."""
    known = {code for code in shipped.shapes if code in groups or MERGED_INTO.get(code) in groups}
    return dict.fromkeys(sorted(shipped.shapes.keys() - known), NO_COUNTY)
