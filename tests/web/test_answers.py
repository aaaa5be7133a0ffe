"""HEAD, ETag, 304, ranges and CSV: what every reading call answers besides its JSON."""

import asyncio
import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from fastapi import FastAPI, Response
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from starlette.types import Message

from app.releases.importing import import_release
from app.web.answers import JSON, PUBLIC, SETTLED, ConditionalAnswers, documented, wants_csv
from tests.conftest import NOW, ROOT, Caller, count, status
from tests.publishing.published import refused_draft
from tests.releases.test_importing import south_savo

COUNT = "/v1/session-counts/yhdessa-aika/297/2024-03"
STATUS = "/v1/statuses/yhdessa-aika/297/2024-02-01"
ADDRESSES = {
    "/v1/trends": "/v1/trends?county=13",
    "/v1/submissions/{id}": "/v1/submissions/1",
    "/v1/submissions/template": "/v1/submissions/template?period=2024-03",
    "/v1/completeness": "/v1/completeness?year=2024",
    "/v1/session-counts/{practice}/{municipality}/{period}": COUNT,
    "/v1/session-counts/{practice}/{municipality}/{period}/history": f"{COUNT}/history",
    "/v1/statuses/{practice}/{municipality}/{date}": STATUS,
    "/v1/statuses/{practice}/{municipality}/{date}/history": f"{STATUS}/history",
    "/v1/releases/{id}": "/v1/releases/1",
    "/v1/release-drafts/{id}": "/v1/release-drafts/1",
    "/v1/releases/{id}/figures": "/v1/releases/1/figures",
    "/v1/releases/{id}/diff/{other}": "/v1/releases/1/diff/2",
}
THE_SAME_FOR_ALL = {
    "/v1/config": "public, max-age=300",
    "/v1/releases": PUBLIC,
    "/v1/releases/1": SETTLED,
    "/v1/releases/1/figures": SETTLED,
    "/v1/releases/1/diff/2": SETTLED,
}
"""How long is kept what a key makes no difference to."""
CONTRACT = json.loads((ROOT / "openapi" / "openapi.json").read_text(encoding="utf-8"))
# The metrics count the very question, so they are never twice the same.
GETS = [
    ADDRESSES.get(path, path) for path, methods in CONTRACT["paths"].items() if "get" in methods and path != "/metrics"
]
TABLES = [
    ADDRESSES.get(path, path)
    for path, methods in CONTRACT["paths"].items()
    if methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {}).keys() >= {JSON, "text/csv"}
]


@pytest.fixture
def reader(app: FastAPI, http: TestClient, new_key: Callable[..., str]) -> Caller:
    """A key holder with something to read; of its county there are two releases, and one that was refused."""
    with app.state.database.writing() as db:
        import_release(db, south_savo().model_copy(update={"county": "13"}), at=NOW)
        db.add(refused_draft(NOW))
    holder = Caller(http, new_key("county:13", actions=["report", "read", "publish"]))
    counts = [count("297", "2024-03", 7), count("297", "2019-05", 1)]  # The second is doubted.
    holder.post(counts, [status("297", "2024-02-01", "pilot", note="1, 2\r\n3")])
    return holder


