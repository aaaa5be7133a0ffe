"""GET /v1/due: what a key should post next."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.database import take_turn
from app.monitoring.due import last_months
from app.practices.definitions import define_practice, set_live_from
from tests.conftest import Caller, StandingClock, count, status
from tests.practices.test_definitions import GUIDANCE


def due(caller: Caller, **query: Any) -> list[tuple[Any, ...]]:
    """Municipality, what, month, due day and days overdue of every row."""
    answer = caller.get("/v1/due", **query)
    assert answer.status_code == 200, answer.text
    rows = answer.json()["rows"]
    assert [row["overdue"] for row in rows] == [row["days_overdue"] > 0 for row in rows]
    return [(row["municipality"], row["what"], row["month"], row["due_on"], row["days_overdue"]) for row in rows]


def test_months_that_are_over_and_not_wholly_counted_are_due_oldest_first(nation: Caller) -> None:
    nation.post(
        [count("507", "2024-02", 1), count("507", "2024-03", 1, through="2024-03-30"), count("491", "2024-Q1", 3)],
        [status("507", "2024-02-10", "pilot"), status("491", "2024-01", "in_use"), status("588", "2024", "planned")],
    )

    answer = nation.get("/v1/due").json()

    about = {"practice": "yhdessa-aika", "county": "12", "what": "sessions"}
    mantyharju = {"municipality": "507", "municipality_name_fi": "Mäntyharju", "municipality_name_sv": "Mäntyharju"}
    mikkeli = {"municipality": "491", "municipality_name_fi": "Mikkeli", "municipality_name_sv": "S:t Michel"}
    april = {"month": "2024-04", "due_on": "2024-05-20", "overdue": False, "days_overdue": 0}
    march = {"month": "2024-03", "due_on": "2024-04-20", "overdue": True, "days_overdue": 25}
    assert answer == {
        "as_of": "2024-05-15",
        "practice": "yhdessa-aika",
        "rows": [{**about, **mantyharju, **march}, {**about, **mikkeli, **april}, {**about, **mantyharju, **april}],
    }


def test_csv_says_what_json_says(nation: Caller) -> None:
    nation.post([], [status("507", "2024-03", "pilot")])

    rows = nation.get("/v1/due").json()["rows"]
    table = nation.get("/v1/due", format="csv").text

    written = [
        {**row, "overdue": str(row["overdue"]).lower(), "days_overdue": str(row["days_overdue"])} for row in rows
    ]
    assert list(csv.DictReader(io.StringIO(table))) == written
    assert len(written) == 2


def test_posting_what_is_due_ends_it(clock: StandingClock, nation: Caller) -> None:
    nation.post([], [status("507", "2024-04", "pilot")])

    before = due(nation)
    nation.post([count("507", "2024-04", 0)])
    after = due(nation)
    clock.advance(days=17)
    next_month = due(nation)

    assert before == [("507", "sessions", "2024-04", "2024-05-20", 0)]
    assert after == []
    assert next_month == [("507", "sessions", "2024-05", "2024-06-20", 0)]


def test_a_month_is_overdue_from_the_day_after_its_due_day(clock: StandingClock, nation: Caller) -> None:
    nation.post([], [status("507", "2024-04", "pilot")])
    clock.now = datetime(2024, 5, 20, 20, 59, tzinfo=UTC)
    on_the_day = due(nation)
    clock.advance(minutes=1)
    a_minute_later = due(nation)

    assert on_the_day == [("507", "sessions", "2024-04", "2024-05-20", 0)]
    assert a_minute_later == [("507", "sessions", "2024-04", "2024-05-20", 1)]


def test_no_more_than_24_months_are_asked_for_and_none_before_the_first_active_day(nation: Caller) -> None:
    nation.post([], [status("507", "2019", "pilot"), status("491", "2024-03-31", "pilot")])

    months = {code: [row[2] for row in due(nation) if row[:2] == (code, "sessions")] for code in ("507", "491")}

    assert months["491"] == ["2024-03", "2024-04"]
    assert (len(months["507"]), months["507"][0], months["507"][-1]) == (24, "2022-05", "2024-04")


@pytest.mark.parametrize(("day", "months"), [("2015-01-31", []), ("2015-03-01", ["2015-01", "2015-02"])])
def test_no_month_before_2015_is_asked_for(day: str, months: list[str]) -> None:
    assert [month.text for month in last_months(date.fromisoformat(day))] == months


def test_a_year_that_stays_with_the_release_is_not_asked_for(
    app: FastAPI, clock: StandingClock, north_savo: Caller
) -> None:
    north_savo.post([], [status("297", "2022-11", "pilot")])

    def months() -> list[str]:
        return [row[2] for row in due(north_savo) if row[1] == "sessions"]

    kept = months()
    clock.advance(hours=1)
    with app.state.database.writing() as db:
        set_live_from(db, "yhdessa-aika", "13", 2023, at=take_turn(db, clock))
    live = months()

    assert kept == ["2024-01", "2024-02", "2024-03", "2024-04"]
    assert live == [*(f"2023-{month:02}" for month in range(1, 13)), *kept]


def test_a_paused_or_ended_municipality_owes_nothing_for_months_without_an_active_day(nation: Caller) -> None:
    nation.post([], [status("507", "2024-01", "pilot"), status("507", "2024-02-02", "paused")])

    assert [row[2] for row in due(nation)] == ["2024-01", "2024-02"]


def test_a_status_of_which_nothing_was_heard_for_a_year_is_to_be_confirmed(
    clock: StandingClock, nation: Caller
) -> None:
    nation.post([count("507", "2020", 1), count("491", "2024-04", 1)], [])
    nation.post([], [status(code, "2019", "in_use") for code in ("507", "491", "588")])

    def to_confirm() -> list[tuple[Any, ...]]:
        return [row for row in due(nation) if row[1] == "status"]

    clock.now = datetime(2025, 5, 15, 9, tzinfo=UTC)
    after_a_year = to_confirm()
    nation.post([count("507", "2025-04", 0)])
    clock.advance(days=1)
    a_day_later = to_confirm()
    nation.post([], [status("491", "2025-05", "in_use")])
    confirmed = to_confirm()

    assert after_a_year == []
    assert a_day_later == [("491", "status", None, "2025-05-15", 1)]
    assert confirmed == []


def test_of_a_practice_that_is_not_counted_only_statuses_are_asked_for(
    app: FastAPI, clock: StandingClock, nation: Caller
) -> None:
    with app.state.database.writing() as db:
        define_practice(db, GUIDANCE.model_copy(update={"counted": False}), at=take_turn(db, clock))
    nation.post([], [status("507", "2024", "pilot", practice=GUIDANCE.slug)])
    clock.advance(days=366)

    found = due(nation, practice=GUIDANCE.slug)

    assert found == [("507", "status", None, "2025-05-15", 1)]
    assert nation.get("/v1/due", practice="no-such").status_code == 422


def test_a_key_is_asked_for_its_own_municipalities_and_needs_to_report(
    http: TestClient, new_key: Callable[..., str], nation: Caller, north_savo: Caller, anyone: Caller
) -> None:
    nation.post([], [status(code, "2024-04", "pilot") for code in ("297", "140", "507")])
    reader = Caller(http, new_key("county:13", actions=["read"]))
    reporter = Caller(http, new_key("municipality:297", actions=["report"]))

    def codes(caller: Caller) -> list[str]:
        return [row[0] for row in due(caller)]

    assert (codes(nation), codes(north_savo), codes(reporter)) == (["140", "297", "507"], ["140", "297"], ["297"])
    assert reader.get("/v1/due").status_code == 403
    assert anyone.get("/v1/due").status_code == 401


@pytest.mark.parametrize("name", ["county", "as_of", "municipality"])
def test_it_takes_no_other_filter(nation: Caller, name: str) -> None:
    assert nation.get("/v1/due", **{name: "13"}).status_code == 422
