"""Public answers at hand: the same as those asked the long way, never stale, never somebody else's."""

import asyncio
import threading
from collections.abc import Hashable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.database import Database
from app.main import create_app
from app.places.models import CountyRecord
from app.practices.definitions import SHIPPED_PRACTICE, define_practice
from app.releases.edition import EditionNow
from app.releases.importing import import_release
from app.settings import Settings
from app.web import at_hand, kept, looks
from app.web.looks import Glances, Looks
from tests.conftest import NOW, UNHURRIED, Caller, StandingClock, count
from tests.measures.scraping import scraped
from tests.releases.test_importing import south_savo

COUNTY = "/v1/trends?county=13"
COUNTRY = "/v1/trends"


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, metrics_open=True, **UNHURRIED)


@pytest.fixture
def elsewhere(settings: Settings) -> Iterator[Database]:
    """The database as another process has it."""
    database = Database(settings)
    yield database
    database.dispose()


def given(http: TestClient) -> int:
    """How many answers were given from memory by now."""
    return int(scraped(http)["answers_at_hand_total"])


def said(answer: Any) -> tuple[int, bytes, dict[str, str]]:
    """All of `answer` that does not differ from request to request."""
    return answer.status_code, answer.content, {n: v for n, v in answer.headers.items() if n != "x-request-id"}


def publish(database: Database) -> None:
    """Make public what South Savo counted."""
    with database.writing() as db:
        import_release(db, south_savo(), at=NOW)


@pytest.mark.parametrize("path", [COUNTY, COUNTRY, f"{COUNTY}&by=county&format=csv", f"{COUNTY}&as_of=2024-05-15"])
def test_what_is_at_hand_is_what_the_long_way_gives(path: str, http: TestClient) -> None:
    # Whoever gives a request an id is answered the long way.
    etag = http.get(path).headers["ETag"]
    known = [{"If-None-Match": tags} for tags in (etag, f'"other", {etag}', "*", '"other"')]
    both = {"If-None-Match": etag, "Range": "bytes=3-8"}
    asked: list[dict[str, str]] = [{}, *known, {"Range": "bytes=3-8"}, both, {"Accept": "text/csv"}]

    for headers in asked:
        http.get(path, headers={"Accept": headers.get("Accept", "*/*")})
        before = given(http)
        short = [http.request(method, path, headers=headers) for method in ("GET", "HEAD")]
        long_way = [
            http.request(method, path, headers={**headers, "X-Request-Id": "mine"}) for method in ("GET", "HEAD")
        ]

        assert given(http) == before + 2, headers
        assert [said(answer) for answer in short] == [said(answer) for answer in long_way], headers
        assert [answer.headers["X-Request-Id"] for answer in long_way] == ["mine"] * 2
        assert [len(answer.headers["X-Request-Id"]) for answer in short] == [32] * 2


def test_a_header_that_is_sent_twice_changes_nothing_for_others(http: TestClient) -> None:
    plain = {"Accept": "application/json"}
    twice = httpx.Headers([("Accept", "text/csv"), ("Accept", "application/json")])

    answers = [http.get(COUNTY, headers=headers) for headers in (twice, plain, twice, plain)]

    assert [answer.headers["Content-Type"].partition(";")[0] for answer in answers] == [
        "text/csv",
        "application/json",
    ] * 2


def test_what_is_at_hand_is_counted_as_a_request_of_its_route(http: TestClient) -> None:
    for _ in range(3):
        http.get(COUNTY)

    counted = scraped(http)

    assert counted['http_requests_total{method="GET",route="/v1/trends",status="2xx"}'] == 3
    assert counted["answers_at_hand_total"] == 2
    assert counted["answers_at_hand_bytes"] == len(http.get(COUNTY).content)


def test_the_next_request_sees_what_another_process_made_public(http: TestClient, elsewhere: Database) -> None:
    before = [http.get(COUNTRY).json() for _ in range(3)]

    publish(elsewhere)
    after = [http.get(COUNTRY).json() for _ in range(3)]

    assert [len(answer["releases"]) for answer in [*before, *after]] == [1, 1, 1, 2, 2, 2]


