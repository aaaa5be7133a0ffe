"""A file to fill in: a line for each municipality that a key reports about, with empty sessions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from sqlmodel import Session

from app.access.scope import Scope
from app.formats import delimited, workbook
from app.formats.delimited import csv_text
from app.formats.sheet import BYTE_ORDER_MARK
from app.formats.table import Scalar, Table
from app.formats.workbook import Look, workbook_bytes
from app.periods import Period
from app.places.register import Municipality, municipalities
from app.reports.columns import COLUMNS, Language
from app.reports.tables import MAX_SESSIONS

Format = Literal["csv", "xlsx"]
MEDIA_TYPES: Mapping[Format, str] = {"csv": f"{delimited.MEDIA_TYPE}; charset=utf-8", "xlsx": workbook.MEDIA_TYPE}

_LOOKS = {
    "municipality": Look(12),
    "municipality_name": Look(24),
    "practice": Look(16),
    "period": Look(10),
    "sessions": Look(12, "whole", MAX_SESSIONS),
    "through": Look(14, "day"),
    "note": Look(40),
}


def template(
    db: Session,
    scope: Scope,
    asked: Period,
    *,
    practice: str,
    language: Language,
    file_format: Format,
) -> bytes:
    """A file for the counts of one period: a line for each municipality in the register on one of its days.

    The CSV has semicolons and a byte order mark, so that a Finnish Excel opens it by a double click; a month is
    written 2023M03 there, since Excel would make a day of 2023-03.
    """
    places = [place for place in municipalities(db).values() if scope.covers(place) and _existed(place, asked)]
    columns = tuple(COLUMNS[field].heading(language) for field in _LOOKS)
    if file_format == "xlsx":
        rows = _rows(places, practice, asked.text, language)
        return workbook_bytes(Table(columns, rows), [*_LOOKS.values()], title=asked.text)
    rows = _rows(places, practice, _safe_from_excel(asked), language)
    return (BYTE_ORDER_MARK + csv_text(Table(columns, rows), delimiter=";")).encode()


def _existed(place: Municipality, asked: Period) -> bool:
    """True if `place` was in the register on one of the days, which begins and ends with a year."""
    return place.in_register(asked.first) or place.in_register(asked.last)


def _rows(
    places: Sequence[Municipality], practice: str, period: str, language: Language
) -> Iterator[tuple[Scalar, ...]]:
    for place in places:
        name = place.name_sv if language == "sv" else place.name_fi
        yield place.code, name, practice, period, None, None, None


def _safe_from_excel(asked: Period) -> str:
    month = len(asked.text) == len("2023-03") and "Q" not in asked.text
    return asked.text.replace("-", "M") if month else asked.text
