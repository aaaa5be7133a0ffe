"""Answers at hand for holders of keys: what the long way gives, never stale, never another's, never beyond a limit."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event
from sqlmodel import Session
from starlette.testclient import TestClient

from app.access import at_hand
from app.access.keys import report_leak, revoke_key, rotate_key
from app.database import Database, take_turn, wait_for_turn
from app.main import create_app
from app.places.models import CountyRecord
from app.practices.definitions import SHIPPED_PRACTICE, define_practice, set_live_from
from app.releases.importing import import_release
from app.settings import Settings
from tests.conftest import UNHURRIED, Caller, StandingClock, StandingTicks, count, status
from tests.measures.scraping import scraped
from tests.releases.test_importing import south_savo

NewKey = Callable[..., str]

TREND = "/v1/trends?county=13"
FIGURE = "/v1/session-counts/yhdessa-aika/297/2024-01"
DIFFERS = ("x-request-id", "ratelimit")


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, metrics_open=True, **UNHURRIED)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a look may take longer than a server would wait for it."""
    monkeypatch.setattr("app.web.looks.MOST_LOOK_SECONDS", 20)


@pytest.fixture
def elsewhere(settings: Settings) -> Iterator[Database]:
    """The database as another process has it."""
    database = Database(settings)
    yield database
    database.dispose()


def given(caller: Caller) -> int:
    """How many answers were given to holders from memory by now."""
    return int(scraped(caller.http)["answers_at_hand_to_holders_total"])


def ask(caller: Caller, path: str = TREND) -> Any:
    """What `caller` is answered."""
    return caller.http.get(path, headers=caller.headers)


def at_hand_for(caller: Caller, path: str = TREND) -> Any:
    """The answer to `path`, which is at hand for `caller`."""
    ask(caller, path)
    before = given(caller)
    answer = ask(caller, path)
    assert given(caller) == before + 1
    return answer


