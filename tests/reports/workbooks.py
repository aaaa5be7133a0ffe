"""Excel workbooks as a person makes them: new ones out of rows, and templates that are filled in."""

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

from openpyxl import Workbook, load_workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbook(*rows: Sequence[Any], **sheets: Sequence[Sequence[Any]]) -> bytes:
    """A workbook of `rows` in its first sheet, and of further sheets by name."""
    book = Workbook()
    for title, content in {"Sheet": rows, **sheets}.items():
        sheet = book.worksheets[0] if title == "Sheet" else book.create_sheet(title)
        for row in content:
            sheet.append([*row])
    return saved(book)


def saved(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def filled_in(template: bytes, *lines: dict[str, Any]) -> bytes:
    """The workbook `template` with values under its headings, in the lines below the header."""
    book = load_workbook(io.BytesIO(template))
    sheet = book.worksheets[0]
    places = {cell.value: place for place, cell in enumerate(sheet[1], start=1)}
    for number, line in enumerate(lines, start=2):
        for heading, value in line.items():
            sheet.cell(number, places[heading], value)
    return saved(book)


def altered(file: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The zip `file` with one of its parts changed."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name == part else content)
    return written.getvalue()


def with_sheet_data(file: bytes, rows: bytes) -> bytes:
    """The workbook `file` whose first sheet holds `rows`, as XML, and nothing else."""
    inside = re.compile(rb"<sheetData.*", re.DOTALL)
    data = b"<sheetData>" + rows + b"</sheetData></worksheet>"
    return altered(file, "xl/worksheets/sheet1.xml", lambda sheet: inside.sub(lambda _: data, sheet))
