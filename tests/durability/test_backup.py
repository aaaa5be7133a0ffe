"""Backups of a server that is being posted to without a pause: each holds what was acknowledged before it, and no more.

The controls: a copy of SQLite's file alone, and a backup held against what was acknowledged after it, must both fail;
and reading an archive at once must take the memory that backing up and restoring do not.
"""

import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.access.keys import issue_key
from app.access.models import Action, Organisation, RememberedReply
from app.archive.moving import restore
from app.database import Database
from app.reports.verifying import Altered, verify
from app.settings import Settings
from tests.archive.a_life import everything_in
from tests.conftest import ROOT, count, running_server, sqlite_copy

pytestmark = pytest.mark.durability

BACKUPS, KILLS = (50, 20) if os.environ.get("YHDESSA_TEST_SOAK") else (5, 3)
POSTERS = 2
MEGABYTE = 1_000_000


@dataclass(slots=True)
class Acknowledged:
    """By the number of its receipt: the receipt's hash and the sessions that were posted."""

    posts: dict[int, tuple[str, int]] = field(default_factory=dict)

    def so_far(self) -> set[int]:
        return set(self.posts)


def peak_of(program: str, *arguments: str | Path, **environment: str) -> int:
    """Run a Python program in a process of its own, which must succeed; its peak of memory in bytes."""
    told = "\nprint('VmHWM:', *Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[:1])"
    command = [sys.executable, "-c", f"import sys\nfrom pathlib import Path\n{program}{told}", *map(str, arguments)]
    output = subprocess.run(
        command, env={**os.environ, **environment}, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return int(output.rpartition("VmHWM:")[2]) * 1_024


def yhdessa(database_url: str, *arguments: str | Path) -> int:
    """Run `yhdessa` in a process of its own, which must succeed; its peak of memory in bytes."""
    program = "from app.cli.__main__ import app\napp(sys.argv[1:], standalone_mode=False)"
    return peak_of(program, *arguments, YHDESSA_DATABASE_URL=database_url)


@contextmanager
def posting(url: str, keys: list[str]) -> Iterator[Acknowledged]:
    """Meanwhile somebody with each of `keys` posts all the time, a month's count that changes each time."""
    acknowledged, stop = Acknowledged(), threading.Event()

    def post(key: str, municipality: str) -> None:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as http:
            sessions = 0
            while not stop.is_set():
                sessions += 1
                answer = http.post("/v1/submissions", json={"counts": [count(municipality, "2023-01", sessions)]})
                if answer.is_success:
                    receipt = answer.json()
                    acknowledged.posts[receipt["id"]] = (receipt["hash"], sessions)

    posters = [
        threading.Thread(target=post, args=(key, municipality))
        for key, municipality in zip(keys, ("297", "140"), strict=True)
    ]
    for poster in posters:
        poster.start()
    try:
        yield acknowledged
    finally:
        stop.set()
        for poster in posters:
            poster.join()


def check(database: Database, acknowledged: Acknowledged, *, up_to: int, before: set[int]) -> None:
    """Fail unless exactly the first `up_to` posts are there as they were acknowledged, all of `before` among them."""
    with database.reading() as db:
        found = verify(db)
        receipts = db.execute(text("SELECT id, hash FROM submissions")).all()
        figures = db.execute(text("SELECT submission_id, sessions FROM count_entries")).all()
    expected = {number: post for number, post in acknowledged.posts.items() if number <= up_to}
    assert before <= expected.keys()
    assert found.receipts == up_to
    assert {number: (hash_, dict(map(tuple, figures))[number]) for number, hash_ in receipts} == expected


def test_backups_under_load_hold_what_was_acknowledged_before_them(database_url: str, tmp_path: Path) -> None:
    keys = [new_key(database_url, municipality) for municipality in ("297", "140")]
    taken: list[tuple[Path, set[int], set[int]]] = []
    naive: list[tuple[Path, set[int]]] = []
    with running_server(database_url, "--workers", "2") as url, posting(url, keys) as acknowledged:
        for number in range(BACKUPS):
            file, before = tmp_path / f"{number}.backup", acknowledged.so_far()
            yhdessa(database_url, "backup", file)
            taken.append((file, before, acknowledged.so_far()))
            if database_url.startswith("sqlite"):
                naive.append((tmp_path / f"naive-{number}.db", acknowledged.so_far()))
                shutil.copy(database_url.removeprefix("sqlite:///"), naive[-1][0])

    # The posters were never idle.
    assert [len(after - before) > 0 for _, before, after in taken] == [True] * BACKUPS
    for file, before, after in taken:
        place = Database(Settings(database_url=f"sqlite:///{file.with_suffix('.db')}"))
        manifest, _ = restore(place, file)
        marker, too_far = manifest.receipts.length, max(after) + 1
        check(place, acknowledged, up_to=marker, before=before)
        assert marker <= max(after) + POSTERS
        assert fails(place, acknowledged, up_to=too_far, before=before)
        place.dispose()
    if database_url.startswith("sqlite"):
        missed = [
            fails(Database(Settings(database_url=f"sqlite:///{file}")), acknowledged, up_to=max(before), before=before)
            for file, before in naive
        ]
        assert any(missed)


def test_memory_stays_flat_whatever_is_in_the_archive(migrated_sqlite: Path, tmp_path: Path) -> None:
    for name in ("little", "much"):
        (tmp_path / name).mkdir()
    little, much = (sqlite_copy(migrated_sqlite, tmp_path / name) for name in ("little", "much"))
    for url, replies in ((little, 1), (much, 100)):
        remember(url, replies)

    peaks = {
        (what, name): yhdessa(url, *arguments)
        for name, url in (("little", little), ("much", much))
        for what, url, arguments in (
            ("backup", url, ("backup", tmp_path / f"{name}.backup")),
            ("restore", f"sqlite:///{tmp_path / name / 'again.db'}", ("restore", tmp_path / f"{name}.backup")),
            ("copy", url, ("copy", "--to", f"sqlite:///{tmp_path / name / 'copy.db'}")),
        )
    }

    grown = {what: peaks[what, "much"] - peaks[what, "little"] for what in ("backup", "restore", "copy")}
    assert (tmp_path / "much.backup").stat().st_size > 50 * MEGABYTE
    assert {what: by for what, by in grown.items() if by > 45 * MEGABYTE} == {}
    assert held_at_once(tmp_path / "much.backup") - held_at_once(tmp_path / "little.backup") > 90 * MEGABYTE


def new_key(database_url: str, municipality: str) -> str:
    database = Database(Settings(database_url=database_url))
    with database.writing() as db:
        areas, actions = [f"municipality:{municipality}"], [Action.REPORT]
        key = issue_key(db, name="load", organisation=municipality, actions=actions, areas=areas, at=datetime.now(UTC))
    database.dispose()
    return key


def fails(database: Database, acknowledged: Acknowledged, *, up_to: int, before: set[int]) -> bool:
    """True if the check notices that something is wrong."""
    try:
        check(database, acknowledged, up_to=up_to, before=before)
    except (AssertionError, Altered, KeyError, SQLAlchemyError):
        return True
    finally:
        database.dispose()
    return False


def remember(database_url: str, replies: int) -> None:
    """Give the database that many replies of a megabyte, which do not pack well."""
    database = Database(Settings(database_url=database_url))
    with database.writing() as db:
        db.add(Organisation(id=1, name="One", created_at=datetime.now(UTC)))
        db.flush()
        for number in range(replies):
            reply = RememberedReply(
                organisation_id=1,
                key=str(number),
                request_hash="0" * 64,
                recorded_at=datetime.now(UTC),
                status_code=201,
                headers={},
                body=secrets.token_hex(MEGABYTE // 2),
            )
            db.add(reply)
            db.flush()
            db.expunge(reply)
    database.dispose()


def held_at_once(file: Path) -> int:
    """The peak of memory, in bytes, of a process that holds all lines of the backup at once."""
    program = """
from app.archive.file import opened_backup
with opened_backup(Path(sys.argv[1])) as backup:
    held = list(backup.lines)"""
    return peak_of(program, file)


def test_a_restore_that_is_killed_leaves_an_empty_place(
    migrated_sqlite: Path, empty_database_url: str, tmp_path: Path
) -> None:
    source = sqlite_copy(migrated_sqlite, tmp_path)
    remember(source, 40)
    yhdessa(source, "backup", tmp_path / "b")
    command = [sys.executable, "-m", "app.cli", "restore", str(tmp_path / "b")]
    environment = {**os.environ, "YHDESSA_DATABASE_URL": empty_database_url}
    place = Database(Settings(database_url=empty_database_url))
    killed = 0

    for moment in range(KILLS):
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)
        wait_until_restoring(process, place, moment)
        killed += process.poll() is None
        process.kill()
        process.wait()
        assert everything_in(empty_database_url) == {}
    manifest, _ = restore(place, tmp_path / "b")
    place.dispose()

    assert killed == KILLS
    assert manifest.rows["remembered_replies"] == 40


def wait_until_restoring(process: "subprocess.Popen[bytes]", place: Database, moment: int) -> None:
    """Wait until the process has begun to write, and then for a while that grows with `moment`."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None and not restoring(place):
        time.sleep(0.005)
    time.sleep(0.05 * moment)


def restoring(place: Database) -> bool:
    """True if somebody has the turn to write."""
    url = place.settings.database_url
    if url.startswith("sqlite"):
        log = Path(url.removeprefix("sqlite:///") + "-wal")
        return log.exists() and log.stat().st_size > 0
    with place.engine.connect() as connection:
        locks = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        return bool(connection.execute(locks).scalar_one())
