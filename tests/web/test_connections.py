"""What a client may send and how long it may take, on real connections; and that uvicorn alone lets it."""

import json
import re
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access.keys import issue_key
from app.access.models import Action
from app.database import Database
from app.settings import Settings
from app.web.connections import MOST_HEAD_BYTES, MOST_PIPELINED, MOST_URL_BYTES
from tests.conftest import sqlite_copy
from tests.raw_clients import GET, POST, SLOW, Heard, RawServer, at_once, exchange, hear, raw_server

DEADLINES: dict[str, Any] = {
    "head_timeout_seconds": 1,
    "body_timeout_seconds": 1.2,
    "idle_timeout_seconds": 1,
    "answer_timeout_seconds": 1.5,
    "max_body_bytes": 20_000,
}
LONGEST = 5.0
"""Seconds after which the slowest deadline above has passed for sure, also on a busy machine."""

# What a client hears that does not say a whole request in time.
EXPECTED = {
    "says nothing": [],
    "stops in the head": [408],
    "sends a head byte by byte": [408],
    "sends empty lines": [],
    "sends empty lines after an answer": [200],
    "sends a second head byte by byte": [200, 408],
    "stops in the body": [408],
    "sends a body byte by byte": [408],
    "sends chunks byte by byte": [408],
    "sends a chunk's name for ever": [408],
    "sends fields behind the body": [408],
    "goes on after a refusal": [404],
}


REFUSED = [
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), (400, "malformed-request")),
    (b"hello\r\n\r\n", (400, "malformed-request")),
    (b"GET http://[::1 HTTP/1.1\r\n\r\n", (400, "malformed-request")),
    (b"CONNECT elsewhere.example:80 HTTP/1.1\r\n\r\n", (400, "malformed-request")),
    (b"GET /livez HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", (400, "malformed-request")),
    (POST + b"Transfer-Encoding: chunked\r\n\r\nno chunk\r\n", (400, "malformed-request")),
    (b"GET /" + b"a" * MOST_URL_BYTES + b" HTTP/1.1\r\nHost: a\r\n\r\n", (414, "address-too-long")),
    (b"GET /livez?a=" + b"a" * 500_000, (414, "address-too-long")),
    (b"GET /livez HTTP/1.1\r\nX: " + b"a" * MOST_HEAD_BYTES + b"\r\n\r\n", (431, "head-too-large")),
    (b"GET /livez HTTP/1.1\r\nX: " + b"a" * 500_000, (431, "head-too-large")),
    (b"GET /livez HTTP/1.1\r\n" + b"A: b\r\n" * 3_000, (431, "head-too-large")),
]
"""What no server should take, and the status code and kind of the problem document."""


