"""A deadline that is set and lifted several times in each request and hardly ever missed."""

import asyncio
import time
from collections.abc import Callable


class Deadline:
    """By when something has to come; `missed` is called once if nobody sets it anew or lifts it before.

    A timer of the loop for every setting was a tenth of what a short answer costs. So there is one, which is left as it
    is when the deadline moves away from it; when it is early it goes on to the deadline of that moment.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, missed: Callable[[], None]) -> None:
        self._loop = loop
        self._missed = missed
        self._due: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0

    def set(self, at: float) -> None:
        """Be missed at the moment `at` of time.monotonic(), and no more at the one that was set before."""
        self._due = at
        if self._timer is None or at < self._timer_due:
            self._start_timer(at)

    def lift(self) -> None:
        """Be missed no more."""
        self._due = None

    def end(self) -> None:
        """Lift it for good, and leave no timer."""
        self.lift()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = at
        self._timer = self._loop.call_later(at - time.monotonic(), self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._due is None:
            return
        if time.monotonic() < self._due:
            self._start_timer(self._due)
        else:
            self._missed()
