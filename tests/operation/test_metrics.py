"""What /metrics tells, to whom, and what it never tells."""

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, event
from starlette.testclient import TestClient

from app.database import Database
from app.main import create_app
from app.measures.counting import OUTCOMES as COUNTED
from app.operation.gauges import LastPosts
from app.reports.models import OUTCOMES
from app.settings import Settings
from app.web.dependencies import ReadDb
from tests.conftest import NOW, UNHURRIED, Caller, StandingClock, count, status
from tests.measures.scraping import labels, samples, scraped

DEADLINE = 20
TREND = 'http_requests_total{method="GET",route="/v1/trends",status="2xx"}'


@pytest.fixture
def settings(database_url: str) -> Settings:
    """A server that opened its metrics, with few connections to its database."""
    return Settings(database_url=database_url, metrics_open=True, pool_size=1, lock_timeout_seconds=0.2, **UNHURRIED)


def test_a_request_is_counted_under_the_address_of_the_contract(http: TestClient, kuopio: Caller) -> None:
    http.get("/v1/municipalities/")
    known = http.get("/v1/trends?county=13")
    http.get("/v1/trends?county=13", headers={"If-None-Match": known.headers["ETag"]})
    http.head("/v1/trends?county=13")
    http.post("/v1/trends")
    kuopio.get("/v1/session-counts/yhdessa-aika/297/2022")
    http.get("/static/docs.css")

    told = scraped(http)

    figure = "/v1/session-counts/{practice}/{municipality}/{period}"
    requests = {series: value for series, value in told.items() if series.startswith("http_requests_total")}
    assert requests == {
        'http_requests_total{method="GET",route="other",status="4xx"}': 1,
        TREND: 1,
        'http_requests_total{method="GET",route="/v1/trends",status="3xx"}': 1,
        'http_requests_total{method="HEAD",route="/v1/trends",status="2xx"}': 1,
        'http_requests_total{method="POST",route="/v1/trends",status="4xx"}': 1,
        f'http_requests_total{{method="GET",route="{figure}",status="4xx"}}': 1,
        'http_requests_total{method="GET",route="/static/{path:path}",status="2xx"}': 1,
    }
    assert told['http_request_duration_seconds_count{method="GET",route="/v1/trends"}'] == 2
    assert told["http_requests_in_progress"] == 1


def test_no_caller_can_make_a_series(http: TestClient, kuopio: Caller) -> None:
    def strangely() -> None:
        word = secrets.token_hex(4)
        http.request(word.upper(), "/v1/trends")
        http.get(f"/{word}/{word}", headers={"X-Request-Id": word, "Host": word})
        http.get(f"/v1/releases/{word}", params={word: word})
        http.get("/v1/key", headers={"Authorization": f"Bearer {word}"})
        kuopio.put(f"/v1/session-counts/{word}/{word}/{word}", {word: word}, Idempotency_Key=word)

    strangely()
    scraped(http)
    before = set(scraped(http))
    for _ in range(5):
        strangely()

    assert set(scraped(http)) == before


