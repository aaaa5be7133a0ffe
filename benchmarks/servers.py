"""Servers as processes of their own: started, waited for, watched, stopped."""

import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
SECONDS_TO_START = 60
SECONDS_TO_STOP = 15


@dataclass(frozen=True, slots=True)
class Server:
    """A server at `url`; `first_answer_seconds` is how long it took from the start of its process to an answer."""

    url: str
    pid: int
    first_answer_seconds: float

    @property
    def memory_megabytes(self) -> float:
        """What it holds in memory now (resident)."""
        return self._megabytes("VmRSS")

    @property
    def peak_megabytes(self) -> float:
        """The most that it held since the last `forget_peak`."""
        return self._megabytes("VmHWM")

    def forget_peak(self) -> None:
        """Begin to watch for the peak anew."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def _megabytes(self, name: str) -> float:
        found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text(), re.MULTILINE)
        assert found, "the process runs"
        return int(found[1]) / 1024


@contextmanager
def running(
    command: Sequence[str],
    *,
    port: int,
    ready: str,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Iterator[Server]:
    """The server that `command` starts on `port`, once it answers the path `ready` with success; stopped at the end.

    Raises:
        ChildProcessError: it ended by itself, or does not answer after a minute.
    """
    url = f"http://{HOST}:{port}"
    with log.open("ab") as words:
        began = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
        )
    try:
        while not answers(url + ready):
            if process.poll() is not None or time.monotonic() > began + SECONDS_TO_START:
                raise ChildProcessError(f"{command[0]} does not serve: {log.read_text(errors='replace')[-2_000:]}")
            time.sleep(0.005)
        yield Server(url, process.pid, time.monotonic() - began)
    finally:
        process.terminate()
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """True if something answers there with success."""
    try:
        # No proxy of the environment is asked for what runs on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=5) as response:
            response.read()
        return True
    except OSError:
        return False
