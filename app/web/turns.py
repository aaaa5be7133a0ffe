"""Turns to write: whoever waits for one meanwhile shares the next, its transaction and its commit."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from threading import Condition, Thread
from time import monotonic
from typing import Any, Generic, TypeVar

from opentelemetry.trace import INVALID_SPAN, Span
from sqlmodel import Session

from app.clock import Clock
from app.database import Database, busy, transaction_lost
from app.errors import Unavailable
from app.turn import Known, Turn
from app.waiting import Allowance, allowed
from app.web.admission import RETRY_AFTER

MOST_TOGETHER = 128
MOST_ROWS_TOGETHER = 1_000
"""How much is done in one turn; a larger piece of work has one of its own."""

ALONE = MOST_ROWS_TOGETHER + 1
"""As many rows as nobody shares a turn with."""

_ATTEMPT_SECONDS = 4.0
"""How long may be tried in one go to have the turn: a look at a connection, a new one, a second for who has it."""

_LEAST_SECONDS = 0.3
"""What reading ahead or a commit may take although the pieces of work that it is for have no time left to wait."""

Made = TypeVar("Made")
Asked = TypeVar("Asked")
Work = Callable[[Session, datetime], Made]
"""What somebody does in the turn, recorded at the moment that it is given; if it raises, nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class Ahead(Generic[Asked]):
    """What is read for a piece of work before it is done: `read` reads at once what all those of a turn have `asked`.

    It is told the moment of the turn.
    """

    read: Callable[[Session, datetime, Sequence[Asked]], None]
    asked: Asked


