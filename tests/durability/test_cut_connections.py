"""Connections between application and PostgreSQL that break: nothing false is answered, and all heals by itself."""

import logging
import os
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count as numbers
from typing import Any

import httpx
import pytest
from sqlalchemy import func
from sqlmodel import col, select
from starlette.testclient import TestClient

from app.access.keys import issue_key
from app.access.models import Action
from app.database import Database
from app.main import create_app
from app.reports.tables import CountEntry, Submission
from app.settings import Settings
from app.web.admission import Admission
from tests.conftest import NOW, UNHURRIED, StandingClock, count, running_server
from tests.durability.cut_connections import AT_COMMIT, CutConnections, Fault, cut_connections

log = logging.getLogger(__name__)

ROUNDS = 40 if os.environ.get("YHDESSA_TEST_SOAK") else 1
"""How often every fault strikes a server under load."""

MOST_SECONDS = 6.0
HEALED_SECONDS = 5.0
STORED_WHEN_CUT = {Fault.CUT_AFTER_COMMIT, Fault.RESET_AFTER_COMMIT, Fault.SWALLOW_ANSWER}

only_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def network(database_url: str) -> Iterator[CutConnections]:
    """What lies between the application and PostgreSQL."""
    with cut_connections(database_url) as network:
        yield network


def new_key(url: str, at: datetime) -> str:
    """A key for the whole country, made without the network."""
    database = Database(Settings(database_url=url))
    with database.writing() as db:
        actions = [Action.REPORT, Action.READ]
        key = issue_key(db, name="test", organisation="North Savo", actions=actions, areas=["country"], at=at)
    database.dispose()
    return key


def receipts(url: str) -> dict[tuple[str, str], list[int]]:
    """Which receipts stand behind each figure, read without the network."""
    database = Database(Settings(database_url=url))
    found: dict[tuple[str, str], list[int]] = {}
    with database.reading() as db:
        for entry in db.exec(select(CountEntry).order_by(col(CountEntry.id))):
            found.setdefault((entry.municipality, entry.period), []).append(entry.submission_id)
        assert db.scalar(select(func.count()).select_from(Submission)) == len({x for y in found.values() for x in y})
    database.dispose()
    return found


def post(http: httpx.Client | TestClient, key: str, period: str) -> Any:
    """One post, the same every time."""
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"of-{period}"}
    return http.post("/v1/submissions", json={"counts": [count("297", period, 7)], "statuses": []}, headers=headers)


# One COMMIT at a time.


@only_postgresql
@pytest.mark.parametrize("fault", AT_COMMIT)
def test_a_commit_of_unknown_outcome_is_503_and_its_retry_has_one_effect(
    fault: Fault, database_url: str, network: CutConnections, clock: StandingClock
) -> None:
    key = new_key(database_url, NOW)
    app = create_app(Settings(database_url=network.url, lock_timeout_seconds=3, **UNHURRIED), clock)

    with TestClient(app, raise_server_exceptions=False) as http:
        assert post(http, key, "2022-01").status_code == 201
        network.strike(fault)
        began = time.monotonic()
        unknown = post(http, key, "2022-02")
        took = time.monotonic() - began
        network.heal()
        stored = receipts(database_url)
        retried = [post(http, key, "2022-02") for _ in range(3)]
        checked_out = app.state.database.engine.pool.checkedout()

    assert (unknown.status_code, unknown.json()["type"]) == (503, "urn:yhdessa:problem:unavailable")
    assert unknown.headers["Retry-After"] == "2"
    assert took < MOST_SECONDS
    assert network.met == {fault: 1}
    assert (("297", "2022-02") in stored) == (fault in STORED_WHEN_CUT)
    assert [answer.status_code for answer in retried] == [201] * 3
    assert [answer.content for answer in retried] == [retried[0].content] * 3
    replayed = [answer.headers.get("Idempotency-Replayed") for answer in retried]
    assert replayed == ["true" if fault in STORED_WHEN_CUT else None, "true", "true"]
    assert receipts(database_url) == {("297", "2022-01"): [1], ("297", "2022-02"): [retried[0].json()["id"]]}
    assert checked_out == 0


@only_postgresql
def test_the_check_above_sees_a_commit_that_is_acknowledged_and_not_carried_out(
    database_url: str, network: CutConnections, clock: StandingClock
) -> None:
    key = new_key(database_url, NOW)
    app = create_app(Settings(database_url=network.url, **UNHURRIED), clock)

    with TestClient(app) as http:
        network.strike(Fault.FORGED_COMMIT)
        acknowledged = post(http, key, "2022-02")

    assert acknowledged.status_code == 201
    assert receipts(database_url) == {}