def test_posts_and_rows_are_counted_by_outcome_once_they_are_kept(http: TestClient, kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-01", 5), count("297", "2022-02", 5)], [status("297", "2022-01-01", "pilot")])
    kuopio.post([count("297", "2022-01", 6), count("297", "2022-02", 5), count("749", "2022", 1)], skip_invalid="true")
    kuopio.delete("/v1/session-counts/yhdessa-aika/297/2022-02", reason="Posted twice")
    # What is not kept is not counted.
    kuopio.post([count("297", "2022-03", 5)], dry_run="true")
    kuopio.post([count("749", "2022-03", 5)])

    told = scraped(http)

    assert COUNTED == OUTCOMES
    assert {outcome: told[f'post_rows_total{{outcome="{outcome}"}}'] for outcome in OUTCOMES} == {
        "created": 3,
        "corrected": 1,
        "unchanged": 1,
        "retracted": 1,
        "rejected": 1,
    }
    assert {told[f'posts_total{{outcome="{outcome}"}}'] for outcome in OUTCOMES} == {1}


def test_a_retry_is_counted_as_a_replay_and_its_post_once(http: TestClient, kuopio: Caller) -> None:
    for _ in range(3):
        kuopio.put(
            "/v1/session-counts/yhdessa-aika/297/2022", {"sessions": 5}, **{"Idempotency-Key": "one"}
        ).raise_for_status()

    told = scraped(http)

    assert told["replays_total"] == 2
    assert told['posts_total{outcome="created"}'] == 1
    assert told["remembered_replies"] == 1


def test_refusals_are_counted_by_kind(http: TestClient, kuopio: Caller, anyone: Caller) -> None:
    kuopio.post([count("749", "2022", 5)])
    anyone.get("/v1/key")
    anyone.get("/v1/key")

    told = scraped(http)

    assert {series: value for series, value in told.items() if series.startswith("refusals") and value} == {
        'refusals_total{kind="not-covered",status="403"}': 1,
        'refusals_total{kind="not-authenticated",status="401"}': 2,
    }


def test_too_many_requests_and_our_own_faults_are_refusals_of_a_kind(
    app: FastAPI, http: TestClient, database_url: str, clock: StandingClock, new_key: Callable[..., str]
) -> None:
    key = new_key("county:13")

    async def broken() -> None:
        raise ZeroDivisionError

    hurried = create_app(Settings(database_url=database_url, metrics_open=True, requests_per_minute=1), clock)
    hurried.add_api_route("/broken", broken, include_in_schema=False)
    with TestClient(hurried, raise_server_exceptions=False) as client:
        for _ in range(3):
            Caller(client, key).get("/v1/key")
        assert client.get("/broken").status_code == 500

        told = scraped(client)

    assert told['refusals_total{kind="too-many-requests",status="429"}'] == 2
    assert told['refusals_total{kind="problem",status="500"}'] == 1
    assert told['http_requests_total{method="GET",route="/broken",status="5xx"}'] == 1


def test_connections_are_counted_while_they_are_in_use(app: FastAPI, http: TestClient) -> None:
    database: Database = app.state.database
    http.get("/v1/practices")
    waits = app.state.measures.text().decode()
    with database.engine.connect(), database.engine.connect():
        full = http.get("/v1/practices")
        during = scraped(http)
    after = scraped(http)

    assert "yhdessa_database_connections_in_use 0.0" in waits
    assert full.status_code == 503
    assert (during["database_connections_in_use"], during["database_connections_limit"]) == (2, 2)
    # Told all the same, without what only the database knows.
    assert during["database_up"] == 0
    assert "remembered_replies" not in during
    # That of the practices and that of the metrics themselves.
    assert during["database_connections_failed_total"] == 2
    assert after["database_up"] == 1
    assert after["database_connection_wait_seconds_sum"] > 0.3


def test_metrics_are_told_while_others_have_all_places_to_read(app: FastAPI) -> None:
    begun, go = threading.Event(), threading.Event()

    def hold(_db: ReadDb) -> None:
        begun.set()
        assert go.wait(DEADLINE)

    app.add_api_route("/hold", hold)
    with TestClient(app) as http, ThreadPoolExecutor() as threads:
        holder = threads.submit(http.get, "/hold")
        assert begun.wait(DEADLINE)
        answer = http.get("/metrics")
        go.set()
        held = holder.result(DEADLINE)

    assert (answer.status_code, held.status_code) == (200, 200)
    assert samples(answer.text)["database_up"] == 1


def test_who_asks_while_the_database_is_slow_does_not_wait_for_others_who_ask(app: FastAPI) -> None:
    database: Database = app.state.database
    posts: LastPosts = app.state.last_posts
    together = threading.Barrier(2)

    def wait_for_the_other(*_: object) -> None:
        together.wait(DEADLINE)

    def ask() -> Mapping[str, datetime]:
        with database.reading() as db:
            return posts.by_county(db)

    event.listen(database.engine, "before_cursor_execute", wait_for_the_other)
    with ThreadPoolExecutor(2) as threads:
        told = [asked.result(DEADLINE) for asked in [threads.submit(ask) for _ in range(2)]]

    assert told == [{}, {}]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_database_that_may_lose_what_it_acknowledges_is_no_database_that_answers(
    database_url: str, settings: Settings
) -> None:
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {engine.url.database} SET synchronous_commit = off")
    engine.dispose()

    with TestClient(create_app(settings)) as http:
        assert scraped(http)["database_up"] == 0


def test_a_pool_that_was_closed_is_watched_as_before(app: FastAPI, http: TestClient) -> None:
    database: Database = app.state.database
    database.engine.dispose()

    with database.engine.connect():
        told = app.state.measures.text().decode()

    assert "yhdessa_database_connections_in_use 1.0" in told


def test_when_a_county_posted_last_is_told_by_any_server_on_the_database(
    app: FastAPI, http: TestClient, north_savo: Caller, nation: Caller, clock: StandingClock, database_url: str
) -> None:
    north_savo.post([count("297", "2022-01", 5)])
    before = _last_posts(http)
    clock.advance(hours=1)
    # A status alone, for South Savo; Maarianhamina belongs to no county.
    nation.post([count("478", "2022-01", 5)], [status("491", "2022-01-01", "pilot")])
    clock.advance(hours=1)
    # Nothing new.
    north_savo.post([count("297", "2022-01", 5)])
    after = _last_posts(http)
    with TestClient(create_app(Settings(database_url=database_url, metrics_open=True), clock)) as restarted:
        again = _last_posts(restarted)

    # What shipped was recorded at that very moment.
    first, later = NOW + timedelta(microseconds=1), NOW + timedelta(hours=1)
    assert before == {"13": first}
    assert after == again == {"13": first, "12": later, "none": later}


def _last_posts(http: Any) -> dict[str, datetime]:
    """By county: when the metrics say that something of it was last recorded."""
    return {
        labels(series)["county"]: datetime.fromtimestamp(value, UTC)
        for series, value in scraped(http).items()
        if series.startswith("last_post")
    }


def test_a_release_ages_from_the_midnight_of_its_day_in_helsinki(http: TestClient) -> None:
    told = scraped(http)

    # Of the release that ships: 27 March 2023, in summer time.
    age = NOW - datetime(2023, 3, 26, 21, 0, tzinfo=UTC)
    assert told['release_age_seconds{county="13",practice="yhdessa-aika"}'] == age.total_seconds()


def test_the_revision_of_the_schema_is_told(http: TestClient) -> None:
    [(series, value)] = [item for item in scraped(http).items() if item[0].startswith("schema_current")]

    assert labels(series)["found"] == labels(series)["needed"]
    assert value == 1


@pytest.fixture
def without_schema(empty_database_url: str, clock: StandingClock) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(database_url=empty_database_url, metrics_open=True), clock)) as http:
        yield http


