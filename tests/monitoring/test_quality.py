"""GET /v1/quality: the doubts about what is in force."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event
from starlette.testclient import TestClient

from app.database import take_turn
from app.practices.definitions import define_practice
from tests.conftest import Caller, StandingClock, count, status
from tests.practices.test_definitions import GUIDANCE

ABOUT = {
    "practice": "yhdessa-aika",
    "municipality": "507",
    "municipality_name_fi": "Mäntyharju",
    "municipality_name_sv": "Mäntyharju",
    "county": "12",
}


def found(caller: Caller, **query: Any) -> list[tuple[Any, ...]]:
    """Municipality, code, and period or day of every row."""
    answer = caller.get("/v1/quality", **query)
    assert answer.status_code == 200, answer.text
    return [(row["municipality"], row["code"], row["period"] or row["date"]) for row in answer.json()["rows"]]


def test_every_doubt_about_what_is_in_force_has_a_row(clock: StandingClock, nation: Caller) -> None:
    monthly = [count("507", f"2023-{month:02}", held) for month, held in enumerate((10, 12, 9, 11, 10, 12, 40, 0), 1)]
    nation.post(monthly, [status("507", "2020", "in_use")])
    nation.post([count("491", "2023-01", 3)])
    clock.advance(days=366)

    answer = nation.get("/v1/quality", county="12").json()

    nothing = dict.fromkeys(("period", "date", "figure", "low", "high"))
    row = {**ABOUT, **nothing}
    mikkeli = {"municipality": "491", "municipality_name_fi": "Mikkeli", "municipality_name_sv": "S:t Michel"}
    inactive = {
        "code": "no_active_status",
        "period": "2023-01",
        "entry": 9,
        "figure": 3,
        "detail": "491 has no status pilot or in_use on any day counted in 2023-01",
    }
    july, august = {"period": "2023-07", "entry": 7, "figure": 40}, {"period": "2023-08", "entry": 8, "figure": 0}
    forty = "40 sessions in 2023-07; its 7 other counts like it suggest 5 to 15"
    zero = "0 sessions in 2023-08; its 7 other counts like it suggest 6 to 16"
    long_in_use = "0 sessions in 2023-08, in use since 2020-01-01; in the twelve months before 104 sessions were held"
    quiet = "in_use since 2020-01-01 and nothing said of the last twelve months; the last day counted is 2023-08-31"
    assert answer == {
        "as_of": "2025-05-16",
        "practice": "yhdessa-aika",
        "rows": [
            {**row, **mikkeli, **inactive},
            {**row, **july, "code": "outlier", "low": 5, "high": 15, "detail": forty},
            {**row, **august, "code": "outlier", "low": 6, "high": 16, "detail": zero},
            {**row, **august, "code": "zero_in_use", "detail": long_in_use},
            {**row, "code": "unconfirmed", "date": "2020-01-01", "entry": 1, "detail": quiet},
        ],
    }


def test_what_a_receipt_doubts_is_doubted_here_too(nation: Caller) -> None:
    counts = [count("507", f"2023-{month:02}", held) for month, held in enumerate((8, 8, 8, 9, 7, 8, 60, 0), 1)]

    rows = nation.post(counts, [status("507", "2020", "in_use")]).json()["rows"]

    on_receipt = [
        ("507", warning["code"], counts[row["index"]]["period"]) for row in rows for warning in row["warnings"]
    ]
    here = found(nation)
    assert len(here) == 5
    assert [doubt for doubt in on_receipt if doubt[1] != "tenfold_jump"] == here


def test_csv_says_what_json_says(nation: Caller) -> None:
    nation.post([count("507", "2024-02", 7)])

    rows = nation.get("/v1/quality").json()["rows"]
    table = nation.get("/v1/quality", format="csv").text

    written = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    assert list(csv.DictReader(io.StringIO(table))) == written
    assert len(written) == 1


@pytest.mark.parametrize(
    ("sign", "quiet"),
    [
        (None, True),
        (count("507", "2023-05", 0, through="2023-05-15"), True),
        (count("507", "2023-05", 0, through="2023-05-16"), False),
        (count("507", "2023", 0), False),
    ],
)
def test_an_active_municipality_is_unconfirmed_when_the_last_sign_is_more_than_a_year_old(
    clock: StandingClock, nation: Caller, sign: dict[str, Any] | None, quiet: bool
) -> None:
    nation.post([], [status("507", "2020", "pilot"), status("491", "2020", "ended"), status("588", "2020", "planned")])
    clock.advance(days=365)
    on_the_day = found(nation)
    clock.advance(days=1)
    # It is 16 May 2025: what was counted to 15 May 2024 is older than a year, and so is the status.
    if sign:
        later = {
            name: value.replace("2023", "2024") if isinstance(value, str) else value for name, value in sign.items()
        }
        nation.post([later])

    told = [row for row in found(nation) if row[1] == "unconfirmed"]

    assert on_the_day == []
    assert told == ([("507", "unconfirmed", "2020-01-01")] if quiet else [])


def test_a_status_posted_again_on_a_later_day_confirms_it(clock: StandingClock, nation: Caller) -> None:
    nation.post([], [status("507", "2020", "pilot")])
    clock.advance(days=366)
    before = found(nation)
    nation.post([], [status("507", "2025-05-16", "pilot")])

    assert before == [("507", "unconfirmed", "2020-01-01")]
    assert found(nation) == []
    assert found(nation, as_of="2025-05-15") == []


def test_nothing_ever_counted_is_said_in_words(app: FastAPI, clock: StandingClock, nation: Caller) -> None:
    with app.state.database.writing() as db:
        define_practice(db, GUIDANCE.model_copy(update={"counted": False}), at=take_turn(db, clock))
    nation.post([], [status("507", "2024-05", "pilot", practice=GUIDANCE.slug)])
    clock.advance(days=366)

    row = nation.get("/v1/quality", practice=GUIDANCE.slug).json()["rows"][0]

    assert (
        row["detail"] == "pilot since 2024-05-01 and nothing said of the last twelve months; nothing was ever counted"
    )


def test_a_corrected_figure_is_doubted_no_more_except_as_of_then(clock: StandingClock, nation: Caller) -> None:
    clock.advance(days=1)
    nation.post([count("507", "2024-02", 7)])
    clock.advance(days=1)
    nation.post([], [status("507", "2024-02", "pilot")])

    assert found(nation) == []
    assert found(nation, as_of="2024-05-16") == [("507", "no_active_status", "2024-02")]


def test_a_key_sees_its_own_scope_and_is_refused_outside_it(
    http: TestClient, new_key: Callable[..., str], nation: Caller, north_savo: Caller, anyone: Caller
) -> None:
    nation.post([count(code, "2024-02", 7) for code in ("297", "140", "507")])
    reporter = Caller(http, new_key("county:13", actions=["report"]))

    def codes(caller: Caller, **query: Any) -> list[str]:
        return [row[0] for row in found(caller, **query)]

    assert (codes(nation), codes(north_savo)) == (["140", "297", "507"], ["140", "297"])
    assert codes(nation, county="13") == ["140", "297"]
    assert codes(north_savo, municipality=["297"]) == ["297"]
    assert north_savo.get("/v1/quality", county="12").status_code == 403
    assert north_savo.get("/v1/quality", municipality="507").status_code == 403
    assert reporter.get("/v1/quality").status_code == 403
    assert anyone.get("/v1/quality").status_code == 401
    assert nation.get("/v1/quality", practice="no-such").status_code == 422


def test_the_cost_does_not_grow_with_the_municipalities(app: FastAPI, nation: Caller) -> None:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    event.listen(app.state.database.engine, "before_cursor_execute", note)
    nation.post([count("507", "2024-01", 1)])
    costs = []
    for codes in (("507",), ("297", "140", "491", "588", "035", "091")):
        nation.post([count(code, "2024-01", 1) for code in codes])
        statements.clear()
        nation.get("/v1/quality")
        costs.append(list(statements))

    assert costs[0] == costs[1]
