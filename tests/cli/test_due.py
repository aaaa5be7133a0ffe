"""`yhdessa due` against a real server."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import pytest
from typer.testing import CliRunner, Result

from app.access.keys import issue_key
from app.access.models import Action
from app.cli.__main__ import app as command_line
from app.client import Client
from app.clock import helsinki_day, system_clock
from app.database import Database
from app.monitoring.examples import DUE
from app.settings import Settings
from tests.conftest import count, running_server, sqlite_copy, status

Due = Callable[..., Result]


class Service(NamedTuple):
    """Where a server is, and keys that report for Kuopio, and that only read."""

    url: str
    reporter: str
    reader: str


@pytest.fixture(scope="module")
def service(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    database_url = sqlite_copy(migrated_sqlite, tmp_path_factory.mktemp("due"))
    database = Database(Settings(database_url=database_url))
    with database.writing() as db:
        reporter, reader = (
            issue_key(
                db,
                name="Kuopio's system",
                organisation="Kuopio",
                actions=[action],
                areas=["municipality:297"],
                at=system_clock(),
            )
            for action in (Action.REPORT, Action.READ)
        )
    database.dispose()
    with running_server(database_url) as url:
        yield Service(url, reporter, reader)


@pytest.fixture
def due(monkeypatch: pytest.MonkeyPatch) -> Due:
    """Runs `yhdessa due` with arguments and an environment."""
    for name in ("YHDESSA_URL", "YHDESSA_KEY", "YHDESSA_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(command_line, ("due", *arguments), env=environment)

    return run


def cells(printed: str) -> list[list[str]]:
    """The words of each line of a printed table, without its frame."""
    lines = [re.split(r"\s*[│┃]\s*", line)[1:-1] for line in printed.splitlines()]
    return [line for line in lines if line]


def test_what_is_due_is_printed_oldest_first_and_an_overdue_row_is_told_by_the_exit_code(
    due: Due, service: Service, tmp_path: Path
) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(f"{service.reporter}\n")
    key_file.chmod(0o600)
    today = helsinki_day(system_clock())
    last = today.replace(day=1) - timedelta(days=1)
    before = last.replace(day=1) - timedelta(days=1)
    months = [f"{day:%Y-%m}" for day in (before.replace(day=1) - timedelta(days=1), before, last)]

    nothing = due("--url", service.url, "--key-file", str(key_file))
    with Client(service.url, service.reporter) as client:
        client.submit(statuses=[status("297", months[0], "pilot")])
        rows = client.due(practice="yhdessa-aika")["rows"]
        something = due("--url", service.url, "--key-file", str(key_file))
        client.submit(counts=[count("297", month, 1) for month in months])
        done = due(YHDESSA_URL=service.url, YHDESSA_KEY=service.reporter)

    assert (nothing.exit_code, nothing.stdout, nothing.stderr) == (0, "", "nothing is due\n")
    assert [row["month"] for row in rows] == months
    assert something.exit_code == 6
    assert cells(something.stdout) == [
        ["municipality", "name", "what", "month", "due on", "state"],
        *(
            [
                "297",
                "Kuopio",
                "sessions",
                row["month"],
                row["due_on"],
                f"{row['days_overdue']} days overdue" if row["overdue"] else "due",
            ]
            for row in rows
        ),
    ]
    overdue = sum(row["overdue"] for row in rows)
    assert something.stderr == f"3 due, {overdue} of them overdue\n"
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "nothing is due\n")


def test_what_is_due_but_not_overdue_is_no_alarm(due: Due) -> None:
    class Answering(BaseHTTPRequestHandler):
        """Answers as the service does on a day between the end of a month and its due day, whatever today is."""

        def do_GET(self) -> None:
            body = json.dumps(DUE).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        serving = Thread(target=server.handle_request)
        serving.start()
        answered = due("--url", f"http://127.0.0.1:{server.server_port}", YHDESSA_KEY="a-key")
        serving.join()

    assert (answered.exit_code, answered.stderr) == (0, "1 due, 0 of them overdue\n")
    assert cells(answered.stdout)[1] == ["297", "Kuopio", "sessions", "2025-06", "2025-07-20", "due"]


def test_a_mistake_is_told_in_one_line(due: Due, service: Service, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text(" \n")
    at = ("--url", service.url)

    told = {
        "no key": due(*at),
        "no key in the file": due(*at, "--key-file", str(empty), YHDESSA_KEY=service.reporter),
        "no file": due(*at, "--key-file", str(tmp_path / "none")),
        "may not report": due(*at, YHDESSA_KEY=service.reader),
        "unknown practice": due(*at, "--practice", "none", YHDESSA_KEY=service.reporter),
        "nobody there": due("--url", "http://127.0.0.1:1", "--wait", "0", YHDESSA_KEY=service.reporter),
    }

    assert {name: (result.exit_code, result.stdout) for name, result in told.items()} == {
        "no key": (1, ""),
        "no key in the file": (1, ""),
        "no file": (1, ""),
        "may not report": (3, ""),
        "unknown practice": (3, ""),
        "nobody there": (5, ""),
    }
    lines = {name: result.stderr for name, result in told.items()}
    assert all(line.startswith(("error: ", "warning: others")) for line in lines.values())
    assert "YHDESSA_KEY" in lines["no key"]
    assert f"{empty} must hold a key and nothing else" in lines["no key in the file"]
    assert "No such file" in lines["no file"]
    assert "403 The key may not do this: this needs a key with the action report" in lines["may not report"]
    assert "there is no practice 'none'" in lines["unknown practice"]
    assert "no answer from 127.0.0.1" in lines["nobody there"]
    assert not any(key in line for line in lines.values() for key in (service.reporter, service.reader))
    assert due().exit_code == 2
