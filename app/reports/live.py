"""What the live trend is counted from: the histories of municipalities as of a moment, in two statements."""

import json
from collections import OrderedDict
from collections.abc import Collection, Mapping
from datetime import date, datetime
from functools import cache, lru_cache
from threading import Lock
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Pool, Text, bindparam, cast, func
from sqlmodel import Session, col, select

from app.database import SNAPSHOT
from app.places.register import Municipality
from app.reports.ledger import latest_numbers
from app.reports.tables import CountEntry, StatusEntry, Submission
from app.series.facts import Count, History

MOST_KEPT = 1_000
"""Of how many municipalities it is kept what is recorded, some 12 MB, beside those of the practice asked last."""

MOST_NEW = 1_000
"""After more entries than that everything is read anew."""

Recorded = tuple[tuple[tuple[date, str], ...], tuple[Count, ...]]
"""What holds of one municipality: statuses by day, and counts."""

_NOTHING: Recorded = ((), ())


class Kept(NamedTuple):
    """What is recorded of a practice up to the receipt with this number, of municipalities that were asked about."""

    receipt: int
    recorded: Mapping[str, Recorded]


class KeptRecords:
    """What was read of the practices that were asked about last; each is replaced whole, so that no reader waits."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        # Routes run in threads.
        self._lock = Lock()

    def of(self, practice: str) -> Kept:
        """What is kept of `practice`; nothing at first."""
        with self._lock:
            return self._kept.get(practice, Kept(0, {}))

    def keep(self, practice: str, kept: Kept) -> None:
        """Keep it in place of what was kept, and forget the practices that were asked about longest ago."""
        with self._lock:
            self._kept[practice] = kept
            self._kept.move_to_end(practice)
            while len(self._kept) > 1 and sum(len(one.recorded) for one in self._kept.values()) > MOST_KEPT:
                self._kept.popitem(last=False)


def histories(
    db: Session, practice: str, places: Collection[Municipality], *, moment: datetime | None, everywhere: bool
) -> list[History]:
    """One history for each of `places`, in their order, also where nothing is recorded; None of `moment` is now.

    `everywhere` says that `places` are all there are, so that the statements need no list of codes.
    """
    codes = [place.code for place in places]
    if moment is None and SNAPSHOT in db.info:
        recorded = recorded_now(db, practice, codes, everywhere=everywhere)
    else:
        recorded = recorded_at(db, practice, codes, moment=moment, everywhere=everywhere)
    return [
        History(place.code, place.in_register_from, place.valid_to, *recorded.get(place.code, _NOTHING))
        for place in places
    ]


def recorded_now(db: Session, practice: str, codes: Collection[str], *, everywhere: bool) -> Mapping[str, Recorded]:
    """By code: what holds now of each of the municipalities `codes`, and perhaps of others.

    What was read before is kept, and read anew only for municipalities about which there are entries since. No snapshot
    has a receipt without all those before it and all their entries, so that none is missed.
    """
    receipt = latest_receipt(db)
    kept = _kept_in(db).of(practice)
    if kept.receipt > receipt:
        # Somebody else read a later snapshot than ours.
        return recorded_at(db, practice, codes, moment=None, everywhere=everywhere)
    recorded = _unchanged(db, practice, kept, receipt)
    missing = [code for code in codes if code not in recorded]
    if missing:
        alone = everywhere and len(missing) == len(codes)
        found = recorded_at(db, practice, missing, moment=None, everywhere=alone)
        recorded = {**recorded, **{code: found.get(code, _NOTHING) for code in missing}}
    _kept_in(db).keep(practice, Kept(receipt, recorded))
    return recorded


def latest_receipt(db: Session) -> int:
    """The number of the latest receipt that `db` sees, 0 if there is none."""
    number: int = db.connection().execute(_LATEST_RECEIPT).scalar_one()
    return number


def recorded_at(
    db: Session, practice: str, codes: Collection[str], *, moment: datetime | None, everywhere: bool
) -> Mapping[str, Recorded]:
    """By code: what held at `moment` (None is now) of those of `codes` about which there are entries.

    `everywhere` says that these are all the municipalities there are.
    """
    asked = {"practice": practice, "codes": codes, "moment": moment}
    kind: Any = {"dialect": db.get_bind().dialect.name, "everywhere": everywhere, "now": moment is None}
    counts = dict(db.connection().execute(_counts_in_force(**kind), asked).all())
    statuses = dict(db.connection().execute(_statuses_in_force(**kind), asked).all())
    return {
        code: (_statuses(statuses.get(code, "[]")), _counts(counts.get(code, "[]")))
        for code in counts.keys() | statuses.keys()
    }


def about_places(
    table: type[CountEntry | StatusEntry], practice: str, places: Collection[Municipality], everywhere: bool
) -> list[ColumnElement[bool]]:
    """The conditions for entries about a practice and `places`; no list of codes if these are `everywhere`."""
    conditions = [col(table.practice) == practice]
    if not everywhere:
        conditions.append(col(table.municipality).in_([place.code for place in places]))
    return conditions


# Putting these together takes as long as asking them; they are the same each time.
@cache
def _counts_in_force(*, dialect: str, everywhere: bool, now: bool) -> Any:
    """The counts that hold of a `practice` in the municipalities `codes`, at `moment` if it is not `now`; as `_counts`.

    A row for each municipality.
    """
    latest = _latest(CountEntry, everywhere=everywhere, now=now)
    in_force = col(CountEntry.id).in_(latest) & col(CountEntry.sessions).is_not(None)
    return _by_place(CountEntry, dialect, "first_day", "counted_to", "sessions", "organisation_id").where(in_force)


@cache
def _statuses_in_force(*, dialect: str, everywhere: bool, now: bool) -> Any:
    """The same of statuses; as `_statuses`."""
    latest = _latest(StatusEntry, everywhere=everywhere, now=now)
    in_force = col(StatusEntry.id).in_(latest) & col(StatusEntry.status).is_not(None)
    return _by_place(StatusEntry, dialect, "day", "status").where(in_force)


def _by_place(table: type[CountEntry | StatusEntry], dialect: str, *columns: str) -> Any:
    """The statement that selects these columns of all entries of a municipality as one text of JSON.

    The driver of SQLite lets other threads go first at each row, which with some of them is half of all time.
    """
    all_of, each = _JSON[dialect]
    rows = all_of(each(*(getattr(table, name) for name in columns)))
    return select(table.municipality, cast(rows, Text)).group_by(col(table.municipality))


@lru_cache(MOST_KEPT)
def _counts(text: str) -> tuple[Count, ...]:
    """The counts that are written as JSON: of each the first day, the last day counted, sessions and reporter."""
    written = json.loads(text)
    return tuple(Count(date.fromisoformat(first), date.fromisoformat(last), *said) for first, last, *said in written)


def _statuses(text: str) -> tuple[tuple[date, str], ...]:
    """The statuses that are written as JSON, by their day."""
    return tuple((date.fromisoformat(day), status) for day, status in sorted(json.loads(text)))


def _latest(table: type[CountEntry | StatusEntry], *, everywhere: bool, now: bool) -> Any:
    """The number of the latest entry about everything, of those that are asked about."""
    about = [col(table.practice) == bindparam("practice")]
    if not everywhere:
        about.append(col(table.municipality).in_(bindparam("codes", expanding=True)))
    if not now:
        about.append(col(table.recorded_at) <= bindparam("moment"))
    return latest_numbers(table, *about)


_KEPT: WeakKeyDictionary[Pool, KeptRecords] = WeakKeyDictionary()
"""By the connections to a database."""

_JSON: Mapping[str, Any] = {
    "sqlite": (func.json_group_array, func.json_array),
    "postgresql": (func.json_agg, func.json_build_array),
}
"""By database: what writes many values as JSON, and what writes the columns of a row."""

_LATEST_RECEIPT: Any = select(func.coalesce(func.max(Submission.id), 0))


def _kept_in(db: Session) -> KeptRecords:
    return _KEPT.setdefault(db.get_bind().engine.pool, KeptRecords())


def _unchanged(db: Session, practice: str, kept: Kept, receipt: int) -> Mapping[str, Recorded]:
    """What is `kept` of the municipalities about which there are no entries since, up to this `receipt`."""
    if kept.receipt == receipt:
        return kept.recorded
    changed: set[str] = set()
    for table in (CountEntry, StatusEntry):
        since = db.connection().execute(_since(table), {"receipt": kept.receipt}).all()
        if len(since) > MOST_NEW:
            return {}
        changed.update(code for about, code in since if about == practice)
    return {code: recorded for code, recorded in kept.recorded.items() if code not in changed}


@cache
def _since(table: type[CountEntry | StatusEntry]) -> Any:
    # By receipt alone: with the practice as a condition a database might go through all of its entries instead.
    since = select(table.practice, table.municipality).where(col(table.submission_id) > bindparam("receipt"))
    return since.limit(MOST_NEW + 1)
