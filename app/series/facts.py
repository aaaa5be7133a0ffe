"""What the yearly trend is made of: counts, statuses and releases, and the question that is put to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple

from app.series.figures import ReleasedYear

Read = Literal["live", "release"]


class Count(NamedTuple):
    """The sessions of one period, in the year of `first`; `last` is its `through`, else its last day.

    `reporter` names who reported it; it only tells one from another.
    """

    first: date
    last: date
    sessions: int
    reporter: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """All that is recorded of one municipality for the practice, as of the moment of reading.

    `in_register_to` is its last day in the register, None if it is still there. `statuses` ascend by day, at most one
    a day: planned, pilot, in_use, paused or ended. `counts` come in any order; their periods never contain one
    another.
    """

    code: str
    in_register_from: date
    in_register_to: date | None
    statuses: tuple[tuple[date, str], ...] = ()
    counts: tuple[Count, ...] = ()


@dataclass(frozen=True, slots=True)
class Release:
    """What a county made public on a day; its `years` have no hole between the first and the last.

    `municipalities` is what it says of each by code and year: of some years of all that were in the register.
    """

    id: int
    published_on: date
    years: Mapping[int, ReleasedYear]
    municipalities: Mapping[str, Mapping[int, ReleasedYear]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class County:
    """One county as the moment of reading knows it; `code` is "" for municipalities that belong to none.

    In live reading `histories` are all municipalities that ever were in it (of those asked for, if narrowed), also
    those of which nothing is recorded; in release reading there are none. `release` is the latest one, or the one
    asked for; `live_from` is the first year for which the reports speak. `municipalities` are the codes of those asked
    for, if narrowed.
    """

    code: str
    histories: Sequence[History]
    release: Release | None = None
    live_from: int | None = None
    municipalities: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of the counties of an area, whatever the year; `yearly_trend` says what each part means."""

    as_of: date
    counted: bool
    residents: Mapping[int, Mapping[str, int]]
    counties_total: int
    narrowed: bool
    read: Read
