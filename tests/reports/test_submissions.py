"""Receipts: given again as they were, to their organisation alone, and chained by hash."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import delete, insert
from starlette.testclient import TestClient

from app.database import Database
from app.reports import ledger, submissions
from app.reports.models import Receipt
from app.reports.tables import Note, Submission
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


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_receipt_is_told_as_the_contract_has_it(http: TestClient, new_key: Callable[..., str], dry_run: bool) -> None:
    owner = Caller(http, new_key("municipality:297", actions=["report"], organisation='Itä "\\\t"rows":[] 東'))

    posted = owner.post([count("297", "2023-01", 7)], dry_run=dry_run)

    assert posted.text == Receipt.model_validate_json(posted.content).model_dump_json()


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


# The list of receipts.


def test_ones_receipts_are_listed_newest_first_without_their_rows(
    clock: StandingClock, kuopio: Caller, north_savo: Caller
) -> None:
    post_all_kinds(clock, kuopio, north_savo)

    answer = kuopio.get("/v1/submissions")

    numbers = ("created", "corrected", "unchanged", "retracted", "rejected")
    receipts = [kuopio.get(f"/v1/submissions/{number}").json() for number in (6, 2, 1)]
    key = {"key": str(kuopio.key).split("_")[1], "retracted_by": None}
    left_out = ("organisation", "rows")
    assert answer.json() == {
        "rows": [
            {name: value for name, value in receipt.items() if name not in left_out} | key for receipt in receipts
        ],
        "next": None,
    }
    assert [tuple(row[name] for name in numbers) for row in answer.json()["rows"]] == [
        (0, 1, 0, 0, 0),
        (0, 0, 1, 0, 0),
        (3, 0, 0, 0, 0),
    ]
    assert answer.headers["vary"] == "Accept, Authorization"
    assert "link" not in answer.headers


def test_the_numbers_say_how_many_rows_came_to_each_outcome(
    clock: StandingClock, kuopio: Caller, north_savo: Caller
) -> None:
    post_all_kinds(clock, kuopio, north_savo)
    north_savo.post([count("140", "2022-03", 1)])

    rows = north_savo.get("/v1/submissions").json()["rows"]

    numbers = ("id", "created", "corrected", "unchanged", "retracted", "rejected")
    assert [tuple(row[name] for name in numbers) for row in rows] == [
        (7, 0, 1, 0, 0, 0),
        (5, 0, 0, 0, 1, 0),
        (4, 1, 0, 0, 0, 1),
        (3, 2, 0, 0, 0, 0),
    ]


def test_receipts_are_listed_for_every_key_of_the_organisation_and_for_no_other(
    http: TestClient, anyone: Caller, kuopio: Caller, nation: Caller, new_key: Callable[..., str]
) -> None:
    colleague = Caller(http, new_key("municipality:091", actions=["report"], organisation="Kuopio"))
    publisher = Caller(http, new_key("county:13", actions=["publish"], organisation="Kuopio"))
    kuopio.post([count("297", "2022-01", 7)])
    colleague.post([count("091", "2022-01", 7)])
    nation.post([count("140", "2022-01", 7)])

    answers = [caller.get("/v1/submissions") for caller in (kuopio, colleague, publisher, nation)]

    assert [[row["id"] for row in answer.json()["rows"]] for answer in answers] == [[2, 1], [2, 1], [2, 1], [3]]
    assert [row["key"] for row in answers[0].json()["rows"]] == [
        str(caller.key).split("_")[1] for caller in (colleague, kuopio)
    ]
    assert anyone.get("/v1/submissions").status_code == 401


def test_a_receipt_says_what_it_takes_back_and_what_took_it_back(
    kuopio: Caller, north_savo: Caller, http: TestClient
) -> None:
    for caller in (north_savo, kuopio, kuopio):
        caller.post([count("297", f"202{caller is kuopio:d}-01", 7)])
    kuopio.post([count("297", "2022-02", 1)])
    for number in (2, 5, 5, 4):
        http.post(f"/v1/submissions/{number}/retraction", json={"reason": "n"}, headers=kuopio.headers)

    rows = kuopio.get("/v1/submissions").json()["rows"]
    page = kuopio.get("/v1/submissions", limit=1, cursor="3").json()["rows"]

    # The receipt of a retraction that was refused is none.
    assert [(row["id"], row["retracts"], row["retracted_by"]) for row in rows] == [
        (7, 4, None),
        (6, 5, None),
        (5, 2, 6),
        (4, None, 7),
        (3, None, None),
        (2, None, 5),
    ]
    assert [(row["id"], row["retracted_by"]) for row in page] == [(2, 5)]


def test_pages_follow_one_another_while_posts_come_in(kuopio: Caller, north_savo: Caller) -> None:
    for month in range(1, 8):
        (north_savo if month == 4 else kuopio).post([count("297", f"2022-0{month}", 7)])
    pages, query = [], {"limit": 2}

    for month in range(8, 12):
        answer = kuopio.get("/v1/submissions", **query)
        pages.append([row["id"] for row in answer.json()["rows"]])
        kuopio.post([count("297", f"2022-{month:02}", 7)])
        if answer.json()["next"] is None:
            break
        assert answer.links["next"]["url"] == f"/v1/submissions?limit=2&cursor={answer.json()['next']}"
        query["cursor"] = answer.json()["next"]

    assert pages == [[7, 6], [5, 3], [2, 1]]
    assert answer.json()["next"] is None
    assert "link" not in answer.headers


def test_receipts_come_as_csv_all_at_once_or_in_pages(clock: StandingClock, kuopio: Caller, north_savo: Caller) -> None:
    post_all_kinds(clock, kuopio, north_savo)
    rows = kuopio.get("/v1/submissions").json()["rows"]

    answers = [
        kuopio.get("/v1/submissions", format="csv"),
        kuopio.http.get("/v1/submissions", headers={**kuopio.headers, "Accept": "text/csv"}),
    ]
    page = kuopio.get("/v1/submissions", format="csv", limit=2)

    told = list(csv.DictReader(io.StringIO(answers[0].text.removeprefix("\ufeff"))))
    assert told == [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    assert answers[1].content == answers[0].content
    assert answers[0].headers["content-type"] == "text/csv; charset=utf-8"
    assert len(page.text.splitlines()) == 3
    assert page.links["next"]["url"] == "/v1/submissions?format=csv&limit=2&cursor=2"


def test_more_receipts_than_a_statement_takes_parameters_come_as_csv(app: FastAPI, kuopio: Caller) -> None:
    many = 70_000
    kuopio.post([count("297", "2022-01", 7)])
    with app.state.database.writing() as db:
        first = db.get_one(Submission, 1).model_dump()
        at = first["recorded_at"]
        more = [first | {"id": n, "recorded_at": at + timedelta(microseconds=n)} for n in range(2, many + 1)]
        db.connection().execute(insert(Submission), more)

    answer = kuopio.get("/v1/submissions", format="csv")

    assert answer.status_code == 200
    assert answer.text.count("\n") == many + 1


def test_parameters_out_of_bounds_are_refused_or_lead_to_an_empty_page(kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-01", 7)])
    cursors = ["1", "2147483647", "9999999999", "0", "99999999999", "abc", "-1", "1.0", "", "01", "\u0661", "1 "]
    limits: list[Any] = [1, 0, -1, "x", 2**31, 2**63]

    by_cursor = [kuopio.get("/v1/submissions", cursor=cursor) for cursor in cursors]
    by_limit = [kuopio.get("/v1/submissions", limit=limit) for limit in limits]

    assert [answer.status_code for answer in by_cursor] == [200] * 3 + [422] * 9
    assert [len(answer.json()["rows"]) for answer in by_cursor[:3]] == [0, 1, 1]
    assert [answer.status_code for answer in by_limit] == [200] + [422] * 5
    assert kuopio.get("/v1/submissions", format="xlsx").status_code == 422
    assert kuopio.get("/v1/submissions", as_of="2024-05-15").status_code == 422


def test_whoever_posted_nothing_has_no_receipts(kuopio: Caller, nation: Caller) -> None:
    nation.post([count("297", "2022-01", 7)])

    answers = [kuopio.get("/v1/submissions"), kuopio.get("/v1/submissions", format="csv")]

    assert answers[0].json() == {"rows": [], "next": None}
    assert len(answers[1].text.splitlines()) == 1


# The chain.


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


def test_hashing_in_pieces_is_hashing_the_whole(
    app: FastAPI, clock: StandingClock, kuopio: Caller, north_savo: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions, "_ENTRIES_AT_ONCE", 2)
    monkeypatch.setattr(submissions, "_CHARACTERS_AT_ONCE", 7)
    monkeypatch.setattr(ledger, "_TEXTS_AT_ONCE", 2)
    post_all_kinds(clock, kuopio, north_savo)
    kuopio.post([count("297", f"2021-{month:02}", month, note="Kunta “ä”\n") for month in range(1, 8)])

    assert [receipt["hash"] for receipt in stored(app, "submissions")] == recomputed_chain(app)
    assert [row["index"] for row in kuopio.get("/v1/submissions/7").json()["rows"]] == list(range(7))


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
