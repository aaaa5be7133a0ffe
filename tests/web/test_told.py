"""What is told during a request, on each kind of answer that the request may get."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from app.errors import NotFound
from app.web.told import ToldHeaders, tell


@pytest.fixture
def http(app: FastAPI) -> TestClient:
    """The application with routes that tell, and then end in every way that there is."""

    def route(kind: str, request: Request) -> Response:
        tell(request.scope, "Said", "first")
        tell(request.scope, "Said", "last")
        if kind == "problem":
            raise NotFound("no such thing")
        if kind == "fault":
            raise RuntimeError
        return Response("text", headers={"Said": "otherwise", "ETag": '"tag"'})

    app.add_api_route("/{kind}", route, methods=["GET", "POST"])
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("method", "kind", "sent", "status_code"),
    [
        ("GET", "text", {}, 200),
        ("HEAD", "text", {}, 200),
        ("POST", "text", {}, 200),
        ("GET", "text", {"If-None-Match": '"tag"'}, 304),
        ("GET", "text", {"Range": "bytes=0-1"}, 206),
        ("GET", "problem", {}, 404),
        ("POST", "problem", {}, 404),
        ("GET", "fault", {}, 500),
        ("POST", "fault", {}, 500),
    ],
)
def test_what_was_told_is_on_every_kind_of_answer_once(
    http: TestClient, method: str, kind: str, sent: dict[str, str], status_code: int
) -> None:
    answer = http.request(method, f"/{kind}", headers={**sent, "X-Request-Id": "mine"})

    assert answer.status_code == status_code
    assert answer.headers.get_list("Said") == ["last"]
    assert answer.headers.get_list("X-Request-Id") == ["mine"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_told_is_not_on_the_answer_to_the_next_request(http: TestClient) -> None:
    first, unknown = http.get("/text"), http.get("/nothing/here")

    assert "Said" in first.headers
    assert (unknown.status_code, unknown.headers.get_list("Said")) == (404, [])


def test_what_is_no_request_is_passed_on_as_it_is() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    async def never(*_message: Message) -> Any:
        raise AssertionError

    asyncio.run(ToldHeaders(app)({"type": "lifespan"}, never, never))

    assert seen == [{"type": "lifespan"}]
