"""Where drafts are prepared: one at a time, ended in time, and never left as they are."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from app.database import Database, hold_turn, wait_for_turn
from app.publishing import workshop as workshop_module
from app.publishing.drafts import TooManyDrafts
from app.publishing.parent import CHILD, FAULT, TOO_LONG
from app.publishing.workshop import STOPPED, Workbench, Workshop
from app.settings import Settings
from tests.conftest import Caller, count
from tests.publishing.asking import Desk
from tests.publishing.published import publish
from tests.publishing.test_preparing import not_told, script
from tests.reports.stored import stored

DEADLINE = 20

SLEEPS = script("time.sleep(60)")
AT_WORK = script("""print('{"progress": [1, 2, "protecting"]}', flush=True); time.sleep(60)""")


@pytest.fixture
def desk(app: FastAPI, nation: Caller) -> Desk:
    """Somebody who publishes, in North Savo or in South Savo."""
    nation.post([count(code, "2024-Q1", 40) for code in ("297", "140", "491", "593")])
    return Desk(app)


def bench(desk: Desk, *command: str, **settings: Any) -> Workbench:
    """Where drafts are prepared by `command`."""
    return Workbench(desk.database, desk.clock, desk.settings.model_copy(update=settings), command=command or CHILD)


def waited_for(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def ends(desk: Desk) -> list[tuple[str, str | None]]:
    """How the drafts ended, in the order of their numbers."""
    return [(draft["state"], draft["reason"]) for draft in stored_drafts(desk)]


def stored_drafts(desk: Desk) -> list[dict[str, Any]]:
    with desk.database.reading() as db:
        return [dict(row._mapping) for row in db.connection().execute(text("SELECT * FROM release_drafts ORDER BY id"))]


def test_what_takes_too_long_is_refused(desk: Desk) -> None:
    desk.settings = desk.settings.model_copy(update={"publish_timeout_seconds": 0.2})
    draft_id = desk.ask()

    draft = bench(desk, *SLEEPS).work_on(draft_id, tell=not_told).draft

    assert (draft.state, draft.reason) == ("refused", TOO_LONG)


def test_what_the_child_refuses_is_refused_with_its_reason(desk: Desk) -> None:
    draft_id = desk.ask()

    draft = bench(desk, *script("""print('{"refused": "It may not be"}')""")).work_on(draft_id, tell=not_told).draft

    assert (draft.state, draft.reason) == ("refused", "It may not be")


def test_a_draft_that_another_release_went_beyond_is_refused_with_the_reason(desk: Desk) -> None:
    draft_id = desk.ask()
    publish(desk.database, desk.clock)

    draft = bench(desk, *SLEEPS).work_on(draft_id, tell=not_told).draft

    assert draft.state == "refused"
    assert (draft.reason or "").startswith("/as_of: release 2 says already what was known up to ")


def test_a_child_that_dies_leaves_the_draft_refused_and_tells_its_fault(desk: Desk) -> None:
    draft_id = desk.ask()

    worked = bench(desk, *script("os.kill(os.getpid(), 9)")).work_on(draft_id, tell=not_told)

    assert (worked.draft.state, worked.draft.reason) == ("refused", FAULT)
    assert worked.fault == "it ended with exit code -9"


def test_a_child_that_cannot_be_started_leaves_the_draft_refused(desk: Desk) -> None:
    draft_id = desk.ask()

    with pytest.raises(FileNotFoundError):
        bench(desk, "/nowhere/python").work_on(draft_id, tell=not_told)

    assert ends(desk) == [("refused", FAULT)]


def test_no_audit_that_failed_is_stored_whatever_the_child_says(desk: Desk, app: FastAPI) -> None:
    draft_id = desk.ask()
    lies = (
        "import json; content = {'years': {}, 'municipalities': {}, 'quarters': {}}; "
        "verdict = {'passed': False, 'failures': [], 'tables_found': 0}; "
        "print(json.dumps({'prepared': {'content': content, 'hidden': [], 'verdict': verdict}}))"
    )

    draft = bench(desk, *script(lies)).work_on(draft_id, tell=not_told).draft

    assert (draft.state, draft.reason) == ("refused", "the audit found figures that can be worked out")
    assert (len(stored(app, "releases")), stored(app, "release_audits")) == (1, [])


def test_no_transaction_is_open_while_a_child_works(desk: Desk, app: FastAPI) -> None:
    draft_id = desk.ask()
    at_work = bench(desk, *SLEEPS)
    thread = threading.Thread(target=at_work.work_on, args=(draft_id,), kwargs={"tell": not_told})
    thread.start()
    waited_for(lambda: at_work._child)

    in_use = desk.database.engine.pool.checkedout()  # type: ignore[attr-defined]
    at_work.stop()
    thread.join(DEADLINE)

    assert in_use == 0


def test_an_interrupt_at_the_terminal_leaves_the_draft_refused(desk: Desk) -> None:
    draft_id = desk.ask()

    def interrupt(_progress: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench(desk, *script("""print('{"progress": [1, 2, "protecting"]}'); time.sleep(60)""")).work_on(
            draft_id, tell=interrupt
        )

    assert ends(desk) == [("refused", "it was interrupted at the command line; publish again")]


# One after the other.


@pytest.fixture
def opened(desk: Desk) -> Iterator[Callable[..., Workshop]]:
    """Opens workshops, whose children are `command`; closed at the end."""
    made = []

    def open_with(*command: str) -> Workshop:
        made.append(Workshop(bench(desk, *command)))
        return made[-1]

    yield open_with
    for one in made:
        one.close()


def test_drafts_are_worked_on_one_after_the_other_and_each_tells_how_far_it_is(
    desk: Desk, opened: Callable[..., Workshop]
) -> None:
    workshop = opened(*AT_WORK)
    first, second = desk.ask(), desk.ask(county="12")

    workshop.add(first)
    workshop.add(second)

    waited_for(lambda: workshop.progress(first) == (1, 2, "protecting"))
    assert workshop.progress(second) == (0, 1, "waiting")
    assert workshop.progress(99) is None


def test_a_workshop_that_closes_kills_its_child_and_refuses_what_waits(
    desk: Desk, opened: Callable[..., Workshop]
) -> None:
    workshop = opened(*AT_WORK)
    first, second = desk.ask(), desk.ask(county="12")
    workshop.add(first)
    workshop.add(second)
    waited_for(lambda: workshop.progress(first) == (1, 2, "protecting"))
    began = time.monotonic()

    workshop.close()

    assert time.monotonic() - began < 5
    assert ends(desk) == [("refused", STOPPED), ("refused", STOPPED)]
    assert [workshop.progress(draft_id) for draft_id in (first, second)] == [None, None]


def test_a_workshop_that_nobody_needed_closes_at_once(desk: Desk, opened: Callable[..., Workshop]) -> None:
    opened().close()


def test_each_draft_that_ends_is_a_line_of_the_log_and_a_mistake_of_ours_does_not_hold_up_the_next(
    desk: Desk, opened: Callable[..., Workshop]
) -> None:
    workshop = opened(*script("""print('{"fault": "builtins.ValueError"}')"""))
    draft_id = desk.ask()
    with capture_logs() as lines:
        workshop.add(99)
        workshop.add(draft_id)
        waited_for(lambda: workshop.progress(draft_id) is None)

    assert ends(desk) == [("refused", FAULT)]
    assert lines[0].pop("exc_info")
    assert lines[1].pop("seconds") >= 0
    assert lines == [
        {"event": "release draft", "log_level": "error", "draft": 99},
        {
            "event": "release draft",
            "log_level": "error",
            "draft": draft_id,
            "practice": "yhdessa-aika",
            "county": "13",
            "state": "refused",
            "release": None,
            "fault": "builtins.ValueError",
        },
    ]


def test_only_so_many_may_wait(desk: Desk, opened: Callable[..., Workshop], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop_module, "MOST_WAITING", 1)
    workshop = opened(*SLEEPS)
    workshop.add(desk.ask())
    waited_for(lambda: not workshop._waiting)
    workshop.require_place()
    workshop.add(desk.ask(county="12"))

    with pytest.raises(TooManyDrafts):
        workshop.require_place()


# A database that is busy.


@pytest.fixture
def hurried(settings: Settings) -> Iterator[Database]:
    """The database, where nobody waits long for a turn."""
    database = Database(settings.model_copy(update={"lock_timeout_seconds": 0.1}))
    yield database
    database.dispose()


@contextmanager
def held_turn(database: Database) -> Iterator[None]:
    """While somebody else writes."""
    with database.writing() as db:
        wait_for_turn(db)
        hold_turn(db, rows=10_000)
        yield
        db.rollback()


def test_a_draft_is_finished_once_the_database_lets_us(
    desk: Desk, hurried: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop_module, "_SECONDS_BETWEEN_TRIES", 0.01)
    draft_id = desk.ask()
    says = script("""print('{"refused": "It may not be"}')""")
    at_work = Workbench(hurried, desk.clock, desk.settings, command=says)
    with ThreadPoolExecutor() as threads:
        with held_turn(desk.database):
            working = threads.submit(at_work.work_on, draft_id, tell=not_told)
            waited_for(lambda: at_work._child and at_work._child._process.returncode is not None)
            time.sleep(0.3)
            waiting = not working.done()
        worked = working.result(DEADLINE)

    assert waiting
    assert (worked.draft.state, worked.draft.reason) == ("refused", "It may not be")


def test_who_is_stopped_does_not_wait_for_the_database(desk: Desk, hurried: Database) -> None:
    draft_id = desk.ask()
    at_work = Workbench(hurried, desk.clock, desk.settings, command=SLEEPS)
    with ThreadPoolExecutor() as threads, held_turn(desk.database):
        working = threads.submit(at_work.work_on, draft_id, tell=not_told)
        waited_for(lambda: at_work._child)
        at_work.stop()
        failure = working.exception(DEADLINE)

    assert isinstance(failure, OperationalError)
    assert ends(desk) == [("preparing", None)]
