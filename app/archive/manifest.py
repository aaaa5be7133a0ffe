"""The manifest: what an archive holds and up to where, so that a copy of it can prove itself."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import text
from sqlmodel import Session, func, select

from app.archive.rows import headings
from app.database import Base, LastWrite, is_sqlite
from app.reports.verifying import verify
from app.schema import NotMigrated, newest_revision, revision_of


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Chain(_Out):
    """How long a chain is, and its head: the hash of its last link, which covers every link before it."""

    length: int
    head: str


class Manifest(_Out):
    """What an archive holds: rows by table, and both chains; `recorded_up_to` is the moment of its latest write.

    The last receipt is the marker: what was acknowledged with a receipt up to that number is in it, and nothing later.
    """

    revision: str
    taken_at: datetime
    recorded_up_to: datetime
    receipts: Chain
    audit_lines: Chain
    entries: int
    rows: dict[str, int]


def manifest_of(db: Session, *, at: datetime) -> Manifest:
    """What the database holds in the one moment that `db` sees, every link of it verified.

    Raises:
        NotMigrated: its schema is not that of the models, so that not all of it would be told.
        app.reports.verifying.Altered: something in it is not what was acknowledged.
    """
    revision = newest_revision()
    if (there := revision_of(db.connection())) != revision:
        raise NotMigrated(
            f"the database is at revision {there or 'none'}, and this version tells all of {revision} only:"
            " use the version that migrated it"
        )
    found = verify(db)
    return Manifest(
        revision=revision,
        taken_at=at,
        recorded_up_to=db.get_one(LastWrite, 1).recorded_at,
        receipts=Chain(length=found.receipts, head=found.receipts_head),
        audit_lines=Chain(length=found.lines, head=found.lines_head),
        entries=found.entries,
        rows={one.table: _length(db, one.table) for one in headings()},
    )


def take_time(db: Session) -> None:
    """Let statements of this transaction last: a server's limits are made for requests, not for whole archives."""
    if not is_sqlite(db):
        db.execute(text("SET LOCAL statement_timeout = 0"))
        db.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))


def _length(db: Session, table: str) -> int:
    return db.exec(select(func.count()).select_from(Base.metadata.tables[table])).one()
