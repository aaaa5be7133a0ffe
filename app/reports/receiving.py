"""What POST /v1/submissions takes: JSON, NDJSON, CSV or an Excel workbook, read into one submission."""

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from app.access.writing import key_first
from app.errors import FieldError, Problem
from app.formats import delimited, workbook
from app.formats.sheet import Line, Sheet, Unreadable
from app.reports import json_lines
from app.reports.decisions import Locate, in_submission
from app.reports.json_lines import object_lines, object_row, schema_errors
from app.reports.models import CountIn, ListName, SubmissionIn
from app.reports.rules import Refusal
from app.reports.sent import AnyCount, AnyStatus, Sent, SentCount
from app.reports.sheets import WrongRow, report_in, wrong_file
from app.settings import Settings
from app.web.answers import JSON
from app.web.strict import kind_of_content, strict_json

KINDS = (JSON, delimited.MEDIA_TYPE, json_lines.MEDIA_TYPE, workbook.MEDIA_TYPE)

UNPACKED_TIMES = 30
"""How many times larger than any body a workbook may be once it is unpacked; a sheet of figures is some ten times."""

MOST_BYTES_AT_ONCE = 16_384
"""A millisecond's reading, which keeps nobody waiting."""

AnyLine = TypeVar("AnyLine", Line, str)


class TooManyRows(Problem):
    """The submission has more rows than the server takes at once; send it in several."""

    status_code = 413
    title = "The submission has too many rows"


@dataclass(frozen=True, slots=True)
class Received:
    """What was sent, and where in the body a refusal of one of its rows belongs."""

    sent: Sent
    locate: Locate


async def received(request: Request) -> Received:
    """The submission that the body holds, for which StrictRoute has waited.

    A few rows of JSON are read at once. What takes longer is read for holders of a key alone, and in a thread.
    """
    body = await request.body()
    if len(body) <= MOST_BYTES_AT_ONCE and kind_of_content(request.headers.get("content-type"), KINDS) == JSON:
        return _read(request, body)
    await key_first(request)
    return await run_in_threadpool(_read, request, body)


TheReceived = Annotated[Received, Depends(received)]


def _read(request: Request, body: bytes) -> Received:
    """The submission that `body` holds.

    Raises:
        TooManyRows: it has more rows than the setting `max_rows` allows; they are counted before they are looked at.
        InvalidRequest: the body breaks the schema; of a file all wrong cells are told.
    """
    settings: Settings = request.app.state.settings
    content_type = request.headers.get("content-type")
    kind = kind_of_content(content_type, KINDS)
    if kind == JSON:
        return received_json(strict_json(content_type, body), settings.max_rows)
    try:
        if kind == json_lines.MEDIA_TYPE:
            return _from_json_lines(body, settings.max_rows)
        if kind == delimited.MEDIA_TYPE:
            return _from_sheets([Sheet("", delimited.csv_lines(body))], settings.max_rows)
        most_bytes = UNPACKED_TIMES * settings.max_body_bytes
        return _from_sheets(workbook.workbook_sheets(body, most_bytes=most_bytes), settings.max_rows)
    except Unreadable as error:
        raise wrong_file([FieldError(line=error.line, detail=error.detail)]) from error


def received_json(value: Any, most: int) -> Received:
    """The submission that `value`, read from JSON, is.

    Raises:
        TooManyRows: it has more than `most` rows; they are counted before they are looked at.
        RequestValidationError: it breaks the schema.
    """
    lists = [value.get(name) for name in ("counts", "statuses")] if isinstance(value, dict) else []
    _refuse_more(sum(len(rows) for rows in lists if isinstance(rows, list)), most)
    try:
        submission = SubmissionIn.model_validate(value, from_attributes=True)
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in schema_errors(error)]) from error
    return Received(Sent(submission.counts, submission.statuses), in_submission)


def _from_sheets(sheets: Iterable[Sheet], most: int) -> Received:
    report = report_in(sheets)
    return _from_lines(((line.number, line) for line in report.filled_in()), report.row, report.heading_of, most)


def _from_json_lines(body: bytes, most: int) -> Received:
    return _from_lines(object_lines(body), object_row, lambda field: field, most)


def _from_lines(
    lines: Iterable[tuple[int, AnyLine]],
    row_in: Callable[[int, AnyLine], AnyCount | AnyStatus],
    heading_of: Callable[[str], str | None],
    most: int,
) -> Received:
    """What stands in `lines`, each with its number, if every one of them is right and there are `most` at most."""
    rows: dict[ListName, list[Any]] = {"counts": [], "statuses": []}
    numbers = {"counts": array("L"), "statuses": array("L")}
    errors: list[FieldError] = []
    filled_in = 0
    for filled_in, (number, line) in enumerate(lines, start=1):
        if filled_in > most:
            continue  # It is only counted.
        try:
            row = row_in(number, line)
        except WrongRow as wrong:
            errors += wrong.errors
            continue
        list_name: ListName = "counts" if isinstance(row, CountIn | SentCount) else "statuses"
        rows[list_name].append(row)
        numbers[list_name].append(number)
    _refuse_more(filled_in, most)
    if errors:
        raise wrong_file(errors)
    if not filled_in:
        raise Unreadable("no line is filled in, so there is nothing to record")

    def in_file(list_name: ListName, index: int, refusal: Refusal) -> FieldError:
        return FieldError(line=numbers[list_name][index], column=heading_of(refusal.field), detail=refusal.reason)

    return Received(Sent(rows["counts"], rows["statuses"]), in_file)


def _refuse_more(rows: int, most: int) -> None:
    if rows > most:
        raise TooManyRows(f"the submission has {rows} rows, and {most} are taken at once; send it in several")
