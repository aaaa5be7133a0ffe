"""What a release is going to say before anything is hidden, against what the live trend says of the same moment."""

import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter
from starlette.testclient import TestClient

from app.clock import RESOLUTION, helsinki_day
from app.database import take_turn
from app.errors import InvalidRequest
from app.intruder.rules import broken_rules
from app.places.models import MunicipalityRecord
from app.places.register import municipalities
from app.practices.definitions import define_practice, practices, set_live_from
from app.series.content import Content, Statement
from app.series.facts import County, Release
from app.series.figures import Figures, ReleasedYear
from app.series.rows import YearRow
from app.series.trend import yearly_trend
from tests.conftest import NOW, Caller, StandingClock, count, status
from tests.practices.test_definitions import GUIDANCE
from tests.publishing.published import a_moment, earlier, publish, statement_at, statement_now, stored_content
from tests.trends.test_live_against_oracle import PRACTICES, Posting

Row = dict[str, Any]

ROWS: TypeAdapter[list[YearRow]] = TypeAdapter(list[YearRow])
FIGURES = [field.name for field in fields(Figures)]
COMPARABLE = {name for name in FIGURES if name.startswith("comparable_")}
# What a row says of the reading and of other years: these are of a release in the one and live in the other.
OF_THE_READING = {"basis", "release_id", "published_on", "break_in_series", "change_municipalities", "change_sessions"}
BESIDE = {name for name in YearRow.__dataclass_fields__ if name.startswith(("released_", "difference_"))}


class Reporting(Posting):
    """A life in which counties make public what they counted elsewhere, and not made-up figures as their reports'."""

    def publish(self) -> None:
        self.import_one()


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(3, 13))])
def test_a_released_year_is_the_live_row_of_that_day(
    seed: int, app: FastAPI, http: TestClient, new_key: Callable[..., str], clock: StandingClock
) -> None:
    nation, others = (Caller(http, new_key("country", days=3650, organisation=name)) for name in ("THL", "Others"))
    posting = Reporting(app, nation, others, clock, random.Random(seed))
    posting.begin()
    posting.live(40)
    compared = 0

    for practice in PRACTICES:
        for county in ("12", "13"):
            live = trend(nation, practice=practice, county=county)
            if not live:
                continue
            said = statement_now(app, clock, practice=practice, county=county, municipalities=True, quarters=True)
            released = rows_of(app, said.content, practice, clock())

            assert [row["year"] for row in live] == list(said.content.years)
            for live_row, row in zip(live, released, strict=True):
                facts = said.content.years[live_row["year"]]
                assert (live_row["basis"] != "none", live_row["basis"] == "release") == (facts.covers, facts.carried)
                unsaid = OF_THE_READING | BESIDE | (set() if facts.comparable_through else COMPARABLE)
                # A release does not know why of years that it does not cover.
                unsaid |= set() if facts.covers else {"sessions_missing"}
                assert without(row, unsaid) == without(live_row, unsaid)
            compared += compare_municipalities(nation, practice, county, said.content)
            # It adds the counts up by itself; with nothing hidden every figure is what they come to.
            # What those of the record say was made up, and of what nobody asks.
            made_up = [Content(years=one.content.years) for one in earlier(app, practice, county)]
            before = [Statement(content=content, counts={}) for content in made_up]
            assert list(broken_rules(said.content, said.counts, before, threshold=0)) == []
    assert compared > 20


# Which years stay with the release before.


def test_years_that_a_release_covers_are_taken_over_as_they_stand_there(
    app: FastAPI, north_savo: Caller, clock: StandingClock
) -> None:
    north_savo.post([count("297", "2022", 99), count("297", "2023", 8), count("297", "2024-Q1", 9)])

    years = statement_now(app, clock).content.years

    assert {year: (said.covers, said.carried, said.sessions) for year, said in years.items()} == {
        2021: (True, True, 94),
        2022: (True, True, 105),
        2023: (True, True, 23),
        2024: (True, False, 9),
    }
    assert (years[2023].municipalities, years[2023].through, years[2023].residents) == (15, date(2023, 3, 27), 248190)


def test_a_year_is_stated_from_reports_once_the_county_says_so(
    app: FastAPI, north_savo: Caller, clock: StandingClock
) -> None:
    north_savo.post([count("297", "2022", 99), count("297", "2023-Q3", 8), count("297", "2023-Q1", 7)])
    speak_from(app, clock, 2023)

    said = statement_now(app, clock, municipalities=True, quarters=True)

    assert {year: (row.carried, row.sessions) for year, row in said.content.years.items()} == {
        2021: (True, 94),
        2022: (True, 105),
        2023: (False, 15),
    }
    assert {code: [one[:3] for one in counts] for code, counts in said.counts.items()} == {
        "297": [(date(2023, 1, 1), date(2023, 3, 31), 7), (date(2023, 7, 1), date(2023, 9, 30), 8)]
    }
    assert {year for years in said.content.municipalities.values() for year in years} == {2023}
    assert list(said.content.quarters) == ["2023-Q1", "2023-Q2", "2023-Q3", "2023-Q4"]


