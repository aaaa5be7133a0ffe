"""Tables and their CSV."""

import csv
import io
from datetime import UTC, date, datetime

from pydantic import BaseModel

from app.formats.delimited import csv_text
from app.formats.table import Scalar, Table, table_of


class Row(BaseModel):
    name: str
    sessions: int | None
    share: float | None = None
    partial: bool | None = None
    day: date | None = None
    moment: datetime | None = None


def test_the_columns_of_a_table_are_the_fields_of_its_model_even_without_rows() -> None:
    table = table_of(Row, [])

    assert table.columns == ("name", "sessions", "share", "partial", "day", "moment")
    assert csv_text(table) == "name,sessions,share,partial,day,moment\r\n"


def test_the_rows_of_a_table_are_scalars_in_the_order_of_its_columns() -> None:
    table = table_of(Row, [Row(sessions=0, name="a"), Row(name="b", sessions=None, partial=False)])

    assert list(table.rows) == [("a", 0, None, None, None, None), ("b", None, None, False, None, None)]


def test_nothing_is_an_empty_cell_and_zero_and_false_are_not() -> None:
    day, moment = date(2022, 3, 1), datetime(2022, 3, 1, 12, tzinfo=UTC)
    rows: list[tuple[Scalar, ...]] = [(None, 0, 0.0, False, True, day, moment, "", 0.4211)]

    text = csv_text(Table(tuple("abcdefghi"), rows))

    assert text == "a,b,c,d,e,f,g,h,i\r\n,0,0.0,false,true,2022-03-01,2022-03-01 12:00:00+00:00,,0.4211\r\n"


def test_what_would_part_cells_is_quoted_and_read_back_as_it_was() -> None:
    words: list[Scalar] = ['one, "two"', "three\r\nfour", "five\nsix", " seven ", "Äänekoski", "😀", ";\t|"]

    text = csv_text(Table(("word",), [(word,) for word in words]))

    assert list(csv.reader(io.StringIO(text, newline=""))) == [["word"], *([word] for word in words)]
