"""A deadline that moves: missed at the moment set last and at no other, with as few timers as that takes."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from app.web.deadlines import Deadline

NEAR, FAR, NEVER = 0.03, 0.09, 60.0
"""Seconds."""


class Played(NamedTuple):
    """After how many seconds a deadline was missed, how many timers it took, and how many of these still run."""

    missed: list[float]
    timers: int
    left: int


class RememberingLoop(asyncio.SelectorEventLoop):
    """A loop that knows the timers that were started."""

    def __init__(self) -> None:
        super().__init__()
        self.timers: list[asyncio.TimerHandle] = []

    def call_later(self, *arguments: Any, **named: Any) -> asyncio.TimerHandle:  # type: ignore[override]  # any at all
        """Remember it and start it."""
        self.timers.append(super().call_later(*arguments, **named))
        return self.timers[-1]


def played(use: Callable[[Deadline, float], None]) -> Played:
    """What became of a deadline that `use` had set from a moment on."""
    loop, missed, faults = RememberingLoop(), list[float](), list[Any]()
    loop.set_exception_handler(lambda _loop, context: faults.append(context))
    began = time.monotonic()
    deadline = Deadline(loop, lambda: missed.append(time.monotonic() - began))
    use(deadline, began)
    loop.call_at(loop.time() + 2 * FAR, loop.stop)
    loop.run_forever()
    running = [timer for timer in loop.timers if not timer.cancelled() and timer.when() > loop.time()]
    loop.close()
    assert faults == []
    return Played(missed, len(loop.timers), len(running))


def test_what_does_not_come_in_time_is_missed_once() -> None:
    missed, timers, left = played(lambda deadline, now: deadline.set(now + NEAR))

    assert [moment >= NEAR for moment in missed] == [True]
    assert (timers, left) == (1, 0)


def test_a_deadline_that_moves_away_is_missed_at_the_last_moment_set() -> None:
    def moved(deadline: Deadline, now: float) -> None:
        for number in range(1_000):
            deadline.set(now + NEAR + number / 1_000 * (FAR - NEAR))
            deadline.lift()
        deadline.set(now + FAR)

    missed, timers, left = played(moved)

    assert [moment >= FAR for moment in missed] == [True]
    assert (timers, left) == (2, 0)


def test_a_deadline_that_comes_nearer_is_missed_then() -> None:
    def nearer(deadline: Deadline, now: float) -> None:
        deadline.set(now + NEVER)
        deadline.set(now + NEAR)

    missed, timers, left = played(nearer)

    assert [moment >= NEAR for moment in missed] == [True]
    assert (timers, left) == (2, 0)


def test_a_deadline_that_was_lifted_is_not_missed() -> None:
    def lifted(deadline: Deadline, now: float) -> None:
        deadline.set(now + NEAR)
        deadline.lift()

    assert played(lifted) == ([], 1, 0)


def test_a_deadline_that_is_set_again_after_its_timer_ran_out_is_missed() -> None:
    def set_again(deadline: Deadline, now: float) -> None:
        deadline.set(now + NEAR)
        deadline.lift()
        deadline._loop.call_later(2 * NEAR, deadline.set, now + FAR)  # nobody else has the loop here

    assert [moment >= FAR for moment in played(set_again).missed] == [True]


def test_a_deadline_that_ended_leaves_no_timer() -> None:
    def ended(deadline: Deadline, now: float) -> None:
        deadline.end()
        deadline.set(now + NEVER)
        deadline.end()

    assert played(ended) == ([], 1, 0)
