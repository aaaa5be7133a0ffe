"""How a client takes what waits for it: as long as it takes enough of it in time, it may take as long as it needs."""

import asyncio
import time

LEAST_TAKEN_BYTES = 16_384
"""How much of a waiting answer a client has to take each time."""


class Taking:
    """Ends a connection whose client does not take enough of what waits for it within so many `seconds`."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, *, seconds: float) -> None:
        self.since: float | None = None
        """Since when the client is to take more; None while nothing waits for it, or nobody watches."""
        self._transport = transport
        self._loop = loop
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """Begin, or begin anew, with what waits by now."""
        self.stop()
        waiting = self._transport.get_write_buffer_size()
        if waiting:
            self.since = time.monotonic()
            self._timer = self._loop.call_later(self._seconds, self._look, waiting)

    def stop(self) -> None:
        """Watch no more."""
        self.since = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, waiting_before: int) -> None:
        if self._transport.get_write_buffer_size() > waiting_before - LEAST_TAKEN_BYTES:
            self._transport.abort()
        else:
            self.watch()
