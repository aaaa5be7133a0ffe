"""Taking back a whole submission: every figure that it changed is again what it had been before."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from app.access.scope import Caller, NotCovered
from app.database import hold_turn
from app.errors import FieldError, InvalidRequest, Problem
from app.places.register import municipalities
from app.reports.entries import AnyEntry, PlainCount, plain
from app.reports.ledger import AnEntry, Decision, Entry, Key, about, counts_in_force, same_slot, store, withdrawn
from app.reports.models import ListName, Outcome
from app.reports.notes import HOLDS_IDENTITY_CODE, holds_personal_identity_code
from app.reports.rules import Overlapping
from app.reports.submissions import NewReceipt, own_submission
from app.reports.tables import WITHDRAWN, CountEntry, StatusEntry, Submission

Slot = tuple[str, str, str | date]
"""Practice, municipality, and the period or day: what an entry is about."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a submission changed of one figure: its entry, the last one before it, the latest one there is.

    `as_left` is True if nobody changed the figure since, or if whatever was changed since was itself taken back.
    """

    own: Entry
    before: Entry | None
    latest: Entry
    as_left: bool


class NothingToRetract(Problem):
    """No figure is as the submission left it: it changed none, or each was changed again or withdrawn since."""

    status_code = 409
    title = "There is nothing left to retract"


def retract_submission(db: Session, submission_id: int, *, reason: str, by: Caller, at: datetime) -> NewReceipt:
    """Make every figure that the submission changed what it was before: the one that held then, or none.

    What it superseded or retracted holds again too, in the name of the organisation that had reported it. A figure
    that was changed again or withdrawn since stays as it is, unless that was taken back: its row says `unchanged`. The
    rows of the receipt are in the order of the submission's entries.

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
    _check_scope(db, [change.own for change in (*counts, *statuses)], by)
    if holds_personal_identity_code(reason):
        error = FieldError(pointer="/reason", detail=HOLDS_IDENTITY_CODE)
        raise InvalidRequest(f"{error.pointer}: {error.detail}", errors=[error])
    decisions = [_decision(index, change) for changes in (counts, statuses) for index, change in enumerate(changes)]
    changing = [decision for decision in decisions if decision.added]
    if not changing:
        detail = f"none of the {len(decisions)} figures that submission {submission_id} changed is as it left it"
        raise NothingToRetract(detail)
    _check_overlaps(db, [decision.added for decision in changing if isinstance(decision.added, PlainCount)])
    for decision in changing:
        decision.note = reason
    return store(db, decisions, by=by, at=at, retracts=submission_id)


def _changes(db: Session, table: type[AnEntry], submission_id: int) -> list[Change]:
    """What the submission changed, in the order of its entries."""
    own: Any = aliased(table)
    query: Any = select(table, Submission.retracts).join(Submission, col(Submission.id) == table.submission_id)
    query = query.join(own, same_slot(own, table) & (own.submission_id == submission_id)).order_by(table.id)
    histories: dict[Slot, list[tuple[Entry, int | None]]] = defaultdict(list)
    for entry, retracts in db.exec(query):
        histories[_slot(entry)].append((entry, retracts))
    changes = [_change(history, submission_id) for history in histories.values()]
    return sorted(changes, key=lambda change: change.own.id)


def _change(history: Sequence[tuple[Entry, int | None]], submission_id: int) -> Change:
    """What the submission changed of the figure with this `history`: its entries, and what their posts retract."""
    entries: dict[int, Entry] = {}
    # By submission: whose figure it found and whose it left, 0 for none.
    found: dict[int | None, int] = {}
    left = {0: 0}
    latest = 0
    for entry, retracts in history:
        found[entry.submission_id] = left[latest]
        latest = entry.submission_id
        # A retraction leaves what the retracted one had found, any other post its own.
        left[latest] = found.get(retracts, latest)
        entries[latest] = entry
    before = [entry for entry in entries.values() if entry.id < entries[submission_id].id]
    as_left = left[latest] == left[submission_id]
    return Change(entries[submission_id], before[-1] if before else None, entries[latest], as_left)


def _decision(index: int, change: Change) -> Decision:
    latest, before = change.latest, change.before
    list_name: ListName = "counts" if isinstance(latest, CountEntry) else "statuses"
    if not change.as_left:
        return Decision(list_name, index, "unchanged", standing=latest if _holds(latest) else None)
    if before is None or not _holds(before):
        return Decision(list_name, index, "retracted", added=withdrawn(latest), standing=latest)
    outcome: Outcome = "corrected" if _holds(latest) else "created"
    restored = plain(before, outcome=outcome, note_hash=None)
    return Decision(list_name, index, outcome, added=restored, standing=latest)


def _check_scope(db: Session, entries: Sequence[Entry], by: Caller) -> None:
    places = municipalities(db, codes={entry.municipality for entry in entries})
    outside = [f"{place.code} {place.name_fi}" for place in places.values() if not by.scope.covers(place)]
    errors = [FieldError(parameter="id", detail=f"the key does not cover {name}") for name in outside]
    if errors:
        raise NotCovered(errors[0].detail, errors=errors)


def _check_overlaps(db: Session, changing: Collection[PlainCount]) -> None:
    """Refuse a count that would hold again beside one that shares days with it and does not give way."""
    restored: dict[Key, list[PlainCount]] = defaultdict(list)
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


def _slot(entry: AnyEntry) -> Slot:
    return entry.practice, entry.municipality, entry.period if isinstance(entry, PlainCount | CountEntry) else entry.day


def _holds(entry: AnyEntry) -> bool:
    """True if the entry states a figure, False if it withdraws one."""
    return entry.outcome not in WITHDRAWN