@pytest.fixture(scope="module")
def database(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return sqlite_copy(migrated_sqlite, tmp_path_factory.mktemp("connections"))


@pytest.fixture(scope="module")
def server(database: str) -> Iterator[RawServer]:
    """A server with short deadlines."""
    with raw_server(database, **DEADLINES) as running:
        yield running


@pytest.fixture(scope="module")
def unguarded(database: str) -> Iterator[RawServer]:
    """The same application behind uvicorn as it comes."""
    with raw_server(database, guarded=False, **DEADLINES) as running:
        yield running


@pytest.fixture(scope="module")
def key(database: str) -> str:
    return new_key(database)


def new_key(database: str) -> str:
    """A key that reports for Kuopio."""
    opened = Database(Settings(database_url=database))
    with opened.writing() as db:
        issued = issue_key(
            db,
            name="test",
            organisation="Kuopio",
            actions=[Action.REPORT],
            areas=["municipality:297"],
            at=datetime.now(UTC),
        )
    opened.dispose()
    return issued


def problem(heard: Heard) -> tuple[int, str, str]:
    """The status code, kind and detail of the last answer, which is a whole problem document."""
    head, _, body = re.split(rb"(?=HTTP/1\.1 [0-9]{3} )", heard.said)[-1].partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    assert fields[b"content-type"] == b"application/problem+json"
    assert int(fields[b"content-length"]) == len(body)
    assert {b"date", b"x-request-id", b"cache-control"} <= fields.keys()
    assert fields[b"connection"] == b"close"
    document = json.loads(body)
    assert document["status"] == heard.status_codes[-1]
    return document["status"], document["type"].removeprefix("urn:yhdessa:problem:"), document["detail"]


def test_a_client_that_dawdles_is_told_so_and_cut_off(server: RawServer) -> None:
    heard = at_once(*(partial(slow, server, within=LONGEST) for slow in SLOW.values()))

    assert dict(zip(SLOW, [one.status_codes for one in heard], strict=True)) == EXPECTED
    assert [kind for kind, one in zip(SLOW, heard, strict=True) if not one.ended] == []


def test_uvicorn_alone_lets_a_client_dawdle(unguarded: RawServer) -> None:
    heard = at_once(*(partial(slow, unguarded, within=LONGEST) for slow in SLOW.values()))

    # Those that send nothing after an answer are the only ones that it ends, so none of these.
    assert [kind for kind, one in zip(SLOW, heard, strict=True) if one.ended] == []


def test_what_took_too_long_is_named(server: RawServer) -> None:
    in_head, in_body = at_once(
        lambda: exchange(server, b"GET /v1/tr"), lambda: exchange(server, POST + b"Content-Length: 9\r\n\r\n{")
    )

    assert problem(in_head) == (408, "request-too-slow", "the head of a request has to arrive within 1 seconds")
    assert problem(in_body) == (408, "request-too-slow", "the body of a request has to arrive within 1.2 seconds")
    assert b'"instance":"/v1/submissions"' in in_body.said


def test_what_is_at_hand_looks_on_its_way_like_what_is_not(server: RawServer) -> None:
    asked = b"GET /v1/trends?county=13 HTTP/1.1\r\nConnection: close\r\n"
    mine = b"X-Request-Id: %b\r\n" % (b"f" * 32)

    long_way, _kept, short = (exchange(server, asked + more + b"\r\n").said for more in (mine, b"", b""))

    assert _lines(short) == _lines(long_way)
    assert re.findall(rb"x-request-id: f{32}\r\n", short + long_way) == [mine.lower()]


def _lines(answer: bytes) -> list[bytes]:
    """What is said in `answer`, but for when and by which id."""
    return sorted(re.sub(rb"date: .*|x-request-id: \w{32}", b"", answer).split(b"\r\n"))


def test_a_connection_that_is_left_idle_ends_and_one_in_use_does_not(server: RawServer) -> None:
    with httpx.Client(base_url=server.url) as http:
        for _ in range(6):
            assert http.get("/livez").is_success
            time.sleep(0.4)
        connections = len(http._transport._pool.connections)  # type: ignore[attr-defined]  # httpx tells nobody

    idle = exchange(server, GET)

    assert connections == 1
    assert idle.status_codes == [200]
    assert 0.9 < idle.seconds < LONGEST


@pytest.mark.parametrize(("sent", "expected"), REFUSED)
def test_what_no_server_should_take_is_refused_in_a_problem_document(
    server: RawServer, sent: bytes, expected: tuple[int, str]
) -> None:
    heard = exchange(server, sent)

    assert problem(heard)[:2] == expected
    assert len(heard.status_codes) == 1
    assert heard.ended


def test_of_who_went_away_nothing_is_left(database: str) -> None:
    with raw_server(database, **{**DEADLINES, "answer_timeout_seconds": 1}) as server:
        before = sockets_of(server)
        for sent, _ in REFUSED:
            exchange(server, sent)
        at_once(*(partial(slow, server, within=0.5) for slow in SLOW.values()))
        with server.connect(window=4_096) as half_closed:
            half_closed.sendall(LARGE + b"\r\n")
            half_closed.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + LONGEST
            while sockets_of(server) > before and time.monotonic() < deadline:
                time.sleep(0.05)
            left = sockets_of(server) - before

    # There may be fewer: that over which it was asked whether it is ready may not have been closed before.
    assert left <= 0


def sockets_of(server: RawServer) -> int:
    """How many sockets the server's process holds."""
    held = 0
    for file in Path(f"/proc/{server.process.pid}/fd").iterdir():
        # It may be closed by the time that it is looked at.
        with suppress(FileNotFoundError):
            held += str(file.readlink()).startswith("socket:")
    return held


@pytest.mark.parametrize("sent", [b"GET /livez?a=" + b"a" * 50_000, b"GET /livez HTTP/1.1\r\nX: " + b"a" * 100_000])
def test_uvicorn_alone_takes_a_head_of_any_size(unguarded: RawServer, sent: bytes) -> None:
    client = unguarded.connect()
    client.sendall(sent)

    assert not hear(client, within=1).ended


def test_a_head_as_large_as_is_taken_is_taken(server: RawServer) -> None:
    address = b"/livez?" + b"a" * (MOST_URL_BYTES - len(b"/livez?"))
    field = b"x" * (MOST_HEAD_BYTES - len(address) - len(b"Connection: close\r\nX: \r\n"))
    whole = b"GET %b HTTP/1.1\r\nConnection: close\r\nX: %b\r\n\r\n" % (address, field)

    # An unknown parameter, which the app itself refuses: it has been reached.
    assert exchange(server, whole).status_codes == [422]
    assert exchange(server, whole[:9_000], whole[9_000:]).status_codes == [422]


def test_a_body_beyond_the_limit_is_refused_even_while_it_comes(server: RawServer) -> None:
    declared = POST + b"Connection: close\r\nContent-Length: 3000000\r\n\r\n" + b" " * 3_000_000
    chunked = POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    more = b"4000\r\n" + b" " * 0x4000 + b"\r\n"

    for heard in (exchange(server, declared), exchange(server, chunked, *[more] * 100)):
        assert problem(heard)[:2] == (413, "too-large")
        assert heard.ended


def test_fields_behind_a_body_do_not_pass_for_those_of_the_head(server: RawServer) -> None:
    body = b"2\r\n{}\r\n0\r\nX-Request-Id: forged\r\n\r\n"

    heard = exchange(server, POST + b"X-Request-Id: mine\r\nTransfer-Encoding: chunked\r\n\r\n" + body)

    assert heard.status_codes == [401]
    assert b"x-request-id: mine" in heard.said


@pytest.mark.parametrize("more", [b"X: " + b"a" * 300_000, b"A: b\r\n" * 50_000, b"1;" + b"a" * 300_000])
def test_fields_behind_a_body_that_never_end_are_refused(server: RawServer, more: bytes) -> None:
    end = b"" if more.startswith(b"1;") else b"0\r\n"

    heard = exchange(server, POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n" + end, more, more[:300_000])

    assert problem(heard)[:2] == (431, "head-too-large")
    assert heard.seconds < DEADLINES["body_timeout_seconds"]


def test_requests_that_come_all_at_once_are_answered_in_their_order(server: RawServer) -> None:
    heard = exchange(server, GET * 3 + b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n" + GET)

    assert heard.status_codes == [200, 200, 200, 404, 200]


def test_more_requests_at_once_than_may_wait_are_refused_after_the_answers_to_those_before(server: RawServer) -> None:
    heard = exchange(server, GET * 1_000)

    assert heard.status_codes == [200] * (1 + MOST_PIPELINED) + [429]
    assert problem(heard)[1:] == (
        "too-many-requests",
        f"{MOST_PIPELINED} requests may wait on one connection; wait for an answer",
    )
    assert b"Retry-After: 1\r\n" in heard.said


@pytest.mark.parametrize(
    "garbage", [b"\x00\x01garbage\r\n\r\n", POST + b"Transfer-Encoding: chunked\r\n\r\nno chunk\r\n"]
)
def test_garbage_behind_requests_does_not_come_between_their_answers(server: RawServer, garbage: bytes) -> None:
    for before in (1, 2):
        heard = exchange(server, b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * before + garbage)

        assert heard.status_codes == [200] * before + [400]
        assert problem(heard)[:2] == (400, "malformed-request")
        answers = heard.said.split(b"HTTP/1.1 ")[1 : before + 1]
        assert all(json.loads(answer.partition(b"\r\n\r\n")[2]) for answer in answers)


def test_uvicorn_alone_answers_garbage_before_the_requests_that_came_first(unguarded: RawServer) -> None:
    heard = exchange(unguarded, b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n\x00\x01garbage\r\n\r\n")

    assert heard.status_codes[:1] == [400]
    assert b"text/plain" in heard.said


def test_whoever_sends_no_more_is_still_answered(server: RawServer) -> None:
    client = server.connect()
    client.sendall(GET)
    client.shutdown(socket.SHUT_WR)

    heard = hear(client)

    assert heard.status_codes == [200]
    assert heard.seconds < 0.9


def test_whoever_ends_in_the_midst_of_a_body_is_let_go(server: RawServer) -> None:
    client = server.connect()
    client.sendall(POST + b"Content-Length: 100\r\n\r\n{")
    client.shutdown(socket.SHUT_WR)

    heard = hear(client)

    assert (heard.status_codes, heard.ended) == ([], True)


OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
"""What a client of Java offers with its first request."""


FIGURE = b'{"counts":[{"municipality":"297","period":"2022","sessions":5}],"statuses":[]}'
IN_CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(FIGURE), FIGURE)


@pytest.mark.parametrize("body", [b"Content-Length: %d\r\n\r\n%b" % (len(FIGURE), FIGURE), IN_CHUNKS])
@pytest.mark.parametrize("cut", [20, -1, 1_000])
def test_an_upgrade_that_is_offered_is_not_taken(server: RawServer, key: str, body: bytes, cut: int) -> None:
    whole = POST + b"Authorization: Bearer %b\r\n" % key.encode() + OFFER + body
    client = server.connect()
    client.sendall(whole[:cut])
    time.sleep(0.1)
    client.sendall(whole[cut:] + b"GET /livez HTTP/1.1\r\n" + OFFER + b"\r\nGET /livez HTTP/1.0\r\n\r\n")

    assert hear(client).status_codes == [201, 200, 200]


def test_another_protocol_is_never_begun(server: RawServer) -> None:
    assert exchange(server, b"CONNECT /livez HTTP/1.1\r\nHost: a\r\n\r\n" + GET).status_codes == [405]
    last = b"GET /livez HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n"
    assert exchange(server, last + GET).status_codes == [200]
    assert exchange(server, (b"GET /livez HTTP/1.1\r\n" + OFFER + b"\r\n") * 30).status_codes == [200] * 17 + [429]


def test_a_body_is_asked_for_where_the_client_waits_for_that(server: RawServer) -> None:
    heard = exchange(server, POST + b"Expect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    assert heard.status_codes == [100, 401]


def test_a_body_that_ends_after_its_refusal_is_followed_by_the_next_request(server: RawServer) -> None:
    client = server.connect()
    client.sendall(b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n{")
    time.sleep(0.3)
    client.sendall(b"   ")
    time.sleep(0.3)
    client.sendall(GET)

    assert hear(client).status_codes == [404, 200]


def test_a_new_caller_gets_in_where_those_who_wait_have_all_the_connections(database: str) -> None:
    with raw_server(database, max_connections=10, head_timeout_seconds=60) as server:
        waiting = [server.connect() for _ in range(30)]
        answers = [httpx.get(f"{server.url}/livez", timeout=20).status_code for _ in range(5)]
        heard = [hear(client, within=0.5) for client in waiting]

    assert answers == [200] * 5
    # The oldest went; those that are left had room beside each new caller.
    assert [one.ended for one in heard[:20]] == [True] * 20
    assert sum(not one.ended for one in heard) >= 5


def test_a_new_caller_gets_in_where_those_who_do_not_take_their_answers_have_all_the_connections(database: str) -> None:
    with raw_server(database, max_connections=10, answer_timeout_seconds=60) as server, ExitStack() as held:
        for sent in [(LARGE + b"\r\n") * 3, LARGE + b"Connection: close\r\n\r\n"] * 5:
            client = held.enter_context(server.connect(window=4_096))
            client.sendall(sent)
            assert client.recv(1)
        answers = [httpx.get(f"{server.url}/livez", timeout=20).status_code for _ in range(5)]

    assert answers == [200] * 5


def test_what_is_refused_for_its_body_is_not_done(server: RawServer, database: str) -> None:
    key = new_key(database)
    rotation = b"POST /v1/key/rotation HTTP/1.1\r\nAuthorization: Bearer %b\r\n" % key.encode()

    for body in (b"Transfer-Encoding: chunked\r\n\r\nno chunk\r\n", b"Content-Length: 9\r\n\r\n"):
        assert exchange(server, rotation + body).status_codes in ([400], [408])

    # A key is rotated once.
    assert exchange(server, rotation + b"Connection: close\r\n\r\n").status_codes == [201]


def test_nothing_a_client_does_is_logged_as_a_fault_of_ours(database: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    broken = POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"
    with raw_server(database, log=log, shutdown_seconds=1) as server, ExitStack() as held:
        for _ in range(20):
            with server.connect() as client:
                client.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}" + GET)
                assert client.recv(12) == b"HTTP/1.1 100"
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        refused = held.enter_context(server.connect())
        refused.sendall(broken)
        assert exchange(server, b"GET /livez HTTP/1.0\r\n\r\n").status_codes == [200]
        server.process.terminate()
        time.sleep(0.2)
        refused.sendall(b"no chunk\r\n")
        server.process.wait()

    assert [line for line in log.read_text().splitlines() if "exception" in line] == []


LARGE = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize("sent", [LARGE + b"\r\n", LARGE + b"Connection: close\r\n\r\n", (LARGE + b"\r\n") * 9])
def test_a_client_that_does_not_take_its_answer_is_cut_off(
    server: RawServer, unguarded: RawServer, sent: bytes
) -> None:
    clients = [one.connect(window=4_096) for one in (server, unguarded)]
    for client in clients:
        client.sendall(sent)

    time.sleep(LONGEST)
    heard = [hear(client, within=5) for client in clients]

    assert [_last_is_whole(one) for one in heard] == [False, True]


def test_a_client_that_takes_its_answers_slowly_gets_them_whole(server: RawServer) -> None:
    heard = Heard()
    with server.connect(window=32_768) as client:
        client.sendall(LARGE + b"\r\n" + LARGE + b"Connection: close\r\n\r\n")
        while part := client.recv(8_192):
            heard.said += part
            time.sleep(len(part) / 70_000)

    assert heard.status_codes == [200, 200]
    assert _last_is_whole(heard)


def _last_is_whole(heard: Heard) -> bool:
    """Whether the last answer has all the bytes that it declares."""
    head, _, body = re.split(rb"(?=HTTP/1\.1 [0-9]{3} )", heard.said)[-1].partition(b"\r\n\r\n")
    return f"content-length: {len(body)}\r\n".encode() in head.lower()
