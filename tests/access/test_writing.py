"""Writing requests: whose key it is, is asked in the turn; whoever has none learns nothing and costs little."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event
from starlette.testclient import TestClient

from app.database import take_turn
from app.main import create_app
from app.reports import receiving
from app.settings import Settings
from tests.conftest import Caller, StandingClock, StandingTicks, count

DEADLINE = 20


def together(app: FastAPI, clock: StandingClock, *requests: Callable[[], Any]) -> list[Any]:
    """The answers to `requests`, which come one after the other while somebody else has the turn."""
    with ThreadPoolExecutor(len(requests)) as threads:
        with app.state.database.writing() as db:
            take_turn(db, clock)
            asked = []
            for request in requests:
                asked.append(threads.submit(request))
                time.sleep(0.15)
            db.rollback()
        return [one.result(DEADLINE) for one in asked]


def test_a_key_that_is_rotated_without_overlap_is_refused_in_the_turn_after(
    app: FastAPI, kuopio: Caller, clock: StandingClock
) -> None:
    answers = together(
        app,
        clock,
        lambda: kuopio.post([count("297", "2022-01", 7)]),
        lambda: kuopio.http.post("/v1/key/rotation?overlap_days=0", headers=kuopio.headers),
        lambda: kuopio.post([count("297", "2022-02", 7)]),
    )

    assert [answer.status_code for answer in answers] == [201, 201, 401]


@pytest.mark.parametrize("rows", [1, 1_000])
def test_who_has_no_valid_key_learns_nothing_about_what_they_sent(
    rows: int, http: TestClient, north_savo: Caller
) -> None:
    known = north_savo.key or ""
    wrong = Caller(http, known[:-1] + ("y" if known.endswith("x") else "x"))
    unknown = Caller(http, "yhdessa_aaaaaaaa_" + "a" * 32 + "2jXbfN")
    malformed = [count("297", "2022-13", 7)] * rows

    answers = [caller.post(malformed) for caller in (Caller(http, None), wrong, unknown, north_savo)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 422]


def test_a_long_body_is_not_read_for_who_has_no_valid_key(
    http: TestClient, new_key: Callable[..., str], app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    expired = Caller(http, new_key("county:13", days=0))
    read: list[int] = []
    monkeypatch.setattr(receiving, "_read", lambda _request, body: read.append(len(body)))

    answer = expired.post([count("297", "2022-03", 7)] * 1_000)

    assert (answer.status_code, read) == (401, [])


def test_one_request_is_counted_once_however_often_its_key_is_looked_up(
    settings: Settings, clock: StandingClock, north_savo: Caller
) -> None:
    strict = settings.model_copy(update={"requests_per_minute": 10})
    with TestClient(create_app(strict, clock, ticks=StandingTicks())) as http:
        caller = Caller(http, north_savo.key)
        answers = [
            caller.post([count("297", "2022-03", 7)]),
            caller.post([count("297", f"{year}", 7, note="x" * 400) for year in range(2015, 2024)] * 6),
            caller.post([count("297", "2022-13", 7)] * 1_000),
            caller.post([count("297", "2022-13", 7)]),
        ]

    assert [answer.status_code for answer in answers] == [201, 422, 422, 422]
    assert [answer.headers["RateLimit"] for answer in answers] == [f'"key";r={left};t=6' for left in (9, 8, 7, 6)]


def test_who_is_told_that_the_turn_did_not_come_does_not_wait_for_the_database_once_more(
    settings: Settings, clock: StandingClock, kuopio: Caller
) -> None:
    hasty = create_app(settings.model_copy(update={"lock_timeout_seconds": 0.2}), clock)
    asked: list[str] = []
    event.listen(hasty.state.database.engine, "before_cursor_execute", lambda _c, _cursor, text, *_: asked.append(text))
    with TestClient(hasty) as http, hasty.state.database.writing() as db:
        take_turn(db, clock)
        asked.clear()
        answer = Caller(http, kuopio.key).post([count("297", "2022-03", 7)])
        db.rollback()

    assert answer.status_code == 503
    assert [text for text in asked if " keys" in text] == []
