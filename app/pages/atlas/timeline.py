"""Which municipality moved from trial to use when: a strip for each on a common scale of years."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from app.pages.atlas.stages import told
from app.pages.reading.standings import ACTIVE, Standing, Step
from app.pages.wording import Wording

WIDTH = 320
"""Units that the whole scale is long."""

_MOST_LABELS = 7


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a year begins on the scale; `label` is empty where the next would be too near."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A status from `x` on."""

    x: float
    width: float
    stage: str


@dataclass(frozen=True, slots=True)
class Strip:
    """One municipality, with the same in words."""

    code: str
    name: str
    bars: Sequence[Bar]
    told: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The strips below the years of their scale."""

    marks: Sequence[Mark]
    strips: Sequence[Strip]


@dataclass(frozen=True, slots=True)
class _Scale:
    """Whole years beside one another, from 1 January of `first` to 31 December of `last`."""

    first: int
    last: int

    def x(self, day: date) -> float:
        """Where `day` begins, to a tenth of a unit."""
        begin, end = date(self.first, 1, 1), date(self.last + 1, 1, 1)
        return round(WIDTH * (day - begin) / (end - begin), 1)

    def marks(self) -> list[Mark]:
        """The beginning of each year."""
        years = range(self.first, self.last + 1)
        apart = -(-len(years) // _MOST_LABELS)
        return [Mark(self.x(date(year, 1, 1)), "" if (year - self.first) % apart else str(year)) for year in years]


def timeline(words: Wording, standings: Sequence[Standing], *, until: date) -> Timeline | None:
    """Those with a status, in the order in which the practice came to them; what is in force lasts `until` that day.

    First those that ever had it on trial or in use, by the day, then the others; None if none has a status.
    """
    moved = [standing for standing in standings if standing.steps]
    if not moved:
        return None
    scale = _Scale(min(standing.steps[0].day.year for standing in moved), until.year)
    moved.sort(key=lambda standing: (_arrival(standing.steps), words.alphabetical(words.name(standing.place))))
    return Timeline(
        scale.marks(),
        [
            Strip(
                standing.place.code,
                words.name(standing.place),
                _bars(standing.steps, scale, until),
                told(words, standing.steps),
            )
            for standing in moved
        ],
    )


def _arrival(steps: Sequence[Step]) -> tuple[bool, date]:
    """Sorts by the first day on trial or in use, then what never was by its first day."""
    active = [step.day for step in steps if step.status in ACTIVE]
    return not active, active[0] if active else steps[0].day


def _bars(steps: Sequence[Step], scale: _Scale, until: date) -> list[Bar]:
    ends = [scale.x(later.day) for _, later in pairwise(steps)] + [scale.x(until + timedelta(days=1))]
    begins = [scale.x(step.day) for step in steps]
    return [
        Bar(begin, round(end - begin, 1), step.status) for begin, end, step in zip(begins, ends, steps, strict=True)
    ]
