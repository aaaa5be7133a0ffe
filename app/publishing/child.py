"""The process that prepares one release: `python -m app.publishing.child`, without database and without settings.

It reads a `Task` as one line of JSON from standard input, which then stays open for as long as somebody waits for it,
and writes lines of `Said` to standard output.
"""

import os
import signal
import sys
import threading
import time
import traceback
from typing import BinaryIO

from app.disclosure.protection import Progress
from app.publishing.preparing import SAID, TASK, NotPrepared, Said, Task, prepare

NICENESS = 10
"""So much does it stand back behind the server, which has to answer meanwhile."""

_SECONDS_BETWEEN_LINES = 0.1


def main() -> None:
    """Prepare the release on standard input."""
    os.nice(NICENESS)
    output = _output_of_our_own()
    task = TASK.validate_json(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_who_waits, daemon=True).start()
    _say(output, _outcome(task, Telling(output)))


class Telling:
    """Says how far it is, but not so often that it costs anything."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._next = 0.0

    def __call__(self, progress: Progress) -> None:
        """Say `progress`, unless something was said a moment ago."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _SECONDS_BETWEEN_LINES
            _say(self._output, Said(progress=progress))


def _outcome(task: Task, tell: Telling) -> Said:
    try:
        return Said(prepared=prepare(task, tell=tell))
    except NotPrepared as error:
        return Said(refused=str(error))
    except Exception as error:
        kind = f"{type(error).__module__}.{type(error).__qualname__}"
        return Said(fault="".join([f"{kind}\n", *traceback.format_tb(error.__traceback__)]))


def _say(output: BinaryIO, said: Said) -> None:
    output.write(SAID.dump_json(said) + b"\n")


def _output_of_our_own() -> BinaryIO:
    """Standard output, which nobody else has then: what a library prints would spoil the lines."""
    ours = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(ours, "wb", buffering=0)


def _end_with_who_waits() -> None:
    """Wait until nobody waits for us any more, and end: whoever started us closed standard input, or was killed."""
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
