"""What columns may be called, and what may stand in their cells."""

from datetime import date

import pytest

from app.formats.sheet import Cell, Spoilt
from app.reports.columns import COLUMNS, NotAValue, column_called

PERIOD = (
    "write a year as 2022, a quarter as 2022-Q1, a month as 2022-03; a spreadsheet makes a day of the last "
    "unless the cell is formatted as text, but not of 2022M03, which is also taken"
)
WHOLE = "write a whole number in digits, as 5"
CODE = "write a municipality code of three digits, as 297 or KU297"
DAY = "write a day as 15.3.2022 or 2022-03-15"
STATUS = (
    "write one of planned (suunnitteilla), pilot (kokeilussa), in_use (käytössä), paused (tauolla), ended (päättynyt)"
)


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("municipality", "municipality"),
        (" KUNTA ", "municipality"),
        ("Kommun", "municipality"),
        ("Municipality  Name", "municipality_name"),
        ("municipality_name", "municipality_name"),
        ("kunnan nimi", "municipality_name"),
        ("Toimintamalli", "practice"),
        ("jakso", "period"),
        ("Tapaamiset", "sessions"),
        ("istunnot", "sessions"),
        ("TRÄFFAR", "sessions"),
        ("saakka", "through"),
        ("till och med", "through"),
        ("korvaa", "replace"),
        ("Päivä", "date"),
        ("pa\u0308iva\u0308", "date"),
        ("tila", "status"),
        ("huomautus", "note"),
    ],
)
def test_a_column_has_names_in_three_languages(heading: str, field: str) -> None:
    assert column_called(heading) is COLUMNS[field]


@pytest.mark.parametrize("heading", ["", "kunta2", "sess ions", "municipality-name", "1"])
def test_other_words_are_no_column(heading: str) -> None:
    assert column_called(heading) is None


def test_no_name_belongs_to_two_columns() -> None:
    assert [
        (column.field, name)
        for column in COLUMNS.values()
        for name in column.names
        if column_called(name) is not column
    ] == []


@pytest.mark.parametrize(
    ("field", "cell", "value"),
    [
        ("municipality", "297", "297"),
        ("municipality", "KU297", "297"),
        ("municipality", "ku005", "005"),
        ("municipality", 5, "005"),
        ("municipality", 5.0, "005"),
        ("municipality", "5", "005"),
        ("practice", "kela", "kela"),
        ("period", "2022", "2022"),
        ("period", 2022, "2022"),
        ("period", 2022.0, "2022"),
        ("period", "2022-Q1", "2022-Q1"),
        ("period", "2022q1", "2022-Q1"),
        ("period", "2022-03", "2022-03"),
        ("period", "2022M03", "2022-03"),
        ("sessions", "0", 0),
        ("sessions", "-5", -5),
        ("sessions", 5.0, 5),
        ("sessions", 5, 5),
        ("through", "15.3.2022", "2022-03-15"),
        ("through", "05.03.2022", "2022-03-05"),
        ("through", "2022-03-15", "2022-03-15"),
        ("through", date(2022, 3, 15), "2022-03-15"),
        ("date", date(2022, 3, 15), "2022-03-15"),
        ("date", "1.2.2022", "2022-02-01"),
        ("date", "31.2.2022", "2022-02-31"),
        ("date", "2022-03", "2022-03"),
        ("date", "2022M03", "2022-03"),
        ("date", 2022, "2022"),
        ("replace", True, True),
        ("replace", False, False),
        ("replace", "Kyllä", True),
        ("replace", "TOSI", True),
        ("replace", "ei", False),
        ("replace", "EPÄTOSI", False),
        ("status", "pilot", "pilot"),
        ("status", "in_use", "in_use"),
        ("status", "In use", "in_use"),
        ("status", "Suunnitteilla", "planned"),
        ("status", "kokeilussa", "pilot"),
        ("status", " käytössä", "in_use"),
        ("status", "tauolla", "paused"),
        ("status", "päättynyt", "ended"),
        ("status", "i bruk", "in_use"),
        ("note", "Päätös", "Päätös"),
        ("note", 5.0, "5"),
        ("note", 5.5, "5.5"),
        ("note", date(2022, 3, 15), "2022-03-15"),
    ],
)
def test_a_cell_is_read_as_its_column_means_it(field: str, cell: Cell, value: object) -> None:
    read = COLUMNS[field].read(cell)

    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("field", "cell", "detail"),
    [
        ("municipality", "Kuopio", CODE),
        ("municipality", 1297, CODE),
        ("municipality", 5.5, CODE),
        ("municipality", "\u0662\u0669\u0667", CODE),
        ("period", "1.3.2022", PERIOD),
        ("period", "maalis.22", PERIOD),
        ("period", date(2022, 3, 1), PERIOD),
        ("period", 44_621, PERIOD),
        ("period", "2022-13", PERIOD),
        ("period", "2022Q5", PERIOD),
        ("sessions", "5,0", WHOLE),
        ("sessions", "5.0", WHOLE),
        ("sessions", 5.5, WHOLE),
        ("sessions", float("inf"), WHOLE),
        ("sessions", "1 000", WHOLE),
        ("sessions", "1e3", WHOLE),
        ("sessions", True, WHOLE),
        ("sessions", "\u0665", WHOLE),
        ("sessions", "9" * 16, WHOLE),
        ("sessions", date(1900, 1, 5), WHOLE),
        ("sessions", Spoilt("holds a formula"), "holds a formula"),
        ("through", "2022", DAY),
        ("through", "15.3.22", DAY),
        ("through", 44_635, DAY),
        ("date", "maaliskuu", f"{DAY}, or 2022-03 or 2022 for its first day"),
        ("date", "15.13.2022", f"{DAY}, or 2022-03 or 2022 for its first day"),
        ("replace", "x", "write true or false"),
        ("replace", 1, "write true or false"),
        ("status", "käytetään", STATUS),
        ("note", Spoilt("holds a time"), "holds a time"),
    ],
)
def test_what_is_no_value_is_refused_with_how_to_write_one(field: str, cell: Cell, detail: str) -> None:
    with pytest.raises(NotAValue) as refused:
        COLUMNS[field].read(cell)

    assert str(refused.value) == detail