@only_postgresql
def test_a_connection_that_leads_nowhere_is_found_out_and_replaced_while_the_request_waits(
    database_url: str, network: CutConnections, clock: StandingClock
) -> None:
    key = new_key(database_url, NOW)
    app = create_app(Settings(database_url=network.url, **UNHURRIED), clock)

    with TestClient(app) as http:
        assert post(http, key, "2022-01").status_code == 201
        network.strike(Fault.BLACKHOLE)
        unanswered = http.get("/readyz")
        network.heal()
        began = time.monotonic()
        answers = [http.get("/readyz"), post(http, key, "2022-02")]
        took = time.monotonic() - began

    assert (unanswered.status_code, unanswered.headers["Retry-After"]) == (503, "2")
    assert [answer.status_code for answer in answers] == [200, 201]
    assert took < HEALED_SECONDS


@only_postgresql
def test_a_refusal_is_told_in_time_even_if_the_audit_log_cannot_be_reached(
    database_url: str, network: CutConnections, clock: StandingClock
) -> None:
    key = new_key(database_url, NOW)
    app = create_app(Settings(database_url=network.url, **UNHURRIED), clock)

    with TestClient(app) as http:
        network.strike(Fault.BLACKHOLE)
        began = time.monotonic()
        refused = http.post("/v1/submissions", content=b"{", headers={"Authorization": f"Bearer {key}"})
        took = time.monotonic() - began

    assert refused.status_code in (422, 415, 503)
    assert took < MOST_SECONDS


# A server under load.


