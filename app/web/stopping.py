"""Being stopped: the server first says that it is not ready, and is stopped a moment later."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stopping:
    """Whether this process was asked to stop; while it drains it still answers, but is not ready."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def drained(stopping: Stopping, seconds: float) -> Iterator[None]:
    """Within, SIGTERM first turns `stopping` on and reaches the server so many `seconds` later; a second one at once.

    For use inside the event loop of a server that handles the signal itself already; elsewhere nothing changes.
    """
    handler = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    loop = asyncio.get_running_loop()

    def on_signal(number: int, frame: FrameType | None) -> None:
        asked_before, stopping.asked = stopping.asked, True
        loop.call_soon_threadsafe(loop.call_later, 0 if asked_before else seconds, handler, number, None)

    signal.signal(signal.SIGTERM, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)
