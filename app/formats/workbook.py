"""Excel workbooks (.xlsx), read and written.

openpyxl is imported where it is used: it takes a seventh of the time that the whole server needs to start.
"""

import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Literal
from xml.parsers import expat

from app.formats.sheet import Cell, Line, Sheet, Spoilt, Unreadable, column_letters
from app.formats.table import Table

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

MOST_ELEMENTS = 500_000
"""Of all parts of a workbook; ten thousand lines of ten filled cells have half of that."""

_DEEPEST = 64
_LONGEST_NUMBER_FORMAT = 255
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ODS = b"application/vnd.oasis.opendocument"
_NOT_XLSX = "the file is not an Excel workbook (.xlsx), or a damaged one; save it anew as “Excel Workbook (.xlsx)”"
_NUMBER_FORMATS = {"text": "@", "whole": "0", "day": "yyyy-mm-dd"}
_ANY_MOMENT = (1980, 1, 1, 0, 0, 0)
_MOMENT_OF_WRITING = re.compile(rb"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


def workbook_sheets(body: bytes, *, most_bytes: int) -> Sequence[Sheet]:
    """The visible sheets of a workbook that unpacks to `most_bytes` at most, in their order.

    Whole numbers are int or whole float, as they were written; days are dates; formulas, errors and times are Spoilt.

    Raises:
        Unreadable: not such a workbook, one that needs a password, or one that is larger inside than it may be.
    """
    if body.startswith(_OLE):
        raise Unreadable("the file needs a password or is an old .xls; save it without a password as .xlsx")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            _refuse_unsound(archive, most_bytes)
        reader = _opened(body)
        sheets = [*reader.parser.find_sheets()]
        if len({part.target for _sheet, part in sheets}) < len(sheets):
            # Thousands of sheets that are one part would each be read.
            raise Unreadable(_NOT_XLSX)
        return [
            Sheet(sheet.name, _lines(reader, part.target))
            for sheet, part in sheets
            if sheet.state == "visible" and not part.Type.endswith("/chartsheet")
        ]
    except Unreadable:
        raise
    # Not ours: zipfile and openpyxl raise whatever they stumble over in a file that is not what it says.
    except Exception as error:
        raise Unreadable(_NOT_XLSX) from error


@dataclass(frozen=True, slots=True)
class Look:
    """How a column of a written workbook looks: its width in characters, and what may be filled in.

    `text` keeps 005 and 2022-03 as they are; `whole` takes whole numbers up to `most`; `day` takes a day.
    """

    width: int
    kind: Literal["text", "whole", "day"] = "text"
    most: int = 0


def workbook_bytes(table: Table, looks: Sequence[Look], *, title: str) -> bytes:
    """`table` as a workbook of one sheet called `title`, its header frozen, each column with its look.

    The same table gives the same bytes at any time.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Font

    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = title
    sheet.freeze_panes = "A2"
    sheet.append(table.columns)
    for row in table.rows:
        sheet.append(row)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for place, look in enumerate(looks):
        letters = column_letters(place)
        sheet.column_dimensions[letters].width = look.width
        for number in range(2, sheet.max_row + 1):
            sheet.cell(number, place + 1).number_format = _NUMBER_FORMATS[look.kind]
        _add_validation(sheet, look, f"{letters}2:{letters}{sheet.max_row + 1}")
    packed = io.BytesIO()
    workbook.save(packed)
    return _timeless(packed.getvalue())


def _opened(body: bytes) -> Any:
    """openpyxl's reader once it knows all but the sheets; its types do not know what is needed of it.

    By the steps of `load_workbook` that matter for values: the others fail on oddities of properties, themes and
    charts, and spend minutes on long names of print areas.
    """
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.styles.stylesheet import apply_stylesheet

    # It warns of formatting that it drops, on standard error, in the midst of our log.
    warnings.filterwarnings("ignore", module="openpyxl")
    reader = ExcelReader(io.BytesIO(body), read_only=True, keep_links=False)
    reader.read_manifest()
    reader.read_strings()
    reader.read_workbook()
    apply_stylesheet(reader.archive, reader.wb)
    return reader


def _refuse_unsound(archive: zipfile.ZipFile, most_bytes: int) -> None:
    """Refuse what would cost more to read than it is worth: openpyxl trusts every part of a workbook.

    zipfile reads no more of a part than it declares, so the declared sizes are the true ones.
    """
    parts = archive.infolist()
    if any(part.flag_bits & 1 for part in parts):
        raise Unreadable("the file needs a password; save it without one")
    if sum(part.file_size for part in parts) > most_bytes:
        raise Unreadable(f"the workbook unpacks to more than {most_bytes} bytes; send it in several parts, or as CSV")
    if "mimetype" in archive.namelist() and archive.read("mimetype")[:100].startswith(_ODS):
        raise Unreadable("the file is an OpenDocument spreadsheet (.ods); save it as “Excel Workbook (.xlsx)”")
    if "xl/workbook.bin" in archive.namelist():
        raise Unreadable("the file is a binary workbook (.xlsb); save it as “Excel Workbook (.xlsx)”")
    guard = _Guard()
    for part in parts:
        with archive.open(part) as content:
            guard.look_at(content)


class _Guard:
    """Reads XML and keeps nothing, so that it can count what openpyxl would keep."""

    def __init__(self) -> None:
        self.elements = 0
        self.depth = 0

    def look_at(self, content: Any) -> None:
        """Do nothing if `content` is harmless; what is no XML is, for openpyxl reads it up to the same place."""
        self.depth = 0
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._refuse_declarations
        try:
            while chunk := content.read(65_536):
                parser.Parse(chunk)
        except expat.ExpatError:
            return

    def _begin(self, name: str, attributes: Mapping[str, str]) -> None:
        self.elements += 1
        self.depth += 1
        if self.elements > MOST_ELEMENTS:
            raise Unreadable(
                f"the workbook has more than {MOST_ELEMENTS} elements; send it in several parts, or as CSV"
            )
        # Its time grows with the square of the length.
        too_long = name.endswith("numFmt") and len(attributes.get("formatCode", "")) > _LONGEST_NUMBER_FORMAT
        if self.depth > _DEEPEST or too_long:
            raise Unreadable(_NOT_XLSX)

    def _end(self, _name: str) -> None:
        self.depth -= 1

    def _refuse_declarations(self, *_declaration: object) -> None:
        """No workbook declares entities, and openpyxl would expand them."""
        raise Unreadable(_NOT_XLSX)


def _lines(reader: Any, part: str) -> Iterator[Line]:
    """The filled lines of the sheet that is `part` of the workbook.

    Not by openpyxl's `iter_rows`, which fills every gap: one cell far out would cost millions of empty ones.
    """
    from openpyxl.worksheet._reader import ROW_TAG, WorkSheetParser
    from openpyxl.xml.functions import iterparse

    class Rows(WorkSheetParser):
        def parse_formula(self, element: Any) -> str:
            """Only that it is a formula; openpyxl would translate it."""
            return "="

    book = reader.wb
    try:
        with reader.archive.open(part) as source:
            rows = Rows(
                source,
                reader.shared_strings,
                epoch=book.epoch,
                date_formats=book._date_formats,
                timedelta_formats=book._timedelta_formats,
            )
            for _event, element in iterparse(source):
                if element.tag == ROW_TAG:
                    number, cells = rows.parse_row(element)
                    element.clear()
                    if filled := {cell["column"] - 1: value for cell in cells if (value := _value(cell)) is not None}:
                        yield Line(number, filled)
    except Exception as error:  # As above: whatever it stumbles over.
        raise Unreadable(_NOT_XLSX) from error


def _value(cell: Mapping[str, Any]) -> Cell | None:
    """What stands in a cell; None if nothing does."""
    value = cell["value"]
    if cell["data_type"] == "f":
        return Spoilt("holds a formula; put its value there")
    if cell["data_type"] == "e":
        return Spoilt("holds an error of the spreadsheet")
    if isinstance(value, datetime) and value.time() == time():
        return value.date()
    if isinstance(value, str):
        return value.strip() or None
    if value is None or isinstance(value, bool | int | float) or type(value) is date:
        return value
    return Spoilt("holds a time; put a day there")


def _add_validation(sheet: Any, look: Look, cells: str) -> None:
    """Let a spreadsheet refuse what the service would refuse."""
    from openpyxl.worksheet.datavalidation import DataValidation

    if look.kind == "text":
        return
    if look.kind == "whole":
        rule = DataValidation(type="whole", operator="between", formula1="0", formula2=str(look.most))
    else:
        rule = DataValidation(type="date", operator="greaterThan", formula1="1")
    rule.allow_blank = True
    rule.showErrorMessage = True
    rule.add(cells)
    sheet.add_data_validation(rule)


def _timeless(packed: bytes) -> bytes:
    """The workbook without the moments at which it was written, so that its ETag stays."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as anew:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "docProps/core.xml":
                content = _MOMENT_OF_WRITING.sub(b"1980-01-01T00:00:00Z", content)
            anew.writestr(zipfile.ZipInfo(name, _ANY_MOMENT), content, zipfile.ZIP_DEFLATED)
    return written.getvalue()
