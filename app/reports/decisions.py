"""What becomes of each row of a submission, given what is in force: the entry it adds, what it supersedes, warnings."""

import itertools
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from sqlmodel import Session

from app.errors import FieldError
from app.periods import Period, around_and_inside
from app.places.register import Municipality, municipality_code
from app.reports.doubts import Figures
from app.reports.entries import UNNUMBERED, PlainCount, PlainStatus
from app.reports.given import given_practices, given_years
from app.reports.ledger import Decision, Key, plain_in_force
from app.reports.models import ListName, Outcome
from app.reports.plausibility import Background, count_warnings, figure_of, status_warnings
from app.reports.rules import CheckedCount, CheckedStatus, Overlapping, Refusal
from app.reports.sent import Sent
from app.turn import known_of_ledger, once_kept

Row = CheckedCount | CheckedStatus
Locate = Callable[[ListName, int, Refusal], FieldError]
"""Says where in what was sent a refusal of a row belongs."""

FEW = 3
"""For so many new counts what is known of the others is not sorted out once more."""

MOST_KNOWN = 1_000
"""Of how many municipalities and practices the writer knows what stands, from turn to turn; a few dozen MB at most."""


@dataclass
class Standing:
    """What is in force of one municipality and practice, as the writer sees it: by period, and by day."""

    counts: dict[str, PlainCount]
    statuses: dict[date, PlainStatus]

    @cached_property
    def figures(self) -> Figures:
        """The counts, to be held against one another."""
        return Figures(map(figure_of, self.counts.values()))

    def after(self, decisions: Sequence[Decision]) -> "Standing":
        """What will stand once `decisions` are recorded."""
        gone = {entry.period for decision in decisions for entry in decision.superseded}
        counts = [decision.added for decision in decisions if isinstance(decision.added, PlainCount)]
        statuses = [decision.added for decision in decisions if isinstance(decision.added, PlainStatus)]
        then = Standing({**self.counts}, {**self.statuses} | {status.day: status for status in statuses})
        for period in gone:
            then.counts.pop(period, None)
        then.counts.update({count.period: count for count in counts})
        if len(counts) <= FEW:
            then.figures = self.figures.after(gone, [figure_of(count) for count in counts])
        return then


AllStanding = Mapping[Key, Standing]


def read_standing(db: Session, _at: datetime, sent: Sequence[Sent]) -> None:
    """Read what stands of all that is `sent` by those who share a turn, unless it is known.

    Only here, where nothing waits to be written, is anything forgotten to make room.
    """
    rows = itertools.chain.from_iterable((*one.counts, *one.statuses) for one in sent)
    keys = {(row.practice, municipality_code(row.municipality)) for row in rows}
    known = _known(db)
    if known is not None and len(keys) <= MOST_KNOWN:
        if len(known.keys() | keys) > MOST_KNOWN:
            known.clear()
        _standing_of(db, keys)


def standing_for(db: Session, rows: Sequence[Row]) -> AllStanding:
    """What `rows` are held against, by what they are about."""
    return _standing_of(db, {(row.practice, row.municipality) for row in rows})


def _standing_of(db: Session, keys: Set[Key]) -> AllStanding:
    known = _known(db)
    if known is None or len(keys) > MOST_KNOWN:
        return _read(db, keys)
    # A difference would look at all that is known.
    if missing := {key for key in keys if key not in known}:
        known.update(_read(db, missing))
    return known


def _known(db: Session) -> dict[Key, Standing] | None:
    """What the writer knows of what stands; None where all is read anew."""
    known = known_of_ledger(db)
    return None if known is None else known.setdefault("standing", {})


def _learning(db: Session, keys: Set[Key]) -> Callable[[Key, Standing], None]:
    """To be told what stands of each of `keys` after this work; the writer knows it once that is kept."""
    known = _known(db)
    after: dict[Key, Standing] = {}
    if known is None:
        return lambda _key, _standing: None
    if len(keys) > MOST_KNOWN:
        once_kept(db, known.clear)
        return lambda _key, _standing: None
    once_kept(db, lambda: known.update(after))
    return after.__setitem__


def _read(db: Session, keys: Set[Key]) -> dict[Key, Standing]:
    found = {key: Standing({}, {}) for key in keys}
    for count in plain_in_force(db, PlainCount, keys):
        if standing := found.get((count.practice, count.municipality)):
            standing.counts[count.period] = count
    for status in plain_in_force(db, PlainStatus, keys):
        if standing := found.get((status.practice, status.municipality)):
            standing.statuses[status.day] = status
    return found


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
    learn = _learning(db, by_key.keys())
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
