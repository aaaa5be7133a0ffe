"""The neutral form of a file that came in: lines of filled cells, each line knowing where it stands."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

BYTE_ORDER_MARK = "\ufeff"
"""Without it before the text, Excel takes UTF-8 for something else."""

LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Spoilt:
    """What stands in a cell that holds no plain value, a formula for instance; `reason` says so in words."""

    reason: str


Cell = str | int | float | bool | date | Spoilt


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number from 1 as an editor or a spreadsheet shows it, and its filled cells by place from 0."""

    number: int
    cells: Mapping[int, Cell]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The filled lines of a file, or of one sheet of a workbook; reading them may raise Unreadable."""

    name: str
    lines: Iterable[Line]


class Unreadable(ValueError):
    """A file that cannot be read; `detail` says why and what would be right, `line` where, if that is known."""

    def __init__(self, detail: str, *, line: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.line = line


def utf_8_text(body: bytes) -> str:
    """`body` as text, without a byte order mark.

    Raises:
        Unreadable: it is not UTF-8, or holds a NUL.
    """
    try:
        text = body.decode("utf-8").removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        before = body[: error.start].decode("utf-8")
        detail = "the file is not UTF-8; in Excel choose “CSV UTF-8” when you save it"
        raise Unreadable(detail, line=_line_at_end_of(before)) from error
    if "\0" in text:
        raise Unreadable("the line holds a NUL, which is no text", line=_line_at_end_of(text.partition("\0")[0]))
    return text


def column_letters(place: int) -> str:
    """What a spreadsheet calls the column at `place` from 0: A, B, …, Z, AA."""
    letters = ""
    while place >= 0:
        place, letter = divmod(place, 26)
        letters, place = chr(ord("A") + letter) + letters, place - 1
    return letters


def _line_at_end_of(text: str) -> int:
    return len(LINE_BREAK.findall(text)) + 1
