"""What the real server did to its folder and when it answered, recorded with strace."""

import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.durability.disk import Answered, Event, Made, Removed, Renamed, Synced, Truncated, Written
from tests.durability.processes import SERVE, KillableServer

LOOKED_AT = (
    "open,openat,creat,write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,copy_file_range,sendfile,mmap,"
    "fsync,fdatasync,sync_file_range,ftruncate,truncate,fallocate,"
    "rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat"
)

MEMORY = "-shm"
"""The ending of the file through which SQLite's processes share memory; it begins anew after a power cut."""

_CALL = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)", re.DOTALL)
_BEGUN = re.compile(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>$", re.DOTALL)
_ENDED = re.compile(r"(\d+) +<\.\.\. \w+ resumed>(.*)$", re.DOTALL)
_OPEN_FILE = re.compile(r"\d+<((?:\\x[0-9a-f]{2})+)>(\(deleted\))?")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


@contextmanager
def recorded_server(database_url: str, trace: Path, program: Sequence[str] = SERVE) -> Iterator[str]:
    """The address of a real server with two workers, every call of which that changes files goes into `trace`."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.fail("strace is not installed; on Debian and Ubuntu: apt-get install strace")
    runner = [strace, "-f", "-y", "-xx", "-s", "1000000", "--seccomp-bpf", "-e", f"trace={LOOKED_AT}", "-o", f"{trace}"]
    server = KillableServer(database_url, program, runner=runner)
    try:
        server.start()
        server.wait_until_ready()
        yield server.url
    finally:
        server.stop()


def events_of(trace: Path, folder: Path) -> list[Event]:
    """What happened in `folder`, and the answers, in their order.

    A change counts from the end of its call, a sync ends there too but covers only what was done when it began, and an
    answer counts from the beginning of its call: of what overlaps, always what asks most of the server.

    Raises:
        NotImplementedError: a file was changed in a way that is not read here.
    """
    return _Reading(f"{folder}").read(trace)


class _Reading:
    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.events: list[Event] = []
        self.begun: dict[str, tuple[str, int]] = {}
        """By thread: the call that it is in, and how many events there were when it began."""
        self.sending: dict[str, bytes] = defaultdict(bytes)
        """By socket: the beginning of an answer."""

    def read(self, trace: Path) -> list[Event]:
        with trace.open(encoding="ascii") as lines:
            for line in map(str.rstrip, lines):
                if begun := _BEGUN.match(line):
                    self.begun[begun[1]] = (f"{begun[2]}({begun[3]}", len(self.events))
                    self.answer(begun[2], begun[3])
                elif ended := _ENDED.match(line):
                    call, since = self.begun.pop(ended[1])
                    self.end(f"{ended[1]} {call}{ended[2]}", since, new=False)
                else:
                    self.end(line, len(self.events), new=True)
        return self.events

    def end(self, line: str, since: int, *, new: bool) -> None:
        """Take in a call that ended, and that had begun when there were `since` events."""
        call = _CALL.match(line)
        if call is None or int(call[4]) < 0:
            return
        name, given, came = call[2], call[3], int(call[4])
        if new:
            self.answer(name, given)
        files = [_plain(found[1]) for found in _OPEN_FILE.finditer(given) if not found[2]]
        texts = [_plain(found) for found in _TEXT.findall(given)]
        ours = [path for path in [*files, *texts] if self.is_ours(path)]
        if not ours:
            return
        self.events.extend(_events(name, given, ours, texts, came, since))

    def is_ours(self, path: bytes) -> bool:
        return path.startswith(self.folder.encode()) and not path.endswith(MEMORY.encode())

    def answer(self, name: str, given: str) -> None:
        """Take in that bytes are sent, if they are those of an answer."""
        if name not in ("write", "writev", "sendto", "sendmsg"):
            return
        found = _OPEN_FILE.match(given)
        if not found or not (socket := _plain(found[1]).decode()).startswith("socket:"):
            return
        sent = self.sending[socket] + b"".join(_plain(text) for text in _TEXT.findall(given))
        head, _, content = sent.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 "):
            return
        length = _LENGTH.search(head + b"\r\n")
        if len(content) < int(length[1] if length else 0):
            self.sending[socket] = sent
            return
        self.sending[socket] = b""
        self.events.append(Answered(int(head[9:12]), content))


def _events(
    name: str, given: str, ours: Sequence[bytes], texts: Sequence[bytes], came: int, since: int
) -> Iterator[Event]:
    """What the call did to the first of `ours`; nothing if a power cut could not take it back."""
    path = ours[0].decode()
    match name:
        case "open" | "openat" | "creat":
            if "O_CREAT" in given or name == "creat":
                yield Made(path)
            if "O_TRUNC" in given or name == "creat":
                yield Truncated(path, 0)
        case "pwrite64":
            yield Written(path, int(given.rsplit(", ", 1)[1]), texts[-1][:came])
        case "fsync" | "fdatasync":
            yield Synced(path, since)
        case "ftruncate":
            yield Truncated(path, int(given.rsplit(", ", 1)[1]))
        case "unlink" | "unlinkat":
            yield Removed(path)
        case "rename" | "renameat" | "renameat2":
            yield Renamed(path, ours[1].decode())
        case "mmap" if "PROT_WRITE" not in given or "MAP_SHARED" not in given:
            pass
        case _:
            raise NotImplementedError(f"{name} changes {path} in a way that is not read here")


def _plain(hexadecimal: str) -> bytes:
    return bytes.fromhex(hexadecimal.replace("\\x", ""))
