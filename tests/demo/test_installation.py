"""What the demo begins with."""

from starlette.testclient import TestClient

from app.demo.installation import install
from app.settings import Settings
from tests.conftest import Caller


def test_the_county_reads_and_publishes_and_each_municipality_reports_for_itself(
    http: TestClient, settings: Settings
) -> None:
    keys = install(settings, ["297", "140"])

    county = Caller(http, keys.county).get("/v1/key").json()
    municipalities = {code: Caller(http, key).get("/v1/key").json() for code, key in keys.municipalities.items()}

    assert (county["organisation"], county["actions"], county["areas"]) == (
        "Pohjois-Savon hyvinvointialue",
        ["publish", "read"],
        ["county:13"],
    )
    assert {code: (key["organisation"], key["actions"], key["areas"]) for code, key in municipalities.items()} == {
        "140": ("Iisalmi", ["read", "report"], ["municipality:140"]),
        "297": ("Kuopio", ["read", "report"], ["municipality:297"]),
    }


def test_two_more_practices_are_there_and_their_sessions_are_not_counted(anyone: Caller, settings: Settings) -> None:
    install(settings, [])

    practices = anyone.get("/v1/practices").json()["rows"]

    assert {row["slug"]: row["counted"] for row in practices} == {
        "kela-jalkautuminen": False,
        "ohjaus-ja-neuvonta": False,
        "yhdessa-aika": True,
    }


def test_the_reports_of_north_savo_speak_from_2021_on(http: TestClient, settings: Settings) -> None:
    keys = install(settings, ["297"])
    kuopio, county = Caller(http, keys.municipalities["297"]), Caller(http, keys.county)

    receipt = kuopio.post([{"municipality": "297", "period": "2021", "sessions": 5}]).json()
    years = county.get("/v1/trends", county="13", to_year=2021).json()["years"]

    assert [warning["code"] for warning in receipt["rows"][0]["warnings"]] == ["no_active_status"]
    assert [(row["year"], row["basis"], row["sessions"]) for row in years] == [(2021, "reports", 5)]
