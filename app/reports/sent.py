"""What was sent, row by row: in the models of the contract, or plain where a file can have hundreds of thousands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from app.practices.definitions import DEFAULT_PRACTICE
from app.reports.models import CountIn, Status, StatusIn


class SentCount(NamedTuple):
    """One session count out of a file; its fields are those of CountIn, and as valid."""

    municipality: str
    period: str
    sessions: int
    practice: str = DEFAULT_PRACTICE
    through: str | None = None
    replace: bool = False
    note: str | None = None


class SentStatus(NamedTuple):
    """One status out of a file; its fields are those of StatusIn, and as valid."""

    municipality: str
    date: str
    status: Status
    practice: str = DEFAULT_PRACTICE
    note: str | None = None


AnyCount: TypeAlias = CountIn | SentCount
AnyStatus: TypeAlias = StatusIn | SentStatus


@dataclass(frozen=True, slots=True)
class Sent:
    """The rows that are to be recorded together."""

    counts: Sequence[AnyCount] = ()
    statuses: Sequence[AnyStatus] = ()

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.counts) + len(self.statuses)
