"""What is kept in memory of what was answered, up to so many bytes."""

from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

LARGEST_BYTES = 1_048_576
"""A larger one is not kept."""


class Sized(Protocol):
    """Something that can be kept."""

    @property
    def size(self) -> int:
        """Bytes."""


Key = TypeVar("Key", bound=Hashable)
One = TypeVar("One", bound=Sized)


class Kept(Generic[Key, One]):
    """What is kept, by key."""

    def __init__(self) -> None:
        self.bytes = 0
        self._kept: dict[Key, One] = {}

    def get(self, key: Key) -> One | None:
        """What is kept under `key`."""
        return self._kept.get(key)

    def keep(self, key: Key, one: One, *, most_bytes: int) -> bool:
        """Keep `one` in place of what was kept under `key`; of more than `most_bytes` the oldest goes.

        False if it is too large to be kept.
        """
        if one.size > LARGEST_BYTES:
            return False
        self._drop(key)
        self._kept[key] = one
        self.bytes += one.size
        while self.bytes > most_bytes:
            self._drop(next(iter(self._kept)))
        return True

    def clear(self) -> None:
        """Keep nothing of it any longer."""
        self._kept.clear()
        self.bytes = 0

    def _drop(self, key: Key) -> None:
        dropped = self._kept.pop(key, None)
        if dropped is not None:
            self.bytes -= dropped.size
