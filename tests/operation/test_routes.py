"""Whether the server is alive and ready."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from starlette.testclient import TestClient

from app.access.keys import issue_key
from app.access.models import Action
from app.database import Database
from app.main import create_app
from app.settings import Settings
from tests.conftest import ROOT, StandingClock, running_server, sqlite_copy


def test_a_migrated_server_is_alive_and_ready(http: TestClient) -> None:
    assert http.get("/livez").json() == {"status": "alive"}
    assert http.get("/readyz").json() == {"status": "ready"}


def test_a_database_without_a_schema_is_not_ready_and_says_the_command(
    empty_database_url: str, clock: StandingClock
) -> None:
    head = ScriptDirectory(str(ROOT / "migrations")).get_current_head()

    with TestClient(create_app(Settings(database_url=empty_database_url), clock)) as http:
        answer = http.get("/readyz")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert answer.json() == {
        "type": "urn:yhdessa:problem:unavailable",
        "title": "Not available at the moment",
        "status": 503,
        "detail": f"the database is at revision none, this version needs {head}; run `yhdessa migrate`",
        "instance": "/readyz",
    }


def test_a_schema_of_another_version_is_not_ready(http: TestClient, database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    engine.dispose()

    answer = http.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("the database is at revision older, this version needs ")


@pytest.fixture
def blocked(migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a real server all of whose threads wait for a database that somebody else writes to."""
    url = sqlite_copy(migrated_sqlite, tmp_path)
    database = Database(Settings(database_url=url))
    with database.writing() as db:
        now = datetime.now(UTC)
        key = issue_key(db, name="x", organisation="x", actions=[Action.REPORT], areas=["country"], at=now)
    monkeypatch.setenv("YHDESSA_LOCK_TIMEOUT_SECONDS", "40")
    with running_server(url) as server:
        other = create_engine(url)
        with other.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            figure = f"{server}/v1/session-counts/yhdessa-aika/297/2022-03"
            headers = {"Authorization": f"Bearer {key}"}
            posts = [
                threading.Thread(
                    target=lambda: httpx.put(figure, json={"sessions": 7}, headers=headers, timeout=60), daemon=True
                )
                for _ in range(60)
            ]
            for post in posts:
                post.start()
            yield server
            connection.rollback()
        for post in posts:
            post.join()
        other.dispose()
    database.dispose()


def test_a_server_whose_threads_are_all_stuck_says_at_once_that_it_is_alive(blocked: str) -> None:
    with httpx.Client(base_url=blocked) as http:
        deadline = time.monotonic() + 20
        while _answers(http, "/readyz", within=1):
            assert time.monotonic() < deadline, "the threads of the server never got stuck"
        seconds = []
        for _ in range(5):
            began = time.perf_counter()
            assert http.get("/livez").json() == {"status": "alive"}
            seconds.append(time.perf_counter() - began)
        still_stuck = not _answers(http, "/readyz", within=1)

    # The machine may be busy with other tests; the best of five shows what the server needs.
    assert min(seconds) < 0.1
    assert still_stuck


def _answers(http: httpx.Client, path: str, *, within: float) -> bool:
    try:
        return http.get(path, timeout=within).is_success
    except httpx.TimeoutException:
        return False
