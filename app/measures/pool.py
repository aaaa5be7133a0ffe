"""A pool of database connections that tells how many are in use and how long one was waited for."""

from typing import Any

from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from app.measures.counting import Measures


class WatchedPool(QueuePool):
    """A pool as any other until `watch` is called."""

    # Else its log lines would come under our name, at a level at which SQLAlchemy's own pools are silent.
    _sqla_logger_namespace = "sqlalchemy.pool.WatchedPool"

    measures: Measures | None = None

    def watch(self, measures: Measures) -> None:
        """Tell `measures` from now on."""
        self.measures = measures
        self._tell(measures)

    def recreate(self) -> "WatchedPool":
        """The pool that takes the place of this one, watched as this one is."""
        fresh = super().recreate()
        assert isinstance(fresh, WatchedPool)
        fresh.measures = self.measures
        return fresh

    def connect(self) -> PoolProxiedConnection:
        """A connection; SQLAlchemy asks for each one here."""
        if self.measures is None:
            return super().connect()
        with self.measures.waiting_for_connection():
            connection = super().connect()
        self._tell(self.measures)
        return connection

    def _do_return_conn(self, record: Any) -> None:
        """Take back a connection; every kind of pool does it here."""
        super()._do_return_conn(record)
        if self.measures is not None:
            self._tell(self.measures)

    def _tell(self, measures: Measures) -> None:
        measures.connections(self.checkedout, most=self.size() + self._max_overflow)
