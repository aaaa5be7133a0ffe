"""What the database promises: an acknowledged write survives, writers take turns, a reader sees one moment."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, InternalError, OperationalError
from sqlmodel import select
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app.clock import written
from app.database import Database, LastWrite, UnsafeDatabase, hold_turn, take_turn
from app.main import create_app
from app.patient import PatientConnection
from app.settings import Settings
from app.waiting import Allowance, allowed
from tests.conftest import NOW, Caller, StandingClock, count, postgresql_database, sqlite_copy, status

A_MICROSECOND = timedelta(microseconds=1)
LONG_ENOUGH_TO_NOTICE = 0.3
DEADLINE = 20

DURABLE = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}

# A promise that is looked at only when the transaction commits, and broken by every submission.
BREAK_EVERY_COMMIT = {
    "sqlite": (
        "CREATE TABLE kept (id INTEGER PRIMARY KEY)",
        "CREATE TABLE promises (id INTEGER REFERENCES kept (id) DEFERRABLE INITIALLY DEFERRED)",
        "CREATE TRIGGER break_promise AFTER INSERT ON submissions BEGIN INSERT INTO promises VALUES (1); END",
    ),
    "postgresql": (
        "CREATE TABLE kept (id INTEGER PRIMARY KEY)",
        "CREATE TABLE promises (id INTEGER REFERENCES kept (id) DEFERRABLE INITIALLY DEFERRED)",
        "CREATE FUNCTION break_promise() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO promises VALUES (1); RETURN NULL; END $$",
        "CREATE TRIGGER break_promise AFTER INSERT ON submissions FOR EACH ROW EXECUTE FUNCTION break_promise()",
    ),
}
MEND = {
    "sqlite": "DROP TRIGGER break_promise",
    "postgresql": "DROP TRIGGER break_promise ON submissions",
}


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = Database(settings)
    yield database
    database.dispose()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as executor:
        yield executor


@pytest.fixture
def slow_commits(app: FastAPI) -> Iterator["SlowCommits"]:
    """The application's commits, which wait for `go` once `held` is called."""
    slow = SlowCommits()
    engine = app.state.database.engine
    event.listen(engine, "commit", slow.wait)
    yield slow
    slow.go.set()


class SlowCommits:
    def __init__(self) -> None:
        self.begun, self.go = Event(), Event()
        self.go.set()

    def hold(self) -> None:
        self.go.clear()

    def wait(self, _connection: Connection) -> None:
        self.begun.set()
        assert self.go.wait(DEADLINE)


# Durability.


def test_every_connection_of_the_pool_to_sqlite_syncs_at_every_commit(migrated_sqlite: Path, tmp_path: Path) -> None:
    database = Database(Settings(database_url=sqlite_copy(migrated_sqlite, tmp_path), pool_size=3))

    connections = [database.engine.connect() for _ in range(6)]
    kept = [
        {pragma: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() for pragma in DURABLE}
        for connection in connections
    ]

    assert kept == [DURABLE] * 6
    for connection in connections:
        connection.close()
    database.dispose()


@pytest.mark.parametrize(
    ("url", "journal_mode"),
    [
        ("sqlite:///file:nowhere?mode=memory&uri=true", "memory"),
        # Without shared memory between processes, as on many network file systems, there is no WAL.
        ("sqlite:///file:{folder}/yhdessa.db?vfs=unix-dotfile&uri=true", "delete"),
    ],
)
def test_a_connection_that_does_not_keep_what_it_was_told_is_refused(
    tmp_path: Path, url: str, journal_mode: str
) -> None:
    database = Database(Settings(database_url=url.format(folder=tmp_path)))

    with pytest.raises(UnsafeDatabase) as refused:
        database.engine.connect()

    assert str(refused.value) == (
        f"SQLite keeps journal_mode='{journal_mode}' where 'wal' is needed to survive a power cut"
    )


