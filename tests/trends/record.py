"""A plain record of what was posted, read without the application: the trend's oracle is asked out of it."""

import csv
from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from app.series.facts import Count, County, History, Release
from app.series.figures import ReleasedYear
from tests.conftest import ROOT
from tests.trend_oracle import trend_day_by_day

DATA = ROOT / "app" / "places" / "data"
COUNTIES = (*(f"{number:02}" for number in range(1, 22)), "90")

Row = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """A municipality; `county` is empty if it belongs to none."""

    code: str
    county: str
    register_from: date
    register_to: date | None


@dataclass(frozen=True)
class Said:
    """What was said about `key` at a moment; None as `value` withdraws it."""

    at: datetime
    key: tuple[str, ...]
    value: Any


@dataclass
class Record:
    """All that was ever said, oldest first.

    Keys: practice, municipality and period or day of counts and statuses; practice and county of `live_from`; practice
    of `counted`. Counts are sessions, the last day counted and who reported them.
    """

    counts: list[Said] = field(default_factory=list)
    statuses: list[Said] = field(default_factory=list)
    live_from: list[Said] = field(default_factory=list)
    counted: list[Said] = field(default_factory=list)
    releases: list[tuple[str, str, Release]] = field(default_factory=list)

    def add_count(self, at: datetime, practice: str, row: Row, *, by: int) -> bool:
        """Take a count in; False if it overlaps another and does not replace it."""
        first, last = days_of(row["period"])
        through = date.fromisoformat(row["through"]) if row.get("through") else last
        in_the_way = [
            period
            for period in counts_in_force(self, practice, row["municipality"])
            if period != row["period"] and days_of(period)[0] <= last and first <= days_of(period)[1]
        ]
        if in_the_way and not row.get("replace"):
            return False
        for period in in_the_way:
            self.counts.append(Said(at, (practice, row["municipality"], period), None))
        said = row["sessions"], through
        stands = counts_in_force(self, practice, row["municipality"]).get(row["period"])
        if stands is None or stands[:2] != said:  # Who says the same as stands there reports nothing new.
            self.counts.append(Said(at, (practice, row["municipality"], row["period"]), (*said, by)))
        return True

    def add_status(self, at: datetime, practice: str, row: Row) -> None:
        """Take a status in."""
        day = (row["date"] + "-01-01")[:10]
        self.statuses.append(Said(at, (practice, row["municipality"], day), row["status"]))

    def trend(
        self, practice: str, grounds: Sequence["Ground"], *, day: date, moment: datetime | None, read: str, **cut: Any
    ) -> list[Row]:
        """The rows of all of `grounds`, one after the other, in the words of the contract."""
        return [row for ground in grounds for row in self._rows(practice, ground, day, moment, read, cut)]

    def releases_of(self, practice: str, ground: "Ground", day: date) -> list[int]:
        """The numbers of the releases that counties of the area had made public by `day`."""
        found = [self._release(practice, code, day) for code in ground.counties]
        return [release.id for release in found if release]

    def _rows(
        self, practice: str, ground: "Ground", day: date, moment: datetime | None, read: str, cut: Mapping[str, Any]
    ) -> Iterator[Row]:
        live = read == "live"
        begins = {key[1]: year for key, year in latest(self.live_from, moment).items() if key[0] == practice}
        counties = [
            County(
                code,
                [self._history(practice, place, moment) for place in ground.places if live and place.county == code],
                self._release(practice, code, day),
                begins.get(code) if live else None,
                [place.code for place in ground.places if place.county == code] if ground.narrowed else (),
            )
            for code in ground.counties
        ]
        found = trend_day_by_day(
            counties,
            as_of=day,
            counted=self._is_counted(practice, moment),
            residents=residents() if live else {},
            counties_total=len([code for code in ground.counties if code]),
            narrowed=ground.narrowed,
            read=read,
            **cut,
        )
        area = {
            "practice": practice,
            "area_type": ground.type,
            "area_code": ground.code,
            "area_name_fi": ground.name_fi,
        }
        for row in found:
            yield area | {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}

    def _history(self, practice: str, place: Place, moment: datetime | None) -> History:
        statuses = by_slot(self.statuses, practice, place.code, moment)
        counts = by_slot(self.counts, practice, place.code, moment)
        return History(
            place.code,
            place.register_from,
            place.register_to,
            tuple(sorted((date.fromisoformat(day), status) for day, status in statuses.items())),
            tuple(
                Count(days_of(period)[0], through, sessions, by) for period, (sessions, through, by) in counts.items()
            ),
        )

    def _release(self, practice: str, county: str, day: date) -> Release | None:
        public = [
            release
            for about, of, release in self.releases
            if (about, of) == (practice, county) and release.published_on <= day
        ]
        return max(public, key=lambda release: (release.published_on, release.id), default=None)

    def _is_counted(self, practice: str, moment: datetime | None) -> bool:
        first = next(said.value for said in self.counted if said.key == (practice,))
        return bool(latest(self.counted, moment).get((practice,), first))