def test_the_next_request_sees_what_changed_of_practices_and_registers(http: TestClient, elsewhere: Database) -> None:
    counted = SHIPPED_PRACTICE.model_copy(update={"counted": False})
    renamed = CountyRecord(
        code="13", recorded_at=NOW, name_fi="Uusi nimi", name_sv="Nytt", name_en="New", kind="county"
    )
    etags = [http.get(COUNTY).headers["ETag"] for _ in range(2)]

    with elsewhere.writing() as db:
        define_practice(db, counted, at=NOW)
    before = given(http)
    http.get(COUNTY)
    asked_anew = given(http) == before
    with elsewhere.writing() as db:
        db.add(renamed)

    assert asked_anew
    assert etags[0] == etags[1]
    assert http.get(COUNTY).json()["area"]["name_fi"] == "Uusi nimi"


def test_after_midnight_in_helsinki_it_is_another_day(http: TestClient, clock: StandingClock) -> None:
    clock.now = datetime(2024, 5, 15, 20, 59, 59, tzinfo=UTC)
    evening = [http.get(COUNTY).json()["as_of"] for _ in range(2)]
    clock.now = datetime(2024, 5, 15, 21, 0, tzinfo=UTC)

    assert [*evening, http.get(COUNTY).json()["as_of"]] == ["2024-05-15", "2024-05-15", "2024-05-16"]


def test_nobody_gets_what_is_at_hand_for_another(anyone: Caller, north_savo: Caller, kuopio: Caller) -> None:
    north_savo.post([count("297", "2024-02", 7)])

    for _ in range(2):
        assert anyone.http.get(COUNTY).json()["read"] == "release"
        assert north_savo.get("/v1/trends", county="13").json()["read"] == "live"
        assert kuopio.get("/v1/trends", county="13").json()["read"] == "release"
        assert anyone.http.get(COUNTY, auth=("", north_savo.key or "")).json()["read"] == "live"
        assert anyone.http.get(COUNTY, headers={"Authorization": "Bearer wrong"}).status_code == 401


@pytest.mark.parametrize(
    "path",
    ["/v1/trends?county=99", "/v1/trends?as_of=2024-05-01", "/v1/statuses", "/v1/counties", "/livez", "/nowhere"],
)
def test_what_may_change_by_itself_or_is_no_answer_is_asked_for_each_time(path: str, http: TestClient) -> None:
    for _ in range(3):
        http.get(path)

    assert given(http) == 0


