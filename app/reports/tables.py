"""What is stored of reports: entries that are never changed, the receipts they came with, and notes, which can go."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from app.database import Base, code_column
from app.practices.models import PRACTICE_LENGTH

MAX_SESSIONS = 1_000_000
STATUSES = ("planned", "pilot", "in_use", "paused", "ended")
PRECISIONS = ("day", "month", "year")
RECORDED = ("created", "corrected")
WITHDRAWN = ("retracted", "superseded")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def _number() -> Any:
    """A column for how many of the rows came to one outcome."""
    return Field(default=0, sa_column_kwargs={"server_default": "0"})


class Submission(Base, table=True):
    """One authenticated post: its receipt, chained by hash to the one before.

    `rows` are its rows as JSON, and the numbers say how many of them came to each outcome.
    """

    __tablename__ = "submissions"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    organisation_id: int = Field(foreign_key="organisations.id", index=True)
    key_id: str = Field(foreign_key="keys.id")
    recorded_at: datetime = Field(unique=True)
    rows: str
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)
    retracts: int | None = Field(default=None, foreign_key="submissions.id", index=True)
    created: int = _number()
    corrected: int = _number()
    unchanged: int = _number()
    retracted: int = _number()
    rejected: int = _number()


class _Entry(Base):
    """What the two kinds of entries have in common; `id` grows with `recorded_at`."""

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    submission_id: int = Field(foreign_key="submissions.id", index=True)
    organisation_id: int = Field(foreign_key="organisations.id")
    recorded_at: datetime
    practice: str = Field(sa_type=code_column(PRACTICE_LENGTH))
    municipality: str = Field(sa_type=code_column(3))
    outcome: str = Field(max_length=10)
    note_hash: str | None = Field(max_length=64)


class CountEntry(_Entry, table=True):
    """What was recorded for one municipality, practice and period; `sessions` is None once it was withdrawn.

    `first_day` and `last_day` are those of the period, `counted_to` is the last day counted.
    """

    __tablename__ = "count_entries"
    __table_args__ = (
        CheckConstraint(f"sessions BETWEEN 0 AND {MAX_SESSIONS}", name="sessions"),
        CheckConstraint("first_day <= counted_to AND counted_to <= last_day", name="days"),
        CheckConstraint(
            f"(sessions IS NOT NULL AND {_one_of('outcome', RECORDED)})"
            f" OR (sessions IS NULL AND {_one_of('outcome', WITHDRAWN)})",
            name="outcome",
        ),
        Index("ix_count_entries_key", "practice", "municipality", "period", "id", "recorded_at"),
    )

    period: str = Field(sa_type=code_column(7))
    first_day: date
    last_day: date
    counted_to: date
    sessions: int | None


class StatusEntry(_Entry, table=True):
    """What was recorded for one municipality, practice and day; `status` is None once it was withdrawn."""

    __tablename__ = "status_entries"
    __table_args__ = (
        CheckConstraint(_one_of("status", STATUSES), name="status"),
        CheckConstraint(_one_of("date_precision", PRECISIONS), name="date_precision"),
        CheckConstraint(
            f"(status IS NOT NULL AND {_one_of('outcome', RECORDED)})"
            f" OR (status IS NULL AND {_one_of('outcome', WITHDRAWN)})",
            name="outcome",
        ),
        Index("ix_status_entries_key", "practice", "municipality", "day", "id", "recorded_at"),
    )

    day: date
    date_precision: str = Field(max_length=5)
    status: str | None = Field(max_length=7)


class Note(Base, table=True):
    """A note or reason in words, apart from its entry so that it can be erased; the entry keeps a salted hash."""

    __tablename__ = "notes"

    list: str = Field(primary_key=True, max_length=8)
    entry: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    salt: str = Field(max_length=32)
    text: str
