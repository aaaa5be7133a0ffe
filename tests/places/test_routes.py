"""GET /v1/counties and GET /v1/municipalities."""

import csv
import io
from typing import Any

import pytest

from tests.conftest import ROOT, Caller

ALAND = {
    "035", "043", "060", "062", "065", "076", "170", "295", "318", "417", "438", "478", "736", "766", "771", "941",
}  # fmt: skip


def test_the_register_has_as_many_municipalities_as_finland_had_on_the_day(anyone: Caller) -> None:
    numbers = {
        "2015-01-01": 309,
        "2020-12-31": 309,
        "2021-01-01": 309,
        "2024-12-31": 309,
        "2025-01-01": 308,
        "2030-06-01": 308,
    }

    answers = {on: anyone.get("/v1/municipalities", on=on).json() for on in numbers}

    assert {on: len(answer["rows"]) for on, answer in answers.items()} == numbers
    assert {(on, answer["on"], answer["as_of"]) for on, answer in answers.items()} == {
        (on, on, "2024-05-15") for on in numbers
    }


def test_without_a_day_merged_municipalities_are_listed_too(anyone: Caller) -> None:
    answer = anyone.get("/v1/municipalities").json()

    assert (answer["on"], len(answer["rows"])) == (None, 310)
    assert [row for row in answer["rows"] if row["successor"]] == [
        {
            "code": "099",
            "name_fi": "Honkajoki",
            "name_sv": "Honkajoki",
            "county": None,
            "region": "04",
            "valid_from": None,
            "valid_to": "2020-12-31",
            "successor": "214",
        },
        {
            "code": "588",
            "name_fi": "Pertunmaa",
            "name_sv": "Pertunmaa",
            "county": "12",
            "region": "10",
            "valid_from": None,
            "valid_to": "2024-12-31",
            "successor": "507",
        },
    ]


def test_pertunmaa_went_into_mantyharju_at_the_turn_of_2025(anyone: Caller) -> None:
    before = codes(anyone.get("/v1/municipalities", on="2024-12-31", county="12"))
    after = codes(anyone.get("/v1/municipalities", on="2025-01-01", county="12"))

    assert before - after == {"588"}
    assert after - before == set()
    assert "507" in after


def test_north_savo_has_19_municipalities_each_year(anyone: Caller) -> None:
    days = [f"{year}-{day}" for year in (2015, *range(2020, 2027)) for day in ("01-01", "12-31")]

    listed = [len(codes(anyone.get("/v1/municipalities", county="13", on=on))) for on in days]
    counted = [county_sizes(anyone.get("/v1/counties", on=on))["13"] for on in days]

    assert listed == counted == [19] * len(days)


def test_aland_belongs_to_no_county(anyone: Caller) -> None:
    rows = anyone.get("/v1/municipalities", on="2024-01-01").json()["rows"]

    assert {row["code"] for row in rows if row["county"] is None} == ALAND
    assert {row["region"] for row in rows if row["county"] is None} == {"21"}
    assert "91" not in county_sizes(anyone.get("/v1/counties"))
    assert anyone.get("/v1/municipalities", county="91").status_code == 422


@pytest.mark.parametrize(
    ("on", "column", "in_counties"),
    [("2021-01-01", "municipalities_2021_2024", 293), ("2026-01-01", "municipalities_2025_2026", 292)],
)
def test_every_county_has_as_many_municipalities_as_statistics_finland_says(
    anyone: Caller, on: str, column: str, in_counties: int
) -> None:
    with (ROOT / "app" / "places" / "data" / "counties.csv").open(encoding="utf-8") as file:
        said = {row["code"]: int(row[column]) for row in csv.DictReader(file) if row["code"] != "91"}

    found = county_sizes(anyone.get("/v1/counties", on=on))

    assert found == said
    assert (len(found), sum(found.values())) == (22, in_counties)


def test_counties_are_answered_whole(anyone: Caller) -> None:
    answer = anyone.get("/v1/counties").json()

    assert (answer["as_of"], answer["on"]) == ("2024-05-15", "2024-05-15")
    assert [row for row in answer["rows"] if row["code"] in ("13", "90")] == [
        {
            "code": "13",
            "name_fi": "Pohjois-Savon hyvinvointialue",
            "name_sv": "Norra Savolax välfärdsområde",
            "name_en": "North Savo wellbeing services county",
            "kind": "county",
            "municipalities": 19,
        },
        {
            "code": "90",
            "name_fi": "Helsingin kaupunki",
            "name_sv": "Helsingfors stad",
            "name_en": "City of Helsinki",
            "kind": "city",
            "municipalities": 1,
        },
    ]


def test_counties_are_counted_on_the_day_that_is_read(anyone: Caller) -> None:
    answer = anyone.get("/v1/counties", as_of="2023-12-31").json()

    assert (answer["as_of"], answer["on"]) == ("2023-12-31", "2023-12-31")
    assert len(answer["rows"]) == 22


@pytest.mark.parametrize("path", ["/v1/counties", "/v1/municipalities"])
def test_csv_says_what_json_says(anyone: Caller, path: str) -> None:
    rows: list[dict[str, Any]] = anyone.get(path).json()["rows"]

    table = anyone.get(path, format="csv")

    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert list(csv.DictReader(io.StringIO(table.text))) == [
        {name: "" if value is None else str(value) for name, value in row.items()} for row in rows
    ]


def test_a_parameter_that_makes_no_sense_is_named(anyone: Caller) -> None:
    for path, query, parameter in (
        ("/v1/municipalities", {"county": "99"}, "county"),
        ("/v1/municipalities", {"county": "1"}, "county"),
        ("/v1/municipalities", {"on": "2023-02-29"}, "on"),
        ("/v1/municipalities", {"on": "2023"}, "on"),
        ("/v1/municipalities", {"on": "86400"}, "on"),
        ("/v1/municipalities", {"as_of": "2024-05-16"}, "as_of"),
        ("/v1/municipalities", {"municipality": "297"}, "municipality"),
        ("/v1/counties", {"county": "13"}, "county"),
        ("/v1/counties", {"on": "x"}, "on"),
        ("/v1/counties", {"on": "2024-01-01T00:00:00Z"}, "on"),
        ("/v1/counties", {"as_of": "x"}, "as_of"),
    ):
        answer = anyone.get(path, **query)

        assert answer.status_code == 422, query
        assert answer.json()["type"] == "urn:yhdessa:problem:invalid-parameter"
        assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


def codes(answer: Any) -> set[str]:
    return {row["code"] for row in answer.json()["rows"]}


def county_sizes(answer: Any) -> dict[str, int]:
    return {row["code"]: row["municipalities"] for row in answer.json()["rows"]}