def test_without_the_database_nothing_is_given_from_memory_nor_waited_for_twice(
    app: FastAPI, http: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (COUNTY, COUNTRY):
        http.get(path)
    editions: EditionNow = app.state.editions
    looks = []

    def refused() -> None:
        looks.append("a look")
        raise app.state.database.engine.dialect.loaded_dbapi.OperationalError("away")

    monkeypatch.setattr(app.state.database, "connection_apart", refused)
    for path in (COUNTY, COUNTRY):
        http.get(path)
    monkeypatch.undo()

    assert (looks, given(http)) == (["a look"], 0)
    assert editions.look() is not None
    http.get(COUNTY)
    assert given(http) == 1


def test_the_oldest_goes_where_too_much_would_be_kept(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = f"{COUNTY}&from_year=2021", f"{COUNTY}&from_year=2022"
    sizes = {path: len(http.get(path).content) for path in (one, other)}
    monkeypatch.setattr(at_hand, "MOST_BYTES", sizes[one] + sizes[other] - 1)
    for path in (one, other, other, one):
        http.get(f"{path}&to_year=2023")

    assert given(http) == 1
    assert scraped(http)["answers_at_hand_bytes"] == sizes[one]


def test_what_is_too_large_is_not_kept(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "LARGEST_BYTES", 100)
    for _ in range(3):
        http.get(COUNTY)

    assert given(http) == 0


def test_a_look_serves_those_who_ask_before_it_begins_and_no_others() -> None:
    begun, may_end = threading.Semaphore(0), threading.Semaphore(0)
    editions = iter(range(10))

    def look() -> Hashable:
        begun.release()
        may_end.acquire()
        return next(editions)

    async def asked() -> list[Hashable]:
        looks = Looks(look)
        first = [asyncio.create_task(looks.one()) for _ in range(3)]
        await asyncio.to_thread(begun.acquire)
        second = [asyncio.create_task(looks.one()) for _ in range(3)]
        await asyncio.sleep(0)
        # Who goes away takes nothing from the others.
        second[0].cancel()
        may_end.release()
        may_end.release()
        found = [await task for task in [*first, *second[1:]]]
        may_end.release()
        return [*found, await looks.one()]

    assert asyncio.run(asked()) == [0, 0, 0, 1, 1, 2]


def test_a_glance_serves_whoever_was_in_the_queue_before_it_and_no_others() -> None:
    editions = iter(range(10))
    glances = Glances(lambda: next(editions))
    later: list[asyncio.Task[Hashable]] = []

    async def asked() -> Hashable:
        found = glances.one()
        # Who comes after the glance, though before the next turn.
        later.append(asyncio.create_task(asked_later()))
        return found

    async def asked_later() -> Hashable:
        return glances.one()

    async def all_asked() -> list[Hashable]:
        first = await asyncio.gather(*[asked() for _ in range(3)])
        return [*first, *[await task for task in later], glances.one()]

    assert asyncio.run(all_asked()) == [0, 0, 0, 1, 1, 1, 2]


def test_only_of_an_embedded_database_it_is_told_at_once(elsewhere: Database) -> None:
    editions = EditionNow(elsewhere, StandingClock(NOW))

    before, looked, glanced = editions.glance(), editions.look(), editions.glance()
    publish(elsewhere)
    after = editions.glance(), editions.look()
    editions.close()

    embedded = elsewhere.engine.dialect.name == "sqlite"
    assert (before, looked is None) == (None, False)
    assert glanced == (looked if embedded else None)
    assert after[0] == (after[1] if embedded else None)
    assert after[1] != looked


def test_whose_connection_broke_makes_another(elsewhere: Database) -> None:
    editions = EditionNow(elsewhere, StandingClock(NOW))
    found = editions.look()
    editions._connection.close()  # as if its server had gone

    assert (editions.glance(), editions.look(), editions.look()) == (None, None, found)
    editions.close()


def test_the_event_loop_waits_for_no_lock(elsewhere: Database) -> None:
    editions = EditionNow(elsewhere, StandingClock(NOW))
    editions.look()

    if elsewhere.engine.dialect.name == "sqlite":
        assert editions._connection.execute("PRAGMA busy_timeout").fetchone() == (0,)  # nobody else tells
    editions.close()


def test_a_server_that_ends_lets_go_of_its_connection(settings: Settings, clock: StandingClock) -> None:
    app = create_app(settings, clock)
    with TestClient(app) as http:
        http.get(COUNTY)
        http.get(COUNTY)
        connection = app.state.editions._connection  # nobody else tells

    assert app.state.editions._connection is None  # nobody else tells
    with pytest.raises(app.state.database.engine.dialect.loaded_dbapi.Error):
        connection.execute("SELECT 1")


def test_the_edition_is_of_the_day_that_the_answer_is_of(elsewhere: Database) -> None:
    noon = datetime(2024, 5, 15, 9, 0, tzinfo=UTC)
    editions = EditionNow(elsewhere, StandingClock(noon))

    edition = editions.look()
    editions.close()

    assert edition is not None
    assert edition[0] == date(2024, 5, 15)


def test_a_look_that_takes_long_is_not_waited_for_nor_is_another_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "MOST_LOOK_SECONDS", 0.05)
    may_end = threading.Event()
    begun: list[int] = []

    def look() -> Hashable:
        begun.append(len(begun))
        may_end.wait(20)
        return len(begun)

    async def asked() -> list[Hashable]:
        looks = Looks(look)
        found = [await looks.one() for _ in range(3)]
        may_end.set()
        await asyncio.sleep(0.2)
        return [*found, await looks.one()]

    assert asyncio.run(asked()) == [None, None, None, 2]
