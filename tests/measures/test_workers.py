"""What several workers count is one answer, also when one of them has died."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from app.measures import workers
from app.measures.counting import Measures
from tests.conftest import ROOT, running_server, sqlite_copy
from tests.durability.processes import children
from tests.measures.scraping import samples, scraped

WORKER = """
import sys
from app.measures.counting import Measures
measures = Measures("1.2.3")
measures.posted({"created": 2})
measures.connections(lambda: 3, most=20)
print("counted", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which processes that are started from now on share what they count."""
    monkeypatch.setenv(workers.FOLDER, str(tmp_path))
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Starts a process that counts one post of two rows, uses three connections, and lives until it is killed."""
    started = []

    def started_worker() -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout
        assert process.stdout.readline() == "counted\n"
        return process

    yield started_worker
    for process in started:
        process.kill()
        process.communicate()


def _told() -> Mapping[str, float]:
    """What is told of the workers, asked from beside them."""
    return samples(Measures("1.2.3").text().decode())


def test_workers_are_added_up(start: Callable[[], "subprocess.Popen[str]"]) -> None:
    for _ in range(2):
        start()

    told = _told()

    assert told['post_rows_total{outcome="created"}'] == 4
    assert told['posts_total{outcome="created"}'] == 2
    assert told["database_connections_in_use"] == 6
    assert told['build{version="1.2.3"}'] == 1
    assert told["workers"] == 2
    assert told["process_resident_memory_bytes"] > 20_000_000


def test_a_worker_that_was_killed_keeps_its_counts_and_gives_up_its_connections(
    start: Callable[[], "subprocess.Popen[str]"], folder: Path
) -> None:
    killed, _living = start(), start()
    killed.kill()
    killed.wait()

    told = _told()

    assert told['post_rows_total{outcome="created"}'] == 4
    assert told["database_connections_in_use"] == 3
    assert told["workers"] == 1
    # What the library says by itself: the dead one's connections are in use for ever.
    without_us = {metric.name: metric for metric in _collected_as_they_lie(folder)}
    assert without_us["yhdessa_database_connections_in_use"].samples[0].value == 6


def _collected_as_they_lie(folder: Path) -> Any:
    collector: Any = MultiProcessCollector
    return collector(CollectorRegistry(), str(folder)).collect()


def test_a_worker_that_was_killed_as_it_made_its_file_does_no_harm(
    start: Callable[[], "subprocess.Popen[str]"], folder: Path
) -> None:
    start()
    (folder / "counter_4194303.db").touch()

    assert _told()['post_rows_total{outcome="created"}'] == 2


def test_a_worker_whose_number_somebody_else_has_by_now_is_dead(
    start: Callable[[], "subprocess.Popen[str]"], monkeypatch: pytest.MonkeyPatch
) -> None:
    start()

    def not_permitted(_process: int, _signal: int) -> None:
        raise PermissionError

    with monkeypatch.context() as changed:
        changed.setattr(os, "kill", not_permitted)
        told = _told()

    assert told["workers"] == 0
    assert told['post_rows_total{outcome="created"}'] == 2
    assert "database_connections_in_use" not in told


def test_counters_lie_in_memory_so_that_a_full_disk_kills_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(workers.FOLDER, "")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    # No process has that number.
    of_killed = Path(tempfile.mkdtemp(prefix="yhdessa-metrics-4194304-", dir="/dev/shm"))
    of_nobody = Path(tempfile.mkdtemp(prefix="yhdessa-metrics-x-", dir="/dev/shm"))

    workers.share_between(2)
    folder = Path(os.environ[workers.FOLDER])
    workers.share_between(2)
    of_us = Path(os.environ[workers.FOLDER])

    assert folder.parent == Path("/dev/shm")
    assert (of_killed.exists(), of_nobody.exists(), folder.exists()) == (False, True, True)
    of_nobody.rmdir()
    folder.rmdir()
    of_us.rmdir()


def test_a_process_alone_needs_no_folder() -> None:
    assert workers.FOLDER not in os.environ
    workers.share_between(1)
    assert workers.FOLDER not in os.environ

    measures = Measures("1.2.3")
    measures.posted({"created": 2})

    told = samples(measures.text().decode())
    assert told['post_rows_total{outcome="created"}'] == 2
    assert told["workers"] == 1


def test_of_a_server_whose_worker_was_killed_nothing_counted_is_lost_and_its_folder_goes_with_it(
    migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YHDESSA_METRICS_OPEN", "true")
    trends = 'http_requests_total{method="GET",route="/v1/trends",status="2xx"}'

    with running_server(sqlite_copy(migrated_sqlite, tmp_path), "--workers", "2") as url:
        folder = _folder_of_workers()
        for _ in range(12):
            httpx.get(f"{url}/v1/trends?county=13", timeout=30)
        before = {value for _ in range(6) if (value := _asked(url)[trends])}
        first, second = _pids(folder)
        os.kill(first, 9)
        after = _replaced(url, folder, {first, second})

    assert before == {12}
    assert after[trends] == 12
    # Two workers with ten connections each and as many more under load; the dead one has none.
    assert after["database_connections_limit"] == 40
    assert not folder.exists()


def _asked(url: str) -> Mapping[str, float]:
    with httpx.Client(base_url=url, timeout=30) as http:
        return scraped(http)


def _folder_of_workers() -> Path:
    """The folder that the workers of a server share which this process started."""
    environments = [
        dict(one.partition(b"=")[::2] for one in Path(f"/proc/{worker}/environ").read_bytes().split(b"\0"))
        for server in children(os.getpid())
        for worker in children(server)
    ]
    [folder] = {found for one in environments if (found := one.get(workers.FOLDER.encode()))}
    return Path(folder.decode())


def _pids(folder: Path) -> list[int]:
    return sorted(int(file.stem.split("_")[1]) for file in folder.glob("counter_*.db"))


def _replaced(url: str, folder: Path, known: set[int]) -> Mapping[str, float]:
    """What is told once another worker stands in for the one that was killed."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            told = _asked(url)
        except httpx.TransportError:
            # It was a connection to the one that was killed.
            continue
        # The new one has its files a moment before it says how many connections it may have.
        if told["workers"] == 2 and set(_pids(folder)) - known and told["database_connections_limit"] >= 40:
            return told
        time.sleep(0.2)
    raise AssertionError("the worker was not replaced")