def ask(reader: Caller, address: str, method: str = "GET", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return reader.http.request(method, address, headers={**reader.headers, **named})


def test_every_get_answers_head_with_the_same_headers_and_no_body(reader: Caller) -> None:
    for address in [*GETS, "/openapi.json", "/docs", "/"]:
        got, head = ask(reader, address), ask(reader, address, "HEAD")

        for answer in (got, head):
            assert answer.status_code == 200, address
            del answer.headers["X-Request-Id"]
        assert head.headers == got.headers
        assert head.content == b""
        assert int(head.headers["Content-Length"]) == len(got.content) > 0


def test_every_get_has_a_strong_etag_that_stands_while_nothing_changes(reader: Caller) -> None:
    for address in GETS:
        first, again = ask(reader, address), ask(reader, address)

        assert first.headers["ETag"].startswith('"')
        assert first.headers["ETag"] == again.headers["ETag"]
        assert first.content == again.content


def test_every_get_answers_304_without_a_body_to_who_has_it_already(reader: Caller) -> None:
    for address in GETS:
        etag = ask(reader, address).headers["ETag"]
        for method in ("GET", "HEAD"):
            answer = ask(reader, address, method, If_None_Match=etag)

            assert (answer.status_code, answer.content) == (304, b""), address
            assert answer.headers["ETag"] == etag
            assert "Content-Length" not in answer.headers
            assert answer.headers["Cache-Control"] == THE_SAME_FOR_ALL.get(address, "private, no-cache")


def test_what_changes_gets_another_etag(reader: Caller) -> None:
    before = {
        address: ask(reader, address).headers["ETag"] for address in (COUNT, f"{COUNT}/history", "/v1/session-counts")
    }

    reader.put(COUNT, {"sessions": 8})

    for address, etag in before.items():
        answer = ask(reader, address, If_None_Match=etag)
        assert answer.status_code == 200
        assert answer.headers["ETag"] != etag


def test_json_and_csv_have_different_etags(reader: Caller) -> None:
    for address in TABLES:
        as_json, as_csv = ask(reader, address), ask(reader, address, Accept="text/csv")

        assert as_json.headers["ETag"] != as_csv.headers["ETag"]
        assert as_json.headers["Vary"] == as_csv.headers["Vary"] == "Accept, Authorization"


def test_the_etag_of_a_figure_is_its_entry(reader: Caller) -> None:
    put = reader.put(COUNT, {"sessions": 8})

    assert ask(reader, COUNT).headers["ETag"] == put.headers["ETag"] == '"3"'


def test_every_table_is_answered_as_csv_by_format_and_by_accept(reader: Caller) -> None:
    for address in TABLES:
        joined = f"{address}{'&' if '?' in address else '?'}format="
        as_json = ask(reader, f"{joined}json", Accept="text/csv")
        by_format = ask(reader, f"{joined}csv", Accept="application/json")
        by_accept = ask(reader, address, Accept="text/csv")

        rows = as_json.json().get("rows") or as_json.json()["years"]
        assert rows
        assert by_format.content == by_accept.content
        assert by_format.headers["Content-Type"] == by_accept.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert list(csv.reader(io.StringIO(by_format.text, newline=""))) == _cells(rows)


def test_a_page_leads_to_the_next_by_a_link_until_the_last(reader: Caller) -> None:
    reader.post([], [status("297", "2024-03-01", "in_use"), status("297", "2024-04-01", "paused")])
    address, found = "/v1/statuses?limit=1&format=csv&practice=yhdessa-aika", []

    while address:
        answer = ask(reader, address)
        found += [line.split(",")[8] for line in answer.text.splitlines()[1:] if line.startswith("yhdessa-aika")]
        address = answer.links.get("next", {}).get("url", "")
        assert address == "" or address.startswith("/v1/statuses?limit=1&format=csv&practice=yhdessa-aika&cursor=")

    assert found == ["pilot", "in_use", "paused"]


def test_an_empty_cursor_is_refused_and_not_taken_for_the_first_page(reader: Caller) -> None:
    for address in ("/v1/statuses", "/v1/session-counts"):
        answer = ask(reader, f"{address}?cursor=")

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["parameter"] == "cursor"


def test_a_practice_nobody_uses_is_a_table_of_its_header_alone(reader: Caller) -> None:
    answer = ask(reader, "/v1/statuses?municipality=140&format=csv")

    assert answer.text == (
        "practice,municipality,municipality_name_fi,municipality_name_sv,reported_as,county,date,date_precision,"
        "status,entry,recorded_at\r\n"
    )


def _cells(rows: Sequence[dict[str, Any]]) -> list[list[str]]:
    """`rows` of JSON as the cells of a CSV with its header."""

    def cell(value: Any) -> str:
        return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

    return [list(rows[0]), *([cell(value) for value in row.values()] for row in rows)]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, False),
        ("", False),
        ("*/*", False),
        ("text/csv", True),
        ("TEXT/CSV; charset=utf-8", True),
        ("text/csv, application/json", True),
        ("application/json, text/csv", False),
        ("text/html, text/csv;q=0.5, */*;q=0.1", True),
        ("text/*", False),
    ],
)
def test_accept_asks_for_csv_if_it_names_it_first(accept: str | None, expected: bool) -> None:
    assert wants_csv(None, accept) is expected
    assert wants_csv("csv", accept) is True
    assert wants_csv("json", accept) is False


@pytest.fixture
def ten() -> TestClient:
    """An application that answers ten bytes under an ETag of its own, or refuses."""
    app = FastAPI(middleware=[Middleware(ConditionalAnswers)])

    @app.get("/ten")
    def read_ten() -> Response:
        return Response(b"0123456789", headers={"ETag": '"ten"'})

    @app.get("/no")
    def read_no() -> Response:
        return Response(b"no", status_code=404)

    @app.post("/ten")
    def post_ten() -> Response:
        return Response(b"posted")

    return TestClient(app)


