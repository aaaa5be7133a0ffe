"""Every row of every table as a line of JSON, the same for both databases, and back again."""

import hashlib
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    Integer,
    MetaData,
    String,
    Table,
    func,
    inspect,
    select,
    text,
)
from sqlmodel import Session
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

from app.clock import written
from app.database import Base

_ROWS_AT_A_TIME = 500
_BYTES_AT_A_TIME = 1_000_000
"""How much is held at once, whatever the archive; one row counts whole."""

_FEW_AT_A_TIME = 10
_WIDE = {"submissions", "remembered_replies"}
"""Tables of which a single row can be megabytes."""

Kind = Literal["moment", "json", "day", "boolean", "integer", "text"]

# In this order: the first that fits.
_KINDS: Sequence[tuple[Any, Kind]] = (
    (UTCDateTime, "moment"),
    (JSON, "json"),
    (Date, "day"),
    (Boolean, "boolean"),
    (Integer, "integer"),
    ((String, AutoString), "text"),
)
_TYPES: dict[Kind, Any] = {
    "moment": UTCDateTime,
    "json": JSON,
    "day": Date,
    "boolean": Boolean,
    "integer": Integer,
    "text": String,
}


class Malformed(ValueError):
    """The lines are not such as `lines` makes; the message says what is wrong with them."""


