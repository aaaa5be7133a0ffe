"""What the public reads of releases that were made here: their figures, and what changed from one to the next."""

import csv
import io
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from fastapi import FastAPI

from app.series.content import Content, ReleasedQuarter
from app.series.figures import ReleasedYear
from tests.conftest import Caller, StandingClock
from tests.publishing.published import ASKED, publish
from tests.releases.test_routes import FIRST, as_cell

YEAR = ReleasedYear(
    covers=True,
    municipalities_in_area=19,
    municipalities=3,
    reporting=2,
    sessions=40,
    through=date(2023, 12, 31),
    partial=False,
)
WITHHELD = replace(YEAR, municipalities_in_area=1, municipalities=1, reporting=1, sessions=None, withheld=True)
SECOND = Content(
    years={2022: replace(YEAR, sessions=None, withheld=True, through=date(2022, 12, 31)), 2023: YEAR},
    municipalities={
        "140": {2023: replace(WITHHELD, reporting=0, sessions=None, withheld=False, through=None)},
        "297": {2023: WITHHELD},
        "749": {2023: replace(WITHHELD, sessions=33, withheld=False)},
    },
    quarters={"2023-Q1": ReleasedQuarter(sessions=11, reporting=2, partial=False)},
)
THIRD = replace(SECOND, years={**SECOND.years, 2023: replace(YEAR, sessions=41, reporting=3)})
COUNTY = {
    "practice": "yhdessa-aika",
    "area_type": "county",
    "area_code": "13",
    "area_name_fi": "Pohjois-Savon hyvinvointialue",
}


@pytest.fixture(autouse=True)
def _published(app: FastAPI, clock: StandingClock) -> None:
    """Release 2 a day after the first, with municipalities and a quarter, and release 3, which corrects it."""
    reasons = [
        {"year": 2021, "kind": "error", "reason": "Counted twice"},
        {"year": 2022, "kind": "revision", "reason": "A late report"},
    ]
    more: dict[str, Any] = {"municipalities": True, "quarters": True, "next_release_on": "2024-09-01"}
    publish(app.state.database, clock, SECOND, changes=reasons, **more)
    clock.advance(days=1)
    publish(app.state.database, clock, THIRD, state="final", changes=[{**reasons[0], "year": 2023}], **more)


def municipality(code: str, name: str) -> dict[str, Any]:
    return {**COUNTY, "area_type": "municipality", "area_code": code, "area_name_fi": name}


