"""Where drafts are prepared: one after the other, each by a child process, while no transaction is open."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from threading import Condition, Lock, Thread
from time import monotonic, sleep
from typing import NamedTuple

import structlog
from sqlmodel import Session

from app.clock import Clock
from app.database import Database, take_turn, transaction_lost
from app.disclosure.protection import Progress
from app.errors import Problem
from app.publishing.drafts import TooManyDrafts, finish, refuse, task_of
from app.publishing.parent import CHILD, FAULT, Child, Fault
from app.publishing.preparing import NotPrepared, Prepared
from app.releases.models import ReleaseDraft
from app.settings import Settings

MOST_WAITING = 20
"""How many drafts may wait in one server; there are 22 counties."""

INTERRUPTED = "it was interrupted at the command line; publish again"
STOPPED = "the server was stopped while it was being prepared; publish again"

_SECONDS_BETWEEN_TRIES = 0.5
_CLOSE_SECONDS = 5.0

Work = Callable[[Session, datetime], ReleaseDraft]

log = structlog.get_logger()


class Worked(NamedTuple):
    """What became of a draft, in how many seconds; `fault` is where a mistake of ours rose, if it did."""

    draft: ReleaseDraft
    seconds: float
    fault: str | None


class Workbench:
    """Prepares one draft at a time, for one thread; any other may `stop` it."""

    def __init__(self, database: Database, clock: Clock, settings: Settings, *, command: Sequence[str] = CHILD) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._command = command
        self._changing = Lock()
        self._child: Child | None = None
        self._stopped: str | None = None

    def work_on(self, draft_id: int, *, tell: Callable[[Progress], None]) -> Worked:
        """What became of the draft in the end: published, ready or refused.

        Raises:
            KeyboardInterrupt, Exception: as they rose from a mistake of ours or a database that does not answer; the
                draft is refused, if not in the database then by its deadline.
        """
        began = monotonic()
        with self._database.reading() as db:
            draft = db.get_one(ReleaseDraft, draft_id)
        deadline = began + (draft.deadline - self._clock()).total_seconds()
        fault = None
        try:
            prepared, latest = self._prepared(draft, deadline, tell)
            draft = self._written(
                lambda db, at: finish(db, draft_id, prepared, latest=latest, settings=self._settings, at=at), deadline
            )
        except (NotPrepared, Problem) as error:
            draft = self._refused(draft_id, str(error), deadline)
            fault = error.where if isinstance(error, Fault) else None
        except BaseException as error:
            self._refused(draft_id, INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAULT, deadline)
            raise
        return Worked(draft, monotonic() - began, fault)

    def stop(self, reason: str = STOPPED) -> None:
        """Kill the child that works, if any, and start no other; every draft ends refused for that `reason`."""
        with self._changing:
            self._stopped = reason
            if self._child is not None:
                self._child.end(reason)

    def _prepared(
        self, draft: ReleaseDraft, deadline: float, tell: Callable[[Progress], None]
    ) -> tuple[Prepared, int | None]:
        self._require_going_on()
        with self._database.reading() as db:
            task, latest = task_of(db, draft, settings=self._settings)
        # No transaction is open while this takes its seconds or minutes.
        child = self._started()
        return child.prepared(task, seconds=deadline - monotonic(), tell=tell), latest

    def _started(self) -> Child:
        with self._changing:
            self._require_going_on()
            self._child = Child(command=self._command)
            return self._child

    def _require_going_on(self) -> None:
        if self._stopped is not None:
            raise NotPrepared(self._stopped)

    def _refused(self, draft_id: int, reason: str, deadline: float) -> ReleaseDraft:
        return self._written(lambda db, at: refuse(db, draft_id, reason, at=at), deadline)

    def _written(self, work: Work, deadline: float) -> ReleaseDraft:
        """What `work` makes in a turn to write, tried again and again until the `deadline`."""
        while True:
            try:
                with self._database.writing() as db:
                    return work(db, take_turn(db, self._clock))
            except Exception as error:
                if not transaction_lost(error) or self._stopped is not None or monotonic() > deadline:
                    raise
                sleep(_SECONDS_BETWEEN_TRIES)


class Workshop:
    """The one thread of a server that works on drafts, and those that wait for it."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._changed = Condition()
        self._waiting: deque[int] = deque()
        self._progress: dict[int, Progress] = {}
        self._thread: Thread | None = None
        self._closed = False

    def require_place(self) -> None:
        """Do nothing if one more draft may wait.

        Raises:
            TooManyDrafts: as many as may are waiting.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise TooManyDrafts(
                f"{MOST_WAITING} releases wait to be prepared; ask again in a minute", headers={"Retry-After": "60"}
            )

    def add(self, draft_id: int) -> None:
        """Work on the draft when its turn comes."""
        with self._changed:
            self._waiting.append(draft_id)
            self._progress[draft_id] = Progress(0, 1, "waiting")
            if self._thread is None:
                self._thread = Thread(target=self._work, name="drafts", daemon=True)
                self._thread.start()
            self._changed.notify()

    def progress(self, draft_id: int) -> Progress | None:
        """How far the draft is; None if this server does not work on it, or no longer."""
        return self._progress.get(draft_id)

    def close(self) -> None:
        """Kill what is at work, refuse all drafts that wait, and wait a while for that; it may be at the database."""
        with self._changed:
            self._closed = True
            self._changed.notify()
            thread = self._thread
        self._bench.stop()
        if thread is not None:
            thread.join(_CLOSE_SECONDS)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                draft_id = self._waiting.popleft()
            try:
                _log(self._bench.work_on(draft_id, tell=partial(self._progress.__setitem__, draft_id)))
            except Exception:
                # After its deadline it is refused whatever stands there; the others are to be worked on.
                log.error("release draft", draft=draft_id, exc_info=True)
            finally:
                del self._progress[draft_id]


def _log(worked: Worked) -> None:
    """One line for the operator; why a draft was refused is for those who may publish, and stands in it."""
    draft = worked.draft
    log.log(
        logging.ERROR if worked.fault else logging.INFO,
        "release draft",
        draft=draft.id,
        practice=draft.practice,
        county=draft.county,
        state=draft.state,
        release=draft.release_id,
        seconds=round(worked.seconds, 1),
        fault=worked.fault,
    )
