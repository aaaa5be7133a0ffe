"""The ledger: which entries hold, and how new ones are added under one receipt."""

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, exists, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from app.access.scope import Caller
from app.errors import FieldError
from app.reports.models import ListName, Outcome, PlausibilityWarning, ReceiptRow
from app.reports.notes import note_for, salted
from app.reports.submissions import add_receipt
from app.reports.tables import CountEntry, StatusEntry, Submission

Entry = CountEntry | StatusEntry
AnEntry = TypeVar("AnEntry", CountEntry, StatusEntry)
Key = tuple[str, str]
"""Practice and municipality."""


@dataclass(slots=True)
class Decision:
    """What becomes of one row: the entry it adds if any, the entries it takes the place of, what is said about it."""

    list_name: ListName
    index: int
    outcome: Outcome
    added: Entry | None = None
    standing: Entry | None = None
    superseded: Sequence[CountEntry] = ()
    note: str | None = None
    warnings: list[PlausibilityWarning] = field(default_factory=list)
    errors: list[FieldError] = field(default_factory=list)


def counts_in_force(
    db: Session, *conditions: ColumnElement[bool], moment: datetime | None = None, limit: int | None = None
) -> Sequence[CountEntry]:
    """The counts that held at `moment` (None is now) and meet `conditions`, by practice, municipality and period."""
    order = (CountEntry.practice, CountEntry.municipality, CountEntry.period)
    found: Sequence[CountEntry] = db.exec(counts_query(*conditions, moment=moment).order_by(*order).limit(limit)).all()
    return found


def statuses_in_force(
    db: Session, *conditions: ColumnElement[bool], moment: datetime | None = None, limit: int | None = None
) -> Sequence[StatusEntry]:
    """The statuses that held at `moment` (None is now) and meet `conditions`, by practice, municipality and day."""
    order = (StatusEntry.practice, StatusEntry.municipality, StatusEntry.day)
    found: Sequence[StatusEntry] = db.exec(
        statuses_query(*conditions, moment=moment).order_by(*order).limit(limit)
    ).all()
    return found


def counts_query(*conditions: ColumnElement[bool], moment: datetime | None) -> Any:
    """The statement that selects the counts that held at `moment` (None is now) and meet `conditions`."""
    return _in_force(CountEntry, moment).where(col(CountEntry.sessions).is_not(None), *conditions)


def statuses_query(*conditions: ColumnElement[bool], moment: datetime | None) -> Any:
    """The statement that selects the statuses that held at `moment` (None is now) and meet `conditions`."""
    return _in_force(StatusEntry, moment).where(col(StatusEntry.status).is_not(None), *conditions)


def history(
    db: Session, table: type[AnEntry], *conditions: ColumnElement[bool], moment: datetime | None = None
) -> Sequence[AnEntry]:
    """Every entry recorded up to `moment` (None is now) that meets `conditions`, oldest first."""
    query: Any = select(table).where(*conditions).order_by(col(table.id))
    if moment is not None:
        query = query.where(table.recorded_at <= moment)
    entries: Sequence[AnEntry] = db.exec(query).all()
    return entries


def about(table: type[Entry], keys: Collection[Key]) -> ColumnElement[bool]:
    """The condition that an entry is about one of the practices and municipalities in `keys`.

    It may hold for a few more, where several practices and municipalities are mixed.
    """
    practices = {practice for practice, _ in keys}
    municipalities = {municipality for _, municipality in keys}
    return col(table.practice).in_(practices) & col(table.municipality).in_(municipalities)


def same_slot(one: Any, other: Any) -> ColumnElement[bool]:
    """The condition that two entries of one table are about the same: practice, municipality, and period or day."""
    slot = "period" if hasattr(one, "period") else "day"
    return and_(*(getattr(one, name) == getattr(other, name) for name in ("practice", "municipality", slot)))


