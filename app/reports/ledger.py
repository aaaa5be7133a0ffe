"""The ledger: which entries hold, and how new ones are added under one receipt."""

import itertools
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, null
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from app.access.chain import EMPTY_HASH
from app.access.scope import Caller
from app.errors import FieldError
from app.reports.doubts import ReceiptCode
from app.reports.entries import AnyEntry, AnyPlain, PlainCount, PlainEntry, PlainStatus, columns_of, plain
from app.reports.models import ListName, Outcome
from app.reports.notes import note_for, salted
from app.reports.submissions import NewReceipt, content_hash, outcomes_in
from app.reports.tables import CountEntry, Note, StatusEntry, Submission
from app.turn import POSTED, add, known_of_ledger, once_kept

_TEXTS_AT_ONCE = 1_000
_TEXTS = json.JSONEncoder(ensure_ascii=False)

Entry = CountEntry | StatusEntry
AnEntry = TypeVar("AnEntry", CountEntry, StatusEntry)
Key = tuple[str, str]
"""Practice and municipality."""


@dataclass(slots=True)
class Decision:
    """What becomes of one row: the entry it adds if any, the entries it takes the place of, what is said about it."""

    list_name: ListName
    index: int
    outcome: Outcome
    added: PlainEntry | None = None
    standing: AnyEntry | None = None
    superseded: Sequence[PlainCount] = ()
    note: str | None = None
    warnings: Sequence[tuple[ReceiptCode, str]] = ()
    errors: Sequence[FieldError] = ()


def counts_in_force(
    db: Session, *conditions: ColumnElement[bool], moment: datetime | None = None, limit: int | None = None
) -> Sequence[CountEntry]:
    """The counts that held at `moment` (None is now) and meet `conditions`, by practice, municipality and period."""
    order = (CountEntry.practice, CountEntry.municipality, CountEntry.period)
    found: Sequence[CountEntry] = db.exec(counts_query(*conditions, moment=moment).order_by(*order).limit(limit)).all()
    return found


def statuses_in_force(
    db: Session, *conditions: ColumnElement[bool], moment: datetime | None = None, limit: int | None = None
) -> Sequence[StatusEntry]:
    """The statuses that held at `moment` (None is now) and meet `conditions`, by practice, municipality and day."""
    order = (StatusEntry.practice, StatusEntry.municipality, StatusEntry.day)
    found: Sequence[StatusEntry] = db.exec(
        statuses_query(*conditions, moment=moment).order_by(*order).limit(limit)
    ).all()
    return found


def plain_in_force(db: Session, kind: type[AnyPlain], keys: Collection[Key]) -> Iterable[AnyPlain]:
    """What is in force about `keys` as plain entries, in no order.

    It is not told who recorded them and when.

    It may hold a few more, where several practices and municipalities are mixed.
    """
    if len(keys) == 1:
        asked: dict[str, Any] = dict(zip(("practice", "code"), *keys, strict=True))
    else:
        asked = {"practices": {practice for practice, _ in keys}, "codes": {code for _, code in keys}}
    found = db.connection().execute(_plain_in_force(kind.list_name, one_key=len(keys) == 1), asked)
    return itertools.starmap(kind, found.all())


def counts_query(*conditions: ColumnElement[bool], moment: datetime | None) -> Any:
    """The statement that selects the counts that held at `moment` (None is now) and meet `conditions`."""
    return _in_force(CountEntry, moment).where(col(CountEntry.sessions).is_not(None), *conditions)


def statuses_query(*conditions: ColumnElement[bool], moment: datetime | None) -> Any:
    """The statement that selects the statuses that held at `moment` (None is now) and meet `conditions`."""
    return _in_force(StatusEntry, moment).where(col(StatusEntry.status).is_not(None), *conditions)


def history(
    db: Session, table: type[AnEntry], *conditions: ColumnElement[bool], moment: datetime | None = None
) -> Sequence[AnEntry]:
    """Every entry recorded up to `moment` (None is now) that meets `conditions`, oldest first."""
    query: Any = select(table).where(*conditions).order_by(col(table.id))
    if moment is not None:
        query = query.where(table.recorded_at <= moment)
    entries: Sequence[AnEntry] = db.exec(query).all()
    return entries


