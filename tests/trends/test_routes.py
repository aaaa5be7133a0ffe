"""GET /v1/trends: what a fresh install says, who reads what, and what is refused."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.database import take_turn
from app.practices.definitions import define_practice, set_live_from
from app.releases.importing import import_release
from tests.conftest import Caller, StandingClock, count, status
from tests.practices.test_definitions import GUIDANCE
from tests.releases.test_importing import south_savo
from tests.releases.test_routes import FIRST, SECOND

NewKey = Callable[..., str]

NORTH_SAVO = {
    "type": "county",
    "code": "13",
    "name_fi": "Pohjois-Savon hyvinvointialue",
    "name_sv": "Norra Savolax välfärdsområde",
    "name_en": "North Savo wellbeing services county",
}
FINLAND = {"type": "country", "code": "FI", "name_fi": "Suomi", "name_sv": "Finland", "name_en": "Finland"}


def released_row(**changed: Any) -> dict[str, Any]:
    """A row that comes from the shipped release."""
    row: dict[str, Any] = {
        "practice": "yhdessa-aika",
        "area_type": "county",
        "area_code": "13",
        "area_name_fi": "Pohjois-Savon hyvinvointialue",
        "release_id": 1,
        "published_on": "2023-03-27",
        "year": 2021,
        "basis": "release",
        "counties": 1,
        "counties_total": 1,
        "municipalities_in_area": 19,
        "municipalities": 8,
        "share": 0.4211,
        "pilot": None,
        "in_use": None,
        "active_at_end": None,
        "started": None,
        "resumed": None,
        "stopped": None,
        "merged": None,
        "sessions": 94,
        "reporting": None,
        "through": "2021-12-31",
        "partial": False,
        "coverage": None,
        "sessions_per_municipality": 11.75,
        "sessions_per_municipality_year": None,
        "residents": 248_363,
        "sessions_per_1000_residents": 0.378,
        "change_municipalities": None,
        "change_sessions": None,
        "comparable_through": None,
        "comparable_municipalities": None,
        "comparable_sessions": None,
        "comparable_previous_sessions": None,
        "annual_pace": None,
        "released_municipalities": None,
        "released_sessions": None,
        "released_on": None,
        "difference_municipalities": None,
        "difference_sessions": None,
        "break_in_series": None,
        "sessions_missing": None,
    }
    assert changed.keys() <= row.keys()
    return row | changed


PUBLISHED_ROWS = [
    released_row(),
    released_row(
        year=2022,
        municipalities=14,
        share=0.7368,
        sessions=105,
        through="2022-12-31",
        sessions_per_municipality=7.5,
        residents=247_689,
        sessions_per_1000_residents=0.424,
        change_municipalities=6,
        change_sessions=11,
    ),
    released_row(
        year=2023,
        municipalities=15,
        share=0.7895,
        sessions=23,
        through="2023-03-27",
        partial=True,
        sessions_per_municipality=None,
        residents=248_190,
        sessions_per_1000_residents=None,
        change_municipalities=1,
        annual_pace=97.6,
    ),
]
FIRST_USED = {name: FIRST[name] for name in ("id", "county", "published_on", "state", "source", "url", "note")}
SECOND_USED = {name: SECOND[name] for name in FIRST_USED}


def import_south_savo(app: FastAPI, **changed: Any) -> None:
    with app.state.database.writing() as db:
        at = take_turn(db, app.state.clock)
        import_release(db, south_savo(**changed), at=at)


def live_from(app: FastAPI, county: str, year: int) -> None:
    with app.state.database.writing() as db:
        at = take_turn(db, app.state.clock)
        set_live_from(db, "yhdessa-aika", county, year, at=at)


def years_of(answer: Any) -> list[int]:
    return [row["year"] for row in answer.json()["years"]]


# What is public.


def test_a_fresh_install_answers_without_a_key_what_north_savo_published(anyone: Caller) -> None:
    answer = anyone.get("/v1/trends", county="13")

    assert answer.status_code == 200
    assert answer.json() == {
        "practice": "yhdessa-aika",
        "area": NORTH_SAVO,
        "read": "release",
        "as_of": "2024-05-15",
        "releases": [FIRST_USED],
        "years": PUBLISHED_ROWS,
    }


def test_nothing_in_a_released_answer_but_its_as_of_depends_on_the_day_of_reading(
    anyone: Caller, clock: StandingClock
) -> None:
    published = anyone.get("/v1/trends", county="13").text

    on_the_day = anyone.get("/v1/trends", county="13", as_of="2023-03-27").text
    clock.now = datetime(2031, 7, 1, 12, tzinfo=UTC)
    in_years = anyone.get("/v1/trends", county="13").text

    assert on_the_day == published.replace('"as_of":"2024-05-15"', '"as_of":"2023-03-27"')
    assert in_years == published.replace('"as_of":"2024-05-15"', '"as_of":"2031-07-01"')


def test_before_the_release_nothing_was_public(anyone: Caller) -> None:
    answer = anyone.get("/v1/trends", county="13", as_of="2023-03-26").json()

    assert (answer["read"], answer["releases"], answer["years"]) == ("release", [], [])


def test_a_county_without_a_release_has_no_years(anyone: Caller) -> None:
    answer = anyone.get("/v1/trends", county="12").json()

    assert (answer["read"], answer["area"]["code"], answer["releases"], answer["years"]) == ("release", "12", [], [])


def test_the_country_is_the_counties_that_published(anyone: Caller, app: FastAPI) -> None:
    import_south_savo(app)

    answer = anyone.get("/v1/trends").json()

    whole = {"area_type": "country", "area_code": "FI", "area_name_fi": "Suomi", "counties_total": 22}
    alone, both = released_row(**whole), released_row(**whole, release_id=None, published_on=None)
    assert (answer["area"], answer["releases"]) == (FINLAND, [SECOND_USED, FIRST_USED])
    assert answer["years"] == [
        both
        | {
            "counties": 2,
            "municipalities_in_area": 31,
            "municipalities": 11,
            "share": 0.3548,
            "sessions": 104,
            "sessions_per_municipality": 9.45,
            "residents": 380_051,
            "sessions_per_1000_residents": 0.274,
        },
        alone
        | {
            name: PUBLISHED_ROWS[1][name]
            for name in (
                "year",
                "municipalities",
                "share",
                "sessions",
                "through",
                "sessions_per_municipality",
                "residents",
                "sessions_per_1000_residents",
            )
        },
        both
        | {
            "year": 2023,
            "counties": 2,
            "municipalities_in_area": 31,
            "municipalities": 19,
            "share": 0.6129,
            "sessions": 23,
            "through": "2023-03-27",
            "partial": True,
            "sessions_per_municipality": None,
            "residents": 378_104,
            "sessions_per_1000_residents": None,
        },
    ]


def test_a_named_release_is_read_instead_of_the_latest(anyone: Caller, nation: Caller, app: FastAPI) -> None:
    import_south_savo(app)
    import_south_savo(app, published_on="2024-03-01", years=[{"year": 2020, "municipalities": 2}])
    nation.post([], [status("507", "2021", "in_use")])

    latest = anyone.get("/v1/trends", county="12")
    named = [
        caller.get("/v1/trends", release=2, **area) for caller in (anyone, nation) for area in ({}, {"county": "12"})
    ]

    assert years_of(latest) == [2020]
    assert [years_of(answer) for answer in named] == [[2021, 2022, 2023]] * 4
    assert len({answer.content for answer in named}) == 1
    assert (named[0].json()["read"], named[0].json()["releases"]) == ("release", [SECOND_USED])
    assert [row["basis"] for row in named[0].json()["years"]] == ["release", "none", "release"]


def test_a_release_is_there_from_its_day_on(anyone: Caller) -> None:
    assert anyone.get("/v1/trends", release=1, as_of="2023-03-27").status_code == 200
    assert anyone.get("/v1/trends", release=1, as_of="2023-03-26").status_code == 404
    assert anyone.get("/v1/trends", release=2).status_code == 404


def test_years_can_be_cut_and_keep_what_they_are_compared_with(anyone: Caller) -> None:
    assert anyone.get("/v1/trends", county="13", from_year=2022).json()["years"] == PUBLISHED_ROWS[1:]
    assert anyone.get("/v1/trends", county="13", to_year=2021).json()["years"] == PUBLISHED_ROWS[:1]
    assert anyone.get("/v1/trends", county="13", from_year=2022, to_year=2022).json()["years"] == PUBLISHED_ROWS[1:2]
    assert anyone.get("/v1/trends", county="13", from_year=2023, to_year=2022).json()["years"] == []


def test_by_county_gives_every_county_its_own_rows(anyone: Caller, app: FastAPI) -> None:
    import_south_savo(app)

    answer = anyone.get("/v1/trends", by="county").json()
    south = anyone.get("/v1/trends", county="12").json()["years"]
    one = anyone.get("/v1/trends", county="13", by="county").json()

    assert (answer["area"], answer["releases"]) == (FINLAND, [SECOND_USED, FIRST_USED])
    assert answer["years"] == [*south, *PUBLISHED_ROWS]
    assert [row["year"] for row in south] == [2021, 2022, 2023]
    assert (one["area"], one["years"]) == (NORTH_SAVO, PUBLISHED_ROWS)


def test_a_release_knows_no_single_municipality(anyone: Caller) -> None:
    for query in ({"municipality": "297"}, {"county": "13", "by": "municipality"}):
        answer = anyone.get("/v1/trends", **query).json()

        assert (answer["read"], answer["releases"], answer["years"]) == ("release", [FIRST_USED], [])


def test_areas_of_municipalities_are_named_by_them(anyone: Caller) -> None:
    one = anyone.get("/v1/trends", municipality="KU297").json()["area"]
    two = anyone.get("/v1/trends", municipality=["297", "KU140", "297"]).json()["area"]

    assert one == {"type": "municipality", "code": "297", "name_fi": "Kuopio", "name_sv": "Kuopio", "name_en": "Kuopio"}
    assert two == {
        "type": "municipalities",
        "code": "140+297",
        "name_fi": "Iisalmi, Kuopio",
        "name_sv": "Idensalmi, Kuopio",
        "name_en": "Iisalmi, Kuopio",
    }


# Who reads what.


@pytest.fixture
def reported(app: FastAPI, nation: Caller) -> None:
    """North Savo's reports speak from 2021 on; Kuopio and Iisalmi held sessions, and Mäntyharju did."""
    live_from(app, "13", 2021)
    answer = nation.post(
        [count("297", "2023", 30), count("140", "2023", 12), count("507", "2023", 5)],
        [status(code, "2023", "in_use") for code in ("297", "140", "507")],
    )
    assert answer.status_code == 201