class Heading(BaseModel):
    """The line before the rows of a table: its columns with the kind of each, and its primary key."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    table: str
    columns: dict[str, Kind]
    key: list[str]


@dataclass(slots=True)
class Tally:
    """What has passed: the rows of each table by its name, and the SHA-256 over all lines."""

    rows: dict[str, int] = field(default_factory=dict)
    headings: list[Heading] = field(default_factory=list)
    _hash: Any = field(default_factory=hashlib.sha256)

    @property
    def sha256(self) -> str:
        """The SHA-256 in hexadecimal over the lines so far, each with its newline."""
        return str(self._hash.hexdigest())

    def passing(self, passed: Iterable[bytes]) -> Iterator[bytes]:
        """The same lines, tallied on their way.

        Raises:
            Malformed: a row comes before any heading, or a heading is none.
        """
        for line in passed:
            self._hash.update(line + b"\n")
            if line.startswith(b"{"):
                self.headings.append(_heading(line))
                self.rows[self.headings[-1].table] = 0
            elif self.headings:
                self.rows[self.headings[-1].table] += 1
            else:
                raise Malformed("a row comes before the name of its table")
            yield line


def headings() -> list[Heading]:
    """Every table that the models declare, each after those that it refers to."""
    return [
        Heading(
            table=table.name,
            columns={column.name: _kind(column) for column in table.columns},
            key=[column.name for column in table.primary_key],
        )
        for table in Base.metadata.sorted_tables
    ]


def lines(db: Session, tables: Iterable[Heading]) -> Generator[bytes, None, None]:
    """The heading of each of `tables` and its rows in the order of its key, without newlines.

    The same content gives the same bytes on both databases.
    """
    for heading in tables:
        yield heading.model_dump_json().encode()
        yield from _rows(db.connection(), heading)


def fill(db: Session, given: Iterable[bytes]) -> None:
    """Store the rows that `given` lines tell, in tables that are made already, with every number as it was.

    Rows that the migrations themselves put there give way.

    Raises:
        Malformed: a line is not one that `lines` makes, or a table is not one of the schema.
    """
    connection = db.connection()
    schema = {name: _columns(connection, name) for name in inspect(connection).get_table_names()}
    batches: list[_Batch] = []
    for line in given:
        if line.startswith(b"{"):
            for done in batches:
                done.end()
            batches = [_Batch(connection, _heading(line), schema)]
        else:
            batches[-1].add(line)
    for done in batches:
        done.end()


class _Batch:
    """Rows of one table on their way into it."""

    def __init__(self, connection: Connection, heading: Heading, schema: dict[str, set[str]]) -> None:
        if schema.get(heading.table) != heading.columns.keys():
            raise Malformed(f"the schema has no table {heading.table!r} with the columns that are told")
        self._connection = connection
        self._table = _table(heading)
        self._reading = [(name, _READING[kind]) for name, kind in heading.columns.items()]
        self._rows: list[dict[str, Any]] = []
        self._bytes = 0
        # A key names the one that replaced it, which was made later and so may come later.
        self._later: list[dict[str, Any]] = []
        if connection.execute(select(self._table).limit(1)).first() is not None:
            connection.execute(self._table.delete())

    def add(self, line: bytes) -> None:
        try:
            values = json.loads(line)
            row = {
                name: None if value is None else read(value)
                for (name, read), value in zip(self._reading, values, strict=True)
            }
        except (TypeError, ValueError) as error:
            raise Malformed(f"a row of {self._table.name} cannot be read: {error}") from error
        if row.get("replaced_by") is not None:
            self._later.append({"the_id": row["id"], "replaced_by": row["replaced_by"]})
            row["replaced_by"] = None
        self._rows.append(row)
        self._bytes += len(line)
        if len(self._rows) >= _ROWS_AT_A_TIME or self._bytes >= _BYTES_AT_A_TIME:
            self._store()

    def end(self) -> None:
        """Store what is left, and set the counter of a table that numbers its rows by itself."""
        self._store()
        if self._later:
            replaced = text("UPDATE keys SET replaced_by = :replaced_by WHERE id = :the_id")
            self._connection.execute(replaced, self._later)
        if self._connection.dialect.name == "postgresql" and "id" in self._table.columns:
            counted = text("SELECT pg_get_serial_sequence(:table, 'id')")
            counter = self._connection.execute(counted, {"table": self._table.name}).scalar()
            if counter:
                greatest = func.max(self._table.c.id)
                self._connection.execute(
                    select(func.setval(counter, func.coalesce(greatest, 1), greatest.is_not(None)))
                )

    def _store(self) -> None:
        if self._rows:
            self._connection.execute(self._table.insert(), self._rows)
        self._rows, self._bytes = [], 0


def _kind(column: Column[Any]) -> Kind:
    return next(kind for types, kind in _KINDS if isinstance(column.type, types))


def _table(heading: Heading) -> Table:
    """A table by which to read and store rows of any revision, which may not be that of the models."""
    columns = [Column(name, _TYPES[kind], primary_key=name in heading.key) for name, kind in heading.columns.items()]
    return Table(heading.table, MetaData(), *columns)


def _columns(connection: Connection, table: str) -> set[str]:
    return {column["name"] for column in inspect(connection).get_columns(table)}


def _heading(line: bytes) -> Heading:
    try:
        return Heading.model_validate_json(line)
    except ValidationError as error:
        raise Malformed("what should name a table and its columns does not") from error


def _rows(connection: Connection, heading: Heading) -> Iterator[bytes]:
    table = _table(heading)
    order: list[Any] = [table.columns[name] for name in heading.key]
    if connection.dialect.name == "postgresql":
        # SQLite sorts texts by their bytes, PostgreSQL by the language of the database.
        order = [one.collate("C") if heading.columns[one.name] == "text" else one for one in order]
    few = _FEW_AT_A_TIME if heading.table in _WIDE else _ROWS_AT_A_TIME
    with connection.execute(select(table).order_by(*order), execution_options={"yield_per": few}) as rows:
        for row in rows:
            yield json.dumps(list(row), ensure_ascii=False, separators=(",", ":"), default=_written).encode()


def _written(value: Any) -> str:
    return written(value) if isinstance(value, datetime) else str(value)


def _moment(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


def _as_it_is(value: Any) -> Any:
    return value


_READING: dict[Kind, Callable[[Any], Any]] = {
    "moment": _moment,
    "json": _as_it_is,
    "day": date.fromisoformat,
    "boolean": _as_it_is,
    "integer": _as_it_is,
    "text": _as_it_is,
}