def rows(answer: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


def test_a_release_says_of_what_it_was_made_and_of_what_it_speaks(anyone: Caller) -> None:
    third, second, first = rows(anyone.get("/v1/releases"))

    assert first == FIRST
    assert second == {
        **FIRST,
        **{name: ASKED[name] for name in ("title", "source", "state")},
        "id": 2,
        "published_on": "2024-05-15",
        "note": None,
        "origin": "published",
        "as_of": second["as_of"],
        "threshold": 5,
        "next_release_on": "2024-09-01",
        "municipalities": True,
        "quarters": True,
    }
    assert second["as_of"].startswith("2024-05-15T09:00:00.")
    assert (third["id"], third["state"], third["published_on"]) == (3, "final", "2024-05-16")


def test_every_changed_year_is_told_with_both_figures_and_the_reason(anyone: Caller) -> None:
    first_time, again = (anyone.get(f"/v1/releases/{number}").json()["changes"] for number in (2, 3))

    assert first_time == [
        {
            "year": 2021,
            "kind": "error",
            "reason": "Counted twice",
            "previous_release": 1,
            "previous": {"municipalities": 8, "sessions": 94, "sessions_missing": None},
            "now": {"municipalities": None, "sessions": None, "sessions_missing": None},
        },
        {
            "year": 2022,
            "kind": "revision",
            "reason": "A late report",
            "previous_release": 1,
            "previous": {"municipalities": 14, "sessions": 105, "sessions_missing": None},
            "now": {"municipalities": 3, "sessions": None, "sessions_missing": "withheld"},
        },
        {
            "year": 2023,
            "kind": "revision",
            "reason": "The earlier figures were of a part of the year.",
            "previous_release": 1,
            "previous": {"municipalities": 15, "sessions": 23, "sessions_missing": None},
            "now": {"municipalities": 3, "sessions": 40, "sessions_missing": None},
        },
    ]
    assert again == [
        {
            "year": 2023,
            "kind": "error",
            "reason": "Counted twice",
            "previous_release": 2,
            "previous": {"municipalities": 3, "sessions": 40, "sessions_missing": None},
            "now": {"municipalities": 3, "sessions": 41, "sessions_missing": None},
        }
    ]


def test_the_figures_of_a_release_are_flat_rows(anyone: Caller) -> None:
    answer = anyone.get("/v1/releases/2/figures")

    nothing = {"release_id": 2, "sessions": None, "sessions_missing": None, "through": "2023-12-31", "partial": False}
    assert answer.json()["release"] == rows(anyone.get("/v1/releases"))[1]
    assert rows(answer) == [
        {**COUNTY, **nothing, "period": "2022", "sessions_missing": "withheld", "through": "2022-12-31"}
        | {"municipalities": 3, "reporting": 2},
        {**COUNTY, **nothing, "period": "2023", "sessions": 40, "municipalities": 3, "reporting": 2},
        {**COUNTY, **nothing, "period": "2023-Q1", "sessions": 11, "through": None}
        | {"municipalities": None, "reporting": 2},
        {**municipality("140", "Iisalmi"), **nothing, "period": "2023", "sessions_missing": "not_reported"}
        | {"through": None, "municipalities": 1, "reporting": 0},
        {**municipality("297", "Kuopio"), **nothing, "period": "2023", "sessions_missing": "withheld"}
        | {"municipalities": 1, "reporting": 1},
        {**municipality("749", "Siilinjärvi"), **nothing, "period": "2023", "sessions": 33}
        | {"municipalities": 1, "reporting": 1},
    ]


def test_figures_can_be_those_of_an_area_or_a_year(anyone: Caller) -> None:
    def found(**query: Any) -> list[tuple[str, str]]:
        return [(row["area_code"], row["period"]) for row in rows(anyone.get("/v1/releases/2/figures", **query))]

    assert found(area="13") == [("13", "2022"), ("13", "2023"), ("13", "2023-Q1")]
    assert found(area="297") == found(area="KU297") == [("297", "2023")]
    assert found(area="204") == found(area="491") == []
    assert found(year=2022) == [("13", "2022")]
    assert found(year=2023, area="13") == [("13", "2023"), ("13", "2023-Q1")]


def test_what_differs_between_two_releases_are_flat_rows(anyone: Caller) -> None:
    answer = anyone.get("/v1/releases/2/diff/3")

    same = {**COUNTY, "period": "2023", "before_missing": None, "after_missing": None}
    days = {"before_through": "2023-12-31", "after_through": "2023-12-31"}
    third, second, _first = rows(anyone.get("/v1/releases"))
    assert {name: value for name, value in answer.json().items() if name != "rows"} == {
        "before": second,
        "after": third,
    }
    assert rows(answer) == [
        {**same, **days, "field": "reporting", "before": 2, "after": 3},
        {**same, **days, "field": "sessions", "before": 40, "after": 41},
    ]
    assert rows(anyone.get("/v1/releases/3/diff/3")) == []
    withheld_since = [row for row in rows(anyone.get("/v1/releases/1/diff/2")) if row["after_missing"] == "withheld"]
    assert [(row["area_code"], row["period"], row["before"]) for row in withheld_since] == [
        ("13", "2022", 105),
        ("297", "2023", None),
    ]


@pytest.mark.parametrize("path", ["/v1/releases", "/v1/releases/2/figures", "/v1/releases/2/diff/3"])
def test_csv_says_what_json_says(anyone: Caller, path: str) -> None:
    table = list(csv.DictReader(io.StringIO(anyone.get(path, format="csv").text)))

    assert table == [{name: as_cell(value) for name, value in row.items()} for row in rows(anyone.get(path))]
    assert len(table) > 1


def test_pages_of_releases_are_led_through_by_next_and_by_link(anyone: Caller) -> None:
    first = anyone.get("/v1/releases", limit=2)
    second = anyone.get("/v1/releases", limit=2, cursor=first.json()["next"])
    by_link = anyone.http.get(first.links["next"]["url"])
    of_one_state = anyone.get("/v1/releases", limit=1, state="preliminary")

    assert [row["id"] for row in rows(first)] == [3, 2]
    assert [row["id"] for row in rows(second)] == [row["id"] for row in rows(by_link)] == [1]
    assert (second.json()["next"], "link" in second.headers) == (None, False)
    assert [row["id"] for row in rows(of_one_state)] == [2]
    assert [row["id"] for row in rows(anyone.get("/v1/releases", cursor=2, state="preliminary"))] == [1]


def test_a_release_published_between_two_pages_moves_none(app: FastAPI, clock: StandingClock, anyone: Caller) -> None:
    first = anyone.get("/v1/releases", limit=2)
    publish(app.state.database, clock, THIRD, municipalities=True, quarters=True)

    assert [row["id"] for row in rows(anyone.get("/v1/releases", limit=2, cursor=first.json()["next"]))] == [1]


def test_a_release_reads_for_ever_as_it_was_published(app: FastAPI, clock: StandingClock, anyone: Caller) -> None:
    paths = ("/v1/releases/2", "/v1/releases/2/figures", "/v1/releases/2/diff/3", "/v1/releases/2/figures?format=csv")
    before = [anyone.http.get(path).content for path in paths]
    clock.advance(days=400)
    publish(app.state.database, clock, SECOND, changes=[{"year": 2023, "kind": "error", "reason": "No"}])

    assert [anyone.http.get(path).content for path in paths] == before


def test_what_is_at_hand_is_not_given_once_there_is_another_release(
    app: FastAPI, clock: StandingClock, anyone: Caller
) -> None:
    addresses = ("/v1/releases", "/v1/trends?county=13")
    before = [anyone.http.get(address).content for address in addresses for _ in range(2)]

    publish(app.state.database, clock, SECOND, changes=[{"year": 2023, "kind": "error", "reason": "Wrong"}])

    assert before[0] == before[1] != anyone.http.get(addresses[0]).content
    assert before[2] == before[3] != anyone.http.get(addresses[1]).content


def test_what_was_asked_for_once_is_at_hand(app: FastAPI, anyone: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = ("/v1/releases", "/v1/releases/2", "/v1/releases/2/figures", "/v1/releases/2/diff/3")
    answers = [anyone.http.get(address).content for address in addresses]

    def refused() -> None:
        raise AssertionError("nobody needs to read the database for it")

    monkeypatch.setattr(app.state.database, "reading_in_public", refused)

    assert [anyone.http.get(address).content for address in addresses] == answers


LATEST = "public, max-age=60, must-revalidate"
NAMED = "public, max-age=3600, must-revalidate"


@pytest.mark.parametrize(
    ("address", "numbers", "kept"),
    [
        ("/v1/releases", "3, 2, 1", LATEST),
        ("/v1/releases?county=01", None, LATEST),
        ("/v1/releases/2", "2", NAMED),
        ("/v1/releases/2/figures", "2", NAMED),
        ("/v1/releases/2/diff/3", "2, 3", NAMED),
        ("/v1/trends", "3", LATEST),
        ("/v1/trends?county=01", None, LATEST),
        ("/v1/trends?as_of=2024-05-15", "2", LATEST),
        ("/v1/trends?release=2", "2", NAMED),
    ],
)
def test_public_answers_say_how_long_they_may_be_kept_and_of_which_release_they_are(
    anyone: Caller, address: str, numbers: str | None, kept: str
) -> None:
    for accepted in ("application/json", "text/csv"):
        headers = {"Accept": accepted}
        # The second one is at hand.
        answers = [anyone.http.get(address, headers=headers) for _ in range(2)]
        answers.append(anyone.http.head(address, headers=headers))
        etag = answers[0].headers["ETag"]
        answers.append(anyone.http.get(address, headers={**headers, "If-None-Match": etag}))

        assert [answer.status_code for answer in answers] == [200, 200, 200, 304]
        assert {answer.headers.get("Release") for answer in answers} == {numbers}
        assert {answer.headers["Cache-Control"] for answer in answers} == {kept}
        assert {answer.headers["ETag"] for answer in answers} == {etag}
        assert etag.startswith('"')


def test_what_a_key_reads_live_is_kept_by_nobody_else_and_names_the_release_beside_it(north_savo: Caller) -> None:
    answer = north_savo.get("/v1/trends", county="13")

    assert (answer.headers["Cache-Control"], answer.headers["Release"]) == ("private, no-cache", "3")
