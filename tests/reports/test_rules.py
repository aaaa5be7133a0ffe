"""Validity: each reason to refuse a row, where the refusal points, and which kind comes first."""

from collections.abc import Callable, Sequence
from datetime import date
from itertools import combinations
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given, settings, strategies as st
from starlette.testclient import TestClient

from app.access.scope import NotCovered, Scope
from app.errors import InvalidRequest
from app.periods import period
from app.places.register import Municipality
from app.reports.models import CountIn, StatusIn
from app.reports.rules import Refusal, Rulebook
from tests.conftest import Caller, count, status
from tests.reports.stored import everything

HELSINKI = Municipality("091", "Helsinki", "Helsingfors", "90", "01", None, None, None)
KUOPIO = Municipality("297", "Kuopio", "Kuopio", "13", "11", None, None, None)
PERTUNMAA = Municipality("588", "Pertunmaa", "Pertunmaa", "12", "10", None, date(2024, 12, 31), "507")
VANISHED = Municipality("996", "Kadonnut", "Kadonnut", "12", "10", None, date(2023, 12, 31), None)
RULEBOOK = Rulebook(
    today=date(2024, 5, 15),
    scope=Scope(frozenset({"county:13", "municipality:588", "municipality:996"})),
    practices={"yhdessa-aika", "kela"},
    places={place.code: place for place in (HELSINKI, KUOPIO, PERTUNMAA, VANISHED)},
)
IN_2026 = Rulebook(date(2026, 2, 1), RULEBOOK.scope, RULEBOOK.practices, RULEBOOK.places)


def refused_count(rulebook: Rulebook = RULEBOOK, **fields: Any) -> list[Refusal]:
    """Why a count is refused that is all right but for `fields`."""
    item = CountIn.model_validate({"municipality": "297", "period": "2022-03", "sessions": 7, **fields})
    return list(rulebook.checked_counts([item])[0].refusals)


def refused_status(rulebook: Rulebook = RULEBOOK, **fields: Any) -> list[Refusal]:
    """Why a status is refused that is all right but for `fields`."""
    item = StatusIn.model_validate({"municipality": "297", "date": "2022-03-15", "status": "pilot", **fields})
    return list(rulebook.checked_statuses([item])[0].refusals)


@pytest.mark.parametrize(
    "fields",
    [
        {"period": "2015"},
        {"period": "2022-Q1"},
        {"period": "2024", "through": "2024-01-01"},
        {"period": "2024", "through": "2024-05-15"},
        {"period": "2024-Q2", "through": "2024-04-30"},
        {"period": "2024-05", "through": "2024-05-15"},
        {"period": "2024-04"},
        {"period": "2022", "through": "2022-12-31"},
        {"municipality": "KU297"},
        {"municipality": "588", "period": "2022"},
        {"practice": "kela"},
        {"sessions": 0, "note": "ä" * 500},
        {"sessions": 1_000_000},
    ],
)
def test_a_valid_count_is_not_refused(fields: dict[str, Any]) -> None:
    assert refused_count(**fields) == []


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"period": "2024-06"}, "period", "2024-06 has not begun; today is 2024-05-15"),
        ({"period": "2024-Q3"}, "period", "2024-Q3 has not begun; today is 2024-05-15"),
        ({"period": "2025"}, "period", "2025 has not begun; today is 2024-05-15"),
        (
            {"period": "2024"},
            "through",
            "2024 is not over; say with `through` which day was the last one counted",
        ),
        (
            {"period": "2024-05"},
            "through",
            "2024-05 is not over; say with `through` which day was the last one counted",
        ),
        ({"through": "2022-02-28"}, "through", "2022-02-28 lies outside 2022-03"),
        ({"through": "2022-04-01"}, "through", "2022-04-01 lies outside 2022-03"),
        (
            {"period": "2024", "through": "2024-05-16"},
            "through",
            "2024-05-16 lies in the future; today is 2024-05-15",
        ),
        ({"period": "2023", "through": "2023-02-29"}, "through", "2023-02-29 is not a day of the calendar"),
        ({"municipality": "999"}, "municipality", "there is no municipality 999"),
        ({"practice": "yhdessa"}, "practice", "there is no practice 'yhdessa'"),
        (
            {"note": "131052-308T"},
            "note",
            "holds a personal identity code; leave it out, nobody needs it here",
        ),
    ],
)
def test_an_invalid_count_is_refused_with_field_and_reason(fields: dict[str, Any], field: str, reason: str) -> None:
    assert refused_count(**fields) == [Refusal(InvalidRequest, field, reason)]


