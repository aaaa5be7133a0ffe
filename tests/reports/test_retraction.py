"""Taking back a whole submission: what it changed is again what it was before, and nothing else changes."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.conftest import Caller, StandingClock, count, status
from tests.reports.stored import everything, stored

COUNTS = "/v1/session-counts/yhdessa-aika"
STATUSES = "/v1/statuses/yhdessa-aika"
# The example of the Digital and Population Data Services Agency: nobody's.
NOBODYS = "131052-308T"


def retract(caller: Caller, number: int, reason: str = "Wrong month", **headers: str) -> Any:
    """Take the submission back."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return caller.http.post(
        f"/v1/submissions/{number}/retraction", json={"reason": reason}, headers={**caller.headers, **named}
    )


def outcomes(answer: Any) -> list[tuple[str, int, str, int | None]]:
    """What became of each row: its list, its place, the outcome and the entry that now holds."""
    assert answer.status_code == 201, answer.text
    return [(row["list"], row["index"], row["outcome"], row["entry"]) for row in answer.json()["rows"]]


def counts(caller: Caller, **query: Any) -> list[tuple[Any, ...]]:
    """What is in force of counts: entry, municipality, period, sessions, last day counted and who reported it."""
    names = ("entry", "municipality", "period", "sessions", "through", "organisation")
    return [tuple(row[name] for name in names) for row in caller.get("/v1/session-counts", **query).json()["rows"]]


def statuses(caller: Caller, **query: Any) -> list[tuple[Any, ...]]:
    """What is in force of statuses: entry, municipality, day, how precise it is, and the status."""
    names = ("entry", "municipality", "date", "date_precision", "status")
    return [tuple(row[name] for name in names) for row in caller.get("/v1/statuses", **query).json()["rows"]]


def test_what_a_submission_created_is_gone(clock: StandingClock, kuopio: Caller) -> None:
    posted = kuopio.post(
        [count("297", "2022-03", 7), count("297", "2022-04", 8)], [status("297", "2022", "pilot")]
    ).json()
    clock.advance(hours=1)

    answer = retract(kuopio, 1)

    row: dict[str, Any] = {"superseded": [], "warnings": [], "errors": []}
    assert answer.status_code == 201
    assert answer.headers["location"] == "/v1/submissions/2"
    assert answer.json() == {
        "id": 2,
        "received_at": "2024-05-15T10:00:00.000000Z",
        "organisation": "Kuopio",
        "retracts": 1,
        **{"created": 0, "corrected": 0, "unchanged": 0, "retracted": 3, "rejected": 0},
        "rows": [
            {"list": "counts", "index": 0, "outcome": "retracted", "entry": 3, **row},
            {"list": "counts", "index": 1, "outcome": "retracted", "entry": 4, **row},
            {"list": "statuses", "index": 0, "outcome": "retracted", "entry": 2, **row},
        ],
        "previous_hash": posted["hash"],
        "hash": answer.json()["hash"],
    }
    assert kuopio.get("/v1/submissions/2").json() == answer.json()
    assert (counts(kuopio), statuses(kuopio)) == ([], [])
    assert kuopio.get(f"{COUNTS}/297/2022-03").status_code == 404
    assert kuopio.get(f"{STATUSES}/297/2022").status_code == 404


def test_what_it_corrected_is_again_the_figure_of_whoever_had_reported_it(kuopio: Caller, north_savo: Caller) -> None:
    kuopio.post([count("297", "2022-03", 7, through="2022-03-15")], [status("297", "2022", "pilot")])
    north_savo.post([count("297", "2022-03", 70)], [status("297", "2022-01", "in_use")])

    answer = retract(north_savo, 2)

    assert outcomes(answer) == [("counts", 0, "corrected", 3), ("statuses", 0, "corrected", 3)]
    assert answer.json()["organisation"] == "North Savo"
    assert counts(kuopio) == [(3, "297", "2022-03", 7, "2022-03-15", "Kuopio")]
    assert statuses(kuopio) == [(3, "297", "2022-01-01", "year", "pilot")]


