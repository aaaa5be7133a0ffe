"""What POST /v1/submissions takes: JSON, NDJSON, CSV or an Excel workbook, read into one submission."""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.concurrency import run_in_threadpool

from app.access.writing import key_first
from app.errors import FieldError, Problem
from app.formats import delimited, workbook
from app.formats.sheet import Line, Sheet, Unreadable
from app.reports import json_lines
from app.reports.decisions import Locate, in_submission
from app.reports.json_lines import TextLine, object_lines, object_row
from app.reports.models import CountIn, ListName, StatusIn, SubmissionIn
from app.reports.rules import Refusal
from app.reports.sheets import FileRow, WrongRow, report_in, wrong_file
from app.settings import Settings
from app.web.answers import JSON
from app.web.strict import kind_of_content, strict_json

KINDS = (JSON, delimited.MEDIA_TYPE, json_lines.MEDIA_TYPE, workbook.MEDIA_TYPE)

UNPACKED_TIMES = 30
"""How many times larger than any body a workbook may be once it is unpacked; a sheet of figures is some ten times."""

_MOST_BYTES_AT_ONCE = 16_384
"""A millisecond's reading, which keeps nobody waiting."""

AnyLine = TypeVar("AnyLine", Line, TextLine)
AnyItem = TypeVar("AnyItem", CountIn, StatusIn)


class TooManyRows(Problem):
    """The submission has more rows than the server takes at once; send it in several."""

    status_code = 413
    title = "The submission has too many rows"


@dataclass(frozen=True, slots=True)
class Received:
    """A submission, and where in the body a refusal of one of its rows belongs."""

    submission: SubmissionIn
    locate: Locate

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.submission.counts) + len(self.submission.statuses)


async def received(request: Request) -> Received:
    """The submission that the body holds, for which StrictRoute has waited.

    A few rows of JSON are read at once. What takes longer is read for holders of a key alone, and in a thread.
    """
    body = await request.body()
    if len(body) <= _MOST_BYTES_AT_ONCE and kind_of_content(request.headers.get("content-type"), KINDS) == JSON:
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
        return _from_json(strict_json(content_type, body), settings.max_rows)
    try:
        if kind == json_lines.MEDIA_TYPE:
            return _from_json_lines(body, settings.max_rows)
        if kind == delimited.MEDIA_TYPE:
            return _from_sheets([Sheet("", delimited.csv_lines(body))], settings.max_rows)
        most_bytes = UNPACKED_TIMES * settings.max_body_bytes
        return _from_sheets(workbook.workbook_sheets(body, most_bytes=most_bytes), settings.max_rows)
    except Unreadable as error:
        raise wrong_file([FieldError(line=error.line, detail=error.detail)]) from error


def _from_json(value: Any, most: int) -> Received:
    lists = [value.get(name) for name in ("counts", "statuses")] if isinstance(value, dict) else []
    _refuse_more(sum(len(rows) for rows in lists if isinstance(rows, list)), most)
    try:
        submission = SubmissionIn.model_validate(value, from_attributes=True)
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in _told(error)]) from error
    return Received(submission, in_submission)


def _from_sheets(sheets: Iterable[Sheet], most: int) -> Received:
    report = report_in(sheets)
    filled = report.filled_in()
    lines = list(itertools.islice(filled, most))
    _refuse_more(len(lines) + sum(1 for _ in filled), most)
    return _from_lines(lines, report.row)


def _from_json_lines(body: bytes, most: int) -> Received:
    lines = object_lines(body)
    _refuse_more(len(lines), most)
    return _from_lines(lines, object_row)


def _from_lines(lines: Iterable[AnyLine], row_in: Callable[[AnyLine], FileRow]) -> Received:
    """The submission of the rows in `lines`, if every one of them is right."""
    rows: dict[ListName, list[FileRow]] = {"counts": [], "statuses": []}
    counts: list[CountIn] = []
    statuses: list[StatusIn] = []
    errors: list[FieldError] = []
    for line in lines:
        try:
            row = row_in(line)
            if row.list_name == "counts":
                counts.append(_valid(CountIn, row))
            else:
                statuses.append(_valid(StatusIn, row))
            rows[row.list_name].append(row)
        except WrongRow as wrong:
            errors += wrong.errors
    if errors:
        raise wrong_file(errors)
    if not counts and not statuses:
        raise Unreadable("no line is filled in, so there is nothing to record")

    def in_file(list_name: ListName, index: int, refusal: Refusal) -> FieldError:
        return rows[list_name][index].error(refusal.field, refusal.reason)

    return Received(SubmissionIn(counts=counts, statuses=statuses), in_file)


def _valid(model: type[AnyItem], row: FileRow) -> AnyItem:
    """`row` as what it is a row of.

    Raises:
        WrongRow: it breaks the schema.
    """
    try:
        return model.model_validate(row.fields)
    except ValidationError as error:
        raise WrongRow([row.error(str(one["loc"][0]), one["msg"]) for one in _told(error)]) from error


def _told(error: ValidationError) -> list[ErrorDetails]:
    """What is wrong and where; not what was sent, which may be anything."""
    return error.errors(include_url=False, include_context=False, include_input=False)


def _refuse_more(rows: int, most: int) -> None:
    if rows > most:
        raise TooManyRows(f"the submission has {rows} rows, and {most} are taken at once; send it in several")
