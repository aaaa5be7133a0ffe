"""Comma-separated values."""

import csv
import io
from typing import Literal

import pytest
from hypothesis import given, strategies as st

from app.formats.delimited import CsvLines, csv_cells, csv_text
from app.formats.sheet import Unreadable
from app.formats.table import Scalar, Table


@pytest.mark.parametrize("words", ["=1+1", "+358 40", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_words_that_a_spreadsheet_would_run_begin_with_an_apostrophe(words: str) -> None:
    text = csv_text(Table(("note", "difference"), [(words, -1)]))

    assert list(csv.reader(io.StringIO(text, newline=""))) == [["note", "difference"], [f"'{words}", "-1"]]


@given(
    st.lists(st.lists(st.none() | st.booleans() | st.integers() | st.text("a=-\t\r\n,;\"'ä "), min_size=1), min_size=2)
)
def test_lines_may_be_put_together_of_parts(parts: list[list[Scalar]]) -> None:
    whole = tuple(value for part in parts for value in part)

    assert ",".join(csv_cells(part) for part in parts) + "\r\n" == csv_text(Table((), [whole])).removeprefix("\r\n")


def lines(text: str) -> list[tuple[int, dict[int, object]]]:
    return [(line.number, dict(line.cells)) for line in CsvLines(text.encode())]


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_table_is_read_back_as_it_was_written(delimiter: Literal[",", ";"]) -> None:
    rows: list[tuple[Scalar, ...]] = [('one, "two"; 3', None), (None, "ä"), ("x\r\ny", "a\u2028b")]

    text = csv_text(Table(("a", "b"), rows), delimiter=delimiter)

    assert lines(text) == [
        (1, {0: "a", 1: "b"}),
        (2, {0: 'one, "two"; 3'}),
        (3, {1: "ä"}),
        (4, {0: "x\r\ny", 1: "a\u2028b"}),
    ]


def test_the_first_filled_line_says_what_parts_cells() -> None:
    assert lines("\r\n  \r\na;b,c;d\n1,5;2;3") == [(3, {0: "a", 1: "b,c", 2: "d"}), (4, {0: "1,5", 1: "2", 2: "3"})]
    assert lines("a;b,c,d\n1;5,2,3") == [(1, {0: "a;b", 1: "c", 2: "d"}), (2, {0: "1;5", 1: "2", 2: "3"})]
    assert lines("alone\n5") == [(1, {0: "alone"}), (2, {0: "5"})]


def test_a_line_has_the_number_of_the_physical_line_it_begins_on() -> None:
    assert lines('a;b\r\n"x\r\ny\n\n";1\r\n;;\r\nz;2\rw;3') == [
        (1, {0: "a", 1: "b"}),
        (2, {0: "x\r\ny", 1: "1"}),
        (7, {0: "z", 1: "2"}),
        (8, {0: "w", 1: "3"}),
    ]


@pytest.mark.parametrize(
    ("text", "line", "detail"),
    [
        ('a;b\n1;2\n3;"x\n4;5\n', 3, "the line is not CSV: a quote is opened and never closed"),
        ('a;b\n1;"2"3\n', 2, "the line is not CSV: ';' expected after '\"'"),
        ("a\n" + "x" * 131_073, 2, "the line is not CSV: field larger than field limit (131072)"),
    ],
)
def test_what_is_no_csv_is_refused_with_its_line(text: str, line: int, detail: str) -> None:
    with pytest.raises(Unreadable) as refused:
        lines(text)

    assert (refused.value.line, refused.value.detail) == (line, detail)


def test_no_line_is_no_fault() -> None:
    assert [lines(text) for text in ("", "\n\r\n", ";;;\n", '""')] == [[]] * 4
