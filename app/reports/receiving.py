"""What POST /v1/submissions takes: JSON, NDJSON, CSV or an Excel workbook, read into one submission."""

from array import array
from collections.abc import Callable, Iterable, Sequence
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
from app.reports.blocks import Blocks
from app.reports.decisions import Locate, in_submission
from app.reports.json_lines import object_lines, object_row, schema_errors
from app.reports.models import CountIn, ListName, SubmissionIn
from app.reports.rules import Refusal
from app.reports.sent import AnyCount, AnyStatus, Sent, SentCount, SentStatus
from app.reports.sheets import WrongRow, report_in, wrong_file
from app.settings import Settings
from app.web.answers import JSON
from app.web.strict import kind_of_content, strict_json

KINDS = (JSON, delimited.MEDIA_TYPE, json_lines.MEDIA_TYPE, workbook.MEDIA_TYPE)

UNPACKED_TIMES = 30
"""How many times larger than any body a workbook may be once it is unpacked; a sheet of figures is some ten times."""

MOST_BYTES_AT_ONCE = 16_384
"""A millisecond's reading, which keeps nobody waiting."""

_LINES_AT_ONCE = 1_000

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
            return _from_csv(body, settings.max_rows)
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


def _from_csv(body: bytes, most: int) -> Received:
    lines = delimited.CsvLines(body)
    report = report_in([Sheet("", lines)])
    blocks, collected = Blocks(report), _Collected(most)
    while (block := lines.block(_LINES_AT_ONCE)).rows:
        rows = blocks.rows(block.rows) if collected.have_room(len(block.rows)) else None
        if rows is not None:
            collected.add(blocks.list_name, block.numbers, rows)
            continue
        for line in report.filled_in(block.lines()):
            collected.look_at(line.number, line, report.row)
    return collected.received(report.heading_of)


def _from_sheets(sheets: Iterable[Sheet], most: int) -> Received:
    report, collected = report_in(sheets), _Collected(most)
    for line in report.filled_in(report.lines):
        collected.look_at(line.number, line, report.row)
    return collected.received(report.heading_of)


def _from_json_lines(body: bytes, most: int) -> Received:
    collected = _Collected(most)
    for number, line in object_lines(body):
        collected.look_at(number, line, object_row)
    return collected.received(lambda field: field)


class _Collected:
    """The rows of a file, `most` at most, with the numbers of their lines, and what is wrong with others."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._filled_in = 0
        self._rows: dict[ListName, list[Any]] = {"counts": [], "statuses": []}
        self._numbers = {"counts": array("L"), "statuses": array("L")}
        self._errors: list[FieldError] = []

    def have_room(self, rows: int) -> bool:
        """True if so many more may come."""
        return self._filled_in + rows <= self._most

    def add(self, list_name: ListName, numbers: Sequence[int], rows: Sequence[SentCount | SentStatus]) -> None:
        """Add `rows`, with which nothing is wrong and for which there is room."""
        self._filled_in += len(rows)
        self._rows[list_name] += rows
        self._numbers[list_name].extend(numbers)

    def look_at(self, number: int, line: AnyLine, row_in: Callable[[int, AnyLine], AnyCount | AnyStatus]) -> None:
        """Add what `row_in` reads in `line`, which is line `number`, or what is wrong with it."""
        self._filled_in += 1
        if self._filled_in > self._most:
            return  # It is only counted.
        try:
            row = row_in(number, line)
        except WrongRow as wrong:
            self._errors += wrong.errors
            return
        list_name: ListName = "counts" if isinstance(row, CountIn | SentCount) else "statuses"
        self._rows[list_name].append(row)
        self._numbers[list_name].append(number)

    def received(self, heading_of: Callable[[str], str | None]) -> Received:
        """All of it, where `heading_of` says what the file calls the column of a field.

        Raises:
            TooManyRows: there were more than the most.
            InvalidRequest: something is wrong with some.
            Unreadable: there was none.
        """
        _refuse_more(self._filled_in, self._most)
        if self._errors:
            raise wrong_file(self._errors)
        if not self._filled_in:
            raise Unreadable("no line is filled in, so there is nothing to record")
        numbers = self._numbers

        def in_file(list_name: ListName, index: int, refusal: Refusal) -> FieldError:
            return FieldError(line=numbers[list_name][index], column=heading_of(refusal.field), detail=refusal.reason)

        return Received(Sent(self._rows["counts"], self._rows["statuses"]), in_file)


def _refuse_more(rows: int, most: int) -> None:
    if rows > most:
        raise TooManyRows(f"the submission has {rows} rows, and {most} are taken at once; send it in several")
