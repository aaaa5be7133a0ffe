"""GET /v1/releases and GET /v1/releases/{id}, of releases that were imported."""

import csv
import io
from typing import Any

import pytest
from fastapi import FastAPI

from app.releases.importing import import_release
from tests.conftest import NOW, Caller
from tests.releases.test_importing import south_savo

FIRST = {
    "id": 1,
    "practice": "yhdessa-aika",
    "county": "13",
    "published_on": "2023-03-27",
    "state": "preliminary",
    "title": "Yhdessä aika -toimintamallin kehityskaari",
    "source": "Jos haluat mennä nopeasti, mene yksin – Jos haluat mennä pitkälle, mene Yhdessä. "
    "Family-centre project of North Savo, 27 March 2023.",
    "url": None,
    "note": "Municipalities where the practice is in use or on trial, and sessions recorded. "
    "The source gives no last day for 2023; its own date is used.",
    "origin": "imported",
    "as_of": None,
    "threshold": None,
    "next_release_on": None,
    "municipalities": False,
    "quarters": False,
}
SECOND = {
    "id": 2,
    "practice": "yhdessa-aika",
    "county": "12",
    "published_on": "2024-02-01",
    "state": "final",
    "title": "Etelä-Savo, 2021–2023",
    "source": "The county, its web site",
    "url": "https://etela-savo.example/luvut",
    "note": "Counted by hand",
    "origin": "imported",
    "as_of": None,
    "threshold": None,
    "next_release_on": None,
    "municipalities": False,
    "quarters": False,
}


def as_cell(value: Any) -> str:
    """`value` of JSON as a cell of a CSV."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@pytest.fixture(autouse=True)
def _second_release(app: FastAPI) -> None:
    with app.state.database.writing() as db:
        import_release(db, south_savo(), at=NOW)


def test_releases_are_open_to_everyone_newest_first(anyone: Caller) -> None:
    assert anyone.get("/v1/releases").json() == {"as_of": "2024-05-15", "rows": [SECOND, FIRST], "next": None}


def test_releases_can_be_those_of_a_county_a_practice_or_a_day(anyone: Caller) -> None:
    assert anyone.get("/v1/releases", county="13").json()["rows"] == [FIRST]
    assert anyone.get("/v1/releases", county="01").json()["rows"] == []
    assert anyone.get("/v1/releases", practice="yhdessa-aika").json()["rows"] == [SECOND, FIRST]
    assert anyone.get("/v1/releases", state="final").json()["rows"] == [SECOND]
    assert anyone.get("/v1/releases", origin="imported").json()["rows"] == [SECOND, FIRST]
    assert anyone.get("/v1/releases", origin="published").json()["rows"] == []
    assert anyone.get("/v1/releases", as_of="2024-01-31").json()["rows"] == [FIRST]
    assert anyone.get("/v1/releases", as_of="2023-03-26").json()["rows"] == []


def test_a_release_is_answered_by_its_number(anyone: Caller) -> None:
    assert anyone.get("/v1/releases/1").json() == {**FIRST, "changes": []}
    assert anyone.get("/v1/releases/2", as_of="2024-02-01").json() == {**SECOND, "changes": []}


def test_a_release_that_there_is_not_yet_is_not_found(anyone: Caller) -> None:
    for path, as_of, day in (
        ("/v1/releases/3", None, "2024-05-15"),
        ("/v1/releases/2", "2024-01-31", "2024-01-31"),
        ("/v1/releases/3/figures", None, "2024-05-15"),
        ("/v1/releases/2/figures", "2024-01-31", "2024-01-31"),
        ("/v1/releases/3/diff/1", None, "2024-05-15"),
        ("/v1/releases/1/diff/3", None, "2024-05-15"),
    ):
        answer = anyone.get(path, **({"as_of": as_of} if as_of else {}))

        assert answer.status_code == 404
        assert answer.json() == {
            "type": "urn:yhdessa:problem:not-found",
            "title": "Not found",
            "status": 404,
            "detail": f"there is no release {max(filter(str.isdigit, path[4:]))} published on or before {day}",
            "instance": path,
        }


def test_csv_says_what_json_says(anyone: Caller) -> None:
    table = anyone.get("/v1/releases", format="csv").text

    assert list(csv.DictReader(io.StringIO(table))) == [
        {name: as_cell(value) for name, value in release.items()} for release in (SECOND, FIRST)
    ]


def test_what_there_is_not_is_refused_by_its_name(anyone: Caller) -> None:
    for path, query, parameter in (
        ("/v1/releases", {"county": "99"}, "county"),
        ("/v1/releases", {"practice": "kela"}, "practice"),
        ("/v1/releases", {"as_of": "2024-05-16"}, "as_of"),
        ("/v1/releases", {"year": "2022"}, "year"),
        ("/v1/releases", {"state": "finished"}, "state"),
        ("/v1/releases", {"origin": "elsewhere"}, "origin"),
        ("/v1/releases", {"limit": "0"}, "limit"),
        ("/v1/releases", {"cursor": "3"}, "cursor"),
        ("/v1/releases", {"cursor": "2", "as_of": "2024-01-31"}, "cursor"),
        ("/v1/releases/1/figures", {"area": "999"}, "area"),
        ("/v1/releases/1/figures", {"area": "12"}, "area"),
        ("/v1/releases/1/figures", {"area": "1"}, "area"),
        ("/v1/releases/1/figures", {"year": "2014"}, "year"),
        ("/v1/releases/1/diff/2", {}, "other"),
        ("/v1/releases/0", {}, "id"),
        ("/v1/releases/first", {}, "id"),
        (f"/v1/releases/{2**63}", {}, "id"),
    ):
        answer = anyone.get(path, **query)

        assert answer.status_code == 422, path
        assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]