def test_a_year_taken_over_twice_is_still_what_was_first_published(
    app: FastAPI, north_savo: Caller, clock: StandingClock
) -> None:
    kept = {year: replace(said, carried=True) for year, said in stored_content(app, 1).years.items()}
    north_savo.post([count("297", "2024-Q1", 9)])
    first = stored_content(app, publish(app.state.database, clock))
    clock.advance(days=1)

    north_savo.post([count("297", "2022", 99), count("140", "2024-Q1", 1)])
    second = stored_content(app, publish(app.state.database, clock))

    assert {year: first.years[year] for year in kept} == {year: second.years[year] for year in kept} == kept
    assert (first.years[2024].sessions, second.years[2024].sessions) == (9, 10)


def test_a_year_of_which_nothing_is_known_states_its_register(
    app: FastAPI, north_savo: Caller, clock: StandingClock
) -> None:
    north_savo.post([count("297", "2020", 5), count("297", "2024-Q1", 9)])
    speak_from(app, clock, 2015)

    years = statement_now(app, clock).content.years

    assert {year: said.covers for year, said in years.items()} == {
        2020: True,
        2021: False,
        2022: False,
        2023: False,
        2024: True,
    }
    assert years[2023] == ReleasedYear(
        covers=False,
        municipalities_in_area=19,
        residents=248190,
        reporting=0,
        active_days=0,
        covered_days=0,
        covered_days_in_year=0,
    )


def test_a_practice_that_counts_no_sessions_is_released_for_its_statuses(
    app: FastAPI, north_savo: Caller, clock: StandingClock
) -> None:
    with app.state.database.writing() as db:
        define_practice(db, GUIDANCE, at=clock())
    about = {"practice": GUIDANCE.slug}
    north_savo.post([], [status("297", "2023-03", "pilot", **about), status("140", "2024-05", "in_use", **about)])

    said = statement_now(app, clock, quarters=True, **about)

    assert {year: (row.municipalities, row.sessions) for year, row in said.content.years.items()} == {
        2023: (1, None),
        2024: (2, None),
    }
    assert said.counts == {}
    assert {(quarter.sessions, quarter.reporting) for quarter in said.content.quarters.values()} == {(None, 0)}


# The like-for-like pair.


def test_the_pair_is_said_if_it_is_of_everybody_who_reported_in_both_years(
    app: FastAPI, nation: Caller, clock: StandingClock
) -> None:
    post_whole_years(nation, "213", "507")

    said = statement_now(app, clock, county="12", municipalities=True).content

    row = said.years[2023]
    assert (row.comparable_through, row.comparable_municipalities) == (date(2023, 12, 31), 2)
    assert (row.comparable_sessions, row.comparable_previous_sessions) == (14, 12)
    assert {said.municipalities[code][2023].comparable_sessions for code in ("213", "507")} == {None}


@pytest.mark.parametrize("year", ["2022", "2023"])
def test_no_pair_is_said_of_only_some_of_who_reported(
    year: str, app: FastAPI, nation: Caller, clock: StandingClock
) -> None:
    post_whole_years(nation, "213", "507")
    nation.post([count("097", year, 5)], [status("097", year, "in_use")])

    row = statement_now(app, clock, county="12").content.years[2023]

    live = trend(nation, county="12")[1]
    assert (live["comparable_municipalities"], live["comparable_sessions"]) == (2, 14)
    assert [row.comparable_through, row.comparable_municipalities] == [None, None]
    assert [row.comparable_sessions, row.comparable_previous_sessions] == [None, None]


# As of when.


def test_what_is_recorded_or_published_later_leaves_a_statement_as_it_was(
    app: FastAPI, nation: Caller, clock: StandingClock
) -> None:
    post_whole_years(nation, "213")
    moment = a_moment(app.state.database, clock)
    asked = {"county": "12", "municipalities": True, "quarters": True}
    before = statement_at(app, moment, **asked)

    clock.advance(days=1)
    nation.post([count("213", "2023", 70), count("507", "2023", 1)], [status("213", "2023-05", "ended")])

    assert statement_at(app, moment, **asked) == before != statement_now(app, clock, **asked)


def test_a_release_does_not_go_back_behind_the_one_before(
    app: FastAPI, north_savo: Caller, clock: StandingClock
) -> None:
    north_savo.post([count("297", "2024-Q1", 9)])
    before_the_shipped_one = datetime(2023, 3, 26, 20, tzinfo=UTC)
    clock.advance(hours=1)
    publish(app.state.database, clock)
    moment = clock()

    for too_early in (before_the_shipped_one, moment - RESOLUTION):
        with pytest.raises(InvalidRequest, match=r"^/as_of: release [12] says already what was known up to 202"):
            statement_at(app, too_early)

    assert statement_at(app, moment).content.years[2024].sessions == 9


def test_a_release_can_be_made_on_the_day_of_the_one_before(app: FastAPI) -> None:
    years = statement_at(app, datetime(2023, 3, 26, 22, tzinfo=UTC)).content.years

    assert {year: row.sessions for year, row in years.items()} == {2021: 94, 2022: 105, 2023: 23}


