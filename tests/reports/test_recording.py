"""From what was sent to what is recorded: outcomes row by row, all or nothing, corrections and withdrawals."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.conftest import Caller, StandingClock, count, status
from tests.reports.stored import everything, stored

COUNTS = "/v1/session-counts/yhdessa-aika"
STATUSES = "/v1/statuses/yhdessa-aika"


def outcomes(answer: Any) -> list[str]:
    """What became of each row."""
    return [row["outcome"] for row in answer.json()["rows"]]


def in_force(caller: Caller, **query: Any) -> list[tuple[str, str, int]]:
    """The municipality, period and sessions of every count in force."""
    rows = caller.get("/v1/session-counts", **query).json()["rows"]
    return [(row["municipality"], row["period"], row["sessions"]) for row in rows]


def test_the_receipt_says_what_became_of_each_row(clock: StandingClock, kuopio: Caller) -> None:
    clock.advance(minutes=1)

    answer = kuopio.post(
        [count("KU297", "2024-03", 7), count("297", "2024-04", 0, practice="yhdessa-aika")],
        [status("297", "2023-12", "pilot", note="Decision of the board")],
    )

    receipt = answer.json()
    row: dict[str, Any] = {"superseded": [], "warnings": [], "errors": []}
    assert (answer.status_code, answer.headers["location"]) == (201, "/v1/submissions/1")
    assert receipt == {
        "id": 1,
        "received_at": "2024-05-15T09:01:00.000000Z",
        "organisation": "Kuopio",
        "retracts": None,
        "created": 3,
        "corrected": 0,
        "unchanged": 0,
        "retracted": 0,
        "rejected": 0,
        "rows": [
            {"list": "counts", "index": 0, "outcome": "created", "entry": 1, **row},
            {"list": "counts", "index": 1, "outcome": "created", "entry": 2, **row},
            {"list": "statuses", "index": 0, "outcome": "created", "entry": 1, **row}
            | {"warnings": receipt["rows"][2]["warnings"]},
        ],
        "previous_hash": "0" * 64,
        "hash": receipt["hash"],
    }


def test_a_count_is_created_then_unchanged_then_corrected(app: FastAPI, kuopio: Caller) -> None:
    answers = [kuopio.post([count("297", "2022-03", sessions)]) for sessions in (7, 7, 8, 7)]

    assert [outcomes(answer) for answer in answers] == [["created"], ["unchanged"], ["corrected"], ["corrected"]]
    assert [answer.json()["rows"][0]["entry"] for answer in answers] == [1, 1, 2, 3]
    assert [answer.status_code for answer in answers] == [201] * 4
    assert [(entry["outcome"], entry["sessions"]) for entry in stored(app, "count_entries")] == [
        ("created", 7),
        ("corrected", 8),
        ("corrected", 7),
    ]


def test_unchanged_means_the_same_sessions_and_the_same_last_day_counted(kuopio: Caller) -> None:
    whole = [{}, {"through": "2023-12-31"}, {"through": "2023-12-30"}, {"through": "2023-12-30"}, {}]
    under_way = ["2024-03-31", "2024-03-31", "2024-04-30"]

    over = [kuopio.post([count("297", "2023", 23, **more)]) for more in whole]
    not_over = [kuopio.post([count("297", "2024", 5, through=day)]) for day in under_way]

    assert [outcomes(answer)[0] for answer in over] == ["created", "unchanged", "corrected", "unchanged", "corrected"]
    assert [outcomes(answer)[0] for answer in not_over] == ["created", "unchanged", "corrected"]
    throughs = [row["through"] for row in kuopio.get(f"{COUNTS}/297/2023/history").json()["rows"]]
    assert throughs == [None, "2023-12-30", None]


def test_a_status_is_created_then_unchanged_then_corrected_and_confirmed_on_a_later_day(kuopio: Caller) -> None:
    posts = [
        ("2022", "pilot"),
        ("2022", "pilot"),
        ("2022-01-01", "pilot"),
        ("2022-01", "in_use"),
        ("2022-06-15", "in_use"),
    ]

    answers = [kuopio.post([], [status("297", date, name)]) for date, name in posts]

    assert [outcomes(answer)[0] for answer in answers] == ["created", "unchanged", "unchanged", "corrected", "created"]
    listed = kuopio.get("/v1/statuses").json()["rows"]
    assert [(row["date"], row["date_precision"], row["status"]) for row in listed] == [
        ("2022-01-01", "month", "in_use"),
        ("2022-06-15", "day", "in_use"),
    ]


def test_zero_is_a_count_and_not_reported_is_none(kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-03", 0)])

    zero, missing = kuopio.get(f"{COUNTS}/297/2022-03"), kuopio.get(f"{COUNTS}/297/2022-04")

    assert (zero.status_code, zero.json()["sessions"]) == (200, 0)
    assert missing.status_code == 404


def test_practices_municipalities_and_periods_are_separate_figures(north_savo: Caller) -> None:
    first = [count("297", "2022-03", 7), count("140", "2022-03", 7), count("297", "2022-04", 7)]
    north_savo.post(first, [status("297", "2022", "pilot"), status("140", "2022", "pilot")])

    answer = north_savo.post(
        [count("297", "2022-03", 8), count("749", "2022-03", 7), *first[1:]],
        [status("297", "2022", "in_use"), status("297", "2022-02", "pilot"), status("140", "2022", "pilot")],
    )

    assert outcomes(answer) == ["corrected", "created", "unchanged", "unchanged", "corrected", "created", "unchanged"]
    assert [answer.json()[name] for name in ("created", "corrected", "unchanged", "rejected")] == [2, 2, 3, 0]
    assert in_force(north_savo) == [
        ("140", "2022-03", 7),
        ("297", "2022-03", 8),
        ("297", "2022-04", 7),
        ("749", "2022-03", 7),
    ]


def test_replace_supersedes_the_months_inside_a_year_and_keeps_their_history(kuopio: Caller) -> None:
    kuopio.post([count("297", f"2022-0{month}", month) for month in (1, 2, 3)] + [count("297", "2021-12", 9)])

    answer = kuopio.post([count("297", "2022", 41, replace=True)])

    row = answer.json()["rows"][0]
    assert (row["outcome"], row["superseded"], row["entry"]) == ("created", [1, 2, 3], 8)
    assert in_force(kuopio) == [("297", "2021-12", 9), ("297", "2022", 41)]
    assert kuopio.get(f"{COUNTS}/297/2022-02").status_code == 404
    history = kuopio.get(f"{COUNTS}/297/2022-02/history").json()["rows"]
    assert [(one["entry"], one["outcome"], one["sessions"], one["submission"]) for one in history] == [
        (2, "created", 2, 1),
        (6, "superseded", None, 2),
    ]


def test_replace_supersedes_the_year_around_a_month(kuopio: Caller) -> None:
    kuopio.post([count("297", "2022", 41)])

    answer = kuopio.post([count("297", "2022-03", 4, replace=True)])

    assert answer.json()["rows"][0]["superseded"] == [1]
    assert in_force(kuopio) == [("297", "2022-03", 4)]


def test_the_quarters_of_a_year_take_its_place_together(app: FastAPI, kuopio: Caller) -> None:
    kuopio.post([count("297", "2022", 40)])

    answer = kuopio.post([count("297", f"2022-Q{quarter}", 10, replace=True) for quarter in (1, 2, 3, 4)])

    assert [(row["outcome"], row["superseded"]) for row in answer.json()["rows"]] == [("created", [1])] * 4
    assert in_force(kuopio) == [("297", f"2022-Q{quarter}", 10) for quarter in (1, 2, 3, 4)]
    assert [(entry["period"], entry["outcome"]) for entry in stored(app, "count_entries")] == [
        ("2022", "created"),
        ("2022", "superseded"),
        ("2022-Q1", "created"),
        ("2022-Q2", "created"),
        ("2022-Q3", "created"),
        ("2022-Q4", "created"),
    ]


def test_replace_is_asked_of_each_row_that_overlaps(kuopio: Caller) -> None:
    kuopio.post([count("297", "2022", 40)])
    quarters = [count("297", "2022-Q1", 10, replace=True), count("297", "2022-Q2", 10)]

    refused, skipping = kuopio.post(quarters), kuopio.post(quarters, skip_invalid=True)

    assert (refused.status_code, [error["row"] for error in refused.json()["errors"]]) == (409, [1])
    assert outcomes(skipping) == ["created", "rejected"]
    assert in_force(kuopio) == [("297", "2022-Q1", 10)]


def test_replace_without_anything_in_the_way_changes_nothing_about_a_row(kuopio: Caller) -> None:
    answers = [kuopio.post([count("297", "2022-03", sessions, replace=True)]) for sessions in (7, 7, 8)]

    assert [answer.json()["rows"][0]["outcome"] for answer in answers] == ["created", "unchanged", "corrected"]
    assert [answer.json()["rows"][0]["superseded"] for answer in answers] == [[], [], []]


def test_periods_overlap_whatever_their_last_day_counted(kuopio: Caller) -> None:
    kuopio.post([count("297", "2022", 3, through="2022-01-31"), count("297", "2023-12", 3)])

    answer = kuopio.post([count("297", "2022-12", 1), count("297", "2023", 1, through="2023-01-31")])

    assert answer.status_code == 409
    assert [error["row"] for error in answer.json()["errors"]] == [0, 1]


def test_what_a_year_superseded_stays_gone_when_the_year_is_retracted(kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-03", 7)])
    kuopio.post([count("297", "2022", 41, replace=True)])

    kuopio.delete(f"{COUNTS}/297/2022", reason="Wrong year")

    assert in_force(kuopio) == []
    assert outcomes(kuopio.post([count("297", "2022-03", 7)])) == ["created"]


def test_one_bad_row_keeps_every_row_out(app: FastAPI, north_savo: Caller) -> None:
    north_savo.post([count("140", "2022-03", 1, note="first")])
    before = everything(app)
    good = [count("297", "2022-03", 7, note="good"), count("749", "2022-03", 2)]
    statuses = [status("297", "2022", "pilot", note="good")]

    answers = [
        north_savo.post([*good, count("297", "2030", 1)], statuses),
        north_savo.post([count("091", "2022-03", 1), *good], statuses),
        north_savo.post([*good, count("140", "2022", 9)], statuses),
        north_savo.post(good, [*statuses, status("297", "2030", "pilot")]),
    ]

    assert [answer.status_code for answer in answers] == [422, 403, 409, 422]
    assert everything(app) == before


def test_skip_invalid_records_the_good_rows_and_says_why_not_the_others(north_savo: Caller) -> None:
    north_savo.post([count("140", "2022-03", 1), count("204", "2022-03", 1)])

    answer = north_savo.post(
        [
            count("091", "2022-03", 1),
            count("297", "2022-03", 7),
            count("297", "2030", 1, note="131052-308T"),
            count("140", "2022", 9),
            count("204", "2022-03", 1),
            count("749", "2022-04", 1),
            count("749", "2022-Q2", 1),
        ],
        [status("297", "2022", "pilot"), status("999", "2022", "pilot")],
        skip_invalid=True,
    )

    receipt = answer.json()
    assert answer.status_code == 201
    assert outcomes(answer) == [
        "rejected",
        "created",
        "rejected",
        "rejected",
        "unchanged",
        "rejected",
        "rejected",
        "created",
        "rejected",
    ]
    assert [receipt[name] for name in ("created", "corrected", "unchanged", "retracted", "rejected")] == [2, 0, 1, 0, 6]
    assert [[error["pointer"] for error in row["errors"]] for row in receipt["rows"]] == [
        ["/counts/0/municipality"],
        [],
        ["/counts/2/note", "/counts/2/period"],
        ["/counts/3/period"],
        [],
        ["/counts/5/period"],
        ["/counts/6/period"],
        [],
        ["/statuses/1/municipality"],
    ]
    assert [row["entry"] for row in receipt["rows"]] == [None, 3, None, None, 2, None, None, 1, None]
    assert in_force(north_savo) == [("140", "2022-03", 1), ("204", "2022-03", 1), ("297", "2022-03", 7)]


def test_if_nothing_remains_to_record_the_first_kind_of_problem_is_the_answer(app: FastAPI, north_savo: Caller) -> None:
    north_savo.post([count("140", "2022-03", 1)])
    before = everything(app)
    foreign, invalid, overlapping = count("091", "2022", 1), count("297", "2030", 1), count("140", "2022", 9)

    answers = [
        north_savo.post(rows, skip_invalid=True)
        for rows in ([overlapping, invalid, foreign], [overlapping, invalid], [overlapping])
    ]

    assert [answer.status_code for answer in answers] == [403, 422, 409]
    assert [[error["row"] for error in answer.json()["errors"]] for answer in answers] == [[2], [1], [0]]
    assert everything(app) == before


def test_a_submission_without_rows_is_refused(app: FastAPI, kuopio: Caller) -> None:
    before = everything(app)

    answers = [kuopio.post(), kuopio.post(skip_invalid=True), kuopio.post(dry_run=True)]

    assert [answer.status_code for answer in answers] == [422] * 3
    assert "nothing to record" in answers[0].json()["detail"]
    assert everything(app) == before


def test_a_dry_run_says_what_would_happen_and_stores_nothing(app: FastAPI, north_savo: Caller) -> None:
    north_savo.post([count("297", "2022-01", 1), count("140", "2022-01", 1), count("749", "2022-01", 1)])
    before = everything(app)
    rows = [
        count("297", "2022", 9, replace=True, note="as agreed"),
        count("140", "2022-01", 1),
        count("749", "2022-01", 2),
        count("091", "2022", 1),
    ]
    statuses = [status("297", "2022", "pilot", note="as agreed")]

    dry = north_savo.post(rows, statuses, skip_invalid=True, dry_run=True)
    after = everything(app)
    wet = north_savo.post(rows, statuses, skip_invalid=True)

    assert (dry.status_code, wet.status_code) == (200, 201)
    assert "location" not in dry.headers
    assert after == before
    assert [dry.json()[name] for name in ("id", "hash", "previous_hash")] == [None] * 3
    assert [row["entry"] for row in dry.json()["rows"]] == [None, 2, None, None, None]
    told = [{**row, "entry": None} for row in dry.json()["rows"]]
    assert told == [{**row, "entry": None} for row in wet.json()["rows"]]
    assert outcomes(wet) == ["created", "unchanged", "corrected", "rejected", "created"]
    assert wet.json()["rows"][0]["superseded"] == [1]


def test_a_dry_run_is_refused_as_the_post_would_be(app: FastAPI, north_savo: Caller) -> None:
    north_savo.post([count("140", "2022-03", 1)])
    before = everything(app)
    posts = [[count("091", "2022", 1)], [count("297", "2030", 1)], [count("140", "2022", 9)]]

    dry = [north_savo.post(rows, dry_run=True) for rows in posts]

    assert [answer.json() for answer in dry] == [north_savo.post(rows).json() for rows in posts]
    assert [answer.status_code for answer in dry] == [403, 422, 409]
    assert everything(app) == before


def test_a_key_reports_for_its_areas_and_no_other(
    http: TestClient, kuopio: Caller, north_savo: Caller, nation: Caller, new_key: Callable[..., str]
) -> None:
    two_areas = Caller(http, new_key("county:12", "municipality:297"))
    places = ("297", "140", "507", "091", "035")

    reached = {
        name: [caller.post([count(code, "2022", 1)], dry_run=True).status_code for code in places]
        for name, caller in [("kuopio", kuopio), ("county", north_savo), ("two", two_areas), ("nation", nation)]
    }

    assert reached == {
        "kuopio": [200, 403, 403, 403, 403],
        "county": [200, 200, 403, 403, 403],
        "two": [200, 403, 200, 403, 403],
        "nation": [200, 200, 200, 200, 200],
    }


def test_a_key_that_only_reads_and_one_that_is_missing_report_nothing(
    app: FastAPI, http: TestClient, anyone: Caller, new_key: Callable[..., str]
) -> None:
    reader = Caller(http, new_key("municipality:297", actions=["read"]))
    before = everything(app)

    read_only = [
        reader.post([count("297", "2022", 1)]),
        reader.post([count("091", "2030", 1)]),
        reader.post(),
        reader.put(f"{COUNTS}/297/2022", {"sessions": 1}),
        reader.delete(f"{COUNTS}/297/2022", reason="x"),
        reader.delete(f"{STATUSES}/297/2022", reason="x"),
    ]
    without = [
        anyone.post([count("297", "2022", 1)]),
        anyone.put(f"{COUNTS}/297/2022", {"sessions": 1}),
        anyone.delete(f"{COUNTS}/297/2022", reason="x"),
    ]

    assert [(answer.status_code, answer.json()["type"].rpartition(":")[2]) for answer in read_only] == [
        (403, "not-allowed")
    ] * 6
    assert [answer.status_code for answer in without] == [401] * 3
    assert everything(app) == before


def test_a_county_key_still_reports_the_past_of_a_merged_municipality(
    http: TestClient, clock: StandingClock, new_key: Callable[..., str]
) -> None:
    clock.now = datetime(2026, 2, 1, 9, tzinfo=UTC)
    south_savo = Caller(http, new_key("county:12"))

    answers = [
        south_savo.post([count("588", "2024", 5)], [status("588", "2024-12-31", "in_use")]),
        south_savo.post([count("588", "2025", 5)], [status("588", "2025", "in_use")]),
    ]

    assert [answer.status_code for answer in answers] == [201, 422]
    assert [error["pointer"] for error in answers[1].json()["errors"]] == ["/counts/0/period", "/statuses/0/date"]


def test_another_organisation_with_the_area_corrects_a_figure_in_its_own_name(
    kuopio: Caller, north_savo: Caller
) -> None:
    kuopio.post([count("297", "2022-03", 7)])

    corrected = north_savo.post([count("297", "2022-03", 8)])

    assert (outcomes(corrected), corrected.json()["organisation"]) == (["corrected"], "North Savo")
    history = kuopio.get(f"{COUNTS}/297/2022-03/history").json()["rows"]
    assert [row["organisation"] for row in history] == ["Kuopio", "North Savo"]


def test_a_retracted_count_is_gone_and_can_be_created_anew(kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-03", 7, note="first")])

    retracted = kuopio.delete(f"{COUNTS}/297/2022-03", reason="Wrong month")
    gone, again = kuopio.get(f"{COUNTS}/297/2022-03"), kuopio.delete(f"{COUNTS}/297/2022-03", reason="Wrong month")
    anew = kuopio.post([count("297", "2022-03", 7)])

    receipt = retracted.json()
    assert (retracted.status_code, receipt["id"], receipt["retracted"], receipt["created"]) == (200, 2, 1, 0)
    assert receipt["rows"] == [
        {
            "list": "counts",
            "index": 0,
            "outcome": "retracted",
            "entry": 2,
            "superseded": [],
            "warnings": [],
            "errors": [],
        }
    ]
    assert (gone.status_code, again.status_code, outcomes(anew)) == (404, 404, ["created"])
    history = kuopio.get(f"{COUNTS}/297/2022-03/history").json()["rows"]
    assert [(row["outcome"], row["sessions"], row["note"]) for row in history] == [
        ("created", 7, "first"),
        ("retracted", None, "Wrong month"),
        ("created", 7, None),
    ]


def test_when_a_status_is_retracted_the_one_before_is_in_force_again(kuopio: Caller) -> None:
    kuopio.post([], [status("297", "2021", "pilot"), status("297", "2022", "in_use")])

    retracted = kuopio.delete(f"{STATUSES}/297/2022-01-01", reason="Not decided yet")

    assert (retracted.status_code, outcomes(retracted)) == (200, ["retracted"])
    assert kuopio.get(f"{STATUSES}/297/2022").status_code == 404
    assert [row["status"] for row in kuopio.get("/v1/statuses", on="2023-01-01").json()["rows"]] == ["pilot"]
    assert outcomes(kuopio.post([], [status("297", "2022-01", "in_use")])) == ["created"]


def test_a_retraction_is_refused_in_the_order_of_scope_content_and_figure(app: FastAPI, kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-03", 7)])
    before = everything(app)

    answers = [
        kuopio.delete(f"{COUNTS}/091/2022-03", reason="131052-308T"),
        kuopio.delete("/v1/session-counts/nothing/091/2022-03", reason="x"),
        kuopio.delete(f"{COUNTS}/999/2022-03", reason="131052-308T"),
        kuopio.delete("/v1/session-counts/nothing/297/2022-03", reason="x"),
        kuopio.delete(f"{COUNTS}/297/2022-04", reason="131052-308T"),
        kuopio.delete(f"{COUNTS}/297/2022-04", reason="x"),
        kuopio.delete(f"{STATUSES}/297/2022-03", reason="x"),
        kuopio.delete(f"{COUNTS}/297/2022-03"),
    ]

    assert [(answer.status_code, parameters(answer)) for answer in answers] == [
        (403, ["municipality"]),
        (403, ["municipality"]),
        (422, ["municipality", "reason"]),
        (422, ["practice"]),
        (422, ["reason"]),
        (404, []),
        (404, []),
        (422, ["reason"]),
    ]
    assert everything(app) == before


def parameters(answer: Any) -> list[str]:
    """The parameters that a problem is about."""
    return [error["parameter"] for error in answer.json().get("errors", [])]


def test_moments_strictly_increase_even_when_the_clock_stands_or_is_set_back(
    app: FastAPI, clock: StandingClock, kuopio: Caller
) -> None:
    moves = [{"minutes": 1}, {"hours": 0}, {"hours": -30}, {"minutes": 1}, {"days": 3}]
    received = []

    for sessions, move in enumerate(moves):
        clock.advance(**move)
        received.append(kuopio.post([count("297", "2022-03", sessions)]).json()["received_at"])

    assert received == [
        "2024-05-15T09:01:00.000000Z",
        "2024-05-15T09:01:00.000001Z",
        "2024-05-15T09:01:00.000002Z",
        "2024-05-15T09:01:00.000003Z",
        "2024-05-17T03:02:00.000000Z",
    ]
    assert [entry["recorded_at"] for entry in stored(app, "count_entries")] == [
        datetime.fromisoformat(moment) for moment in received
    ]
    assert in_force(kuopio) == [("297", "2022-03", 4)]


def test_today_is_the_day_in_helsinki(clock: StandingClock, kuopio: Caller) -> None:
    clock.now = datetime(2024, 5, 31, 20, 59, 59, tzinfo=UTC)
    before_midnight = kuopio.post([count("297", "2024-06", 1, through="2024-06-01")])
    clock.now = datetime(2024, 5, 31, 21, 0, tzinfo=UTC)
    after_midnight = kuopio.post([count("297", "2024-06", 1, through="2024-06-01"), count("297", "2024-05", 1)])

    assert (before_midnight.status_code, after_midnight.status_code) == (422, 201)
    assert before_midnight.json()["errors"][0]["detail"] == "2024-06 has not begun; today is 2024-05-31"
