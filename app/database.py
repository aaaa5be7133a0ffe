"""The database: its engine, SQLite's manners, constraint names, and one transaction per request."""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from opentelemetry.trace import NoOpTracer, Span, Tracer
from sqlalchemy import (
    Connection,
    Engine,
    MetaData,
    String,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError, TimeoutError
from sqlmodel import Field, Session, SQLModel

from app.clock import RESOLUTION, Clock
from app.measures.counting import Measures
from app.measures.pool import WatchedPool
from app.settings import Settings
from app.waiting import Allowance, allowed, waiting

LARGEST_ID = 2**31 - 1
"""The largest number that an id can be: PostgreSQL's INTEGER holds no more, and refuses to look for it."""

WRITER_LOCK = 7_203_011
"""The number of PostgreSQL's advisory lock that the one writer holds."""

MIGRATOR_LOCK = 7_203_012
"""The number of PostgreSQL's advisory lock that the one who migrates holds."""

PING_SECONDS = 1.0
"""How long a pooled connection may take to prove that it is one, so that time is left for a new one."""

HOLDER_SECONDS = 4
"""After so long without a word PostgreSQL holds who has the turn to write for gone; all others wait for it."""

ROWS_PER_SECOND = 250
"""How many rows are computed at least in a second in which nothing is said; some thousands where nobody else works."""

ABANDONED_SECONDS = 60
"""The same for every other transaction."""
SNAPSHOT = "snapshot"
"""Where in `info` of a session that sees one moment throughout is kept what need not be read from it twice, by name."""

_DURABLE = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}

_BUSY_TIMEOUT = "busy_timeout"
_BEGIN = "begin"
"""The option of a connection that says how its transactions begin, where it is not as the driver would."""

_IMMEDIATE = {_BEGIN: "IMMEDIATE"}
_BEGIN_IN_PUBLIC = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL ROLE {role}"

_TURN_SECONDS = 1
"""How long is waited in one go for whoever has the turn; a connection that is silent for longer is none."""

_ROUND_TRIPS_SECONDS = 0.3

# Else a holder that the network has cut off keeps everybody waiting.
_ABANDONED = f"set_config('idle_in_transaction_session_timeout', '{HOLDER_SECONDS}s', true)"
_LOCK = text(f"SELECT {_ABANDONED}, pg_advisory_xact_lock({WRITER_LOCK})")
_BEGIN_SOON = (
    f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT set_config('lock_timeout', '{_TURN_SECONDS}s', true), {_ABANDONED};"
    f" SELECT pg_advisory_xact_lock({WRITER_LOCK})"
)

_UNSAFE = """
    SELECT name || '=' || current_setting(name)
    FROM unnest(ARRAY['fsync', 'full_page_writes', 'synchronous_commit']) AS name
    WHERE current_setting(name) = 'off'
    OR current_setting(name) = 'local' AND current_setting('synchronous_standby_names') <> ''
"""

# idle_in_transaction_session_timeout and read_only_sql_transaction, which psycopg files under internal errors; the
# latter is what a primary says that was made a standby.
_PASSING = {"25P03", "25006"}
_BUSY = ("55P03", "SQLITE_BUSY")
# invalid_parameter_value, of a role that is not there, and insufficient_privilege, of one that is not granted.
_NO_ROLE = {"22023", "42501"}
_DISK_FULL = {"53100", "SQLITE_FULL"}


class Statement(NamedTuple):
    """A statement of SQL in the words of the driver, and the rows of values that it is to be carried out with.

    One that `copies` is PostgreSQL's COPY, which takes them in as they come.
    """

    text: str
    rows: Sequence[Sequence[Any]]
    copies: bool = False


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
    """The database does not keep what makes an acknowledged write survive a power cut, or cannot keep every text."""


class NoPublicRole(Exception):
    """The public has no role to read under that may read what is public and nothing else; the message says the way."""


class StillRead(Exception):
    """Somebody reads an older state of the database, so what was deleted cannot leave its files."""


