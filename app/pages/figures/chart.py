"""Where the columns of a chart stand and how high they are: numbers alone, without words and colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

WIDTH = 320
"""Of a drawing, in its own units; wide enough to be read where it is no wider than a telephone."""

MOST_YEARS = 8
"""So many columns can be told apart, and their figures read, on a telephone; the tables have all."""

TOP, BASELINE = 36, 156
"""The highest column reaches from one to the other."""

# Of a digit above a column, in a wide font, and where columns stand close.
_DIGIT = 10
_SMALL_DIGIT = 7.5
_WIDEST = 52
_SHARE_OF_SLOT = 0.64


@dataclass(frozen=True, slots=True)
class Stack:
    """What a column shows: the kind and figure of its `parts` from the bottom up, and the `whole` they are part of.

    Without parts, or without a whole, there is no such figure, which is not the same as zero.
    """

    parts: Sequence[tuple[str, int]] = ()
    whole: int | None = None

    @property
    def reach(self) -> int:
        """The greatest figure in it."""
        return max(sum(figure for _, figure in self.parts), self.whole or 0)


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle of a column; `y` is its upper edge, and y grows downwards."""

    kind: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """Where a column stands: its left edge, its middle, its upper end, and the blocks from the bottom up."""

    x: float
    width: float
    middle: float
    top: float
    blocks: Sequence[Block]
    outline: Block | None


def columns(stacks: Sequence[Stack]) -> list[Column]:
    """A column for each of `stacks`, side by side, all on one scale on which the greatest figure reaches the top."""
    greatest = max((stack.reach for stack in stacks), default=0)
    unit = (BASELINE - TOP) / greatest if greatest else 0.0
    return [_column(stack, place, len(stacks), unit) for place, stack in enumerate(stacks)]


def crowded(figures: Sequence[str]) -> bool:
    """True if one of `figures`, each above its column, is too wide to be written large."""
    return max(map(len, figures), default=0) * _DIGIT > WIDTH / max(len(figures), 1)


def squeezed(figure: str, places: int) -> float | None:
    """What width is left for `figure` above one of so many columns; None if it fits when written small."""
    room = _rounded(WIDTH / places - 2)
    return room if len(figure) * _SMALL_DIGIT > room else None


def _column(stack: Stack, place: int, places: int, unit: float) -> Column:
    slot = WIDTH / places
    width = min(slot * _SHARE_OF_SLOT, _WIDEST)
    middle = slot * (place + 0.5)
    return Column(
        x=_rounded(middle - width / 2),
        width=_rounded(width),
        middle=_rounded(middle),
        top=_level(stack.reach, unit),
        blocks=_blocks(stack.parts, unit),
        outline=None if stack.whole is None else _block("whole", 0, stack.whole, unit),
    )


def _blocks(parts: Sequence[tuple[str, int]], unit: float) -> list[Block]:
    """One on the other; a part of nothing has no block."""
    edges = pairwise(accumulate((figure for _, figure in parts), initial=0))
    return [_block(kind, *edge, unit) for (kind, figure), edge in zip(parts, edges, strict=True) if figure]


def _block(kind: str, bottom: int, top: int, unit: float) -> Block:
    upper = _level(top, unit)
    return Block(kind, upper, _rounded(_level(bottom, unit) - upper))


def _level(figure: int, unit: float) -> float:
    return _rounded(BASELINE - figure * unit)


def _rounded(length: float) -> float:
    """To a hundredth of a unit, which nobody sees."""
    return round(length, 2)