@pytest.mark.usefixtures("reported")
def test_a_key_that_covers_the_whole_area_reads_live_and_any_other_what_is_public(
    http: TestClient, new_key: NewKey, anyone: Caller
) -> None:
    callers = {
        "nobody": anyone,
        "municipality": Caller(http, new_key("municipality:297")),
        "two municipalities": Caller(http, new_key("municipality:297", "municipality:140")),
        "county": Caller(http, new_key("county:13")),
        "other county": Caller(http, new_key("county:12")),
        "two counties": Caller(http, new_key("county:12", "county:13")),
        "country": Caller(http, new_key("country")),
        "report only": Caller(http, new_key("country", actions=["report"])),
    }
    areas: dict[str, dict[str, Any]] = {
        "country": {},
        "county": {"county": "13"},
        "county by municipality": {"county": "13", "by": "municipality"},
        "municipality": {"municipality": "297"},
        "municipality of the county": {"county": "13", "municipality": "297"},
        "two municipalities": {"municipality": ["140", "297"]},
        "two counties' municipalities": {"municipality": ["507", "297"]},
    }

    live = {
        area: {name for name, caller in callers.items() if caller.get("/v1/trends", **query).json()["read"] == "live"}
        for area, query in areas.items()
    }

    north = {"county", "two counties", "country"}
    assert live == {
        "country": {"country"},
        "county": north,
        "county by municipality": north,
        "municipality": north | {"municipality", "two municipalities"},
        "municipality of the county": north | {"municipality", "two municipalities"},
        "two municipalities": north | {"two municipalities"},
        "two counties' municipalities": {"two counties", "country"},
    }


