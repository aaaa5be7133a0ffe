"""A server starts only on a database that is what this version needs, and says the command otherwise."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import func, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from app.access.keys import issue_key
from app.access.models import Action
from app.database import Database, take_migrators_turn
from app.releases.models import ReleaseRecord
from app.schema import CannotMigrate, NotMigrated, make_folder, migrate, newest_revision, require_schema, schema_problem
from app.settings import Settings
from tests.conftest import NOW, ROOT, StandingClock, wait_until_ready
from tests.raw_clients import raw_server


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    database = Database(Settings(database_url=empty_database_url))
    yield database
    database.dispose()


def test_the_newest_revision_is_the_one_that_a_migration_goes_to() -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("path_separator", "os")

    assert newest_revision() == ScriptDirectory.from_config(config).get_current_head()


def test_a_server_may_start_on_a_migrated_database(empty: Database) -> None:
    migrate(empty, StandingClock(NOW))

    require_schema(empty)

    assert schema_problem(empty) is None


def test_a_server_may_not_start_on_an_empty_database(empty: Database) -> None:
    with pytest.raises(NotMigrated) as refused:
        require_schema(empty)

    assert re.fullmatch(
        r"the database is at revision none, this version needs \w+; run `yhdessa migrate`", str(refused.value)
    )


def test_a_server_may_not_start_on_the_schema_of_another_version(empty: Database) -> None:
    migrate(empty, StandingClock(NOW))
    with empty.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))

    assert re.fullmatch(
        r"the database is at revision 0000, this version needs \w+; run `yhdessa migrate`", schema_problem(empty) or ""
    )


def test_the_schema_of_a_later_version_is_not_migrated(empty: Database) -> None:
    migrate(empty, StandingClock(NOW))
    with empty.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(NotMigrated) as refused:
        migrate(empty, StandingClock(NOW))

    assert str(refused.value) == (
        f"the database is at revision 9999, which only a later version knows; this one knows {newest_revision()}:"
        " use the version that migrated it, or a later one"
    )


def test_the_names_of_new_folders_are_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: synced.append(f"{Path(f'/proc/self/fd/{descriptor}').readlink()}")
    )

    for _ in range(2):
        make_folder(Database(Settings(database_url=f"sqlite:///{tmp_path / 'new' / 'deep' / 'x.db'}")))

    assert synced == [f"{tmp_path / 'new'}", f"{tmp_path}"]


def test_a_server_may_not_start_without_the_registers(empty: Database) -> None:
    with empty.engine.begin() as connection:
        config = Config(ROOT / "alembic.ini")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    assert schema_problem(empty) == "the registers are not loaded; run `yhdessa migrate`"


def test_serve_refuses_a_database_that_is_not_migrated_and_says_the_command(empty_database_url: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "app.cli", "serve", "--port", "0"],
        env={**os.environ, "YHDESSA_DATABASE_URL": empty_database_url},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(
        r"error: the database is at revision none, this version needs \w+; run `yhdessa migrate`\n", ended.stderr
    )


def test_serve_migrates_the_embedded_default_and_answers(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    others = {name: value for name, value in os.environ.items() if name != "YHDESSA_DATABASE_URL"}

    server = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", "--port", str(port)],
        env={**others, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", server)
        answer = httpx.get(f"http://127.0.0.1:{port}/v1/trends", params={"county": "13"})
    finally:
        server.terminate()
        server.wait(timeout=20)

    assert [row["municipalities"] for row in answer.json()["years"]] == [8, 14, 15]
    assert (tmp_path / "data" / "yhdessa.db").is_file()


# One migrates at a time, while others serve.


@pytest.fixture
def busy(empty: Database) -> Iterator[Callable[[float], threading.Thread]]:
    """Somebody else who migrates, from the call on for so many seconds."""
    other = Database(empty.settings)
    threads = []

    def hold(seconds: float, began: threading.Event) -> None:
        with Session(other.engine) as db:
            take_migrators_turn(db)
            began.set()
            time.sleep(seconds)
            db.rollback()

    def migrating(seconds: float) -> threading.Thread:
        began = threading.Event()
        threads.append(threading.Thread(target=hold, args=(seconds, began)))
        threads[-1].start()
        assert began.wait(20)
        return threads[-1]

    yield migrating
    for thread in threads:
        thread.join()
    other.dispose()


def with_settings(database: Database, **settings: float) -> Database:
    """Another way to the same database."""
    return Database(database.settings.model_copy(update=settings))


def test_who_migrates_waits_for_another_and_says_so(empty: Database, busy: Callable[[float], threading.Thread]) -> None:
    impatient = with_settings(empty, lock_timeout_seconds=0.2)
    told: list[str] = []

    busy(1.5)
    migrate(impatient, StandingClock(NOW), tell=told.append)
    impatient.dispose()

    assert set(told) == {
        "the database is busy with another migration or a long reading; waiting for 60 seconds at most"
    }
    assert schema_problem(empty) is None


def test_who_migrates_does_not_wait_for_ever(empty: Database, busy: Callable[[float], threading.Thread]) -> None:
    impatient = with_settings(empty, lock_timeout_seconds=0.2, migrate_timeout_seconds=0.5)

    holding = busy(4)
    with pytest.raises(CannotMigrate) as refused:
        migrate(impatient, StandingClock(NOW))
    still_held = holding.is_alive()
    impatient.dispose()

    assert still_held
    assert str(refused.value) == (
        "the database was busy with another migration or a long reading for 0.5 seconds"
        " (YHDESSA_MIGRATE_TIMEOUT_SECONDS); nothing was changed; run `yhdessa migrate` again"
    )


def test_a_database_that_is_away_is_not_waited_for() -> None:
    away = Database(Settings(database_url="postgresql://nobody@127.0.0.1:1/nothing"))

    with pytest.raises(OperationalError, match="refused"):
        migrate(away, StandingClock(NOW))
    away.dispose()


def test_of_several_that_migrate_at_once_one_does_it_and_the_others_find_it_done(empty_database_url: str) -> None:
    ended = at_the_same_time([sys.executable, "-m", "app.cli", "migrate"], empty_database_url)

    assert [code for code, _said in ended] == [0, 0, 0]
    assert all(
        said.endswith("the database is at the newest schema and its reference data is loaded\n") for _, said in ended
    )
    database = Database(Settings(database_url=empty_database_url))
    with database.reading() as db:
        releases = db.exec(select(func.count()).select_from(ReleaseRecord)).one()
    database.dispose()
    assert releases == 1


def test_without_the_lock_those_that_migrate_at_once_get_in_each_others_way(empty_database_url: str) -> None:
    for _ in range(10):
        ended = at_the_same_time([sys.executable, "-m", "alembic", "upgrade", "head"], empty_database_url)
        if any(code != 0 for code, _said in ended):
            return
        at_the_same_time([sys.executable, "-m", "alembic", "downgrade", "base"], empty_database_url, times=1)
    raise AssertionError("ten times three migrations at once did not meet")


def at_the_same_time(command: list[str], url: str, *, times: int = 3) -> list[tuple[int, str]]:
    """The exit code of each of as many processes, and what it said."""
    environment = {**os.environ, "YHDESSA_DATABASE_URL": url}
    processes = [
        subprocess.Popen(
            command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        for _ in range(times)
    ]
    said = [process.communicate(timeout=120)[1] for process in processes]
    return [(process.returncode, words) for process, words in zip(processes, said, strict=True)]


@pytest.mark.parametrize(
    ("found", "serves"),
    [("9999_from_0001", True), ("9999_from_HEAD", True), ("9999_from_9998", False), ("9999", False), ("", False)],
)
def test_an_older_server_serves_a_later_schema_that_says_so(empty: Database, found: str, serves: bool) -> None:
    migrate(empty, StandingClock(NOW))
    with empty.engine.begin() as connection:
        head = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        later = found.replace("HEAD", head[:4])
        connection.execute(text("UPDATE alembic_version SET version_num = :later"), {"later": later})

    problem = schema_problem(empty)

    assert (problem is None) is serves
    if problem:
        assert f"the database is at revision {later or 'none'}, this version needs {head}" in problem


def test_an_earlier_schema_does_not_serve_a_later_server(empty: Database) -> None:
    migrate(empty, StandingClock(NOW))
    with empty.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0002_from_0001'"))

    assert "this version needs" in (schema_problem(empty) or "")


def test_posts_during_a_migration_wait_or_are_told_to_and_none_is_lost(database_url: str) -> None:
    database = Database(Settings(database_url=database_url))
    with database.writing() as db:
        areas, actions = ["country"], [Action.REPORT, Action.READ]
        key = issue_key(db, name="x", organisation="x", actions=actions, areas=areas, at=datetime.now(UTC))
    headers = {"Authorization": f"Bearer {key}"}
    answers: list[tuple[int, httpx.Response]] = []
    over = threading.Event()

    def go_on_posting(server: str, municipality: str) -> None:
        sessions = 0
        while not over.is_set():
            sessions += 1
            figure = f"{server}/v1/session-counts/yhdessa-aika/{municipality}/2022-03"
            answers.append((sessions, httpx.put(figure, json={"sessions": sessions}, headers=headers, timeout=30)))
            time.sleep(0.02)

    with raw_server(database_url, lock_timeout_seconds=0.5) as server:
        posters = [threading.Thread(target=go_on_posting, args=(server.url, code)) for code in ("297", "140")]
        for poster in posters:
            poster.start()
        time.sleep(1)
        expand(database, seconds=2)
        before = len(answers)
        time.sleep(1.5)
        over.set()
        for poster in posters:
            poster.join()
        ready = httpx.get(f"{server.url}/readyz").status_code
        stored = httpx.get(f"{server.url}/v1/session-counts", headers=headers).json()["rows"]
        history = [
            httpx.get(
                f"{server.url}/v1/session-counts/yhdessa-aika/{row['municipality']}/2022-03/history", headers=headers
            )
            for row in stored
        ]
    database.dispose()

    told = [sessions for sessions, answer in answers if answer.is_success]
    kept = [row["sessions"] for one in history for row in one.json()["rows"]]
    assert {answer.status_code for _, answer in answers} == {200, 201, 503}
    assert all(answer.headers["Retry-After"] for _, answer in answers if answer.status_code == 503)
    assert all(answer.is_success for _, answer in answers[before + 2 :])
    assert sorted(kept) == sorted(told)
    assert ready == 200


def expand(database: Database, *, seconds: float) -> None:
    """What a migration of a later version does that older ones can live with, in so many `seconds`."""
    with database.writing() as db:
        take_migrators_turn(db)
        db.execute(text("ALTER TABLE count_entries ADD COLUMN later VARCHAR"))
        head = db.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        time.sleep(seconds)
        db.execute(text("UPDATE alembic_version SET version_num = :later"), {"later": f"9999_from_{head[:4]}"})
