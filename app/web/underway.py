"""Answers that are being made, so that who asks the same meanwhile waits for one instead of making another."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

MOST_SECONDS = 1.0
"""After so long nobody is waited for."""

Key = TypeVar("Key", bound=Hashable)
One = TypeVar("One")


class Underway(Generic[Key, One]):
    """What is being made, by key."""

    def __init__(self) -> None:
        self._making: dict[Key, asyncio.Future[One | None]] = {}

    async def of_another(self, key: Key, good: Callable[[One], Awaitable[bool]]) -> One | None:
        """What another makes of `key` now, or next; None if whoever asks has to make it.

        What was begun before this call is taken if it is `good`, and what was begun after it as it is.
        """
        making = self._making.get(key)
        if making is None:
            return None
        made = await _made(making)
        if made is not None and await good(made):
            return made
        following = self._making.get(key)
        return await _made(following) if following not in (None, making) else None

    @contextmanager
    def making(self, key: Key) -> Iterator[Callable[[One | None], None]]:
        """To be entered by who makes what others may wait for, and told what came of it: None if it is only for one."""
        making: asyncio.Future[One | None] = asyncio.get_running_loop().create_future()

        def made(one: One | None) -> None:
            if not making.done():
                making.set_result(one)
            if self._making.get(key) is making:
                del self._making[key]

        self._making.setdefault(key, making)
        try:
            yield made
        finally:
            made(None)


async def _made(making: asyncio.Future[One | None]) -> One | None:
    done, _ = await asyncio.wait([making], timeout=MOST_SECONDS)
    return making.result() if done else None
