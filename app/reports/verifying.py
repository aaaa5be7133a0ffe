"""What was stored, held against its hashes: the first place where it is not what was acknowledged."""

import heapq
import itertools
import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists
from sqlmodel import Session, col, select

from app.access.audit import every_line, line_hash
from app.access.chain import EMPTY_HASH
from app.access.models import AuditLine
from app.reports.ledger import Entry
from app.reports.notes import note_hash
from app.reports.submissions import content_hash, outcomes_of, rows_of
from app.reports.tables import CountEntry, Note, StatusEntry, Submission

_TABLES: dict[str, type[Any]] = {"counts": CountEntry, "statuses": StatusEntry}
_AT_A_TIME = 1_000
"""Rows that are held at once, whatever the archive."""

_RECEIPTS_AT_A_TIME = 10
"""The same of receipts, each of which can be megabytes."""


class Altered(Exception):
    """Something stored is not what was acknowledged; the message says what, and where."""


@dataclass(slots=True)
class Verified:
    """How much was walked, and the heads to keep elsewhere: the hashes of the last receipt and the last audit line."""

    receipts: int = 0
    entries: int = 0
    lines: int = 0
    receipts_head: str = EMPTY_HASH
    lines_head: str = EMPTY_HASH


def verify(db: Session, *, heads: Collection[str] = ()) -> Verified:
    """Walk every receipt with its entries, every line of the audit log and every note; what was found.

    `heads` are hashes kept elsewhere: each must still be that of a receipt or a line, so that a cut tail is noticed.

    Raises:
        Altered: at the first break.
    """
    with ExitStack() as streams:  # Which a break leaves half read, and PostgreSQL wants closed.
        return _verified(db, streams, heads)


def _verified(db: Session, streams: ExitStack, heads: Collection[str]) -> Verified:
    found, missing = Verified(), set(heads)
    for receipt, entries in _receipts(db, streams):
        found.receipts, found.receipts_head = receipt.id, receipt.hash
        found.entries += entries
        missing.discard(receipt.hash)
    redacted = set()
    for line in _lines(db, streams):
        found.lines, found.lines_head = line.id, line.hash
        missing.discard(line.hash)
        if line.kind == "note_redacted":
            detail = json.loads(line.detail)
            redacted.add((detail["list"], detail["entry"]))
    for name, table in _TABLES.items():
        _check_notes(db, streams, name, table, redacted)
    if missing:
        raise Altered(f"no receipt and no line has the hash {', '.join(sorted(missing))}: the end was cut off")
    return found


def _receipts(db: Session, streams: ExitStack) -> Iterator[tuple[Submission, int]]:
    """Every receipt that is as it was acknowledged, in their order, with how many entries it has."""
    groups = itertools.groupby(_entries(db, streams), key=lambda entry: entry.submission_id)
    group, head = next(groups, None), EMPTY_HASH
    query = select(Submission).order_by(col(Submission.id)).execution_options(yield_per=_RECEIPTS_AT_A_TIME)
    for number, receipt in enumerate(streams.enter_context(db.exec(query)), 1):
        if receipt.id != number:
            raise Altered(f"receipt {number} is missing")
        if receipt.previous_hash != head:
            raise Altered(f"receipt {number} does not follow receipt {number - 1}, or what says so was altered")
        entries: list[Entry] = []
        if group and group[0] == number:
            entries = list(group[1])
            group = next(groups, None)
        if receipt.hash != content_hash(receipt, entries):
            raise Altered(f"receipt {number}, or an entry of it, was altered, deleted or added")
        if any(getattr(receipt, outcome) != rows for outcome, rows in outcomes_of(rows_of(receipt)).items()):
            raise Altered(f"receipt {number} does not say how many of its rows came to what")
        head = receipt.hash
        yield receipt, len(entries)
    if group:
        raise Altered(f"there are entries of receipt {group[0]}, but no such receipt")


def _entries(db: Session, streams: ExitStack) -> Iterable[Entry]:
    """All entries by receipt, counts before statuses, in the order of their numbers."""
    queries = [select(table).order_by(table.submission_id, table.id) for table in _TABLES.values()]
    rows = [streams.enter_context(db.exec(query.execution_options(yield_per=_AT_A_TIME))) for query in queries]
    return heapq.merge(*rows, key=lambda entry: (entry.submission_id, isinstance(entry, StatusEntry), entry.id))


def _lines(db: Session, streams: ExitStack) -> Iterator[AuditLine]:
    """Every line of the audit log that is as it was written, in their order."""
    head = EMPTY_HASH
    for number, line in enumerate(streams.enter_context(every_line(db)), 1):
        if line.id != number:
            raise Altered(f"line {number} of the audit log is missing")
        if line.previous_hash != head:
            raise Altered(f"line {number} of the audit log does not follow line {number - 1}")
        if line.hash != line_hash(line):
            raise Altered(f"line {number} of the audit log was altered")
        head = line.hash
        yield line


def _check_notes(
    db: Session, streams: ExitStack, name: str, table: type[Any], redacted: Collection[tuple[str, int]]
) -> None:
    """Every note is the one that its entry was recorded with, and every one that is gone was redacted."""
    notes: Any = select(Note, table.note_hash).join(table, col(Note.entry) == table.id, isouter=True)
    beside_entries = notes.where(Note.list == name).execution_options(yield_per=_AT_A_TIME)
    for note, recorded in streams.enter_context(db.exec(beside_entries)):
        if note_hash(note.salt, note.text) != recorded:
            raise Altered(f"the note beside entry {note.entry} of {name} is not the one it was recorded with")
    beside = exists().where(col(Note.list) == name, col(Note.entry) == table.id)
    gone = select(table.id).where(table.note_hash.is_not(None), ~beside).order_by(table.id)
    for entry in db.exec(gone):
        if (name, entry) not in redacted:
            raise Altered(f"the note beside entry {entry} of {name} is gone, and nobody redacted it")
