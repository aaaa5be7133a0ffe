"""Clients that speak to a real server byte by byte, well or badly, and the server with or without its guard."""

import os
import re
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import ROOT, UNHURRIED, wait_until_ready

GET = b"GET /livez HTTP/1.1\r\nHost: test\r\n\r\n"
POST = b"POST /v1/submissions HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"

_UNGUARDED = """
import sys, uvicorn
uvicorn.run("app.cli.serving:served", factory=True, port=int(sys.argv[1]), log_config=None, ws="none",
            timeout_graceful_shutdown=1)
"""


@dataclass(frozen=True)
class RawServer:
    """A real server process at a port of this machine."""

    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self, *, window: int | None = None) -> socket.socket:
        """A connection to it; with a `window`, one that takes in no more than about so many bytes unread."""
        client = socket.socket()
        if window:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        client.settimeout(30)
        try:
            client.connect(("127.0.0.1", self.port))
        except OSError:
            client.close()
            raise
        return client


@contextmanager
def raw_server(
    database_url: str,
    *options: str,
    guarded: bool = True,
    files: int | None = None,
    log: Path = Path(os.devnull),
    **settings: float,
) -> Iterator[RawServer]:
    """A server on the database that may open so many `files`; if it is not `guarded`, uvicorn as it comes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    named = {f"YHDESSA_{name.upper()}": str(value) for name, value in {**UNHURRIED, **settings}.items()}
    ours = ["-m", "app.cli", "serve", "--port", str(port), *options]
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, *(ours if guarded else ["-c", _UNGUARDED, str(port)])],
            env={**os.environ, **named, "YHDESSA_DATABASE_URL": database_url},
            cwd=ROOT,
            stderr=stderr,
            preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))) if files else None,
        )
    server = RawServer(port, process)
    try:
        wait_until_ready(server.url, process)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass
class Heard:
    """What a client heard until its connection ended, or until it gave up after so many `seconds`."""

    said: bytes = b""
    ended: bool = False
    seconds: float = 0.0
    began: float = field(default_factory=time.monotonic)

    @property
    def status_codes(self) -> list[int]:
        """The status code of each answer."""
        return [int(code) for code in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", self.said)]


def hear(client: socket.socket, *, within: float = 30) -> Heard:
    """What `client` hears until its connection ends, `within` so many seconds."""
    heard = Heard()
    with client:
        while not heard.ended and (left := heard.began + within - time.monotonic()) > 0:
            client.settimeout(left)
            try:
                part = client.recv(65_536)
            except TimeoutError:
                break
            except ConnectionError:
                part = b""
            heard.said += part
            heard.ended = not part
        heard.seconds = time.monotonic() - heard.began
    return heard


def exchange(server: RawServer, *parts: bytes) -> Heard:
    """What comes back for `parts`, sent one after the other, until the server ends the connection."""
    client = server.connect()
    with suppress(ConnectionError):
        for part in parts:
            client.sendall(part)
    return hear(client)


@dataclass(frozen=True)
class Slow:
    """A client that says `first`, then `again` and again a bit more, and waits for what the server does about it."""

    first: bytes = b""
    again: bytes = b""
    half_closed: bool = False

    def __call__(self, server: RawServer, *, within: float, every: float = 0.1) -> Heard:
        """What it hears."""
        client = server.connect()
        over = threading.Event()
        with suppress(OSError):
            client.sendall(self.first)
            if self.half_closed:
                client.shutdown(socket.SHUT_WR)
        more = threading.Thread(target=self._go_on, args=(client, over, every), daemon=True)
        more.start()
        heard = hear(client, within=within)
        over.set()
        more.join()
        return heard

    def _go_on(self, client: socket.socket, over: threading.Event, every: float) -> None:
        with suppress(OSError):
            while self.again and not over.wait(every):
                client.sendall(self.again)


SLOW = {
    "says nothing": Slow(),
    "stops in the head": Slow(b"GET /livez HT"),
    "sends a head byte by byte": Slow(b"GET /livez HTTP/1.1\r\nX: ", b"a"),
    "sends empty lines": Slow(b"\r\n", b"\r\n"),
    "sends empty lines after an answer": Slow(GET, b"\r\n"),
    "sends a second head byte by byte": Slow(GET + b"GET /li", b"a"),
    "stops in the body": Slow(POST + b"Content-Length: 100\r\n\r\n{"),
    "sends a body byte by byte": Slow(POST + b"Content-Length: 10000\r\n\r\n", b" "),
    "sends chunks byte by byte": Slow(POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "sends a chunk's name for ever": Slow(POST + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a"),
    "sends fields behind the body": Slow(POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n \r\n0\r\n", b"A: b\r\n"),
    "goes on after a refusal": Slow(b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n", b" "),
}
"""Each way of keeping a connection open for next to nothing, and what it is."""


def at_once(*calls: Callable[[], Heard]) -> list[Heard]:
    """What each of `calls` hears, all of them at the same time."""
    heard: list[Heard | None] = [None] * len(calls)

    def listen(place: int, call: Callable[[], Heard]) -> None:
        heard[place] = call()

    threads = [threading.Thread(target=listen, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [one for one in heard if one is not None]
