"""Excel workbooks, read and written."""

import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Protection

from app.formats.sheet import Line, Spoilt, Unreadable
from app.formats.table import Table
from app.formats.workbook import MOST_ELEMENTS, Look, workbook_bytes, workbook_sheets
from tests.conftest import ROOT
from tests.reports.workbooks import altered, saved, with_sheet_data, workbook

MOST_BYTES = 10_000_000
NOT_XLSX = "the file is not an Excel workbook (.xlsx), or a damaged one; save it anew as “Excel Workbook (.xlsx)”"
FORMULA = Spoilt("holds a formula; put its value there")
ERROR = Spoilt("holds an error of the spreadsheet")
TIME = Spoilt("holds a time; put a day there")


def lines(file: bytes) -> list[Line]:
    """The lines of the only sheet."""
    (sheet,) = workbook_sheets(file, most_bytes=MOST_BYTES)
    return list(sheet.lines)


def refusal(file: bytes, *, most_bytes: int = MOST_BYTES) -> str:
    with pytest.raises(Unreadable) as refused:
        [list(sheet.lines) for sheet in workbook_sheets(file, most_bytes=most_bytes)]
    return refused.value.detail


def test_cells_are_what_was_written_in_them() -> None:
    # A spreadsheet knows no time zones.
    midnight, noon = (datetime.combine(date(2022, 3, 15), time(hour)) for hour in (0, 12))
    row = ["005", " x ", 5, 5.0, 5.5, True, False, date(2022, 3, 15), midnight, noon, time(1), None, ""]

    (line,) = lines(workbook([*row, timedelta(hours=30), "=1+1", "#REF!"]))

    day = date(2022, 3, 15)
    expected: list[Any] = ["005", "x", 5, 5, 5.5, True, False, day, day, TIME, TIME, None, None, TIME, FORMULA, ERROR]
    assert line == Line(1, {place: value for place, value in enumerate(expected) if value is not None})
    assert [type(value) for value in line.cells.values()][2:6] == [int, int, float, bool]


def test_whole_floats_formulas_of_every_kind_and_odd_dates_are_told_apart() -> None:
    cells = (
        b'<row r="7"><c r="B7"><v>5.0</v></c><c r="C7"><v>1E2</v></c>'
        b'<c r="D7"><f t="&#115;hared" si="0" ref="D7">A1</f></c>'
        b'<c r="E7"><f t="&#115;hared" si="0"/><v>1</v></c><c r="F7"><f t="array" ref="F7">A1</f></c><c r="G7" t="d">'
        b"<v>2022-03-15</v></c><c><v>8</v></c></row><row><c><v>9</v></c></row>"
    )

    first, second = lines(with_sheet_data(workbook([1]), cells))

    assert first == Line(7, {1: 5.0, 2: 100.0, 3: FORMULA, 4: FORMULA, 5: FORMULA, 6: date(2022, 3, 15), 7: 8})
    assert second == Line(8, {0: 9})


def test_a_day_beyond_the_calendar_is_an_error_of_the_spreadsheet() -> None:
    file = altered(
        workbook([date(2022, 3, 15)]), "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"<v>44635<", b"<v>1e300<")
    )

    assert lines(file) == [Line(1, {0: ERROR})]


def test_empty_and_missing_lines_are_passed_over_and_numbers_kept() -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet["A3"], sheet["XFD1048576"] = "x", 1
    sheet["B2"].protection = Protection(locked=False)

    assert lines(saved(book)) == [Line(3, {0: "x"}), Line(1_048_576, {16_383: 1})]


def test_only_visible_sheets_are_there_in_their_order() -> None:
    book = Workbook()
    for title, state in (("first", "visible"), ("hidden", "hidden"), ("very", "veryHidden"), ("last", "visible")):
        book.create_sheet(title).sheet_state = state
    book.create_chartsheet("chart")

    assert [sheet.name for sheet in workbook_sheets(saved(book), most_bytes=MOST_BYTES)] == ["Sheet", "first", "last"]


def zipped(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("file", "detail"),
    [
        (b"", NOT_XLSX),
        (b"kunta;jakso;tapaamiset\r\n", NOT_XLSX),
        (b"PK\x03\x04", NOT_XLSX),
        (workbook([1])[:-200], NOT_XLSX),
        (zipped(), NOT_XLSX),
        (zipped(a=b"b"), NOT_XLSX),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
            "the file needs a password or is an old .xls; save it without a password as .xlsx",
        ),
        (
            zipped(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"),
            "the file is an OpenDocument spreadsheet (.ods); save it as “Excel Workbook (.xlsx)”",
        ),
        (
            zipped(**{"xl/workbook.bin": b""}),
            "the file is a binary workbook (.xlsb); save it as “Excel Workbook (.xlsx)”",
        ),
        # The flag that a part is encrypted, in the header of the part and in the directory.
        (
            zipped(a=b"b")
            .replace(b"PK\x03\x04\x14\0\0", b"PK\x03\x04\x14\0\1")
            .replace(b"PK\x01\x02\x14\x03\x14\0\0", b"PK\x01\x02\x14\x03\x14\0\1"),
            "the file needs a password; save it without one",
        ),
    ],
)
def test_what_is_no_workbook_is_refused_in_words(file: bytes, detail: str) -> None:
    assert refusal(file) == detail


