"""Looking at what the database has now, once for all who ask meanwhile."""

import asyncio
from collections.abc import Callable, Hashable

from fastapi.concurrency import run_in_threadpool

MOST_LOOK_SECONDS = 0.3
"""After so long a look is not waited for, so that time is left for the long way."""


class Sight:
    """What there is now, by a glance between two steps of the event loop or else by a look in a thread."""

    def __init__(self, glance: Callable[[], Hashable | None], look: Callable[[], Hashable | None]) -> None:
        self._glances = Glances(glance)
        self._looks = Looks(look)

    async def now(self) -> Hashable | None:
        """What is seen by one that begins after this call; None if nobody can tell soon."""
        return self._glances.one() or await self._looks.one()


class Glances:
    """One glance for all whose requests had come when it was made."""

    def __init__(self, glance: Callable[[], Hashable | None]) -> None:
        self.glance = glance
        self._made = False
        self._found: Hashable | None = None

    def one(self) -> Hashable | None:
        """What a glance finds that was made after whoever asks was put into the queue of the event loop."""
        if not self._made:
            # The queue keeps its order: whoever asks before it comes to this was in it before the glance.
            asyncio.get_running_loop().call_soon(self._forget)
            self._made, self._found = True, self.glance()
        return self._found

    def _forget(self) -> None:
        self._made = False


class Looks:
    """One look for all who ask before it begins, one after the other, each in a thread."""

    def __init__(self, look: Callable[[], Hashable | None]) -> None:
        self.look = look
        self._running: asyncio.Task[Hashable | None] | None = None
        self._next: asyncio.Task[Hashable | None] | None = None
        self._looking: asyncio.Task[Hashable | None] | None = None

    async def one(self) -> Hashable | None:
        """What a look finds that begins after this call; None if that is not known soon."""
        if self._next is None:
            self._next = asyncio.create_task(self._take_turn(self._running))
        # Whoever goes away does not take the look from the others.
        return await asyncio.shield(self._next)

    async def _take_turn(self, before: "asyncio.Task[Hashable | None] | None") -> Hashable | None:
        if before is not None and not before.done():
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        if self._looking is not None and not self._looking.done():
            return None
        self._looking = asyncio.create_task(run_in_threadpool(self.look))
        done, _ = await asyncio.wait([self._looking], timeout=MOST_LOOK_SECONDS)
        return self._looking.result() if done else None
