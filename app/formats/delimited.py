"""A table as comma-separated values (RFC 4180)."""

import csv
import io

from app.formats.table import Scalar, Table

MEDIA_TYPE = "text/csv"

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(table: Table) -> str:
    """`table` with a header line: UTF-8 text, commas, CRLF; nothing is an empty cell, true and false in lower case."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(table.columns)
    writer.writerows([_cell(value) for value in row] for row in table.rows)
    return text.getvalue()


def _cell(value: Scalar) -> Scalar:
    """`value` as it is written; words that a spreadsheet would run as a formula begin with an apostrophe."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
