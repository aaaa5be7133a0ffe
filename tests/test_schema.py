"""A server starts only on a database that is what this version needs, and says the command otherwise."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from app.database import Database
from app.schema import NotMigrated, migrate, require_schema, schema_problem
from app.settings import Settings
from tests.conftest import NOW, ROOT, StandingClock, wait_until_ready


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    database = Database(Settings(database_url=empty_database_url))
    yield database
    database.dispose()


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
