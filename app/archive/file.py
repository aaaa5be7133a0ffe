"""A backup as a file: one line that says what it is, the packed rows, and hashes of both at its end.

yhdessa-backup 1 {manifest as JSON}
the lines of app.archive.rows, packed with gzip
sha256 {of these lines, unpacked} {of all bytes of the file before this hash}
"""

import hashlib
import os
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from app.archive.manifest import Manifest
from app.archive.rows import Tally
from app.schema import sync_folder

FORMAT = 1
_BLOCK = 65_536
_LONGEST_FIRST_LINE = 65_536
_LONGEST_LINE = 2**30
"""Bytes of a row, more than either database keeps in one field; else a small file could unpack into all memory."""
_FIRST_LINE = re.compile(rb"yhdessa-backup ([0-9]{1,9}) (\{[^\n]*\})\n")
_LAST_LINE = re.compile(rb"\nsha256 ([0-9a-f]{64}) ([0-9a-f]{64})\n")
_LAST_LINE_LENGTH = len("\nsha256 ") + 64 + len(" ") + 64 + len("\n")
_GZIP = 16 + zlib.MAX_WBITS


class Damaged(Exception):
    """The file is no whole backup, or not one that this version can read; the message says why."""


class FileInTheWay(Exception):
    """There is a file of that name already."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that is whole: what it says of itself, its lines, and the SHA-256 over them."""

    manifest: Manifest
    lines: Iterator[bytes]
    sha256: str


def write_backup(file: Path, manifest: Manifest, lines: Iterable[bytes], *, force: bool) -> str:
    """Write a backup whole or not at all, readable by its owner alone; the SHA-256 over `lines`.

    `force` takes the place of a file of that name.

    Raises:
        FileInTheWay: there is one, and no `force`.
    """
    tally, packing = Tally(), zlib.compressobj(wbits=_GZIP)
    with _written_whole(file, force=force) as plain:
        sink = _Hashing(plain)
        sink.write(f"yhdessa-backup {FORMAT} {manifest.model_dump_json()}\n".encode())
        for line in tally.passing(lines):
            sink.write(packing.compress(line + b"\n"))
        sink.write(packing.flush() + f"\nsha256 {tally.sha256} ".encode())
        sink.write(f"{sink.hash.hexdigest()}\n".encode())
    return tally.sha256


@contextmanager
def opened_backup(file: Path) -> Iterator[Backup]:
    """The backup in `file`, once every byte of it was found to be as it was written.

    Raises:
        Damaged: it is no backup, or of a later format, or cut off, or a byte of it was changed.
    """
    with file.open("rb") as source:
        first = source.readline(_LONGEST_FIRST_LINE)
        said = _FIRST_LINE.fullmatch(first)
        if said is None:
            raise Damaged(f"{file} is not a backup made by `yhdessa backup`, or its first line is damaged")
        if int(said[1]) != FORMAT:
            raise Damaged(f"{file} is a backup of format {said[1].decode()}, and this version reads format {FORMAT}")
        end = max(len(first), source.seek(0, os.SEEK_END) - _LAST_LINE_LENGTH)
        source.seek(end)
        hashes = _LAST_LINE.fullmatch(source.read())
        if hashes is None:
            raise Damaged(f"{file} is cut off, or damaged at its end: its last line is not there")
        source.seek(0)
        if _hash_up_to(source, end + _LAST_LINE_LENGTH - 65) != hashes[2].decode():
            raise Damaged(f"{file} is damaged: its bytes do not have the SHA-256 that stands at its end")
        try:
            manifest = Manifest.model_validate_json(said[2])
        except ValidationError as error:
            raise Damaged(f"{file} is damaged: its first line does not say what is in it") from error
        source.seek(len(first))
        yield Backup(manifest, _unpacked(source, file, end - len(first)), hashes[1].decode())


class _Hashing:
    """A file that is hashed while it is written."""

    def __init__(self, sink: BinaryIO) -> None:
        self.hash = hashlib.sha256()
        self._sink = sink

    def write(self, data: bytes) -> None:
        self.hash.update(data)
        self._sink.write(data)


@contextmanager
def _written_whole(file: Path, *, force: bool) -> Iterator[BinaryIO]:
    """A file that gets its name only when it is whole and on the disk; nothing of it stays if it never is."""
    _refuse_in_the_way(file, force=force)
    # Made with the mode 0600, by mkstemp's promise.
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".partial", dir=file.parent)
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as sink:
            yield sink
            sink.flush()
            os.fsync(descriptor)
        _refuse_in_the_way(file, force=force)
        partial.replace(file)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(file.parent)


def _refuse_in_the_way(file: Path, *, force: bool) -> None:
    if not force and os.path.lexists(file):
        raise FileInTheWay(f"{file} is there already; give another name, or --force to put the new backup in its place")


def _hash_up_to(source: BinaryIO, length: int) -> str:
    """The SHA-256 of the next `length` bytes."""
    hashed = hashlib.sha256()
    for block in _blocks(source, length):
        hashed.update(block)
    return hashed.hexdigest()


def _unpacked(source: BinaryIO, file: Path, length: int) -> Iterator[bytes]:
    """The lines that are packed in the next `length` bytes."""
    unpacking, rest = zlib.decompressobj(wbits=_GZIP), b""
    try:
        for block in _blocks(source, length):
            *whole, rest = (rest + unpacking.decompress(block)).split(b"\n")
            yield from whole
            if len(rest) > _LONGEST_LINE:
                raise Damaged(f"{file} is damaged: what is packed in it has a line of more than {_LONGEST_LINE} bytes")
    except zlib.error as error:
        raise Damaged(f"{file} is damaged: what is packed in it cannot be unpacked") from error
    if rest or not unpacking.eof or unpacking.unused_data:
        raise Damaged(f"{file} is damaged: what is packed in it does not end as it should")


def _blocks(source: BinaryIO, length: int) -> Iterator[bytes]:
    """The next `length` bytes, or as many as there are, in blocks."""
    while length > 0 and (block := source.read(min(_BLOCK, length))):
        yield block
        length -= len(block)
