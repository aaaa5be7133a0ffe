"""What routes are handed: a session that keeps or forgets as a whole, the clock, the moment that is read."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import select
from starlette.testclient import TestClient

from app.access.models import Organisation
from app.database import Database
from app.practices.definitions import SHIPPED_PRACTICE, define_practice, practices
from app.web.dependencies import AsOfMoment, ReadDb, TheClock
from tests.conftest import Caller, StandingClock, count


def names(app: FastAPI) -> list[str]:
    """The organisations that are stored."""
    database: Database = app.state.database
    with database.reading() as db:
        return sorted(owner.name for owner in db.exec(select(Organisation)))


def ask(app: FastAPI, route: Callable[..., Any]) -> Any:
    """The answer of `route`, put beside the others of `app`; it is posted to, since GET waits for its whole answer."""
    app.add_api_route("/route", route, methods=["POST"])
    with TestClient(app, raise_server_exceptions=False) as http:
        return http.post("/route")


def test_a_reading_route_keeps_nothing(app: FastAPI) -> None:
    def add(db: ReadDb, now: TheClock) -> None:
        db.add(Organisation(name="Kuopio", created_at=now()))

    ask(app, add)

    assert names(app) == []


def test_a_reading_route_sees_one_moment_throughout(app: FastAPI, clock: StandingClock) -> None:
    seen: list[list[str]] = []

    def read_twice(db: ReadDb) -> None:
        seen.append(list(practices(db)))
        database: Database = app.state.database
        with database.writing() as other:
            define_practice(other, SHIPPED_PRACTICE.model_copy(update={"slug": "kela"}), at=clock())
        seen.append(list(practices(db)))

    answer = ask(app, read_twice)

    assert (answer.status_code, seen) == (200, [["yhdessa-aika"], ["yhdessa-aika"]])
    with app.state.database.reading() as db:
        assert list(practices(db)) == ["kela", "yhdessa-aika"]


def test_the_moment_that_is_read_is_now_unless_asked_otherwise(app: FastAPI) -> None:
    def read(moment: AsOfMoment) -> list[Any]:
        return [moment.asked, moment.day, moment.moment]

    assert ask(app, read).json() == ["2024-05-15", "2024-05-15", None]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("2024-05-16", "2024-05-16 lies in the future; today is 2024-05-15"),
        (
            "2024-05-15T09:00:00.000001Z",
            "2024-05-15T09:00:00.000001Z lies in the future; it is 2024-05-15T09:00:00.000000Z",
        ),
        ("2023-02-29", "2023-02-29 is not a day of the calendar"),
        ("", "'' is neither a day (2023-03-27) nor an instant (2023-03-27T12:00:00Z; in a URL write + as %2B)"),
    ],
)
def test_a_moment_that_cannot_be_read_is_refused(anyone: Caller, asked: str, reason: str) -> None:
    answer = anyone.get("/v1/practices", as_of=asked)

    assert answer.status_code == 422
    assert answer.json()["detail"] == f"as_of: {reason}"
    assert answer.json()["errors"] == [{"parameter": "as_of", "detail": reason}]


def test_a_past_moment_is_read_as_it_was_and_stays_so(kuopio: Caller, clock: StandingClock) -> None:
    kuopio.post([count("297", "2022-03", 7)])
    clock.advance(minutes=1)
    before = kuopio.get("/v1/session-counts", as_of="2024-05-15T09:00:30Z")
    kuopio.post([count("297", "2022-03", 8)])
    clock.advance(minutes=1)

    after = kuopio.get("/v1/session-counts", as_of="2024-05-15T09:00:30Z")

    assert [row["sessions"] for row in after.json()["rows"]] == [7]
    assert after.content == before.content