def test_months_that_it_superseded_hold_again_in_the_name_of_whoever_had_reported_them(
    kuopio: Caller, north_savo: Caller
) -> None:
    kuopio.post([count("297", "2022-01", 1), count("297", "2022-02", 2, through="2022-02-10")])
    north_savo.post([count("297", "2022-03", 3)])
    north_savo.post([count("297", "2022", 99, replace=True), count("140", "2022", 5)])

    answer = retract(north_savo, 3)

    assert outcomes(answer) == [
        ("counts", 0, "created", 9),
        ("counts", 1, "created", 10),
        ("counts", 2, "created", 11),
        ("counts", 3, "retracted", 12),
        ("counts", 4, "retracted", 13),
    ]
    assert counts(north_savo) == [
        (9, "297", "2022-01", 1, None, "Kuopio"),
        (10, "297", "2022-02", 2, "2022-02-10", "Kuopio"),
        (11, "297", "2022-03", 3, None, "North Savo"),
    ]


def test_a_year_that_its_months_superseded_holds_again(kuopio: Caller) -> None:
    kuopio.post([count("297", "2022", 41)])
    kuopio.post([count("297", "2022-01", 1, replace=True), count("297", "2022-02", 2, replace=True)])

    answer = retract(kuopio, 2)

    assert [row[2] for row in outcomes(answer)] == ["created", "retracted", "retracted"]
    assert counts(kuopio) == [(5, "297", "2022", 41, None, "Kuopio")]


def test_a_single_figure_that_was_withdrawn_holds_again(kuopio: Caller, north_savo: Caller) -> None:
    kuopio.post([count("297", "2022-03", 7, through="2022-03-15")], [status("297", "2022-02", "pilot")])
    withdrawn = [
        north_savo.delete(f"{COUNTS}/297/2022-03", reason="Not ours").json()["id"],
        north_savo.delete(f"{STATUSES}/297/2022-02", reason="Not ours").json()["id"],
    ]

    answers = [retract(north_savo, number) for number in withdrawn]

    assert [outcomes(answer) for answer in answers] == [
        [("counts", 0, "created", 3)],
        [("statuses", 0, "created", 3)],
    ]
    assert counts(kuopio) == [(3, "297", "2022-03", 7, "2022-03-15", "Kuopio")]
    assert statuses(kuopio) == [(3, "297", "2022-02-01", "month", "pilot")]


def test_a_figure_that_was_changed_or_withdrawn_since_stays_as_it_is(kuopio: Caller, north_savo: Caller) -> None:
    kuopio.post(
        [count("297", f"2022-0{month}", 7) for month in (1, 2, 3)],
        [status("297", "2022", "pilot"), status("297", "2023", "in_use")],
    )
    north_savo.put(f"{COUNTS}/297/2022-01", {"sessions": 8})
    north_savo.delete(f"{COUNTS}/297/2022-02", reason="Not ours")
    kuopio.put(f"{STATUSES}/297/2022", {"status": "planned"})

    answer = retract(kuopio, 1)

    assert outcomes(answer) == [
        ("counts", 0, "unchanged", 4),
        ("counts", 1, "unchanged", None),
        ("counts", 2, "retracted", 6),
        ("statuses", 0, "unchanged", 3),
        ("statuses", 1, "retracted", 4),
    ]
    assert (answer.json()["unchanged"], answer.json()["retracted"]) == (3, 2)
    assert counts(kuopio) == [(4, "297", "2022-01", 8, None, "North Savo")]
    assert statuses(kuopio) == [(3, "297", "2022-01-01", "year", "planned")]


