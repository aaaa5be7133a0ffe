"""Receipts: given again as they were, to their organisation alone, and chained by hash."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import FastAPI
from sqlalchemy import delete
from starlette.testclient import TestClient

from app.database import Database
from app.reports.tables import Note
from tests.conftest import Caller, StandingClock, count, status
from tests.reports.stored import stored

COUNTS = "/v1/session-counts/yhdessa-aika"


def test_a_receipt_is_given_again_as_it_was(north_savo: Caller) -> None:
    posts = [
        north_savo.post(
            [count("297", "2022-01", 7)], [status("297", "2022", "in_use"), status("297", "2023", "pilot")]
        ),
        north_savo.post([count("297", "2022", 70, replace=True), count("091", "2022", 1)], skip_invalid=True),
        north_savo.put(f"{COUNTS}/297/2022", {"sessions": 71}),
        north_savo.post([count("297", "2022", 71)]),
        north_savo.delete(f"{COUNTS}/297/2022", reason="Wrong year"),
    ]

    again = [north_savo.get(f"/v1/submissions/{number}") for number in range(1, 6)]

    assert [answer.json() for answer in again] == [answer.json() for answer in posts]
    assert [answer.json()["id"] for answer in again] == [1, 2, 3, 4, 5]
    assert [
        [answer.json()[name] for name in ("created", "corrected", "unchanged", "retracted", "rejected")]
        for answer in again
    ] == [[3, 0, 0, 0, 0], [1, 0, 0, 0, 1], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0]]
    assert {answer.status_code for answer in again} == {200}


def test_a_receipt_needs_no_key_that_reads_but_one_of_its_organisation(
    http: TestClient, anyone: Caller, kuopio: Caller, nation: Caller, new_key: Callable[..., str]
) -> None:
    receipt = kuopio.post([count("297", "2022-01", 7)]).json()
    colleague = Caller(http, new_key("municipality:091", actions=["report"], organisation="Kuopio"))

    answers = [caller.get("/v1/submissions/1") for caller in (colleague, nation, anyone)]

    assert [answer.status_code for answer in answers] == [200, 404, 401]
    assert answers[0].json() == receipt
    assert answers[1].json() == nation.get("/v1/submissions/99").json() | {
        "detail": "your organisation has no submission 1",
        "instance": "/v1/submissions/1",
    }


def test_a_number_that_no_receipt_can_have_is_refused(kuopio: Caller) -> None:
    answers = [kuopio.get(f"/v1/submissions/{number}") for number in ("0", "-1", "x", str(2**63), "2147483647")]

    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 404]


def test_the_receipts_form_a_chain_of_hashes_over_what_is_stored(
    app: FastAPI, clock: StandingClock, kuopio: Caller, north_savo: Caller
) -> None:
    post_all_kinds(clock, kuopio, north_savo)

    receipts, chain = stored(app, "submissions"), recomputed_chain(app)

    assert len(receipts) == 6
    assert [receipt["hash"] for receipt in receipts] == chain
    assert [receipt["previous_hash"] for receipt in receipts] == ["0" * 64, *chain[:-1]]
    assert [kuopio.get(f"/v1/submissions/{number}").json()["hash"] for number in (1, 2)] == chain[:2]
    assert len(set(chain)) == 6


def test_erasing_a_note_does_not_break_the_chain(
    app: FastAPI, clock: StandingClock, kuopio: Caller, north_savo: Caller
) -> None:
    post_all_kinds(clock, kuopio, north_savo)
    database: Database = app.state.database

    with database.writing() as db:
        db.exec(delete(Note))

    assert [receipt["hash"] for receipt in stored(app, "submissions")] == recomputed_chain(app)


def test_the_hash_depends_on_every_figure_and_every_word_of_a_receipt(
    app: FastAPI, clock: StandingClock, kuopio: Caller, north_savo: Caller
) -> None:
    post_all_kinds(clock, kuopio, north_savo)
    before = recomputed_chain(app)
    changes: list[Callable[[dict[str, Any]], Any]] = [
        lambda entry: entry.update(sessions=8),
        lambda entry: entry.update(municipality="140"),
        lambda entry: entry.update(organisation_id=99),
        lambda entry: entry.update(note_hash="0" * 64),
    ]

    forged = [recomputed_chain(app, forge) for forge in changes]

    assert all(chain[0] != before[0] and chain[-1] != before[-1] for chain in forged)


def post_all_kinds(clock: StandingClock, kuopio: Caller, north_savo: Caller) -> None:
    """Six submissions of two organisations: entries of both lists, superseded, retracted, unchanged, rejected."""
    kuopio.post(
        [count("297", "2022-01", 7, note="Äyskäri"), count("297", "2022-02", 2, through="2022-02-15")],
        [status("297", "2022", "pilot")],
    )
    clock.advance(hours=1, microseconds=5)
    kuopio.post([count("297", "2022-01", 7)])
    north_savo.post([count("297", "2022", 41, replace=True)], [status("140", "2022-03-15", "in_use", note="n")])
    north_savo.post([count("297", "2030", 1), count("140", "2022-03", 0)], skip_invalid=True)
    north_savo.delete("/v1/statuses/yhdessa-aika/297/2022", reason="Wrong year")
    kuopio.put(f"{COUNTS}/297/2022", {"sessions": 42})


def recomputed_chain(app: FastAPI, forge: Callable[[dict[str, Any]], Any] = lambda entry: None) -> list[str]:
    """The hash of every receipt, by the description in docs and docstrings alone; `forge` may alter the first entry."""
    entries = [
        {"list": name, **entry}
        for name, table in (("counts", "count_entries"), ("statuses", "status_entries"))
        for entry in stored(app, table)
    ]
    forge(entries[0])
    chain = ["0" * 64]
    for receipt in stored(app, "submissions"):
        own = [entry for entry in entries if entry["submission_id"] == receipt["id"]]
        content = {**receipt, "previous_hash": chain[-1], "entries": own}
        for told_by_the_rows in ("hash", "created", "corrected", "unchanged", "retracted", "rejected"):
            del content[told_by_the_rows]
        if content["retracts"] is None:
            del content["retracts"]
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=in_words)
        chain.append(hashlib.sha256(canonical.encode()).hexdigest())
    return chain[1:]


def in_words(value: Any) -> str:
    """A day as ISO 8601; a moment as RFC 3339 in UTC with six decimals."""
    return f"{value:%Y-%m-%dT%H:%M:%S.%fZ}" if isinstance(value, datetime) else f"{value:%Y-%m-%d}"
