"""Turns: who waits together is written together; nobody spoils another's post or is told of it before it is kept."""

import asyncio
import time
import weakref
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from threading import Event
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, func, select

from app.access.keys import revoke_key
from app.access.models import Organisation
from app.clock import Clock
from app.database import Database, LastWrite, take_turn
from app.errors import NotFound, Unavailable
from app.reports.tables import CountEntry, Submission
from app.reports.verifying import verify
from app.settings import Settings
from app.turn import Known, Turn, add
from app.waiting import Allowance
from app.web import turns as turns_module
from app.web.turns import ALONE, MOST_ROWS_TOGETHER, Turns, Work
from tests.conftest import Caller, StandingClock, count

DEADLINE = 20


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(Settings(database_url=database_url, lock_timeout_seconds=10))
    yield database
    database.dispose()


@pytest.fixture
def commits(database: Database) -> list[Any]:
    """One element for each transaction that is committed."""
    return commits_of(database)


def commits_of(database: Database) -> list[Any]:
    found: list[Any] = []
    event.listen(database.engine, "commit", found.append)
    return found


@contextmanager
def held_turn(database: Database, clock: Clock) -> Iterator[None]:
    """While somebody else has the turn, so that all who come wait together."""
    with database.writing() as db:
        take_turn(db, clock)
        yield
        db.rollback()


def done_together(database: Database, clock: Clock, *works: Work[Any], rows: int = 1) -> list[Any]:
    """What becomes of all of `works`, which wait for one turn."""

    async def do() -> list[Any]:
        turns = Turns(database, clock, Known())
        holding = asyncio.create_task(turns.done(hold, allowance=Allowance(DEADLINE)))
        await asyncio.to_thread(held.wait, DEADLINE)
        waiting = [asyncio.create_task(turns.done(work, allowance=Allowance(DEADLINE), rows=rows)) for work in works]
        await asyncio.sleep(0)
        go.set()
        await holding
        made = await asyncio.gather(*waiting, return_exceptions=True)
        turns.close()
        return list(made)

    held, go = Event(), Event()

    def hold(_db: Session, _at: datetime) -> None:
        held.set()
        assert go.wait(DEADLINE)

    return asyncio.run(do())


def adding(name: str) -> Work[datetime]:
    """Adds an organisation and tells when."""

    def add(db: Session, at: datetime) -> datetime:
        db.add(Organisation(name=name, created_at=at))
        return at

    return add


def names(database: Database) -> list[str]:
    with database.reading() as db:
        return sorted(db.exec(select(Organisation.name)))


def test_those_who_wait_together_share_one_commit_each_at_a_later_moment(
    database: Database, clock: StandingClock, commits: list[Any]
) -> None:
    made = done_together(database, clock, *[adding(f"{number}") for number in range(9)])

    with database.reading() as db:
        last = db.get_one(LastWrite, 1).recorded_at
    assert len(commits) == 1
    assert names(database) == [f"{number}" for number in range(9)]
    assert made == sorted(set(made))
    assert made[-1] == last


def test_32_who_post_at_once_share_commits_and_each_is_recorded_once(
    app: FastAPI, kuopio: Caller, clock: StandingClock
) -> None:
    commits = commits_of(app.state.database)

    def post(number: int) -> Any:
        return kuopio.post([count("297", f"{2016 + number // 12}-{1 + number % 12:02}", number)])

    with ThreadPoolExecutor(32) as threads:
        with held_turn(app.state.database, clock):
            posted = [threads.submit(post, number) for number in range(32)]
            time.sleep(0.3)
        answers = [one.result(DEADLINE) for one in posted]

    with app.state.database.reading() as db:
        figures = {entry.period: entry.sessions for entry in db.exec(select(CountEntry))}
        receipts = db.exec(select(func.count()).select_from(Submission)).one()
        verified = verify(db)
    assert Counter(answer.status_code for answer in answers) == {201: 32}
    assert len({answer.json()["id"] for answer in answers}) == receipts == 32
    assert figures == {f"{2016 + number // 12}-{1 + number % 12:02}": number for number in range(32)}
    assert verified.receipts == 32
    assert len(commits) < 16


