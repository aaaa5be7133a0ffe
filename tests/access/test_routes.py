"""GET /v1/key, and the rotation of the calling key."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient

from app.access.keys import revoke_key
from app.database import Base
from tests.conftest import Caller, StandingClock
from tests.reports.stored import stored


def rotate(caller: Caller, headers: dict[str, str] | None = None, **query: Any) -> Any:
    return caller.http.post("/v1/key/rotation", params=query, headers={**caller.headers, **(headers or {})})


def id_of(caller: Caller) -> str:
    return str(caller.key).split("_")[1]


def test_a_key_says_what_it_may_do_where_and_until_when(http: TestClient, new_key: Callable[..., str]) -> None:
    key = new_key(
        "municipality:297", "county:13", "country", actions=["read", "publish", "report"], organisation="THL", days=10
    )

    answer = Caller(http, key).get("/v1/key")

    assert answer.json() == {
        "id": key.split("_")[1],
        "name": "test",
        "organisation": "THL",
        "actions": ["publish", "read", "report"],
        "areas": ["country", "county:13", "municipality:297"],
        "expires_at": "2024-05-25T09:00:00Z",
    }
    assert key not in answer.text


def test_a_key_replaces_itself_and_the_old_one_works_meanwhile(
    http: TestClient, clock: StandingClock, kuopio: Caller
) -> None:
    clock.advance(days=10)
    before = kuopio.get("/v1/key").json()

    answer = rotate(kuopio)

    new = Caller(http, answer.json()["key"])
    meanwhile = [caller.get("/v1/key") for caller in (kuopio, new)]
    clock.advance(days=14)
    afterwards = [caller.get("/v1/key").status_code for caller in (kuopio, new)]
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    assert answer.json() == {
        "key": new.key,
        "id": id_of(new),
        "expires_at": "2025-06-29T09:00:00Z",
        "replaced": id_of(kuopio),
        "replaced_until": "2024-06-08T09:00:00Z",
    }
    assert [said.json() for said in meanwhile] == [
        before | {"expires_at": "2024-06-08T09:00:00Z"},
        before | {"id": id_of(new), "expires_at": "2025-06-29T09:00:00Z"},
    ]
    assert afterwards == [401, 200]


@pytest.mark.parametrize(("overlap_days", "until"), [(0, "2024-05-15"), (1, "2024-05-16"), (30, "2024-06-14")])
def test_the_overlap_is_0_to_30_days(clock: StandingClock, kuopio: Caller, overlap_days: int, until: str) -> None:
    clock.advance(seconds=1)

    answer = rotate(kuopio, overlap_days=overlap_days)

    assert answer.json()["replaced_until"] == f"{until}T09:00:01Z"
    assert kuopio.get("/v1/key").status_code == (200 if overlap_days else 401)


@pytest.mark.parametrize("overlap_days", [-1, 31, "", "x", "1.0", 2**63])
def test_another_overlap_is_refused(app: FastAPI, kuopio: Caller, overlap_days: Any) -> None:
    answer = rotate(kuopio, overlap_days=overlap_days)

    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "overlap_days")
    assert len(stored(app, "keys")) == 1


def test_a_key_for_any_action_rotates_itself(http: TestClient, new_key: Callable[..., str]) -> None:
    callers = [Caller(http, new_key("county:13", actions=[action])) for action in ("report", "read", "publish")]

    new = [Caller(http, rotate(caller).json()["key"]) for caller in callers]

    assert [caller.get("/v1/key").json()["actions"] for caller in new] == [["report"], ["read"], ["publish"]]
    assert {caller.get("/v1/key").json()["organisation"] for caller in new} == {"county:13"}


def test_a_key_is_rotated_once(app: FastAPI, http: TestClient, kuopio: Caller) -> None:
    new = Caller(http, rotate(kuopio).json()["key"])

    again = rotate(kuopio)

    assert again.json() == {
        "type": "urn:yhdessa:problem:cannot-rotate",
        "title": "The key cannot be rotated",
        "status": 409,
        "detail": f"the key {id_of(kuopio)} was replaced by {id_of(new)}; rotate that one, "
        "or ask the operator if it was lost",
        "instance": "/v1/key/rotation",
    }
    assert len(stored(app, "keys")) == 2
    assert rotate(new).status_code == 201


def test_without_a_valid_key_nothing_is_rotated(
    app: FastAPI, http: TestClient, clock: StandingClock, anyone: Caller, new_key: Callable[..., str]
) -> None:
    revoked, expired = Caller(http, new_key("country")), Caller(http, new_key("country", days=1))
    with app.state.database.writing() as db:
        revoke_key(db, id_of(revoked), at=clock())
    clock.advance(days=1)

    answers = [rotate(caller) for caller in (anyone, revoked, expired)]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert len(stored(app, "keys")) == 2


def test_a_rotation_is_not_remembered_so_the_secret_is_stored_nowhere(
    app: FastAPI, http: TestClient, kuopio: Caller
) -> None:
    key = rotate(kuopio, {"Idempotency-Key": "once"}).json()["key"]

    again = rotate(kuopio, {"Idempotency-Key": "once"})

    with app.state.database.engine.connect() as connection:
        everything = {
            table: repr(connection.execute(text(f"SELECT * FROM {table}")).all()) for table in Base.metadata.tables
        }
    secret = key.split("_")[2]
    parts = (key, secret, secret[:32], secret[:16], secret[16:32], secret[:8])
    assert again.status_code == 409
    assert everything["remembered_replies"] == "[]"
    assert [(table, part) for table, rows in everything.items() for part in parts if part in rows] == []


def test_of_rotations_at_once_one_succeeds(app: FastAPI, kuopio: Caller) -> None:
    answers: list[Any] = []
    together = threading.Barrier(6)

    def send() -> None:
        together.wait()
        answers.append(rotate(kuopio))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert len(stored(app, "keys")) == 2
