"""Which state of what the public reads is read: an edition, the same for as long as every public answer is."""

from datetime import date
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.clock import Clock, helsinki_day
from app.database import Database, UnsafeDatabase
from app.waiting import Allowance, allowed

Edition = tuple[Any, ...]
"""The Helsinki day, the latest release and status, and the sizes of the tables below; no row is changed or deleted."""

MOST_SECONDS = 2.0
"""For a look; connecting to PostgreSQL has no shorter bound."""

_SIZES = """
    SELECT (SELECT max(id) FROM releases), (SELECT max(id) FROM status_entries), (SELECT count(*) FROM practices),
    (SELECT count(*) FROM counties), (SELECT count(*) FROM municipalities)
"""


def edition_read(db: Session, day: date) -> Edition:
    """The edition that the snapshot of `db` is, for who reads what was published by `day`."""
    return (day, *db.connection().exec_driver_sql(_SIZES).one())


class EditionNow:
    """Looks which edition there is, over a connection of its own: a look costs one round trip and nothing else.

    SQLite's costs 5 microseconds and waits for nobody, so that it may be made between two steps of the event loop; to
    hand it to a thread took twenty times as long.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self._connection: Any = None
        self._embedded = database.engine.dialect.name == "sqlite"

    def glance(self) -> Any:
        """The edition that there is now; None if it takes a `look` to know, which may wait."""
        connection = self._connection
        if connection is None or not self._embedded:
            return None
        try:
            return self._edition(connection)
        except self.database.engine.dialect.loaded_dbapi.Error:
            return None

    def look(self) -> Any:
        """The edition that there is now; None if the database does not answer in time. One look at a time."""
        try:
            with allowed(Allowance(MOST_SECONDS)):
                self._connection = self._connection or self._connected()
                return self._edition(self._connection)
        except (SQLAlchemyError, UnsafeDatabase, self.database.engine.dialect.loaded_dbapi.Error):
            # Whoever asks the long way is told.
            self.close()
            return None

    def close(self) -> None:
        """Let go of the connection; the next look makes another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def today(self) -> date:
        """The day that it is in Helsinki."""
        return helsinki_day(self.clock())

    def _connected(self) -> Any:
        connection = self._opened()
        if self._embedded:
            # Readers wait only where the log is put in order after a crash, and the event loop does not wait at all.
            connection.execute("PRAGMA busy_timeout = 0")
        return connection

    def _opened(self) -> Any:
        return self.database.public_connection_apart()

    def _edition(self, connection: Any) -> Any:
        return (self.today(), *connection.execute(_SIZES).fetchone())
