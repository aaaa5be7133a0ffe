"""What is measured on: invented counts and statuses that follow from a formula, the same for every contender."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

FIRST_YEAR = 2015
ASKED_PRACTICE = "yhdessa-aika"
ASKED_COUNTY = "13"
LONG_AGO = date(2016, 11, 22)
"""The day of the as-of read: ten years back, before all corrections and most of the counts."""

NOT_RELEASED = "90"
"""The one county out of 22 that made nothing public."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is: `months` in whole years, `corrections` of each count of the practice that is asked about."""

    name: str
    practices: int
    months: int
    corrections: int


SIZES = {
    "S": Size("S", practices=2, months=24, corrections=1),
    "M": Size("M", practices=20, months=60, corrections=0),
    "L": Size("L", practices=200, months=60, corrections=10),
}
"""S only tries the harness; M has 371,000 counts; L ten times the practices, ten corrections, 3.9 M entries."""


class Place(NamedTuple):
    """A municipality; `county` is "" in Åland."""

    code: str
    county: str

    @property
    def released(self) -> bool:
        """True if its county made totals public."""
        return self.county not in ("", NOT_RELEASED)


class Count(NamedTuple):
    """The sessions of one municipality, practice and month."""

    practice: str
    municipality: str
    year: int
    month: int
    sessions: int

    @property
    def period(self) -> str:
        """The month as the service writes it."""
        return f"{self.year}-{self.month:02}"


class YearTotal(NamedTuple):
    """What every contender answers of one year: `municipalities` are those with a count in it."""

    year: int
    sessions: int
    municipalities: int


@dataclass(frozen=True)
class Workload:
    """The figures of one size in `places`."""

    size: Size
    places: Sequence[Place]

    @property
    def practices(self) -> list[str]:
        """Slugs, the one that is asked about first."""
        return [ASKED_PRACTICE, *(f"practice-{number:03}" for number in range(1, self.size.practices))]

    @property
    def ends(self) -> date:
        """The first day after the last month."""
        return date(FIRST_YEAR + self.size.months // 12, 1, 1)

    def month_of_counts(self, month: int, practices: Sequence[str], *, correction: int = 0) -> Iterator[Count]:
        """Every count of the `month`-th month, by practice and municipality, as it stood after so many corrections."""
        year, in_year = FIRST_YEAR + month // 12, month % 12 + 1
        numbers = {practice: number for number, practice in enumerate(self.practices)}
        for practice in practices:
            first = 7 * numbers[practice] + 5 * month + 3 * correction
            for number, place in enumerate(self.places):
                yield Count(practice, place.code, year, in_year, (first + 13 * number) % 40)

    def counts_in_force(self) -> Iterator[Count]:
        """Every count as it stands now."""
        others = self.practices[1:]
        for month in range(self.size.months):
            yield from self.month_of_counts(month, [ASKED_PRACTICE], correction=self.size.corrections)
            yield from self.month_of_counts(month, others)

    def totals(self, places: Sequence[Place], *, on: date | None = None) -> list[YearTotal]:
        """What is right to say of the asked practice in `places`: now, or of what was recorded up to the day `on`."""
        codes = {place.code for place in places}
        sessions: dict[int, int] = {}
        for month in range(self.size.months):
            if on is None or recorded_on(month) <= on:
                correction = self.size.corrections if on is None else 0
                for count in self.month_of_counts(month, [ASKED_PRACTICE], correction=correction):
                    if count.municipality in codes:
                        sessions[count.year] = sessions.get(count.year, 0) + count.sessions
        return [YearTotal(year, total, len(codes)) for year, total in sessions.items()]

    def places_of(self, county: str) -> list[Place]:
        """The municipalities of a county."""
        return [place for place in self.places if place.county == county]

    @property
    def released_places(self) -> list[Place]:
        """The municipalities of the counties that made totals public."""
        return [place for place in self.places if place.released]


def recorded_on(month: int) -> date:
    """The day on which the counts of the `month`-th month were first recorded: the fifth of the next."""
    return date(FIRST_YEAR + (month + 1) // 12, (month + 1) % 12 + 1, 5)


def corrected_on(correction: int, ends: date) -> date:
    """The day of the `correction`-th correction, from 1 on: one every half year after the last month."""
    return ends + timedelta(days=60 + 180 * correction)
