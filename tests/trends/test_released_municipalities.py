"""GET /v1/trends out of releases that speak of single municipalities and withhold, and who reads that."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.series.facts import Release
from tests.conftest import NOW, Caller, count, status
from tests.trends.published import by_municipality, store, told
from tests.trends.test_routes import import_south_savo, live_from

PUBLISHED_ON = date(2024, 5, 1)
NOT_ACTIVE = told(2023, None, municipalities=0)
# Of 2023: Kuopio is shown, Iisalmi and Kiuruvesi are withheld, Suonenjoki is silent, nobody is active in Vesanto.
SAID = {
    "140": told(2023, None, withheld=True),
    "263": told(2023, None, withheld=True),
    "297": told(2023, 30),
    "778": told(2023, None),
    "921": NOT_ACTIVE,
}


@pytest.fixture(autouse=True)
def _released(app: FastAPI, nation: Caller) -> None:
    """North Savo's second release, out of reports that the public does not see."""
    release = Release(
        2,
        PUBLISHED_ON,
        {2022: told(2022, None, municipalities=3, withheld=True), 2023: told(2023, 34, municipalities=4)},
        by_municipality(2023, SAID),
    )
    store(app.state.database, release, county="13", at=NOW)
    live_from(app, "13", 2022)
    answer = nation.post(
        [count("297", "2023", 31), count("140", "2023", 777), count("263", "2023", 2)],
        [status(code, "2023", "in_use") for code in ("297", "140", "263")],
    )
    assert answer.status_code == 201


def told_of(answer: Any) -> list[tuple[Any, ...]]:
    """Of each row where, when and what."""
    assert answer.status_code == 200
    return [(row["area_code"], row["year"], row["sessions"], row["sessions_missing"]) for row in answer.json()["years"]]


OF_EACH = [
    ("140", 2023, None, "withheld"),
    ("263", 2023, None, "withheld"),
    ("297", 2023, 30, None),
    ("778", 2023, None, "not_reported"),
    ("921", 2023, None, "not_applicable"),
]


def test_the_public_reads_what_the_release_says_of_each_municipality(anyone: Caller) -> None:
    answer = anyone.get("/v1/trends", county="13", by="municipality")

    assert told_of(answer) == OF_EACH
    assert answer.json()["read"] == "release"
    assert {(row["basis"], row["release_id"], row["published_on"]) for row in answer.json()["years"]} == {
        ("release", 2, "2024-05-01")
    }


def test_a_municipality_by_itself_is_the_same_row(anyone: Caller) -> None:
    rows = anyone.get("/v1/trends", county="13", by="municipality").json()["years"]

    assert [anyone.get("/v1/trends", municipality=row["area_code"]).json()["years"] for row in rows] == [
        [row] for row in rows
    ]


def test_municipalities_add_up_unless_one_is_withheld(anyone: Caller) -> None:
    silent = anyone.get("/v1/trends", municipality=["297", "778", "921"])
    withheld = anyone.get("/v1/trends", municipality=["297", "140"])

    assert told_of(silent) == [("297+778+921", 2023, 30, None)]
    assert told_of(withheld) == [("140+297", 2023, None, "withheld")]
    assert [row["municipalities"] for row in silent.json()["years"] + withheld.json()["years"]] == [2, 2]


def test_each_county_speaks_of_its_own_municipalities(anyone: Caller, app: FastAPI) -> None:
    said = by_municipality(2023, {"507": told(2023, 12), "213": told(2023, None, withheld=True)})
    store(app.state.database, Release(3, PUBLISHED_ON, {2023: told(2023, 15)}, said), county="12", at=NOW)

    everywhere = anyone.get("/v1/trends", by="municipality")
    across = anyone.get("/v1/trends", municipality=["507", "297"])

    assert told_of(everywhere) == sorted([*OF_EACH, ("213", 2023, None, "withheld"), ("507", 2023, 12, None)])
    assert told_of(across) == [("297+507", 2023, 42, None)]
    assert [(row["counties"], row["release_id"]) for row in across.json()["years"]] == [(2, None)]


