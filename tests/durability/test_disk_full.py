"""A full disk: writing is 507 and stores nothing, reading goes on, and writing goes on when there is space again."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count as numbers
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url
from sqlmodel import col, select
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app.access.models import AuditLine
from app.database import Database
from app.main import create_app
from app.reports.tables import CountEntry
from app.settings import Settings
from tests.conftest import UNHURRIED, Caller, StandingClock, count, postgresql_database, sqlite_copy
from tests.durability.test_cut_connections import new_key

ROUNDS = 12 if os.environ.get("YHDESSA_TEST_SOAK") else 5
"""How often a volume is filled; there are figures for no more."""

CODES = ("297", "749", "140", "778", "915")

RAISE_DISK_FULL = """
    CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
    END $$
"""
AT_ONCE = "CREATE TRIGGER full_disk BEFORE INSERT ON count_entries EXECUTE FUNCTION no_space()"
AT_COMMIT = """
    CREATE CONSTRAINT TRIGGER full_disk AFTER INSERT ON count_entries DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION no_space()
"""

Told = dict[str, list[int]]
"""By figure: which receipts acknowledged it."""

MakeSpace = Callable[[], None]


@contextmanager
def full_sqlite(app: FastAPI) -> Iterator[MakeSpace]:
    """SQLite may take a few pages more and no others, until space is made."""
    engine = app.state.database.engine
    with engine.connect() as connection:
        most = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + 3
    pages = {"most": most}

    def limit(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages['most']}")

    event.listen(engine, "checkout", limit)
    yield lambda: pages.update(most=1_000_000)
    event.remove(engine, "checkout", limit)


@contextmanager
def full_postgresql(app: FastAPI, trigger: str) -> Iterator[MakeSpace]:
    """PostgreSQL says that its disk is full, as a real one does, until space is made."""
    engine = app.state.database.engine
    with engine.begin() as connection:
        connection.exec_driver_sql(RAISE_DISK_FULL)
        connection.exec_driver_sql(trigger)

    def make_space() -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER full_disk ON count_entries")

    yield make_space


@pytest.fixture(params=["at once", "at the commit"])
def full(request: pytest.FixtureRequest, app: FastAPI) -> Iterator[MakeSpace]:
    """The disk under `app` is full; gives what makes space."""
    if app.state.database.engine.dialect.name == "sqlite":
        if request.param == "at the commit":
            pytest.skip("SQLite with a bound of pages finds out at once")
        with full_sqlite(app) as make_space:
            yield make_space
    else:
        with full_postgresql(app, AT_ONCE if request.param == "at once" else AT_COMMIT) as make_space:
            yield make_space


def stored(app: FastAPI) -> Told:
    """By figure: the receipts behind it."""
    database: Database = app.state.database
    found: Told = {}
    with database.reading() as db:
        for entry in db.exec(select(CountEntry).order_by(col(CountEntry.id))):
            found.setdefault(f"{entry.municipality} {entry.period}", []).append(entry.submission_id)
    return found


def post(caller: Caller, number: int) -> tuple[str, Any]:
    """One of many posts, each of a figure of its own, the same every time."""
    period, municipality = f"{2015 + number // 12 % 9}-{1 + number % 12:02}", CODES[number // 108]
    headers = {**caller.headers, "Idempotency-Key": f"number-{number}"}
    # A note makes the post larger, as many rows would.
    body = {"counts": [count(municipality, period, 7, note="x" * 500)], "statuses": []}
    return f"{municipality} {period}", caller.http.post("/v1/submissions", json=body, headers=headers)


def posted_until_full(caller: Caller) -> tuple[Told, int]:
    """What was acknowledged before the disk was full, and the number of the post that was refused."""
    told: Told = {}
    for number in range(500):
        figure, answer = post(caller, number)
        if answer.status_code == 507:
            return told, number
        assert answer.status_code == 201, answer.text
        told[figure] = [answer.json()["id"]]
    raise AssertionError("the disk never got full")


def assert_refused_whole(answer: Any) -> None:
    assert (answer.status_code, answer.headers["Retry-After"]) == (507, "60")
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = answer.json()
    assert (document["type"], document["status"]) == ("urn:yhdessa:problem:insufficient-storage", 507)


READINGS = (
    "/readyz",
    "/v1/trends?county=13",
    "/v1/trends?county=13&as_of=2024-05-01",
    "/v1/session-counts",
    "/v1/session-counts?as_of=2024-05-15T08:00:00Z",
    "/v1/statuses",
    "/v1/releases",
    "/v1/submissions",
)


def assert_reads_go_on(caller: Caller) -> None:
    answers = {path: caller.get(path).status_code for path in READINGS}
    assert answers == dict.fromkeys(READINGS, 200)


def test_a_full_disk_is_507_until_there_is_space(app: FastAPI, full: MakeSpace, nation: Caller) -> None:
    told, number = posted_until_full(nation)

    refused = post(nation, number)[1]
    assert_reads_go_on(nation)
    kept = stored(app)
    full()
    again = [post(nation, number) for _ in range(2)]

    assert_refused_whole(refused)
    assert kept == told
    assert [answer.status_code for _, answer in again] == [201, 201]
    assert again[0][1].content == again[1][1].content
    assert [answer.headers.get("Idempotency-Replayed") for _, answer in again] == [None, "true"]
    assert stored(app) == told | {again[0][0]: [again[0][1].json()["id"]]}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_refusal_is_told_though_the_audit_log_has_no_space(app: FastAPI, kuopio: Caller) -> None:
    with app.state.database.engine.begin() as connection:
        connection.exec_driver_sql(RAISE_DISK_FULL)
        connection.exec_driver_sql(AT_ONCE.replace("count_entries", str(AuditLine.__tablename__)))

    with capture_logs() as lines:
        answer = kuopio.post([count("140", "2022-03", 7)])

    assert answer.status_code == 403
    assert "a refusal could not be written into the audit log" in [line["event"] for line in lines]


# On small volumes; only where one may be mounted.


@pytest.fixture
def volume() -> Iterator[Path]:
    """A volume of 40 MB of its own."""
    # Not in pytest's own folder, which PostgreSQL's user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="yhdessa-volume-"))
    folder.chmod(0o755)
    command = ["mount", "-t", "tmpfs", "-o", "size=40m,mode=777", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
        folder.rmdir()
        pytest.skip("no volume may be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


class Ballast:
    """A file that takes all of a volume but some bytes."""

    def __init__(self, volume: Path) -> None:
        self.file = volume / "ballast"

    def load(self, *, leave: int) -> None:
        space = os.statvfs(self.file.parent)
        with self.file.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize - leave)

    def throw_off(self) -> None:
        self.file.unlink()


@contextmanager
def database_on(kind: str, volume: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a migrated database all of whose figures lie on `volume`."""
    if kind == "sqlite":
        yield sqlite_copy(request.getfixturevalue("migrated_sqlite"), volume)
        return
    server = request.getfixturevalue("postgresql_server")
    template = request.getfixturevalue("migrated_postgresql")
    folder = volume / "tablespace"
    folder.mkdir()
    folder.chmod(0o777)
    engine = create_engine(make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    owner = engine.connect()
    data = Path(owner.scalar(text("SHOW data_directory")) or "")
    shutil.chown(folder, data.stat().st_uid, data.stat().st_gid)
    owner.execute(text(f"CREATE TABLESPACE small LOCATION '{folder}'"))
    with postgresql_database(server, f"{template} TABLESPACE small") as url:
        yield url
    owner.execute(text("DROP TABLESPACE small"))
    owner.close()
    engine.dispose()


@pytest.mark.durability
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_volume_that_fills_up_and_gets_space_again_loses_and_invents_nothing(
    kind: str, volume: Path, request: pytest.FixtureRequest, clock: StandingClock
) -> None:
    with database_on(kind, volume, request) as url:
        app = create_app(Settings(database_url=url, **UNHURRIED), clock)
        with TestClient(app, raise_server_exceptions=False) as http:
            caller = Caller(http, new_key(url, clock()))
            ballast = Ballast(volume)
            told: Told = {}
            refused = 0
            following = numbers()
            # On SQLite a server that is already at work needs no space to read; a new one needs 32 kB for its index.
            assert_reads_go_on(caller)
            pending: list[int] = []
            for round_ in range(ROUNDS):
                ballast.load(leave=round_ % 5 * 20_000 + 8_192)
                for number in [*pending, *(next(following) for _ in range(40))]:
                    figure, answer = post(caller, number)
                    if answer.status_code == 201:
                        told[figure] = [answer.json()["id"]]
                        continue
                    assert_refused_whole(answer)
                    refused += 1
                    pending.append(number)
                assert_reads_go_on(caller)
                assert stored(app) == told
                ballast.throw_off()
                for number in pending:
                    figure, answer = post(caller, number)
                    assert answer.status_code == 201
                    assert "Idempotency-Replayed" not in answer.headers
                    told[figure] = [answer.json()["id"]]
                pending.clear()
                assert stored(app) == told

    assert refused > 5