class Turns:
    """One thread of this process that writes for everybody, so that who waits needs neither thread nor connection.

    Nobody is told what came of their work before all that was done in the turn is committed.
    """

    def __init__(self, database: Database, clock: Clock, known: Known) -> None:
        self._database = database
        self._known = known
        self._clock = clock
        self._most_seconds = database.settings.lock_timeout_seconds
        self._changed = Condition()
        # First come, first served.
        self._waiting: dict[_Piece[Any], None] = {}
        self._thread: Thread | None = None
        self._closed = False

    async def done(
        self,
        work: Work[Made],
        *,
        allowance: Allowance,
        rows: int = 1,
        ahead: Sequence[Ahead[Any]] = (),
        adds: bool = False,
    ) -> Made:
        """What `work`, which is about so many `rows`, makes in its turn, once that is kept.

        Work that only `adds` reads, and writes by `app.turn.add` alone (see `app.turn.Turn.addition`).

        Raises:
            Unavailable: the turn did not come in time, and nothing was done.
        """
        piece = _Piece(work, rows, allowance, ahead, adds)
        self._add(piece)
        no_longer = piece.loop.call_later(min(self._most_seconds, allowance.seconds), self._give_up, piece)
        try:
            return await piece.answer
        finally:
            no_longer.cancel()
            self._withdrawn(piece)

    def close(self) -> None:
        """Let the thread end as soon as nobody waits, and wait a while for that; it may be at the database."""
        with self._changed:
            self._closed = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join(_ATTEMPT_SECONDS)

    def _add(self, piece: "_Piece[Any]") -> None:
        with self._changed:
            self._waiting[piece] = None
            if self._thread is None:
                self._thread = Thread(target=self._write_on, name="turns", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _give_up(self, piece: "_Piece[Any]") -> None:
        if self._withdrawn(piece):
            words = "the database did not answer in time; try again in a few seconds"
            piece.answer.set_exception(Unavailable(words, headers=RETRY_AFTER))

    def _withdrawn(self, piece: "_Piece[Any]") -> bool:
        """Whether `piece` still waited; it does no longer."""
        with self._changed:
            waited = piece in self._waiting
            self._waiting.pop(piece, None)
        return waited

    def _write_on(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    self._thread = None
                    return
                waiting = list(self._waiting)
            self._write(waiting)

    def _write(self, waiting: Sequence["_Piece[Any]"]) -> None:
        """Have the turn and do in it what waits by then; those `waiting` already are told if it cannot be had."""
        group: list[_Piece[Any]] = []
        failure = None
        try:
            with allowed(Allowance(_ATTEMPT_SECONDS)), self._database.turn(self._known.look) as (connection, found):
                turn = Turn(connection, found, self._clock, self._known)
                group = self._next_group()
                for piece in group:
                    piece.pass_time()
                with allowed(_time_for(group)):
                    _read_ahead(turn, group)
                for piece in group:
                    piece.do(turn, self._database, alone=len(group) == 1)
                with allowed(_time_for(group)):
                    turn.keep()
        except Exception as error:
            if not group and busy(error):
                # Somebody else has it; for that each who waits has a time of its own.
                return
            failure = error
            group = group or [piece for piece in waiting if self._withdrawn(piece)]
        for piece in group:
            piece.end(failure)
        _tell(group)

    def _next_group(self) -> list["_Piece[Any]"]:
        """As many of those who wait as may share a turn; they are begun."""
        group: list[_Piece[Any]] = []
        rows = 0
        with self._changed:
            for piece in self._waiting:
                rows += piece.rows
                if group and (rows > MOST_ROWS_TOGETHER or len(group) == MOST_TOGETHER):
                    break
                group.append(piece)
            for piece in group:
                del self._waiting[piece]
        return group


class _Piece(Generic[Made]):
    """The work of one who waits, and where its answer goes."""

    def __init__(
        self, work: Work[Made], rows: int, allowance: Allowance, ahead: Sequence[Ahead[Any]], adds: bool
    ) -> None:
        self.rows = rows
        self.allowance = allowance
        self.ahead = ahead
        self.loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[Made] = self.loop.create_future()
        self._work = work
        self._adds = adds
        self._context = copy_context()
        self._since = monotonic()
        self._span: Span = INVALID_SPAN
        self._made: Made
        self._error: Exception | None = None

    def pass_time(self) -> None:
        """Take what was waited since this was last asked out of what may still be waited."""
        now = monotonic()
        self.allowance.seconds -= now - self._since
        self._since = now

    def do(self, turn: Turn, database: Database, *, alone: bool) -> None:
        """Do the work, in the traces and logs of its request, within what may still be waited for it.

        Raises:
            Exception: the whole turn is lost, with what the others did in it.
        """
        self.pass_time()
        self._context.run(self._do, turn, database, alone)

    def _do(self, turn: Turn, database: Database, alone: bool) -> None:
        self._span = database.span("writing")
        try:
            place = turn.addition() if self._adds else turn.piece(alone=alone)
            with allowed(self.allowance), place as (db, at):
                self._made = self._work(db, at)
        except Exception as error:
            if transaction_lost(error):
                raise
            self._error = error

    def end(self, failure: Exception | None) -> None:
        """The turn is over; for what reason, if nothing of it is known to be kept."""
        self._error = failure or self._error
        if self._error is not None:
            self._span.set_attribute("error.type", type(self._error).__qualname__)
        self._span.end()

    def tell(self) -> None:
        """Give what came of it to who waits, if somebody still does."""
        if self.answer.done():
            return
        if self._error is None:
            self.answer.set_result(self._made)
        else:
            self.answer.set_exception(self._error)


def _time_for(group: Sequence[_Piece[Any]]) -> Allowance:
    """What all of `group` can still wait for."""
    return Allowance(max(min((piece.allowance.seconds for piece in group), default=0.0), _LEAST_SECONDS))


def _read_ahead(turn: Turn, group: Sequence[_Piece[Any]]) -> None:
    """Read what the pieces of `group` ask for, each kind of it at once."""
    asked: dict[Any, list[Any]] = {}
    for piece in group:
        for one in piece.ahead:
            asked.setdefault(one.read, []).append(one.asked)
    for read, all_asked in asked.items():
        read(turn.db, turn.begins, all_asked)


def _tell(group: Sequence[_Piece[Any]]) -> None:
    """Wake who waits for any of `group`, each event loop once."""
    for loop in {piece.loop for piece in group}:
        # In a loop that is closed nobody waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_tell_all, [piece for piece in group if piece.loop is loop])


def _tell_all(pieces: Sequence[_Piece[Any]]) -> None:
    for piece in pieces:
        piece.tell()
