"""What becomes of each row of a submission, given what is in force: the entry it adds, what it supersedes, warnings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, date
from typing import Any

from sqlmodel import Session, col

from app.errors import FieldError
from app.places.register import Municipality
from app.practices.models import PracticePublic
from app.reports.doubts import HISTORY_YEARS, Figures
from app.reports.given import given_practices, given_years
from app.reports.ledger import Decision, Entry, Key, about, counts_in_force, statuses_in_force
from app.reports.models import ListName, Outcome
from app.reports.plausibility import Background, count_warnings, figure_of, figure_warnings, status_warnings
from app.reports.rules import CheckedCount, CheckedStatus, Overlapping, Refusal
from app.reports.tables import CountEntry, StatusEntry

Row = CheckedCount | CheckedStatus
Locate = Callable[[ListName, int, Refusal], FieldError]
"""Says where in what was sent a refusal of a row belongs."""


@dataclass(slots=True)
class Standing:
    """What is in force of the municipalities and practices that a submission is about, as the writer sees it."""

    counts: dict[Key, dict[str, CountEntry]]
    statuses: dict[Key, dict[date, StatusEntry]]


def standing_for(db: Session, rows: Sequence[Row]) -> Standing:
    """What `rows` are held against: all statuses, and the counts of their years and of those around them."""
    standing, keys = Standing({}, {}), {_key(row) for row in rows}
    years = [row.period.first.year for row in rows if isinstance(row, CheckedCount) and row.period]
    if years:
        last_year = min(max(years) + HISTORY_YEARS, MAXYEAR)
        near = col(CountEntry.first_day).between(date(min(years) - HISTORY_YEARS, 1, 1), date(last_year, 12, 31))
        for count in counts_in_force(db, about(CountEntry, keys), near):
            standing.counts.setdefault((count.practice, count.municipality), {})[count.period] = count
    for status in statuses_in_force(db, about(StatusEntry, keys)):
        standing.statuses.setdefault((status.practice, status.municipality), {})[status.day] = status
    return standing


def decision_on(row: Row, standing: Standing, locate: Locate) -> Decision:
    """What becomes of `row`; one that overlaps what stands is refused here, since that depends on what is recorded."""
    if row.refusals:
        decision = Decision(row.list_name, row.index, "rejected")
    elif isinstance(row, CheckedCount):
        decision = _count_decision(row, standing.counts.get(_key(row), {}))
    else:
        decision = _status_decision(row, standing.statuses.get(_key(row), {}))
    decision.errors = [locate(row.list_name, row.index, refusal) for refusal in row.refusals]
    return decision


def in_submission(list_name: ListName, index: int, refusal: Refusal) -> FieldError:
    """Where a refusal belongs in the body of a submission."""
    return FieldError(pointer=f"/{list_name}/{index}/{refusal.field}", detail=refusal.reason, row=index)


def add_warnings(
    db: Session,
    decisions: Sequence[Decision],
    standing: Standing,
    *,
    places: Mapping[str, Municipality],
    today: date,
) -> None:
    """Say what is odd about each row, in the light of all that is in force once the submission is recorded."""
    _apply(decisions, standing)
    known = given_practices(db)
    figures = _figures(decisions, standing)
    kept = {slug: given_years(db, slug, on=today) for slug in {entry.practice for entry in _held(decisions)}}
    for decision in decisions:
        entry = decision.added or decision.standing
        if decision.outcome == "rejected" or entry is None:
            continue
        background = _background(entry, known, places, kept)
        statuses = standing.statuses.get((entry.practice, entry.municipality), {})
        if isinstance(entry, StatusEntry):
            decision.warnings = status_warnings(entry, background, statuses=statuses)
        else:
            counts = standing.counts[(entry.practice, entry.municipality)]
            corrects = decision.standing if decision.added else None
            assert not isinstance(corrects, StatusEntry)
            decision.warnings = [
                *count_warnings(entry, background, counts=counts, corrects=corrects, statuses=statuses),
                *figure_warnings(entry, figures[entry.practice, entry.municipality], statuses=statuses),
            ]


def _key(row: Row) -> Key:
    return row.item.practice, row.municipality


def _count_decision(row: CheckedCount, counts: Mapping[str, CountEntry]) -> Decision:
    assert row.period
    assert row.counted_to
    standing = counts.get(row.period.text)
    if standing and (standing.sessions, standing.counted_to) == (row.item.sessions, row.counted_to):
        return Decision("counts", row.index, "unchanged", standing=standing)
    in_the_way = [
        other
        for other in counts.values()
        if other is not standing and other.first_day <= row.period.last and row.period.first <= other.last_day
    ]
    if in_the_way and not row.item.replace:
        # Not how many sessions they hold: a key that only reports does not read.
        periods = ", ".join(f"{other.period} (entry {other.id})" for other in in_the_way)
        reason = f"{row.period.text} shares days with {periods}; `replace: true` supersedes what is in the way"
        row.refusals.append(Refusal(Overlapping, "period", reason))
        return Decision("counts", row.index, "rejected", standing=standing)
    outcome: Outcome = "corrected" if standing else "created"
    added = CountEntry(
        **_unnumbered(row),
        outcome=outcome,
        period=row.period.text,
        first_day=row.period.first,
        last_day=row.period.last,
        counted_to=row.counted_to,
        sessions=row.item.sessions,
    )
    note = row.item.note
    return Decision("counts", row.index, outcome, added=added, standing=standing, superseded=in_the_way, note=note)


def _status_decision(row: CheckedStatus, statuses: Mapping[date, StatusEntry]) -> Decision:
    assert row.day
    standing = statuses.get(row.day)
    if standing and standing.status == row.item.status:
        return Decision("statuses", row.index, "unchanged", standing=standing)
    outcome: Outcome = "corrected" if standing else "created"
    added = StatusEntry(
        **_unnumbered(row), outcome=outcome, day=row.day, date_precision=row.precision, status=row.item.status
    )
    return Decision("statuses", row.index, outcome, added=added, standing=standing, note=row.item.note)


def _unnumbered(row: Row) -> dict[str, Any]:
    """What every new entry says of its row; its number, who and when are set when it is stored."""
    return {"practice": row.item.practice, "municipality": row.municipality, "note_hash": None}


def _held(decisions: Sequence[Decision]) -> Sequence[Entry]:
    return [entry for decision in decisions if (entry := decision.added or decision.standing)]


def _figures(decisions: Sequence[Decision], standing: Standing) -> dict[Key, Figures]:
    """The figures of every municipality and practice about which there is a count, sorted out once for all rows."""
    counted = {(entry.practice, entry.municipality) for entry in _held(decisions) if isinstance(entry, CountEntry)}
    return {key: Figures(figure_of(entry) for entry in standing.counts[key].values()) for key in counted}


def _background(
    entry: Entry,
    known: Mapping[str, PracticePublic],
    places: Mapping[str, Municipality],
    kept: Mapping[str, Mapping[str, frozenset[int]]],
) -> Background:
    place = places[entry.municipality]
    return Background(known[entry.practice], place, kept[entry.practice].get(place.county or "", frozenset()))


def _apply(decisions: Sequence[Decision], standing: Standing) -> None:
    """Make `standing` what it will be once `decisions` are recorded."""
    for decision in decisions:
        for gone in decision.superseded:
            standing.counts[(gone.practice, gone.municipality)].pop(gone.period, None)
        added = decision.added
        if isinstance(added, CountEntry):
            standing.counts.setdefault((added.practice, added.municipality), {})[added.period] = added
        elif added is not None:
            standing.statuses.setdefault((added.practice, added.municipality), {})[added.day] = added
