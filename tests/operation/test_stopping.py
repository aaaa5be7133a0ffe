"""A server that is asked to stop: not ready first, then done with what it has, and nobody hears a falsehood."""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import Engine, create_engine, text

from app.access.keys import issue_key
from app.access.models import Action
from app.database import WRITER_LOCK, Database
from app.settings import Settings
from tests.raw_clients import GET, POST, RawServer, hear, raw_server

BODY = json.dumps({"counts": [{"municipality": "297", "period": "2022-03", "sessions": 7}]}).encode()
WORKERS = pytest.mark.parametrize("workers", [1, 2])


@pytest.fixture
def key(database_url: str) -> str:
    """A key that reports and reads for the whole country."""
    database = Database(Settings(database_url=database_url))
    with database.writing() as db:
        key = issue_key(
            db,
            name="x",
            organisation="x",
            actions=[Action.REPORT, Action.READ],
            areas=["country"],
            at=datetime.now(UTC),
        )
    database.dispose()
    return key


@pytest.fixture
def other_writer(database_url: str) -> Iterator[Callable[[float], threading.Thread]]:
    """Somebody else who has the turn to write, from the call on for so many seconds."""
    engine = create_engine(Settings(database_url=database_url).database_url)
    threads = []

    def write(seconds: float) -> threading.Thread:
        began = threading.Event()
        threads.append(threading.Thread(target=_hold, args=(engine, seconds, began)))
        threads[-1].start()
        began.wait(20)
        return threads[-1]

    yield write
    for thread in threads:
        thread.join()
    engine.dispose()


def _hold(engine: Engine, seconds: float, began: threading.Event) -> None:
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"))
        began.set()
        time.sleep(seconds)
        connection.rollback()


def post(server: RawServer, key: str, **more: str) -> httpx.Response:
    """The answer to a post of one figure."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **more}
    return httpx.post(f"{server.url}/v1/submissions", content=BODY, headers=headers, timeout=30)


class InFlight(threading.Thread):
    """A post that somebody is waiting for."""

    def __init__(self, server: RawServer, key: str) -> None:
        super().__init__()
        self.server, self.key = server, key
        self.answer: httpx.Response | None = None
        self.start()
        # Until the server has it, which no answer tells.
        time.sleep(0.5)

    def run(self) -> None:
        self.answer = post(self.server, self.key)

    def answered(self) -> httpx.Response:
        """The answer, once it is there."""
        self.join(timeout=40)
        assert self.answer is not None
        return self.answer


def refuses(server: RawServer) -> bool:
    """Whether a new connection is refused."""
    try:
        server.connect().close()
    except ConnectionRefusedError:
        return True
    return False


@WORKERS
def test_a_server_that_is_asked_to_stop_says_first_that_it_is_not_ready_and_answers_on(
    database_url: str, key: str, workers: int
) -> None:
    with raw_server(database_url, "--workers", str(workers), drain_seconds=3) as server:
        with httpx.Client(base_url=server.url, timeout=20) as http:
            assert http.get("/readyz").is_success
            server.process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + 3
            # One that is on its way when the signal comes may be told so and leave its connection open.
            while (said := http.get("/readyz")).headers.get("Connection") != "close" and time.monotonic() < deadline:
                time.sleep(0.02)
            posted = post(server, key)
        server.process.wait(timeout=30)

        assert (said.status_code, said.json()["detail"]) == (503, "the server is about to stop")
        assert said.headers["Connection"] == "close"
        assert posted.status_code == 201
        assert refuses(server)


def test_without_time_to_drain_nobody_is_answered_any_more(database_url: str) -> None:
    with raw_server(database_url, drain_seconds=0, shutdown_seconds=20) as server:
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        while not refuses(server) and time.monotonic() - began < 20:
            time.sleep(0.02)
        refused_after = time.monotonic() - began
        server.process.wait(timeout=30)

    assert refused_after < 3


def test_a_second_signal_ends_the_draining(database_url: str) -> None:
    with raw_server(database_url, drain_seconds=60) as server:
        for _ in range(2):
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
        server.process.wait(timeout=30)

        assert refuses(server)


def test_a_post_in_flight_gets_its_true_receipt_and_new_callers_are_turned_away(
    database_url: str, key: str, other_writer: Callable[[float], threading.Thread]
) -> None:
    with raw_server(database_url, "--workers", "2", lock_timeout_seconds=30, shutdown_seconds=30) as server:
        other_writer(4)
        posts = [InFlight(server, key) for _ in range(2)]
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        while not refuses(server) and time.monotonic() - began < 20:
            time.sleep(0.05)
        refused_after = time.monotonic() - began
        answers = [one.answered() for one in posts]
        server.process.wait(timeout=30)

    with raw_server(database_url) as server:
        url = f"{server.url}/v1/submissions"
        receipts = [httpx.get(f"{url}/{answer.json()['id']}", headers=_bearer(key)) for answer in answers]

    assert refused_after < 3
    assert sorted(row["outcome"] for answer in answers for row in answer.json()["rows"]) == ["created", "unchanged"]
    assert [receipt.json()["id"] for receipt in receipts] == [answer.json()["id"] for answer in answers]


def test_a_request_that_is_on_its_way_when_the_server_stops_is_still_answered(database_url: str, key: str) -> None:
    head = POST + f"Authorization: Bearer {key}\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
    with raw_server(database_url, shutdown_seconds=20, idle_timeout_seconds=60, head_timeout_seconds=60) as server:
        in_head, in_body, idle = server.connect(), server.connect(), server.connect()
        in_head.sendall(head[:60])
        in_body.sendall(head + BODY[:9])
        idle.sendall(GET)
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 10
        while not refuses(server) and time.monotonic() < deadline:
            time.sleep(0.05)
        in_head.sendall(head[60:] + BODY)
        in_body.sendall(BODY[9:])
        heard = [hear(client) for client in (in_head, in_body, idle)]
        server.process.wait(timeout=30)

    assert [one.status_codes for one in heard] == [[201], [201], [200]]
    assert all(b"connection: close" in one.said for one in heard[:2])
    assert all(one.ended for one in heard)


def test_a_post_that_takes_longer_than_a_server_that_stops_can_wait_is_told_so(
    database_url: str, key: str, other_writer: Callable[[float], threading.Thread]
) -> None:
    with raw_server(database_url, lock_timeout_seconds=30, shutdown_seconds=1) as server:
        writing = other_writer(5)
        in_head = server.connect()
        in_head.sendall(GET[:9])
        in_flight = InFlight(server, key)
        server.process.send_signal(signal.SIGTERM)
        answer = in_flight.answered()
        heard = hear(in_head)
        writing.join()
        with suppress(Exception):
            server.process.wait(timeout=30)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.json()["type"] == "urn:yhdessa:problem:unavailable"
    assert answer.json()["detail"].endswith("whether anything was stored is unknown, so ask again")
    assert (heard.status_codes, heard.ended) == ([], True)


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