def latest_numbers(table: Any, *conditions: ColumnElement[bool]) -> Any:
    """The statement that selects the number of the latest entry about everything, of those that meet `conditions`.

    Read off the index on the key alone corrections cost little so: of ten to each key, asking each entry whether a
    later one is there took eight times as long.
    """
    slot = table.period if table is CountEntry else table.day
    return select(func.max(table.id)).where(*conditions).group_by(table.practice, table.municipality, slot)


def about(table: type[Entry], keys: Collection[Key]) -> ColumnElement[bool]:
    """The condition that an entry is about one of the practices and municipalities in `keys`.

    It may hold for a few more, where several practices and municipalities are mixed.
    """
    practices = {practice for practice, _ in keys}
    municipalities = {municipality for _, municipality in keys}
    return col(table.practice).in_(practices) & col(table.municipality).in_(municipalities)


def same_slot(one: Any, other: Any) -> ColumnElement[bool]:
    """The condition that two entries of one table are about the same: practice, municipality, and period or day."""
    slot = "period" if hasattr(one, "period") else "day"
    return and_(*(getattr(one, name) == getattr(other, name) for name in ("practice", "municipality", slot)))


def store(
    db: Session, decisions: Sequence[Decision], *, by: Caller, at: datetime, retracts: int | None = None
) -> NewReceipt:
    """Add the entries of `decisions` and their receipt, which says that it takes back `retracts`; the receipt.

    An entry that names its organisation keeps it: it restores what that one had reported. Others name the caller's.
    Runs inside the turn that `at` was taken in (see app.database.take_turn): ids and the chain have no gap.
    """
    last = _last_numbers(db)
    entries: list[PlainEntry] = [*_withdrawals(decisions), *(one.added for one in decisions if one.added)]
    counts = [entry for entry in entries if isinstance(entry, PlainCount)]
    statuses = [entry for entry in entries if isinstance(entry, PlainStatus)]
    _number(counts, last.count + 1, last.submission + 1, by, at)
    _number(statuses, last.status + 1, last.submission + 1, by, at)
    notes = [_note(decision.added, decision.note) for decision in decisions if decision.added and decision.note]
    receipt = receipt_for(decisions, by=by, at=at)
    receipt.id, receipt.retracts, receipt.previous_hash = last.submission + 1, retracts, last.hash
    receipt.hash = content_hash(receipt, entries)
    db.info[POSTED] = outcomes_in(receipt)
    add(db, Submission, [receipt])
    add(db, CountEntry, counts)
    add(db, StatusEntry, statuses)
    add(db, Note, notes)
    _learn(db, _Last(receipt.id, last.count + len(counts), last.status + len(statuses), receipt.hash))
    return receipt


def withdrawn(entry: AnyEntry, outcome: str = "retracted") -> PlainEntry:
    """What says that the figure of `entry` holds no longer; its number, who and when are set when it is stored."""
    figure = "sessions" if isinstance(entry, PlainCount | CountEntry) else "status"
    return plain(entry, **{figure: None}, outcome=outcome, organisation_id=0, note_hash=None)


def receipt_for(decisions: Sequence[Decision], *, by: Caller, at: datetime) -> NewReceipt:
    """What the receipt of `decisions` says, without number and hashes: that of a dry run."""
    outcomes = [decision.outcome for decision in decisions]
    texts = map(_row_text, decisions)
    # A join holds all that it joins.
    rows = ",".join(iter(lambda: ",".join(itertools.islice(texts, _TEXTS_AT_ONCE)), ""))
    return NewReceipt(
        by.organisation_id,
        by.key_id,
        at,
        f"[{rows}]",
        created=outcomes.count("created"),
        corrected=outcomes.count("corrected"),
        unchanged=outcomes.count("unchanged"),
        retracted=outcomes.count("retracted"),
        rejected=outcomes.count("rejected"),
    )


def entry_etag(entry: AnyEntry) -> str:
    """The strong ETag of the figure that `entry` states."""
    return f'"{entry.id}"'


def _in_force(table: Any, moment: datetime | None) -> Any:
    """The latest entry up to `moment` about everything that there are entries about."""
    if moment is None:
        return _in_force_now(table)
    later, same_key = _later_about_the_same(table)
    recorded_later = exists().where(same_key, later.recorded_at <= moment, later.id > table.id)
    return select(table).where(table.recorded_at <= moment, ~recorded_later)


