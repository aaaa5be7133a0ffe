"""All counts or statuses in force as lines of CSV, read and written a piece at a time.

Each piece is read in a snapshot of its own; since entries are never changed or deleted, all of them together are what
held at one moment. Which entry is the last of its slot is seen by the one that follows it: asking the database whether
there is a later one costs as much as a quarter of all else. What a line says of its municipality or organisation is
written once and then put together as text: making a model of each row, as for JSON, takes twenty times as long. That
text has a character for each byte of UTF-8, so that all of it becomes bytes at the speed of a copy.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar

from sqlalchemy import bindparam, func, tuple_
from sqlmodel import Session, col, select

from app.access.models import Organisation
from app.clock import written
from app.database import LARGEST_ID
from app.formats.delimited import csv_cells
from app.periods import period
from app.reports.lists import Asked, Shown, Slot, status_key
from app.reports.models import CountPublic, StatusPublic
from app.reports.tables import CountEntry, StatusEntry, Submission
from app.web.pieces import Piece

FIRST_ROWS = 500
"""Few, so that the answer begins at once; what has fewer is answered whole."""

ROWS_AT_ONCE = 2_000
"""Some 250 kB, and 5 ms of work; with more of them the processor's caches are too small."""

MOST_MOMENTS = 10_000
"""How many moments are remembered from one piece to the next."""

_BYTES = "latin-1"
"""The encoding that has a character for each byte."""

_NOWHERE = ("", "", "")
"""The slot that all others stand behind."""

_NONE = (None, None, None)
"""What follows the last entry."""

Value = TypeVar("Value")
Row = Sequence[Any]
Write = Callable[[Iterable[Row], Mapping[int, str]], str]
"""Writes rows as lines, a character for each byte; it is handed besides, by submission, when each was recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The lines of a CSV behind the slot `after`, read in pieces (see app.web.pieces).

    `query` selects what a line is written of, of every entry: its slot comes first, then the figure, None if that was
    withdrawn, then the entry, and last the submission.
    """

    columns: Iterable[str]
    query: Any
    key: Callable[[Slot], Row]
    """What a slot is compared with, as the query's columns have it."""
    after: Slot
    write: Write
    identity: bytes
    """The moment and all names that the lines tell; the rest is in the address, or in the first piece."""
    moments: "_Moments" = field(default_factory=lambda: _Moments())

    def piece(self, db: Session, begin: Any) -> Piece:
        """The names of the columns and the first lines if `begin` is None, else those behind that slot and entry."""
        most = ROWS_AT_ONCE if begin else FIRST_ROWS
        slot, entry = begin or (self.after, LARGEST_ID)
        # As the driver gives them: an object of SQLAlchemy's for each row costs half as much as all else.
        cursor: Any = db.connection().execute(self.query, _parameters((*self.key(slot), entry), most)).cursor
        rows: Sequence[Row] = cursor.fetchall()
        full = len(rows) == most
        in_force = _in_force(rows) if full else _in_force([*rows, _NONE])
        text = self.write(in_force, self.moments.of(db, {row[-1] for row in in_force}))
        heading = "" if begin else f"{_cells(self.columns)}\r\n"
        # The last row is read again, to see what follows it.
        return Piece((heading + text).encode(_BYTES), _place(rows[-2]) if full else None)


def lines_of_counts(db: Session, asked: Asked) -> Lines:
    """The counts that are asked for."""
    names = {owner: name for owner, name in db.exec(select(Organisation.id, Organisation.name)) if owner is not None}
    places, periods = _places(asked.shown), _Written(_period)
    organisations = _Written[int](lambda owner: _cells([names[owner]]))

    def write(rows: Iterable[Row], moments: Mapping[int, str]) -> str:
        return "".join(
            [
                f"{practice},{places[code]},{periods[about]},{through or ''},{sessions},{entry},"
                f"{organisations[by]},{moments[submission]}\r\n"
                for practice, code, about, sessions, entry, through, by, submission in rows
            ]
        )

    return Lines(
        columns=CountPublic.model_fields,
        query=_counts().where(CountEntry.recorded_at <= asked.moment, *asked.conditions),
        key=tuple,
        after=asked.after or _NOWHERE,
        write=write,
        identity=repr((asked.moment, _named(asked.shown), names)).encode(),
    )


