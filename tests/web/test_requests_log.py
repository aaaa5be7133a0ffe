"""The log: one line of JSON per request under its id, and never a key, a query, a body or what an exception says."""

import asyncio
import io
import json
import logging
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI
from sqlalchemy import text
from sqlmodel import Session
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from app.database import Database
from app.web.dependencies import ReadDb
from app.web.requests_log import RequestLog, configure_logging
from tests.conftest import ROOT, Caller, count, sqlite_copy, wait_until_ready

SECRETS = ("Meikäläinen", "reason=", "county=", "Wrong month")


@pytest.fixture
def logged() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Answers the lines that were logged so far; each is an object of JSON."""
    loggers = [logging.getLogger(name) for name in (None, "alembic", "httpx2")]
    levels = [logger.level for logger in loggers]
    written = io.StringIO()
    configure_logging("info", written)
    [ours] = loggers[0].handlers
    # The test's own client says what it asks for.
    loggers[2].setLevel(logging.WARNING)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    loggers[0].removeHandler(ours)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    structlog.reset_defaults()


def test_a_request_is_one_line(kuopio: Caller, logged: Callable[[], list[dict[str, Any]]]) -> None:
    answer = kuopio.get("/v1/session-counts", county="13", format="csv")

    [line] = logged()
    assert answer.status_code == 403
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line.pop("timestamp"))
    assert line.pop("milliseconds") > 0
    assert line == {
        "event": "request",
        "method": "GET",
        "path": "/v1/session-counts",
        "status": 403,
        "key_id": kuopio.get("/v1/key").json()["id"],
        "cause": None,
        "request_id": answer.headers["X-Request-Id"],
        "level": "info",
        "logger": "yhdessa",
    }


def test_a_check_of_readiness_is_one_line_too(http: TestClient, logged: Callable[[], list[dict[str, Any]]]) -> None:
    http.get("/readyz")
    http.head("/livez")

    assert [(line["method"], line["path"]) for line in logged()] == [("GET", "/readyz"), ("HEAD", "/livez")]


@pytest.mark.parametrize("sent", ["a", "0123456789abcdef-ABC_1.2", "x" * 64])
def test_a_plain_id_of_the_caller_is_kept(http: TestClient, sent: str) -> None:
    answer = http.get("/livez", headers={"X-Request-Id": sent})

    assert answer.headers["X-Request-Id"] == sent


@pytest.mark.parametrize("sent", [None, "", "x" * 65, "a b", "a\nb", "ä", '"', "{}", "a,b", "../a"])
def test_any_other_id_is_made_new(http: TestClient, sent: str | None) -> None:
    headers = [] if sent is None else [(b"X-Request-Id", sent.encode())]

    first, again = (http.get("/livez", headers=headers).headers["X-Request-Id"] for _ in range(2))

    assert re.fullmatch("[0-9a-f]{32}", first)
    assert first != again


def test_no_line_holds_a_key_a_query_or_a_body(kuopio: Caller, logged: Callable[[], list[dict[str, Any]]]) -> None:
    figure = "/v1/session-counts/yhdessa-aika/297/2022-03"
    kuopio.post([count("297", "2022-03", 7, note="Meikäläinen")])
    kuopio.post([count("297", "2022-03", -1, note="Meikäläinen")])
    kuopio.put(figure, {"Meikäläinen": 1})
    kuopio.delete(figure, reason="Wrong month")
    kuopio.get("/v1/session-counts", county="13", as_of="Meikäläinen")
    kuopio.get(f"/v1/{kuopio.key}")
    kuopio.http.get("/v1/key", headers={**kuopio.headers, "X-Request-Id": f"{kuopio.key}"})
    kuopio.http.get("/v1/key", headers={"Authorization": f"Bearer {kuopio.key}x"})
    kuopio.http.get("/v1/key", auth=("Meikäläinen", kuopio.key or ""))

    lines = logged()
    assert [line["status"] for line in lines] == [201, 422, 422, 200, 422, 404, 200, 401, 200]
    assert_no_secret(lines, kuopio.key)


def test_a_fault_is_one_line_that_tells_where_and_not_what(
    app: FastAPI, kuopio: Caller, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    said = f"Meikäläinen {kuopio.key}"

    def fail(db: ReadDb) -> None:
        try:
            _refuse(db, said)
        except Exception as error:
            raise RuntimeError(said) from error

    app.add_api_route("/broken", fail)
    with TestClient(app, raise_server_exceptions=False) as http:
        answer = http.get("/broken", headers={"Authorization": f"Bearer {kuopio.key}"})

    [line] = logged()
    assert answer.status_code == 500
    assert (line["status"], line["level"]) == (500, "error")
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert "builtins.RuntimeError\n" in line["exception"]
    assert "sqlalchemy.exc." in line["exception"]
    assert "_refuse(db, " in line["exception"]
    assert_no_secret([line], kuopio.key)


def _refuse(db: Session, note: str) -> None:
    """Let the database refuse a statement with `note` among its values."""
    db.execute(text("SELECT 1 FROM nothing WHERE note = :note"), {"note": note})


def test_why_the_database_was_not_available_is_in_the_line(
    app: FastAPI, http: TestClient, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    database: Database = app.state.database
    free = database.settings.pool_size * 2

    app.state.database = Database(database.settings.model_copy(update={"lock_timeout_seconds": 0.1, "pool_size": 1}))
    taken = [app.state.database.engine.connect() for _ in range(2)]
    answer = http.get("/v1/practices")
    for connection in taken:
        connection.close()
    app.state.database.dispose()
    app.state.database = database

    [line] = logged()
    assert free > 2
    assert answer.status_code == 503
    assert (line["status"], line["level"], line["cause"]) == (503, "info", "sqlalchemy.exc.TimeoutError")


def test_what_is_no_request_is_passed_on_unseen(logged: Callable[[], list[dict[str, Any]]]) -> None:
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    async def never(*_message: Message) -> Any:
        raise AssertionError

    asyncio.run(RequestLog(app)({"type": "lifespan"}, never, never))

    assert (seen, logged()) == (["lifespan"], [])


def assert_no_secret(lines: list[dict[str, Any]], key: str | None) -> None:
    written = json.dumps(lines, ensure_ascii=False)

    assert key is not None
    assert [secret for secret in (*SECRETS, key, key[17:]) if secret in written] == []


@pytest.fixture
def served(migrated_sqlite: Path, tmp_path: Path) -> Iterator[tuple[int, Callable[[], list[str]]]]:
    """The port of a real server that logs all it can, and what it has logged once it is stopped."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"YHDESSA_DATABASE_URL": sqlite_copy(migrated_sqlite, tmp_path), "YHDESSA_LOG_LEVEL": "debug"}
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
        process = subprocess.Popen(command, env={**os.environ, **settings}, cwd=ROOT, stderr=log)

    def stop() -> list[str]:
        process.terminate()
        process.wait(timeout=20)
        return (tmp_path / "log").read_text(encoding="utf-8").splitlines()

    try:
        wait_until_ready(f"http://127.0.0.1:{port}", process)
        yield port, stop
    finally:
        stop()


