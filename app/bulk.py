"""Rows written with a statement for thousands of them, by what is quickest on each database."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect
from sqlmodel import Session

from app.database import Base, Statement, carry_out

ROWS_AT_ONCE = 10_000
"""So many are held once more, column by column; and a statement for so many is short enough to be waited for."""

MANY = 100
"""So many go into PostgreSQL by COPY in half the time; it takes a round trip of its own for fewer."""

ROOM_KILOBYTES = 64_000

_ARRAYS = {"Integer": "bigint", "Date": "date", "UTCDateTime": "timestamptz", "JSON": "json"}
"""PostgreSQL's types of what is no text, by the types of our columns."""


def add_rows(db: Session, table: type[Base], rows: Iterable[Any]) -> None:
    """Insert `rows`, which have an attribute for each column of `table`.

    `db` does not know of them: what they refer to must have been inserted before.
    """
    carry_out(db.connection(), insertions(db.get_bind().dialect, table, rows))


def insertions(dialect: Dialect, table: type[Base], rows: Iterable[Any]) -> Iterator[Statement]:
    """What inserts `rows`, which have an attribute for each column of `table`."""
    insert = _insert_into(table, dialect)
    coming = map(insert.values_of, rows)
    while some := list(islice(coming, ROWS_AT_ONCE)):
        columns = [
            column if writer is None else writer.written(column)
            for writer, column in zip(insert.writers, zip(*some, strict=True), strict=True)
        ]
        if len(some) == 1 or insert.of_arrays is None:
            yield Statement(insert.of_values, list(zip(*columns, strict=True)))
        elif len(some) >= MANY:
            yield Statement(insert.copy, list(zip(*columns, strict=True)), copies=True)
        else:
            yield Statement(insert.of_arrays, [tuple(map(list, columns))])


@contextmanager
def room_for(connection: Connection, rows: int) -> Iterator[None]:
    """Let SQLite hold as many pages as an index needs that is written to all over, if many `rows` are to be added.

    Its own 2 MB go to the disk and come back for nearly every row, which takes as long again as adding it.
    """
    if rows < ROWS_AT_ONCE or connection.dialect.name != "sqlite":
        yield
        return
    before = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
    connection.exec_driver_sql(f"PRAGMA cache_size = -{ROOM_KILOBYTES}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA cache_size = {before}")


class _Insert(NamedTuple):
    """How rows go into a table: what takes the values of its columns out of a row, what writes each for the driver, and
    the statements. That of arrays, one for each column, and COPY are PostgreSQL's. Arrays are no way for a single row:
    a text of megabytes would be taken apart at each quote.
    """

    values_of: Callable[[Any], tuple[Any, ...]]
    writers: Sequence["_Writer | None"]
    of_values: str
    of_arrays: str | None
    copy: str


@cache
def _insert_into(table: type[Base], dialect: Dialect) -> _Insert:
    columns = Base.metadata.tables[str(table.__tablename__)].columns
    into = f"INSERT INTO {table.__tablename__} ({', '.join(columns.keys())})"
    sqlite = dialect.name == "sqlite"
    values = f"{into} VALUES ({', '.join(['?' if sqlite else '%s'] * len(columns))})"
    arrays = ", ".join(f"%s::{_ARRAYS.get(type(column.type).__name__, 'text')}[]" for column in columns)
    return _Insert(
        attrgetter(*columns.keys()),
        # A dialect's own way of writing a type is made anew each time that it is asked for.
        [_writer(column.type, column.type.dialect_impl(dialect).bind_processor(dialect)) for column in columns],
        values,
        None if sqlite else f"{into} SELECT * FROM unnest({arrays})",
        f"COPY {table.__tablename__} ({', '.join(columns.keys())}) FROM STDIN",
    )


class _Writer(NamedTuple):
    """How the driver wants the values of a column."""

    write: Callable[[Any], Any]
    hashable: bool

    def written(self, column: Sequence[Any]) -> Sequence[Any]:
        """The values of `column` so; where they are many, equal ones are written once."""
        return tuple(map(cache(self.write) if self.hashable and len(column) >= MANY else self.write, column))


def _writer(kind: Any, write: Callable[[Any], Any] | None) -> _Writer | None:
    """The writer of a column of that `kind`; None if its values go as they are."""
    return None if write is None else _Writer(write, kind.hashable)
