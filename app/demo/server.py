"""The real server, in a process of its own that ends with the demo."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

HOST = "127.0.0.1"
SECONDS_TO_START = 60

# Where the package `app` lies, so that no other `app` in the folder of the caller takes its place.
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Server:
    """A server at `url` that writes all it says to `log`."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def wait(self) -> None:
        """Wait while it serves.

        Raises:
            ChildProcessError: it ended by itself.
        """
        self.process.wait()
        raise self.ended()

    def ended(self) -> ChildProcessError:
        """The error that it does not serve, with its last words."""
        words = self.log.read_text(errors="replace")[-2_000:].strip()
        return ChildProcessError(f"the server does not serve; it said: {words or 'nothing'}")


@contextmanager
def running_server(database_url: str, *, port: int, log: Path) -> Iterator[Server]:
    """The server on a database and a port, 0 for a free one, once it is ready; stopped at the end.

    Raises:
        OSError: the port is taken.
        ChildProcessError: the server ended by itself, or is not ready after a minute.
    """
    port = _bindable(port)
    with log.open("wb") as words:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve", "--host", HOST, "--port", str(port)],
            cwd=_ROOT,
            env={**os.environ, "YHDESSA_DATABASE_URL": database_url},
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
        )
    try:
        server = Server(f"http://{HOST}:{port}", log, process)
        _wait_until_ready(server)
        yield server
    finally:
        process.terminate()
        process.wait()


def _bindable(port: int) -> int:
    """The port, or a free one for 0; a server that is not ours must not be taken for ours."""
    with socket.create_server((HOST, port)) as probe:
        bound: int = probe.getsockname()[1]
        return bound


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while not _is_ready(server.url):
        if server.process.poll() is not None or time.monotonic() > deadline:
            raise server.ended()
        time.sleep(0.05)


def _is_ready(url: str) -> bool:
    try:
        # No proxy of the environment is asked for what runs on this machine.
        return httpx.get(f"{url}/readyz", trust_env=False).is_success
    except httpx.TransportError:
        return False
