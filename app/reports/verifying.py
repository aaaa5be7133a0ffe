"""What was stored, held against its hashes: the first place where it is not what was acknowledged."""

import heapq
import itertools
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists
from sqlmodel import Session, col, select

from app.access.audit import line_hash
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

Rows = Callable[..., Iterable[Any]]
"""Answers the rows of a query, some at a time."""


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
    The head of a chain that was empty then says nothing.

    Raises:
        Altered: at the first break.
    """
    found = Verified()
    with ExitStack() as streams:

        def rows(query: Any, at_a_time: int = _AT_A_TIME) -> Iterable[Any]:
            return streams.enter_context(db.exec(query.execution_options(yield_per=at_a_time)))

        try:
            _walk(rows, found, heads)
        except (TypeError, ValueError) as error:
            # SQLite keeps whatever is written into a column, also what cannot be read out of it.
            where = f"receipt {found.receipts + 1} or line {found.lines + 1} of the audit log"
            raise Altered(f"something from {where} on cannot be read") from error
    return found


def _walk(rows: Rows, found: Verified, heads: Collection[str]) -> None:
    missing = set(heads) - {EMPTY_HASH}
    for receipt, entries in _receipts(rows):
        found.receipts, found.receipts_head = receipt.id, receipt.hash
        found.entries += entries
        missing.discard(receipt.hash)
    redacted = set()
    for line in _lines(rows):
        found.lines, found.lines_head = line.id, line.hash
        missing.discard(line.hash)
        if line.kind == "note_redacted":
            detail = json.loads(line.detail)
            redacted.add((detail["list"], detail["entry"]))
    for name, table in _TABLES.items():
        _check_notes(rows, name, table, redacted)
    for stray in rows(select(Note).where(col(Note.list).not_in(_TABLES))):
        raise Altered(f"there is a note beside entry {stray.entry} of {stray.list!r}, but no such list")
    if missing:
        raise Altered(f"no receipt and no line has the hash {', '.join(sorted(missing))}: the end was cut off")


def _receipts(rows: Rows) -> Iterator[tuple[Submission, int]]:
    """Every receipt that is as it was acknowledged, in their order, with how many entries it has."""
    groups = itertools.groupby(_entries(rows), key=lambda entry: entry.submission_id)
    group, head = next(groups, None), EMPTY_HASH
    receipts = rows(select(Submission).order_by(col(Submission.id)), _RECEIPTS_AT_A_TIME)
    for number, receipt in enumerate(receipts, 1):
        if receipt.id != number:
            raise Altered(f"receipt {number} is missing")
        if group and group[0] < number:
            break
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


def _entries(rows: Rows) -> Iterable[Entry]:
    """All entries by receipt, counts before statuses, in the order of their numbers."""
    streams = [rows(select(table).order_by(table.submission_id, table.id)) for table in _TABLES.values()]
    return heapq.merge(*streams, key=lambda entry: (entry.submission_id, isinstance(entry, StatusEntry), entry.id))


def _lines(rows: Rows) -> Iterator[AuditLine]:
    """Every line of the audit log that is as it was written, in their order."""
    head = EMPTY_HASH
    for number, line in enumerate(rows(select(AuditLine).order_by(col(AuditLine.id))), 1):
        if line.id != number:
            raise Altered(f"line {number} of the audit log is missing")
        if line.previous_hash != head:
            raise Altered(f"line {number} of the audit log does not follow line {number - 1}")
        if line.hash != line_hash(line):
            raise Altered(f"line {number} of the audit log was altered")
        head = line.hash
        yield line


def _check_notes(rows: Rows, name: str, table: type[Any], redacted: Collection[tuple[str, int]]) -> None:
    """Every note is the one that its entry was recorded with, and every one that is gone was redacted."""
    notes: Any = select(Note, table.note_hash).join(table, col(Note.entry) == table.id, isouter=True)
    for note, recorded in rows(notes.where(Note.list == name)):
        if note_hash(note.salt, note.text) != recorded:
            raise Altered(f"the note beside entry {note.entry} of {name} is not the one it was recorded with")
    beside = exists().where(col(Note.list) == name, col(Note.entry) == table.id)
    gone = select(table.id).where(table.note_hash.is_not(None), ~beside).order_by(table.id)
    for entry in rows(gone):
        if (name, entry) not in redacted:
            raise Altered(f"the note beside entry {entry} of {name} is gone, and nobody redacted it")
