"""Every refusal is one problem document, says what is wrong, and tells nothing of our inside."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fastapi import FastAPI, HTTPException
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection
from starlette.testclient import TestClient
from starlette.types import Message

from app.access.keys import issue_key
from app.access.models import Action
from app.database import WRITER_LOCK, Database
from app.errors import FieldError, NotFound, Problem, pointer, problems
from app.main import create_app
from app.settings import Settings
from tests.conftest import Caller, StandingClock, count, sqlite_copy, status

COUNT = "/v1/session-counts/yhdessa-aika/297/2022-03"
IN_TIME = "the database did not answer in time; try again in a few seconds"


def problem(kind: str, title: str, status_code: int, detail: str, instance: str, **more: Any) -> dict[str, Any]:
    type_uri = f"urn:yhdessa:problem:{kind}"
    return {"type": type_uri, "title": title, "status": status_code, "detail": detail, "instance": instance, **more}


def assert_is(answer: Any, document: dict[str, Any]) -> None:
    """Check that `answer` is this problem document, whole, with all that every one carries."""
    assert answer.json() == document
    assert answer.status_code == document["status"]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Request-Id"]


def test_an_unknown_address_is_not_found(anyone: Caller) -> None:
    answer = anyone.get("/v1/näin ei/ole?county=13")

    instance = "/v1/n%C3%A4in%20ei/ole"
    assert_is(answer, problem("not-found", "Not found", 404, "there is nothing at /v1/näin ei/ole", instance))


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", COUNT, "DELETE, GET, HEAD, PUT"),
        ("OPTIONS", COUNT, "DELETE, GET, HEAD, PUT"),
        ("PATCH", "/v1/statuses/yhdessa-aika/297/2022", "DELETE, GET, HEAD, PUT"),
        ("GET", "/v1/submissions/1/retraction", "POST"),
        ("DELETE", "/v1/submissions", "GET, HEAD, POST"),
        ("POST", "/v1/trends", "GET, HEAD"),
        ("TRACE", "/livez", "GET, HEAD"),
        ("PUT", "/", "GET, HEAD"),
        ("POST", "/static/docs.css", "GET, HEAD"),
    ],
)
def test_a_method_that_is_not_possible_is_told_those_that_are(
    http: TestClient, method: str, path: str, allowed: str
) -> None:
    answer = http.request(method, path)

    detail = f"{method} is not possible at {path}"
    assert_is(answer, problem("method-not-allowed", "This method is not possible here", 405, detail, path))
    assert answer.headers["Allow"] == allowed


def test_a_body_of_another_kind_is_unsupported(kuopio: Caller) -> None:
    address = "/v1/session-counts/yhdessa-aika/297/2022-03"

    answer = kuopio.http.put(address, content=b"sessions\n7", headers={"Content-Type": "text/csv"})

    detail = "send application/json; this came as 'text/csv'"
    title = "This kind of content is not taken here"
    assert_is(answer, problem("unsupported-content", title, 415, detail, address))


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_two_megabytes_is_too_large(kuopio: Caller, chunked: bool) -> None:
    body = b'{"counts": []' + b" " * 2_000_000 + b"}"
    chunks = (body[start : start + 65_536] for start in range(0, len(body), 65_536))

    answer = kuopio.http.post(
        "/v1/submissions",
        content=chunks if chunked else body,
        headers={**kuopio.headers, "Content-Type": "application/json"},
    )

    detail = "a body may have 1048576 bytes; send it in several parts"
    assert_is(answer, problem("too-large", "The body is too large", 413, detail, "/v1/submissions"))


def test_a_body_just_within_the_limit_is_taken(settings: Settings, clock: StandingClock) -> None:
    app = create_app(settings.model_copy(update={"max_body_bytes": 1_024}), clock)
    json_only = {"Content-Type": "application/json"}

    with TestClient(app) as http:
        within = http.post("/v1/submissions", content=b'{"counts": []}'.ljust(1_024), headers=json_only)
        beyond = http.post("/v1/submissions", content=b'{"counts": []}'.ljust(1_025), headers=json_only)

    assert (within.status_code, beyond.status_code) == (401, 413)


def test_a_list_of_too_many_rows_is_one_mistake_and_not_a_million(kuopio: Caller) -> None:
    body = b'{"counts": [' + b"{}," * 300_000 + b"{}]}"

    answer = kuopio.http.post(
        "/v1/submissions", content=body, headers={**kuopio.headers, "Content-Type": "application/json"}
    )

    detail = "the submission has 300001 rows, and 10000 are taken at once; send it in several"
    title = "The submission has too many rows"
    assert_is(answer, problem("too-many-rows", title, 413, detail, "/v1/submissions"))


def test_a_malformed_parameter_is_named(anyone: Caller) -> None:
    answer = anyone.get("/v1/trends", county="013", from_year="2014")

    county = "String should match pattern '^[0-9]{2}$'"
    year = "Input should be greater than or equal to 2015"
    assert_is(
        answer,
        problem(
            "invalid-parameter",
            "A parameter of the request is not valid",
            422,
            f"county: {county}; from_year: {year}",
            "/v1/trends",
            errors=[{"parameter": "county", "detail": county}, {"parameter": "from_year", "detail": year}],
        ),
    )


def test_what_breaks_the_schema_is_pointed_at_with_its_row(kuopio: Caller) -> None:
    rows = [count("297", "2022-03", 7), {"municipality": "297", "period": "2022-04", "sessions": "7"}]

    answer = kuopio.post(rows, [status("297", "2021", "pilot"), {"a/b~c": 1}])

    number, needed = "Input should be a valid integer", "Field required"
    assert_is(
        answer,
        problem(
            "invalid-request",
            "The content of the request is not valid",
            422,
            f"/counts/1/sessions: {number}; /statuses/1/status: {needed}; /statuses/1/municipality: {needed} "
            "and 2 more",
            "/v1/submissions",
            errors=[
                {"pointer": "/counts/1/sessions", "detail": number, "row": 1},
                {"pointer": "/statuses/1/status", "detail": needed, "row": 1},
                {"pointer": "/statuses/1/municipality", "detail": needed, "row": 1},
                {"pointer": "/statuses/1/date", "detail": needed, "row": 1},
                {"pointer": "/statuses/1/a~1b~0c", "detail": "Extra inputs are not permitted", "row": 1},
            ],
        ),
    )


def test_a_body_that_is_no_object_is_told_so_without_a_row(kuopio: Caller) -> None:
    answer = kuopio.put(COUNT, [7])  # type: ignore[arg-type]  # that is the mistake

    assert answer.status_code == 422
    assert [error.keys() for error in answer.json()["errors"]] == [{"pointer", "detail"}]
    assert answer.json()["errors"][0]["pointer"] == ""


def test_what_was_sent_is_never_echoed(kuopio: Caller) -> None:
    secret = "Matti Meikäläinen"

    answers = [
        kuopio.post([count("297", "2022-03", 7, note=[secret])]),
        kuopio.post([count(secret, "2022-03", 7)]),
        kuopio.put(COUNT, {"sessions": secret}),
        kuopio.http.post("/v1/submissions", content=f'{{"{secret}'.encode(), headers=kuopio.headers),
    ]

    assert [secret in answer.text for answer in answers] == [False] * 4


def test_without_a_key_there_is_one_answer_that_says_how_to_send_one(anyone: Caller) -> None:
    answer = anyone.get("/v1/session-counts")

    detail = (
        "send a valid key as `Authorization: Bearer <key>`, or as the password of HTTP Basic; "
        "this one is missing, mistyped, unknown, expired or revoked"
    )
    assert_is(answer, problem("not-authenticated", "A valid key is needed", 401, detail, "/v1/session-counts"))
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="yhdessa"'


def test_outside_its_areas_a_key_is_refused_before_anything_else_is_said(kuopio: Caller) -> None:
    answer = kuopio.post([count("140", "2022-03", 7), count("999", "2022-03", 7)])

    title, detail = "The key does not cover this area", "the key does not cover 140 Iisalmi"
    errors = [{"pointer": "/counts/0/municipality", "detail": detail, "row": 0}]
    assert_is(answer, problem("not-covered", title, 403, detail, "/v1/submissions", errors=errors))


def test_without_the_action_a_key_is_refused(http: TestClient, new_key: Callable[..., str]) -> None:
    reader = Caller(http, new_key("municipality:297", actions=["read"]))

    answer = reader.put(COUNT, {"sessions": 7})

    detail = "this needs a key with the action report; this key may: read"
    assert_is(answer, problem("not-allowed", "The key may not do this", 403, detail, COUNT))


def test_what_is_in_the_way_is_a_conflict(kuopio: Caller) -> None:
    kuopio.put(COUNT, {"sessions": 7})

    answer = kuopio.post([count("297", "2022", 41)])

    assert answer.json()["errors"][0]["pointer"] == "/counts/0/period"
    detail = answer.json()["detail"]
    title = "The period overlaps what is recorded"
    errors = [{"pointer": "/counts/0/period", "detail": detail, "row": 0}]
    assert_is(answer, problem("overlapping", title, 409, detail, "/v1/submissions", errors=errors))


def test_a_stale_figure_is_not_changed(kuopio: Caller) -> None:
    kuopio.put(COUNT, {"sessions": 7})

    answer = kuopio.put(COUNT, {"sessions": 8}, If_Match='"17"')

    detail = 'If-Match does not name the figure that is in force: it is "1" now'
    assert_is(answer, problem("precondition-failed", "The figure has changed meanwhile", 412, detail, COUNT))


def test_our_own_fault_says_nothing_of_its_inside(app: FastAPI) -> None:
    def fail() -> None:
        raise RuntimeError("the secret is 297")

    app.add_api_route("/broken", fail)
    with TestClient(app, raise_server_exceptions=False) as http:
        answer = http.get("/broken", headers={"X-Request-Id": "mine"})

    assert_is(
        answer,
        {
            "type": "urn:yhdessa:problem:problem",
            "title": "Internal error",
            "status": 500,
            "detail": "the server failed to answer; the fault is logged",
            "instance": "/broken",
        },
    )
    assert answer.headers["X-Request-Id"] == "mine"


def test_what_the_framework_refuses_by_itself_is_a_problem_document_too(app: FastAPI) -> None:
    def refuse() -> None:
        raise HTTPException(429, "too many", headers={"Retry-After": "9"})

    app.add_api_route("/busy", refuse)
    with TestClient(app) as http:
        answer = http.get("/busy")

    document = {"type": "about:blank", "title": "Too Many Requests", "status": 429, "detail": "too many"}
    assert_is(answer, {**document, "instance": "/busy"})
    assert answer.headers["Retry-After"] == "9"


def test_a_caller_who_leaves_in_the_middle_of_a_body_is_no_fault_of_ours(app: FastAPI) -> None:
    sent: list[Message] = []
    first: Message = {"type": "http.request", "body": b"{", "more_body": True}
    arriving: Iterator[Message] = iter([first, {"type": "http.disconnect"}])

    async def receive() -> Message:
        return next(arriving)

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json")]
    asked = {"method": "POST", "path": "/v1/submissions", "query_string": b"", "headers": headers}
    asyncio.run(app({"type": "http", "http_version": "1.1", **asked}, receive, send))

    assert sent[0]["status"] == 400
    assert b"urn:yhdessa:problem:incomplete-body" in sent[1]["body"]


@contextmanager
def another_writer(url: str) -> Iterator[Connection]:
    """A connection of somebody else who has the turn to write."""
    engine = create_engine(url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"))
        yield connection
        connection.rollback()
    engine.dispose()


@pytest.fixture
def impatient(settings: Settings, clock: StandingClock) -> Iterator[FastAPI]:
    """The application with a short patience and two connections."""
    app = create_app(settings.model_copy(update={"lock_timeout_seconds": 0.2, "pool_size": 1}), clock)
    yield app
    app.state.database.dispose()


@pytest.fixture
def writer(app: FastAPI, impatient: FastAPI, new_key: Callable[..., str]) -> Iterator[Caller]:
    """A key holder who talks to the impatient application."""
    with TestClient(impatient) as http:
        yield Caller(http, new_key("country"))


def unavailable(detail: str, instance: str) -> dict[str, Any]:
    return problem("unavailable", "Not available at the moment", 503, detail, instance)


def test_a_database_that_another_writes_to_for_too_long_is_unavailable(writer: Caller, database_url: str) -> None:
    with another_writer(database_url):
        began = time.monotonic()
        refused = [
            (writer.post([count("297", "2022-03", 7)]), "/v1/submissions"),
            (writer.put(COUNT, {"sessions": 7}), COUNT),
            (writer.delete(COUNT, reason="x"), COUNT),
        ]
        waited = time.monotonic() - began
        read = writer.get("/v1/session-counts")
    after = writer.post([count("297", "2022-03", 7)])

    for answer, path in refused:
        assert_is(answer, unavailable(IN_TIME, path))
        assert answer.headers["Retry-After"] == "2"
    assert 0.6 <= waited < 10
    assert read.json()["rows"] == []
    assert after.status_code == 201


def test_reading_a_moment_that_somebody_may_still_write_before_is_unavailable(
    writer: Caller, clock: StandingClock, database_url: str
) -> None:
    clock.advance(seconds=10)
    moment = "2024-05-15T09:00:05Z"

    with another_writer(database_url):
        while_writing = writer.get("/v1/session-counts", as_of=moment)
    afterwards = writer.get("/v1/session-counts", as_of=moment)

    assert_is(while_writing, unavailable(IN_TIME, "/v1/session-counts"))
    assert afterwards.json() == {"as_of": moment, "rows": [], "next": None}


def test_without_a_free_connection_the_database_is_unavailable(writer: Caller, impatient: FastAPI) -> None:
    engine = impatient.state.database.engine

    with engine.connect(), engine.connect():
        answer = writer.get("/v1/practices")
    after = writer.get("/v1/practices")

    assert_is(answer, unavailable(IN_TIME, "/v1/practices"))
    assert after.status_code == 200


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_is_cut_while_it_waits_makes_the_database_unavailable(
    settings: Settings, clock: StandingClock, new_key: Callable[..., str]
) -> None:
    app = create_app(settings, clock)
    answers = []
    with TestClient(app) as http, another_writer(settings.database_url) as other:
        caller = Caller(http, new_key("country"))
        waiting = threading.Thread(target=lambda: answers.append(caller.put(COUNT, {"sessions": 7})))
        waiting.start()
        ended = 0
        while not ended:
            query = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            ended = other.execute(text(query)).scalar_one()
        waiting.join()

    assert_is(answers[0], unavailable(IN_TIME, COUNT))


@pytest.fixture(params=["no folder", "no server", "a server that says nothing"])
def away(
    request: pytest.FixtureRequest, clock: StandingClock, migrated_sqlite: Path, tmp_path: Path
) -> Iterator[Caller]:
    """Somebody with a key, and the application without a database, for one of several reasons."""
    known = Database(Settings(database_url=sqlite_copy(migrated_sqlite, tmp_path)))
    with known.writing() as db:
        key = issue_key(db, name="x", organisation="x", actions=[Action.REPORT], areas=["country"], at=clock())
    known.dispose()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = {
            "no folder": f"sqlite:///{tmp_path}/none/none.db",
            "no server": "postgresql://yhdessa@127.0.0.1:1/none",
            "a server that says nothing": f"postgresql://yhdessa@127.0.0.1:{port}/none",
        }[request.param]
        with TestClient(create_app(Settings(database_url=url, lock_timeout_seconds=0.2), clock)) as http:
            yield Caller(http, key)


def test_a_database_that_is_away_is_unavailable(away: Caller) -> None:
    began = time.monotonic()
    answers = [
        (away.get("/v1/practices"), unavailable(IN_TIME, "/v1/practices")),
        (away.put(COUNT, {"sessions": 7}), unavailable(IN_TIME, COUNT)),
        (away.get("/readyz"), unavailable(IN_TIME, "/readyz")),
    ]
    waited = time.monotonic() - began

    for answer, document in answers:
        assert_is(answer, document)
        assert answer.headers["Retry-After"] == "2"
    assert waited < 20
    assert away.get("/livez").json() == {"status": "alive"}


def test_the_kinds_of_one_status_code_are_documented_together() -> None:
    class Gone(Problem):
        """It was here."""

        status_code = 404
        title = "Gone"
        answers_with: ClassVar[Mapping[str, str]] = {"Link": "Where it went"}

    documented = problems(NotFound, Gone)

    assert list(documented) == [404]
    assert documented[404]["description"] == (
        "`urn:yhdessa:problem:not-found`: There is nothing at this address.\n\n`urn:yhdessa:problem:gone`: It was here."
    )
    assert documented[404]["headers"] == {"Link": {"description": "Where it went", "schema": {"type": "string"}}}
    assert documented[404]["content"]["application/problem+json"]["examples"]["Gone"] == {
        "summary": "Gone",
        "value": {
            "type": "urn:yhdessa:problem:gone",
            "title": "Gone",
            "status": 404,
            "detail": "It was here.",
            "instance": "/v1/...",
        },
    }


def test_a_problem_names_its_kind_and_keeps_its_errors() -> None:
    errors = [FieldError(parameter="county", detail="no")]

    problem = NotFound("nothing", errors=errors, headers={"Retry-After": "1"})

    assert str(problem) == "nothing"
    assert (problem.errors, problem.headers) == (errors, {"Retry-After": "1"})


@pytest.mark.parametrize(
    ("steps", "written"), [((), ""), (("counts", 0), "/counts/0"), (("a/b", "c~d", ""), "/a~1b/c~0d/")]
)
def test_a_pointer_escapes_what_would_part_it(steps: tuple[str | int, ...], written: str) -> None:
    assert pointer(steps) == written
