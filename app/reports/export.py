"""All counts or statuses in force as lines of CSV, read and written a piece at a time.

Each piece is read in a snapshot of its own; since entries are never changed or deleted, all of them together are what
held at one moment. What a line says of its municipality or organisation is written once and then put together as text:
making a model of each row, as for JSON, takes twenty times as long.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from app.access.models import Organisation
from app.clock import written
from app.formats.delimited import csv_cells
from app.periods import period
from app.reports.ledger import counts_query, statuses_query
from app.reports.lists import Asked, Shown, Slot, count_behind, status_behind
from app.reports.models import CountPublic, StatusPublic
from app.reports.tables import CountEntry, StatusEntry, Submission
from app.web.pieces import Piece

FIRST_ROWS = 500
"""Few, so that the answer begins at once; whatever has no more is answered whole."""

ROWS_AT_ONCE = 4_000
"""Some 500 kB, and 10 ms of work."""

Row = Sequence[Any]
Write = Callable[[Iterable[Row], Mapping[int, str]], str]
"""Writes rows as lines; it is handed besides, by submission, the moment that each was recorded at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The lines of a CSV, read in pieces (see app.web.pieces); behind the slot `after`, if there is one.

    `query` selects what a line is written of, in the order of the slots: a slot comes first, and the submission last.
    """

    columns: Iterable[str]
    query: Any
    behind: Callable[[Slot], ColumnElement[bool]]
    after: Slot | None
    write: Write
    identity: bytes
    """The moment and all names that the lines tell; the rest is in the address, or in the first piece."""

    def piece(self, db: Session, begin: Any) -> Piece:
        """The names of the columns and the first lines if `begin` is None, else those behind the slot `begin`."""
        after = begin or self.after
        query = self.query.where(self.behind(after)) if after else self.query
        # As the driver gives them: an object of SQLAlchemy's for each row costs half as much as all else.
        most = ROWS_AT_ONCE if begin else FIRST_ROWS
        cursor: Any = db.connection().execute(query.limit(most)).cursor
        rows: Sequence[Row] = cursor.fetchall()
        text = self.write(rows, _moments(db, {row[-1] for row in rows}))
        heading = "" if begin else f"{csv_cells(self.columns)}\r\n"
        return Piece((heading + text).encode(), _slot(rows[-1]) if len(rows) == most else None)


def lines_of_counts(db: Session, asked: Asked) -> Lines:
    """The counts that are asked for."""
    practices, places, periods = _Written(_cell), _places(asked.shown), _Written(_period)
    organisations = _organisations(db)

    def write(rows: Iterable[Row], moments: Mapping[int, str]) -> str:
        return "".join(
            [
                f"{practices[practice]},{places[code]},{periods[about]},{through or ''},{sessions},{entry},"
                f"{organisations[by]},{moments[submission]}\r\n"
                for practice, code, about, through, sessions, entry, by, submission in rows
            ]
        )

    query = counts_query(*asked.conditions, moment=asked.moment).with_only_columns(
        col(CountEntry.practice),
        col(CountEntry.municipality),
        col(CountEntry.period),
        func.nullif(CountEntry.counted_to, CountEntry.last_day),
        col(CountEntry.sessions),
        col(CountEntry.id),
        col(CountEntry.organisation_id),
        col(CountEntry.submission_id),
    )
    return Lines(
        columns=CountPublic.model_fields,
        query=query.order_by(CountEntry.practice, CountEntry.municipality, CountEntry.period),
        behind=count_behind,
        after=asked.after,
        write=write,
        identity=repr((asked.moment, places, organisations)).encode(),
    )


def lines_of_statuses(asked: Asked) -> Lines:
    """The statuses that are asked for."""
    practices, places = _Written(_cell), _places(asked.shown)

    def write(rows: Iterable[Row], moments: Mapping[int, str]) -> str:
        return "".join(
            [
                f"{practices[practice]},{places[code]},{day},{precision},{status},{entry},{moments[submission]}\r\n"
                for practice, code, day, precision, status, entry, submission in rows
            ]
        )

    query = statuses_query(*asked.conditions, moment=asked.moment).with_only_columns(
        col(StatusEntry.practice),
        col(StatusEntry.municipality),
        col(StatusEntry.day),
        col(StatusEntry.date_precision),
        col(StatusEntry.status),
        col(StatusEntry.id),
        col(StatusEntry.submission_id),
    )
    return Lines(
        columns=StatusPublic.model_fields,
        query=query.order_by(StatusEntry.practice, StatusEntry.municipality, StatusEntry.day),
        behind=status_behind,
        after=asked.after,
        write=write,
        identity=repr((asked.moment, places)).encode(),
    )


class _Written(dict[str, str]):
    """By value: the cells that `write` makes of it, made once."""

    def __init__(self, write: Callable[[str], str]) -> None:
        self.write = write

    def __missing__(self, value: str) -> str:
        self[value] = self.write(value)
        return self[value]


def _cell(text: str) -> str:
    return csv_cells([text])


def _period(text: str) -> str:
    about = period(text)
    return csv_cells([about.text, about.first, about.last])


def _places(shown: Mapping[str, Shown]) -> dict[str, str]:
    """By the code it was reported under: what a line says of a municipality."""
    return {
        code: csv_cells([one.under.code, one.under.name_fi, one.under.name_sv, code, one.under.county])
        for code, one in shown.items()
    }


def _organisations(db: Session) -> dict[int, str]:
    """By id: the name of every organisation there is."""
    named = select(Organisation.id, Organisation.name)
    return {owner: _cell(name) for owner, name in db.exec(named) if owner is not None}


def _moments(db: Session, submissions: set[int]) -> dict[int, str]:
    """By number of `submissions`: the moment that its entries were recorded at."""
    recorded = select(Submission.id, Submission.recorded_at).where(col(Submission.id).in_(submissions))
    return {number: written(at) for number, at in db.exec(recorded)}


def _slot(row: Row) -> Slot:
    practice, municipality, period_or_day = row[:3]
    return practice, municipality, str(period_or_day)