def asked(caller: Caller, method: str, path: str, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
    """All that `caller` is answered but for what differs from request to request."""
    answer = caller.http.request(method, path, headers={**headers, **caller.headers})
    told = {name: value for name, value in answer.headers.items() if name not in DIFFERS}
    return answer.status_code, answer.content, told


@pytest.mark.parametrize("path", [TREND, f"{TREND}&by=municipality&format=csv", "/v1/trends?as_of=2024-05-15"])
def test_what_is_at_hand_is_what_the_long_way_gives(
    path: str, settings: Settings, clock: StandingClock, nation: Caller
) -> None:
    nation.post([count("297", "2024-03", 7)], [status("297", "2024", "pilot")])
    ways = [
        (method, headers)
        for method in ("GET", "HEAD")
        for headers in ({}, {"If-None-Match": "*"}, {"If-None-Match": '"other"'}, {"Range": "bytes=3-8"})
    ]

    with TestClient(create_app(settings, clock)) as http:
        for year, (method, headers) in enumerate(ways, 2024):
            at_hand_for(nation, path)
            before = given(nation)
            short = asked(nation, method, path, headers)
            # Nobody asked for so many years before.
            long_way = asked(Caller(http, nation.key), method, f"{path}&to_year={year}", headers)

            assert given(nation) == before + 1
            assert short == long_way, (method, headers)


def test_an_answer_at_hand_is_of_the_kind_that_is_asked_for(nation: Caller) -> None:
    kinds = ["text/csv", "application/json", "text/csv, application/json"]
    for accept in kinds:
        nation.http.get(TREND, headers={**nation.headers, "Accept": accept})
    before = given(nation)

    found = [nation.http.get(TREND, headers={**nation.headers, "Accept": accept}) for accept in kinds]

    assert given(nation) == before + 3
    assert [answer.headers["Content-Type"].split(";")[0] for answer in found] == [
        "text/csv",
        "application/json",
        "text/csv",
    ]


def test_of_several_accept_headers_each_counts(nation: Caller) -> None:
    """The long way reads the first alone, so that who sends two is answered otherwise than who sends the last."""
    both = [("Accept", "text/csv"), ("Accept", "application/json"), *nation.headers.items()]
    for _ in range(2):
        assert nation.http.get(TREND, headers=both).headers["Content-Type"].startswith("text/csv")

    after = nation.http.get(TREND, headers={**nation.headers, "Accept": "application/json"})

    assert after.headers["Content-Type"] == "application/json"


def test_it_is_counted_by_its_route_and_told_by_its_size(nation: Caller) -> None:
    for _ in range(3):
        ask(nation)
    counted = scraped(nation.http)
    nation.post([count("297", "2024-03", 7)])
    answer = ask(nation)

    assert counted['http_requests_total{method="GET",route="/v1/trends",status="2xx"}'] == 3
    assert counted["answers_at_hand_to_holders_total"] == 2
    assert scraped(nation.http)["answers_at_hand_to_holders_bytes"] == len(answer.content) + at_hand.AROUND_BYTES


def by_a_post(db: Session, at: datetime, reporter: Caller) -> None:
    db.rollback()
    assert reporter.post([count("297", "2024-02", 5)]).status_code == 201


def by_a_status(db: Session, at: datetime, reporter: Caller) -> None:
    db.rollback()
    assert reporter.put("/v1/statuses/yhdessa-aika/297/2024-02-01", {"status": "pilot"}).status_code == 201


def by_a_deletion(db: Session, at: datetime, reporter: Caller) -> None:
    db.rollback()
    assert reporter.delete(FIGURE, reason="Wrong").status_code == 200


def by_a_retraction(db: Session, at: datetime, reporter: Caller) -> None:
    db.rollback()
    answer = reporter.http.post("/v1/submissions/1/retraction", json={"reason": "Wrong"}, headers=reporter.headers)
    assert answer.status_code < 300, answer.text


def by_a_release(db: Session, at: datetime, reporter: Caller) -> None:
    import_release(db, south_savo(county="13", published_on="2024-05-15"), at=at)


def by_a_definition(db: Session, at: datetime, reporter: Caller) -> None:
    define_practice(db, SHIPPED_PRACTICE.model_copy(update={"counted": False}), at=at)


def by_a_year(db: Session, at: datetime, reporter: Caller) -> None:
    set_live_from(db, "yhdessa-aika", "13", 2022, at=at)


def by_a_register(db: Session, at: datetime, reporter: Caller) -> None:
    db.add(CountyRecord(code="13", recorded_at=at, name_fi="Uusi", name_sv="Ny", name_en="New", kind="county"))


@pytest.mark.parametrize(
    "record",
    [
        by_a_post,
        by_a_status,
        by_a_deletion,
        by_a_retraction,
        by_a_release,
        by_a_definition,
        by_a_year,
        by_a_register,
    ],
)
def test_the_next_request_sees_what_another_process_recorded(
    record: Callable[..., None], settings: Settings, clock: StandingClock, north_savo: Caller, elsewhere: Database
) -> None:
    north_savo.post(
        [count("297", "2024-01", 7), count("140", "2022", 9)],
        [status("297", "2024", "in_use"), status("140", "2022", "in_use")],
    )
    before = at_hand_for(north_savo)

    with TestClient(create_app(settings, clock)) as other, elsewhere.writing() as db:
        record(db, take_turn(db, clock), Caller(other, north_savo.key))
    answers = [ask(north_savo) for _ in range(2)]

    with TestClient(create_app(settings, clock)) as fresh:
        right = ask(Caller(fresh, north_savo.key))
    assert right.content != before.content
    assert [answer.content for answer in answers] == [right.content] * 2


class Held:
    """Those who count a live trend anew wait before they ask from which year on reports speak, until they may go on."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.readings = 0

    def __enter__(self) -> "Held":
        event.listen(self.database.engine, "before_cursor_execute", self._hold)
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        event.remove(self.database.engine, "before_cursor_execute", self._hold)

    def _hold(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM live_from" in statement and "count(" not in statement:
            self.readings += 1
            self.begun.release()
            assert self.go_on.wait(20)


def test_who_asks_while_it_is_counted_anew_waits_for_that(app: FastAPI, kuopio: Caller, north_savo: Caller) -> None:
    at_hand_for(north_savo)
    kuopio.post([count("297", "2024-02", 7)])

    with Held(app.state.database) as held, ThreadPoolExecutor() as readers:
        first = readers.submit(ask, north_savo)
        assert held.begun.acquire(timeout=20)
        others = [readers.submit(ask, north_savo) for _ in range(3)]
        time.sleep(0.3)
        held.go_on.set()
        answers = [reader.result().content for reader in (first, *others)]

    assert held.readings == 1
    assert set(answers) == {ask(north_savo).content}


def test_who_waited_is_told_of_what_was_recorded_before_it_asked(
    app: FastAPI, kuopio: Caller, north_savo: Caller
) -> None:
    at_hand_for(north_savo)
    kuopio.post([count("297", "2024-02", 7)])

    with Held(app.state.database) as held, ThreadPoolExecutor() as readers:
        first = readers.submit(ask, north_savo)
        assert held.begun.acquire(timeout=20)
        assert kuopio.post([count("297", "2024-02", 8)]).status_code == 201
        others = [readers.submit(ask, north_savo) for _ in range(4)]
        time.sleep(0.3)
        held.go_on.set()
        before, *after = [reader.result().json()["years"][-1]["sessions"] for reader in (first, *others)]

    assert (before, after) == (7, [8] * 4)
    assert held.readings == 2


def test_who_takes_an_answer_slowly_keeps_nobody_waiting(
    settings: Settings, clock: StandingClock, kuopio: Caller, north_savo: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.underway.MOST_SECONDS", 60)
    app = create_app(settings, clock)

    async def asked(state: Any, arrives: asyncio.Event, goes_on: asyncio.Event) -> bytes:
        headers = [(name.lower().encode(), value.encode()) for name, value in north_savo.headers.items()]
        scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": "/v1/trends", "headers": headers}
        body = b""

        async def take(message: Any) -> None:
            nonlocal body
            arrives.set()
            await goes_on.wait()
            body += message.get("body", b"")

        await app({**scope, "query_string": b"county=13", "state": {**state}}, _nothing_more, take)
        return body

    async def scene() -> list[bytes]:
        arrives, goes_on, at_once = asyncio.Event(), asyncio.Event(), asyncio.Event()
        at_once.set()
        async with app.router.lifespan_context(app) as state:
            await asked(state, arrives, at_once)
            kuopio.post([count("297", "2024-02", 7)])
            arrives.clear()
            slow = asyncio.create_task(asked(state, arrives, goes_on))
            await arrives.wait()
            soon = await asyncio.wait_for(asked(state, arrives, at_once), 20)
            goes_on.set()
            return [soon, await slow]

    answers = asyncio.run(scene())

    assert answers == [ask(north_savo).content] * 2


async def _nothing_more() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


def by_revoking(db: Session, key: str, at: datetime) -> None:
    revoke_key(db, key.split("_")[1], at=at)


def by_finding_it(db: Session, key: str, at: datetime) -> None:
    report_leak(db, key, at=at)


@pytest.mark.parametrize("end", [by_revoking, by_finding_it])
def test_a_key_that_was_revoked_elsewhere_is_refused_at_once(
    end: Callable[..., None], clock: StandingClock, kuopio: Caller, north_savo: Caller, elsewhere: Database
) -> None:
    for caller in (kuopio, north_savo):
        at_hand_for(caller)

    with elsewhere.writing() as db:
        wait_for_turn(db)
        end(db, north_savo.key, clock())

    assert [ask(north_savo).status_code for _ in range(2)] == [401, 401]
    assert ask(kuopio).status_code == 200


def test_a_key_is_refused_from_the_moment_of_its_end(clock: StandingClock, http: TestClient, new_key: NewKey) -> None:
    holder = Caller(http, new_key("county:13", days=1))
    clock.advance(hours=23)
    last = at_hand_for(holder)
    clock.advance(hours=1)

    assert last.headers["Key-Expires"] == "2024-05-16T09:00:00.000000Z"
    assert [ask(holder).status_code for _ in range(2)] == [401, 401]


def test_a_key_that_was_rotated_ends_when_it_was_told_to(
    clock: StandingClock, north_savo: Caller, elsewhere: Database
) -> None:
    assert "Key-Expires" not in at_hand_for(north_savo).headers

    with elsewhere.writing() as db:
        wait_for_turn(db)
        rotate_key(db, (north_savo.key or "").split("_")[1], at=clock(), overlap_days=1)

    assert "Key-Expires" in at_hand_for(north_savo).headers
    clock.advance(days=1)
    assert ask(north_savo).status_code == 401


def test_nobody_gets_what_is_at_hand_for_another(anyone: Caller, north_savo: Caller, kuopio: Caller) -> None:
    north_savo.post([count("297", "2024-02", 7)])

    for _ in range(3):
        assert ask(anyone).json()["read"] == "release"
        assert ask(north_savo).json()["read"] == "live"
        assert ask(kuopio).json()["read"] == "release"
        assert anyone.http.get(TREND, auth=("", north_savo.key or "")).json()["read"] == "live"
        for wrong in ("Bearer wrong", "", f"Bearer {north_savo.key}x"):
            assert anyone.http.get(TREND, headers={"Authorization": wrong}).status_code == 401
        # Of two keys the first counts, and neither is at hand.
        both = [("Authorization", f"Bearer {caller.key}") for caller in (kuopio, north_savo)]
        before = given(anyone)
        assert anyone.http.get(TREND, headers=both).json()["read"] == "release"
        assert given(anyone) == before


def test_what_is_at_hand_counts_as_one_more_request_of_the_key(
    settings: Settings, clock: StandingClock, north_savo: Caller
) -> None:
    ticks = StandingTicks()
    with TestClient(create_app(settings.model_copy(update={"requests_per_minute": 3}), clock, ticks=ticks)) as limited:
        holder = Caller(limited, north_savo.key)
        answers = [ask(holder) for _ in range(4)]
        ticks.advance(seconds=20)
        after = ask(holder)

    assert [answer.status_code for answer in [*answers, after]] == [200, 200, 200, 429, 200]
    assert [answer.headers["RateLimit"] for answer in answers] == [f'"key";r={left};t=20' for left in (2, 1, 0, 0)]
    assert answers[3].headers["Retry-After"] == "20"


def test_after_midnight_in_helsinki_it_is_another_day(north_savo: Caller, clock: StandingClock) -> None:
    clock.now = datetime(2024, 5, 15, 20, 59, 59, tzinfo=UTC)
    evening = at_hand_for(north_savo).json()["as_of"]
    clock.now = datetime(2024, 5, 15, 21, 0, tzinfo=UTC)

    assert (evening, ask(north_savo).json()["as_of"]) == ("2024-05-15", "2024-05-16")


@pytest.mark.parametrize("path", [f"{TREND}&as_of=2024-05-01", "/v1/trends?county=99", "/v1/session-counts", "/v1/key"])
def test_other_answers_are_asked_for_each_time(path: str, north_savo: Caller) -> None:
    for _ in range(3):
        ask(north_savo, path)

    assert given(north_savo) == 0


def test_without_the_database_nothing_is_given_from_memory_nor_waited_for_twice(
    app: FastAPI, nation: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = (TREND, "/v1/trends")
    for path in paths:
        ask(nation, path)
    looks = []

    def refused() -> None:
        looks.append("a look")
        raise app.state.database.engine.dialect.loaded_dbapi.OperationalError("away")

    monkeypatch.setattr(app.state.database, "connection_apart", refused)
    for path in paths:
        ask(nation, path)
    monkeypatch.undo()

    assert looks == ["a look"]
    assert given(nation) == 0


def test_the_oldest_goes_where_too_much_would_be_kept(nation: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = f"{TREND}&from_year=2021", f"{TREND}&from_year=2022"
    sizes = [len(ask(nation, path).content) + at_hand.AROUND_BYTES for path in (one, other)]
    monkeypatch.setattr(at_hand, "MOST_BYTES", sum(sizes) - 1)
    for path in (one, other, other, one):
        ask(nation, f"{path}&to_year=2023")

    assert given(nation) == 1
    assert scraped(nation.http)["answers_at_hand_to_holders_bytes"] == sizes[0]


def test_what_is_too_large_is_not_kept(nation: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.kept.LARGEST_BYTES", 100)
    for _ in range(3):
        ask(nation)

    assert given(nation) == 0


def test_a_server_that_ends_lets_go_of_its_connection(
    settings: Settings, clock: StandingClock, north_savo: Caller
) -> None:
    app = create_app(settings, clock)
    with TestClient(app) as http:
        for _ in range(2):
            ask(Caller(http, north_savo.key))
        connection = app.state.recorded._connection  # nobody else tells

    with pytest.raises(app.state.database.engine.dialect.loaded_dbapi.Error):
        connection.execute("SELECT 1")
