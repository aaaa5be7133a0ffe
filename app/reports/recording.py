"""From what was sent to what is recorded: check every row, decide what becomes of it, store all under one receipt."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel import Session

from app.access.scope import Caller, NotCovered
from app.clock import helsinki_day
from app.database import hold_turn
from app.errors import MOST_LISTED, FieldError, InvalidRequest, Problem
from app.places.register import municipality_code
from app.reports.decisions import Locate, Row, add_warnings, decision_on, in_submission
from app.reports.entries import AnyEntry
from app.reports.given import given_places, given_practices
from app.reports.history import count_in_force, status_in_force
from app.reports.ledger import Decision, Entry, entry_etag, receipt_for, store, withdrawn
from app.reports.models import ListName
from app.reports.rules import Overlapping, Refusal, Rulebook
from app.reports.sent import Sent
from app.reports.standing import standing_of
from app.reports.submissions import NewReceipt
from app.reports.tables import CountEntry

_IN_ADDRESS = ("practice", "municipality", "period", "date", "reason")


class PreconditionFailed(Problem):
    """The figure is no longer the one that If-Match names."""

    status_code = 412
    title = "The figure has changed meanwhile"


def in_single_figure(_list_name: ListName, _index: int, refusal: Refusal) -> FieldError:
    """Where a refusal belongs in a call about one figure: in its address or its body."""
    if refusal.field in _IN_ADDRESS:
        return FieldError(parameter=refusal.field, detail=refusal.reason)
    return FieldError(pointer=f"/{refusal.field}", detail=refusal.reason)


def record(
    db: Session,
    sent: Sent,
    *,
    by: Caller,
    at: datetime,
    skip_invalid: bool = False,
    dry_run: bool = False,
    if_match: str | None = None,
    locate: Locate = in_submission,
) -> NewReceipt:
    """Record every row of `sent` under one receipt, or nothing.

    With `skip_invalid` rows that break a rule are rejected on the receipt and the others are recorded. A dry run
    answers the receipt, without an id, and stores nothing. `if_match` is for one row alone.

    Raises:
        NotCovered, InvalidRequest, Overlapping: in this order, all rows of the first kind that there is.
        PreconditionFailed: the figure is neither what is sent nor the one that `if_match` names.
    """
    if not sent.size:
        raise InvalidRequest("there is no row in counts or statuses, so there is nothing to record")
    hold_turn(db, rows=sent.size)
    rulebook = _rulebook(db, by=by, today=helsinki_day(at), locate=locate)
    rows: list[Row] = [*rulebook.checked_counts(sent.counts), *rulebook.checked_statuses(sent.statuses)]
    _refuse(rows, locate, skip_invalid=skip_invalid)
    standing = standing_of(db, {(row.practice, row.municipality) for row in rows if not row.refusals})
    decisions = [decision_on(row, standing, locate) for row in rows]
    if if_match is not None:
        _check_precondition(if_match, decisions[0])
    _refuse(rows, locate, skip_invalid=skip_invalid)
    del rows  # Of a large submission that is a good part of what is held.
    add_warnings(db, decisions, standing, places=rulebook.places, today=rulebook.today)
    if dry_run:
        return receipt_for(decisions, by=by, at=at)
    return store(db, decisions, by=by, at=at)


def retract(
    db: Session,
    *,
    practice: str,
    municipality: str,
    period_or_day: str | date,
    reason: str,
    by: Caller,
    at: datetime,
    if_match: str | None = None,
) -> NewReceipt:
    """Withdraw the figure in force for a municipality and practice: the count of a period, or the status of a day.

    Raises:
        NotCovered: the key does not cover this municipality.
        InvalidRequest: unknown municipality or practice, or a personal identity code in `reason`.
        NotFound: there is no figure in force.
        PreconditionFailed: it is not the one that `if_match` names.
    """
    code = municipality_code(municipality)
    rulebook = Rulebook(helsinki_day(at), by.scope, given_practices(db).keys(), given_places(db))
    refusals = [*rulebook.place_refusals(code, practice), *rulebook.note_refusals(reason, "reason")]
    _raise_first_kind([in_single_figure("counts", 0, one) for one in refusals], [one.kind for one in refusals])
    found: Entry
    if isinstance(period_or_day, str):
        found = count_in_force(db, practice, code, period_or_day, moment=None)
    else:
        found = status_in_force(db, practice, code, period_or_day, moment=None)
    if if_match is not None and not _names(if_match, found):
        raise _changed(found)
    list_name: ListName = "counts" if isinstance(found, CountEntry) else "statuses"
    decision = Decision(list_name, 0, "retracted", added=withdrawn(found), standing=found, note=reason)
    return store(db, [decision], by=by, at=at)


def _rulebook(db: Session, *, by: Caller, today: date, locate: Locate) -> Rulebook:
    def name_of_count(index: int) -> str:
        line = locate("counts", index, Refusal(InvalidRequest, "period", "")).line
        return f"row {index}" if line is None else f"line {line}"

    return Rulebook(today, by.scope, given_practices(db).keys(), given_places(db), name_of_count)


def _refuse(rows: Sequence[Row], locate: Locate, *, skip_invalid: bool) -> None:
    """Raise for the first kind of refusal among `rows`, unless refused rows are skipped and some remain."""
    refused = [row for row in rows if row.refusals]
    if not refused or (skip_invalid and len(refused) < len(rows)):
        return
    located = [locate(row.list_name, row.index, refusal) for row in refused for refusal in row.refusals]
    _raise_first_kind(located, [refusal.kind for row in refused for refusal in row.refusals])


def _raise_first_kind(errors: Sequence[FieldError], kinds: Sequence[type[Problem]]) -> None:
    """Raise the gravest of `kinds`, each that of the error at the same place, with all errors of that kind.

    Of a file, which a person mends, not more than a person can read.
    """
    for kind in (NotCovered, InvalidRequest, Overlapping):
        of_kind = [error for error, its_kind in zip(errors, kinds, strict=True) if its_kind is kind]
        if of_kind:
            more = f", and {len(of_kind) - 1} more" if len(of_kind) > 1 else ""
            in_file = of_kind[0].line is not None
            raise kind(of_kind[0].detail + more, errors=of_kind[:MOST_LISTED] if in_file else of_kind)


def _check_precondition(if_match: str, decision: Decision) -> None:
    if decision.outcome != "unchanged" and not (decision.standing and _names(if_match, decision.standing)):
        raise _changed(decision.standing)


def _names(if_match: str, entry: AnyEntry) -> bool:
    """True if the If-Match header holds the ETag of `entry`, by strong comparison, or `*`."""
    return if_match.strip() == "*" or entry_etag(entry) in [tag.strip() for tag in if_match.split(",")]


def _changed(found: AnyEntry | None) -> PreconditionFailed:
    now = f"it is {entry_etag(found)} now" if found else "there is none now"
    return PreconditionFailed(f"If-Match does not name the figure that is in force: {now}")
