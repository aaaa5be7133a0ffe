"""`yhdessa demo` as a person runs it: in a process of its own, its output read, its commands pasted."""

import csv
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from app.demo.server import running_server
from tests.conftest import ROOT, sqlite_copy

TABLE = """\
 ──────────────────────────────────────────────────────────────────────────────
                                                              sessions
                    munici-                   counted  part  per muni-   pace,
 year              palities  share  sessions    until  year   cipality  a year
 ──────────────────────────────────────────────────────────────────────────────
 2021  live         8 of 19    42%        94   31 Dec    no      11.75       -
       released     8 of 19    42%        94   31 Dec    no      11.75       -
       difference         0                0
 ──────────────────────────────────────────────────────────────────────────────
 2022  live        14 of 19    74%       105   31 Dec    no       7.50       -
       released    14 of 19    74%       105   31 Dec    no       7.50       -
       difference         0                0
 ──────────────────────────────────────────────────────────────────────────────
 2023  live        15 of 19    79%        23   27 Mar   yes          -    97.6
       released    15 of 19    79%        23   27 Mar   yes          -    97.6
       difference         0                0
 ──────────────────────────────────────────────────────────────────────────────
"""


RELEASED = """\
 sessions                         2021      2022      2023    2021    2022    2023
 ──────────────────────────────────────────────────────────────────────────────────
 Iisalmi                            13        12  withheld      13      12       2
 Joroinen                            -  withheld  withheld       -       2       1
"""


class ShownOnce(NamedTuple):
    """How `yhdessa demo --once` went."""

    said: str
    complaints: str
    returncode: int
    folder: Path
    production: Path


@pytest.fixture(scope="module")
def shown_once(tmp_path_factory: pytest.TempPathFactory) -> ShownOnce:
    folder, production = tmp_path_factory.mktemp("demo"), tmp_path_factory.mktemp("production") / "yhdessa.db"
    environment = {"YHDESSA_DATABASE_URL": f"sqlite:///{production}", "TERM": "xterm-256color", "COLUMNS": "100"}
    with demo(folder, "--once", **environment) as process:
        said, complaints = process.communicate(timeout=120)
    return ShownOnce(said, complaints, process.returncode, folder, production)


def test_what_it_prints_can_be_pasted_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    with demo(tmp_path, COLUMNS="60") as process:
        said = until("Serving until Ctrl-C", process)
        public, table, live, posting, statuses = pasteable(said)

        assert figures(pasted(public)) == [(2021, 8, 94, None), (2022, 14, 105, None), (2023, 15, 23, None)]
        assert figures(pasted(live)) == [(2021, 8, 94, 0), (2022, 14, 105, 0), (2023, 15, 23, 0)]
        rows = list(csv.DictReader(pasted(table).splitlines()))
        kuopio = [(row["year"], row["sessions"]) for row in rows if row["area_name_fi"] == "Kuopio"]
        assert kuopio == [("2021", "33"), ("2022", "28"), ("2023", "5")]
        assert min(int(row["sessions"]) for row in rows if row["sessions"]) == 5
        assert {row["sessions_missing"] for row in rows if not row["sessions"]} == {"withheld", "not_applicable"}
        assert [row["outcome"] for row in json.loads(pasted(posting))["rows"]] == ["corrected"]
        assert figures(pasted(live)) == [(2021, 8, 94, 0), (2022, 14, 105, 0), (2023, 15, 24, 1)]
        assert figures(pasted(public)) == [(2021, 8, 94, None), (2022, 14, 105, None), (2023, 15, 23, None)]
        assert [row["status"] for row in csv.DictReader(pasted(statuses).splitlines())] == ["pilot"] * 10
        assert "swagger-ui" in httpx.get(f"{address_in(said)}/docs").text

        # A terminal sends Ctrl-C to the server as well.
        os.killpg(process.pid, signal.SIGINT)
        rest, complaints = process.communicate(timeout=30)

    assert (process.returncode, rest, complaints) == (0, "Stopped; the demo's database is gone.\n", "")
    assert_nothing_is_left(tmp_path, address_in(said))


def test_once_it_shows_the_live_trend_beside_the_release_and_ends_by_itself(shown_once: ShownOnce) -> None:
    said = shown_once.said

    assert (shown_once.returncode, shown_once.complaints) == (0, "")
    lines = "".join(line.rstrip() + "\n" for line in said.splitlines())
    assert TABLE in lines
    assert RELEASED in lines
    assert "Who held how many sessions when\nwas never published: that split is illustrative." in said
    assert "17 municipalities posted 258 reports over HTTP, each with its own key." in said
    assert "2022 and 2023 to 28 February: 16 and 9 sessions in 8 of 15 municipalities" in said
    assert said.endswith("Stopped; the demo's database is gone.\n")
    assert_nothing_is_left(shown_once.folder, address_in(said))


