"""Retries with an Idempotency-Key."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import Session, func, select
from starlette.testclient import TestClient

from app.access.models import RememberedReply
from app.reports.tables import CountEntry, Submission
from tests.conftest import Caller, StandingClock, count

SUBMISSIONS = "/v1/submissions"
FIGURE = "/v1/session-counts/yhdessa-aika/297/2024-03"


def send(caller: Caller, key: str | None, sessions: int = 7, **query: Any) -> Any:
    """Post one count of Kuopio, with `key` as the Idempotency-Key if there is one."""
    headers = caller.headers | ({"Idempotency-Key": key} if key else {})
    body = {"counts": [count("297", "2024-03", sessions)]}
    return caller.http.post(SUBMISSIONS, json=body, params=query, headers=headers)


def stored(app: FastAPI, table: type[Any]) -> int:
    with app.state.database.reading() as db:
        assert isinstance(db, Session)
        return db.exec(select(func.count()).select_from(table)).one()


def test_a_retry_answers_the_same_bytes_and_records_nothing(app: FastAPI, kuopio: Caller) -> None:
    first = send(kuopio, "march-1")

    again = send(kuopio, "march-1")

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (stored(app, Submission), stored(app, CountEntry)) == (1, 1)


def test_single_figures_are_replayed_with_their_etag(kuopio: Caller) -> None:
    first = kuopio.put(FIGURE, {"sessions": 7}, Idempotency_Key="put")
    kuopio.put(FIGURE, {"sessions": 8})

    again = kuopio.put(FIGURE, {"sessions": 7}, Idempotency_Key="put")

    assert (again.status_code, again.headers["ETag"], again.content) == (201, first.headers["ETag"], first.content)
    assert kuopio.get(FIGURE).json()["sessions"] == 8


def test_a_retraction_is_replayed_although_the_figure_is_gone(kuopio: Caller) -> None:
    kuopio.put(FIGURE, {"sessions": 7})
    first = kuopio.delete(FIGURE, reason="wrong", headers={"Idempotency-Key": "gone"})

    again = kuopio.delete(FIGURE, reason="wrong", headers={"Idempotency-Key": "gone"})

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content


def test_another_body_or_address_under_the_same_key_is_refused(app: FastAPI, kuopio: Caller) -> None:
    send(kuopio, "march-1")

    other_body = send(kuopio, "march-1", 8)
    other_address = kuopio.put(FIGURE, {"sessions": 7}, Idempotency_Key="march-1")

    for answer in (other_body, other_address):
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:yhdessa:problem:idempotency-key-reused"
        assert "'march-1' came with another request at 2024-05-15 09:00 UTC" in answer.json()["detail"]
    assert stored(app, CountEntry) == 1


def test_only_successes_are_remembered(app: FastAPI, kuopio: Caller) -> None:
    refused = kuopio.put(FIGURE.replace("297", "140"), {"sessions": 7}, Idempotency_Key="later")
    dry = send(kuopio, "dry", dry_run=True)

    recorded = send(kuopio, "later")
    recorded_after_dry_run = send(kuopio, "dry", 8)

    assert (refused.status_code, dry.status_code) == (403, 200)
    assert (recorded.status_code, recorded_after_dry_run.status_code) == (201, 201)
    assert stored(app, RememberedReply) == 2


def test_a_reply_is_remembered_for_the_organisation_whatever_its_key(
    http: TestClient, kuopio: Caller, new_key: Callable[..., str]
) -> None:
    first = send(kuopio, "march-1")
    other_key = Caller(http, new_key("municipality:297", organisation="Kuopio"))
    other_organisation = Caller(http, new_key("municipality:297", organisation="Somebody else"))

    replayed = send(other_key, "march-1")
    own = send(other_organisation, "march-1")

    assert replayed.content == first.content
    assert own.json()["id"] == first.json()["id"] + 1


def test_a_reply_is_forgotten_after_30_days(app: FastAPI, kuopio: Caller, clock: StandingClock) -> None:
    send(kuopio, "old")
    send(kuopio, "never asked for again")
    clock.advance(days=30)
    at_the_end = send(kuopio, "old")
    clock.advance(seconds=1)

    after = send(kuopio, "old", 8)

    assert at_the_end.headers["Idempotency-Replayed"] == "true"
    assert after.status_code == 201
    assert after.json()["corrected"] == 1
    with app.state.database.reading() as db:
        assert db.exec(select(RememberedReply.key)).all() == ["old"]


def test_a_key_that_may_not_report_is_refused_before_anything_is_replayed(
    http: TestClient, kuopio: Caller, new_key: Callable[..., str]
) -> None:
    send(kuopio, "march-1")
    reader = Caller(http, new_key("municipality:297", organisation="Kuopio", actions=["read"]))

    assert send(reader, "march-1").status_code == 403


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "ä"])
def test_an_idempotency_key_is_up_to_255_visible_characters(kuopio: Caller, key: str) -> None:
    headers = {name.encode(): value.encode() for name, value in kuopio.headers.items()}

    answer = kuopio.http.post(SUBMISSIONS, json={"counts": []}, headers={**headers, b"Idempotency-Key": key.encode()})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "Idempotency-Key"


def test_of_the_same_post_sent_many_times_at_once_one_is_recorded(app: FastAPI, kuopio: Caller) -> None:
    answers: list[Any] = []
    together = threading.Barrier(8)

    def post() -> None:
        together.wait()
        answers.append(send(kuopio, "at-once"))

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({answer.content for answer in answers}) == 1
    assert sorted(answer.headers.get("Idempotency-Replayed", "first") for answer in answers) == ["first"] + ["true"] * 7
    assert (stored(app, Submission), stored(app, CountEntry)) == (1, 1)