@pytest.mark.skipif("YHDESSA_TEST_DATABASE_URL" in os.environ, reason="changes settings of the whole server")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_postgresql_that_does_not_survive_a_power_cut_is_refused(
    http: TestClient, settings: Settings, clock: StandingClock, postgresql_server: str, setting: str
) -> None:
    assert http.get("/readyz").status_code == 200

    with server_wide(postgresql_server, setting, "off"):
        in_use = http.get("/readyz")
        with TestClient(create_app(settings, clock)) as new:
            started = [new.get(path) for path in ("/readyz", "/v1/practices")]
        with pytest.raises(UnsafeDatabase) as refused:
            Database(settings).engine.connect()
    again = http.get("/readyz")

    assert str(refused.value) == (
        f"PostgreSQL runs with {setting}=off, so what was acknowledged could be lost when the power fails; "
        "set fsync, full_page_writes and synchronous_commit to on"
    )
    assert [answer.status_code for answer in (in_use, *started)] == [503] * 3
    assert {answer.json()["detail"] for answer in (in_use, *started)} == {str(refused.value)}
    assert again.status_code == 200


@pytest.mark.skipif("YHDESSA_TEST_DATABASE_URL" in os.environ, reason="changes settings of the whole server")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("commit", "standbys", "unsafe"),
    [
        ("off", "", True),
        # Without a standby to wait for it is the same as on; with one, what it has not heard of is lost in a failover.
        ("local", "", False),
        ("local", "reserve", True),
        ("remote_write", "", False),
    ],
)
def test_commits_that_are_acknowledged_before_they_are_durable_are_refused(
    database_url: str, settings: Settings, postgresql_server: str, commit: str, standbys: str, unsafe: bool
) -> None:
    plain = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with plain.connect() as connection:
        connection.exec_driver_sql(
            f"ALTER DATABASE {make_url(database_url).database} SET synchronous_commit = {commit}"
        )
    plain.dispose()
    database = Database(settings)

    with server_wide(postgresql_server, "synchronous_standby_names", standbys):
        if unsafe:
            with pytest.raises(UnsafeDatabase, match=f"^PostgreSQL runs with synchronous_commit={commit}, "):
                database.engine.connect()
        else:
            database.engine.connect().close()
    database.dispose()


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_keep_every_text_is_refused(postgresql_server: str, encoding: str) -> None:
    template = f"template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
    with postgresql_database(postgresql_server, template) as url:
        database = Database(Settings(database_url=url))

        with pytest.raises(UnsafeDatabase) as refused:
            database.engine.connect()
        database.dispose()

    assert str(refused.value) == (
        f"the PostgreSQL database is encoded in {encoding} and cannot keep every text;"
        " make it with `createdb --encoding=UTF8 --template=template0`"
    )