def test_it_leaves_the_database_of_the_settings_alone(shown_once: ShownOnce) -> None:
    assert not shown_once.production.exists()


def test_in_a_pipe_it_prints_plain_lines_of_at_most_a_hundred_characters(shown_once: ShownOnce) -> None:
    said = shown_once.said

    assert [line for line in said.splitlines() if len(line) > 100] == []
    assert set(re.findall(r"[^\x20-\x7e]", said)) <= set("\näö─━")


def test_ended_while_it_posts_it_leaves_nothing_behind(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    with demo(tmp_path, "--port", str(port)) as process:
        wait_until_it_answers(url)
        process.terminate()
        said, complaints = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "Swagger UI" not in said
    assert "Traceback" not in complaints
    assert_nothing_is_left(tmp_path, url)


def test_a_port_that_is_taken_is_told_in_a_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with demo(tmp_path, "--port", str(port)) as process:
            _, complaints = process.communicate(timeout=30)

    assert process.returncode == 1
    assert re.fullmatch(rf"error: .*Address already in use.*{port}.*\n", complaints)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_does_not_start_is_told_with_its_own_words(tmp_path: Path) -> None:
    with demo(tmp_path, YHDESSA_LOG_LEVLE="debug") as process:
        _, complaints = process.communicate(timeout=30)

    assert process.returncode == 1
    assert complaints.startswith("error: the server does not serve; it said: error: YHDESSA_LOG_LEVLE: no such setting")
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_ends_by_itself_is_noticed(migrated_sqlite: Path, tmp_path: Path) -> None:
    with running_server(sqlite_copy(migrated_sqlite, tmp_path), port=0, log=tmp_path / "server.log") as server:
        server.process.kill()

        with pytest.raises(ChildProcessError, match="the server does not serve; it said:"):
            server.wait()


@contextmanager
def demo(folder: Path, *options: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """`yhdessa demo` with `folder` as the place for what is temporary."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "demo", *options],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder), "PYTHONIOENCODING": "utf-8", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def until(mark: str, process: "subprocess.Popen[str]") -> str:
    """What the demo says up to the line that begins with `mark`."""
    assert process.stdout
    said = ""
    for line in process.stdout:
        if line.startswith(mark):
            return said
        said += line
    raise AssertionError(f"{mark!r} never came, but:\n{said}")


def pasteable(said: str) -> list[str]:
    """The commands that stand in what the demo says."""
    return re.findall(r"^curl (?:.*\\\n)*.*", said, re.MULTILINE)


def pasted(command: str) -> str:
    """What a shell answers to `command`; where there is no curl, what the server answers to the same request."""
    if shutil.which("curl"):
        shell = subprocess.run(["sh", "-c", command], capture_output=True, encoding="utf-8", timeout=30, check=True)
        return shell.stdout
    curl = ArgumentParser(prog="curl")
    curl.add_argument("url")
    curl.add_argument("-X", dest="method", default="GET")
    curl.add_argument("-H", dest="headers", action="append", default=[])
    curl.add_argument("-d", dest="body")
    asked = curl.parse_args(shlex.split(command.replace("\\\n", " "))[1:])
    headers = dict(header.split(": ", 1) for header in asked.headers)
    return httpx.request(asked.method, asked.url, headers=headers, content=asked.body).text


def figures(answer: str) -> list[tuple[Any, ...]]:
    """Year, municipalities, sessions, and how far the sessions are from those released."""
    return [
        (row["year"], row["municipalities"], row["sessions"], row["difference_sessions"])
        for row in json.loads(answer)["years"]
    ]


def address_in(said: str) -> str:
    """The address of the server, out of what the demo says."""
    found = re.search(r"^(http://\S+)/docs$", said, re.MULTILINE)
    assert found
    return found[1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def wait_until_it_answers(url: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/livez")
            return
        except httpx.TransportError:
            time.sleep(0.02)
    raise AssertionError(f"nobody answers at {url}")


def assert_nothing_is_left(folder: Path, url: str) -> None:
    """No server answers at `url`, and `folder` is empty."""
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/livez")
    assert list(folder.iterdir()) == []
