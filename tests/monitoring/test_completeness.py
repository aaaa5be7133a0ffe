"""GET /v1/completeness: the months of a year, how they stand, and the rates of counties."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event
from starlette.testclient import TestClient

from app.database import take_turn
from app.main import create_app
from app.practices.definitions import define_practice, set_live_from
from app.settings import Settings
from tests.conftest import Caller, StandingClock, count, status
from tests.practices.test_definitions import GUIDANCE

PATH = "/v1/completeness"
SOUTH_SAVO = {
    "county": "12",
    "county_name_fi": "Etelä-Savon hyvinvointialue",
    "county_name_sv": "Södra Savolax välfärdsområde",
}


def rows_of(caller: Caller, names: str, **query: Any) -> list[tuple[Any, ...]]:
    """The fields `names` of every row."""
    answer = caller.get(PATH, **{"year": 2024, **query})
    assert answer.status_code == 200, answer.text
    return [tuple(row[name] for name in names.split()) for row in answer.json()["rows"]]


def at(clock: StandingClock, text: str) -> None:
    """Let it be then, in UTC."""
    clock.now = datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_each_active_month_that_has_begun_has_a_row(clock: StandingClock, nation: Caller) -> None:
    at(clock, "2024-09-10T12:00")
    nation.post(
        [count("507", "2024-08", 7), count("507", "2024-07", 3, through="2024-07-20")],
        [status("507", "2024-07-15", "pilot")],
    )
    at(clock, "2024-11-15T09:00")

    answer = nation.get(PATH, year=2024, county="12").json()

    def row(month: str, days: int, covered: str, due: str, state: str, **more: Any) -> dict[str, Any]:
        return {
            "practice": "yhdessa-aika",
            "municipality": "507",
            "municipality_name_fi": "Mäntyharju",
            "municipality_name_sv": "Mäntyharju",
            "county": "12",
            "month": month,
            "active_days": days,
            "covered": covered,
            "covered_by": None,
            "reported_at": None,
            "days_after_end": None,
            "due_on": due,
            "state": state,
            **more,
        }

    reported = {"covered_by": "2024-08", "reported_at": "2024-09-10T12:00:00.000000Z", "days_after_end": 10}
    assert answer == {
        "as_of": "2024-11-15",
        "practice": "yhdessa-aika",
        "year": 2024,
        "due_day": 20,
        "rows": [
            row("2024-07", 17, "partly", "2024-08-20", "overdue", covered_by="2024-07"),
            row("2024-08", 31, "whole", "2024-09-20", "on_time", **reported),
            row("2024-09", 30, "no", "2024-10-20", "overdue"),
            row("2024-10", 31, "no", "2024-11-20", "not_due"),
            row("2024-11", 15, "no", "2024-12-20", "not_due"),
        ],
        "totals": [
            {
                **SOUTH_SAVO,
                "months_due": 3,
                "reported": 1,
                "on_time": 1,
                "reporting_rate": 0.3333,
                "on_time_rate": 0.3333,
            }
        ],
    }


def test_csv_says_what_json_says(nation: Caller) -> None:
    nation.post([count("507", "2024-02", 7)], [status("507", "2024-02", "pilot")])

    rows = nation.get(PATH, year=2024).json()["rows"]
    answer = nation.get(PATH, year=2024, format="csv")

    written = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert list(csv.DictReader(io.StringIO(answer.text))) == written
    assert len(written) == 4


def test_a_quarter_or_a_year_covers_its_months_and_comes_late_for_the_first_ones(
    clock: StandingClock, nation: Caller
) -> None:
    at(clock, "2024-10-19T21:30")
    nation.post([count("507", "2024-Q3", 7)], [status(code, "2024-07", "in_use") for code in ("507", "491", "588")])
    nation.post([count("491", "2024", 2, through="2024-08-31")])

    found = rows_of(nation, "municipality month covered_by days_after_end state")

    # 21.30 UTC on the 19th is the 20th in Helsinki.
    assert found == [
        ("491", "2024-07", "2024", 81, "late"),
        ("491", "2024-08", "2024", 50, "late"),
        ("491", "2024-09", None, None, "not_due"),
        ("491", "2024-10", None, None, "not_due"),
        ("507", "2024-07", "2024-Q3", 81, "late"),
        ("507", "2024-08", "2024-Q3", 50, "late"),
        ("507", "2024-09", "2024-Q3", 20, "on_time"),
        ("507", "2024-10", None, None, "not_due"),
        ("588", "2024-07", None, None, "overdue"),
        ("588", "2024-08", None, None, "overdue"),
        ("588", "2024-09", None, None, "not_due"),
        ("588", "2024-10", None, None, "not_due"),
    ]


def test_what_a_month_under_way_has_counted_is_not_its_report(clock: StandingClock, nation: Caller) -> None:
    nation.post([count("507", "2024-05", 1, through="2024-05-15")], [status("507", "2024-05", "pilot")])
    under_way = rows_of(nation, "covered covered_by reported_at state")
    nation.post([count("507", "2024-05", 1, through="2024-05-14")])
    a_day_behind = rows_of(nation, "covered covered_by reported_at state")
    at(clock, "2024-05-31T15:00")
    nation.post([count("507", "2024-05", 2, through="2024-05-31")])
    on_the_last_day = rows_of(nation, "covered reported_at days_after_end state")
    clock.advance(days=1)
    over = rows_of(nation, "covered reported_at days_after_end state")

    assert under_way == [("whole", "2024-05", None, "not_due")]
    assert a_day_behind == [("partly", "2024-05", None, "not_due")]
    assert on_the_last_day == [("whole", None, None, "not_due")]
    assert over == [("whole", "2024-05-31T15:00:00.000000Z", 0, "on_time"), ("no", None, None, "not_due")]


def test_a_correction_leaves_the_report_on_time_and_a_withdrawal_does_not(clock: StandingClock, nation: Caller) -> None:
    at(clock, "2024-09-05T09:00")
    nation.post(
        [count("507", "2024-08", 7), count("491", "2024-08", 7)],
        [status("507", "2024-08", "pilot"), status("491", "2024-08", "pilot")],
    )
    at(clock, "2024-10-05T09:00")
    nation.post([count("507", "2024-08", 8)])
    nation.delete("/v1/session-counts/yhdessa-aika/491/2024-08", reason="Wrong month")
    withdrawn = rows_of(nation, "municipality covered state")[0]
    clock.advance(days=1)
    nation.post([count("507", "2024-Q3", 8, replace=True), count("491", "2024-08", 8)])

    found = [row for row in rows_of(nation, "municipality month covered_by reported_at state") if row[1] == "2024-08"]

    assert withdrawn == ("491", "no", "overdue")
    assert found == [
        ("491", "2024-08", "2024-08", "2024-10-06T09:00:00.000000Z", "late"),
        ("507", "2024-08", "2024-Q3", "2024-09-05T09:00:00.000000Z", "on_time"),
    ]


def test_an_as_of_answer_says_what_was_known_then(clock: StandingClock, nation: Caller) -> None:
    nation.post([], [status("507", "2024-03", "pilot")])
    clock.advance(days=1)
    nation.post([count("507", "2024-03", 7)])

    before = rows_of(nation, "month covered state", as_of="2024-05-15")
    now = rows_of(nation, "month covered state")

    assert before[0] == ("2024-03", "no", "overdue")
    assert now[0] == ("2024-03", "whole", "late")
    assert nation.get(PATH, year=2024, as_of="2024-05-14").json()["rows"] == []


def test_totals_count_what_was_due_for_each_county_and_round_half_up(clock: StandingClock, nation: Caller) -> None:
    at(clock, "2024-07-01T09:00")
    nation.post([], [status(code, "2024-07", "in_use") for code in ("297", "140", "507", "035")])
    at(clock, "2024-08-20T09:00")
    nation.post([count("297", "2024-07", 1)])
    at(clock, "2024-09-21T09:00")
    nation.post([count(code, "2024-08", 1) for code in ("297", "140")] + [count("035", "2024-07", 1)])

    totals = nation.get(PATH, year=2024).json()["totals"]

    fields = ("county", "months_due", "reported", "on_time", "reporting_rate", "on_time_rate")
    assert [tuple(total[name] for name in fields) for total in totals] == [
        (None, 2, 1, 0, 0.5, 0.0),
        ("12", 2, 0, 0, 0.0, 0.0),
        ("13", 4, 3, 1, 0.75, 0.25),
    ]
    assert (totals[0]["county_name_fi"], totals[0]["county_name_sv"]) == (None, None)
    assert {name: totals[1][name] for name in SOUTH_SAVO} == SOUTH_SAVO


def test_a_rate_of_nothing_due_is_null_and_an_early_report_waits_for_its_due_day(
    clock: StandingClock, nation: Caller
) -> None:
    at(clock, "2024-05-02T09:00")
    nation.post([count("507", "2024-04", 7)], [status("507", "2024-04", "pilot")])

    early = nation.get(PATH, year=2024).json()
    at(clock, "2024-05-20T09:00")
    on_the_day = nation.get(PATH, year=2024).json()
    at(clock, "2024-05-21T09:00")
    after = nation.get(PATH, year=2024).json()

    assert early["rows"][0]["state"] == "on_time"
    numbers = [
        (each["totals"][0]["months_due"], each["totals"][0]["on_time_rate"]) for each in (early, on_the_day, after)
    ]
    assert numbers == [(0, None), (0, None), (1, 1.0)]


def test_months_of_a_year_that_stays_with_the_release_are_never_due(
    app: FastAPI, clock: StandingClock, nation: Caller
) -> None:
    nation.post([count("297", "2023-12", 1)], [status("297", "2023-11", "pilot")])
    before = nation.get(PATH, year=2023).json()
    clock.advance(days=1)
    with app.state.database.writing() as db:
        set_live_from(db, "yhdessa-aika", "13", 2023, at=take_turn(db, clock))

    fields = "month covered days_after_end due_on state"
    kept, live = rows_of(nation, fields, year=2023, as_of="2024-05-15"), rows_of(nation, fields, year=2023)

    assert kept == [("2023-11", "no", None, None, "not_due"), ("2023-12", "whole", 136, None, "not_due")]
    assert live == [
        ("2023-11", "no", None, "2023-12-20", "overdue"),
        ("2023-12", "whole", 136, "2024-01-20", "late"),
    ]
    assert [(total["months_due"], total["reporting_rate"]) for total in before["totals"]] == [(0, None)]


def test_a_practice_that_is_not_counted_has_no_rows(app: FastAPI, clock: StandingClock, nation: Caller) -> None:
    with app.state.database.writing() as db:
        define_practice(db, GUIDANCE.model_copy(update={"counted": False}), at=take_turn(db, clock))
    nation.post([], [status("507", "2024", "pilot", practice=GUIDANCE.slug)])

    answer = nation.get(PATH, year=2024, practice=GUIDANCE.slug).json()

    assert (answer["practice"], answer["rows"], answer["totals"]) == (GUIDANCE.slug, [], [])


def test_a_municipality_that_ended_has_rows_up_to_its_last_day(clock: StandingClock, nation: Caller) -> None:
    at(clock, "2025-02-01T09:00")
    nation.post([], [status("588", "2024-12-15", "pilot")])

    assert rows_of(nation, "municipality month active_days") == [("588", "2024-12", 17)]
    assert rows_of(nation, "month", year=2025) == []


def test_the_operator_sets_the_due_day(settings: Settings, clock: StandingClock, new_key: Callable[..., str]) -> None:
    app = create_app(settings.model_copy(update={"due_day": 5}), clock)
    with TestClient(app) as http:
        nation = Caller(http, new_key("country"))
        nation.post([], [status("507", "2024-04", "pilot")])
        answer = nation.get(PATH, year=2024).json()

    assert answer["due_day"] == 5
    assert [(row["due_on"], row["state"]) for row in answer["rows"]] == [
        ("2024-05-05", "overdue"),
        ("2024-06-05", "not_due"),
    ]


def test_a_key_sees_its_own_scope_and_is_refused_outside_it(
    http: TestClient, new_key: Callable[..., str], nation: Caller, north_savo: Caller, anyone: Caller
) -> None:
    nation.post([], [status(code, "2024", "pilot") for code in ("297", "140", "507")])
    reporter = Caller(http, new_key("county:13", actions=["report"]))
    kuopio = Caller(http, new_key("municipality:297"))

    def seen(caller: Caller, **query: Any) -> set[str]:
        return {code for (code,) in rows_of(caller, "municipality", **query)}

    def refused(caller: Caller, **query: Any) -> tuple[int, str]:
        answer = caller.get(PATH, **{"year": 2024, **query})
        return answer.status_code, answer.json().get("detail", "")

    assert (seen(nation), seen(north_savo), seen(kuopio)) == ({"297", "140", "507"}, {"297", "140"}, {"297"})
    assert seen(nation, county="13") == seen(north_savo, county="13") == {"297", "140"}
    assert seen(north_savo, municipality=["KU140"]) == {"140"}
    assert seen(nation, municipality=["507"], county="13") == set()
    assert refused(north_savo, county="12")[0] == 403
    outside = "the key does not cover 140, 171, 204 and 15 more; GET /v1/key shows its areas"
    assert refused(kuopio, county="13") == (403, outside)
    assert refused(north_savo, municipality=["507", "297"]) == (
        403,
        "the key does not cover 507; GET /v1/key shows its areas",
    )
    assert refused(reporter)[0] == 403
    assert refused(anyone)[0] == 401


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"year": 2014}, "year"),
        ({"year": 2025}, "year"),
        ({"year": 2024, "as_of": "2023-12-31"}, "year"),
        ({}, "year"),
        ({"year": 2024, "county": "99"}, "county"),
        ({"year": 2024, "municipality": "999"}, "municipality"),
        ({"year": 2024, "practice": "no-such"}, "practice"),
    ],
)
def test_what_there_is_not_is_refused_by_its_name(nation: Caller, query: dict[str, Any], parameter: str) -> None:
    answer = nation.get(PATH, **query)

    assert answer.status_code == 422
    assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


def test_the_cost_does_not_grow_with_the_municipalities(app: FastAPI, nation: Caller) -> None:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    def asked() -> Sequence[str]:
        statements.clear()
        nation.get(PATH, year=2024)
        return list(statements)

    event.listen(app.state.database.engine, "before_cursor_execute", note)
    nation.post([count("507", "2024-01", 1)], [status("507", "2024", "pilot")])
    of_one = asked()
    codes = ("297", "140", "491", "588", "035", "091")
    nation.post([count(code, "2024-01", 1) for code in codes], [status(code, "2024", "pilot") for code in codes])

    assert asked() == of_one