def code_column(length: int) -> Any:
    """A column type for codes: sorted by their bytes on both databases, as Python sorts them."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class Database:
    """One engine and its sessions; only here are transactions committed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.engine = _engine(settings)
        self.tracer: Tracer = NoOpTracer()

    def reading(self) -> AbstractContextManager[Session]:
        """A session that sees one moment of the database throughout and keeps nothing."""
        return self._reading(self._snapshot())

    def reading_in_public(self) -> AbstractContextManager[Session]:
        """A session as of `reading`; with PostgreSQL it can read what is public and nothing else."""
        return self._reading(self._public_snapshot())

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

    @contextmanager
    def turn(self, look: str) -> Iterator[tuple[Connection, Sequence[Any]]]:
        """A connection that has the turn to write, and the one row that the query `look` then finds, as it is stored.

        What is not committed on it in the end is rolled back. It waits a second for whoever has the turn, and then
        raises what `busy` knows.
        """
        with self.engine.connect() as connection:
            with allowed(Allowance(_TURN_SECONDS + _ROUND_TRIPS_SECONDS)):
                found = _begin_turn(connection, look)
            yield connection, found

    def erase_deleted(self) -> None:
        """Leave nothing of deleted rows in the database's own files: neither in freed pages nor in SQLite's log.

        PostgreSQL keeps older write-ahead segments until it recycles them.

        Raises:
            StillRead: SQLite's log could not be emptied.
        """
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if self.engine.dialect.name != "sqlite":
                connection.exec_driver_sql("VACUUM notes")
                return
            busy, *_pages = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        if busy:
            raise StillRead("somebody still reads what was there before, so SQLite's log keeps it; repeat this later")

    def unsafe(self) -> str | None:
        """What of the settings of the database now loses acknowledged writes in a power cut; None if nothing.

        Every new connection is refused for it; this finds what was changed since.
        """
        if self.engine.dialect.name == "sqlite":
            return None
        with self.engine.connect() as connection:
            found = list(connection.exec_driver_sql(_UNSAFE).scalars())
        return _unsafe_words(found) if found else None

    def watch(self, measures: Measures) -> None:
        """Have `measures` told of the connections in use from now on."""
        assert isinstance(self.engine.pool, WatchedPool)
        self.engine.pool.watch(measures)

    def connection_apart(self) -> Any:
        """A connection of the driver, outside the pool, that sees each commit at once; for its caller to close."""
        pool = self.engine.pool.recreate()
        assert isinstance(pool, WatchedPool)
        pool.measures = None
        pooled = pool.connect()
        connection: Any = pooled.driver_connection
        pooled.detach()
        if self.engine.dialect.name != "sqlite":
            connection.autocommit = True
        return connection

    def public_connection_apart(self) -> Any:
        """A connection as of `connection_apart`; with PostgreSQL it can read what is public and nothing else."""
        connection = self.connection_apart()
        if role := self._public_role():
            try:
                connection.execute(f"SET ROLE {role}")
            except self.engine.dialect.loaded_dbapi.Error:
                connection.close()
                raise
        return connection

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def _traced(self, kind: str) -> Iterator[None]:
        """A span for a transaction; it says of which kind what undid it was, never its words."""
        # Not made the current one: FastAPI ends a dependency in another thread, which could not put the last one back.
        span = self.span(kind)
        try:
            yield
        except BaseException as error:
            span.set_attribute("error.type", type(error).__qualname__)
            raise
        finally:
            span.end()

    def span(self, kind: str) -> Span:
        """A span that has begun, for a transaction of that kind; for its caller to end."""
        return self.tracer.start_span(f"transaction {kind}", attributes={"db.system.name": self.engine.dialect.name})

    @contextmanager
    def _reading(self, options: dict[str, Any]) -> Iterator[Session]:
        reading = self.engine.execution_options(**options)
        with self._traced("reading"), Session(reading, expire_on_commit=False, info={SNAPSHOT: {}}) as db:
            yield db

    def _snapshot(self) -> dict[str, Any]:
        if self.engine.dialect.name == "sqlite":
            return {}
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}

    def _public_snapshot(self) -> dict[str, Any]:
        role = self._public_role()
        if not role:
            return self._snapshot()
        # The driver is kept from beginning by itself, so that the role is taken in the same round trip.
        return {"isolation_level": "AUTOCOMMIT", _BEGIN: _BEGIN_IN_PUBLIC.format(role=role)}

    def _public_role(self) -> str:
        return "" if self.engine.dialect.name == "sqlite" else self.settings.public_role


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
        db.connection(execution_options=_IMMEDIATE)
    else:
        db.execute(_LOCK)


def hold_turn(db: Session, *, rows: int) -> None:
    """Let the turn last through computing so many rows without a word to the database."""
    seconds = HOLDER_SECONDS + rows // ROWS_PER_SECOND
    if seconds > HOLDER_SECONDS and not is_sqlite(db):
        name = "idle_in_transaction_session_timeout"
        db.execute(text("SELECT set_config(:name, :value, true)"), {"name": name, "value": f"{seconds}s"})


