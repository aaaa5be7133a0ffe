"""Entries as the writer works on them: plain values, of which a submission can have hundreds of thousands."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, ClassVar, TypeAlias, TypeVar

from app.clock import BEGINNING
from app.reports.models import ListName
from app.reports.tables import CountEntry, StatusEntry


@dataclass(slots=True)
class _Plain:
    id: int
    submission_id: int
    organisation_id: int
    recorded_at: datetime
    practice: str
    municipality: str
    outcome: str
    note_hash: str | None


@dataclass(slots=True)
class PlainCount(_Plain):
    """A row of count_entries, its columns in their order."""

    period: str
    first_day: date
    last_day: date
    counted_to: date
    sessions: int | None

    list_name: ClassVar[ListName] = "counts"


@dataclass(slots=True)
class PlainStatus(_Plain):
    """A row of status_entries, its columns in their order."""

    day: date
    date_precision: str
    status: str | None

    list_name: ClassVar[ListName] = "statuses"


PlainEntry: TypeAlias = PlainCount | PlainStatus
AnyEntry: TypeAlias = PlainEntry | CountEntry | StatusEntry
AnyPlain = TypeVar("AnyPlain", PlainCount, PlainStatus)

UNNUMBERED = (0, 0, 0, BEGINNING)
"""The number, submission, organisation and moment of a new entry, until it is stored."""


def plain(entry: AnyEntry, **changes: Any) -> PlainEntry:
    """A copy of `entry` with `changes`."""
    kind = PlainCount if isinstance(entry, PlainCount | CountEntry) else PlainStatus
    return kind(**{name: getattr(entry, name) for name in columns_of(kind)} | changes)


def columns_of(kind: type[PlainEntry]) -> list[str]:
    """The names of the columns, in their order."""
    return [field.name for field in fields(kind)]
