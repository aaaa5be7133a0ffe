"""Histories: every entry about one figure, for those who may know who said it and why."""

import csv
import io
from collections.abc import Callable

from starlette.testclient import TestClient

from tests.conftest import Caller, StandingClock, count, status

COUNT = "/v1/session-counts/yhdessa-aika/297/2022-03"
STATUS = "/v1/statuses/yhdessa-aika/297/2022"


def make_count_history(clock: StandingClock, kuopio: Caller, north_savo: Caller) -> None:
    """Created, corrected, superseded, created anew, retracted: one a day from 16 May 2024 on."""
    clock.advance(days=1)
    kuopio.put(COUNT, {"sessions": 7, "through": "2022-03-15", "note": "so far"})
    clock.advance(days=1)
    kuopio.put(COUNT, {"sessions": 9, "note": "the whole month"})
    clock.advance(days=1)
    north_savo.post([count("297", "2022", 41, replace=True, note="the whole year")])
    clock.advance(days=1)
    kuopio.post([count("297", "2022-03", 9, replace=True), count("297", "2022-04", 1, replace=True)])
    clock.advance(days=1)
    kuopio.delete(COUNT, reason="Wrong month")


def test_the_history_of_a_count_lists_every_entry_oldest_first(
    clock: StandingClock, kuopio: Caller, north_savo: Caller
) -> None:
    make_count_history(clock, kuopio, north_savo)

    answer = kuopio.get(f"{COUNT}/history")

    columns = ("entry", "outcome", "sessions", "through", "recorded_at", "submission", "organisation", "note")
    assert answer.json() == {
        "as_of": "2024-05-20",
        "rows": [
            dict(zip(columns, row, strict=True))
            for row in [
                (1, "created", 7, "2022-03-15", "2024-05-16T09:00:00.000000Z", 1, "Kuopio", "so far"),
                (2, "corrected", 9, None, "2024-05-17T09:00:00.000000Z", 2, "Kuopio", "the whole month"),
                (3, "superseded", None, None, "2024-05-18T09:00:00.000000Z", 3, "North Savo", None),
                (6, "created", 9, None, "2024-05-19T09:00:00.000000Z", 4, "Kuopio", None),
                (8, "retracted", None, None, "2024-05-20T09:00:00.000000Z", 5, "Kuopio", "Wrong month"),
            ]
        ],
    }


def test_a_history_as_of_a_day_ends_there(clock: StandingClock, kuopio: Caller, north_savo: Caller) -> None:
    make_count_history(clock, kuopio, north_savo)
    kuopio.put(STATUS, {"status": "pilot"})

    answers = [kuopio.get(f"{COUNT}/history", as_of=f"2024-05-{day}") for day in (15, 16, 18)]
    before = kuopio.get(f"{STATUS}/history", as_of="2024-05-19")

    assert [answer.status_code for answer in answers] == [404, 200, 200]
    assert [[row["entry"] for row in answer.json()["rows"]] for answer in answers[1:]] == [[1], [1, 2, 3]]
    assert before.status_code == 404


def test_a_history_comes_as_csv_with_the_same_rows(clock: StandingClock, kuopio: Caller, north_savo: Caller) -> None:
    make_count_history(clock, kuopio, north_savo)
    kuopio.put(STATUS, {"status": "pilot", "note": "Decision, signed"})

    for path in (f"{COUNT}/history", f"{STATUS}/history"):
        table = list(csv.DictReader(io.StringIO(kuopio.get(path, format="csv").text)))

        rows = kuopio.get(path).json()["rows"]
        assert table == [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]


def test_the_history_of_a_status_tells_reporter_and_notes_only_to_readers_of_the_area(
    http: TestClient, anyone: Caller, kuopio: Caller, north_savo: Caller, new_key: Callable[..., str]
) -> None:
    kuopio.put(STATUS, {"status": "pilot", "note": "Decision of the board"})
    north_savo.put(STATUS, {"status": "in_use"})
    kuopio.delete(STATUS, reason="Not decided yet")
    helsinki = Caller(http, new_key("municipality:091"))
    reports_only = Caller(http, new_key("municipality:297", actions=["report"], organisation="Kuopio"))

    told = [caller.get(f"{STATUS}/history").json()["rows"] for caller in (kuopio, north_savo)]
    untold = [caller.get(f"{STATUS}/history") for caller in (anyone, helsinki, reports_only)]

    moments = [row["recorded_at"] for row in told[0]]
    columns = ("entry", "outcome", "status", "date_precision", "recorded_at", "submission", "organisation", "note")
    whole = [
        (1, "created", "pilot", "year", moments[0], 1, "Kuopio", "Decision of the board"),
        (2, "corrected", "in_use", "year", moments[1], 2, "North Savo", None),
        (3, "retracted", None, "year", moments[2], 3, "Kuopio", "Not decided yet"),
    ]
    public = [(*row[:5], None, None, None) for row in whole]
    assert told == [[dict(zip(columns, row, strict=True)) for row in whole]] * 2
    assert [answer.json()["rows"] for answer in untold] == [
        [dict(zip(columns, row, strict=True)) for row in public]
    ] * 3
    assert not any("Decision" in answer.text or "Kuopio" in answer.text for answer in untold)


def test_the_history_of_a_count_is_for_readers_of_the_area_alone(
    http: TestClient, anyone: Caller, kuopio: Caller, new_key: Callable[..., str]
) -> None:
    kuopio.put(COUNT, {"sessions": 7, "note": "secret"})
    helsinki = Caller(http, new_key("municipality:091"))
    reports_only = Caller(http, new_key("municipality:297", actions=["report"]))

    answers = [caller.get(f"{COUNT}/history") for caller in (anyone, helsinki, reports_only)]

    assert [answer.status_code for answer in answers] == [401, 403, 403]
    assert [answer.json()["type"].rpartition(":")[2] for answer in answers] == [
        "not-authenticated",
        "not-covered",
        "not-allowed",
    ]


def test_there_is_no_history_of_what_was_never_recorded(kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-03", 7)], [status("297", "2022", "pilot")])

    answers = [
        kuopio.get(f"/v1/{path}/history")
        for path in (
            "session-counts/yhdessa-aika/297/2022",
            "session-counts/none/297/2022-03",
            "session-counts/yhdessa-aika/999/2022-03",
            "statuses/yhdessa-aika/297/2022-02",
            "statuses/none/297/2022",
            "statuses/yhdessa-aika/999/2022",
        )
    ]

    assert [answer.status_code for answer in answers] == [404] * 6