@pytest.mark.usefixtures("reported")
def test_who_reads_what_is_public_learns_nothing_of_what_was_reported(
    http: TestClient, new_key: NewKey, anyone: Caller
) -> None:
    public = anyone.get("/v1/trends", county="13")
    strangers = [
        Caller(http, new_key("municipality:297")),
        Caller(http, new_key("county:12")),
        Caller(http, new_key("county:13", actions=["report"])),
    ]

    answers = [caller.get("/v1/trends", county="13") for caller in strangers]

    assert public.json()["years"] == PUBLISHED_ROWS
    assert [answer.content for answer in answers] == [public.content] * 3


@pytest.mark.usefixtures("reported")
def test_live_and_released_figures_stand_side_by_side(north_savo: Caller) -> None:
    answer = north_savo.get("/v1/trends", county="13").json()

    assert (answer["read"], answer["releases"]) == ("live", [FIRST_USED])
    assert [(row["year"], row["basis"], row["municipalities"], row["sessions"]) for row in answer["years"]] == [
        (2021, "none", None, None),
        (2022, "none", None, None),
        (2023, "reports", 2, 42),
        (2024, "reports", 2, None),
    ]
    row = answer["years"][2]
    assert {name: row[name] for name in row if name.startswith(("released_", "difference_", "release_id"))} == {
        "release_id": None,
        "released_municipalities": 15,
        "released_sessions": 23,
        "released_on": "2023-03-27",
        "difference_municipalities": -13,
        "difference_sessions": None,
    }


