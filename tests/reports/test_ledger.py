"""The ledger: entries are only ever added, so that what held at a past moment is always answered alike."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.database import Database
from tests.conftest import Caller, StandingClock, count, status
from tests.reports.stored import everything, stored

COUNTS = "/v1/session-counts/yhdessa-aika"
STATUSES = "/v1/statuses/yhdessa-aika"


def test_the_database_itself_refuses_to_change_or_delete(app: FastAPI, kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-03", 7)], [status("297", "2022", "pilot")])
    kuopio.post([count("297", "2022-03", 9)])
    database: Database = app.state.database
    before = everything(app)

    for change in (
        "UPDATE count_entries SET sessions = 8 WHERE id = 1",
        "UPDATE count_entries SET sessions = sessions",
        "DELETE FROM count_entries WHERE id = 2",
        "UPDATE status_entries SET status = 'in_use'",
        "DELETE FROM status_entries",
        "UPDATE submissions SET hash = 'x' WHERE id = 1",
        "DELETE FROM submissions WHERE id = 2",
    ):
        with pytest.raises(DBAPIError, match="are never changed or deleted"), database.engine.begin() as connection:
            connection.execute(text(change))

    assert everything(app) == before


def test_every_post_only_adds_entries(app: FastAPI, clock: StandingClock, north_savo: Caller) -> None:
    tables = ("submissions", "count_entries", "status_entries", "notes")
    states = [{name: stored(app, name) for name in tables}]

    for step in range(6):
        clock.advance(hours=1)
        correct_replace_retract(north_savo, step)
        states.append({name: stored(app, name) for name in tables})

    for before, after in pairwise(states):
        assert all(row in after[name] for name in tables for row in before[name])
    last = states[-1]
    assert [len(last[name]) for name in tables] == [6, 8, 4, 2]
    ids = [[row["id"] for row in last[name]] for name in tables[:3]]
    assert ids == [list(range(1, len(numbers) + 1)) for numbers in ids]


def test_an_entry_names_its_submission_organisation_and_moment(
    app: FastAPI, clock: StandingClock, kuopio: Caller, north_savo: Caller
) -> None:
    clock.advance(minutes=1)
    kuopio.post([count("297", "2022-Q1", 7, through="2022-03-15", note="so far")])
    clock.advance(minutes=1)
    north_savo.post([], [status("297", "2022-03", "pilot")])

    (counted,), (stands,) = stored(app, "count_entries"), stored(app, "status_entries")

    owners = {row["name"]: row["id"] for row in stored(app, "organisations")}
    assert counted == {
        "id": 1,
        "submission_id": 1,
        "organisation_id": owners["Kuopio"],
        "recorded_at": datetime(2024, 5, 15, 9, 1, tzinfo=UTC),
        "practice": "yhdessa-aika",
        "municipality": "297",
        "outcome": "created",
        "note_hash": counted["note_hash"],
        "period": "2022-Q1",
        "first_day": date(2022, 1, 1),
        "last_day": date(2022, 3, 31),
        "counted_to": date(2022, 3, 15),
        "sessions": 7,
    }
    assert stands == {
        "id": 1,
        "submission_id": 2,
        "organisation_id": owners["North Savo"],
        "recorded_at": datetime(2024, 5, 15, 9, 2, tzinfo=UTC),
        "practice": "yhdessa-aika",
        "municipality": "297",
        "outcome": "created",
        "note_hash": None,
        "day": date(2022, 3, 1),
        "date_precision": "month",
        "status": "pilot",
    }


def correct_replace_retract(caller: Caller, step: int) -> None:
    """One of six posts that together do all that can be done to figures of Kuopio and Iisalmi."""
    match step:
        case 0:
            caller.post(
                [count("297", "2022-01", 1), count("297", "2022-02", 2), count("140", "2022", 3)],
                [status("297", "2022", "pilot", note="first"), status("140", "2022", "planned")],
            )
        case 1:
            caller.post([count("297", "2022-01", 5)], [status("297", "2022", "in_use")])
        case 2:
            caller.post([count("297", "2022", 9, replace=True)])
        case 3:
            caller.delete(f"{COUNTS}/140/2022", reason="Wrong year")
        case 4:
            caller.delete(f"{STATUSES}/140/2022", reason="")
            caller.post([count("297", "2022", 9)], [status("297", "2022", "in_use")])
        case _:
            caller.delete(f"{STATUSES}/140/2022", reason="131052-308T")
            caller.put(f"{STATUSES}/140/2022", {"status": "pilot"})


def test_an_answer_about_a_past_moment_stays_the_same_byte_for_byte(clock: StandingClock, north_savo: Caller) -> None:
    asked: dict[tuple[str, str], bytes] = {}
    paths = [
        "/v1/session-counts",
        "/v1/statuses",
        "/v1/trends?county=13&by=municipality",
        f"{COUNTS}/297/2022-01",
        f"{COUNTS}/297/2022-01/history",
        f"{STATUSES}/297/2022/history",
    ]

    for step in range(6):
        correct_replace_retract(north_savo, step)
        clock.advance(hours=20)
        moment = (clock.now - timedelta(hours=1)).isoformat()
        yesterday = (clock.now - timedelta(days=1)).date().isoformat()
        for path in paths:
            for as_of in (moment, yesterday):
                asked[path, as_of] = north_savo.get(path, **query_of(path), as_of=as_of).content

    again = {(path, as_of): north_savo.get(path, **query_of(path), as_of=as_of).content for path, as_of in asked}
    assert again == asked
    assert len(set(asked.values())) > 4 * len(paths)


def query_of(path: str) -> dict[str, str]:
    """The query in `path`, which the client would otherwise drop."""
    _, _, query = path.partition("?")
    return dict(pair.split("=") for pair in query.split("&") if pair)


def test_as_of_shows_what_was_recorded_up_to_that_moment(clock: StandingClock, north_savo: Caller) -> None:
    for step in range(6):
        clock.advance(hours=1)
        correct_replace_retract(north_savo, step)

    counts = [as_of(north_savo, "/v1/session-counts", hour, "period", "sessions") for hour in range(7)]
    statuses = [as_of(north_savo, "/v1/statuses", hour, "status") for hour in range(7)]

    assert counts == [
        [],
        [("140", "2022", 3), ("297", "2022-01", 1), ("297", "2022-02", 2)],
        [("140", "2022", 3), ("297", "2022-01", 5), ("297", "2022-02", 2)],
        [("140", "2022", 3), ("297", "2022", 9)],
        [("297", "2022", 9)],
        [("297", "2022", 9)],
        [("297", "2022", 9)],
    ]
    assert statuses == [
        [],
        [("140", "planned"), ("297", "pilot")],
        *[[("140", "planned"), ("297", "in_use")]] * 4,
        [("140", "pilot"), ("297", "in_use")],
    ]


def as_of(caller: Caller, path: str, hour: int, *columns: str) -> list[tuple[object, ...]]:
    """The rows of a list as of `hour` hours after the tests' beginning."""
    rows = caller.get(path, as_of=f"2024-05-15T{9 + hour:02}:00:00Z").json()["rows"]
    return [tuple(row[column] for column in ("municipality", *columns)) for row in rows]


