"""Columns: as high as their figures say, one on the other, side by side."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from app.pages.figures.chart import BASELINE, TOP, WIDTH, Stack, columns, crowded, squeezed

QUIETLY = settings(derandomize=True, database=None, deadline=None, max_examples=60)
HEIGHT = BASELINE - TOP
# Edges are rounded to hundredths, and a height lies between two.
NEARLY = 0.011

figures = st.integers(0, 1_000_000) | st.integers(0, 20)
stacks = st.lists(
    st.builds(
        Stack, st.lists(st.tuples(st.sampled_from(["in_use", "pilot"]), figures), max_size=3), st.none() | figures
    ),
    min_size=1,
    max_size=8,
)


def of_greatest(figure: int, shown: list[Stack]) -> float:
    """How high a figure is to be."""
    greatest = max([stack.whole or 0 for stack in shown] + [sum(f for _, f in stack.parts) for stack in shown])
    return float(Fraction(figure, greatest) * HEIGHT)


@QUIETLY
@given(stacks)
def test_heights_are_proportional_to_figures(shown: list[Stack]) -> None:
    for stack, column in zip(shown, columns(shown), strict=True):
        drawn = [part for part in stack.parts if part[1]]
        assert [block.kind for block in column.blocks] == [kind for kind, _ in drawn]
        for (_, figure), block in zip(drawn, column.blocks, strict=True):
            assert block.height == pytest.approx(of_greatest(figure, shown), abs=NEARLY)
        if stack.whole:
            assert column.outline is not None
            assert column.outline.height == pytest.approx(of_greatest(stack.whole, shown), abs=NEARLY)
        assert (column.outline is None) == (stack.whole is None)


@QUIETLY
@given(stacks)
def test_blocks_stand_on_one_another_and_all_on_one_line(shown: list[Stack]) -> None:
    for column in columns(shown):
        floor = float(BASELINE)
        for block in column.blocks:
            assert block.y + block.height == pytest.approx(floor)
            floor = block.y
        ends = [floor]
        if column.outline:
            assert column.outline.y + column.outline.height == pytest.approx(BASELINE)
            ends.append(column.outline.y)
        assert column.top == min(ends) >= TOP


@QUIETLY
@given(stacks)
def test_columns_stand_side_by_side_within_the_drawing(shown: list[Stack]) -> None:
    placed = columns(shown)

    assert all(one.x + one.width < following.x for one, following in pairwise(placed))
    assert placed[0].x > 0
    assert placed[-1].x + placed[-1].width < WIDTH
    assert all(one.x + one.width / 2 == pytest.approx(one.middle, abs=NEARLY) for one in placed)


def test_nothing_and_zero_have_no_height() -> None:
    nothing, zero = columns([Stack(), Stack([("pilot", 0)], 0)])

    assert (nothing.blocks, nothing.outline, nothing.top) == ([], None, BASELINE)
    assert (zero.blocks, zero.top) == ([], BASELINE)
    assert zero.outline is not None
    assert zero.outline.height == 0
    assert columns([]) == []


def test_figures_are_written_small_and_squeezed_only_where_they_must_be() -> None:
    assert not crowded([])
    assert not crowded(["1 234"] * 6)
    assert crowded(["1 234"] * 7)
    assert squeezed("1 234", 8) is None
    assert squeezed("12 345", 8) == 38
