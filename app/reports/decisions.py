"""What becomes of each row of a submission, given what is in force: the entry it adds, what it supersedes, warnings."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from sqlmodel import Session

from app.errors import FieldError
from app.periods import Period, around_and_inside
from app.places.register import Municipality
from app.reports.entries import UNNUMBERED, PlainCount, PlainStatus
from app.reports.given import given_practices, given_years
from app.reports.ledger import Decision, Key
from app.reports.models import ListName, Outcome
from app.reports.plausibility import Background, count_warnings, status_warnings
from app.reports.rules import CheckedCount, CheckedStatus, Overlapping, Refusal
from app.reports.standing import AllStanding, learning

Row = CheckedCount | CheckedStatus
Locate = Callable[[ListName, int, Refusal], FieldError]
"""Says where in what was sent a refusal of a row belongs."""


def decision_on(row: Row, standing: AllStanding, locate: Locate) -> Decision:
    """What becomes of `row`; one that overlaps what stands is refused here, since that depends on what is recorded."""
    if row.refusals:
        decision = Decision(row.list_name, row.index, "rejected")
    elif isinstance(row, CheckedCount):
        decision = _count_decision(row, standing[row.practice, row.municipality].counts)
    else:
        decision = _status_decision(row, standing[row.practice, row.municipality].statuses)
    if row.refusals:
        decision.errors = [locate(row.list_name, row.index, refusal) for refusal in row.refusals]
    return decision


def in_submission(list_name: ListName, index: int, refusal: Refusal) -> FieldError:
    """Where a refusal belongs in the body of a submission."""
    return FieldError(pointer=f"/{list_name}/{index}/{refusal.field}", detail=refusal.reason, row=index)


def add_warnings(
    db: Session,
    decisions: Sequence[Decision],
    standing: AllStanding,
    *,
    places: Mapping[str, Municipality],
    today: date,
) -> None:
    """Say what is odd about each row, in the light of all that is in force once the submission is recorded.

    That the writer knows from then on.
    """
    known = given_practices(db)
    by_key = _by_key(decisions)
    kept = {slug: given_years(db, slug, on=today) for slug in {practice for practice, _ in by_key}}
    learn = learning(db, by_key.keys())
    # One municipality and practice after the other, so that what is sorted out for each is not held for all.
    for key, own in by_key.items():
        practice, place = known[key[0]], places[key[1]]
        released = kept[practice.slug].get(place.county or "", frozenset())
        then = standing[key].after(own)
        background = Background(practice, place, released, then.figures, then.statuses.values())
        for decision in own:
            entry = decision.added or decision.standing
            if isinstance(entry, PlainCount):
                corrects = decision.standing if decision.added else None
                decision.warnings = count_warnings(entry, background, corrects=corrects)
            else:
                assert isinstance(entry, PlainStatus)
                decision.warnings = status_warnings(entry, background)
        learn(key, then)


def _by_key(decisions: Sequence[Decision]) -> Mapping[Key, Sequence[Decision]]:
    """Those that are not refused, by what they are about."""
    by_key: dict[Key, list[Decision]] = {}
    for decision in decisions:
        entry = decision.added or decision.standing
        if decision.outcome != "rejected" and entry is not None:
            by_key.setdefault((entry.practice, entry.municipality), []).append(decision)
    return by_key


def _count_decision(row: CheckedCount, counts: Mapping[str, PlainCount]) -> Decision:
    assert row.period
    assert row.counted_to
    standing = counts.get(row.period.text)
    if standing and (standing.sessions, standing.counted_to) == (row.sessions, row.counted_to):
        return Decision("counts", row.index, "unchanged", standing=standing)
    in_the_way = _in_the_way(row.period, counts)
    if in_the_way and not row.replace:
        # Not how many sessions they hold: a key that only reports does not read.
        periods = ", ".join(f"{other.period} (entry {other.id})" for other in in_the_way)
        reason = f"{row.period.text} shares days with {periods}; `replace: true` supersedes what is in the way"
        row.refusals = [Refusal(Overlapping, "period", reason)]
        return Decision("counts", row.index, "rejected", standing=standing)
    outcome: Outcome = "corrected" if standing else "created"
    added = PlainCount(
        *UNNUMBERED,
        row.practice,
        row.municipality,
        outcome,
        None,
        row.period.text,
        row.period.first,
        row.period.last,
        row.counted_to,
        row.sessions,
    )
    return Decision("counts", row.index, outcome, added, standing, in_the_way, row.note)


def _in_the_way(period: Period, counts: Mapping[str, PlainCount]) -> Sequence[PlainCount]:
    """Of `counts` those of other periods that share days with `period`, in the order of their texts."""
    return [counts[text] for text in around_and_inside(period) if text in counts] if counts else ()


def _status_decision(row: CheckedStatus, statuses: Mapping[date, PlainStatus]) -> Decision:
    assert row.day
    standing = statuses.get(row.day)
    if standing and standing.status == row.status:
        return Decision("statuses", row.index, "unchanged", standing=standing)
    outcome: Outcome = "corrected" if standing else "created"
    added = PlainStatus(*UNNUMBERED, row.practice, row.municipality, outcome, None, row.day, row.precision, row.status)
    return Decision("statuses", row.index, outcome, added, standing, note=row.note)
