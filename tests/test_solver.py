import pytest

from app.solver import NotSolved, Row, cheapest

INFINITE = float("inf")


def test_the_cheapest_whole_numbers_are_found() -> None:
    # Of 3 a + 2 b ≥ 7 the cheapest fractions would be b = 3.5.
    rows = [Row({0: 3, 1: 2}, 7, INFINITE), Row({0: 1, 1: -1}, -INFINITE, 0)]

    assert cheapest([4, 2], rows, [10, 10]) == [0, 4]


def test_the_lightest_cost_counts_beside_the_heaviest() -> None:
    # One part in ten thousand of the first, which there is no way around, is more than all the others together.
    rows = [
        Row({0: 1}, 1, INFINITE),
        Row({1: 35, 2: 29, 3: 18, 4: 11, 5: 36}, 88, INFINITE),
        Row({1: 6, 2: 29, 3: 32, 4: 5, 5: 33}, 88, INFINITE),
    ]

    assert cheapest([1_000_000, 9, 21, 12, 36, 33], rows, [3] * 6) == [1, 1, 0, 3, 0, 0]


def test_none_is_found_where_there_is_none() -> None:
    assert cheapest([1], [Row({0: 2}, 3, 3)], [10]) is None


def test_without_conditions_nothing_is_the_cheapest() -> None:
    assert cheapest([1, 1], [], [5, 5]) == [0, 0]


def test_without_time_nothing_is_known() -> None:
    rows = [Row({0: 3, 1: 5, 2: 7}, 101, 101), Row({0: 1, 1: -1}, 1, INFINITE)]

    with pytest.raises(NotSolved):
        cheapest([3, 2, 4], rows, [99, 99, 99], seconds=0)