def take_migrators_turn(db: Session) -> None:
    """Wait to be the only one who migrates, and then to be the only writer; both end with the transaction."""
    if is_sqlite(db):
        wait_for_turn(db)
        return
    db.rollback()
    for number in (MIGRATOR_LOCK, WRITER_LOCK):
        db.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


def settle(db: Session, moment: datetime) -> None:
    """Wait until nothing more can be recorded at or before `moment`, which is past.

    Whoever has its turn records later than the latest write, so only a `moment` after that has to wait for the turn
    to end; who takes the next turn records later than `moment`.
    """
    if moment <= db.get_one(LastWrite, 1).recorded_at:
        return
    db.rollback()
    db.info[SNAPSHOT].clear()
    if is_sqlite(db):
        db.connection(execution_options=_IMMEDIATE)
    else:
        db.execute(text("SELECT pg_advisory_xact_lock_shared(:number)"), {"number": WRITER_LOCK})
    db.rollback()


def busy(error: Exception) -> bool:
    """True if `error` says that somebody else has the turn to write, and nothing worse."""
    return isinstance(error, DBAPIError) and (_code(error) or "").startswith(_BUSY)


def transaction_lost(error: Exception) -> bool:
    """True if after `error` the transaction that it rose in cannot go on."""
    return unavailable(error) or disk_full(error)


def unavailable(error: Exception) -> bool:
    """True if `error` says that the database did not answer, was busy for too long, or went away meanwhile."""
    if isinstance(error, OperationalError | TimeoutError | UnsafeDatabase | NoPublicRole):
        return True
    return isinstance(error, DBAPIError) and (error.connection_invalidated or _code(error) in _PASSING)


def disk_full(error: Exception) -> bool:
    """True if `error` says that there was no space left to write to, and so that nothing was written."""
    return isinstance(error, DBAPIError) and _code(error) in _DISK_FULL


def is_sqlite(db: Session) -> bool:
    """True on SQLite, False on PostgreSQL."""
    return db.get_bind().dialect.name == "sqlite"


def carry_out(connection: Connection, statements: Iterable[Statement]) -> None:
    """Carry out `statements`, none of which finds anything, one after the other.

    Past SQLAlchemy, which takes longer for each than SQLite does.
    """
    with _told_as_ever(connection):
        cursor: Any = connection.connection.cursor()
        for statement in statements:
            if statement.copies:
                with cursor.copy(statement.text) as copy:
                    for row in statement.rows:
                        copy.write_row(row)
            elif len(statement.rows) == 1:
                cursor.execute(statement.text, statement.rows[0])
            else:
                cursor.executemany(statement.text, statement.rows)


def carry_out_at_once(connection: Connection, statements: Sequence[Statement]) -> None:
    """Carry out a few short `statements`, none of which finds anything; PostgreSQL is waited for once.

    Not in its pipeline mode, after which it would not end a transaction that is left open (HOLDER_SECONDS).
    """
    if connection.dialect.name == "sqlite":
        carry_out(connection, statements)
        return
    driver: Any = connection.connection.dbapi_connection
    values = [value for statement in statements for row in statement.rows for value in row]
    with _told_as_ever(connection):
        driver.cursor_of_texts().execute("; ".join(statement.text for statement in statements), values)


def _begin_turn(connection: Connection, look: str) -> Sequence[Any]:
    """Begin as the only writer, or raise what `busy` knows; what the query `look` finds then."""
    sqlite = connection.dialect.name == "sqlite"
    # PostgreSQL's driver is kept from beginning by itself, so that all is asked in one round trip.
    connection.execution_options(**_IMMEDIATE if sqlite else {"isolation_level": "AUTOCOMMIT"}).begin()
    with _told_as_ever(connection):
        cursor: Any = connection.connection.cursor()
        cursor.execute(look if sqlite else f"{_BEGIN_SOON}; {look}")
        while not sqlite and cursor.nextset():
            pass
        found: Sequence[Any] = cursor.fetchone()
    return found


@contextmanager
def _told_as_ever(connection: Connection) -> Iterator[None]:
    """Raise errors of the driver as SQLAlchemy does, and never use a connection again that is lost."""
    dialect = connection.dialect
    try:
        yield
    except dialect.loaded_dbapi.Error as error:
        driver: Any = connection.connection
        lost = dialect.is_disconnect(error, driver, None)
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            None,
            None,
            error,
            dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=lost,
            dialect=dialect,
        ) from error


def _code(error: DBAPIError) -> str | None:
    """PostgreSQL's SQLSTATE or SQLite's name of `error`; None where the driver itself found it."""
    return getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)


