"""A backup as a file: whole, for its owner alone, and refused in words once a byte of it is not as it was."""

import gzip
import os
import random
import re
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.archive.file import Damaged, FileInTheWay, opened_backup, write_backup
from app.archive.manifest import Chain, Manifest
from tests.archive.forging import forge, sign

MANIFEST = Manifest(
    revision="0003",
    taken_at=datetime(2024, 5, 15, 9, 0, tzinfo=UTC),
    recorded_up_to=datetime(2024, 5, 15, 8, 0, tzinfo=UTC),
    receipts=Chain(length=1, head="a" * 64),
    audit_lines=Chain(length=2, head="b" * 64),
    entries=3,
    rows={"counties": 20_000},
)
LINES = [
    b'{"table":"counties","columns":{"code":"integer"},"key":["code"]}',
    *(f"[{random.Random(number).getrandbits(64)}]".encode() for number in range(20_000)),
]


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A backup that is whole, of some blocks."""
    write_backup(tmp_path / "whole", MANIFEST, LINES, force=False)
    return tmp_path / "whole"


def read(file: Path) -> list[bytes]:
    with opened_backup(file) as backup:
        assert backup.manifest == MANIFEST
        return list(backup.lines)


def test_what_is_written_is_read_again(whole: Path) -> None:
    assert read(whole) == LINES
    assert whole.stat().st_size > 2 * 65_536


def test_the_first_line_says_in_plain_text_what_is_in_it(whole: Path) -> None:
    first = whole.read_bytes().partition(b"\n")[0].decode()

    assert first == f"yhdessa-backup 1 {MANIFEST.model_dump_json()}"


def test_only_the_owner_can_read_it(whole: Path) -> None:
    assert stat.S_IMODE(whole.stat().st_mode) == 0o600


def test_a_file_that_is_there_stays_unless_it_may_go(whole: Path) -> None:
    before = whole.read_bytes()

    with pytest.raises(FileInTheWay, match=re.escape(f"{whole} is there already; give another name, or --force")):
        write_backup(whole, MANIFEST, LINES[:2], force=False)
    kept = whole.read_bytes()
    write_backup(whole, MANIFEST, LINES[:2], force=True)

    assert kept == before
    assert read(whole) == LINES[:2]


def test_a_file_that_appears_while_a_backup_is_written_stays(tmp_path: Path) -> None:
    def while_it_appears() -> Iterator[bytes]:
        yield LINES[0]
        (tmp_path / "b").write_bytes(b"another's")

    with pytest.raises(FileInTheWay):
        write_backup(tmp_path / "b", MANIFEST, while_it_appears(), force=False)

    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"another's"]


def test_a_backup_that_fails_halfway_leaves_nothing_and_takes_no_place(whole: Path) -> None:
    def failing() -> Iterator[bytes]:
        yield from LINES[:5]
        raise ZeroDivisionError

    before = whole.read_bytes()
    with pytest.raises(ZeroDivisionError):
        write_backup(whole, MANIFEST, failing(), force=True)

    assert list(whole.parent.iterdir()) == [whole]
    assert whole.read_bytes() == before


def test_it_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, bool]] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        seen.append((str(Path(f"/proc/self/fd/{descriptor}").readlink().name), (tmp_path / "b").exists()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_backup(tmp_path / "b", MANIFEST, LINES[:2], force=False)

    (partial, named_before), (folder, named_after) = seen
    assert re.fullmatch(r"\.b\..*\.partial", partial)
    assert (named_before, folder, named_after) == (False, tmp_path.name, True)


# Twenty ways to be damaged.

NO_BACKUP = "is not a backup made by `yhdessa backup`, or its first line is damaged"
CUT_OFF = "is cut off, or damaged at its end: its last line is not there"
OTHER_BYTES = "is damaged: its bytes do not have the SHA-256 that stands at its end"


def flipped(place: float) -> Callable[[bytes], bytes]:
    """Flips one bit at that part of the file."""

    def flip(data: bytes) -> bytes:
        at = min(int(len(data) * place), len(data) - 1)
        return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]

    return flip


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "nothing": (lambda data: b"", NO_BACKUP),
    "a picture": (lambda data: b"\x89PNG\r\n\x1a\n" + bytes(900), NO_BACKUP),
    "a SQLite file": (lambda data: b"SQLite format 3\0" + bytes(4_080), NO_BACKUP),
    "another archive": (lambda data: gzip.compress(data), NO_BACKUP),
    "one endless line": (lambda data: b"yhdessa-backup 1 {" + b"x" * 200_000, NO_BACKUP),
    "a byte before": (lambda data: b" " + data, NO_BACKUP),
    "lines of Windows": (lambda data: data.replace(b"}\n", b"}\r\n", 1), NO_BACKUP),
    "a later format": (
        lambda data: data.replace(b"backup 1 ", b"backup 2 ", 1),
        "is a backup of format 2, and this version reads format 1",
    ),
    "a format of 5,000 digits": (lambda data: data.replace(b"backup 1 ", b"backup %s " % (b"1" * 5_000), 1), NO_BACKUP),
    "its first line alone": (lambda data: data[: data.index(b"\n") + 1], CUT_OFF),
    "half of it": (lambda data: data[: len(data) // 2], CUT_OFF),
    "a byte less": (lambda data: data[:-1], CUT_OFF),
    "a byte more": (lambda data: data + b"\n", CUT_OFF),
    "zeros at its end": (lambda data: data[:-4_096] + bytes(4_096), CUT_OFF),
    "a block of zeros": (lambda data: data[:70_000] + bytes(512) + data[70_512:], OTHER_BYTES),
    "a block missing": (lambda data: data[:70_000] + data[74_096:], OTHER_BYTES),
    "a block twice": (lambda data: data[:70_000] + data[65_904:], OTHER_BYTES),
    "a bit in the middle": (flipped(0.5), OTHER_BYTES),
    "a bit in what says how it is packed": (
        lambda data: data.replace(b"\x1f\x8b\x08\x00\x00", b"\x1f\x8b\x08\x00\x01", 1),
        OTHER_BYTES,
    ),
    "an edited manifest": (lambda data: data.replace(b'"entries":3', b'"entries":4', 1), OTHER_BYTES),
    "an edited hash": (
        lambda data: re.sub(rb"\nsha256 [0-9a-f]{64} ", b"\nsha256 " + b"0" * 64 + b" ", data),
        OTHER_BYTES,
    ),
    "a hash in capitals": (lambda data: data[:-65] + data[-65:].upper(), CUT_OFF),
    "another's end": (lambda data: data[:-65] + b"0" * 64 + b"\n", OTHER_BYTES),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_in_words(whole: Path, damage: str) -> None:
    damaged, why = DAMAGES[damage]
    data = damaged(whole.read_bytes())
    assert data != whole.read_bytes()
    whole.write_bytes(data)

    with pytest.raises(Damaged) as refused:
        read(whole)

    assert str(refused.value) == f"{whole} {why}"


def test_a_bit_that_flips_anywhere_is_noticed(tmp_path: Path) -> None:
    write_backup(tmp_path / "b", MANIFEST, LINES[:3], force=False)
    data = (tmp_path / "b").read_bytes()
    bits = random.Random(5)

    unnoticed = []
    for at in range(len(data)):
        (tmp_path / "b").write_bytes(data[:at] + bytes([data[at] ^ 1 << bits.randrange(8)]) + data[at + 1 :])
        try:
            read(tmp_path / "b")
        except Damaged:
            continue
        unnoticed.append(at)

    assert unnoticed == []


def test_a_file_that_is_cut_off_anywhere_is_noticed(tmp_path: Path) -> None:
    write_backup(tmp_path / "b", MANIFEST, LINES[:3], force=False)
    data = (tmp_path / "b").read_bytes()

    for length in range(len(data)):
        (tmp_path / "b").write_bytes(data[:length])
        with pytest.raises(Damaged):
            read(tmp_path / "b")


# Made wrong, with hashes that are right.


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (rb'"revision":"0003"', b'"revision":3', "its first line does not say what is in it"),
        (rb'"entries":3', b'"entries":3,"more":1', "its first line does not say what is in it"),
        (rb"\x1f\x8b\x08", b"\x1f\x8b\x07", "what is packed in it cannot be unpacked"),
        (rb"(?s)\x1f\x8b\x08.*\nsha256 [0-9a-f]{64} ", b"\nsha256 " + b"0" * 64 + b" ", "does not end as it should"),
        (rb"\nsha256 [0-9a-f]{64} ", b"too much\nsha256 " + b"0" * 64 + b" ", "does not end as it should"),
    ],
)
def test_a_file_that_was_made_wrong_is_refused_in_words(tmp_path: Path, old: bytes, new: bytes, why: str) -> None:
    write_backup(tmp_path / "b", MANIFEST, LINES[:3], force=False)
    forged, found = re.subn(old, lambda _: new, (tmp_path / "b").read_bytes()[:-65], count=1)
    assert found
    sign(tmp_path / "b", forged)

    with pytest.raises(Damaged, match=f"is damaged: .*{why}"):
        read(tmp_path / "b")


def test_a_line_that_would_take_all_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.archive.file._LONGEST_LINE", 1_000_000)
    forge(tmp_path / "b", MANIFEST, [*LINES[:3], b"0" * 70_000_000])

    with pytest.raises(Damaged, match="has a line of more than 1000000 bytes"):
        read(tmp_path / "b")


def test_a_last_line_without_its_newline_is_refused(tmp_path: Path) -> None:
    forge(tmp_path / "b", MANIFEST, iter(LINES[:3]), end=b"")

    with pytest.raises(Damaged, match="does not end as it should"):
        read(tmp_path / "b")
