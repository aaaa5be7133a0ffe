"""Where each municipality stands with a practice, and how it came there: public as it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col

from app.clock import AsOf
from app.places.register import Municipality
from app.reports.ledger import statuses_in_force
from app.reports.tables import StatusEntry

ACTIVE = ("pilot", "in_use")
"""The statuses in which a municipality has the practice."""


@dataclass(frozen=True, slots=True)
class Step:
    """A status that began on a day, which stands for its month or year if nobody knows more."""

    day: date
    status: str
    precision: str = "day"


@dataclass(frozen=True, slots=True)
class Standing:
    """A municipality with its statuses, oldest first; none if nothing was published of it."""

    place: Municipality
    steps: Sequence[Step]

    @property
    def status(self) -> str | None:
        """Where it stands; None if nothing was published."""
        return self.steps[-1].status if self.steps else None


def standings(db: Session, practice: str, places: Iterable[Municipality], as_of: AsOf) -> list[Standing]:
    """In the order of `places`: those in the register of the day that is read, with the statuses up to that day."""
    there = [place for place in places if place.in_register(as_of.day)]
    steps: dict[str, list[Step]] = {place.code: [] for place in there}
    found = statuses_in_force(
        db,
        col(StatusEntry.practice) == practice,
        col(StatusEntry.municipality).in_(steps),
        col(StatusEntry.day) <= as_of.day,
        moment=as_of.moment,
    )
    for entry in found:
        _add(steps[entry.municipality], Step(entry.day, entry.status or "", entry.date_precision))
    return [Standing(place, steps[place.code]) for place in there]


def _add(steps: list[Step], step: Step) -> None:
    """The same status on a later day confirms it and is no further step."""
    if not steps or steps[-1].status != step.status:
        steps.append(step)
