"""Hostile input against every operation of the contract: never a fault of ours, always a problem, nothing stored."""

import base64
import itertools
import json
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from starlette.testclient import TestClient

from app.database import Base, Database
from tests.conftest import ROOT, Caller, count, running_server, sqlite_copy, status

# Many cases and much arithmetic: each module's own tests are what its lines are measured by.
pytestmark = pytest.mark.no_cover

CONTRACT: dict[str, Any] = json.loads((ROOT / "openapi" / "openapi.json").read_text(encoding="utf-8"))
OPERATIONS = [
    (method.upper(), path, operation)
    for path, methods in CONTRACT["paths"].items()
    for method, operation in methods.items()
]
Dealt = Callable[[Sequence[Any]], Sequence[Any]]

# Nothing is recorded about this year, so that no refused retraction hides behind a recorded figure.
PLAIN = {
    "practice": "yhdessa-aika",
    "municipality": "297",
    "period": "2019-03",
    "date": "2019-02-01",
    "id": "1",
    "other": "1",
}


def cursor(*content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


# As they stand in a URL. None of them is a value of any parameter with which something would be recorded.
TEXTS = [
    "%00",
    "297%00",
    "%0A",
    "297%0A",
    "%0D%0ASet-Cookie:%20a=b",
    "%ED%A0%80",
    "%FF%FE",
    "%C0%AF",
    "%F0%9F%98%80",
    "%E2%80%AE297",
    "%D9%A2%D9%A9%D9%A7",
    "%EF%BC%92%EF%BC%99%EF%BC%97",
    "%20",
    "+",
    "%25",
    "%zz",
    "-1",
    "1e400",
    "5.0",
    "1_0",
    "0x10",
    "NaN",
    "Infinity",
    "true",
    "null",
    "[]",
    "%7B%7D",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "2147483648",
    "9" * 4_000,
    "9" * 5_000,
    "a" * 10_000,
    "0000",
    "0000-00-00",
    "0001-01-01T00:00:00%2B23:59",
    "9999-12-31T23:59:59-23:59",
    "9999-12",
    "99999-01",
    "2022-02-30",
    "2022-13",
    "2022-Q5",
    "2022-W01",
    "2014",
    "999",
    "KU999",
    "ku297",
    "99",
    "'%20OR%201=1%20--",
    "';DROP%20TABLE%20count_entries;--",
    "%24%7Bjndi:ldap://x%7D",
    "%7B%7B7*7%7D%7D",
    "..%2F..%2Fetc%2Fpasswd",
    "%3Cscript%3E",
    "=cmd",
    cursor("0001-01-01T00:00:00.000000+23:00", "a", "b", "c"),
    cursor("2020-01-01T00:00:00+00:00:00.000001", "a", "b", "c"),
    cursor("9999-12-31T23:59:59.999999Z", "a", "b", "c"),
    cursor("2024-01-01T00:00:00.000000Z", "a\0", "\ud800", "c"),
    cursor("2024-01-01T00:00:00.000000Z", "a", "b", "9999-99-99"),
    cursor("2024-01-01T00:00:00.000000Z", "a", "b"),
    cursor({"a": 1}, [], None, "2" * 20),
    base64.urlsafe_b64encode(b"[" * 200).decode(),
    base64.urlsafe_b64encode(b"9" * 200).decode(),
    base64.urlsafe_b64encode(b"\xff\xfe").decode(),
]

NUMBERS = [
    "NaN",
    "Infinity",
    "-Infinity",
    "1e400",
    "-1",
    "5.0",
    "5e0",
    "1E2",
    '"5"',
    "true",
    "null",
    "[5]",
    "{}",
    "1000001",
    "9223372036854775808",
    "-9223372036854775809",
    "9" * 4_000,
    "9" * 5_000,
    "05",
    "0x5",
    "1_0",
]
WORDS = [
    '"\\u0000"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\x00"',
    '"\n"',
    '"' + "ä" * 501 + '"',
    '"' + "😀" * 501 + '"',
    "5",
    "null1",
    "[]",
    '{"a": 1}',
    "true",
    '"131052-308T"',
    '"13 10 52 \\u2013 308 t"',
    "'single'",
]
ROW = '"municipality": "297", "period": "2019-03", "sessions": 5'
STATUS = '"municipality": "297", "date": "2019-02-01", "status": "pilot"'
BODIES = [
    b"",
    b" ",
    b"null",
    b"true",
    b"5",
    b'"x"',
    b"[]",
    b"{}",
    b"{",
    b"{]",
    b"\x00",
    b"\x1f\x8b\x08\x00",
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b'{"counts": [], "counts": []}',
    b'{"sessions": 5, "sessions": 6}',
    b'{"status": "pilot", "status": "pilot"}',
    b"[" * 10_000,
    b"[" * 10_000 + b"]" * 10_000,
    b'{"a":' * 10_000,
    b'{"counts":' * 10_000 + b"1" + b"}" * 10_000,
    b'{"counts": {}}',
    b'{"counts": [null]}',
    b'{"counts": [[]]}',
    b'{"counts": [{}]}',
    b'{"counts": [' + b"{}," * 300_000 + b"{}]}",
    b'{"counts": [' + b"1," * 10_000 + b"1]}",
    b'{"statuses": "x"}',
    b'{"\xff": 1}',
    b'{"__proto__": {"sessions": 5}}',
    b'{"sessions": 5, "status": "pilot"}',
    b"sessions=5",
    b"PK\x03\x04" + b"\xff" * 1_000,
    b"PK\x05\x06" + b"\0" * 18,
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1_000,
    b"kunta;jakso;tapaamiset\n" + b"297;2019-03;x\n" * 5_000,
    b"kunta;jakso;tapaamiset\n" + b'"' * 100_001,
    b"kunta;jakso;tapaamiset\n297;2019-03;" + b"9" * 5_000,
    b"kunta;jakso;tapaamiset" + b";" * 500_000,
    b"kunta;" * 20_000,
    b'{"period": "2019-03"}\n' * 5_000,
    b"<sessions>5</sessions>",
    b"--x\r\nContent-Disposition: form-data; name=sessions\r\n\r\n5\r\n--x--",
    *(f'{{"counts": [{{"municipality": "297", "period": "2019-03", "sessions": {n}}}]}}'.encode() for n in NUMBERS),
    *(f'{{"sessions": {number}}}'.encode() for number in NUMBERS),
    *(f'{{"counts": [{{{ROW}, "note": {word}}}]}}'.encode() for word in WORDS),
    *(f'{{"statuses": [{{{STATUS}, "note": {word}}}]}}'.encode() for word in WORDS),
    *(f'{{"sessions": 5, "note": {word}}}'.encode() for word in WORDS),
    *(f'{{"status": "pilot", "note": {word}}}'.encode() for word in WORDS),
    *(f'{{"status": {word}}}'.encode() for word in WORDS),
    *(f'{{"counts": [{{{ROW}, {word}: 1}}]}}'.encode() for word in WORDS),
    *(f'{{"counts": [{{{ROW}, "practice": {word}}}]}}'.encode() for word in WORDS),
    *(f'{{"counts": [{{{ROW}, "through": {word}}}]}}'.encode() for word in WORDS),
    b'{"sessions": 5, "through": "2019-03-32"}',
    b'{"sessions": 5, "through": "0000-00-00"}',
    b'{"sessions": 5, "through": "9999-99-99"}',
    b'{"sessions": 5, "replace": 1}',
]

HEADERS: list[dict[str, str | bytes]] = [
    {"Host": "[::1"},
    {"Host": "a b"},
    {"Host": "x:99999999"},
    {"Host": "evil/..//"},
    {"Host": b"\xe9"},
    {"Accept": "text/csv;q=nope, \x7f/,;;;"},
    {"Accept": b"\xff\xfe"},
    {"Accept": "application/xml"},
    {"Accept-Encoding": "gzip;q=9, *;q=x"},
    {"Accept-Language": "x" * 10_000},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": b"Bearer \xff"},
    {"Authorization": "Basic " + "A" * 9_999},
    {"Authorization": "Basic " + base64.b64encode(b"\x00:\x00").decode()},
    {"Authorization": "Bearer yhdessa_" + "a" * 8 + "_" + "b" * 38},
    {"Content-Type": 'application/json; charset="'},
    {"Content-Type": "application/json; charset=utf-7"},
    {"Content-Type": "multipart/form-data"},
    {"Content-Type": b"\xff"},
    {"Content-Encoding": "gzip"},
    {"Cookie": "a" * 10_000},
    {"Expect": "nothing"},
    {"If-Match": ""},
    {"If-Match": "W/"},
    {"If-Match": b"\xff"},
    {"If-Match": '"' + "9" * 199},
    {"If-Match": "x" * 201},
    {"If-None-Match": '"' + "," * 10_000},
    {"If-None-Match": b"\xff"},
    {"If-Modified-Since": "never"},
    {"Range": "bytes=" + "9" * 5_000 + "-"},
    {"Range": "bytes=-0"},
    {"Range": b"bytes=\xb2-"},
    {"X-Forwarded-For": "'; --"},
    {"X-HTTP-Method-Override": "DELETE"},
    {"X-Request-Id": b"\xff\r"},
    {"X-Request-Id": "${jndi:ldap://x}"},
]


@pytest.fixture
def stored(app: FastAPI, kuopio: Caller) -> Iterator[Caller]:
    """A key holder with something recorded; at the end the tables hold what they held, to the last row."""
    kuopio.post([count("297", "2022-03", 7, note="Kept")], [status("297", "2021-02", "pilot")])
    # A key is rotated once, so whatever comes now is refused.
    kuopio.http.post("/v1/key/rotation", headers=kuopio.headers)
    before = _content(app)
    yield kuopio
    assert _content(app) == before


def _content(app: FastAPI) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but the audit log, which tells of what was refused."""
    database: Database = app.state.database
    with database.reading() as db:
        connection = db.connection()
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in Base.metadata.sorted_tables
            if table.name != "audit_lines"
        }


@pytest.fixture(params=[True, False], ids=["with key", "without key"])
def headers(request: pytest.FixtureRequest, stored: Caller) -> dict[str, str]:
    return stored.headers if request.param else {}


@pytest.fixture(params=["some", pytest.param("all", marks=pytest.mark.exhaustive)])
def dealt(request: pytest.FixtureRequest, headers: dict[str, str]) -> Dealt:
    """Deals from a list of hostile things: to each who asks others, so that all are sent somewhere; or to each all."""
    step = 1 if request.param == "all" else 10 if headers else 20
    turns = itertools.cycle(range(step))
    return lambda things: things[next(turns) :: step]


def assert_refused_or_read(answer: Any, what: object) -> None:
    """Check that `answer` is no fault of ours and, if it refuses, a problem document."""
    assert answer.status_code < 500, (what, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json", (what, answer.text)
        document = answer.json()
        assert {"type", "title", "status", "detail", "instance"} <= document.keys(), what
        assert document["status"] == answer.status_code, what


def test_no_query_is_too_hostile(http: TestClient, headers: dict[str, str], dealt: Dealt) -> None:
    beside = ["%", "=", "&&;&", "a[]=1", "%00=1", "%FF=1", "a" * 10_000, "&".join("a=1" for _ in range(1_000))]
    for method, path, operation in OPERATIONS:
        names = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
        queries = [
            *dealt(beside),
            *(f"{name}={text}" for name in names for text in dealt(TEXTS)),
            *(f"{name}=1&{name}=2" for name in names),
        ]
        for query in queries:
            address = f"{path.format_map(PLAIN)}?{query}{'&reason=x' if 'reason' in names else ''}"

            answer = http.request(method, address, json=_body(operation, {"counts": []}), headers=headers)

            assert_refused_or_read(answer, (method, address))


def test_no_path_is_too_hostile(http: TestClient, headers: dict[str, str], dealt: Dealt) -> None:
    for method, path, operation in OPERATIONS:
        body = {"sessions": 5} if "session-counts" in path else {"status": "pilot"}
        for name in [p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"]:
            for text in dealt(TEXTS):
                address = path.format_map({**PLAIN, name: text}) + ("?reason=x" if method == "DELETE" else "")

                answer = http.request(method, address, json=_body(operation, body), headers=headers)

                assert answer.status_code in (401, 403, 404, 405, 422), (method, address, answer.text)
                assert_refused_or_read(answer, (method, address))


def test_no_body_is_too_hostile(http: TestClient, headers: dict[str, str], dealt: Dealt) -> None:
    taking = [
        (method, path, kind)
        for method, path, operation in OPERATIONS
        for kind in operation.get("requestBody", {}).get("content", ())
    ]

    assert len(taking) == 4 + 4
    for method, path, kind in taking:
        # What suits one operation is valid there and would be recorded, so it goes about a place out of reach.
        address = path.format_map({**PLAIN, "municipality": "140"})
        for body in dealt(BODIES):
            for content in (body, iter([body[:7], body[7:]])):
                answer = http.request(method, address, content=content, headers={**headers, "Content-Type": kind})

                what = (method, path, kind, body[:200])
                assert answer.status_code in (401, 403, 413, 415, 422), (*what, answer.text[:200])
                assert_refused_or_read(answer, what)


def test_no_body_makes_a_call_without_one_fail(http: TestClient, headers: dict[str, str], dealt: Dealt) -> None:
    for method, path, operation in OPERATIONS:
        if "requestBody" not in operation:
            address = path.format_map(PLAIN) + ("?reason=x" if method == "DELETE" else "")
            for body in dealt([b"x", b'{"a":' * 10_000, b"x" * 2_000_000]):
                answer = http.request(method, address, content=body, headers=headers)

                assert_refused_or_read(answer, (method, path, body[:20]))


def test_no_header_is_too_hostile(http: TestClient, headers: dict[str, str], dealt: Dealt) -> None:
    for method, path, operation in OPERATIONS:
        address = path.format_map(PLAIN) + ("?reason=x" if method == "DELETE" else "")
        content = b"{}" if "requestBody" in operation else None
        for hostile in dealt(HEADERS):
            answer = http.request(method, address, content=content, headers={**headers, **hostile})

            assert_refused_or_read(answer, (method, path, hostile))


def test_no_method_is_too_hostile(http: TestClient, headers: dict[str, str]) -> None:
    for path, methods in CONTRACT["paths"].items():
        allowed = {method.upper() for method in methods}
        for method in ("OPTIONS", "TRACE", "PATCH", "POST", "PUT", "DELETE", "GET", "PROPFIND", "get", "X" * 100):
            if method.upper() not in allowed:
                answer = http.request(method, path.format_map(PLAIN), headers=headers)

                assert answer.status_code == 405, (method, path)
                assert set(answer.headers["Allow"].split(", ")) - {"HEAD"} == allowed
                assert_refused_or_read(answer, (method, path))


def test_no_address_beside_the_contract_is_too_hostile(http: TestClient, headers: dict[str, str], dealt: Dealt) -> None:
    pages = ["/", "/docs", "/openapi.json", "/static/docs.css", "/favicon.ico"]
    addresses = [f"{page}?lang={text}" for page in pages for text in dealt(TEXTS)]
    addresses += [f"{root}{text}" for root in ("/", "/v1/", "/static/", "/v1/trends/") for text in dealt(TEXTS)]

    for address in addresses:
        assert_refused_or_read(http.get(address, headers=headers), address)


def _body(operation: dict[str, Any], body: dict[str, Any]) -> dict[str, Any] | None:
    return body if "requestBody" in operation else None


def test_no_bytes_on_the_wire_bring_the_server_down(migrated_sqlite: Any, tmp_path: Any) -> None:
    close = b"Host: x\r\nConnection: close\r\n\r\n"
    requests = [
        b"\x00" * 1_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n" + close,
        b"GET /v1/nothing?\xff HTTP/1.1\r\n" + close,
        b"GET /v1/nothing\xff HTTP/1.1\r\n" + close,
        b"GET * HTTP/1.1\r\n" + close,
        b"GET http://[::1/v1/key HTTP/1.1\r\n" + close,
        b"GET //x/v1/key HTTP/1.1\r\n" + close,
        b"OPTIONS * HTTP/1.1\r\n" + close,
        b"CONNECT x:80 HTTP/1.1\r\n" + close,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /v1/trends HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n",
        b"GET /v1/trends HTTP/1.1\r\nUpgrade: websocket\r\n" + close,
        b"GET /v1/trends HTTP/1.0\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n" + close,
        b"GET /v1/trends HTTP/1.1\r\nX: " + b"a" * 200_000 + b"\r\n" + close,
        b"POST /v1/submissions HTTP/1.1\r\nContent-Length: -1\r\n" + close,
        b"POST /v1/submissions HTTP/1.1\r\nContent-Length: " + b"9" * 30 + b"\r\n" + close,
        b"POST /v1/submissions HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n" + close + b"0\r\n\r\n",
        b"POST /v1/submissions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + close + b"zz\r\n",
        b"POST /v1/submissions HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n" + close + b"{",
    ]

    with running_server(sqlite_copy(migrated_sqlite, tmp_path)) as url:
        port = int(url.rpartition(":")[2])
        answers = [_exchanged(port, request) for request in requests]
        alive = httpx.get(f"{url}/readyz")

    assert alive.status_code == 200
    assert [answer[:80] for answer in answers if b"HTTP/1.1 5" in answer] == []


def _exchanged(port: int, request: bytes) -> bytes:
    """What the server answers to these bytes and nothing more."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        answer = b""
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65_536):
                answer += part
        except ConnectionError:
            pass  # It hung up in the middle of the request, as it may.
    return answer
