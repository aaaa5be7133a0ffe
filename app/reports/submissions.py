"""Receipts: what a caller is told was stored, chained by hash so that nothing can be altered unseen."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlmodel import Session, col, select

from app.access.chain import EMPTY_HASH, canonical_hash
from app.access.models import Organisation
from app.access.scope import Caller
from app.clock import written
from app.database import POSTED
from app.errors import NotFound
from app.reports.models import OUTCOMES, Receipt, ReceiptRow, ReceiptSummary
from app.reports.tables import CountEntry, StatusEntry, Submission

_ROWS = TypeAdapter(list[ReceiptRow])
_SUMMARISED = [
    col(getattr(Submission, name))
    for name in ("id", "recorded_at", "key_id", "retracts", *OUTCOMES, "previous_hash", "hash")
]


def add_receipt(
    db: Session,
    submission_id: int,
    *,
    rows: Sequence[ReceiptRow],
    entries: Iterable[CountEntry | StatusEntry],
    by: Caller,
    at: datetime,
    retracts: int | None = None,
) -> Submission:
    """Store the receipt of a submission, chained to the one before; `entries` are those it adds, in order.

    `retracts` is the submission that it takes back, if it does.
    """
    previous = db.exec(select(Submission.hash).order_by(col(Submission.id).desc()).limit(1)).first()
    receipt = Submission(
        id=submission_id,
        organisation_id=by.organisation_id,
        key_id=by.key_id,
        recorded_at=at,
        retracts=retracts,
        rows=_ROWS.dump_json(list(rows)).decode(),
        **outcomes_of(rows),
        previous_hash=previous or EMPTY_HASH,
        hash="",
    )
    receipt.hash = content_hash(receipt, entries)
    db.add(receipt)
    db.info[POSTED] = outcomes_of(rows)
    return receipt


def content_hash(receipt: Submission, entries: Iterable[CountEntry | StatusEntry]) -> str:
    """SHA-256 in hexadecimal over the canonical content of `receipt`, its `entries` and the hash before it.

    An entry counts with all its columns; of a note only the salted hash, so that erasing a note breaks nothing. The
    numbers of rows are left out, since the rows tell them.
    """
    own = receipt.model_dump(exclude={"hash", *OUTCOMES}, exclude_none=True, warnings=False)
    content = {**own, "entries": [_columns(entry) for entry in entries]}
    return canonical_hash(content)


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
            **{outcome: getattr(one, outcome) for outcome in OUTCOMES},
            previous_hash=one.previous_hash,
            hash=one.hash,
        )
        for one in found
    ]
    return rows, str(rows[-1].id) if len(page) > len(found) else None


def receipt_of(stored: Submission, organisation: str) -> Receipt:
    """The receipt that `stored` keeps."""
    return Receipt(
        id=stored.id,
        received_at=written(stored.recorded_at),
        organisation=organisation,
        retracts=stored.retracts,
        **{outcome: getattr(stored, outcome) for outcome in OUTCOMES},
        rows=rows_of(stored),
        previous_hash=stored.previous_hash,
        hash=stored.hash,
    )


def dry_receipt(rows: Sequence[ReceiptRow], *, organisation: str, at: datetime) -> Receipt:
    """What the receipt would say, had the rows been stored."""
    return Receipt(
        id=None,
        received_at=written(at),
        organisation=organisation,
        retracts=None,
        **outcomes_of(rows),
        rows=list(rows),
        previous_hash=None,
        hash=None,
    )


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


def _columns(entry: CountEntry | StatusEntry) -> dict[str, Any]:
    return {"list": "counts" if isinstance(entry, CountEntry) else "statuses", **entry.model_dump(warnings=False)}
