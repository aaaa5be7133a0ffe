"""Sums, differences and ratios of what may not be known."""

from datetime import date
from fractions import Fraction

import pytest

from app.series.arithmetic import any_of, difference, earliest, ratio, rounded, same, total

MARCH, JUNE = date(2023, 3, 31), date(2023, 6, 30)


def test_nothing_comes_out_of_what_is_not_known() -> None:
    assert [total([2, 0, 3]), total([2, None]), total(list[int]())] == [5, None, None]
    assert [difference(2, 3), difference(None, 3), difference(2, None)] == [-1, None, None]
    assert [earliest([JUNE, MARCH]), earliest([MARCH, None]), earliest([])] == [MARCH, None, None]


def test_a_ratio_is_exact_and_nothing_is_divided_by_zero() -> None:
    assert [ratio(8, 19), ratio(0, 19), ratio(1, 3, 1000)] == [Fraction(8, 19), 0, Fraction(1000, 3)]
    assert [ratio(None, 19), ratio(8, None), ratio(8, 0)] == [None, None, None]


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (Fraction(2675, 1000), 2, 2.68),
        (Fraction(1, 8), 2, 0.13),
        (Fraction(1, 3), 4, 0.3333),
        (Fraction(5), 2, 5.0),
        (None, 2, None),
    ],
)
def test_a_half_is_rounded_up(value: Fraction | None, decimals: int, expected: float | None) -> None:
    assert rounded(value, decimals) == expected


def test_days_are_the_same_only_if_all_are_known_and_equal() -> None:
    assert [same([MARCH, MARCH]), same([MARCH, JUNE]), same([MARCH, None]), same([None])] == [MARCH, None, None, None]


def test_one_that_is_true_decides_and_one_that_is_unknown_leaves_it_open() -> None:
    assert [any_of([False, False]), any_of([None, True]), any_of([False, None])] == [False, True, None]
