"""Being stopped: the server first says that it is not ready, then finishes what it has, and tells no falsehood."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import Unavailable, problem_response


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


class StoppedAnswers:
    """Answers 503 to a request that takes longer than a server that stops can wait for.

    Uvicorn cancels it and would answer 500; the database may still be at it, so that nobody knows what was stored.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and answer if it is cancelled unanswered."""
        started = False

        async def send_seen(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_seen)
        except asyncio.CancelledError:
            if scope["type"] == "http" and not started:
                problem = Unavailable(
                    "the server stops and could not wait; whether anything was stored is unknown, so ask again",
                    headers={"Retry-After": "2", "Connection": "close"},
                )
                await problem_response(Request(scope), problem)(scope, receive, send)
            raise
