"""The columns of a file of reports: what they may be called, in which rows they stand, and how their cells are read."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args

from app.formats.sheet import Cell, Spoilt
from app.periods import DAY_PATTERN, PERIOD_PATTERN
from app.reports.models import ListName, Status

Language = Literal["en", "fi", "sv"]

_BOTH: tuple[ListName, ...] = ("counts", "statuses")
_COUNTS: tuple[ListName, ...] = ("counts",)
_STATUSES: tuple[ListName, ...] = ("statuses",)

_CODE = re.compile(r"(KU)?([0-9]{1,3})", re.IGNORECASE)
_WHOLE = re.compile(r"-?[0-9]{1,15}")
_DOTTED_DAY = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")
_MONTH_OR_QUARTER = re.compile(r"([0-9]{4})-?(?:M([0-9]{2})|(Q[1-4]))", re.IGNORECASE)

_STATUSES_CALLED: Mapping[Status, tuple[str, ...]] = {
    "planned": ("suunnitteilla", "planeras"),
    "pilot": ("kokeilussa", "på försök", "prövas"),
    "in_use": ("käytössä", "i bruk"),
    "paused": ("tauolla", "pausad"),
    "ended": ("päättynyt", "avslutad"),
}
# With what Excel shows for true and false in Finnish and in Swedish.
_YES = ("true", "yes", "kyllä", "tosi", "ja", "sant")
_NO = ("false", "no", "ei", "epätosi", "nej", "falskt")


class NotAValue(ValueError):
    """What stands in a cell is no value of its column; the message says how to write one."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column by the name of its field, and what it may be called: in English, Finnish, Swedish, then other words."""

    field: str
    names: tuple[str, ...]
    read: Callable[[Cell], Any]
    lists: tuple[ListName, ...]

    def heading(self, language: Language) -> str:
        """What it is called in `language`."""
        return self.names[get_args(Language).index(language)]


def column_called(heading: str) -> Column | None:
    """The column that may be called so; case, spaces around, and `_` or a space between do not matter."""
    return _CALLED.get(_plain(heading))


def names_of_columns() -> str:
    """Every column with its names in English, Finnish and Swedish, for a caller who used others."""
    said = (dict.fromkeys(column.names[: len(get_args(Language))]) for column in COLUMNS.values())
    return ", ".join("/".join(names) for names in said)


def _municipality(cell: Cell) -> str:
    """The code with the zeros in front that a spreadsheet takes away."""
    found = _CODE.fullmatch(_text(cell))
    if not found:
        raise NotAValue("write a municipality code of three digits, as 297 or KU297")
    return f"{found[2]:0>3}"


def _practice(cell: Cell) -> str:
    return _text(cell)


def _period(cell: Cell) -> str:
    text = _with_hyphens(_text(cell))
    if isinstance(cell, date) or not re.fullmatch(PERIOD_PATTERN, text):
        raise NotAValue(
            "write a year as 2022, a quarter as 2022-Q1, a month as 2022-03; a spreadsheet makes a day of the last "
            "unless the cell is formatted as text, but not of 2022M03, which is also taken"
        )
    return text


def _sessions(cell: Cell) -> int:
    text = _text(cell)
    if isinstance(cell, date) or not _WHOLE.fullmatch(text):
        raise NotAValue("write a whole number in digits, as 5")
    return int(text)


def _through(cell: Cell) -> str:
    return _day(cell, r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "write a day as 15.3.2022 or 2022-03-15")


def _date(cell: Cell) -> str:
    return _day(cell, DAY_PATTERN, "write a day as 15.3.2022 or 2022-03-15, or 2022-03 or 2022 for its first day")


def _replace(cell: Cell) -> bool:
    text = _plain(_text(cell))
    if text not in _YES + _NO:
        raise NotAValue("write true or false")
    return text in _YES


def _status(cell: Cell) -> str:
    text = _plain(_text(cell))
    for status, words in _STATUSES_CALLED.items():
        if text in (_plain(status), *words):
            return status
    called = ", ".join(f"{status} ({words[0]})" for status, words in _STATUSES_CALLED.items())
    raise NotAValue(f"write one of {called}")


def _text(cell: Cell) -> str:
    """`cell` in words: whole numbers without a fraction, days as 2022-03-15."""
    if isinstance(cell, Spoilt):
        raise NotAValue(cell.reason)
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, bool):
        return str(cell).lower()
    return str(cell)


def _day(cell: Cell, pattern: str, described: str) -> str:
    text = _with_hyphens(_text(cell))
    if found := _DOTTED_DAY.fullmatch(text):
        text = f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}"
    if not re.fullmatch(pattern, text):
        raise NotAValue(described)
    return text


def _with_hyphens(text: str) -> str:
    """2022-03 for 2022M03 and 2022-Q1 for 2022Q1, as statistical offices write them; other texts as they are."""
    found = _MONTH_OR_QUARTER.fullmatch(text)
    return f"{found[1]}-{found[2] or found[3].upper()}" if found else text


def _plain(words: str) -> str:
    return " ".join(unicodedata.normalize("NFC", words).casefold().replace("_", " ").split())


COLUMNS: Mapping[str, Column] = {
    column.field: column
    for column in (
        Column(
            "municipality",
            ("municipality", "kunta", "kommun", "municipality code", "kuntakoodi", "kuntanumero", "kommunkod"),
            _municipality,
            _BOTH,
        ),
        Column(
            "municipality_name",
            ("municipality_name", "kunnan nimi", "kommunens namn", "kuntanimi", "kommunnamn"),
            _text,
            (),
        ),
        Column("practice", ("practice", "toimintamalli", "verksamhetsmodell"), _practice, _BOTH),
        Column("period", ("period", "jakso", "period", "kausi"), _period, _COUNTS),
        Column(
            "sessions",
            ("sessions", "tapaamiset", "träffar", "tapaamisia", "istunnot", "session count"),
            _sessions,
            _COUNTS,
        ),
        Column("through", ("through", "saakka", "till och med", "asti"), _through, _COUNTS),
        Column("replace", ("replace", "korvaa", "ersätt"), _replace, _COUNTS),
        Column("date", ("date", "päivä", "datum", "päivämäärä", "alkaen"), _date, _STATUSES),
        Column("status", ("status", "tila", "status"), _status, _STATUSES),
        Column("note", ("note", "huomautus", "anmärkning", "lisätieto"), _text, _BOTH),
    )
}
"""By field, in the order in which they are listed. The name of a municipality is there for people and not read."""

_CALLED = {_plain(name): column for column in COLUMNS.values() for name in column.names}