def test_the_server_itself_logs_only_json_and_no_secret_at_its_most_talkative(
    served: tuple[int, Callable[[], list[str]]],
) -> None:
    port, stop = served
    key = "yhdessa_abcdefgh_" + "S3cret" * 6 + "xy"
    end = "Connection: close\r\n\r\n"
    upgrade = (
        "Upgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n"
    )
    for request in (
        f"GET /v1/trends?county=13 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n{upgrade}\r\n",
        f"GET /v1/trends?county=13 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nUpgrade: h2c\r\n{end}",
        f"Authorization: {key} Meikäläinen\r\n{end}",
        f"GET /{key} HTTP/1.1\r\nHost: x\r\n{end}",
        f"POST /v1/submissions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
        f"{key} Meikäläinen",
    ):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(request.encode())
            if "Content-Length" in request:
                connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):
                pass
    kind = {"Content-Type": "application/json"}
    httpx.post(f"http://127.0.0.1:{port}/v1/submissions", content="Meikäläinen" * 99_999, headers=kind)
    httpx.get(f"http://127.0.0.1:{port}/v1/trends", params={"county": "13"}, auth=("Meikäläinen", key))

    lines = [json.loads(line) for line in stop()]

    assert_no_secret(lines, key)
    requests = [line for line in lines if line["event"] == "request" and line["path"] != "/readyz"]
    assert [line["status"] for line in requests] == [401, 401, 404, 400, 413, 401]
    assert {line["level"] for line in lines} <= {"debug", "info", "warning"}
    assert {line["logger"] for line in lines} <= {"uvicorn.error", "yhdessa", "asyncio"}
    assert "Finished server process" in lines[-1]["event"]
