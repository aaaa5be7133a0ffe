"""`yhdessa backup`, `restore` and `copy`: what they print, say and refuse."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.archive.rows import headings, lines
from app.cli.__main__ import app as command_line
from app.database import Database
from app.settings import Settings
from tests.conftest import Caller, count, postgresql_database

GUARD_IT = "notes, key hashes and replies are in it, so guard it"


@pytest.fixture
def reported(kuopio: Caller) -> list[str]:
    """Two receipts, by their hashes."""
    return [kuopio.post([count("297", "2022", sessions, note="Anna")]).json()["hash"] for sessions in (7, 8)]


@pytest.fixture
def elsewhere(tmp_path: Path) -> str:
    """The URL of a place where nothing is."""
    return f"sqlite:///{tmp_path / 'new' / 'machine.db'}"


@pytest.fixture
def another_postgresql(postgresql_server: str) -> Iterator[str]:
    """The URL of a PostgreSQL database where nothing is, in the words of operators."""
    with postgresql_database(postgresql_server) as url:
        yield url.replace("postgresql+psycopg://", "postgresql://")


def yhdessa(*arguments: str | Path, on: str) -> Result:
    return CliRunner().invoke(command_line, [str(one) for one in arguments], env={"YHDESSA_DATABASE_URL": on})


def content_of(url: str) -> list[bytes]:
    database = Database(Settings(database_url=url))
    with database.reading() as db:
        found = list(lines(db, headings()))
    database.dispose()
    return found


def printed(result: Result) -> list[list[str]]:
    """What the command printed to standard output, row by row."""
    assert result.exit_code == 0, result.output
    return [re.split(r" *[│┃] *", line)[1:-1] for line in result.stdout.splitlines() if re.match("[│┃]", line)]


def test_a_backup_is_restored_by_what_the_commands_say(
    database_url: str, reported: list[str], elsewhere: str, tmp_path: Path
) -> None:
    taken = yhdessa("backup", tmp_path / "b", on=database_url)
    restored = yhdessa("restore", tmp_path / "b", "--head", reported[0], on=elsewhere)

    table = printed(taken)
    assert [row[:2] for row in table] == [["what", "length"], ["receipts", "2"], ["audit lines", "1"], table[3][:2]]
    assert (table[1][2], table[3][0]) == (reported[1], "all rows")
    assert printed(restored) == table
    extent = "2 receipts with 2 entries, recorded up to 2024-05-15T09:00:00.000002Z"
    assert taken.stderr == f"{tmp_path / 'b'} holds {extent}; {GUARD_IT}\n"
    assert restored.stderr == (
        f"{elsewhere} holds {extent}; proved: nothing is missing, added or altered.\n"
        "What happened after that has to happen again: posts, revoked keys, erased notes.\n"
    )
    assert content_of(elsewhere) == content_of(database_url)


def test_sqlite_is_copied_to_postgresql(database_url: str, reported: list[str], another_postgresql: str) -> None:
    copied = yhdessa("copy", "--to", another_postgresql, on=database_url)

    assert [row[0] for row in printed(copied)] == ["what", "receipts", "audit lines", "all rows"]
    assert copied.stderr.endswith(
        " holds 2 receipts with 2 entries, recorded up to 2024-05-15T09:00:00.000002Z; proved equal.\n"
        "The source was read in one moment: what it recorded after 2024-05-15T09:00:00.000002Z is not in it.\n"
    )
    assert content_of(another_postgresql) == content_of(database_url)


def test_a_password_is_never_said(migrated_sqlite: Path, another_postgresql: str) -> None:
    with_password = another_postgresql.replace("postgres:@", "postgres:hunter2@")
    assert "hunter2" in with_password

    copied = yhdessa("copy", "--to", with_password, on=f"sqlite:///{migrated_sqlite}")

    assert copied.exit_code == 0
    assert "postgres:***@" in copied.stderr
    assert "hunter2" not in copied.output


def test_a_mistake_is_said_in_one_line(database_url: str, elsewhere: str, tmp_path: Path) -> None:
    (tmp_path / "b").write_text("something else")
    whole = yhdessa("backup", tmp_path / "whole", on=database_url)
    mistakes: list[tuple[str, str | Path, str, str]] = [
        ("backup", tmp_path / "b", database_url, f"{tmp_path / 'b'} is there already; give another name, or --force"),
        ("backup", tmp_path / "c", elsewhere, "unable to open database file"),
        ("backup", tmp_path / "no" / "c", database_url, "No such file or directory"),
        ("restore", tmp_path / "none", elsewhere, "No such file or directory"),
        ("restore", tmp_path / "b", elsewhere, f"{tmp_path / 'b'} is not a backup made by `yhdessa backup`"),
        ("copy", "--to=mysql://elsewhere", database_url, "must start with sqlite:/// or postgresql://"),
    ]

    said = [(yhdessa(command, argument, on=url), words) for command, argument, url, words in mistakes]

    assert whole.exit_code == 0
    for result, words in said:
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1), words
        assert words in result.stderr
    assert yhdessa("backup", "--force", tmp_path / "b", on=database_url).exit_code == 0
    assert not Path(elsewhere.removeprefix("sqlite:///")).exists()


def test_a_backup_says_when_it_was_taken(database_url: str, tmp_path: Path) -> None:
    earliest = datetime.now(UTC)
    yhdessa("backup", tmp_path / "b", on=database_url)

    first = (tmp_path / "b").read_bytes().partition(b"\n")[0].decode()
    taken = re.search(r'"taken_at":"([^"]+)"', first)

    assert taken
    assert earliest <= datetime.fromisoformat(taken[1]) <= datetime.now(UTC)
