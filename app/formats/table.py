"""The neutral result of a reading: named columns and rows of scalars, for any output format."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel

Scalar = str | int | float | bool | date | datetime | None


@dataclass(frozen=True, slots=True)
class Table:
    """Column names in order, and rows with one scalar for each of them; None is nothing, never 0."""

    columns: tuple[str, ...]
    rows: Iterable[tuple[Scalar, ...]]


def table_of(model: type[BaseModel], rows: Iterable[BaseModel]) -> Table:
    """`rows`, all of the flat `model`, as a table whose columns are the fields of the model in their order."""
    columns = tuple(model.model_fields)
    return Table(columns, _scalars(columns, rows))


def _scalars(columns: tuple[str, ...], rows: Iterable[BaseModel]) -> Iterator[tuple[Scalar, ...]]:
    for row in rows:
        yield tuple(getattr(row, column) for column in columns)
