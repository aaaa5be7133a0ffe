"""How long one request may wait in all, whatever it waits for: its turn to ask, a connection, each answer to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from time import monotonic


class Allowance:
    """Seconds that may still be spent on waiting; computing costs none of them.

    So a large submission may take its time, and a database that stops answering costs a caller no more than this,
    however many statements there are.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    @contextmanager
    def spending(self) -> Iterator[float]:
        """Take what is waited for inside out of the allowance; gives what is left of it, 0 at least."""
        began = monotonic()
        try:
            yield max(0.0, self.seconds)
        finally:
            self.seconds -= monotonic() - began


_current: ContextVar[Allowance | None] = ContextVar("allowance", default=None)


@contextmanager
def allowed(allowance: Allowance) -> Iterator[None]:
    """Whoever waits inside waits within `allowance`."""
    before = _current.get()
    _current.set(allowance)
    try:
        yield
    finally:
        # Not by a token: what begins and what ends a request may run in copies of one context.
        _current.set(before)


@contextmanager
def waiting(most: float = inf) -> Iterator[float]:
    """To be entered for every wait: how many seconds it may take, `most` at most.

    Infinitely many if nobody set a bound, as for a command.
    """
    allowance = _current.get()
    if allowance is None:
        yield most
        return
    with allowance.spending() as left:
        yield min(left, most)
