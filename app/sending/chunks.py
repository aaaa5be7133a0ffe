"""A file cut into chunks that a server takes, between rows only, so that each chunk is a file of the same kind."""

import csv
import json
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

JSON = "application/json"
NDJSON = "application/x-ndjson"
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

CONTENT_TYPES: Mapping[str, str] = MappingProxyType(
    {".json": JSON, ".ndjson": NDJSON, ".jsonl": NDJSON, ".csv": CSV, ".xlsx": XLSX}
)

# Statuses first: the counts of a later chunk are held against them.
_LISTS = ("statuses", "counts")
_UTF_16 = (BOM_UTF16_LE, BOM_UTF16_BE)
_BETWEEN_ROWS = 1


class UnknownKind(Exception):
    """The name of a file does not end as that of a kind that can be submitted."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one chunk may hold."""

    rows: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a file, itself such a file: its first `header_lines` are the whole file's, then `lines_left_out`."""

    content: bytes
    content_type: str
    header_lines: int = 0
    lines_left_out: int = 0

    def line_in_file(self, line: int) -> int:
        """The line of the whole file that is the line `line` here, both from 1."""
        return line if line <= self.header_lines else line + self.lines_left_out


class _Row(NamedTuple):
    """One row as it will be sent, the lines it takes in its file, and in JSON the list it stands in."""

    content: bytes
    lines: int = 1
    list_name: str = ""


def content_type_of(file: Path) -> str:
    """The media type of a file by the end of its name.

    Raises:
        UnknownKind: none that can be submitted ends so.
    """
    kind = CONTENT_TYPES.get(file.suffix.lower())
    if kind is None:
        raise UnknownKind(f"{file.name}: the name must end in {', '.join(CONTENT_TYPES)}")
    return kind


def chunks_of(content: bytes, content_type: str, limits: Limits) -> list[Chunk]:
    """`content` in chunks within `limits`, as few as its order allows; a row that exceeds them is one by itself.

    What cannot be cut is one chunk: an Excel file, and what is not as it should be, for which the server has the
    words. JSON that is cut begins with its statuses.
    """
    if content_type == JSON:
        return _json_chunks(content, limits)
    if content_type == XLSX or content.startswith(_UTF_16):
        return [Chunk(content, content_type)]
    rows = list(_csv_rows(content) if content_type == CSV else _lines(content))
    header = _header_length(rows) if content_type == CSV else 0
    return list(_line_chunks(rows[:header], rows[header:], content_type, limits))


def _line_chunks(header: Sequence[_Row], rows: Sequence[_Row], content_type: str, limits: Limits) -> Iterator[Chunk]:
    """The rows in chunks, each under the header."""
    above = b"".join(row.content for row in header)
    header_lines, left_out = sum(row.lines for row in header), 0
    for part in list(_packed(rows, limits.rows, limits.size_bytes - len(above))) or [[]]:
        yield Chunk(above + b"".join(row.content for row in part), content_type, header_lines, left_out)
        left_out += sum(row.lines for row in part)


def _packed(rows: Iterable[_Row], most_rows: int, most_bytes: int) -> Iterator[list[_Row]]:
    """`rows` in lists within the bounds; one without content counts for nothing and never begins a further list."""
    packed: list[_Row] = []
    filled, size = 0, 0
    for row in rows:
        counts, its_size = _filled(row.content), len(row.content) + _BETWEEN_ROWS
        if counts and filled and (filled == most_rows or size + its_size > most_bytes):
            yield packed
            packed, filled, size = [], 0, 0
        packed.append(row)
        filled, size = filled + counts, size + its_size
    if packed:
        yield packed


def _lines(content: bytes) -> Iterator[_Row]:
    """The lines of an NDJSON file, each with its end; a carriage return alone ends none."""
    ended = content.split(b"\n")
    yield from (_Row(line + b"\n") for line in ended[:-1])
    if ended[-1]:
        yield _Row(ended[-1])


def _csv_rows(content: bytes) -> Iterator[_Row]:
    """The rows of a CSV file, each with its end and with the line breaks between its quotes."""
    # Latin-1 gives every byte a character and the other way round, so what the file is written in stays as it is.
    text = content.removeprefix(BOM_UTF8)
    mark = content[: len(content) - len(text)]
    lines = list(StringIO(text.decode("latin-1"), newline=""))
    reader = csv.reader(lines, delimiter=_delimiter(lines))
    begin, end = 0, 0
    while begin < len(lines):
        try:
            next(reader)
            end = reader.line_num
        except csv.Error:
            # A quote that is never closed, most likely: the rest is one row, and the server says what is wrong.
            end = len(lines)
        yield _Row(mark + "".join(lines[begin:end]).encode("latin-1"), lines=end - begin)
        begin, mark = end, b""


def _delimiter(lines: Iterable[str]) -> str:
    """What parts the columns: the semicolon if the first line that is not blank has more of them than commas."""
    first = next((line for line in lines if line.strip()), "")
    return ";" if first.count(";") > first.count(",") else ","


def _header_length(rows: Iterable[_Row]) -> int:
    """How many rows stand above the figures: up to the names of the columns, in the first one that is filled."""
    filled = (number for number, row in enumerate(rows, start=1) if _filled(row.content.removeprefix(BOM_UTF8)))
    return next(filled, 0)


def _filled(content: bytes) -> bool:
    """False if a row is made of nothing but what stands around words."""
    return bool(content.strip(b' \t\r\n,;"'))


def _json_chunks(content: bytes, limits: Limits) -> list[Chunk]:
    rows = _json_rows(content)
    if len(content) <= limits.size_bytes and len(rows) <= limits.rows:
        return [Chunk(content, JSON)]
    parts = _packed(rows, limits.rows, limits.size_bytes - len(_json_of([])))
    return [Chunk(_json_of(part), JSON) for part in parts] or [Chunk(content, JSON)]


def _json_rows(content: bytes) -> list[_Row]:
    """The rows of the body of a submission, statuses first; none if it is anything else."""
    try:
        body = json.loads(content, object_pairs_hook=_unique_names)
    except (RecursionError, ValueError):
        return []
    if not isinstance(body, dict) or not body.keys() <= set(_LISTS):
        return []
    if not all(isinstance(rows, list) for rows in body.values()):
        return []
    return [
        _Row(json.dumps(row, separators=(",", ":")).encode(), list_name=name)
        for name in _LISTS
        for row in body.get(name, [])
    ]


def _json_of(rows: Sequence[_Row]) -> bytes:
    lists = (
        f'"{name}":['.encode() + b",".join(row.content for row in rows if row.list_name == name) + b"]"
        for name in _LISTS
    )
    return b"{" + b",".join(lists) + b"}"


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return dict(pairs)