def store(
    db: Session, decisions: Sequence[Decision], *, by: Caller, at: datetime, retracts: int | None = None
) -> Submission:
    """Add the entries of `decisions` and their receipt, which says that it takes back `retracts`; the receipt.

    An entry that names its organisation keeps it: it restores what that one had reported. Others name the caller's.
    Runs inside the turn that `at` was taken in (see app.database.take_turn): ids and the chain have no gap.
    """
    submission_id = _last_id(db, Submission) + 1
    entries: list[Entry] = [*_withdrawals(decisions), *(one.added for one in decisions if one.added)]
    next_ids = {table: itertools.count(_last_id(db, table) + 1) for table in (CountEntry, StatusEntry)}
    for entry in entries:
        entry.id = next(next_ids[type(entry)])
        entry.submission_id, entry.recorded_at = submission_id, at
        entry.organisation_id = entry.organisation_id or by.organisation_id
    for decision in decisions:
        if decision.added and decision.note:
            salt, decision.added.note_hash = salted(decision.note)
            db.add(note_for(decision.list_name, decision.added.id, salt=salt, text=decision.note))
    receipt = add_receipt(
        db,
        submission_id,
        rows=[receipt_row(decision) for decision in decisions],
        entries=entries,
        by=by,
        at=at,
        retracts=retracts,
    )
    db.flush()  # Entries refer to the receipt, and without a relationship the session would insert in any order.
    db.add_all(entries)
    return receipt


def withdrawn(entry: Entry, outcome: str = "retracted") -> Entry:
    """What says that the figure of `entry` holds no longer; its number, who and when are set when it is stored."""
    figure = "sessions" if isinstance(entry, CountEntry) else "status"
    gone = {figure: None, "outcome": outcome, "organisation_id": None, "note_hash": None}
    return type(entry)(**entry.model_dump() | gone)


def receipt_row(decision: Decision) -> ReceiptRow:
    """What the receipt says of `decision`; before it is stored, a new entry has no number yet."""
    holds = decision.added or decision.standing
    return ReceiptRow(
        list=decision.list_name,
        index=decision.index,
        outcome=decision.outcome,
        entry=holds.id if holds else None,
        superseded=tuple(entry.id for entry in decision.superseded),
        warnings=tuple(decision.warnings),
        errors=tuple(decision.errors),
    )


def entry_etag(entry: Entry) -> str:
    """The strong ETag of the figure that `entry` states."""
    return f'"{entry.id}"'


def _in_force(table: Any, moment: datetime | None) -> Any:
    """The latest entry up to `moment` about everything that there are entries about."""
    if moment is None:
        return _in_force_now(table)
    later, same_key = _later_about_the_same(table)
    recorded_later = exists().where(same_key, later.recorded_at <= moment, later.id > table.id)
    return select(table).where(table.recorded_at <= moment, ~recorded_later)


# Putting these together takes longer than asking them; they are the same each time.
@cache
def _in_force_now(table: Any) -> Any:
    later, same_key = _later_about_the_same(table)
    return select(table).where(~exists().where(same_key, later.id > table.id))


@cache
def _later_about_the_same(table: Any) -> tuple[Any, ColumnElement[bool]]:
    """Entries of `table` under another name, and the condition that one is about the same as another."""
    later = aliased(table)
    return later, same_slot(later, table)


def _withdrawals(decisions: Sequence[Decision]) -> list[Entry]:
    """For each count that is superseded, also by several rows together, the entry that says so."""
    superseded = {entry.id: entry for decision in decisions for entry in decision.superseded}
    return [withdrawn(entry, "superseded") for entry in superseded.values()]


def _last_id(db: Session, table: type[Any]) -> int:
    return db.exec(select(func.max(table.id))).one() or 0


def through(entry: CountEntry) -> date | None:
    """The last day counted, None if the period was counted to its end."""
    return None if entry.counted_to == entry.last_day else entry.counted_to