# Putting these together takes longer than asking them; they are the same each time.
@cache
def _plain_in_force(list_name: ListName, *, one_key: bool) -> Any:
    counts = list_name == "counts"
    table: Any = CountEntry if counts else StatusEntry
    kind, figure = (PlainCount, table.sessions) if counts else (PlainStatus, table.status)
    practice, code = col(table.practice), col(table.municipality)
    if one_key:
        about = (practice == bindparam("practice"), code == bindparam("code"))
    else:
        about = (practice.in_(bindparam("practices", expanding=True)), code.in_(bindparam("codes", expanding=True)))
    columns = (null() if name in _NOT_ASKED else getattr(table, name) for name in columns_of(kind))
    query: Any = select(*columns)
    return query.where(col(table.id).in_(latest_numbers(table, *about)), col(figure).is_not(None))


_NOT_ASKED = {"submission_id", "organisation_id", "recorded_at", "note_hash"}
"""Nobody asks these of what a post is held against; the moment alone is a quarter of reading it."""


@dataclass(frozen=True, slots=True)
class _Last:
    """The highest number of each kind, and the hash of the latest receipt."""

    submission: int
    count: int
    status: int
    hash: str


_LAST = """
    SELECT (SELECT max(id) FROM submissions), (SELECT max(id) FROM count_entries), (SELECT max(id) FROM status_entries),
    (SELECT hash FROM submissions ORDER BY id DESC LIMIT 1)
"""
"""What `_Last` holds, each None if there is nothing."""


# Putting these together takes longer than asking them; they are the same each time.
@cache
def _in_force_now(table: Any) -> Any:
    later, same_key = _later_about_the_same(table)
    return select(table).where(~exists().where(same_key, later.id > table.id))


@cache
def _later_about_the_same(table: Any) -> tuple[Any, ColumnElement[bool]]:
    """Entries of `table` under another name, and the condition that one is about the same as another."""
    later = aliased(table)
    return later, same_slot(later, table)


def _last_numbers(db: Session) -> _Last:
    known = known_of_ledger(db)
    if "last" in known:
        last: _Last = known["last"]
        return last
    submission, count, status, last_hash = db.connection().exec_driver_sql(_LAST).one()
    return _Last(submission or 0, count or 0, status or 0, last_hash or EMPTY_HASH)


def _learn(db: Session, last: _Last) -> None:
    """Know these numbers once the work is kept."""
    known = known_of_ledger(db)
    once_kept(db, lambda: known.update(last=last))


def _number(entries: Sequence[PlainEntry], first: int, submission: int, by: Caller, at: datetime) -> None:
    """Say of `entries` which number each has, the `first` one first, which submission they are of, whose, and when."""
    for number, entry in enumerate(entries, start=first):
        entry.id, entry.submission_id, entry.recorded_at = number, submission, at
        entry.organisation_id = entry.organisation_id or by.organisation_id


def _row_text(decision: Decision) -> str:
    """The row of the receipt, a ReceiptRow in JSON; before it is stored, a new entry has no number yet."""
    holds = decision.added or decision.standing
    head = (
        f'{{"list":"{decision.list_name}","index":{decision.index},"outcome":"{decision.outcome}",'
        f'"entry":{holds.id or "null" if holds else "null"},"superseded":['
    )
    if not decision.superseded and not decision.warnings and not decision.errors:
        return f'{head}],"warnings":[],"errors":[]}}'  # As most are.
    superseded = ",".join(str(entry.id) for entry in decision.superseded)
    warnings = ",".join(f'{{"code":"{code}","detail":{_TEXTS.encode(detail)}}}' for code, detail in decision.warnings)
    errors = ",".join(error.model_dump_json() for error in decision.errors)
    return f'{head}{superseded}],"warnings":[{warnings}],"errors":[{errors}]}}'


def _note(entry: PlainEntry, text: str) -> Note:
    """What keeps `text` beside `entry`, which keeps its salted hash."""
    salt, entry.note_hash = salted(text)
    return note_for(entry.list_name, entry.id, salt=salt, text=text)


def _withdrawals(decisions: Sequence[Decision]) -> list[PlainEntry]:
    """For each count that is superseded, also by several rows together, the entry that says so."""
    superseded = {entry.id: entry for decision in decisions for entry in decision.superseded}
    return [withdrawn(entry, "superseded") for entry in superseded.values()]


def through(entry: CountEntry) -> date | None:
    """The last day counted, None if the period was counted to its end."""
    return None if entry.counted_to == entry.last_day else entry.counted_to
