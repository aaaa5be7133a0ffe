"""Everything that one release says, and the counts behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.series.facts import Count
from app.series.figures import ReleasedYear


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedQuarter:
    """The sessions of a county in one quarter; None if they are withheld, or if some count is of a longer period.

    `reporting` municipalities have a count that lies in it; `partial` is True if it was not over.
    """

    sessions: int | None
    reporting: int
    partial: bool
    withheld: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a release says: of the county by year, and, if it was asked for, by municipality and by quarter.

    `years` ascend and have no hole. `municipalities` is by code and year, and speaks of the years that are not carried
    over; `quarters` is by period, as in 2023-Q1.
    """

    years: Mapping[int, ReleasedYear]
    municipalities: Mapping[str, Mapping[int, ReleasedYear]] = field(default_factory=dict)
    quarters: Mapping[str, ReleasedQuarter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A release and the counts it was made of: by municipality, all that were in force at its moment.

    Only those who had a count are there. An imported release has none: nobody knows of what it was made.
    """

    content: Content
    counts: Mapping[str, Sequence[Count]]