def lines_of_statuses(asked: Asked) -> Lines:
    """The statuses that are asked for."""
    places = _places(asked.shown)

    def write(rows: Iterable[Row], moments: Mapping[int, str]) -> str:
        return "".join(
            [
                f"{practice},{places[code]},{day},{precision},{status},{entry},{moments[submission]}\r\n"
                for practice, code, day, status, entry, precision, submission in rows
            ]
        )

    return Lines(
        columns=StatusPublic.model_fields,
        query=_statuses().where(StatusEntry.recorded_at <= asked.moment, *asked.conditions),
        key=status_key,
        after=asked.after or _NOWHERE,
        write=write,
        identity=repr((asked.moment, _named(asked.shown))).encode(),
    )


@cache
def _counts() -> Any:
    """What the lines of counts are written of."""
    key: list[Any] = [CountEntry.practice, CountEntry.municipality, CountEntry.period]
    through = func.nullif(CountEntry.counted_to, CountEntry.last_day)
    told = [CountEntry.sessions, CountEntry.id, through, CountEntry.organisation_id, CountEntry.submission_id]
    return _in_order(select(*key, *told), *key, CountEntry.id)


@cache
def _statuses() -> Any:
    """What the lines of statuses are written of."""
    key: list[Any] = [StatusEntry.practice, StatusEntry.municipality, StatusEntry.day]
    told = [StatusEntry.status, StatusEntry.id, StatusEntry.date_precision, StatusEntry.submission_id]
    return _in_order(select(*key, *told), *key, StatusEntry.id)


def _in_order(query: Any, *key: Any) -> Any:
    """`query` in the order of its `key`, for as many rows behind a place as `_parameters` say.

    Made once for all: putting a statement together takes longer than finding where it begins.
    """
    after = [bindparam(f"after_{place}", type_=column.type) for place, column in enumerate(key)]
    return query.where(tuple_(*key) > tuple_(*after)).order_by(*key).limit(bindparam("most"))


def _in_force(rows: Sequence[Row]) -> list[Row]:
    """Of `rows` in the order of slot and entry, but for the last of them: those that hold, last of their slot."""
    return [
        row
        for row, later in pairwise(rows)
        if (row[2] != later[2] or row[1] != later[1] or row[0] != later[0]) and row[3] is not None
    ]


def _place(row: Row) -> tuple[Slot, int]:
    """The slot and entry of `row`."""
    practice, municipality, period_or_day, _figure, entry = row[:5]
    return (practice, municipality, str(period_or_day)), entry


def _parameters(after: Row, most: int) -> dict[str, Any]:
    return {"most": most} | {f"after_{place}": value for place, value in enumerate(after)}


class _Written(dict[Value, str]):
    """By value: the cells that `write` makes of it, made once."""

    def __init__(self, write: Callable[[Value], str]) -> None:
        self.write = write

    def __missing__(self, value: Value) -> str:
        self[value] = self.write(value)
        return self[value]


def _cells(values: Iterable[Any]) -> str:
    """`values` as cells, a character for each byte."""
    return csv_cells(values).encode().decode(_BYTES)


def _period(text: str) -> str:
    about = period(text)
    return f"{about.text},{about.first},{about.last}"


def _places(shown: Mapping[str, Shown]) -> _Written[str]:
    """By the code it was reported under: what a line says of a municipality."""
    return _Written(lambda code: _cells(_names(code, shown[code])))


def _named(shown: Mapping[str, Shown]) -> list[Row]:
    return [_names(code, one) for code, one in shown.items()]


def _names(code: str, shown: Shown) -> Row:
    return shown.under.code, shown.under.name_fi, shown.under.name_sv, code, shown.under.county


class _Moments:
    """When submissions were recorded, of which those of one piece are mostly those of the piece before."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def of(self, db: Session, submissions: set[int]) -> Mapping[int, str]:
        """By number: the moment of each of `submissions`, and perhaps of more."""
        known = self._known
        if not submissions <= known.keys():
            kept = known if len(known) < MOST_MOMENTS else {}
            known = self._known = kept | _moments(db, submissions - kept.keys())
        return known


def _moments(db: Session, submissions: set[int]) -> dict[int, str]:
    recorded = select(Submission.id, Submission.recorded_at).where(col(Submission.id).in_(submissions))
    return {number: written(at) for number, at in db.exec(recorded)}
