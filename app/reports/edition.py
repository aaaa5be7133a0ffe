"""Which state of what is recorded a live answer was read from, and whether it still is that for who asks again."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session

from app.clock import Clock
from app.database import Database
from app.releases.edition import EditionNow

MOST_NEW = 1_000
"""After more entries between two looks than that everything counts as changed."""

MOST_REMEMBERED = 10_000
"""Of how many practices and municipalities it is remembered what was recorded last."""

# Rows of these tables are never changed or deleted; of keys, whatever happens to one adds a line to the audit log.
_STATE = """
    SELECT (SELECT coalesce(max(id), 0) FROM submissions), (SELECT max(id) FROM audit_lines),
    (SELECT max(id) FROM releases), (SELECT count(*) FROM practices), (SELECT count(*) FROM live_from),
    (SELECT count(*) FROM counties), (SELECT count(*) FROM municipalities), (SELECT count(*) FROM residents)
"""
_SINCE = """
    SELECT practice, municipality, submission_id FROM count_entries WHERE submission_id > {receipt}
    UNION ALL SELECT practice, municipality, submission_id FROM status_entries WHERE submission_id > {receipt}
    LIMIT {most}
"""

Place = tuple[str, str]
"""Practice and code of a municipality."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a look found: the `ground` that every answer stands on, and the latest `receipt`.

    `latest` is by place the latest receipt of those after `since` that is about it.
    """

    ground: tuple[Any, ...]
    receipt: int
    since: int
    latest: Mapping[Place, int]


@dataclass(frozen=True, slots=True)
class LiveEdition:
    """What a live answer was read from: the ground, and the entries about `practice` in `codes` up to a receipt."""

    ground: tuple[Any, ...]
    receipt: int
    practice: str
    codes: Collection[str]

    def holds(self, now: Recorded) -> bool:
        """True if `now` the ground is the same and there are no further entries."""
        if self.ground != now.ground or self.receipt < now.since:
            return False
        if self.receipt == now.receipt:
            return True
        return all(now.latest.get((self.practice, code), 0) <= self.receipt for code in self.codes)


def live_edition(db: Session, day: date, practice: str, codes: Collection[str]) -> LiveEdition:
    """What the snapshot of `db` is, for who reads on the Helsinki day `day` the live figures of `codes`."""
    receipt, *ground = db.connection().exec_driver_sql(_STATE).one()
    return LiveEdition((day, *ground), receipt, practice, codes)


class RecordedNow(EditionNow):
    """Looks what is recorded now; from look to look it reads the entries between the two."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(database, clock)
        self._receipt: int | None = None
        self._since = 0
        self._latest: dict[Place, int] = {}

    def _opened(self) -> Any:
        return self.database.connection_apart()

    def _edition(self, connection: Any) -> Recorded:
        receipt, *ground = connection.execute(_STATE).fetchone()
        if self._receipt is None:
            self._since = receipt
        elif receipt > self._receipt:
            self._note_since(connection, self._receipt, receipt)
        self._receipt = receipt
        return Recorded((self.today(), *ground), receipt, self._since, self._latest)

    def _note_since(self, connection: Any, before: int, receipt: int) -> None:
        """Remember what the receipts after `before` are about; of too many, that there were some up to `receipt`."""
        since = connection.execute(_SINCE.format(receipt=before, most=MOST_NEW + 1)).fetchall()
        if len(since) > MOST_NEW or len(self._latest) > MOST_REMEMBERED:
            self._since, self._latest = receipt, {}
            return
        for practice, code, number in since:
            self._latest[practice, code] = max(number, self._latest.get((practice, code), 0))
