"""The live trend over HTTP, every field of it, against the day-by-day oracle on random histories."""

import random
from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.database import take_turn
from app.practices.definitions import define_practice, set_live_from
from app.releases.importing import import_release
from app.series.facts import Release
from app.series.figures import ReleasedYear
from tests.conftest import Caller, StandingClock, count, status
from tests.practices.test_definitions import GUIDANCE
from tests.releases.test_importing import south_savo
from tests.trends.published import store, told
from tests.trends.record import (
    COUNTIES,
    Ground,
    Record,
    Row,
    Said,
    country,
    counts_in_force,
    county,
    days_of,
    helsinki,
    latest,
    places,
    residents,
    shipped_release,
    some,
)

# Many cases and much arithmetic: each module's own tests are what its lines are measured by.
pytestmark = pytest.mark.no_cover

PRACTICES = ("yhdessa-aika", GUIDANCE.slug)
# North Savo; South Savo with Pertunmaa (588), which went into Mäntyharju (507) at the end of 2024; Åland.
REPORTING = ("297", "140", "402", "588", "507", "213", "035")
STATUSES = ("in_use", "in_use", "in_use", "pilot", "pilot", "planned", "paused", "ended")
FIRST_YEAR = 2021

Question = dict[str, Any]


@dataclass
class Posting:
    """A random life of the service: what is posted over HTTP is noted in the record as well."""

    app: FastAPI
    nation: Caller
    others: Caller
    clock: StandingClock
    chance: random.Random
    record: Record = field(default_factory=Record)
    moments: list[datetime] = field(default_factory=list)

    @property
    def today(self) -> date:
        return helsinki(self.clock())

    def begin(self) -> None:
        """What a fresh install knows, and a second practice."""
        self.record.releases.append(("yhdessa-aika", "13", shipped_release()))
        self.record.counted.append(Said(self.clock(), ("yhdessa-aika",), True))
        self.define(counted=True)

    def live(self, steps: int) -> None:
        """Let time pass, and something happen, in as many steps."""
        happenings = [self.report] * 8 + [self.report_a_year] * 6 + [self.retract] * 2
        for step in range(steps):
            self.clock.advance(days=self.chance.choice((0, 1, 10, 20)), seconds=self.chance.randrange(1, 90_000))
            self.chance.choice(happenings)()
            if step in (steps // 3, steps // 2, steps * 3 // 4):
                self.decide()
            self.moments.append(self.clock())

    def report(self) -> None:
        """A submission of a few rows; refused whole if one of them overlaps what is recorded."""
        practice, codes = self.chance.choice(PRACTICES), self.chance.sample(REPORTING, self.chance.choice((1, 2, 3)))
        counts = [row for code in codes if (row := self.some_count(code))]
        statuses = [row for code in codes if (row := self.some_status(code))]
        self.post(practice, counts, statuses)

    def report_a_year(self) -> None:
        """A municipality that reports as it should: in use, and every month or quarter of a year counted."""
        code = self.chance.choice(REPORTING)
        year = self.chance.randint(FIRST_YEAR, self.today.year)
        parts = self.chance.choice(
            (
                [f"{year}-{month:02}" for month in range(1, 13)],
                [f"{year}-Q{number}" for number in range(1, 5)],
                [f"{year}"],
            )
        )
        counts = [self.a_count(code, part, replace=True) for part in parts if self.can_report(code, part)]
        statuses = [status(code, f"{year}", "in_use")] if self.in_register(code, date(year, 1, 1)) else []
        self.post(self.chance.choice(PRACTICES), [row for row in counts if self.chance.random() < 0.97], statuses)

    def retract(self) -> None:
        """Withdraw one figure that is in force, if there is any."""
        name, said = self.chance.choice((("session-counts", self.record.counts), ("statuses", self.record.statuses)))
        in_force = sorted(latest(said, None))
        if in_force:
            key = self.chance.choice(in_force)
            answer = self.nation.delete(f"/v1/{name}/{'/'.join(key)}", reason="A mistake")
            assert answer.status_code == 200, answer.text
            said.append(Said(self.clock(), key, None))

    def decide(self) -> None:
        """A county sets from when its reports speak, another publishes, and a definition changes."""
        self.define(counted=not latest(self.record.counted, None)[(GUIDANCE.slug,)])
        self.chance.choice((self.import_one, self.publish))()
        self.clock.advance(seconds=1)
        code = self.chance.choice(("12", "13"))
        year = self.chance.choice((FIRST_YEAR, FIRST_YEAR, self.today.year - 1))
        with self.app.state.database.writing() as db:
            at = take_turn(db, self.clock)
            set_live_from(db, "yhdessa-aika", code, year, at=at)
        self.record.live_from.append(Said(at, ("yhdessa-aika", code), year))

    def define(self, *, counted: bool) -> None:
        self.clock.advance(seconds=1)
        with self.app.state.database.writing() as db:
            at = take_turn(db, self.clock)
            define_practice(db, GUIDANCE.model_copy(update={"counted": counted}), at=at)
        self.record.counted.append(Said(at, (GUIDANCE.slug,), counted))

    def publish(self) -> None:
        """A release of South Savo and its municipalities in two years; the county may withhold the first."""
        number = max(release.id for _, _, release in self.record.releases) + 1
        first, second = self.today.year - 2, self.today.year - 1
        years = {
            first: self.chance.choice((told(first, 90), told(first, None, withheld=True))),
            second: told(second, 90),
        }
        of_each = {
            place.code: {
                year: self.told_of_one(year) for year in years if self.in_register(place.code, date(year, 12, 31))
            }
            for place in county("12").places
        }
        release = Release(number, self.today, years, of_each)
        self.clock.advance(seconds=1)
        store(self.app.state.database, release, county="12", at=self.clock())
        self.record.releases.append(("yhdessa-aika", "12", release))

    def told_of_one(self, year: int) -> ReleasedYear:
        """One municipality: shown, withheld, silent, or not active."""
        sessions, withheld, municipalities = self.chance.choice(
            ((30, False, 1), (None, True, 1), (None, False, 1), (None, False, 0))
        )
        return told(year, sessions, municipalities=municipalities, withheld=withheld)

    def import_one(self) -> None:
        """Import a release of South Savo that says the municipalities of all years and the sessions of some."""
        day = self.today - timedelta(days=self.chance.choice((0, 100, 300)))
        years = range(day.year - 2, day.year + 1)
        said = {year: (self.chance.randint(0, 9), self.chance.choice((None, 30))) for year in years}
        rows = [
            {"year": year, "municipalities": number, "sessions": held, "through": held and str(end(year, day))}
            for year, (number, held) in said.items()
            if year != day.year - 1
        ]
        with self.app.state.database.writing() as db:
            at = take_turn(db, self.clock)
            number = import_release(db, south_savo(published_on=str(day), years=rows), at=at)
        content = {year: self.released(year, day, *said[year], covers=year != day.year - 1) for year in years}
        self.record.releases.append(("yhdessa-aika", "12", Release(number, day, content)))

    def released(
        self, year: int, day: date, municipalities: int, sessions: int | None, *, covers: bool
    ) -> ReleasedYear:
        known = residents()[max(known for known in residents() if known <= year)]
        codes = [place.code for place in county("12").places if self.in_register(place.code, end(year, day))]
        everyone = None if any(code not in known for code in codes) else sum(known[code] for code in codes)
        if not covers:
            return ReleasedYear(covers=False, municipalities_in_area=len(codes), residents=everyone)
        return ReleasedYear(
            covers=True,
            municipalities_in_area=len(codes),
            residents=everyone,
            municipalities=municipalities,
            sessions=sessions,
            through=sessions and end(year, day),  # type: ignore[arg-type]  # 30 or None
            partial=end(year, day) < date(year, 12, 31),
        )

    def post(self, practice: str, counts: Sequence[Row], statuses: Sequence[Row]) -> None:
        if not counts and not statuses:
            return
        about = {"practice": practice}
        by, caller = self.chance.choice(((1, self.nation), (1, self.nation), (2, self.others)))
        answer = caller.post([row | about for row in counts], [row | about for row in statuses])
        overlapping = self.overlaps(practice, counts)
        assert answer.status_code == (409 if overlapping else 201), answer.text
        if not overlapping:
            for row in counts:
                assert self.record.add_count(self.clock(), practice, row, by=by)
            for row in statuses:
                self.record.add_status(self.clock(), practice, row)

    def overlaps(self, practice: str, counts: Sequence[Row]) -> bool:
        """True if one of `counts` shares days with one in force of another period and does not replace it."""
        for row in counts:
            first, last = days_of(row["period"])
            for period in counts_in_force(self.record, practice, row["municipality"]):
                others_first, others_last = days_of(period)
                shared = period != row["period"] and others_first <= last and first <= others_last
                if shared and not row.get("replace"):
                    return True
        return False

    def some_count(self, code: str) -> Row | None:
        year = self.chance.randint(FIRST_YEAR, self.today.year)
        part = self.chance.choice(("", f"-Q{self.chance.randint(1, 4)}", f"-{self.chance.randint(1, 12):02}"))
        if not self.can_report(code, f"{year}{part}"):
            return None
        return self.a_count(code, f"{year}{part}", **({"replace": True} if self.chance.random() < 0.5 else {}))

    def a_count(self, code: str, period: str, **more: Any) -> Row:
        first, last = days_of(period)
        if first <= self.today <= last or self.chance.random() < 0.1:
            through = min(last, self.today) - timedelta(days=self.chance.choice((0, 0, 0, 1, 10)))
            more["through"] = str(max(first, through))
        return count(code, period, self.chance.choice((0, 1, 2, 3, 5, 8, 13)), **more)

    def some_status(self, code: str) -> Row | None:
        year, month = self.chance.randint(FIRST_YEAR, self.today.year), self.chance.randint(1, 12)
        day = date(year, month, self.chance.randint(1, monthrange(year, month)[1]))
        text, begins = self.chance.choice(
            ((f"{day}", day), (f"{day:%Y-%m}", day.replace(day=1)), (f"{year}", date(year, 1, 1)))
        )
        if begins > self.today or not self.in_register(code, begins):
            return None
        return status(code, text, self.chance.choice(STATUSES))

    def can_report(self, code: str, period: str) -> bool:
        first, _ = days_of(period)
        return first <= self.today and self.in_register(code, first)

    def in_register(self, code: str, day: date) -> bool:
        return day <= (places()[code].register_to or date.max)

    def question(self) -> tuple[Row, str, list[Ground], Ground]:
        """Query parameters, the practice that they name, the areas that get rows, and the whole area."""
        codes = self.chance.sample(REPORTING, self.chance.choice((1, 1, 2, 3)))
        one = self.chance.choice(("12", "12", "13"))
        choices: Sequence[tuple[Row, Ground, list[Ground] | None]] = (
            ({"county": one}, county(one), [county(one)]),
            ({"county": one}, county(one), [county(one)]),
            ({}, country(), [county(code) for code in COUNTIES]),
            ({"municipality": codes}, some(*codes), None),
            ({"municipality": ["KU588", "507"], "county": "12"}, some("588", "507"), None),
        )
        query, whole, by_county = self.chance.choice(choices)
        grounds, by = [whole], self.chance.choice((None, None, "county", "municipality"))
        if by == "county" and by_county:
            query, grounds = query | {"by": by}, by_county
        if by == "municipality" and query:
            query, grounds = query | {"by": by}, [some(place.code) for place in whole.places]
        practice = self.chance.choice((*PRACTICES, "yhdessa-aika"))
        return query | {"practice": practice}, practice, grounds, whole

    def moment(self) -> tuple[Row, date, datetime | None]:
        """What to ask as `as_of`, the day that it means, and the last moment that counts."""
        moment, kind = self.chance.choice(self.moments), self.chance.choice(("now", "instant", "day"))
        if kind == "instant":
            return {"as_of": moment.isoformat()}, helsinki(moment), moment
        day = helsinki(moment)
        if kind == "day" and day < self.today:
            return {"as_of": str(day)}, day, max(past for past in self.moments if helsinki(past) <= day)
        return {}, self.today, None


def end(year: int, day: date) -> date:
    """The last day of `year` that is not after `day`."""
    return min(date(year, 12, 31), day)


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(3, 23))])
def test_every_field_of_the_live_trend_is_what_adding_up_day_by_day_gives(
    seed: int, app: FastAPI, http: TestClient, new_key: Callable[..., str], clock: StandingClock
) -> None:
    nation, others = (Caller(http, new_key("country", days=3650, organisation=name)) for name in ("THL", "Others"))
    posting = Posting(app, nation, others, clock, random.Random(seed))
    posting.begin()
    posting.live(60)
    seen: set[str] = set()

    for _ in range(40):
        query, practice, grounds, whole = posting.question()
        as_of, day, moment = posting.moment()
        cut = {"from_year": 2022, "to_year": 2024} if posting.chance.random() < 0.2 else {}
        rows = posting.record.trend(practice, grounds, day=day, moment=moment, read="live", **cut)

        answer = posting.nation.get("/v1/trends", **query, **as_of, **cut)

        assert answer.status_code == 200, answer.text
        said = answer.json()
        assert said["years"] == rows, (query, as_of)
        assert (said["practice"], said["read"], said["as_of"]) == (practice, "live", as_of.get("as_of", str(day)))
        assert (said["area"]["type"], said["area"]["code"]) == (whole.type, whole.code)
        assert [release["id"] for release in said["releases"]] == posting.record.releases_of(practice, whole, day)
        seen |= {name for row in rows for name, value in row.items() if value is not None}

    fields = posting.nation.get("/v1/trends", county="13").json()["years"][0].keys()
    assert len(fields - seen) <= 6, "the histories are too poor to show what the fields mean"