@pytest.mark.parametrize("year", ["2014", "1999", "9999"])
def test_a_year_that_no_figures_are_kept_for_is_refused_and_named(year: str) -> None:
    refusals = [*refused_count(period=year), *refused_count(period=f"{year}-Q1"), *refused_status(date=f"{year}-03")]

    assert [(refusal.kind, refusal.field) for refusal in refusals] == [
        (InvalidRequest, "period"),
        (InvalidRequest, "period"),
        (InvalidRequest, "date"),
    ]
    assert all(f"not for {year}" in refusal.reason for refusal in refusals)


def test_on_the_last_day_of_a_period_it_is_still_under_way_and_on_the_next_one_over() -> None:
    last_day, day_after = (
        Rulebook(today, RULEBOOK.scope, RULEBOOK.practices, RULEBOOK.places)
        for today in (date(2024, 5, 31), date(2024, 6, 1))
    )

    assert [refusal.field for refusal in refused_count(last_day, period="2024-05")] == ["through"]
    assert refused_count(last_day, period="2024-05", through="2024-05-31") == []
    assert refused_count(day_after, period="2024-05") == []
    assert [refusal.field for refusal in refused_count(day_after, period="2024-06")] == ["through"]


def test_a_period_that_begins_after_the_code_ended_is_refused() -> None:
    accepted = [refused_count(IN_2026, municipality="588", period=text) for text in ("2024", "2024-Q4", "2024-12")]
    refused = [refused_count(IN_2026, municipality="588", period=text) for text in ("2025", "2025-Q1", "2025-01")]
    vanished = refused_count(IN_2026, municipality="996", period="2024-01")

    reason = "the code 588 ended on 2024-12-31; it went into 507"
    assert accepted == [[], [], []]
    assert refused == [[Refusal(InvalidRequest, "period", reason)]] * 3
    assert vanished == [Refusal(InvalidRequest, "period", "the code 996 ended on 2023-12-31")]


def test_every_reason_of_one_count_is_told() -> None:
    refusals = refused_count(municipality="091", practice="none", period="2014", note="131052-308T")

    assert [(refusal.kind, refusal.field) for refusal in refusals] == [
        (NotCovered, "municipality"),
        (InvalidRequest, "practice"),
        (InvalidRequest, "note"),
        (InvalidRequest, "period"),
    ]
    assert refusals[0].reason == "the key does not cover 091 Helsinki"


@pytest.mark.parametrize(
    "fields",
    [
        {"date": "2015"},
        {"date": "2015-01-01"},
        {"date": "2024-05"},
        {"date": "2024-05-15"},
        {"date": "2024-02-29"},
        {"municipality": "588", "date": "2022"},
        {"status": "ended", "note": "Decision of the board"},
    ],
)
def test_a_valid_status_is_not_refused(fields: dict[str, Any]) -> None:
    assert refused_status(**fields) == []


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"date": "2024-05-16"}, "date", "2024-05-16 has not come; today is 2024-05-15"),
        ({"date": "2024-06"}, "date", "2024-06 has not come; today is 2024-05-15"),
        ({"date": "2025"}, "date", "2025 has not come; today is 2024-05-15"),
        ({"municipality": "999"}, "municipality", "there is no municipality 999"),
        ({"practice": "yhdessa"}, "practice", "there is no practice 'yhdessa'"),
        (
            {"note": "131052-308T"},
            "note",
            "holds a personal identity code; leave it out, nobody needs it here",
        ),
    ],
)
def test_an_invalid_status_is_refused_with_field_and_reason(fields: dict[str, Any], field: str, reason: str) -> None:
    assert refused_status(**fields) == [Refusal(InvalidRequest, field, reason)]


def test_a_status_dated_on_no_day_of_the_calendar_is_refused() -> None:
    refusals = [refused_status(date=text) for text in ("2023-02-29", "2022-04-31")]

    assert [[(refusal.kind, refusal.field) for refusal in said] for said in refusals] == [
        [(InvalidRequest, "date")]
    ] * 2


def test_a_status_dated_after_the_code_ended_is_refused() -> None:
    accepted = refused_status(IN_2026, municipality="588", date="2024-12-31")
    refused = [refused_status(IN_2026, municipality="588", date=text) for text in ("2025", "2025-01", "2025-01-01")]

    reason = "the code 588 ended on 2024-12-31; it went into 507"
    assert accepted == []
    assert refused == [[Refusal(InvalidRequest, "date", reason)]] * 3


