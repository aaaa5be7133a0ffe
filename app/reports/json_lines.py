"""NDJSON: one JSON object a line, each a row of counts or of statuses with the names of the contract."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.errors import FieldError, InvalidRequest
from app.formats.sheet import utf_8_text
from app.reports.models import CountIn, StatusIn
from app.reports.sheets import WrongRow
from app.web.strict import strict_value

MEDIA_TYPE = "application/x-ndjson"

_MODELS: Mapping[str, type[CountIn | StatusIn]] = {"period": CountIn, "date": StatusIn}
"""By the field that decides what a line is a row of."""


def object_lines(body: bytes) -> Sequence[tuple[int, str]]:
    """The lines that are not empty, each with its number from 1.

    Raises:
        Unreadable: not UTF-8, or a NUL.
    """
    return [(number, text) for number, text in enumerate(utf_8_text(body).split("\n"), start=1) if text.strip()]


def object_row(number: int, text: str) -> CountIn | StatusIn:
    """What the object in `text`, which is line `number`, says.

    Raises:
        WrongRow: it is no object of strict JSON, neither a count nor a status, or both, or it breaks the schema.
    """
    try:
        fields: Any = strict_value(text, first_line=number)
    except InvalidRequest as error:
        raise WrongRow([FieldError(line=number, detail=error.detail)]) from error
    models = [model for deciding, model in _MODELS.items() if isinstance(fields, dict) and deciding in fields]
    if len(models) != 1:
        detail = "write an object with a period, which makes it a count, or with a date, which makes it a status"
        raise WrongRow([FieldError(line=number, detail=detail)])
    try:
        return models[0].model_validate(fields)
    except ValidationError as error:
        told = schema_errors(error)
        wrong = [FieldError(line=number, column=str(one["loc"][0]), detail=one["msg"]) for one in told]
        raise WrongRow(wrong) from error


def schema_errors(error: ValidationError) -> list[ErrorDetails]:
    """What is wrong and where; not what was sent, which may be anything."""
    return error.errors(include_url=False, include_context=False, include_input=False)
