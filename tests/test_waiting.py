"""How long one may wait in all: waiting is taken out of the allowance, computing is not."""

import time
from math import inf

from app.waiting import Allowance, allowed, waiting

A_WHILE = 0.05


def test_whoever_has_no_allowance_waits_for_as_long_as_it_takes() -> None:
    with waiting() as seconds, waiting(3) as bounded:
        assert (seconds, bounded) == (inf, 3)


def test_waiting_is_taken_out_of_the_allowance_and_computing_is_not() -> None:
    allowance = Allowance(10)

    with allowed(allowance):
        time.sleep(A_WHILE)
        with waiting() as first:
            time.sleep(A_WHILE)
        with waiting() as second, waiting(1) as bounded:
            pass

    assert first == 10
    assert 10 - 20 * A_WHILE < second <= 10 - A_WHILE
    assert bounded == 1


def test_an_allowance_that_is_spent_leaves_nothing_and_never_less() -> None:
    allowance = Allowance(A_WHILE)

    with allowed(allowance):
        with waiting():
            time.sleep(2 * A_WHILE)
        with waiting() as left:
            assert left == 0
    with waiting() as outside:
        assert outside == inf
