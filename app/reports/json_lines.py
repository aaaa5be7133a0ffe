"""NDJSON: one JSON object a line, each a row of counts or of statuses with the names of the contract."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.errors import FieldError, InvalidRequest
from app.formats.sheet import utf_8_text
from app.reports.models import CountIn, ListName, StatusIn
from app.reports.sheets import FileRow, WrongRow
from app.web.strict import strict_value

MEDIA_TYPE = "application/x-ndjson"

_FIELDS: Mapping[ListName, Sequence[str]] = {"counts": [*CountIn.model_fields], "statuses": [*StatusIn.model_fields]}
_DECIDING: Mapping[ListName, str] = {"counts": "period", "statuses": "date"}

TextLine = tuple[int, str]
"""The number of a line, from 1, and what stands in it."""


def object_lines(body: bytes) -> Sequence[TextLine]:
    """The lines that are not empty.

    Raises:
        Unreadable: not UTF-8, or a NUL.
    """
    return [(number, text) for number, text in enumerate(utf_8_text(body).split("\n"), start=1) if text.strip()]


def object_row(line: TextLine) -> FileRow:
    """What the object in `line` says; its fields are not looked at yet.

    Raises:
        WrongRow: it is no object of strict JSON, or neither a count nor a status, or both.
    """
    number, text = line
    try:
        fields: Any = strict_value(text, first_line=number)
    except InvalidRequest as error:
        raise WrongRow([FieldError(line=number, detail=error.detail)]) from error
    lists = [name for name, deciding in _DECIDING.items() if isinstance(fields, dict) and deciding in fields]
    if len(lists) != 1:
        detail = "write an object with a period, which makes it a count, or with a date, which makes it a status"
        raise WrongRow([FieldError(line=number, detail=detail)])
    return FileRow(number, lists[0], fields, {name: name for name in (*_FIELDS[lists[0]], *fields)})
