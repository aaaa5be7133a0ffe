"""The audit log: what happened to keys and notes, and what known keys were refused."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ScalarResult
from sqlmodel import Session, col, select

from app.access.chain import EMPTY_HASH, canonical_hash
from app.access.models import AuditLine


def add_line(db: Session, kind: str, *, key_id: str | None, at: datetime, **detail: str | int) -> None:
    """Add a line of `kind`, one of app.access.models.AUDITED.

    Runs inside the turn that `at` was taken in (see app.database.take_turn), so the chain has no fork.
    """
    last = db.exec(select(AuditLine).order_by(col(AuditLine.id).desc()).limit(1)).first()
    line = AuditLine(
        id=last.id + 1 if last else 1,
        recorded_at=at,
        kind=kind,
        key_id=key_id,
        detail=json.dumps(detail, sort_keys=True),
        previous_hash=last.hash if last else EMPTY_HASH,
        hash="",
    )
    line.hash = line_hash(line)
    db.add(line)
    db.flush()


def line_hash(line: AuditLine) -> str:
    """The hash over all columns of `line`, that of the line before it included."""
    return canonical_hash(line.model_dump(exclude={"hash"}))


def lines(db: Session, *, key_id: str | None = None, most: int | None = None) -> Sequence[AuditLine]:
    """The lines about the key (None: about all), newest first, at most so many."""
    query = select(AuditLine).order_by(col(AuditLine.id).desc()).limit(most)
    if key_id is not None:
        query = query.where(AuditLine.key_id == key_id)
    return db.exec(query).all()


def every_line(db: Session) -> ScalarResult[AuditLine]:
    """All lines, oldest first, without holding them all."""
    return db.exec(select(AuditLine).order_by(col(AuditLine.id)).execution_options(yield_per=1_000))