def test_who_is_refused_keeps_nothing_and_leaves_the_others_theirs(
    database: Database, clock: StandingClock, commits: list[Any]
) -> None:
    def refused(db: Session, at: datetime) -> None:
        db.add(Organisation(name="refused", created_at=at))
        db.flush()
        raise NotFound("there is none")

    def broken(db: Session, at: datetime) -> None:
        db.add(Organisation(name="first", created_at=at))
        db.flush()

    def undone(db: Session, at: datetime) -> str:
        db.add(Organisation(name="undone", created_at=at))
        db.flush()
        db.rollback()
        return "a dry run"

    first, *others, last = done_together(
        database, clock, adding("first"), refused, broken, undone, lambda _db, _at: 1 / 0, adding("last")
    )

    assert names(database) == ["first", "last"]
    assert [type(other).__name__ for other in others] == ["NotFound", "IntegrityError", "str", "ZeroDivisionError"]
    assert first < last
    assert len(commits) == 1


def test_a_turn_of_refusals_leaves_the_database_as_it_was(
    database: Database, clock: StandingClock, commits: list[Any]
) -> None:
    with database.reading() as db:
        before = db.get_one(LastWrite, 1).recorded_at

    def refused(db: Session, at: datetime) -> None:
        raise NotFound("there is none")

    done_together(database, clock, refused, refused)

    with database.reading() as db:
        assert db.get_one(LastWrite, 1).recorded_at == before
    assert commits == []