@dataclass(frozen=True)
class Ground:
    """An area that gets rows of its own."""

    type: str
    code: str
    name_fi: str
    places: Sequence[Place]
    counties: Sequence[str]
    narrowed: bool = False


def latest(said: Sequence[Said], moment: datetime | None) -> dict[tuple[str, ...], Any]:
    """By key: what was said last up to `moment`, unless that withdrew it."""
    last = {one.key: one.value for one in said if moment is None or one.at <= moment}
    return {key: value for key, value in last.items() if value is not None}


def by_slot(said: Sequence[Said], practice: str, municipality: str, moment: datetime | None) -> dict[str, Any]:
    """By period or day: what is in force of a practice and municipality."""
    return {key[2]: value for key, value in latest(said, moment).items() if key[:2] == (practice, municipality)}


def counts_in_force(record: Record, practice: str, municipality: str) -> dict[str, Any]:
    """By period: the counts of now."""
    return by_slot(record.counts, practice, municipality, None)


def days_of(period: str) -> tuple[date, date]:
    """The first and last day of `2022`, `2022-Q1` or `2022-03`."""
    year, _, part = period.partition("-")
    months = (3 * int(part[1]) - 2, 3 * int(part[1])) if part.startswith("Q") else (int(part or 1), int(part or 12))
    return date(int(year), months[0], 1), date(int(year), months[1], monthrange(int(year), months[1])[1])


def helsinki(moment: datetime) -> date:
    """The day that it is in Helsinki."""
    return moment.astimezone(ZoneInfo("Europe/Helsinki")).date()


def country() -> Ground:
    """Finland without Åland, which is in no county."""
    return Ground("country", "FI", "Suomi", [place for place in places().values() if place.county], COUNTIES)


def county(code: str) -> Ground:
    """One county with every municipality that ever was in it."""
    return Ground("county", code, names()[code], [place for place in places().values() if place.county == code], [code])


def some(*codes: str) -> Ground:
    """Municipalities by themselves, in the order of their codes."""
    chosen = [places()[code] for code in sorted(set(codes))]
    return Ground(
        "municipality" if len(chosen) == 1 else "municipalities",
        "+".join(place.code for place in chosen),
        ", ".join(names()[place.code] for place in chosen),
        chosen,
        sorted({place.county for place in chosen}),
        narrowed=True,
    )


def shipped_release() -> Release:
    """The first release as the source printed it."""
    printed = {
        2021: (8, 94, date(2021, 12, 31)),
        2022: (14, 105, date(2022, 12, 31)),
        2023: (15, 23, date(2023, 3, 27)),
    }
    codes = [place.code for place in county("13").places]
    return Release(
        1,
        date(2023, 3, 27),
        {
            year: ReleasedYear(
                covers=True,
                municipalities_in_area=19,
                residents=sum(residents()[year][code] for code in codes),
                municipalities=municipalities,
                sessions=sessions,
                through=through,
                partial=year == 2023,
            )
            for year, (municipalities, sessions, through) in printed.items()
        },
    )


@cache
def places() -> Mapping[str, Place]:
    """By code, in the order of the codes: every municipality; one that ended before the file begins never was."""
    found = {}
    for row in rows_of("municipalities.csv"):
        ends = date.fromisoformat(row["valid_to"]) if row["valid_to"] else None
        begins = date.min if row["valid_from"] == "2021-01-01" else date.max
        found[row["code"]] = Place(row["code"], row["county_code"], begins, ends)
    return dict(sorted(found.items()))


@cache
def names() -> Mapping[str, str]:
    """By code: the Finnish names of counties and municipalities."""
    return {row["code"]: row["name_fi"] for name in ("counties.csv", "municipalities.csv") for row in rows_of(name)}


@cache
def residents() -> Mapping[int, Mapping[str, int]]:
    """By year and municipality."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for row in rows_of("population.csv"):
        found[int(row["year"])][row["code"]] = int(row["total"])
    return found


def rows_of(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
