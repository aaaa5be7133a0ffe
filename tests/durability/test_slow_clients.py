"""Many connections that are held open for next to nothing, in every way at once, and a caller who is served on."""

import os
import resource
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT, sqlite_copy
from tests.raw_clients import SLOW, RawServer, Slow, raw_server

pytestmark = pytest.mark.durability

SOAK = bool(os.environ.get("YHDESSA_TEST_SOAK"))
EACH = 500 if SOAK else 50
ATTACK_SECONDS = 30 if SOAK else 12
MOST_KEPT_SECONDS = 16.0
"""The longest deadline of the defaults, twice used, and a moment: after that every slow connection has been cut."""


@pytest.fixture
def url(migrated_sqlite: Path, tmp_path: Path) -> str:
    return sqlite_copy(migrated_sqlite, tmp_path)


class Crowd(threading.Thread):
    """So many connections of each slow kind, each opened anew as soon as the server ends it, until it is told to go."""

    def __init__(self, server: RawServer, each: int, *kinds: str) -> None:
        super().__init__(daemon=True)
        self.server, self.kinds = server, [SLOW[kind] for kind in kinds or SLOW for _ in range(each)]
        self.over = threading.Event()
        self.ended = 0
        self.opened: dict[socket.socket, tuple[Slow, float]] = {}
        self.selector = selectors.DefaultSelector()

    @property
    def oldest(self) -> float:
        """Seconds for which the connection that is open for longest has been."""
        now = time.monotonic()
        return max((now - since for _, since in list(self.opened.values())), default=0.0)

    def run(self) -> None:
        for slow in self.kinds:
            self._open(slow)
        said = time.monotonic()
        while not self.over.is_set():
            for key, _ in self.selector.select(timeout=0.2):
                self._hear(key.fileobj)  # type: ignore[arg-type]  # only sockets are registered
            if time.monotonic() - said >= 1:
                said = time.monotonic()
                for client, (slow, _) in list(self.opened.items()):
                    with suppress(OSError):
                        client.send(slow.again)
        for client in list(self.opened):
            self._close(client)
        self.selector.close()

    def _open(self, slow: Slow) -> None:
        client = self.server.connect()
        with suppress(OSError):
            client.sendall(slow.first)
        client.setblocking(False)
        self.opened[client] = (slow, time.monotonic())
        self.selector.register(client, selectors.EVENT_READ)

    def _hear(self, client: socket.socket) -> None:
        try:
            heard = client.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        if not heard:
            slow, _ = self.opened[client]
            self._close(client)
            self.ended += 1
            if not self.over.is_set():
                self._open(slow)

    def _close(self, client: socket.socket) -> None:
        self.selector.unregister(client)
        del self.opened[client]
        client.close()


@contextmanager
def crowd(server: RawServer, each: int, *kinds: str) -> Iterator[Crowd]:
    """A crowd at the server's door, within; of all kinds if none is named."""
    people = Crowd(server, each, *kinds)
    people.start()
    yield people
    people.over.set()
    people.join()


@contextmanager
def many_files() -> Iterator[None]:
    """Within, this process may open as many connections as the machine allows."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


# In a process of its own, so that the crowd's threads do not hold it up: each line is the seconds of one request.
_CALLER = """
import http.client, sys, time
port, seconds = int(sys.argv[1]), float(sys.argv[2])
end = time.perf_counter() + seconds
while time.perf_counter() < end:
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/v1/trends?county=13")
    answer = connection.getresponse()
    assert answer.status == 200 and answer.read()
    connection.close()
    print(time.perf_counter() - began)
    time.sleep(0.01)
"""


def p99(server: RawServer, seconds: float) -> float:
    """Seconds within which 99 of 100 requests of an ordinary caller are answered, over so many `seconds`."""
    ended = subprocess.run(
        [sys.executable, "-c", _CALLER, str(server.port), str(seconds)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    took = sorted(map(float, ended.stdout.split()))
    return took[int(len(took) * 0.99)]


# Five hundred of each come kind by kind: all together they are thousands of requests, which is load and no dawdling.
@pytest.mark.parametrize("kinds", [(kind,) for kind in SLOW] if SOAK else [()])
def test_many_half_open_connections_of_every_kind_hold_nobody_up(url: str, kinds: tuple[str, ...]) -> None:
    with many_files(), raw_server(url) as server:
        p99(server, 3)
        alone = p99(server, 6)
        with crowd(server, EACH, *kinds) as people:
            time.sleep(6)
            beside = p99(server, ATTACK_SECONDS)
            oldest = people.oldest
        ended, alone_after = people.ended, p99(server, 6)

    print(f"p99 alone {alone * 1000:.1f} and {alone_after * 1000:.1f} ms, beside {beside * 1000:.1f} ms")  # noqa: T201  # for the report
    assert ended > len(people.kinds)
    assert oldest < MOST_KEPT_SECONDS
    assert beside < 3 * max(alone, alone_after)


def test_uvicorn_alone_keeps_every_one_of_them(url: str) -> None:
    with many_files(), raw_server(url, guarded=False) as server, crowd(server, 5) as people:
        time.sleep(MOST_KEPT_SECONDS + 1)
        ended, oldest = people.ended, people.oldest

    assert ended == 0
    assert oldest > MOST_KEPT_SECONDS


def test_a_server_whose_connections_are_used_up_lets_a_new_caller_in(url: str) -> None:
    patient: dict[str, Any] = {"head_timeout_seconds": 60, "body_timeout_seconds": 60, "idle_timeout_seconds": 60}
    with raw_server(url, files=200, max_connections=100, **patient) as server, crowd(server, 20):
        time.sleep(3)
        answers = [httpx.get(f"{server.url}/v1/trends?county=13", timeout=20).status_code for _ in range(20)]

    assert answers == [200] * 20


def test_uvicorn_alone_lets_nobody_in_once_its_files_are_used_up(url: str) -> None:
    with raw_server(url, guarded=False, files=200) as server, crowd(server, 20):
        time.sleep(3)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{server.url}/v1/trends?county=13", timeout=5)