def refused_together(*rows: tuple[str, str, str]) -> list[list[str]]:
    """Of counts, each a municipality, practice and period: the reasons to refuse them."""
    items = [
        CountIn(municipality=code, practice=practice, period=text, sessions=1, through=through_of(text))
        for code, practice, text in rows
    ]
    return [[refusal.reason for refusal in row.refusals] for row in RULEBOOK.checked_counts(items)]


def through_of(text: str) -> str | None:
    """A `through` that makes the period `text` acceptable on 15 May 2024."""
    asked = period(text)
    return "2024-05-15" if asked.first <= RULEBOOK.today <= asked.last else None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2022", "2022"),
        ("2022", "2022-Q4"),
        ("2022", "2022-01"),
        ("2022", "2022-12"),
        ("2022-Q1", "2022-Q1"),
        ("2022-Q1", "2022-03"),
        ("2022-03", "2022-03"),
    ],
)
def test_nested_periods_in_one_submission_refuse_both_rows_in_either_order(first: str, second: str) -> None:
    for one, other in [(first, second), (second, first)]:
        reasons = refused_together(("297", "kela", one), ("KU297", "kela", other))

        assert reasons == [
            [f"this submission also has {other} in row 1; one day may be counted once"],
            [f"this submission also has {one} in row 0; one day may be counted once"],
        ]


def test_periods_beside_one_another_and_those_of_others_are_not_nested() -> None:
    reasons = refused_together(
        ("297", "kela", "2022-Q1"),
        ("297", "kela", "2022-04"),
        ("297", "kela", "2022-Q3"),
        ("297", "kela", "2021"),
        ("297", "kela", "2023"),
        ("297", "yhdessa-aika", "2022"),
        ("588", "kela", "2022"),
    )

    assert reasons == [[]] * 7


ALL_PERIODS = [
    text
    for year in (2022, 2024)
    for text in (
        str(year),
        *(f"{year}-Q{quarter}" for quarter in range(1, 3)),
        *(f"{year}-{month:02}" for month in range(1, 6)),
    )
]


@settings(derandomize=True, max_examples=200, deadline=None, database=None)
@given(st.lists(st.tuples(st.sampled_from(["297", "588"]), st.just("kela"), st.sampled_from(ALL_PERIODS)), max_size=8))
def test_exactly_the_rows_that_share_a_day_with_another_are_refused(rows: list[tuple[str, str, str]]) -> None:
    reasons = refused_together(*rows)

    sharing = {
        index
        for one, other in combinations(range(len(rows)), 2)
        for index in (one, other)
        if rows[one][0] == rows[other][0] and days(rows[one][2]) & days(rows[other][2])
    }
    assert {index for index, said in enumerate(reasons) if said} == sharing


def days(text: str) -> set[int]:
    """The days of the period `text`, as numbers."""
    asked = period(text)
    return set(range(asked.first.toordinal(), asked.last.toordinal() + 1))


def test_one_day_twice_in_one_submission_is_refused_however_it_is_written() -> None:
    items = [
        StatusIn(municipality=code, practice=practice, date=text, status="pilot")
        for code, practice, text in [
            ("297", "kela", "2022"),
            ("KU297", "kela", "2022-01-01"),
            ("297", "kela", "2022-01-02"),
            ("588", "kela", "2022"),
            ("297", "yhdessa-aika", "2022"),
        ]
    ]

    refusals = [row.refusals for row in RULEBOOK.checked_statuses(items)]

    reason = "this submission has 2022-01-01 of 297 more than once; one status a day"
    assert refusals == [[Refusal(InvalidRequest, "date", reason)]] * 2 + [[]] * 3


