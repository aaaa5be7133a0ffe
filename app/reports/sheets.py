"""From the lines of a file to the rows of a submission, each knowing the line and the headings that it came from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from app.errors import MOST_LISTED, FieldError, InvalidRequest
from app.formats.sheet import Cell, Line, Sheet, Unreadable, column_letters
from app.reports.columns import COLUMNS, Column, NotAValue, column_called, names_of_columns
from app.reports.models import CountIn, ListName, StatusIn
from app.reports.sent import SentCount, SentStatus

_NEEDED: Mapping[ListName, Set[str]] = {
    "counts": dict.fromkeys(("municipality", "period", "sessions")).keys(),
    "statuses": dict.fromkeys(("municipality", "date", "status")).keys(),
}
KINDS: Mapping[ListName, type[SentCount | SentStatus]] = {"counts": SentCount, "statuses": SentStatus}
_MODELS: Mapping[ListName, type[BaseModel]] = {"counts": CountIn, "statuses": StatusIn}
_LONGEST_HEADING = 60


class WrongRow(Exception):
    """A row that cannot be read; `errors` say what is wrong with it."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(errors)
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Report:
    """A sheet with our headings: by place, what the file calls its columns and which they are; and the lines below.

    `deciding` are the places that make a line a row of a list when they are filled in.
    """

    headings: Mapping[int, str]
    columns: Mapping[int, Column]
    deciding: Sequence[tuple[int, ListName]]
    lines: Iterator[Line]

    def filled_in(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Those of `lines` that say something: where neither sessions nor status stand, nothing is reported."""
        for line in lines:
            if self._lists(line) or line.cells.keys() - self.columns.keys():
                yield line

    def row(self, number: int, line: Line) -> SentCount | SentStatus:
        """What `line` says, which is line `number`.

        Raises:
            WrongRow: it cannot be read, or breaks the schema.
        """
        lists = self._lists(line)
        errors = [_without_heading(line, place) for place in sorted(line.cells.keys() - self.columns.keys())]
        if len(lists) != 1:
            raise WrongRow(errors or [FieldError(line=number, detail=_BOTH_KINDS)])
        fields: dict[str, Any] = {}
        for place, cell in line.cells.items():
            column = self.columns.get(place)
            if column is None or not column.lists:
                continue
            try:
                fields[column.field] = cell_value(lists[0], column.field, cell)
            except NotAValue as error:
                errors.append(FieldError(line=number, column=self.headings[place], detail=str(error)))
        if errors or not fields.keys() >= _NEEDED[lists[0]]:
            raise WrongRow([*errors, *self._empty(number, line, lists[0])])
        return KINDS[lists[0]](**fields)

    def heading_of(self, field: str) -> str | None:
        """What the file calls the column of `field`; None if it has none."""
        return next((self.headings[place] for place, column in self.columns.items() if column.field == field), None)

    def _empty(self, number: int, line: Line, list_name: ListName) -> Iterator[FieldError]:
        """What is needed in `line` and not filled in."""
        filled = {column.field for place, column in self.columns.items() if place in line.cells}
        for field in _NEEDED[list_name]:
            if field not in filled:
                yield FieldError(line=number, column=self.heading_of(field), detail="is empty")

    def _lists(self, line: Line) -> Sequence[ListName]:
        """Of which lists it says something that decides that it is a row of them."""
        return [list_name for place, list_name in self.deciding if place in line.cells]


_DECIDING: Mapping[ListName, str] = {"counts": "sessions", "statuses": "status"}
_BOTH_KINDS = "sessions and status are both filled in; one line is one count or one status"
_OF_THE_OTHER_KIND: Mapping[ListName, str] = {
    "counts": "a count has a period and no date; leave this empty",
    "statuses": "a status has a date and no period; leave this empty",
}


def report_in(sheets: Iterable[Sheet]) -> Report:
    """The one of `sheets` that has our headings in its first filled line.

    Raises:
        Unreadable: none has, or several have, or a sheet cannot be read.
        InvalidRequest: a heading is unknown or there twice, or a column is missing.
    """
    found: list[tuple[str, Line, Iterator[Line]]] = []
    for sheet in sheets:
        lines = iter(sheet.lines)
        header = next(lines, None)
        if header and any(column_called(str(cell)) for cell in header.cells.values()):
            found.append((sheet.name, header, lines))
    if not found:
        raise Unreadable(f"no column has a heading that we know; there are {names_of_columns()}")
    if len(found) > 1:
        names = ", ".join(name for name, _header, _lines in found)
        raise Unreadable(f"several sheets hold reports ({names}); send each as a file of its own")
    _name, header, lines = found[0]
    return _report(header, lines)


def wrong_file(errors: Sequence[FieldError]) -> InvalidRequest:
    """The refusal of a file for `errors`, of which there is one at least; so many are listed as a person can read."""
    said = "; ".join(_said(error) for error in errors[:3])
    more = f" and {len(errors) - 3} more" if len(errors) > 3 else ""
    some = f" (the first {MOST_LISTED} are listed)" if len(errors) > MOST_LISTED else ""
    return InvalidRequest(said + more + some, errors=errors[:MOST_LISTED])


def _report(header: Line, lines: Iterator[Line]) -> Report:
    headings = {place: str(cell)[:_LONGEST_HEADING] for place, cell in header.cells.items()}
    columns: dict[int, Column] = {}
    errors: list[FieldError] = []
    for place, heading in headings.items():
        column = column_called(heading)
        if column is None:
            detail = f"there is no such column; there are {names_of_columns()}"
            errors.append(FieldError(line=header.number, column=heading, detail=detail))
        elif column in columns.values():
            detail = f"the column {column.field} stands twice; which one counts?"
            errors.append(FieldError(line=header.number, column=heading, detail=detail))
        else:
            columns[place] = column
    errors += [FieldError(line=header.number, detail=detail) for detail in _missing(columns.values())]
    if errors:
        raise wrong_file(errors)
    deciding = [
        (place, list_name)
        for list_name, field in _DECIDING.items()
        for place, column in columns.items()
        if column.field == field
    ]
    return Report(headings, columns, deciding, lines)


def _missing(columns: Iterable[Column]) -> Iterator[str]:
    fields = {column.field for column in columns}
    lists = [name for name, deciding in _DECIDING.items() if deciding in fields]
    if not lists:
        yield "there is neither a column sessions nor a column status"
    for name in dict.fromkeys(field for list_name in lists for field in _NEEDED[list_name]):
        if name not in fields:
            yield f"there is no column {'/'.join(dict.fromkeys(COLUMNS[name].names[:3]))}"


@lru_cache(maxsize=4096, typed=True)
def cell_value(list_name: ListName, field: str, cell: Cell) -> Any:
    """What `cell` says of `field` in a row of that list; the same cells come again and again.

    Raises:
        NotAValue: it does not belong there, cannot be read, or breaks the schema.
    """
    column = COLUMNS[field]
    if list_name not in column.lists:
        raise NotAValue(_OF_THE_OTHER_KIND[list_name])
    try:
        return _valid(list_name, field).validate_python(column.read(cell), strict=True)
    except ValidationError as error:
        raise NotAValue(error.errors()[0]["msg"]) from error


@cache
def _valid(list_name: ListName, field: str) -> TypeAdapter[Any]:
    """What the contract says of one field by itself."""
    info = _MODELS[list_name].model_fields[field]
    return TypeAdapter(Annotated[info.annotation, info])  # type: ignore[arg-type]  # it is a type


def _without_heading(line: Line, place: int) -> FieldError:
    detail = f"something stands in column {column_letters(place)}, which has no heading"
    return FieldError(line=line.number, detail=detail)


def _said(error: FieldError) -> str:
    places = (f"line {error.line}" if error.line else "", error.column or "")
    where = ", ".join(place for place in places if place)
    return f"{where}: {error.detail}" if where else error.detail
