"""A connection to PostgreSQL that keeps nobody waiting for longer than the request may wait."""

import select
from collections.abc import Mapping, Sequence
from math import inf
from time import monotonic
from typing import Any, Self, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

from app.waiting import Allowance, allowed, waiting

LEAST_CONNECT_SECONDS = 2
"""The shortest bound that libpq takes for connecting; it takes whole seconds."""

FRESH_SECONDS = 1.0
"""For so long after an answer a connection is held for one that answers, unless its server has said something since."""

_Got = TypeVar("_Got")


class PatientConnection(psycopg.Connection[Any]):
    """A connection that is given up once its server has kept a request waiting for as long as it may wait.

    The server's own timeouts are no help against a network that swallows its answers, nor is TCP's against a
    middlebox that acknowledges what it does not pass on.
    """

    _heard = -inf

    @classmethod
    def connected(cls, arguments: Sequence[Any], parameters: Mapping[str, Any]) -> Self:
        """A new connection, made in the time that the request has left.

        Raises:
            psycopg.OperationalError: the server cannot be reached, or not in time.
        """
        with waiting() as seconds:
            if seconds < LEAST_CONNECT_SECONDS:
                raise psycopg.OperationalError("no time is left to connect to the database")
            bound = {} if seconds == inf else {"connect_timeout": int(seconds)}
            return cls.connect(*arguments, **{**parameters, **bound})

    def wait(self, gen: PQGen[_Got], interval: float = 0.1, timeout: float | None = None) -> _Got:
        """What `gen` waits for.

        Raises:
            psycopg.OperationalError: it did not come in time; whether it was carried out is unknown.
        """
        with waiting(inf if timeout is None else timeout) as seconds:
            try:
                got = super().wait(gen, interval, None if seconds == inf else seconds)
                self._heard = monotonic()
                return got
            except psycopg.OperationalError:
                if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                    # Its answer is still under way, and the next question would get it.
                    self.close()
                raise

    def cursor_of_texts(self) -> psycopg.ClientCursor[Any]:
        """A cursor that writes values into the texts of statements, of which it can carry out several at once."""
        return psycopg.ClientCursor(self)

    def answers(self, *, within: float) -> bool:
        """True if the server answers within so many seconds; otherwise the connection is closed.

        It is not asked if it answered a moment ago and has not ended the connection since.
        """
        if monotonic() - self._heard < FRESH_SECONDS and not self._spoken_to():
            return True
        try:
            with waiting(within) as seconds, allowed(Allowance(seconds)):
                self.autocommit = True
                self.execute("SELECT 1")
                self.autocommit = False
        except psycopg.Error:
            self.close()
            return False
        return True

    def _spoken_to(self) -> bool:
        """Whether something has arrived that nobody asked for, as when the server ends or loses the connection."""
        arrived = select.poll()
        arrived.register(self.fileno(), select.POLLIN)
        return bool(arrived.poll(0))