def test_as_of_a_day_means_its_end_in_helsinki(clock: StandingClock, kuopio: Caller) -> None:
    for sessions, moment in [
        (1, datetime(2024, 5, 15, 20, 59, 59, 999_999, tzinfo=UTC)),
        (2, datetime(2024, 5, 15, 21, 0, tzinfo=UTC)),
        (3, datetime(2024, 5, 16, 12, 0, tzinfo=UTC)),
    ]:
        clock.now = moment
        kuopio.post([count("297", "2022-03", sessions)])
    clock.advance(hours=2)

    answers = [
        kuopio.get(f"{COUNTS}/297/2022-03", **query).json().get("sessions")
        for query in (
            {"as_of": "2024-05-14"},
            {"as_of": "2024-05-15"},
            {"as_of": "2024-05-16"},
            {},
            {"as_of": "2024-05-15T21:00:00Z"},
            {"as_of": "2024-05-16T00:00:00+03:00"},
            {"as_of": "2024-05-15T20:59:59.999998Z"},
            {"as_of": "2024-05-16T11:59:59Z"},
        )
    ]

    assert answers == [None, 1, 3, 3, 2, 2, None, 2]


def test_as_of_is_echoed_as_the_helsinki_day_or_as_the_instant_asked_for(clock: StandingClock, kuopio: Caller) -> None:
    clock.now = datetime(2024, 5, 15, 22, 30, tzinfo=UTC)

    echoed = [
        kuopio.get("/v1/session-counts", **query).json()["as_of"]
        for query in ({}, {"as_of": "2024-05-16"}, {"as_of": "2024-05-15"}, {"as_of": "2024-05-15T12:00:00+03:00"})
    ]

    assert echoed == ["2024-05-16", "2024-05-16", "2024-05-15", "2024-05-15T12:00:00+03:00"]


def test_the_future_cannot_be_asked_for(kuopio: Caller) -> None:
    futures = ["2024-05-16", "2024-05-15T09:00:00.000001Z", "2025-01-01T00:00:00Z"]

    answers = [
        kuopio.get(path, as_of=as_of)
        for as_of in futures
        for path in ("/v1/session-counts", "/v1/statuses", f"{COUNTS}/297/2022", f"{COUNTS}/297/2022/history")
    ]

    assert {answer.status_code for answer in answers} == {422}
    assert {answer.json()["errors"][0]["parameter"] for answer in answers} == {"as_of"}


def test_what_was_recorded_before_the_clock_was_set_back_is_read_now(clock: StandingClock, kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-03", 7)])

    clock.advance(days=-2)

    assert kuopio.get(f"{COUNTS}/297/2022-03").json()["sessions"] == 7
    assert kuopio.get(f"{COUNTS}/297/2022-03", as_of="2024-05-12").status_code == 404
