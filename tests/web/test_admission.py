"""How many requests use the database at once: the others wait without a thread, and not for ever."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.testclient import TestClient

from app.access.replies import Turn
from app.access.writing import TheWriter
from app.database import LastWrite
from app.main import create_app
from app.settings import Settings
from app.web.admission import Admission
from app.web.dependencies import ReadDb
from tests.conftest import Caller, StandingClock, count

DEADLINE = 20


@pytest.fixture
def app(settings: Settings, clock: StandingClock) -> FastAPI:
    """An application with one place to read and one to write, which nobody waits long for."""
    app = create_app(settings.model_copy(update={"pool_size": 1}), clock)
    admission: Admission = app.state.admission
    admission.seconds = 2.5
    return app


def test_whoever_finds_no_place_in_time_is_told_when_to_come_again(app: FastAPI) -> None:
    begun, go = threading.Event(), threading.Event()

    def hold(db: ReadDb) -> None:
        db.get(LastWrite, 1)
        begun.set()
        assert go.wait(DEADLINE)

    app.add_api_route("/hold", hold)
    with TestClient(app) as http, ThreadPoolExecutor() as threads:
        holder = threads.submit(http.get, "/hold")
        assert begun.wait(DEADLINE)
        refused = http.get("/v1/practices")
        written = http.put("/v1/session-counts/yhdessa-aika/297/2022-03", json={"sessions": 7})
        alive = http.get("/livez")
        go.set()
        held = holder.result(DEADLINE)
        again = http.get("/v1/practices")

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert refused.json()["detail"] == "too many requests wait for the database; try again in a few seconds"
    assert (written.status_code, alive.status_code) == (401, 200)
    assert (held.status_code, again.status_code) == (200, 200)


def test_a_place_is_free_again_whatever_the_request_came_to(app: FastAPI, kuopio: Caller) -> None:
    async def fail(writer: TheWriter) -> Response:
        def refuse(turn: Turn) -> Response:
            raise RuntimeError

        return await writer.once(refuse)

    app.add_api_route("/fail", fail, methods=["POST"])
    with TestClient(app, raise_server_exceptions=False) as http:
        answers = [http.post("/fail", headers=kuopio.headers).status_code for _ in range(3)]
        refused = [Caller(http, kuopio.key).post([count("140", "2022-03", 7)]).status_code for _ in range(3)]
        stored = Caller(http, kuopio.key).post([count("297", "2022-03", 7)]).status_code

    assert (answers, refused, stored) == ([500] * 3, [403] * 3, 201)


def test_a_refusal_that_cannot_be_audited_in_time_is_told_all_the_same(app: FastAPI, kuopio: Caller) -> None:
    begun, go = threading.Event(), threading.Event()

    async def hold(request: Request) -> None:
        async with admission.place("writing", request.scope["state"]):
            begun.set()
            await run_in_threadpool(go.wait, DEADLINE)

    admission: Admission = app.state.admission
    app.add_api_route("/hold", hold, methods=["POST"])
    with TestClient(app) as http, ThreadPoolExecutor() as threads:
        holder = threads.submit(http.post, "/hold")
        assert begun.wait(DEADLINE)
        began = time.monotonic()
        refused = http.get("/v1/session-counts?nonsense=1", headers=kuopio.headers)
        waited = time.monotonic() - began
        go.set()
        holder.result(DEADLINE)

    assert refused.status_code == 422
    assert waited < DEADLINE / 2
