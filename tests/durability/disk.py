"""A disk as a power cut leaves it: what was synced is there; of the rest nothing, or sectors at random.

A sync of a file keeps its bytes, and only a sync of its folder keeps that it was made, renamed or removed: the least
that a file system may do.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from random import Random

SECTOR = 512
"""Bytes that a disk writes whole or not at all."""


@dataclass(frozen=True)
class Written:
    """Bytes were written into a file."""

    path: str
    offset: int
    content: bytes


@dataclass(frozen=True)
class Truncated:
    """A file was cut or lengthened to so many bytes."""

    path: str
    size: int


@dataclass(frozen=True)
class Synced:
    """A file, or a folder, was synced: all that had happened to it before the event number `since`."""

    path: str
    since: int


@dataclass(frozen=True)
class Made:
    """A file was opened, and made if there was none."""

    path: str


@dataclass(frozen=True)
class Removed:
    """A file was removed."""

    path: str


@dataclass(frozen=True)
class Renamed:
    """A file got another name."""

    path: str
    to: str


@dataclass(frozen=True)
class Answered:
    """The server began to send the last bytes of an answer."""

    status_code: int
    content: bytes


Event = Written | Truncated | Synced | Made | Removed | Renamed | Answered
Survives = Callable[[], bool]
Image = Mapping[str, bytes]
"""The bytes of each file by its path."""


@dataclass
class _File:
    kept: bytearray
    """What is on the disk for certain."""
    unsynced: list[tuple[int, Written | Truncated]] = field(default_factory=list)

    def sync(self, since: int) -> bool:
        """Keep what was done before the event number `since`; True if there was anything."""
        done = [change for number, change in self.unsynced if number < since]
        self.unsynced = self.unsynced[len(done) :]
        for change in done:
            _do(self.kept, change)
        return bool(done)

    def content(self, survives: Survives) -> bytes:
        """What a cut leaves if of the unsynced sectors those survive of which `survives` says so."""
        content = bytearray(self.kept)
        for _, change in self.unsynced:
            for part in _sectors(change):
                if survives():
                    _do(content, part)
        return bytes(content)


class Disk:
    """What happened to a folder, event by event."""

    def __init__(self, files: Image) -> None:
        self._names = {path: _File(bytearray(content)) for path, content in files.items()}
        """The names as every process sees them."""
        self._kept_names = dict(self._names)
        self._unsynced_names: list[tuple[int, str, _File | None]] = []
        """By event: the name, and the file that it is from then on the name of."""
        self._number = 0

    def happened(self, event: Event) -> bool:
        """Take in what happened next; True if the disk holds something else for certain than before."""
        self._number += 1
        match event:
            case Written() | Truncated():
                self._names[event.path].unsynced.append((self._number - 1, event))
            case Made() if event.path not in self._names:
                self._name(event.path, _File(bytearray()))
            case Removed():
                self._name(event.path, None)
            case Renamed():
                self._name(event.to, self._names[event.path])
                self._name(event.path, None)
            case Synced():
                return self._sync(event)
            case Made() | Answered():
                pass
        return False

    def image(self, survives: Survives = lambda: False) -> Image:
        """What a power cut leaves now; without `survives` nothing that is not synced."""
        names = dict(self._kept_names)
        for _, name, file in self._unsynced_names:
            if survives():
                _rename(names, name, file)
        return {name: file.content(survives) for name, file in names.items()}

    def _sync(self, event: Synced) -> bool:
        if event.path in self._names:
            return self._names[event.path].sync(event.since)
        here = [change for change in self._unsynced_names if f"{PurePath(change[1]).parent}" == event.path]
        done = [change for change in here if change[0] < event.since]
        for change in done:
            _rename(self._kept_names, change[1], change[2])
            self._unsynced_names.remove(change)
        return bool(done)

    def _name(self, name: str, file: _File | None) -> None:
        self._unsynced_names.append((self._number - 1, name, file))
        _rename(self._names, name, file)


def halves(chance: Random) -> Survives:
    """Every second sector survives, at random."""
    return lambda: chance.random() < 0.5


def _rename(names: dict[str, _File], name: str, file: _File | None) -> None:
    names.pop(name, None)
    if file is not None:
        names[name] = file


def _sectors(change: Written | Truncated) -> Iterator[Written | Truncated]:
    """`change` in the parts that survive or not each for itself."""
    if isinstance(change, Truncated):
        yield change
        return
    begin, end = change.offset, change.offset + len(change.content)
    for edge in range(begin - begin % SECTOR, end, SECTOR):
        first, last = max(begin, edge), min(end, edge + SECTOR)
        yield Written(change.path, first, change.content[first - begin : last - begin])


def _do(content: bytearray, change: Written | Truncated) -> None:
    if isinstance(change, Truncated):
        del content[change.size :]
        content.extend(bytes(change.size - len(content)))
        return
    content.extend(bytes(max(0, change.offset - len(content))))
    content[change.offset : change.offset + len(change.content)] = change.content


def replayed(files: Image, events: Sequence[Event]) -> Iterator[tuple[int, Disk, bool]]:
    """How many events had happened, and the disk then: before the first and after each; whether that one synced."""
    disk = Disk(files)
    yield 0, disk, False
    for number, event in enumerate(events, 1):
        yield number, disk, disk.happened(event)