def test_what_a_client_says_of_its_language_does_not_matter(
    postgresql_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    database = Database(Settings(database_url=postgresql_server))

    with database.reading() as db:
        assert db.execute(text("SELECT :words"), {"words": "päätös 日本"}).scalar_one() == "päätös 日本"

    database.dispose()


def test_a_commit_that_the_database_refuses_is_never_acknowledged(app: FastAPI, new_key: Callable[..., str]) -> None:
    engine = app.state.database.engine
    kuopio = Caller(TestClient(app, raise_server_exceptions=False), new_key("municipality:297"))
    with engine.begin() as connection:
        for statement in BREAK_EVERY_COMMIT[engine.dialect.name]:
            connection.execute(text(statement))

    with capture_logs():
        answers = [
            kuopio.post([count("297", "2022-03", 7)]),
            kuopio.put("/v1/session-counts/yhdessa-aika/297/2022-03", {"sessions": 7}),
            kuopio.put("/v1/statuses/yhdessa-aika/297/2022-03", {"status": "pilot"}),
        ]

    assert [answer.status_code for answer in answers] == [500] * 3
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    with engine.begin() as connection:
        connection.execute(text(MEND[engine.dialect.name]))
    assert kuopio.get("/v1/session-counts").json()["rows"] == []
    assert kuopio.get("/v1/statuses").json()["rows"] == []
    assert kuopio.post([count("297", "2022-03", 7)]).json()["id"] == 1


def test_a_commit_that_the_database_refuses_leaves_nothing_open(database: Database) -> None:
    broken = BREAK_EVERY_COMMIT[database.engine.dialect.name]
    with database.engine.begin() as connection:
        for statement in broken[:2]:
            connection.execute(text(statement))

    def break_promise() -> None:
        with database.writing() as db:
            take_turn(db, lambda: NOW)
            db.execute(text("INSERT INTO promises VALUES (1)"))

    with pytest.raises(IntegrityError):
        break_promise()

    with database.writing() as db:
        take_turn(db, lambda: NOW)
        assert db.execute(text("SELECT count(*) FROM promises")).scalar_one() == 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_is_cut_at_the_commit_is_a_problem_the_caller_can_wait_out(
    app: FastAPI, new_key: Callable[..., str], database_url: str
) -> None:
    database: Database = app.state.database
    kuopio = Caller(TestClient(app, raise_server_exceptions=False), new_key("municipality:297"))
    other = Database(Settings(database_url=database_url))

    def cut(connection: Connection) -> None:
        process = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]  # psycopg's
        with other.engine.connect() as executioner:
            assert executioner.scalar(text("SELECT pg_terminate_backend(:process, 5000)"), {"process": process})

    event.listen(database.engine, "commit", cut)
    answer = kuopio.post([count("297", "2022-03", 7)])
    event.remove(database.engine, "commit", cut)
    other.dispose()

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert answer.json()["type"] == "urn:yhdessa:problem:unavailable"
    assert kuopio.get("/v1/session-counts").json()["rows"] == []
    assert kuopio.post([count("297", "2022-03", 7)]).json()["id"] == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_answered_a_moment_ago_is_not_asked_whether_it_does(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    execute = PatientConnection.execute

    def noted(connection: PatientConnection, query: Any) -> Any:
        asked.append(query)
        return execute(connection, query)

    monkeypatch.setattr(PatientConnection, "execute", noted)

    def processes() -> list[int]:
        with database.reading() as db:
            return [db.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar_one()]

    first, again = processes(), processes()
    monkeypatch.setattr("app.patient.FRESH_SECONDS", 0)
    later = processes()

    assert first == again == later
    # The first statement is that of a new connection, which asks whether anything acknowledged could be lost.
    assert asked[1:] == ["SELECT 1"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_one_that_its_server_has_ended_since_is_not_taken(app: FastAPI, kuopio: Caller, database_url: str) -> None:
    other = Database(Settings(database_url=database_url))
    answers = []

    for period in ("2022-03", "2022-04", "2022-05"):
        answers += [kuopio.post([count("297", period, 7)]), kuopio.get("/v1/session-counts")]
        with other.engine.connect() as executioner:
            ended = executioner.scalars(
                text(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
            assert all(ended)
    other.dispose()

    assert [answer.status_code for answer in answers] == [201, 200] * 3


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_nobody_begins_to_connect_who_could_not_wait_for_it(database: Database) -> None:
    with allowed(Allowance(1.5)), pytest.raises(OperationalError, match="no time is left to connect to the database"):
        database.engine.connect()


def test_a_write_that_fails_leaves_nothing(database: Database, clock: StandingClock) -> None:
    clock.advance(hours=1)

    with suppress(ZeroDivisionError), database.writing() as db:
        take_turn(db, clock)
        db.flush()
        raise ZeroDivisionError

    assert latest_write(database) == NOW


def test_a_reader_keeps_nothing(database: Database) -> None:
    # PostgreSQL refuses to write, SQLite never commits.
    with suppress(InternalError), database.reading() as db:
        db.get_one(LastWrite, 1).recorded_at = datetime(2030, 1, 1, tzinfo=UTC)
        db.flush()

    assert latest_write(database) == NOW


# One writer at a time.


def test_writers_take_turns(database: Database, clock: StandingClock, threads: ThreadPoolExecutor) -> None:
    clock.advance(seconds=1)
    with database.writing() as db:
        earlier = take_turn(db, clock)
        waiting = threads.submit(write, database, clock)
        time.sleep(LONG_ENOUGH_TO_NOTICE)
        waited = not waiting.done()
    later = waiting.result(DEADLINE)

    assert waited
    assert (earlier, later) == (clock(), clock() + A_MICROSECOND)


def test_a_writer_that_has_its_turn_sees_what_was_written_while_it_waited(
    database: Database, clock: StandingClock
) -> None:
    clock.advance(seconds=1)
    with database.writing() as db:
        seen = db.get_one(LastWrite, 1).recorded_at
        between = write(database, clock)
        taken = take_turn(db, clock)

    assert seen < between < taken


def test_a_turn_that_does_not_come_is_a_problem_the_caller_can_wait_out(
    settings: Settings, clock: StandingClock, kuopio: Caller
) -> None:
    hasty = create_app(settings.model_copy(update={"lock_timeout_seconds": 0.2}), clock)
    impatient = Caller(TestClient(hasty), kuopio.key)

    with hasty.state.database.writing() as db:
        take_turn(db, clock)
        answer = impatient.post([count("297", "2022-03", 7)])
        db.rollback()
    again = impatient.post([count("297", "2022-03", 7)])
    hasty.state.database.dispose()

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert answer.json() == {
        "type": "urn:yhdessa:problem:unavailable",
        "title": "Not available at the moment",
        "status": 503,
        "detail": "the database did not answer in time; try again in a few seconds",
        "instance": "/v1/submissions",
    }
    assert again.status_code == 201


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_whoever_has_the_turn_and_says_nothing_loses_it_unless_there_is_much_to_compute(
    database: Database, clock: StandingClock
) -> None:
    show = text("SHOW idle_in_transaction_session_timeout")

    with database.writing() as db:
        before = db.scalar(show)
        take_turn(db, clock)
        held = [db.scalar(show)]
        for rows in (1, 10_000):
            hold_turn(db, rows=rows)
            held.append(db.scalar(show))
    with database.reading() as db:
        after = db.scalar(show)

    assert (before, held, after) == ("1min", ["4s", "4s", "44s"], "1min")


def test_moments_of_recording_strictly_increase_over_clocks_that_stand_or_are_set_back(
    database: Database, clock: StandingClock
) -> None:
    moments = []
    for hours in (0, 0, -1, 24, -48, -1, 100):
        clock.advance(hours=hours)
        moments.append(write(database, clock))

    tomorrow, in_days = NOW + timedelta(hours=23), NOW + timedelta(hours=74)
    assert moments == [
        NOW + A_MICROSECOND,
        NOW + 2 * A_MICROSECOND,
        NOW + 3 * A_MICROSECOND,
        tomorrow,
        tomorrow + A_MICROSECOND,
        tomorrow + 2 * A_MICROSECOND,
        in_days,
    ]


def test_receipts_strictly_increase_over_a_clock_set_back(kuopio: Caller, clock: StandingClock) -> None:
    received = []
    for sessions, hours in enumerate((1, -5, 2, 0, 30, -30)):
        clock.advance(hours=hours)
        received.append(kuopio.post([count("297", "2022-03", sessions)]).json()["received_at"])

    assert received == sorted(set(received))


# One moment for a reader.


def test_a_reader_sees_one_moment_throughout(database: Database, clock: StandingClock) -> None:
    clock.advance(seconds=1)
    with database.reading() as db:
        before = db.exec(select(LastWrite.recorded_at)).one()
        write(database, clock)
        meanwhile = db.exec(select(LastWrite.recorded_at)).one()

    assert (before, meanwhile) == (NOW, NOW)
    assert latest_write(database) == clock()


def test_readers_and_a_writer_do_not_wait_for_one_another(
    kuopio: Caller, slow_commits: SlowCommits, threads: ThreadPoolExecutor, clock: StandingClock
) -> None:
    clock.advance(seconds=1)
    slow_commits.hold()
    posting = threads.submit(kuopio.post, [count("297", "2022-03", 7)])
    assert slow_commits.begun.wait(DEADLINE)

    now = kuopio.get("/v1/session-counts")
    long_ago = kuopio.get("/v1/session-counts", as_of="2024-05-15T08:00:00Z")

    assert not posting.done()
    assert now.json()["rows"] == long_ago.json()["rows"] == []
    slow_commits.go.set()
    assert posting.result(DEADLINE).status_code == 201


@pytest.mark.parametrize("path", ["/v1/session-counts", "/v1/statuses", "/v1/trends"])
@pytest.mark.parametrize(
    ("posted_at", "asked", "asked_at"),
    [
        ("2024-05-15T10:00:00Z", "2024-05-15T10:00:00Z", "2024-05-15T10:00:00Z"),
        ("2024-05-15T10:00:00Z", "2024-05-15T10:00:07Z", "2024-05-15T10:00:10Z"),
        ("2024-05-15T20:59:59Z", "2024-05-15", "2024-05-15T21:00:01Z"),
        # However long the writer takes.
        ("2024-05-15T10:00:00Z", "2024-05-15T10:00:00Z", "2024-06-15T10:00:00Z"),
    ],
)
def test_a_question_about_a_recent_moment_waits_for_the_writer_in_flight(
    kuopio: Caller,
    clock: StandingClock,
    slow_commits: SlowCommits,
    threads: ThreadPoolExecutor,
    path: str,
    posted_at: str,
    asked: str,
    asked_at: str,
) -> None:
    clock.now = datetime.fromisoformat(posted_at)
    slow_commits.hold()
    posting = threads.submit(kuopio.post, [count("297", "2024-03", 7)], [status("297", "2024", "pilot")])
    assert slow_commits.begun.wait(DEADLINE)
    clock.now = datetime.fromisoformat(asked_at)

    question: dict[str, Any] = {"municipality": "297", "as_of": asked}
    asking = threads.submit(kuopio.get, path, **question)
    time.sleep(LONG_ENOUGH_TO_NOTICE)
    waited = not asking.done()
    slow_commits.go.set()
    answer = asking.result(DEADLINE)

    assert waited
    assert posting.result(DEADLINE).json()["received_at"] == written(datetime.fromisoformat(posted_at))
    kuopio.post([count("297", "2024-03", 8)], [status("297", "2024", "in_use")])
    assert kuopio.get(path, **question).content == answer.content
    assert kuopio.get(path, municipality="297").content != answer.content


@contextmanager
def server_wide(server: str, setting: str, value: str) -> Iterator[None]:
    """The whole PostgreSQL server runs with `setting` at `value`."""
    engine = create_engine(make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")

    def set_to(statement: str, expected: str) -> None:
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
            connection.exec_driver_sql("SELECT pg_reload_conf()")
            deadline = time.monotonic() + DEADLINE
            while connection.exec_driver_sql(f"SHOW {setting}").scalar_one() != expected:
                assert time.monotonic() < deadline, f"{setting} never became {expected}"
                time.sleep(0.02)

    with engine.connect() as connection:
        before = connection.exec_driver_sql(f"SHOW {setting}").scalar_one()
    set_to(f"ALTER SYSTEM SET {setting} = '{value}'", value)
    try:
        # Sessions that are open hear of it when they are next asked something, and so may be asked one time too early.
        time.sleep(0.2)
        yield
    finally:
        set_to(f"ALTER SYSTEM RESET {setting}", before)
        engine.dispose()


def write(database: Database, clock: StandingClock) -> datetime:
    """Take a turn and end it; the moment of recording."""
    with database.writing() as db:
        return take_turn(db, clock)


def latest_write(database: Database) -> datetime:
    with database.reading() as db:
        return db.get_one(LastWrite, 1).recorded_at