def test_what_is_foreign_comes_before_what_is_invalid_before_what_overlaps(app: FastAPI, north_savo: Caller) -> None:
    north_savo.post([count("297", "2022-03", 7), count("140", "2021", 7)])
    overlapping = [count("297", "2022", 30), count("140", "2021-Q1", 1), count("749", "2022-01", 1)]
    invalid = [count("297", "2025", 1), count("999", "2022", 1), count("297", "2014", 1)]
    foreign = [count("091", "2022", 1), count("588", "2030", 1)]
    before = everything(app)

    answers = [
        north_savo.post(
            overlapping + invalid + foreign, [status("297", "2025", "pilot"), status("507", "2022", "pilot")]
        ),
        north_savo.post(overlapping + invalid, [status("297", "2025", "pilot")]),
        north_savo.post(overlapping, [status("297", "2022", "pilot")]),
    ]

    assert [
        (answer.status_code, answer.json()["type"].rpartition(":")[2], places(answer.json())) for answer in answers
    ] == [
        (403, "not-covered", ["/counts/6/municipality", "/counts/7/municipality", "/statuses/1/municipality"]),
        (
            422,
            "invalid-request",
            ["/counts/3/period", "/counts/4/municipality", "/counts/5/period", "/statuses/0/date"],
        ),
        (409, "overlapping", ["/counts/0/period", "/counts/1/period"]),
    ]
    assert [error["row"] for answer in answers for error in answer.json()["errors"]] == [6, 7, 1, 3, 4, 5, 0, 0, 1]
    assert answers[2].json() == {
        "type": "urn:yhdessa:problem:overlapping",
        "title": "The period overlaps what is recorded",
        "status": 409,
        "detail": "2022 shares days with 2022-03 (entry 1); `replace: true` supersedes what is in the way, and 1 more",
        "instance": "/v1/submissions",
        "errors": [
            {
                "pointer": "/counts/0/period",
                "detail": "2022 shares days with 2022-03 (entry 1); `replace: true` supersedes what is in the way",
                "row": 0,
            },
            {
                "pointer": "/counts/1/period",
                "detail": "2021-Q1 shares days with 2021 (entry 2); `replace: true` supersedes what is in the way",
                "row": 1,
            },
        ],
    }
    assert everything(app) == before


def test_who_only_reports_is_not_told_the_figures_that_are_there(
    http: TestClient, north_savo: Caller, new_key: Callable[..., str]
) -> None:
    reporter = Caller(http, new_key("county:13", actions=["report"]))
    north_savo.post([count("297", "2022-03", 7_029)], [status("297", "2021", "in_use")])

    in_the_way = reporter.post([count("297", "2022", 1)], dry_run=True)
    tenfold = reporter.post([count("297", "2022-04", 999_999)], dry_run=True)

    assert in_the_way.status_code == 409
    assert "tenfold_jump" in tenfold.text
    assert "7029" not in in_the_way.text + tenfold.text


def test_everything_in_the_way_is_listed(north_savo: Caller) -> None:
    months = [count("297", f"2022-{month:02}", month) for month in (12, 3, 1)]
    north_savo.post([*months, count("297", "2021-12", 1), count("140", "2022-02", 1)])

    answer = north_savo.post([count("297", "2022", 30, through="2022-06-30")])

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["detail"].startswith(
        "2022 shares days with 2022-01 (entry 3), 2022-03 (entry 2), 2022-12 (entry 1);"
    )


def test_rows_of_the_wrong_shape_are_refused_also_when_invalid_rows_are_skipped(app: FastAPI, kuopio: Caller) -> None:
    wrong = [
        ("sessions", -1),
        ("sessions", 1_000_001),
        ("sessions", 5.0),
        ("sessions", 5.5),
        ("sessions", "5"),
        ("sessions", True),
        ("sessions", None),
        ("municipality", "97"),
        ("municipality", 297),
        ("period", "2022-13"),
        ("period", "2022-Q5"),
        ("period", "2022-03-01"),
        ("period", 2022),
        ("through", "2022"),
        ("replace", 1),
        ("practice", "Yhdessä aika"),
        ("note", 1),
        ("extra", 1),
    ]
    rows = [{**count("297", "2022-04", 7), field: value} for field, value in wrong]
    before = everything(app)

    answer = kuopio.post([*rows, count("297", "2022-03", 7)], skip_invalid=True)

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:yhdessa:problem:invalid-request")
    assert [(error["pointer"], error["row"]) for error in answer.json()["errors"]] == [
        (f"/counts/{row}/{field}", row) for row, (field, _) in enumerate(wrong)
    ]
    assert everything(app) == before


def test_a_status_of_the_wrong_shape_is_refused(kuopio: Caller) -> None:
    good = status("297", "2022", "pilot")

    answer = kuopio.post([], [good, {**good, "status": "used"}, {**good, "date": "2022-3"}, {**good, "sessions": 1}])

    assert answer.status_code == 422
    assert [(error["pointer"], error["row"]) for error in answer.json()["errors"]] == [
        ("/statuses/1/status", 1),
        ("/statuses/2/date", 2),
        ("/statuses/3/sessions", 3),
    ]


def places(problem: dict[str, Sequence[dict[str, str]]]) -> list[str]:
    """The pointers of a problem document."""
    return [error["pointer"] for error in problem["errors"]]