@pytest.mark.parametrize(
    ("known", "status_code"),
    [
        ('"ten"', 304),
        ('W/"ten"', 304),
        ("*", 304),
        (" * ", 304),
        ('"nine", "ten"', 304),
        ('"nine" ,W/"ten"', 304),
        ('"nine"', 200),
        ("ten", 200),
        ('"TEN"', 200),
        ("", 200),
    ],
)
def test_if_none_match_compares_weakly_with_each_of_a_list(ten: TestClient, known: str, status_code: int) -> None:
    answer = ten.get("/ten", headers={"If-None-Match": known})

    assert answer.status_code == status_code
    assert answer.content == (b"" if status_code == 304 else b"0123456789")


def test_if_none_match_may_stand_on_several_lines(ten: TestClient) -> None:
    answer = ten.get("/ten", headers=[("If-None-Match", '"nine"'), ("If-None-Match", '"ten"')])

    assert answer.status_code == 304


def test_a_refusal_has_no_etag_and_is_never_304(ten: TestClient) -> None:
    answer = ten.get("/no", headers={"If-None-Match": "*", "Range": "bytes=0-0"})

    assert (answer.status_code, answer.content) == (404, b"no")
    assert "ETag" not in answer.headers


def test_what_is_not_read_is_passed_on_as_it_is(ten: TestClient) -> None:
    answer = ten.post("/ten", headers={"If-None-Match": "*", "Range": "bytes=0-0"})

    assert (answer.status_code, answer.content) == (200, b"posted")
    assert "ETag" not in answer.headers


def test_only_what_was_asked_for_without_a_key_may_be_kept_by_others(ten: TestClient) -> None:
    with_key = ten.get("/ten", headers={"Authorization": "Bearer x"})

    assert with_key.headers["Cache-Control"] == "private, no-cache"
    assert ten.get("/ten").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("asked", "answered", "where"),
    [
        ("bytes=0-0", b"0", "bytes 0-0/10"),
        ("bytes=2-4", b"234", "bytes 2-4/10"),
        ("bytes=8-", b"89", "bytes 8-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
    ],
)
def test_one_range_of_bytes_is_answered(ten: TestClient, asked: str, answered: bytes, where: str) -> None:
    answer = ten.get("/ten", headers={"Range": asked, "If-Range": '"ten"'})

    assert (answer.status_code, answer.content) == (206, answered)
    assert answer.headers["Content-Range"] == where
    assert answer.headers["Content-Length"] == str(len(answered))


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=10-"},
        {"Range": "bytes=5-2"},
        {"Range": "bytes=-0"},
        {"Range": "bytes=-"},
        {"Range": "bytes=0-1,3-4"},
        {"Range": "lines=0-1"},
        {"Range": "bytes=0-1", "If-Range": '"nine"'},
        {"Range": "bytes=0-1", "If-Range": "Wed, 15 May 2024 09:00:00 GMT"},
        {"Range": f"bytes={'9' * 5_000}-"},
    ],
)
def test_any_other_range_is_answered_whole(ten: TestClient, headers: dict[str, str]) -> None:
    answer = ten.get("/ten", headers=headers)

    assert (answer.status_code, answer.content) == (200, b"0123456789")
    assert "Content-Range" not in answer.headers


def test_head_tells_the_whole_length_whatever_range_is_asked_for(ten: TestClient) -> None:
    answer = ten.head("/ten", headers={"Range": "bytes=0-0"})

    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, "10", b"")


def test_the_answer_to_head_has_no_body_even_where_no_client_drops_it(ten: TestClient) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    asked = {"method": "HEAD", "path": "/ten", "query_string": b"", "headers": []}
    asyncio.run(ten.app({"type": "http", "http_version": "1.1", **asked}, receive, send))  # type: ignore[arg-type]

    assert [message.get("body") for message in sent] == [None, b""]


def test_a_documented_answer_has_headers_only_if_there_are_any() -> None:
    plain = documented("Fine", {"a": 1})
    with_headers = documented("Fine", {"a": 1}, {"ETag": "Names it"})

    assert plain == {"description": "Fine", "content": {"application/json": {"example": {"a": 1}}}}
    assert with_headers == {**plain, "headers": {"ETag": {"description": "Names it", "schema": {"type": "string"}}}}
