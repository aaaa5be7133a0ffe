"""Comma-separated values."""

import csv
import io

import pytest

from app.formats.delimited import csv_text
from app.formats.table import Table


@pytest.mark.parametrize("words", ["=1+1", "+358 40", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_words_that_a_spreadsheet_would_run_begin_with_an_apostrophe(words: str) -> None:
    text = csv_text(Table(("note", "difference"), [(words, -1)]))

    assert list(csv.reader(io.StringIO(text, newline=""))) == [["note", "difference"], [f"'{words}", "-1"]]