def test_a_part_that_is_not_what_its_checksum_says_is_refused() -> None:
    file = bytearray(workbook(["x"]))
    at = file.index(b"xl/worksheets/sheet1.xml") + 40
    file[at] ^= 0xFF

    assert refusal(bytes(file)) == NOT_XLSX


def test_a_sheet_that_ends_in_the_middle_is_refused() -> None:
    file = altered(workbook([1], [2]), "xl/worksheets/sheet1.xml", lambda xml: xml[: xml.index(b"</row>") + 10])

    assert refusal(file) == NOT_XLSX


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_unpacked() -> None:
    bomb = zipped(a=b"")
    with zipfile.ZipFile(file := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"\0" * 20_000_000)

    said = "the workbook unpacks to more than 10000000 bytes; send it in several parts, or as CSV"
    assert refusal(file.getvalue()) == said
    assert len(file.getvalue()) < 30_000
    assert refusal(bomb) == NOT_XLSX


@pytest.mark.parametrize(
    ("part", "change"),
    [
        # Entities that expand, and long number formats, which openpyxl reads in the square of their length.
        (
            "xl/worksheets/sheet1.xml",
            lambda xml: xml.replace(b"<worksheet", b'<!DOCTYPE w [<!ENTITY a "1">]><worksheet'),
        ),
        ("xl/styles.xml", lambda xml: b'<!DOCTYPE s [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + xml),
        (
            "xl/styles.xml",
            lambda xml: xml.replace(
                b"<fonts", b'<numFmts><numFmt numFmtId="164" formatCode="' + b"[" * 256 + b'"/></numFmts><fonts', 1
            ),
        ),
        ("xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"<row", b"<c>" * 100 + b"</c>" * 100 + b"<row", 1)),
        # Many sheets that are one part, which would be read anew for each.
        (
            "xl/workbook.xml",
            lambda xml: re.sub(rb"(<sheet [^>]*>)", rb"\1\1", xml),
        ),
    ],
)
def test_what_openpyxl_would_trust_is_refused(part: str, change: Callable[[bytes], bytes]) -> None:
    file = workbook(["x"])

    hostile = altered(file, part, change)

    assert lines(file) == [Line(1, {0: "x"})]
    assert refusal(hostile) == NOT_XLSX


def test_more_elements_than_ten_thousand_lines_have_are_refused() -> None:
    file = with_sheet_data(workbook([1]), b"<row>" + b"<c/>" * MOST_ELEMENTS + b"</row>")

    said = f"the workbook has more than {MOST_ELEMENTS} elements; send it in several parts, or as CSV"
    assert refusal(file) == said


def test_no_long_name_of_a_print_area_takes_minutes() -> None:
    names = b'<definedNames><definedName name="_xlnm.Print_Titles" localSheetId="0">%b</definedName></definedNames>'
    file = altered(
        workbook(["x"]),
        "xl/workbook.xml",
        lambda xml: xml.replace(b"<definedNames />", b"").replace(
            b"<calcPr", names % (b"$A:$A," * 50_000) + b"<calcPr"
        ),
    )

    assert lines(file) == [Line(1, {0: "x"})]


def test_a_written_workbook_says_what_its_columns_take() -> None:
    table = Table(("code", "sessions", "through"), [("005", None, None), ("297", 5, None)])
    looks = [Look(12), Look(10, "whole", 1_000), Look(14, "day")]

    file = workbook_bytes(table, looks, title="2022-03")

    sheet = load_workbook(io.BytesIO(file)).worksheets[0]
    assert [[cell.value for cell in row] for row in sheet.rows] == [
        ["code", "sessions", "through"],
        ["005", None, None],
        ["297", 5, None],
    ]
    assert (sheet.title, sheet.freeze_panes) == ("2022-03", "A2")
    assert [cell.number_format for cell in sheet[2]] == ["@", "0", "yyyy-mm-dd"]
    assert [sheet.column_dimensions[letter].width for letter in "ABC"] == [12, 10, 14]
    assert [cell.font.b for cell in sheet[1]] == [True] * 3
    rules: Any = sheet.data_validations.dataValidation
    assert [(str(rule.sqref), rule.type, rule.formula1, rule.formula2, rule.allow_blank) for rule in rules] == [
        ("B2:B4", "whole", "0", "1000", True),
        ("C2:C4", "date", "1", None, True),
    ]


def test_the_same_table_is_the_same_workbook_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(("a",), [("x",)])

    first = workbook_bytes(table, [Look(5)], title="t")
    monkeypatch.setattr("openpyxl.packaging.core.datetime", _Later)
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)

    assert workbook_bytes(table, [Look(5)], title="t") == first


class _Later:
    """A clock that openpyxl reads, years ahead."""

    datetime = type("datetime", (datetime,), {"now": classmethod(lambda cls, tz=None: cls(2040, 1, 1, tzinfo=tz))})
    timezone = __import__("datetime").timezone


def test_a_server_starts_without_openpyxl() -> None:
    command = "import app.main, sys; print('openpyxl' in sys.modules)"

    said = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)

    assert said.stdout == "False\n"
