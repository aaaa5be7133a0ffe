"""What stands in the ledger, as the writer sees it, and knows it from turn to turn."""

import itertools
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from sqlmodel import Session

from app.places.register import municipality_code
from app.reports.doubts import Figures
from app.reports.entries import PlainCount, PlainStatus
from app.reports.ledger import Decision, Key, plain_in_force
from app.reports.plausibility import figure_of
from app.reports.sent import Sent
from app.turn import known_of_ledger, once_kept

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
    if len(keys) <= MOST_KNOWN:
        if len(known.keys() | keys) > MOST_KNOWN:
            known.clear()
        standing_of(db, keys)


def standing_of(db: Session, keys: Set[Key]) -> AllStanding:
    """What stands of all `keys`, and perhaps of others."""
    known = _known(db)
    if len(keys) > MOST_KNOWN:
        return _read(db, keys)
    # A difference would look at all that is known.
    if missing := {key for key in keys if key not in known}:
        known.update(_read(db, missing))
    return known


def _known(db: Session) -> dict[Key, Standing]:
    """What the writer knows of what stands."""
    known: dict[Key, Standing] = known_of_ledger(db).setdefault("standing", {})
    return known


def learning(db: Session, keys: Set[Key]) -> Callable[[Key, Standing], None]:
    """To be told what stands of each of `keys` after this work; the writer knows it once that is kept."""
    known = _known(db)
    after: dict[Key, Standing] = {}
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