@dataclass
class Load:
    """Posters, readers and a prober of /livez around one server; what each of them met."""

    url: str
    key: str
    stop: threading.Event = field(default_factory=threading.Event)
    answered: list[tuple[float, float, str, int, str | None]] = field(default_factory=list)
    """When it was asked, how long it took, what kind it was, its status code, its Retry-After."""
    acknowledged: dict[str, set[int]] = field(default_factory=dict)
    """By period: the receipts that were told."""
    alive: list[tuple[float, float]] = field(default_factory=list)
    """When /livez was asked and how long it took."""
    months: Iterator[int] = field(default_factory=numbers)

    def post_on(self) -> None:
        with httpx.Client(base_url=self.url, timeout=30) as http:
            while not self.stop.is_set():
                number = next(self.months)
                period = f"{2015 + number // 12 % 9}-{1 + number % 12:02}"
                municipality = ("297", "749", "140", "778", "915")[number // 108 % 5]
                # Corrected when its turn comes again: what is replayed commits nothing, and meets no fault.
                self._post_until_stored(http, municipality, period, 7 + number // 540)

    def _post_until_stored(self, http: httpx.Client, municipality: str, period: str, sessions: int) -> None:
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": f"{municipality}-{period}-{sessions}"}
        body = {"counts": [count(municipality, period, sessions)], "statuses": []}
        while True:
            answer = self._timed("post", lambda: http.post("/v1/submissions", json=body, headers=headers))
            if answer.status_code != 503:
                if answer.status_code == 201:
                    self.acknowledged.setdefault(f"{municipality} {period}", set()).add(answer.json()["id"])
                return
            time.sleep(0.2)

    def read_on(self) -> None:
        with httpx.Client(base_url=self.url, timeout=30) as http:
            headers = {"Authorization": f"Bearer {self.key}"}
            paths = ("/v1/trends?county=13", "/readyz", "/v1/session-counts")
            while not self.stop.is_set():
                for path in paths:
                    self._timed("read", partial(http.get, path, headers=headers))
                time.sleep(0.05)

    def probe(self) -> None:
        with httpx.Client(base_url=self.url, timeout=30) as http:
            while not self.stop.is_set():
                began = time.monotonic()
                assert http.get("/livez").status_code == 200
                self.alive.append((began, time.monotonic() - began))
                time.sleep(0.05)

    def _timed(self, kind: str, ask: Callable[[], httpx.Response]) -> httpx.Response:
        began = time.monotonic()
        answer = ask()
        took = time.monotonic() - began
        self.answered.append((began, took, kind, answer.status_code, answer.headers.get("Retry-After")))
        return answer

    def seconds_alive(self, since: float, until: float) -> list[float]:
        return [took for began, took in self.alive if since <= began < until]

    def slowest(self, since: float = 0.0) -> float:
        """The most seconds that a request took which was asked after `since`."""
        return max(took for began, took, *_ in self.answered if began >= since)

    def seconds_to_success(self, since: float) -> float:
        """Seconds from `since` until both a post and a reading that were asked after it had succeeded."""
        while True:
            ends = {
                kind: [
                    began + took - since
                    for began, took, asked, status_code, _ in list(self.answered)
                    if asked == kind and began >= since and status_code < 300
                ]
                for kind in ("post", "read")
            }
            if all(ends.values()):
                return max(min(seconds) for seconds in ends.values())
            assert time.monotonic() - since < 30, f"nothing succeeds: {ends}"
            time.sleep(0.1)


@pytest.mark.durability
@only_postgresql
def test_a_server_under_load_survives_every_fault_of_the_network(
    database_url: str, network: CutConnections, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "httpx")
    key = new_key(database_url, datetime.now(UTC))
    monkeypatch.setenv("YHDESSA_LOG_LEVEL", "error")
    faults: list[tuple[Fault, float, dict[str, Any]]] = [
        (Fault.BLACKHOLE, MOST_SECONDS + 1, {}),
        (Fault.DELAY, MOST_SECONDS + 1, {"delay_seconds": 0.4}),
        (Fault.RESET, 2, {}),
        (Fault.REFUSE, 2, {}),
        *((fault, 1, {"commits": 3}) for fault in AT_COMMIT),
    ]
    healed: dict[Fault, float] = {}
    lively: dict[Fault, list[float]] = {}
    with running_server(network.url) as url, ThreadPoolExecutor(16) as threads:
        load = Load(url, key)
        everyone = [threads.submit(work) for work in [load.probe, *[load.post_on] * 6, *[load.read_on] * 3]]
        began = time.monotonic()
        time.sleep(4)
        # A machine that is busy with other tests is slow before as well.
        slow, slow_alive = load.slowest(began + 1), max(load.seconds_alive(began + 1, time.monotonic()))
        try:
            for fault, seconds, how in faults * ROUNDS:
                since = time.monotonic()
                network.strike(fault, **how)
                time.sleep(seconds)
                network.wait_until_met(fault)
                network.heal()
                until = time.monotonic()
                healed[fault] = max(healed.get(fault, 0), load.seconds_to_success(until))
                lively.setdefault(fault, []).extend(load.seconds_alive(since, until))
        finally:
            load.stop.set()
            network.heal()
        for one in everyone:
            one.result(MOST_SECONDS * 3)

    log.info("slowest %.1f s (healthy %.1f s), healed %s", load.slowest(), slow, healed)
    # Nothing but successes and 503 with Retry-After, and none of them late.
    assert {status_code for *_, status_code, _ in load.answered} == {200, 201, 503}
    assert {retry_after for *_, status_code, retry_after in load.answered if status_code == 503} == {"2"}
    assert load.slowest() < MOST_SECONDS + slow
    assert max(healed.values()) < HEALED_SECONDS + slow, healed
    for fault, took in lively.items():
        assert statistics.median(took) < 0.1, fault
        assert statistics.quantiles(took, n=10)[-1] < max(0.1, slow_alive), fault
        # One probe that hung would be one of many.
        assert max(took) < 1 + 3 * slow_alive, fault
    # What was acknowledged is stored, once, under the receipt that was told.
    stored = receipts(database_url)
    assert {f"{place} {period}": ids for (place, period), ids in stored.items()} == {
        figure: sorted(ids) for figure, ids in load.acknowledged.items()
    }


def seconds_of_livez(http: TestClient, over: threading.Event) -> list[float]:
    """How long /livez takes, time and again until it is `over`."""
    taken = []
    while not over.is_set():
        began = time.monotonic()
        assert http.get("/livez").status_code == 200
        taken.append(time.monotonic() - began)
        time.sleep(0.1)
    return taken


@pytest.mark.durability
@only_postgresql
@pytest.mark.parametrize("seconds", [None, 15.0], ids=["as it is", "control: requests that wait for too long"])
def test_a_hundred_requests_into_a_network_that_swallows_them_are_answered_in_time(
    seconds: float | None, database_url: str, network: CutConnections, clock: StandingClock
) -> None:
    key = new_key(database_url, NOW)
    app = create_app(Settings(database_url=network.url, **UNHURRIED), clock)
    admission: Admission = app.state.admission
    if seconds is not None:
        admission.seconds = seconds

    with TestClient(app, raise_server_exceptions=False) as http, ThreadPoolExecutor(101) as threads:
        assert post(http, key, "2022-01").status_code == 201
        network.strike(Fault.BLACKHOLE)

        def ask(number: int) -> tuple[int, float]:
            began = time.monotonic()
            answer = post(http, key, f"2021-{1 + number % 12:02}") if number % 2 else http.get("/v1/trends?county=13")
            return answer.status_code, time.monotonic() - began

        # What waits for nothing tells how late this machine lets anybody be, also while so many threads begin.
        over = threading.Event()
        alive = threads.submit(seconds_of_livez, http, over)
        waiting = [threads.submit(ask, number) for number in range(100)]
        wait(waiting)
        over.set()
        network.heal()
        answers = [one.result() for one in waiting]
        after = [post(http, key, "2022-02").status_code, http.get("/readyz").status_code]
        pool = app.state.database.engine.pool

        assert Counter(status_code for status_code, _ in answers) == {503: 100}
        assert (max(took for _, took in answers) < MOST_SECONDS + max(alive.result())) == (seconds is None)
        assert statistics.median(alive.result()) < 0.1
        assert after == [201, 200]
        assert pool.checkedout() == 0
