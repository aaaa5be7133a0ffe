"""Receipts: what a caller is told was stored, chained by hash so that nothing can be altered unseen."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any

from pydantic import TypeAdapter
from sqlmodel import Session, col, select

from app.access.chain import canonical
from app.access.models import Organisation
from app.access.scope import Caller
from app.clock import written
from app.errors import NotFound
from app.reports.entries import AnyEntry, PlainCount
from app.reports.models import OUTCOMES, ReceiptRow, ReceiptSummary
from app.reports.tables import CountEntry, Submission

_ROWS = TypeAdapter(list[ReceiptRow])
_SUMMARISED = [
    col(getattr(Submission, name))
    for name in ("id", "recorded_at", "key_id", "retracts", *OUTCOMES, "previous_hash", "hash")
]
_OWN = ("id", "key_id", "organisation_id", "previous_hash", "recorded_at", "retracts")
_ENTRIES_AT_ONCE = 1_000
_CHARACTERS_AT_ONCE = 1_000_000
_NO_ROWS = '"rows":[]'
_TOLD = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
_written = lru_cache(maxsize=16)(written)
_day = lru_cache(maxsize=4096, typed=True)(str)


@dataclass(slots=True)
class NewReceipt:
    """A row of submissions that is about to be stored; that of a dry run is not, and has no number and no hashes."""

    organisation_id: int
    key_id: str
    recorded_at: datetime
    rows: str
    created: int
    corrected: int
    unchanged: int
    retracted: int
    rejected: int
    id: int | None = None
    retracts: int | None = None
    previous_hash: str | None = None
    hash: str | None = None


def content_hash(receipt: Submission | NewReceipt, entries: Iterable[AnyEntry]) -> str:
    """SHA-256 in hexadecimal over the canonical content of `receipt`, its `entries` and the hash before it.

    An entry counts with all its columns; of a note only the salted hash, so that erasing a note breaks nothing. The
    numbers of rows are left out, since the rows tell them. Canonical form: see app.access.chain. What can be long is
    hashed in pieces, since a large submission would be held several times as a whole.
    """
    # The names stand in their order: entries, those of `own`, rows.
    own = {name: value for name in _OWN if (value := getattr(receipt, name)) is not None}
    whole = hashlib.sha256(b'{"entries":[')
    texts = map(entry_text, entries)
    whole.update(next(texts, "").encode())
    while some := list(islice(texts, _ENTRIES_AT_ONCE)):
        whole.update(f",{','.join(some)}".encode())
    whole.update(f'],{canonical(own)[1:-1]},"rows":"'.encode())
    for begin in range(0, len(receipt.rows), _CHARACTERS_AT_ONCE):
        whole.update(canonical(receipt.rows[begin : begin + _CHARACTERS_AT_ONCE])[1:-1].encode())
    whole.update(b'"}')
    return whole.hexdigest()


def entry_text(entry: AnyEntry) -> str:
    """`entry` with all its columns in canonical form; none of its texts can hold what JSON writes otherwise.

    One that was altered to hold such, or to be of another kind, comes out as no acknowledged one does.
    """
    note = "null" if entry.note_hash is None else f'"{entry.note_hash}"'
    if isinstance(entry, PlainCount | CountEntry):
        sessions = "null" if entry.sessions is None else repr(entry.sessions)
        return (
            f'{{"counted_to":"{_day(entry.counted_to)}","first_day":"{_day(entry.first_day)}","id":{entry.id!r},'
            f'"last_day":"{_day(entry.last_day)}","list":"counts","municipality":"{entry.municipality}","note_hash":{note},'
            f'"organisation_id":{entry.organisation_id!r},"outcome":"{entry.outcome}","period":"{entry.period}",'
            f'"practice":"{entry.practice}","recorded_at":"{_written(entry.recorded_at)}","sessions":{sessions},'
            f'"submission_id":{entry.submission_id!r}}}'
        )
    status = "null" if entry.status is None else f'"{entry.status}"'
    return (
        f'{{"date_precision":"{entry.date_precision}","day":"{_day(entry.day)}","id":{entry.id!r},"list":"statuses",'
        f'"municipality":"{entry.municipality}","note_hash":{note},"organisation_id":{entry.organisation_id!r},'
        f'"outcome":"{entry.outcome}","practice":"{entry.practice}","recorded_at":"{_written(entry.recorded_at)}",'
        f'"status":{status},"submission_id":{entry.submission_id!r}}}'
    )


def own_submission(db: Session, submission_id: int, *, by: Caller) -> Submission:
    """The submission, for a key of the organisation that posted it.

    Raises:
        NotFound: there is none, or it is another organisation's.
    """
    stored = db.get(Submission, submission_id)
    if stored is None or stored.organisation_id != by.organisation_id:
        raise NotFound(f"your organisation has no submission {submission_id}")
    return stored


def own_receipts(
    db: Session, *, by: Caller, before: int | None, limit: int | None
) -> tuple[list[ReceiptSummary], str | None]:
    """At most `limit` receipts (None: all) of the caller's organisation, newest first, and where the next page begins.

    With `before` only those with a smaller number.
    """
    query: Any = select(*_SUMMARISED).where(Submission.organisation_id == by.organisation_id)
    if before is not None:
        query = query.where(Submission.id < before)
    one_more = None if limit is None else limit + 1
    page = db.exec(query.order_by(col(Submission.id).desc()).limit(one_more)).all()
    found = page[:limit]
    retracted_by = _retracted_by(db, first=found[-1].id, last=found[0].id, by=by) if found else {}
    rows = [
        ReceiptSummary(
            id=one.id,
            received_at=written(one.recorded_at),
            key=one.key_id,
            retracts=one.retracts,
            retracted_by=retracted_by.get(one.id),
            **outcomes_in(one),
            previous_hash=one.previous_hash,
            hash=one.hash,
        )
        for one in found
    ]
    return rows, str(rows[-1].id) if len(page) > len(found) else None


def receipt_json(stored: Submission | NewReceipt, organisation: str) -> bytes:
    """The receipt that `stored` keeps, as it is answered: a Receipt in JSON, its rows as they stand."""
    told = {
        "id": stored.id,
        "received_at": written(stored.recorded_at),
        "organisation": organisation,
        "retracts": stored.retracts,
        **outcomes_in(stored),
        "rows": (),
        "previous_hash": stored.previous_hash,
        "hash": stored.hash,
    }
    # What stands before is a number or in quotes, in which quotes are written otherwise.
    before, after = _TOLD.encode(told).split(_NO_ROWS)
    return b"".join((before.encode(), b'"rows":', stored.rows.encode(), after.encode()))


def outcomes_in(stored: Submission | NewReceipt) -> Mapping[str, int]:
    """How many rows of the receipt came to each outcome, as it says itself."""
    return {outcome: getattr(stored, outcome) for outcome in OUTCOMES}


def outcomes_of(rows: Iterable[ReceiptRow]) -> Mapping[str, int]:
    """How many of `rows` came to each outcome."""
    counted = Counter(row.outcome for row in rows)
    return {outcome: counted[outcome] for outcome in OUTCOMES}


def rows_of(stored: Submission) -> list[ReceiptRow]:
    """The rows that the receipt keeps."""
    return _ROWS.validate_json(stored.rows)


def organisation_names(db: Session, ids: Iterable[int]) -> dict[int, str]:
    """By id: the names of organisations."""
    query = select(Organisation).where(col(Organisation.id).in_(set(ids)))
    return {owner.id: owner.name for owner in db.exec(query) if owner.id is not None}


def _retracted_by(db: Session, *, first: int, last: int, by: Caller) -> dict[int, int]:
    """Which submission took back each of the caller's with a number from `first` to `last`, the latest if several."""
    # Not a list of numbers: a CSV has all receipts, and databases take some ten thousand parameters.
    retracting: Any = select(Submission.retracts, Submission.id).where(
        Submission.organisation_id == by.organisation_id, col(Submission.retracts).between(first, last)
    )
    return dict(db.exec(retracting.order_by(col(Submission.id))).all())