@pytest.mark.usefixtures("reported")
def test_live_figures_add_up_over_the_country(nation: Caller) -> None:
    rows = {row["year"]: row for row in nation.get("/v1/trends").json()["years"]}
    by_county = nation.get("/v1/trends", by="county", from_year=2023, to_year=2023).json()["years"]
    by_municipality = nation.get("/v1/trends", by="municipality", from_year=2023, to_year=2023).json()["years"]

    assert [(row["area_code"], row["sessions"]) for row in by_county] == [("12", 5), ("13", 42)]
    assert [(row["area_code"], row["sessions"]) for row in by_municipality] == [("140", 12), ("297", 30), ("507", 5)]
    whole = rows[2023]
    assert (whole["basis"], whole["counties"], whole["counties_total"]) == ("reports", 2, 22)
    assert (whole["municipalities"], whole["municipalities_in_area"], whole["sessions"]) == (3, 31, 47)
    assert whole["sessions_per_municipality"] == 15.67


def test_a_country_of_reports_and_releases_is_mixed(app: FastAPI, nation: Caller) -> None:
    nation.post([count("507", "2022", 5)], [status("507", "2022", "in_use")])

    rows = {row["year"]: row for row in nation.get("/v1/trends").json()["years"]}

    assert [(year, row["basis"], row["counties"]) for year, row in rows.items()] == [
        (2021, "release", 1),
        (2022, "mixed", 2),
        (2023, "mixed", 2),
        (2024, "reports", 1),
    ]
    assert (rows[2021]["release_id"], rows[2022]["release_id"]) == (1, None)
    assert (rows[2022]["municipalities"], rows[2022]["sessions"]) == (15, 110)


def test_a_year_stays_with_the_release_until_live_from(app: FastAPI, north_savo: Caller, clock: StandingClock) -> None:
    north_savo.post([count("297", "2022", 7), count("297", "2023", 9)], [status("297", "2022", "in_use")])
    clock.advance(days=1)
    live_from(app, "13", 2023)
    clock.advance(days=1)

    before = north_savo.get("/v1/trends", county="13", as_of="2024-05-15").json()["years"]
    after = north_savo.get("/v1/trends", county="13").json()["years"]

    assert [(row["year"], row["basis"], row["sessions"]) for row in before] == [
        (2021, "release", 94),
        (2022, "release", 105),
        (2023, "release", 23),
        (2024, "reports", None),
    ]
    assert [(row["year"], row["basis"], row["sessions"]) for row in after] == [
        (2021, "release", 94),
        (2022, "release", 105),
        (2023, "reports", 9),
        (2024, "reports", None),
    ]


def test_a_practice_whose_sessions_are_not_counted_has_no_coverage_as_of_its_time(
    app: FastAPI, nation: Caller, clock: StandingClock
) -> None:
    for counted in (True, False):
        with app.state.database.writing() as db:
            at = take_turn(db, clock)
            define_practice(db, GUIDANCE.model_copy(update={"counted": counted}), at=at)
        row = {"practice": GUIDANCE.slug}
        nation.post([count("297", "2022", 7, **row)], [status("297", "2022", "pilot", **row)])
        clock.advance(days=1)

    asked = {"practice": GUIDANCE.slug, "county": "13", "to_year": 2022}
    yesterday = nation.get("/v1/trends", **asked, as_of="2024-05-15").json()["years"]
    now = nation.get("/v1/trends", **asked).json()["years"]

    assert [(row["sessions"], row["coverage"]) for row in yesterday] == [(7, 1.0)]
    assert [(row["sessions"], row["coverage"]) for row in now] == [(7, None)]


# How it is answered.


