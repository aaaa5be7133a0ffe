"""Who starts the process that prepares a release, follows it, and ends it in time."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Timer

from pydantic import ValidationError

import app
from app.disclosure.protection import Progress
from app.publishing.preparing import SAID, TASK, NotPrepared, Prepared, Said, Task
from app.settings import PREFIX

CHILD = (sys.executable, "-m", "app.publishing.child")

FAULT = "the process that protects and audits failed by a fault of the program or the machine; nothing was published"
TOO_LONG = "it took longer than it may here; publish again, without quarters or municipalities if they were asked for"

_FAREWELL_SECONDS = 5


class Fault(NotPrepared):
    """The child failed by a mistake of ours, or died; `where` is what is known of it, for the log."""

    def __init__(self, reason: str, where: str) -> None:
        super().__init__(reason)
        self.where = where


class Child:
    """A process that prepares one release for the thread that asks it to; any other thread may `end` it."""

    def __init__(self, *, command: Sequence[str] = CHILD) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # It knows no settings, the address of the database with its password least of all.
            env={name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)},
            # Where this very `app` is, wherever the server was started.
            cwd=Path(app.__file__).parent.parent,
            # An interrupt at the terminal is for us, who then end it.
            process_group=0,
        )
        self._ended_for: str | None = None

    def prepared(self, task: Task, *, seconds: float, tell: Callable[[Progress], None]) -> Prepared:
        """What the child makes of `task` within so many `seconds`; it is gone afterwards, whatever comes of it.

        Raises:
            NotPrepared: it says that nothing may be published, it took too long, or somebody ended it.
            Fault: it failed or died.
        """
        too_long = Timer(max(0.0, seconds), self.end, [TOO_LONG])
        too_long.start()
        try:
            return self._outcome(task, tell)
        finally:
            too_long.cancel()
            self.end("it is no longer needed")
            self._process.wait()
            self._close()

    def end(self, reason: str) -> None:
        """Kill it, unless it has ended by itself; `reason` completes a sentence about the release."""
        self._ended_for = self._ended_for or reason
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)

    def _outcome(self, task: Task, tell: Callable[[Progress], None]) -> Prepared:
        assert self._process.stdin
        assert self._process.stdout
        with suppress(BrokenPipeError):
            self._process.stdin.write(TASK.dump_json(task) + b"\n")
            self._process.stdin.flush()
        for line in self._process.stdout:
            said = _read(line)
            if said.progress is None:
                # It has nothing left to do but to end.
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(_FAREWELL_SECONDS)
                return _prepared(said)
            tell(said.progress)
        if self._ended_for is not None:
            raise NotPrepared(self._ended_for)
        raise Fault(FAULT, f"it ended with exit code {self._process.wait()}")

    def _close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            with suppress(BrokenPipeError):
                pipe.close()


def _read(line: bytes) -> Said:
    try:
        return SAID.validate_json(line)
    except ValidationError as error:
        raise Fault(FAULT, "it said something that is no answer") from error


def _prepared(said: Said) -> Prepared:
    if said.prepared is not None:
        return said.prepared
    if said.refused is not None:
        raise NotPrepared(said.refused)
    raise Fault(FAULT, said.fault or "it said nothing")