def test_a_named_release_speaks_of_its_own_municipalities(anyone: Caller, nation: Caller) -> None:
    asked = {"county": "13", "by": "municipality"}

    assert told_of(nation.get("/v1/trends", **asked, release=2)) == OF_EACH
    assert told_of(anyone.get("/v1/trends", **asked, release=1)) == []


def test_a_county_that_withholds_a_year_stands_alone_and_is_left_out_of_the_country(
    anyone: Caller, app: FastAPI
) -> None:
    import_south_savo(app, years=[{"year": 2022, "municipalities": 2, "sessions": 8, "through": "2022-12-31"}])

    county = anyone.get("/v1/trends", county="13").json()["years"]
    by_county = anyone.get("/v1/trends", by="county", from_year=2022, to_year=2022)
    country = anyone.get("/v1/trends").json()["years"]

    assert [(row["municipalities"], row["sessions"], row["sessions_missing"]) for row in county] == [
        (3, None, "withheld"),
        (4, 34, None),
    ]
    assert (county[1]["change_municipalities"], county[1]["change_sessions"]) == (1, None)
    assert told_of(by_county) == [("12", 2022, 8, None), ("13", 2022, None, "withheld")]
    assert [(row["counties"], row["municipalities"], row["sessions"]) for row in country] == [(1, 2, 8), (1, 4, 34)]


def test_live_figures_of_a_municipality_have_what_was_released_beside_them(nation: Caller) -> None:
    rows = nation.get("/v1/trends", county="13", by="municipality", from_year=2023, to_year=2023).json()["years"]

    assert [
        (row["area_code"], row["basis"], row["sessions"], row["released_sessions"], row["difference_sessions"])
        for row in rows
    ] == [
        ("140", "reports", 777, None, None),
        ("263", "reports", 2, None, None),
        ("297", "reports", 31, 30, 1),
        ("778", "none", None, None, None),
        ("921", "none", None, None, None),
    ]


def test_a_year_that_stays_with_the_release_is_read_out_of_it_by_municipality(nation: Caller, app: FastAPI) -> None:
    live_from(app, "13", 2024)

    rows = nation.get("/v1/trends", county="13", by="municipality", to_year=2023)

    assert told_of(rows) == OF_EACH


def test_in_csv_the_reason_is_the_last_column(anyone: Caller) -> None:
    lines = anyone.get("/v1/trends", county="13", by="municipality", format="csv").text.splitlines()

    assert [line.rsplit(",", 1)[-1] for line in lines] == ["sessions_missing", *(said[3] or "" for said in OF_EACH)]


# Who reads what.


def test_the_key_of_a_municipality_reads_its_own_live_figures_and_of_others_what_is_public(
    http: TestClient, new_key: Callable[..., str], anyone: Caller
) -> None:
    iisalmi = Caller(http, new_key("municipality:140"))
    public: list[dict[str, Any]] = [
        {"county": "13"},
        {"county": "13", "by": "municipality"},
        {"municipality": "263"},
        {"municipality": ["140", "263"]},
        {"municipality": ["140", "297"], "by": "municipality"},
        {"municipality": "140", "release": 2},
        {"by": "municipality"},
        {},
    ]

    own = iisalmi.get("/v1/trends", municipality="140")

    assert own.json()["read"] == "live"
    assert [(row["year"], row["sessions"]) for row in own.json()["years"]] == [(2023, 777), (2024, None)]
    assert own.json()["years"][0]["released_sessions"] is None
    for query in public:
        answer = iisalmi.get("/v1/trends", **query)

        assert (query, answer.content) == (query, anyone.get("/v1/trends", **query).content)
        assert "777" not in answer.text


def test_the_key_of_a_county_reads_every_municipality_of_it_live(north_savo: Caller) -> None:
    answer = north_savo.get("/v1/trends", county="13", by="municipality", to_year=2023)

    assert answer.json()["read"] == "live"
    assert told_of(answer) == [
        ("140", 2023, 777, None),
        ("263", 2023, 2, None),
        ("297", 2023, 31, None),
        ("778", 2023, None, "not_applicable"),
        ("921", 2023, None, "not_applicable"),
    ]
