"""The database: its engine, SQLite's manners, constraint names, and one transaction per request."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from opentelemetry.trace import NoOpTracer, Tracer
from sqlalchemy import Connection, Engine, MetaData, String, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlmodel import Field, Session, SQLModel

from app.clock import RESOLUTION, Clock
from app.measures.counting import Measures
from app.measures.pool import WatchedPool
from app.settings import Settings

LARGEST_ID = 2**31 - 1
"""The largest number that an id can be: PostgreSQL's INTEGER holds no more, and refuses to look for it."""

WRITER_LOCK = 7_203_011
"""The number of PostgreSQL's advisory lock that the one writer holds."""

POSTED = "posted"
"""Where in `info` of a session stands how many rows of a post came to each outcome, to be counted once it is kept."""

_DURABLE = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


class Base(SQLModel):
    """What every table derives from; its own metadata, since names given to SQLModel's get lost."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class LastWrite(Base, table=True):
    """One row: the moment of the latest write, so that the next one is later even if the clock was set back."""

    __tablename__ = "last_write"

    id: int = Field(default=1, primary_key=True)
    recorded_at: datetime


class UnsafeDatabase(Exception):
    """The database does not keep what makes an acknowledged write survive a power cut."""


def code_column(length: int) -> Any:
    """A column type for codes: sorted by their bytes on both databases, as Python sorts them."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class Database:
    """One engine and its sessions; only here are transactions committed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.engine = _engine(settings)
        self.tracer: Tracer = NoOpTracer()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one moment of the database throughout and keeps nothing."""
        reading = self.engine.execution_options(**self._snapshot())
        with self._traced("reading"), Session(reading, expire_on_commit=False) as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that is committed at the end, or rolled back whole on an error; see `take_turn`."""
        with self._traced("writing"), Session(self.engine, expire_on_commit=False) as db:
            yield db
            try:
                db.commit()
            except Exception:
                # SQLite leaves the transaction open, and SQLAlchemy, which holds it for ended, would pool it as it is.
                db.invalidate()
                raise

    def erase_deleted(self) -> None:
        """Leave nothing of deleted rows in the database's own files: neither in freed pages nor in SQLite's log.

        PostgreSQL keeps older write-ahead segments until it recycles them.
        """
        statement = "PRAGMA wal_checkpoint(TRUNCATE)" if self.engine.dialect.name == "sqlite" else "VACUUM notes"
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(statement)

    def watch(self, measures: Measures) -> None:
        """Have `measures` told of the connections in use from now on."""
        assert isinstance(self.engine.pool, WatchedPool)
        self.engine.pool.watch(measures)

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def _traced(self, kind: str) -> Iterator[None]:
        """A span for a transaction; it says of which kind what undid it was, never its words."""
        # Not made the current one: FastAPI ends a dependency in another thread, which could not put the last one back.
        span = self.tracer.start_span(f"transaction {kind}", attributes={"db.system.name": self.engine.dialect.name})
        try:
            yield
        except BaseException as error:
            span.set_attribute("error.type", type(error).__qualname__)
            raise
        finally:
            span.end()

    def _snapshot(self) -> dict[str, Any]:
        if self.engine.dialect.name == "sqlite":
            return {}
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def take_turn(db: Session, clock: Clock) -> datetime:
    """Wait to be the only writer; the moment to record at, later than every one before."""
    wait_for_turn(db)
    last = db.get_one(LastWrite, 1, populate_existing=True)
    last.recorded_at = max(clock(), last.recorded_at + RESOLUTION)
    db.add(last)
    return last.recorded_at


def wait_for_turn(db: Session) -> None:
    """Wait to be the only writer, for what is no figure and takes no moment of its own.

    What `db` had read so far is read anew: it may have changed while waiting. The turn ends with the transaction.
    """
    db.rollback()
    if is_sqlite(db):
        db.connection(execution_options={"begin": "IMMEDIATE"})
    else:
        db.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": WRITER_LOCK})


def settle(db: Session, moment: datetime) -> None:
    """Wait until nothing more can be recorded at or before `moment`, which is past.

    Whoever has its turn records later than the latest write, so only a `moment` after that has to wait for the turn
    to end; who takes the next turn records later than `moment`.
    """
    if moment <= db.get_one(LastWrite, 1).recorded_at:
        return
    db.rollback()
    if is_sqlite(db):
        db.connection(execution_options={"begin": "IMMEDIATE"})
    else:
        db.execute(text("SELECT pg_advisory_xact_lock_shared(:number)"), {"number": WRITER_LOCK})
    db.rollback()


def is_sqlite(db: Session) -> bool:
    """True on SQLite, False on PostgreSQL."""
    return db.get_bind().dialect.name == "sqlite"


def _engine(settings: Settings) -> Engine:
    if settings.database_url.startswith("sqlite"):
        return _sqlite_engine(settings)
    milliseconds = int(settings.lock_timeout_seconds * 1000)
    return create_engine(
        settings.database_url,
        hide_parameters=True,
        poolclass=WatchedPool,
        pool_size=settings.pool_size,
        max_overflow=settings.pool_size,
        pool_pre_ping=True,
        pool_timeout=settings.lock_timeout_seconds,
        connect_args={
            "options": f"-c lock_timeout={milliseconds} -c timezone=UTC",
            # Whole seconds, and 2 at least: libpq takes no less.
            "connect_timeout": max(2, math.ceil(settings.lock_timeout_seconds)),
        },
    )


def _sqlite_engine(settings: Settings) -> Engine:
    engine = create_engine(
        make_url(settings.database_url),
        hide_parameters=True,
        poolclass=WatchedPool,
        pool_size=settings.pool_size,
        max_overflow=settings.pool_size,
        pool_timeout=settings.lock_timeout_seconds,
        connect_args={
            "timeout": settings.lock_timeout_seconds,
            "check_same_thread": False,
            "isolation_level": None,
        },
    )
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    """Make `connection` durable (WAL with a sync at every commit) and check that it is."""
    for pragma, value in _DURABLE.items():
        connection.execute(f"PRAGMA {pragma}={value}")
        held = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
        if held != value:
            raise UnsafeDatabase(f"SQLite keeps {pragma}={held!r} where {value!r} is needed to survive a power cut")


def _on_sqlite_begin(connection: Connection) -> None:
    """Begin in the driver's stead, which would begin too late to keep one snapshot."""
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', 'DEFERRED')}")
