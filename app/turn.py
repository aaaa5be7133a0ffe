"""The turn to write: several pieces of work in one transaction, and what is known from one turn to the next."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Dialect
from sqlmodel import Session

from app.bulk import MANY, add_rows, insertions, room_for
from app.clock import RESOLUTION, Clock, helsinki_day
from app.database import Base, LastWrite, Statement, carry_out, carry_out_at_once

POSTED = "posted"
"""Where in `info` of a session stands how many rows of a post came to each outcome, to be counted once it is kept."""

Read = TypeVar("Read")
_Rows = dict[type[Base], list[Any]]

_SAME = "same_all_turn"
_GIVEN = "given"
_KEYS = "keys"
_LEDGER = "ledger"
_ADDED = "added"
_LEARNT = "learnt"


class Known:
    """What the writer of a process knows from one turn to the next, so that it is not read again each time.

    `given` is what posts are held against and do not change: definitions, registers, releases. It is good for a day,
    and for as long as each of `edition`, expressions of SQL, has the same value; nothing is kept if there is none.

    `keys` is who holds which key. It is good as long as the audit log, which tells of every change, has no new line.

    `ledger` is what is recorded. It is good for as long as nobody else has written: until the latest write is another
    than the one that this writer knew last.
    """

    def __init__(self, *edition: str) -> None:
        self.given: dict[Hashable, Any] = {}
        self.keys: dict[Hashable, Any] = {}
        self.ledger: dict[Hashable, Any] = {}
        self._edition: tuple[Any, ...] = ()
        self._last_line: int | None = None
        self._last_write: datetime | None = None
        looked_at = ("recorded_at", "(SELECT max(id) FROM audit_lines)", *edition)
        self.look = f"SELECT {', '.join(looked_at)} FROM last_write"
        """The query whose answer `take_in` wants of every turn, before anything is asked."""

    def take_in(self, found: Sequence[Any], day: date, dialect: Dialect) -> datetime:
        """The moment of the latest write, after the `look` that found so much; forgets what may have changed by `day`.

        What is recorded is forgotten after this turn too, unless `holds` is called in the end: what became of one that
        failed is unknown.
        """
        written, last_line, *values = found
        last_write: datetime = _moments(dialect).read(written)
        if last_line != self._last_line:
            self._last_line, self.keys = last_line, {}
        if not values or self._edition != (day, *values):
            self._edition, self.given = (day, *values), {}
        if last_write != self._last_write:
            self.ledger = {}
        self._last_write = None
        return last_write

    def holds(self, last_write: datetime) -> None:
        """What is known of the ledger is so as long as this is the moment of the latest write."""
        self._last_write = last_write


class Turn:
    """The transaction of the one writer, in which several pieces of work are done one after the other.

    What one raises undoes its own writes and nothing else.
    """

    def __init__(self, connection: Connection, found: Sequence[Any], clock: Clock, known: Known) -> None:
        self._connection = connection
        self._clock = clock
        self._known = known
        self.begins = clock()
        self._last = known.take_in(found, helsinki_day(self.begins), connection.dialect)
        self._kept = False
        self._info: dict[Any, Any] = {_SAME: {}, _GIVEN: known.given, _KEYS: known.keys}
        self._added: _Rows = {}
        self.db = self._session("rollback_only")
        self.db.info[_LEDGER] = known.ledger

    @contextmanager
    def piece(self, *, alone: bool) -> Iterator[tuple[Session, datetime]]:
        """A session for the next piece of work, and the moment to record it at: later than every one before.

        It has a savepoint of its own, and may roll its session back as if it were alone. One that is `alone` in its
        turn needs no savepoint, which costs two round trips.
        """
        if self._added:
            self._write()
        at = self._next_moment()
        mode: Any = "rollback_only" if alone else "create_savepoint"
        with self._session(mode) as db:
            db.info[_LEARNT] = []
            yield db, at
            if db.in_transaction():
                db.commit()
                self._known.ledger.clear()
                self._done(db, at)

    @contextmanager
    def addition(self) -> Iterator[tuple[Session, datetime]]:
        """A session and a moment as of `piece`, for work that reads, and writes by `add` alone.

        Nothing of it is written before it is done, so it needs no savepoint; then together with what others add.
        """
        at = self._next_moment()
        added: _Rows = {}
        self.db.info.update({_ADDED: added, _LEARNT: [], POSTED: {}})
        yield self.db, at
        if added:
            for table, rows in added.items():
                self._added.setdefault(table, []).extend(rows)
            # The session outlives the turn, until somebody looks for garbage.
            added.clear()
            self._done(self.db, at)

    def keep(self) -> None:
        """Commit what the pieces wrote that raised nothing."""
        if self._kept:
            moments = _moments(self._connection.dialect)
            self._write(Statement(moments.set_last_write, [(moments.write(self._last),)]))
            try:
                self._connection.commit()
            except Exception:
                # SQLite leaves the transaction open, and SQLAlchemy, which holds it for ended, would pool it as it is.
                self._connection.invalidate()
                raise
        self._known.holds(self._last)

    def _session(self, mode: Any) -> Session:
        return Session(self._connection, join_transaction_mode=mode, expire_on_commit=False, info=self._info)

    def _next_moment(self) -> datetime:
        return max(self._clock(), self._last + RESOLUTION)

    def _done(self, db: Session, at: datetime) -> None:
        """What was written in `db` at this moment will be kept."""
        self._last, self._kept = at, True
        for learn in db.info[_LEARNT]:
            learn()

    def _write(self, *more: Statement) -> None:
        """Write what was added by now, of which nothing refers to rows of a table that came later; then do `more`."""
        if sum(map(len, self._added.values())) < MANY:
            carry_out_at_once(self._connection, [*self._insertions(), *more])
        else:
            carry_out(self._connection, chain(self._insertions(), more))
        self._added.clear()

    def _insertions(self) -> Iterator[Statement]:
        for table, rows in self._added.items():
            with room_for(self._connection, len(rows)):
                yield from insertions(self._connection.dialect, table, rows)


def add(db: Session, table: type[Base], rows: Iterable[Any]) -> None:
    """Insert `rows`, which have an attribute for each column of `table`; those of an addition at the end of the turn.

    `db` does not know of them, and what they refer to must have been added before.
    """
    added: _Rows | None = db.info.get(_ADDED)
    if added is None:
        add_rows(db, table, rows)
    elif rows := list(rows):
        added.setdefault(table, []).extend(rows)


def same_all_turn(db: Session, what: Hashable, read: Callable[[], Read]) -> Read:
    """What `read` finds; of all pieces of work that share a turn only the first one reads it."""
    return _once(db.info[_SAME], what, read)


def of_keys(db: Session, what: Hashable, read: Callable[[], Read | None]) -> Read | None:
    """What `read` finds, if anything; in a turn it is read again only if something happened to a key.

    No piece of work that shares a turn changes one: who does has a turn alone.
    """
    known: dict[Hashable, Any] = db.info.get(_KEYS, {})
    found: Read | None = known.get(what)
    if found is None:
        found = read()
        if found is not None:
            known[what] = found
    return found


def given(db: Session, what: Hashable, read: Callable[[], Read]) -> Read:
    """What `read` finds; it is read again only if the edition of what is given has changed."""
    return _once(db.info[_GIVEN], what, read)


def known_of_ledger(db: Session) -> dict[Hashable, Any]:
    """What is known of what is recorded, for who adds to that to keep it right; outside an addition nothing is."""
    known: dict[Hashable, Any] = db.info.get(_LEDGER, {})
    return known


def once_kept(db: Session, learn: Callable[[], None]) -> None:
    """Have `learn` called when this piece of work is done, for those after it in the turn; elsewhere it is not."""
    learnt: list[Callable[[], None]] = db.info.get(_LEARNT, [])
    learnt.append(learn)


def _once(known: dict[Hashable, Any], what: Hashable, read: Callable[[], Read]) -> Read:
    """What is `known`, read if it is not yet."""
    if what not in known:
        known[what] = read()
    found: Read = known[what]
    return found


class _Moments(NamedTuple):
    """How the driver reads and writes moments, and the statement that takes the moment of the latest write."""

    read: Callable[[Any], Any]
    write: Callable[[Any], Any]
    set_last_write: str


@cache
def _moments(dialect: Dialect) -> _Moments:
    kind: Any = LastWrite.__table__.c.recorded_at.type.dialect_impl(dialect)  # type: ignore[attr-defined]
    mark = "?" if dialect.name == "sqlite" else "%s"
    return _Moments(
        kind.result_processor(dialect, None),
        kind.bind_processor(dialect),
        f"UPDATE last_write SET recorded_at = {mark}",
    )
