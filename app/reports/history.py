"""One figure: the entry in force, and every entry that was ever made about it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from app.clock import written
from app.errors import NotFound
from app.reports.ledger import counts_in_force, history, statuses_in_force, through
from app.reports.models import CountHistoryRow, ListName, StatusHistoryRow
from app.reports.submissions import organisation_names
from app.reports.tables import CountEntry, Note, StatusEntry


def count_in_force(
    db: Session, practice: str, municipality: str, period: str, *, moment: datetime | None
) -> CountEntry:
    """The count that held at `moment` (None is now).

    Raises:
        NotFound: there was none.
    """
    found = counts_in_force(db, *_count_key(practice, municipality, period), moment=moment)
    if not found:
        raise NotFound(f"no count of {practice} is recorded for {municipality} in {period}")
    return found[0]


def status_in_force(
    db: Session, practice: str, municipality: str, day: date, *, moment: datetime | None
) -> StatusEntry:
    """The status dated `day` that held at `moment` (None is now).

    Raises:
        NotFound: there was none.
    """
    found = statuses_in_force(db, *_status_key(practice, municipality, day), moment=moment)
    if not found:
        raise NotFound(f"no status of {practice} is recorded for {municipality} on {day}")
    return found[0]


def count_history(
    db: Session, practice: str, municipality: str, period: str, *, moment: datetime | None
) -> list[CountHistoryRow]:
    """Every entry about the count up to `moment` (None is now), oldest first.

    Raises:
        NotFound: there is none.
    """
    entries = history(db, CountEntry, *_count_key(practice, municipality, period), moment=moment)
    if not entries:
        raise NotFound(f"no count of {practice} was ever recorded for {municipality} in {period}")
    notes, names = (
        _notes(db, "counts", entries),
        organisation_names(db, (one.organisation_id for one in entries)),
    )
    return [
        CountHistoryRow.model_validate(
            {
                **_common(entry),
                "sessions": entry.sessions,
                "through": through(entry),
                "submission": entry.submission_id,
                "organisation": names[entry.organisation_id],
                "note": notes.get(entry.id),
            }
        )
        for entry in entries
    ]


def status_history(
    db: Session, practice: str, municipality: str, day: date, *, moment: datetime | None, whole: bool
) -> list[StatusHistoryRow]:
    """Every entry about the status up to `moment` (None is now), oldest first; reporter and note only if `whole`.

    Raises:
        NotFound: there is none.
    """
    entries = history(db, StatusEntry, *_status_key(practice, municipality, day), moment=moment)
    if not entries:
        raise NotFound(f"no status of {practice} was ever recorded for {municipality} on {day}")
    notes = _notes(db, "statuses", entries) if whole else {}
    names = organisation_names(db, (one.organisation_id for one in entries)) if whole else {}
    return [
        StatusHistoryRow.model_validate(
            {
                **_common(entry),
                "status": entry.status,
                "date_precision": entry.date_precision,
                "submission": entry.submission_id if whole else None,
                "organisation": names.get(entry.organisation_id),
                "note": notes.get(entry.id),
            }
        )
        for entry in entries
    ]


def _common(entry: CountEntry | StatusEntry) -> dict[str, Any]:
    return {"entry": entry.id, "outcome": entry.outcome, "recorded_at": written(entry.recorded_at)}


def _count_key(practice: str, municipality: str, period: str) -> list[ColumnElement[bool]]:
    return [
        col(CountEntry.practice) == practice,
        col(CountEntry.municipality) == municipality,
        col(CountEntry.period) == period,
    ]


def _status_key(practice: str, municipality: str, day: date) -> list[ColumnElement[bool]]:
    return [
        col(StatusEntry.practice) == practice,
        col(StatusEntry.municipality) == municipality,
        col(StatusEntry.day) == day,
    ]


def _notes(db: Session, list_name: ListName, entries: Sequence[CountEntry | StatusEntry]) -> dict[int, str]:
    ids = [entry.id for entry in entries if entry.note_hash]
    found = db.exec(select(Note).where(Note.list == list_name, col(Note.entry).in_(ids)))
    return {note.entry: note.text for note in found}
