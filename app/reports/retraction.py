"""Taking back a whole submission: every figure that it changed is again what it had been before."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from app.access.scope import Caller, NotCovered
from app.database import hold_turn
from app.errors import FieldError, InvalidRequest, Problem
from app.places.register import municipalities
from app.reports.ledger import AnEntry, Decision, Entry, Key, about, counts_in_force, store, withdrawn
from app.reports.models import ListName, Outcome, Receipt
from app.reports.notes import holds_personal_identity_code
from app.reports.rules import Overlapping
from app.reports.submissions import own_submission, receipt_of
from app.reports.tables import WITHDRAWN, CountEntry, StatusEntry

Slot = tuple[str, str, str | date]
"""Practice, municipality, and the period or day: what an entry is about."""


class NothingToRetract(Problem):
    """No figure is as the submission left it: it changed none, or each was changed again or withdrawn since."""

    status_code = 409
    title = "There is nothing left to retract"


def retract_submission(db: Session, submission_id: int, *, reason: str, by: Caller, at: datetime) -> Receipt:
    """Make every figure that the submission changed what it was before: the one that held then, or none.

    What it superseded or retracted holds again too, in the name of the organisation that had reported it. A figure
    that was changed again or withdrawn since stays as it is: its row says `unchanged`. The rows of the receipt are in
    the order of the submission's entries.

    Raises:
        NotFound: the caller's organisation has no such submission.
        NotCovered: a figure is about a municipality that the key does not cover.
        InvalidRequest: a personal identity code in `reason`.
        NothingToRetract: no figure is as the submission left it.
        Overlapping: a period that would hold again overlaps one that was posted since.
    """
    own_submission(db, submission_id, by=by)
    counts = _changes(db, CountEntry, submission_id)
    statuses = _changes(db, StatusEntry, submission_id)
    hold_turn(db, rows=len(counts) + len(statuses))
    _check_scope(db, [own for own, *_ in (*counts, *statuses)], by)
    if holds_personal_identity_code(reason):
        detail = "holds a personal identity code; leave it out, nobody needs it here"
        raise InvalidRequest(f"/reason: {detail}", errors=[FieldError(pointer="/reason", detail=detail)])
    decisions = [_decision(index, *change) for changes in (counts, statuses) for index, change in enumerate(changes)]
    changing = [decision for decision in decisions if decision.added]
    if not changing:
        detail = f"none of the {len(decisions)} figures that submission {submission_id} changed is as it left it"
        raise NothingToRetract(detail)
    _check_overlaps(db, [decision.added for decision in changing if isinstance(decision.added, CountEntry)])
    for decision in changing:
        decision.note = reason
    return receipt_of(store(db, decisions, by=by, at=at, retracts=submission_id), by.organisation)


def _changes(db: Session, table: type[AnEntry], submission_id: int) -> list[tuple[Entry, Entry, Entry | None]]:
    """Each entry of the submission, in their order, with the latest one about the same, and the last one before it."""
    own = db.exec(select(table).where(table.submission_id == submission_id).order_by(col(table.id))).all()
    latest = {_slot(entry): entry for entry in _neighbours(db, table, submission_id, before=False)}
    before = {_slot(entry): entry for entry in _neighbours(db, table, submission_id, before=True)}
    return [(entry, latest[_slot(entry)], before.get(_slot(entry))) for entry in own]


def _neighbours(db: Session, table: type[Any], submission_id: int, *, before: bool) -> Sequence[Any]:
    """For each slot of the submission: its latest entry, or the last one `before` the submission's."""
    own, between = aliased(table), aliased(table)
    query = select(table).join(own, and_(_same_slot(own, table), own.submission_id == submission_id))
    nearer = [_same_slot(between, table), between.id > table.id]
    if before:
        query = query.where(table.id < own.id)
        nearer.append(between.id < own.id)
    found: Sequence[Any] = db.exec(query.where(~exists().where(*nearer))).all()
    return found


def _same_slot(one: Any, other: Any) -> ColumnElement[bool]:
    slot = "period" if hasattr(one, "period") else "day"
    return and_(*(getattr(one, name) == getattr(other, name) for name in ("practice", "municipality", slot)))


def _decision(index: int, own: Entry, latest: Entry, before: Entry | None) -> Decision:
    list_name: ListName = "counts" if isinstance(own, CountEntry) else "statuses"
    if latest.id != own.id:
        return Decision(list_name, index, "unchanged", standing=latest if _holds(latest) else None)
    if before is None or not _holds(before):
        return Decision(list_name, index, "retracted", added=withdrawn(own), standing=own)
    outcome: Outcome = "corrected" if _holds(own) else "created"
    restored = type(own)(**before.model_dump() | {"outcome": outcome, "note_hash": None})
    return Decision(list_name, index, outcome, added=restored, standing=own)


def _check_scope(db: Session, entries: Sequence[Entry], by: Caller) -> None:
    places = municipalities(db, codes={entry.municipality for entry in entries})
    outside = [f"{place.code} {place.name_fi}" for place in places.values() if not by.scope.covers(place)]
    errors = [FieldError(parameter="id", detail=f"the key does not cover {name}") for name in outside]
    if errors:
        raise NotCovered(errors[0].detail, errors=errors)


def _check_overlaps(db: Session, changing: Collection[CountEntry]) -> None:
    """Refuse a count that would hold again beside one that shares days with it and does not give way."""
    restored: dict[Key, list[CountEntry]] = defaultdict(list)
    for entry in changing:
        if _holds(entry):
            restored[entry.practice, entry.municipality].append(entry)
    giving_way = {_slot(entry) for entry in changing}
    overlaps = [
        f"{back.period} of {back.municipality} would hold again beside {other.period} (entry {other.id})"
        for other in counts_in_force(db, about(CountEntry, restored.keys()))
        if _slot(other) not in giving_way
        for back in restored[other.practice, other.municipality]
        if back.first_day <= other.last_day and other.first_day <= back.last_day
    ]
    if overlaps:
        errors = [FieldError(parameter="id", detail=detail) for detail in overlaps]
        raise Overlapping(f"{overlaps[0]}; retract that one first", errors=errors)


def _slot(entry: Entry) -> Slot:
    return entry.practice, entry.municipality, entry.period if isinstance(entry, CountEntry) else entry.day


def _holds(entry: Entry) -> bool:
    """True if the entry states a figure, False if it withdraws one."""
    return entry.outcome not in WITHDRAWN
