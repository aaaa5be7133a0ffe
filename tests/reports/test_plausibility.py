"""Plausibility: what is recorded with a warning, and what without one."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import example, given, strategies as st
from starlette.testclient import TestClient

from app.database import Database
from app.periods import period
from app.places.register import Municipality
from app.practices.definitions import SHIPPED_PRACTICE, define_practice, set_live_from
from app.practices.models import PracticePublic
from app.reports.doubts import Figures
from app.reports.entries import PlainCount, PlainStatus
from app.reports.plausibility import Background, count_warnings, figure_of, no_active_status, status_warnings
from tests.conftest import Caller, StandingClock, count, status

JUMP, INACTIVE, BACKWARDS = "tenfold_jump", "no_active_status", "status_goes_backwards"
KEPT, NOT_COUNTED = "stays_with_release", "practice_not_counted"


def kela(*, counted: bool) -> PracticePublic:
    """A practice that is or is not counted."""
    return SHIPPED_PRACTICE.model_copy(update={"slug": "kela", "counted": counted})


PERTUNMAA = Municipality("588", "Pertunmaa", "Pertunmaa", "12", "10", None, date(2024, 12, 31), "507")
COMMON: dict[str, Any] = {
    "id": 1,
    "submission_id": 1,
    "organisation_id": 1,
    "recorded_at": datetime(2024, 5, 1, tzinfo=UTC),
    "practice": "kela",
    "municipality": "588",
    "outcome": "created",
    "note_hash": None,
}


def warned(
    period: tuple[str, str, str],
    sessions: int,
    *,
    statuses: dict[str, str],
    before: dict[tuple[str, str, str], int] | None = None,
    corrects: int | None = None,
) -> list[str]:
    """The codes of the warnings about a count of `period` (text, first day, last day)."""
    entry = count_entry(period, sessions)
    counts = [count_entry(*item) for item in (before or {}).items()]
    warnings = count_warnings(
        entry,
        background([*counts, entry], statuses),
        corrects=None if corrects is None else count_entry(period, corrects),
    )
    return [warning.code for warning in warnings]


def background(counts: Sequence[PlainCount], statuses: dict[str, str], place: Municipality = PERTUNMAA) -> Background:
    in_force = [status_entry(day, name) for day, name in statuses.items()]
    return Background(kela(counted=True), place, frozenset(), Figures(map(figure_of, counts)), in_force)


def count_entry(period: tuple[str, str, str], sessions: int, *, counted_to: str | None = None) -> PlainCount:
    text, first, last = period
    return PlainCount(
        **COMMON,
        period=text,
        first_day=date.fromisoformat(first),
        last_day=date.fromisoformat(last),
        counted_to=date.fromisoformat(counted_to or last),
        sessions=sessions,
    )


def status_entry(day: str, name: str) -> PlainStatus:
    return PlainStatus(**COMMON, day=date.fromisoformat(day), date_precision="day", status=name)


JAN, FEB, MARCH = (
    (f"2022-0{month}", f"2022-0{month}-01", f"2022-0{month}-{last}") for month, last in [(1, 31), (2, 28), (3, 31)]
)
Q1, Q2 = ("2022-Q1", "2022-01-01", "2022-03-31"), ("2022-Q2", "2022-04-01", "2022-06-30")
ACTIVE = {"2021-01-01": "in_use"}


@pytest.mark.parametrize(
    ("statuses", "active"),
    [
        ({}, False),
        ({"2022-02-01": "pilot"}, True),
        ({"2022-02-28": "in_use"}, True),
        ({"2022-03-01": "in_use"}, False),
        ({"2021-01-01": "pilot"}, True),
        ({"2021-01-01": "pilot", "2022-02-01": "paused"}, False),
        ({"2021-01-01": "pilot", "2022-02-02": "ended"}, True),
        ({"2021-01-01": "planned"}, False),
        ({"2021-01-01": "planned", "2022-02-10": "pilot", "2022-02-11": "paused"}, True),
        ({"2021-01-01": "pilot", "2021-06-01": "ended", "2023-01-01": "in_use"}, False),
    ],
)
def test_sessions_without_an_active_status_on_a_day_counted_are_doubted(statuses: dict[str, str], active: bool) -> None:
    assert warned(FEB, 0, statuses=statuses) == ([] if active else [INACTIVE])


days = st.dates(date(2019, 1, 1), date(2024, 12, 31))


@given(
    st.dictionaries(days.map(str), st.sampled_from(["pilot", "in_use", "paused"]), max_size=3),
    st.none() | days,
    st.none() | days,
    days,
)
@example({"2019-01-01": "pilot"}, None, date(2022, 3, 1), date(2022, 2, 28))
@example({"2019-01-01": "pilot"}, date(2022, 3, 1), None, date(2022, 2, 1))
def test_it_is_said_of_a_month_that_the_municipality_is_not_active_if_it_is_on_no_day_of_it(
    statuses: dict[str, str], founded: date | None, ended: date | None, day: date
) -> None:
    month = period(f"{day:%Y-%m}")
    entry = count_entry((month.text, str(month.first), str(month.last)), 1)
    place = Municipality("588", "Uusi", "Nya", "12", "10", founded, ended, None)
    held_against = background([entry], statuses, place)

    told = [warning.code for warning in count_warnings(entry, held_against, corrects=None)]

    inactive = no_active_status(place, figure_of(entry), held_against.statuses)
    assert told == ([INACTIVE] if inactive else [])


def test_a_status_counts_only_on_days_that_were_counted_and_in_the_register() -> None:
    whole_2022 = ("2022", "2022-01-01", "2022-12-31")
    part = count_entry(whole_2022, 1, counted_to="2022-03-27")
    begins = {"2022-04-01": "pilot"}
    later_founded = Municipality("588", "Uusi", "Nya", "12", "10", date(2022, 7, 1), None, None)

    in_part = count_warnings(part, background([part], begins), corrects=None)
    not_yet = count_warnings(part, background([part], begins, later_founded), corrects=None)

    assert warned(whole_2022, 1, statuses={"2022-04-01": "pilot"}) == []
    assert [warning.code for warning in (*in_part, *not_yet)] == [INACTIVE, INACTIVE]


@pytest.mark.parametrize(
    ("before", "sessions", "doubted"),
    [
        ({JAN: 1}, 10, True),
        ({JAN: 1}, 9, False),
        ({JAN: 7}, 70, True),
        ({JAN: 7}, 69, False),
        ({JAN: 100}, 1, False),
        ({JAN: 0}, 1_000, False),
        ({}, 1_000, False),
        ({JAN: 1, FEB: 5}, 10, False),
        ({JAN: 5, FEB: 1}, 10, True),
        ({JAN: 5, FEB: 0}, 100, False),
        ({Q1: 1}, 1_000, False),
    ],
)
def test_ten_times_as_many_sessions_as_in_the_latest_period_as_long_are_doubted(
    before: dict[tuple[str, str, str], int], sessions: int, doubted: bool
) -> None:
    assert warned(MARCH, sessions, statuses=ACTIVE, before=before) == ([JUMP] if doubted else [])


def test_a_quarter_is_held_against_a_quarter_and_not_against_a_month() -> None:
    month = warned(Q2, 30, statuses=ACTIVE, before={MARCH: 3})
    quarter = warned(Q2, 30, statuses=ACTIVE, before={Q1: 3})

    assert (month, quarter) == ([], [JUMP])


def test_what_comes_later_is_no_measure() -> None:
    assert warned(FEB, 100, statuses=ACTIVE, before={MARCH: 1}) == []


@pytest.mark.parametrize(
    ("corrects", "sessions", "doubted"), [(1, 10, True), (1, 9, False), (100, 10, False), (0, 9, False)]
)
def test_ten_times_as_many_sessions_as_were_recorded_are_doubted(corrects: int, sessions: int, doubted: bool) -> None:
    assert warned(FEB, sessions, statuses=ACTIVE, corrects=corrects) == ([JUMP] if doubted else [])


def test_one_jump_is_told_once() -> None:
    assert warned(FEB, 100, statuses=ACTIVE, before={JAN: 1}, corrects=1) == [JUMP]


@pytest.mark.parametrize(
    ("before", "now", "backwards"),
    [
        ("in_use", "pilot", True),
        ("in_use", "planned", True),
        ("pilot", "planned", True),
        ("planned", "pilot", False),
        ("pilot", "in_use", False),
        ("planned", "in_use", False),
        ("in_use", "in_use", False),
        ("in_use", "paused", False),
        ("in_use", "ended", False),
        ("paused", "in_use", False),
        ("paused", "pilot", False),
        ("ended", "planned", False),
        (None, "planned", False),
    ],
)
def test_a_status_that_goes_backwards_is_doubted(before: str | None, now: str, backwards: bool) -> None:
    entry = status_entry("2022-03-01", now)
    others = (
        {"2021-01-01": "in_use", "2022-01-01": before, "2022-04-01": "in_use"} if before else {"2022-04-01": "in_use"}
    )
    statuses = {day: str(name) for day, name in others.items()}

    warnings = status_warnings(entry, background([], {**statuses, "2022-03-01": now}))

    assert [warning.code for warning in warnings] == ([BACKWARDS] if backwards else [])


def codes(answer: Any) -> list[list[str]]:
    """The codes of the warnings of each row."""
    assert answer.status_code in (200, 201)
    return [[warning["code"] for warning in row["warnings"]] for row in answer.json()["rows"]]


def test_what_is_odd_is_recorded_and_said_on_the_receipt(nation: Caller) -> None:
    nation.post([count("507", "2023-01", 2)], [status("507", "2022", "in_use")])

    answer = nation.post(
        [count("507", "2023-02", 20), count("507", "2023-03", 30), count("491", "2023-01", 1)],
        [status("507", "2023-06", "pilot"), status("507", "2023-07", "in_use")],
    )

    assert [(row["outcome"], row["warnings"]) for row in answer.json()["rows"]] == [
        ("created", [{"code": JUMP, "detail": "20 sessions are 10 times those of 2023-01 or more"}]),
        ("created", []),
        (
            "created",
            [{"code": INACTIVE, "detail": "491 has no status pilot or in_use on any day counted in 2023-01"}],
        ),
        (
            "created",
            [{"code": BACKWARDS, "detail": "pilot follows in_use; a practice that stops is paused or ended"}],
        ),
        ("created", []),
    ]
    assert nation.get("/v1/submissions/2").json()["rows"] == answer.json()["rows"]
    assert len(nation.get("/v1/session-counts").json()["rows"]) == 4


def test_rows_of_one_submission_are_held_against_one_another(nation: Caller) -> None:
    first = nation.post(
        [count("507", "2023-02", 20), count("507", "2023-01", 2)],
        [status("507", "2023-07", "pilot"), status("507", "2023", "in_use")],
    )
    replaced = nation.post([count("507", "2023-Q1", 200, replace=True), count("507", "2022-Q4", 10)])
    rejected = nation.post([count("507", "2023-01", 1), count("491", "2023", 1)], skip_invalid=True)

    assert codes(first) == [[JUMP], [], [BACKWARDS], []]
    assert codes(replaced) == [[JUMP], [INACTIVE]]
    assert codes(rejected) == [[], [INACTIVE]]


def test_an_unchanged_row_is_doubted_as_before_but_not_for_being_a_correction(nation: Caller) -> None:
    nation.post([count("507", "2023-02", 1)], [status("507", "2023", "in_use"), status("507", "2023-03", "pilot")])

    corrected = nation.put("/v1/session-counts/yhdessa-aika/507/2023-02", {"sessions": 10})
    again = nation.post([count("507", "2023-02", 10)], [status("507", "2023-03", "pilot")])
    dry = nation.post([count("507", "2023-02", 100)], dry_run=True)

    assert codes(corrected) == [[JUMP]]
    assert codes(again) == [[], [BACKWARDS]]
    assert codes(dry) == [[JUMP]]


def test_sessions_of_a_practice_that_is_not_counted_are_doubted(app: FastAPI, nation: Caller) -> None:
    database: Database = app.state.database
    with database.writing() as db:
        define_practice(db, kela(counted=False), at=datetime(2024, 5, 1, tzinfo=UTC))

    answer = nation.post(
        [count("507", "2023", 1, practice="kela"), count("507", "2023", 1)],
        [status("507", "2023", "pilot", practice="kela"), status("507", "2023", "pilot")],
    )

    assert codes(answer) == [[NOT_COUNTED], [], [], []]
    assert answer.json()["rows"][0]["warnings"][0]["detail"] == "sessions of kela are not counted by its definition"


def test_a_year_that_stays_with_the_release_is_told_until_live_from(
    app: FastAPI, clock: StandingClock, nation: Caller
) -> None:
    counts = [count(place, year, 1) for place in ("297", "507") for year in ("2020", "2021", "2022")]
    statuses = [status(place, day, "pilot") for place in ("297", "507") for day in ("2019", "2022-06")]
    before = nation.post([*counts, count("297", "2024-01", 1)], statuses)

    clock.advance(hours=1)
    database: Database = app.state.database
    with database.writing() as db:
        set_live_from(db, "yhdessa-aika", "13", 2022, at=clock())
    after = nation.post([*counts, count("297", "2024-01", 1)], statuses)

    assert codes(before) == [[], [KEPT], [KEPT], [], [], [], [], [], [KEPT], [], []]
    assert codes(after) == [[], [KEPT], [], [], [], [], [], [], [], [], []]
    assert after.json()["unchanged"] == 11


def test_a_municipality_of_no_county_has_no_release(http: TestClient, nation: Caller) -> None:
    answer = nation.post([count("035", "2022", 1)], [status("035", "2022", "pilot")])

    assert codes(answer) == [[], []]


def test_a_count_two_years_older_is_no_measure_whatever_else_is_in_the_submission(kuopio: Caller) -> None:
    alone = kuopio.post([count("297", "2021", 2), count("297", "2023", 50)]).json()["rows"]
    next_to_it = kuopio.post([count("297", "2022", 3)], dry_run=True).json()["rows"]
    a_year_later = kuopio.post([count("297", "2022", 30)]).json()["rows"]

    told = [{warning["code"] for warning in row["warnings"]} for row in (*alone, *next_to_it, *a_year_later)]
    assert ["tenfold_jump" in codes for codes in told] == [False, False, False, True]
