"""Receipts: what a caller is told was stored, chained by hash so that nothing can be altered unseen."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlmodel import Session, col, select

from app.access.models import Organisation
from app.access.scope import Caller
from app.clock import written
from app.errors import NotFound
from app.reports.models import Receipt, ReceiptRow
from app.reports.tables import EMPTY_HASH, CountEntry, StatusEntry, Submission

_ROWS = TypeAdapter(list[ReceiptRow])


def add_receipt(
    db: Session,
    submission_id: int,
    *,
    rows: Sequence[ReceiptRow],
    entries: Iterable[CountEntry | StatusEntry],
    by: Caller,
    at: datetime,
) -> Submission:
    """Store the receipt of a submission, chained to the one before; `entries` are those it adds, in order."""
    previous = db.exec(select(Submission.hash).order_by(col(Submission.id).desc()).limit(1)).first()
    receipt = Submission(
        id=submission_id,
        organisation_id=by.organisation_id,
        key_id=by.key_id,
        recorded_at=at,
        rows=_ROWS.dump_json(list(rows)).decode(),
        previous_hash=previous or EMPTY_HASH,
        hash="",
    )
    receipt.hash = content_hash(receipt, entries)
    db.add(receipt)
    return receipt


def content_hash(receipt: Submission, entries: Iterable[CountEntry | StatusEntry]) -> str:
    """SHA-256 in hexadecimal over the canonical content of `receipt`, its `entries` and the hash before it.

    Canonical: JSON with sorted names and no spaces, in UTF-8; moments as RFC 3339 in UTC with six decimals. An entry
    counts with all its columns; of a note only the salted hash, so that erasing a note breaks nothing.
    """
    content = {**receipt.model_dump(exclude={"hash"}), "entries": [_columns(entry) for entry in entries]}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_text)
    return hashlib.sha256(canonical.encode()).hexdigest()


def own_receipt(db: Session, submission_id: int, *, by: Caller) -> Receipt:
    """The receipt again, for a key of the organisation that posted it.

    Raises:
        NotFound: there is none, or it is another organisation's.
    """
    stored = db.get(Submission, submission_id)
    if stored is None or stored.organisation_id != by.organisation_id:
        raise NotFound(f"your organisation has no submission {submission_id}")
    return receipt_of(stored, by.organisation)


def receipt_of(stored: Submission, organisation: str) -> Receipt:
    """The receipt that `stored` keeps."""
    rows = _ROWS.validate_json(stored.rows)
    return _receipt(stored.id, stored.recorded_at, organisation, rows, stored.previous_hash, stored.hash)


def dry_receipt(rows: Sequence[ReceiptRow], *, organisation: str, at: datetime) -> Receipt:
    """What the receipt would say, had the rows been stored."""
    return _receipt(None, at, organisation, rows, None, None)


def organisation_names(db: Session, ids: Iterable[int]) -> dict[int, str]:
    """By id: the names of organisations."""
    query = select(Organisation).where(col(Organisation.id).in_(set(ids)))
    return {owner.id: owner.name for owner in db.exec(query) if owner.id is not None}


def _receipt(
    submission_id: int | None,
    at: datetime,
    organisation: str,
    rows: Sequence[ReceiptRow],
    previous_hash: str | None,
    own_hash: str | None,
) -> Receipt:
    outcomes = Counter(row.outcome for row in rows)
    return Receipt(
        id=submission_id,
        received_at=written(at),
        organisation=organisation,
        created=outcomes["created"],
        corrected=outcomes["corrected"],
        unchanged=outcomes["unchanged"],
        retracted=outcomes["retracted"],
        rejected=outcomes["rejected"],
        rows=list(rows),
        previous_hash=previous_hash,
        hash=own_hash,
    )


def _columns(entry: CountEntry | StatusEntry) -> dict[str, Any]:
    return {"list": "counts" if isinstance(entry, CountEntry) else "statuses", **entry.model_dump()}


def _text(value: Any) -> str:
    return written(value) if isinstance(value, datetime) else str(value)
