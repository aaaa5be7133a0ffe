"""Rows written with a statement for thousands of them, by what is quickest on each database."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import islice
from operator import attrgetter
from typing import Any

from sqlalchemy import Dialect
from sqlmodel import Session

from app.database import Base

ROWS_AT_ONCE = 10_000
"""So many are held once more, column by column; and a statement for so many is short enough to be waited for."""

_ARRAYS = {"Integer": "bigint", "Date": "date", "UTCDateTime": "timestamptz"}
"""PostgreSQL's types of what is no text, by the types of our columns."""


def add_rows(db: Session, table: type[Base], rows: Iterable[Any]) -> None:
    """Insert `rows`, which have an attribute for each column of `table`.

    `db` does not know of them: what they refer to must have been inserted before.
    """
    statement, values_of, writers = _insert(table, db.get_bind().dialect)
    coming = map(values_of, rows)
    while some := list(islice(coming, ROWS_AT_ONCE)):
        columns = [
            column if write is None else tuple(map(cache(write), column))
            for write, column in zip(writers, zip(*some, strict=True), strict=True)
        ]
        connection = db.connection()
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(statement, list(zip(*columns, strict=True)))
        else:
            connection.exec_driver_sql(statement, tuple(map(list, columns)))


@cache
def _insert(
    table: type[Base], dialect: Dialect
) -> tuple[str, Callable[[Any], tuple[Any, ...]], Sequence[Callable[[Any], Any] | None]]:
    """The statement, what takes the values of its columns out of a row, and what writes each for the driver."""
    columns = Base.metadata.tables[str(table.__tablename__)].columns
    into = f"INSERT INTO {table.__tablename__} ({', '.join(columns.keys())})"
    if dialect.name == "sqlite":
        statement = f"{into} VALUES ({', '.join('?' * len(columns))})"
    else:
        arrays = [f"%s::{_ARRAYS.get(type(column.type).__name__, 'text')}[]" for column in columns]
        statement = f"{into} SELECT * FROM unnest({', '.join(arrays)})"
    # A dialect's own way of writing a type is made anew each time that it is asked for.
    writers = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns]
    return statement, attrgetter(*columns.keys()), writers