def _engine(settings: Settings) -> Engine:
    if settings.database_url.startswith("sqlite"):
        return _sqlite_engine(settings)
    return _postgresql_engine(settings)


def _postgresql_engine(settings: Settings) -> Engine:
    options = {
        "timezone": "UTC",
        "lock_timeout": int(settings.lock_timeout_seconds * 1000),
        "idle_in_transaction_session_timeout": ABANDONED_SECONDS * 1000,
        "tcp_keepalives_idle": 30,
        "tcp_keepalives_interval": 10,
        "tcp_keepalives_count": 3,
    }
    engine = create_engine(
        settings.database_url,
        hide_parameters=True,
        poolclass=WatchedPool,
        pool_size=settings.pool_size,
        max_overflow=settings.pool_size,
        pool_timeout=settings.lock_timeout_seconds,
        connect_args={
            "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
            "client_encoding": "utf8",
            # Whole seconds, and 2 at least: libpq takes no less. A request has its own bound besides.
            "connect_timeout": max(2, math.ceil(settings.lock_timeout_seconds)),
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        },
    )
    event.listen(engine, "do_connect", _connect_to_postgresql)
    event.listen(engine, "connect", _on_postgresql_connect)
    event.listen(engine, "checkout", _on_postgresql_checkout)
    event.listen(engine, "begin", _on_postgresql_begin)
    return engine


def _connect_to_postgresql(_dialect: Any, _record: Any, arguments: Any, parameters: Any) -> Any:
    # The driver is an extra, and not there where SQLite is enough.
    from app.patient import PatientConnection

    return PatientConnection.connected(arguments, parameters)


def _on_postgresql_connect(connection: Any, record: Any) -> None:
    """Refuse a server that does not keep what it acknowledges."""
    record.info["new"] = True
    unsafe = [setting for (setting,) in connection.execute(_UNSAFE)]
    connection.rollback()
    if unsafe:
        raise UnsafeDatabase(_unsafe_words(unsafe))
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        # What `createdb` makes on a machine without a language; names do not come back out of it as they were.
        raise UnsafeDatabase(
            f"the PostgreSQL database is encoded in {encoding} and cannot keep every text;"
            " make it with `createdb --encoding=UTF8 --template=template0`"
        )


def _on_postgresql_checkout(connection: Any, record: Any, _proxy: Any) -> None:
    """Make sure that a pooled connection still is one; SQLAlchemy's own ping waits for as long as it takes."""
    if not record.info.pop("new", False) and not connection.answers(within=PING_SECONDS):
        raise InvalidatePoolError


def _on_postgresql_begin(connection: Connection) -> None:
    """Begin in the driver's stead where the public reads."""
    begin = connection.get_execution_options().get(_BEGIN)
    if begin is None:
        return
    try:
        connection.exec_driver_sql(begin)
    except DBAPIError as error:
        if _code(error) not in _NO_ROLE:
            raise
        raise NoPublicRole(
            "the role under which the public reads is not there or not granted; run `yhdessa migrate`"
        ) from error


def _unsafe_words(unsafe: list[str]) -> str:
    return (
        f"PostgreSQL runs with {', '.join(unsafe)}, so what was acknowledged could be lost when the power fails; "
        "set fsync, full_page_writes and synchronous_commit to on"
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
    event.listen(engine, "begin", partial(_on_sqlite_begin, most_seconds=settings.lock_timeout_seconds))
    return engine


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    """Make `connection` durable (WAL with a sync at every commit) and check that it is."""
    for pragma, value in _DURABLE.items():
        connection.execute(f"PRAGMA {pragma}={value}")
        held = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
        if held != value:
            raise UnsafeDatabase(f"SQLite keeps {pragma}={held!r} where {value!r} is needed to survive a power cut")


def _on_sqlite_begin(connection: Connection, *, most_seconds: float) -> None:
    """Begin in the driver's stead, which would begin too late to keep one snapshot; wait for a turn while one may."""
    with waiting(most_seconds) as seconds:
        # In whole tenths, so that it is mostly what it was.
        timeout = math.ceil(seconds * 10) * 100
        begin = [Statement(f"BEGIN {connection.get_execution_options().get(_BEGIN, 'DEFERRED')}", [()])]
        if connection.info.get(_BUSY_TIMEOUT) != timeout:
            begin.insert(0, Statement(f"PRAGMA busy_timeout = {timeout}", [()]))
            connection.info[_BUSY_TIMEOUT] = timeout
        carry_out(connection, begin)
