"""The audit log: what happened to keys, line by line, chained by hash."""

import hashlib
import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

from fastapi import FastAPI
from sqlmodel import Session

from app.access.audit import add_line, lines
from app.access.keys import issue_key, report_leak, revoke_key, rotate_key
from app.access.models import Action
from app.clock import written
from tests.conftest import NOW, Caller, StandingClock
from tests.reports.stored import stored


def issued(db: Session, name: str = "client system") -> str:
    actions = [Action.REPORT, Action.READ]
    return issue_key(db, name=name, organisation="Kuopio", actions=actions, areas=["county:13", "country"], at=NOW)


def id_of(key: str) -> str:
    return key.split("_")[1]


def test_the_life_of_a_key_is_told_line_by_line(db: Session) -> None:
    old = issued(db)
    new = rotate_key(db, id_of(old), at=NOW + timedelta(days=1), overlap_days=3)
    report_leak(db, old, at=NOW + timedelta(days=2))
    revoke_key(db, id_of(new), at=NOW + timedelta(days=3))

    told = [(line.id, line.recorded_at, line.kind, line.key_id, json.loads(line.detail)) for line in lines(db)]

    rotated = {"replaced_by": id_of(new), "valid_until": "2024-05-19T09:00:00.000000Z"}
    assert told == [
        (4, NOW + timedelta(days=3), "key_revoked", id_of(new), {}),
        (3, NOW + timedelta(days=2), "key_leaked", id_of(old), {}),
        (2, NOW + timedelta(days=1), "key_rotated", id_of(old), rotated),
        (1, NOW, "key_created", id_of(old), {"actions": "read report", "areas": "country county:13"}),
    ]
    for key in (old, new):
        assert key.split("_")[2] not in repr(lines(db))


def test_lines_are_those_about_one_key_if_asked_and_at_most_so_many(db: Session) -> None:
    one, other = id_of(issued(db)), id_of(issued(db))
    for _ in range(3):
        revoke_key(db, one, at=NOW)
    add_line(db, "note_redacted", key_id=None, at=NOW, list="counts", entry=1)

    asked = [
        [line.id for line in found]
        for found in (lines(db), lines(db, most=2), lines(db, key_id=other), lines(db, key_id=one, most=3))
    ]

    assert asked == [[6, 5, 4, 3, 2, 1], [6, 5], [2], [5, 4, 3]]
    assert lines(db, key_id="abcd1234") == []


def test_the_lines_form_a_chain_of_hashes_over_what_is_stored(
    app: FastAPI, clock: StandingClock, kuopio: Caller, north_savo: Caller
) -> None:
    clock.advance(microseconds=1)
    kuopio.get("/v1/session-counts", municipality="140")
    with app.state.database.writing() as db:
        add_line(db, "note_redacted", key_id=None, at=clock(), list="counts", entry=1)

    found = stored(app, "audit_lines")

    chain = ["0" * 64]
    for line in found:
        content: dict[str, Any] = {**line, "recorded_at": written(line["recorded_at"]), "previous_hash": chain[-1]}
        del content["hash"]
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        chain.append(hashlib.sha256(canonical.encode()).hexdigest())
    assert [line["kind"] for line in found] == ["key_created", "key_created", "refused", "note_redacted"]
    assert [(line["previous_hash"], line["hash"]) for line in found] == list(pairwise(chain))