# Which municipalities are spoken of.


def test_every_municipality_in_the_register_is_spoken_of_and_none_that_is_not(
    app: FastAPI, nation: Caller, clock: StandingClock
) -> None:
    """Pertunmaa (588) went into Mäntyharju (507) at the end of 2024."""
    clock.now = datetime(2025, 6, 1, tzinfo=UTC)
    nation.post([count("213", "2024", 6), count("213", "2025-Q1", 1)])

    said = statement_now(app, clock, county="12", municipalities=True).content.municipalities

    spoken_of = {year: {code for code, years in said.items() if year in years} for year in (2024, 2025)}
    assert (len(spoken_of[2024]), len(spoken_of[2025])) == (12, 11)
    assert spoken_of[2024] - spoken_of[2025] == {"588"}
    assert said["588"][2024] == ReleasedYear(
        covers=False,
        municipalities_in_area=1,
        residents=1577,
        reporting=0,
        active_days=0,
        covered_days=0,
        covered_days_in_year=0,
    )


def test_one_that_left_the_register_in_the_year_is_spoken_of_if_it_reported(
    app: FastAPI, nation: Caller, clock: StandingClock
) -> None:
    nation.post([count("213", "2023", 6), count("507", "2023-Q1", 2), count("588", "2024-Q1", 1)])
    with app.state.database.writing() as db:
        at, known = take_turn(db, clock), municipalities(db, codes=["507", "588"])
        for place in known.values():
            left = replace(place, valid_to=date(2023, 6, 30), successor="213")
            db.add(MunicipalityRecord(recorded_at=at, **asdict(left)))

    said = statement_now(app, clock, county="12", municipalities=True).content.municipalities

    assert (said["507"][2023].sessions, said["507"][2023].municipalities_in_area) == (2, 0)
    assert 2023 not in said["588"]
    assert said["588"][2024].sessions == 1


# What cannot be asked for.


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ({"practice": "kela"}, "/practice: there is no practice 'kela'; GET /v1/practices lists them"),
        ({"county": "99"}, "/county: there is no county 99; GET /v1/counties lists them"),
        ({"county": "12"}, "/county: nothing is recorded or public of yhdessa-aika in county 12"),
        ({"next_release_on": "2024-05-15"}, "/next_release_on: 2024-05-15 is not after 2024-05-15"),
    ],
)
def test_what_cannot_be_released_is_refused(asked: dict[str, Any], refusal: str, app: FastAPI) -> None:
    with pytest.raises(InvalidRequest) as refused:
        statement_at(app, NOW, **asked)

    assert refused.value.detail == refusal
    assert refused.value.errors[0].pointer == refusal.partition(":")[0]


def post_whole_years(caller: Caller, *codes: str) -> None:
    """In use since 2022, with 6 sessions in 2022 and 7 in 2023."""
    counts = [row for code in codes for row in (count(code, "2022", 6), count(code, "2023", 7))]
    assert caller.post(counts, [status(code, "2022", "in_use") for code in codes]).status_code == 201


def speak_from(app: FastAPI, clock: StandingClock, year: int) -> None:
    with app.state.database.writing() as db:
        set_live_from(db, "yhdessa-aika", "13", year, at=clock())


def compare_municipalities(caller: Caller, practice: str, county: str, content: Content) -> int:
    """Hold every figure that `content` says of single municipalities against their live rows; how many rows."""
    live = {
        (row["area_code"], row["year"]): row
        for row in trend(caller, practice=practice, county=county, by="municipality")
    }
    by_reports = [year for year, said in content.years.items() if said.covers and not said.carried]
    told = {(code, year): said for code, years in content.municipalities.items() for year, said in years.items()}
    compared = 0
    for (code, year), row in live.items():
        if year in by_reports and row["basis"] == "reports":
            compared += 1
            facts = TypeAdapter(ReleasedYear).dump_python(told[code, year], mode="json")
            same = set(FIGURES) & row.keys() - COMPARABLE
            assert {name: facts[name] for name in same} == {name: row[name] for name in same}
            assert [facts[name] for name in COMPARABLE] == [None] * len(COMPARABLE)
    assert {year for _, year in told} == set(by_reports)
    return compared


def trend(caller: Caller, **query: Any) -> list[Row]:
    rows: list[Row] = caller.get("/v1/trends", **query).json()["years"]
    return rows


def rows_of(app: FastAPI, content: Content, practice: str, moment: datetime) -> list[Row]:
    """The rows of a county of which that much is public."""
    day = helsinki_day(moment)
    with app.state.database.reading() as db:
        counted = practices(db)[practice].counted
    rows = yearly_trend(
        [County("12", (), Release(1, day, content.years))],
        as_of=day,
        counted=counted,
        residents={},
        counties_total=1,
        read="release",
    )
    said: list[Row] = ROWS.dump_python(rows, mode="json")
    return said


def without(row: Mapping[str, Any], names: set[str]) -> Row:
    return {
        name: value for name, value in row.items() if name not in names and not name.startswith(("practice", "area_"))
    }