def test_wrong_posts_can_be_taken_back_one_after_the_other_the_latest_first(kuopio: Caller, north_savo: Caller) -> None:
    kuopio.post([count("297", "2022-01", 1)], [status("297", "2022", "planned")])
    kuopio.post([count("297", "2022-01", 2), count("297", "2022-02", 2)], [status("297", "2022", "pilot")])
    north_savo.post([count("297", "2022", 99, replace=True)], [status("297", "2022", "in_use")])
    kuopio.post([count("297", "2022-03", 3, replace=True)], [status("297", "2022", "paused")])

    answers = [retract(caller, number) for caller, number in ((kuopio, 4), (north_savo, 3), (kuopio, 2))]

    assert [[row[2] for row in outcomes(answer)] for answer in answers] == [
        ["created", "retracted", "corrected"],
        ["created", "created", "retracted", "corrected"],
        ["corrected", "retracted", "corrected"],
    ]
    assert [row[1:] for row in counts(kuopio)] == [("297", "2022-01", 1, None, "Kuopio")]
    assert [row[4] for row in statuses(kuopio)] == ["planned"]


def test_a_post_can_be_taken_back_again_after_its_retraction_was_taken_back(kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-03", 7)])
    retract(kuopio, 1)
    retract(kuopio, 2)

    again = retract(kuopio, 1)

    assert [row[2] for row in outcomes(again)] == ["retracted"]
    assert counts(kuopio) == []


def test_who_posts_the_same_figure_anew_after_a_change_stands_by_it(kuopio: Caller) -> None:
    for sessions in (7, 8, 7):
        kuopio.post([count("297", "2022-03", sessions)])

    answer = retract(kuopio, 1)

    assert answer.status_code == 409
    assert [row[3] for row in counts(kuopio)] == [7]


def test_a_figure_that_somebody_posted_again_unchanged_goes_all_the_same(kuopio: Caller, north_savo: Caller) -> None:
    kuopio.post([count("297", "2022-03", 7)])
    north_savo.post([count("297", "2022-03", 7)])

    answer = retract(kuopio, 1)

    assert outcomes(answer) == [("counts", 0, "retracted", 2)]
    assert counts(kuopio) == []


def test_of_what_it_superseded_the_month_that_nobody_posted_since_holds_again(kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-01", 1), count("297", "2022-02", 2)])
    kuopio.post([count("297", "2022", 99, replace=True)])
    kuopio.post([count("297", "2022-01", 10, replace=True)])

    answer = retract(kuopio, 2)

    assert [row[2] for row in outcomes(answer)] == ["unchanged", "created", "unchanged"]
    assert [row[2:4] for row in counts(kuopio)] == [("2022-01", 10), ("2022-02", 2)]


def test_other_practices_municipalities_and_periods_are_left_alone(kuopio: Caller, north_savo: Caller) -> None:
    north_savo.post(
        [count("297", "2021", 1), count("140", "2022", 2), count("297", "2023-01", 3)], [status("140", "2022", "pilot")]
    )
    kuopio.post([count("297", "2022", 9)], [status("297", "2022", "in_use")])
    kuopio.post([count("297", "2022", 10), count("297", "2023-02", 4)])

    retract(kuopio, 3)

    assert [row[1:4] for row in counts(north_savo)] == [
        ("140", "2022", 2),
        ("297", "2021", 1),
        ("297", "2022", 9),
        ("297", "2023-01", 3),
    ]
    assert [(row[1], row[4]) for row in statuses(north_savo)] == [("140", "pilot"), ("297", "in_use")]


def test_where_nothing_is_as_the_submission_left_it_there_is_nothing_to_retract(app: FastAPI, kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-03", 7)], [status("297", "2022", "pilot")])
    kuopio.post([count("297", "2022-03", 7)], [status("297", "2022", "pilot")])
    kuopio.put(f"{COUNTS}/297/2022-03", {"sessions": 8})
    kuopio.delete(f"{STATUSES}/297/2022", reason="Not yet")
    before = everything(app)

    answers = [retract(kuopio, number) for number in (1, 2)]

    assert [answer.json() for answer in answers] == [
        {
            "type": "urn:yhdessa:problem:nothing-to-retract",
            "title": "There is nothing left to retract",
            "status": 409,
            "detail": f"none of the {figures} figures that submission {number} changed is as it left it",
            "instance": f"/v1/submissions/{number}/retraction",
        }
        for number, figures in ((1, 2), (2, 0))
    ]
    assert everything(app) == before


def test_a_submission_is_taken_back_once(kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-03", 7)])

    answers = [retract(kuopio, 1) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 409]


def test_a_month_that_would_hold_beside_a_year_that_was_changed_since_is_refused(
    app: FastAPI, kuopio: Caller, north_savo: Caller
) -> None:
    kuopio.post([count("297", "2022-01", 1), count("297", "2022-02", 2)])
    kuopio.post([count("297", "2022", 40, replace=True), count("297", "2023", 5)])
    north_savo.put(f"{COUNTS}/297/2022", {"sessions": 41})
    before = everything(app)

    answer = retract(kuopio, 2)

    details = [f"2022-0{month} of 297 would hold again beside 2022 (entry 7)" for month in (1, 2)]
    assert answer.json() == {
        "type": "urn:yhdessa:problem:overlapping",
        "title": "The period overlaps what is recorded",
        "status": 409,
        "detail": f"{details[0]}; retract that one first",
        "instance": "/v1/submissions/2/retraction",
        "errors": [{"parameter": "id", "detail": detail} for detail in details],
    }
    assert everything(app) == before


def test_the_refused_retraction_works_once_what_is_in_the_way_is_retracted(kuopio: Caller, north_savo: Caller) -> None:
    kuopio.post([count("297", "2022-01", 1)])
    kuopio.delete(f"{COUNTS}/297/2022-01", reason="Not ours")
    north_savo.post([count("297", "2022", 41)])
    refused = retract(kuopio, 2)
    retract(north_savo, 3)

    answer = retract(kuopio, 2)

    assert refused.status_code == 409
    assert outcomes(answer) == [("counts", 0, "created", 5)]
    assert [row[2:4] for row in counts(kuopio)] == [("2022-01", 1)]


def test_figures_of_other_municipalities_and_practices_are_in_nobodys_way(kuopio: Caller, north_savo: Caller) -> None:
    kuopio.post([count("297", "2022-01", 1)])
    kuopio.delete(f"{COUNTS}/297/2022-01", reason="Not ours")
    north_savo.post([count("140", "2022", 41), count("297", "2021", 8), count("297", "2022-02", 2)])

    assert outcomes(retract(kuopio, 2)) == [("counts", 0, "created", 6)]


def test_a_submission_of_another_organisation_is_not_found(
    app: FastAPI, http: TestClient, kuopio: Caller, nation: Caller, anyone: Caller, new_key: Callable[..., str]
) -> None:
    kuopio.post([count("297", "2022-03", 7)])
    colleague = Caller(http, new_key("municipality:297", actions=["report"], organisation="Kuopio"))
    before = everything(app)

    answers = [retract(caller, number) for caller, number in ((nation, 1), (kuopio, 2), (anyone, 1))]
    unchanged = everything(app)
    by_colleague = retract(colleague, 1)

    assert [answer.status_code for answer in answers] == [404, 404, 401]
    assert answers[0].json()["detail"] == "your organisation has no submission 1"
    assert unchanged == before
    assert by_colleague.status_code == 201


def test_a_key_that_does_not_report_or_cover_every_figure_is_refused(
    app: FastAPI, http: TestClient, north_savo: Caller, new_key: Callable[..., str]
) -> None:
    north_savo.post([count("297", "2022-03", 7), count("140", "2022-03", 1)], [status("749", "2022", "pilot")])
    reader = Caller(http, new_key("county:13", actions=["read"], organisation="North Savo"))
    narrow = Caller(http, new_key("municipality:297", organisation="North Savo"))
    before = everything(app)

    answers = [retract(caller, 1) for caller in (reader, narrow)]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].json()["type"] == "urn:yhdessa:problem:not-allowed"
    assert answers[1].json() == {
        "type": "urn:yhdessa:problem:not-covered",
        "title": "The key does not cover this area",
        "status": 403,
        "detail": "the key does not cover 140 Iisalmi",
        "instance": "/v1/submissions/1/retraction",
        "errors": [
            {"parameter": "id", "detail": "the key does not cover 140 Iisalmi"},
            {"parameter": "id", "detail": "the key does not cover 749 Siilinjärvi"},
        ],
    }
    assert everything(app) == before


def test_refusals_come_in_the_order_404_403_422_409(
    http: TestClient, north_savo: Caller, new_key: Callable[..., str]
) -> None:
    north_savo.post([count("140", "2022-03", 1)])
    north_savo.put(f"{COUNTS}/140/2022-03", {"sessions": 2})
    narrow = Caller(http, new_key("municipality:297", organisation="North Savo"))
    stranger = Caller(http, new_key("municipality:297", organisation="Stranger"))

    answers = [retract(caller, 1, f"asked by {NOBODYS}") for caller in (stranger, narrow, north_savo)]
    last = retract(north_savo, 1)

    assert [answer.status_code for answer in (*answers, last)] == [404, 403, 422, 409]
    assert answers[2].json()["errors"] == [
        {"pointer": "/reason", "detail": "holds a personal identity code; leave it out, nobody needs it here"}
    ]
    assert NOBODYS not in answers[2].text


@pytest.mark.parametrize(
    "body",
    [{}, {"reason": ""}, {"reason": "ä" * 501}, {"reason": None}, {"reason": 7}, {"reason": "a\0b"}, []],
    ids=repr,
)
def test_a_reason_of_1_to_500_characters_is_needed(kuopio: Caller, body: Any) -> None:
    kuopio.post([count("297", "2022-03", 7)])

    answer = kuopio.http.post("/v1/submissions/1/retraction", json=body, headers=kuopio.headers)

    assert answer.status_code == 422
    assert len(counts(kuopio)) == 1


def test_unknown_fields_and_numbers_that_no_receipt_has_are_refused(kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-03", 7)])
    body = {"reason": "n", "dry_run": True}

    answers = [retract(kuopio, number) for number in (0, -1, 2**31, 2**63, 2**31 - 1)]
    unknown = kuopio.http.post("/v1/submissions/1/retraction", json=body, headers=kuopio.headers)

    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 404]
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/dry_run")


def test_a_retraction_is_a_submission_that_can_be_taken_back_too(kuopio: Caller, north_savo: Caller) -> None:
    kuopio.post([count("297", "2022-01", 1), count("297", "2022-02", 2)], [status("297", "2022", "pilot")])
    north_savo.post([count("297", "2022", 99, replace=True)], [status("297", "2022", "in_use")])
    wrong = [row[1:] for row in counts(kuopio)], [row[1:] for row in statuses(kuopio)]
    retract(north_savo, 2)
    right = [row[1:] for row in counts(kuopio)], [row[1:] for row in statuses(kuopio)]

    again_wrong = retract(north_savo, 3)
    as_wrong = [row[1:] for row in counts(kuopio)], [row[1:] for row in statuses(kuopio)]
    again_right = retract(north_savo, 4)
    as_right = [row[1:] for row in counts(kuopio)], [row[1:] for row in statuses(kuopio)]

    assert (again_wrong.json()["retracts"], again_right.json()["retracts"]) == (3, 4)
    assert [row[2] for row in outcomes(again_wrong)] == ["retracted", "retracted", "created", "corrected"]
    assert [row[2] for row in outcomes(again_right)] == ["created", "created", "retracted", "corrected"]
    assert (as_wrong, as_right) == (wrong, right)


def test_a_reading_as_of_before_is_what_it_was(clock: StandingClock, kuopio: Caller, north_savo: Caller) -> None:
    kuopio.post([count("297", "2022-01", 1)], [status("297", "2022", "pilot")])
    clock.advance(days=1)
    north_savo.post([count("297", "2022", 99, replace=True)], [status("297", "2022", "in_use")])
    clock.advance(days=1)
    days = ("2024-05-15", "2024-05-16")
    paths = ("/v1/session-counts", "/v1/statuses", "/v1/trends", f"{COUNTS}/297/2022-01/history")
    before = [kuopio.get(path, as_of=day).content for path in paths for day in days]

    retract(north_savo, 2)

    assert [kuopio.get(path, as_of=day).content for path in paths for day in days] == before
    assert [row[2:4] for row in counts(kuopio, as_of="2024-05-16")] == [("2022", 99)]
    assert [row[2:4] for row in counts(kuopio)] == [("2022-01", 1)]


def test_the_trend_is_again_what_it_was_before_the_wrong_post(nation: Caller) -> None:
    months = [count("297", f"2023-{month:02}", month) for month in range(1, 13)]
    nation.post(
        [*months, count("297", "2022", 80), count("140", "2022", 7), count("091", "2023", 11)],
        [status("297", "2021-05-10", "pilot"), status("140", "2022", "in_use"), status("091", "2022-03", "in_use")],
    )
    questions: list[dict[str, Any]] = [{}, {"by": "county"}, {"by": "municipality"}, {"county": "13"}]
    before = [nation.get("/v1/trends", **question).json() for question in questions]
    nation.post(
        [count("297", "2023", 999, replace=True), count("140", "2022", 8), count("740", "2024-03", 3)],
        [status("297", "2021-05-10", "planned"), status("740", "2024-01-15", "pilot")],
    )
    wrong = [nation.get("/v1/trends", **question).json() for question in questions]

    retract(nation, 2)

    assert [nation.get("/v1/trends", **question).json() for question in questions] == before
    assert all(one != other for one, other in zip(wrong, before, strict=True))


def test_a_retry_with_its_idempotency_key_is_replayed(app: FastAPI, kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-03", 7)])
    kuopio.post([count("297", "2022-04", 7)])
    first = retract(kuopio, 1, Idempotency_Key="wrong-month")

    again = retract(kuopio, 1, Idempotency_Key="wrong-month")
    other = retract(kuopio, 2, Idempotency_Key="wrong-month")

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"] == "/v1/submissions/3"
    assert other.json()["type"] == "urn:yhdessa:problem:idempotency-key-reused"
    assert [receipt["retracts"] for receipt in stored(app, "submissions")] == [None, None, 1]


def test_the_history_tells_the_reason_to_key_holders_alone(
    app: FastAPI, anyone: Caller, kuopio: Caller, north_savo: Caller
) -> None:
    kuopio.post([count("297", "2022-03", 7, note="first")], [status("297", "2022", "pilot", note="first")])
    north_savo.post([count("297", "2022-03", 8, note="second")], [status("297", "2022", "in_use")])
    retract(north_savo, 2, "Not ours")

    histories = [
        kuopio.get(f"{path}/history").json()["rows"] for path in (f"{COUNTS}/297/2022-03", f"{STATUSES}/297/2022")
    ]
    public = anyone.get(f"{STATUSES}/297/2022/history")

    columns = ("outcome", "submission", "organisation", "note")
    assert [[tuple(row[name] for name in columns) for row in rows] for rows in histories] == [
        [
            ("created", 1, "Kuopio", "first"),
            ("corrected", 2, "North Savo", second),
            ("corrected", 3, "Kuopio", "Not ours"),
        ]
        for second in ("second", None)
    ]
    assert [row["note"] for row in public.json()["rows"]] == [None] * 3
    assert "Not ours" not in repr(stored(app, "submissions")) + repr(stored(app, "count_entries"))


def test_a_merged_municipality_whose_code_has_ended_can_be_taken_back(clock: StandingClock, nation: Caller) -> None:
    clock.advance(days=300)
    nation.post([count("588", "2023", 4)], [status("588", "2023", "pilot")])

    answer = retract(nation, 1)

    assert [row[2] for row in outcomes(answer)] == ["retracted", "retracted"]
