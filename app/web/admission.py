"""How many requests may use the database at once, and for how long one may wait for it in all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from app.errors import Unavailable
from app.settings import Settings
from app.waiting import Allowance, allowed

RETRY_AFTER = {"Retry-After": "2"}

_ROUND_TRIPS_SECONDS = 0.3
"""What a request may wait beside waiting for its turn, so that the database is first to say that it took too long."""

_MOST_THREADS = 18
"""For each kind; there are 40 threads in all, and what needs no database wants some as well."""

_SCRAPERS = 2
"""Who asks what the server counts has places of its own, so that it is told also when all others are taken."""

_LEAST_SECONDS = 2.0
"""Connecting to PostgreSQL has no shorter bound."""

Kind = Literal["reading", "writing", "scraping"]


class Admission:
    """Places for those who read and for those who write, as many as the pool has connections.

    Who has none waits without a thread; so writers who all wait for one that hangs keep neither readers nor
    /livez waiting, and whoever has a place finds a thread and a connection free.
    """

    def __init__(self, settings: Settings) -> None:
        self.seconds = max(settings.lock_timeout_seconds, _LEAST_SECONDS) + _ROUND_TRIPS_SECONDS
        places = min(settings.pool_size, _MOST_THREADS)
        self.places = {
            "reading": asyncio.Semaphore(places),
            "writing": asyncio.Semaphore(places),
            "scraping": asyncio.Semaphore(_SCRAPERS),
        }

    def allowance(self, state: dict[str, Any]) -> Allowance:
        """What is left of the waiting of the request whose `state` this is."""
        allowance: Allowance = state.setdefault("allowance", Allowance(self.seconds))
        return allowance

    @asynccontextmanager
    async def place(self, kind: Kind, state: dict[str, Any]) -> AsyncIterator[None]:
        """A place until the end; `state`, the request's, keeps what of its waiting is left for a second one.

        Raises:
            Unavailable: none became free in time.
        """
        allowance = self.allowance(state)
        with allowed(allowance):
            await self._wait_for_place(kind, allowance)
            try:
                yield
            finally:
                self.places[kind].release()

    async def _wait_for_place(self, kind: Kind, allowance: Allowance) -> None:
        try:
            with allowance.spending() as left:
                async with asyncio.timeout(left):
                    await self.places[kind].acquire()
        except TimeoutError as error:
            raise Unavailable(
                "too many requests wait for the database; try again in a few seconds", headers=RETRY_AFTER
            ) from error
