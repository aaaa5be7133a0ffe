"""A table as comma-separated values (RFC 4180), written and read."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal, NamedTuple

from app.formats.sheet import Line, Unreadable, utf_8_text
from app.formats.table import Scalar, Table

MEDIA_TYPE = "text/csv"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
"""A line with its end. A stream over the text would hold it once more, with four bytes for each character."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(table: Table, *, delimiter: Literal[",", ";"] = ",") -> str:
    """`table` with a header line: UTF-8 text, CRLF; nothing is an empty cell, true and false in lower case."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(table.columns)
    writer.writerows([_cell(value) for value in row] for row in table.rows)
    return text.getvalue()


def csv_cells(values: Iterable[Scalar]) -> str:
    """`values` side by side as they stand within a line of `csv_text`, for who puts lines together of known parts."""
    text = io.StringIO(newline="")
    # Behind an empty cell, since an empty one that is alone on its line would be quoted.
    csv.writer(text).writerow(["", *(_cell(value) for value in values)])
    return text.getvalue()[1:-2]


class Block(NamedTuple):
    """Lines that follow one another, their cells as they stand, and the numbers of the physical lines they begin on.

    A quoted cell may hold line breaks.
    """

    numbers: Sequence[int]
    rows: Sequence[Sequence[str]]

    def lines(self) -> Iterator[Line]:
        """Those that are filled."""
        for number, row in zip(self.numbers, self.rows, strict=True):
            if filled := {place: text for place, cell in enumerate(row) if (text := cell.strip())}:
                yield Line(number, filled)


class CsvLines(Iterator[Line]):
    """The filled lines of a CSV file in UTF-8, one by one, or as they stand in blocks.

    Commas or semicolons part the cells, whichever the first filled line has more of.

    Raises:
        Unreadable: not UTF-8, a NUL, a quote that is not closed, or a cell of more than 131,072 characters.
    """

    def __init__(self, body: bytes) -> None:
        text = utf_8_text(body)
        first = next((found[0] for found in _LINE.finditer(text) if found[0].strip()), "")
        lines = map(re.Match.group, _LINE.finditer(text))
        self._reader = csv.reader(lines, delimiter=";" if first.count(";") > first.count(",") else ",", strict=True)
        self._begins = 1

    def __next__(self) -> Line:
        while (block := self.block(1)).rows:
            for line in block.lines():
                return line
        raise StopIteration

    def block(self, most: int) -> Block:
        """The next `most` lines, fewer at the end of the file."""
        numbers: list[int] = []
        rows: list[Sequence[str]] = []
        try:
            for row in islice(self._reader, most):
                numbers.append(self._begins)
                rows.append(row)
                self._begins = self._reader.line_num + 1
        except csv.Error as error:
            raise Unreadable(f"the line is not CSV: {_said(error)}", line=self._begins) from error
        return Block(numbers, rows)


def _said(error: csv.Error) -> str:
    return "a quote is opened and never closed" if "unexpected end" in str(error) else str(error)


def _cell(value: Scalar) -> Scalar:
    """`value` as it is written; words that a spreadsheet would run as a formula begin with an apostrophe."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