@pytest.mark.usefixtures("reported")
@pytest.mark.parametrize("query", [{"county": "13"}, {"by": "county"}, {"municipality": "297"}, {"to_year": "2015"}])
def test_csv_says_what_json_says(nation: Caller, query: dict[str, str]) -> None:
    rows = nation.get("/v1/trends", **query).json()["years"]

    asked = nation.get("/v1/trends", **query, format="csv")
    accepted = nation.http.get("/v1/trends", params=query, headers={**nation.headers, "Accept": "text/csv"})

    lines = list(csv.reader(io.StringIO(asked.text)))
    assert asked.headers["content-type"] == "text/csv; charset=utf-8"
    assert accepted.content == asked.content
    assert lines[0] == list(released_row())
    assert [dict(zip(lines[0], line, strict=True)) for line in lines[1:]] == [
        {name: in_a_cell(value) for name, value in row.items()} for row in rows
    ]


def in_a_cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_what_makes_no_sense_is_refused_by_its_name(anyone: Caller, app: FastAPI) -> None:
    import_south_savo(app)
    for query, parameter, detail in (
        ({"practice": "kela"}, "practice", "there is no practice 'kela'; there are yhdessa-aika"),
        ({"county": "99"}, "county", "there is no county 99; GET /v1/counties lists them (North Savo is 13)"),
        ({"county": "91"}, "county", "there is no county 91; GET /v1/counties lists them (North Savo is 13)"),
        ({"municipality": "999"}, "municipality", "there is no municipality 999; GET /v1/municipalities lists them"),
        ({"county": "13", "municipality": ["507", "297", "213"]}, "municipality", "213, 507 is not in county 13"),
        (
            {"municipality": "297", "by": "county"},
            "by",
            "by=county does not go with municipality; ask by=municipality",
        ),
        ({"release": 1, "county": "12"}, "release", "1 is about county 13; ask with county=13"),
        ({"release": 2, "municipality": "297"}, "municipality", "297 is not in county 12"),
        ({"as_of": "2024-05-16"}, "as_of", "2024-05-16 lies in the future; today is 2024-05-15"),
    ):
        answer = anyone.get("/v1/trends", **query)

        assert answer.status_code == 422, query
        assert answer.json()["errors"] == [{"parameter": parameter, "detail": detail}]


def test_a_release_of_another_practice_is_refused(anyone: Caller, app: FastAPI) -> None:
    with app.state.database.writing() as db:
        at = take_turn(db, app.state.clock)
        define_practice(db, GUIDANCE, at=at)

    answer = anyone.get("/v1/trends", release=1, practice=GUIDANCE.slug)

    assert answer.status_code == 422
    assert answer.json()["detail"] == "release: 1 is about yhdessa-aika; ask with practice=yhdessa-aika"


def test_a_malformed_parameter_is_refused(anyone: Caller) -> None:
    for query, parameter in (
        ({"county": "1"}, "county"),
        ({"county": ""}, "county"),
        ({"municipality": "29"}, "municipality"),
        ({"by": "region"}, "by"),
        ({"from_year": "2014"}, "from_year"),
        ({"from_year": "9999"}, "from_year"),
        ({"to_year": "now"}, "to_year"),
        ({"release": "0"}, "release"),
        ({"practice": "Yhdessä aika"}, "practice"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"format": "xml"}, "format"),
        ({"year": "2022"}, "year"),
    ):
        answer = anyone.get("/v1/trends", **query)

        assert answer.status_code == 422, query
        assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


def test_a_change_of_reporter_breaks_the_series_and_a_retraction_mends_it(
    nation: Caller, kuopio: Caller, north_savo: Caller
) -> None:
    def broken(**query: Any) -> list[bool | None]:
        rows = nation.get("/v1/trends", from_year=2018, to_year=2020, **query).json()["years"]
        return [row["break_in_series"] for row in rows]

    kuopio.post([count("297", "2018", 7), count("297", "2019", 7)])
    north_savo.post([count("140", "2018", 1), count("140", "2019", 1), count("140", "2020", 1)])
    north_savo.post([count("297", "2020", 7)])

    whole = broken(), broken(county="13"), broken(municipality="297"), broken(municipality="140")
    north_savo.delete("/v1/session-counts/yhdessa-aika/297/2020", reason="Kuopio reports it")
    kuopio.post([count("297", "2020", 7)])

    assert whole == ([False, False, True],) * 3 + ([False, False, False],)
    assert broken() == [False, False, False]
    assert north_savo.get("/v1/trends", county="13").json()["years"][-1]["break_in_series"] is None