def test_a_database_that_does_not_answer_takes_nothing_of_what_the_server_knows(without_schema: TestClient) -> None:
    told = scraped(without_schema)

    assert told["database_up"] == 0
    assert told["workers"] == 1
    assert told["process_open_fds"] > 0


def test_metrics_that_were_not_opened_need_a_key_that_reads(database_url: str, clock: StandingClock) -> None:
    with TestClient(create_app(Settings(database_url=database_url, **UNHURRIED), clock)) as http:
        assert http.get("/metrics").status_code == 401


def test_metrics_that_were_opened_need_no_key_and_a_wrong_one_is_still_wrong(http: TestClient) -> None:
    answer = http.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert http.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_no_metric_is_about_a_municipality_or_how_many_sessions_it_had(http: TestClient, kuopio: Caller) -> None:
    before = scraped(http)
    kuopio.post([count("297", "2022", 70_297, note="Between us about 297")])
    after = scraped(http)

    named = {name for series in after for name in labels(series)}
    # 'le' bounds a bucket of a histogram.
    assert named == {
        "county",
        "found",
        "kind",
        "le",
        "method",
        "needed",
        "outcome",
        "practice",
        "route",
        "status",
        "version",
    }
    about_posts = {series for series in after if "post" in series and after[series] != before.get(series)}
    assert {after[series] for series in about_posts if "timestamp" not in series} == {1}
    assert not [value for value in after.values() if value == 70_297]