def test_nobody_is_told_before_all_is_committed(
    database: Database, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[list[str]] = []
    tell = turns_module._tell

    def told(group: Any) -> None:
        kept.append(names(database))
        tell(group)

    monkeypatch.setattr(turns_module, "_tell", told)

    done_together(database, clock, adding("Kuopio"), adding("Iisalmi"))

    # The first is told that it held the turn.
    assert kept == [[], ["Iisalmi", "Kuopio"]]


def test_if_the_commit_fails_nobody_is_told_that_anything_is_kept(database: Database, clock: StandingClock) -> None:
    def fail(_connection: Any) -> None:
        raise RuntimeError

    event.listen(database.engine, "commit", fail)
    made = done_together(database, clock, adding("Kuopio"), adding("Iisalmi"))
    event.remove(database.engine, "commit", fail)
    after = done_together(database, clock, adding("Varkaus"))

    assert [type(one) for one in made] == [RuntimeError, RuntimeError]
    assert (names(database), len(after)) == (["Varkaus"], 1)


def test_many_rows_have_a_turn_of_their_own(database: Database, clock: StandingClock, commits: list[Any]) -> None:
    works = [adding("Kuopio"), adding("Iisalmi"), adding("Varkaus")]

    done_together(database, clock, *works, rows=ALONE)

    assert len(commits) == 3
    done_together(database, clock, adding("a"), adding("b"), adding("c"), rows=MOST_ROWS_TOGETHER // 2)
    assert len(commits) == 5


def test_who_waits_for_too_long_is_told_so_and_nothing_is_done_afterwards(
    database: Database, clock: StandingClock
) -> None:
    connections: list[Any] = []
    event.listen(database.engine, "connect", lambda connection, _record: connections.append(connection))

    async def wait() -> list[Any]:
        turns = Turns(database, clock, Known())
        impatient = [turns.done(adding(f"{seconds}"), allowance=Allowance(seconds)) for seconds in (0.1, 0.2)]
        patient = asyncio.create_task(turns.done(adding("patient"), allowance=Allowance(DEADLINE)))
        with held_turn(database, clock):
            made = await asyncio.gather(*impatient, return_exceptions=True)
            await asyncio.sleep(1.2)
        await patient
        turns.close()
        return list(made)

    made = asyncio.run(wait())

    # That of who had the turn, and one that waited more than once.
    assert len(connections) == 2
    assert [type(one) for one in made] == [Unavailable, Unavailable]
    assert names(database) == ["patient"]


def test_who_went_away_before_the_turn_came_is_not_written(database: Database, clock: StandingClock) -> None:
    async def leave() -> None:
        turns = Turns(database, clock, Known())
        with held_turn(database, clock):
            gone = asyncio.create_task(turns.done(adding("gone"), allowance=Allowance(DEADLINE)))
            await asyncio.sleep(0.05)
            gone.cancel()
            await asyncio.wait([gone])
        await turns.done(adding("here"), allowance=Allowance(DEADLINE))
        turns.close()

    asyncio.run(leave())

    assert names(database) == ["here"]


def test_who_went_away_meanwhile_holds_up_nobody(database: Database, clock: StandingClock) -> None:
    begun, go = Event(), Event()

    def slow(db: Session, at: datetime) -> None:
        begun.set()
        assert go.wait(DEADLINE)

    async def leave() -> None:
        turns = Turns(database, clock, Known())
        gone = asyncio.create_task(turns.done(slow, allowance=Allowance(DEADLINE)))
        await asyncio.to_thread(begun.wait, DEADLINE)
        gone.cancel()
        await asyncio.wait([gone])
        go.set()
        await turns.done(adding("here"), allowance=Allowance(DEADLINE))
        turns.close()

    asyncio.run(leave())

    assert names(database) == ["here"]


def test_a_database_that_is_away_is_told_at_once_to_those_who_wait(tmp_path: Any, clock: StandingClock) -> None:
    away = Database(Settings(database_url=f"sqlite:///{tmp_path / 'nowhere' / 'x.db'}", lock_timeout_seconds=10))

    [made] = asyncio.run(_alone(away, clock))

    assert type(made).__name__ == "OperationalError"


async def _alone(database: Database, clock: Clock) -> list[Any]:
    turns = Turns(database, clock, Known())
    made = await asyncio.gather(turns.done(adding("x"), allowance=Allowance(DEADLINE)), return_exceptions=True)
    turns.close()
    return list(made)


def test_a_key_that_is_revoked_while_it_waits_is_refused_beside_one_that_is_valid(
    app: FastAPI, kuopio: Caller, north_savo: Caller, clock: StandingClock
) -> None:
    with ThreadPoolExecutor(2) as threads:
        with app.state.database.writing() as db:
            take_turn(db, clock)
            posted = [
                threads.submit(who.post, [count("297", period, 7)])
                for who, period in ((kuopio, "2022-01"), (north_savo, "2022-02"))
            ]
            time.sleep(0.2)
            assert kuopio.key is not None
            revoke_key(db, kuopio.key.split("_")[1], at=clock())
        answers = [one.result(DEADLINE) for one in posted]

    assert [answer.status_code for answer in answers] == [401, 201]


def test_retries_that_wait_together_get_one_answer(app: FastAPI, kuopio: Caller, clock: StandingClock) -> None:
    def put() -> Any:
        return kuopio.put("/v1/session-counts/yhdessa-aika/297/2022-03", {"sessions": 7}, Idempotency_Key="the-same")

    with ThreadPoolExecutor(4) as threads:
        with held_turn(app.state.database, clock):
            posted = [threads.submit(put) for _ in range(4)]
            time.sleep(0.2)
        answers = [one.result(DEADLINE) for one in posted]

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sorted(answer.headers.get("Idempotency-Replayed", "") for answer in answers) == ["", "true", "true", "true"]


@pytest.mark.parametrize("fails", [False, True])
def test_who_is_alone_in_a_turn_keeps_nothing_of_what_is_undone(
    fails: bool, database: Database, clock: StandingClock, commits: list[Any]
) -> None:
    def undone(db: Session, at: datetime) -> str:
        db.add(Organisation(name="undone", created_at=at))
        db.flush()
        if fails:
            raise NotFound("there is none")
        db.rollback()
        return "a dry run"

    [made] = done_together(database, clock, undone)
    done_together(database, clock, adding("after"))

    assert type(made) is (NotFound if fails else str)
    assert names(database) == ["after"]
    assert len(commits) == 1


def test_a_connection_that_is_lost_ends_the_turn_for_all(
    database: Database, clock: StandingClock, commits: list[Any]
) -> None:
    def lose(db: Session, _at: datetime) -> None:
        raise OperationalError("SELECT 1", None, Exception("the server closed the connection"))

    made = done_together(database, clock, adding("first"), lose, adding("last"))

    assert [type(one) for one in made] == [OperationalError] * 3
    assert (names(database), commits) == ([], [])


def test_rows_that_were_added_are_let_go_of_once_they_are_written(database: Database, clock: StandingClock) -> None:
    known = Known()
    with database.turn(known.look) as (connection, found):
        turn = Turn(connection, found, clock, known)
        with turn.addition() as (db, at):
            organisation = Organisation(id=1_000, name="Kela", created_at=at)
            added = weakref.ref(organisation)
            add(db, Organisation, [organisation])
        turn.keep()
        del organisation

        assert added() is None
    assert "Kela" in names(database)
