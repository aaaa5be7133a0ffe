"""Refusals of known keys in the audit log: which are there, what they say, and what never is."""

import json
import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app.access.keys import revoke_key
from app.database import wait_for_turn
from app.main import create_app, openapi
from app.reports.verifying import verify
from tests.access.test_keys import basic, checksum
from tests.conftest import NOW, Caller, StandingClock, count, status
from tests.reports.stored import everything, stored

COUNT = "/v1/session-counts/yhdessa-aika/297/2022-03"
ONE_COUNT = "/v1/session-counts/{practice}/{municipality}/{period}"
# The example of the Digital and Population Data Services Agency: nobody's.
NOBODYS = "131052-308T"


def key_id(caller: Caller) -> str:
    assert caller.key
    return caller.key.split("_")[1]


def refusals(app: FastAPI) -> list[dict[str, Any]]:
    """Every refusal in the audit log, oldest first."""
    return [line for line in stored(app, "audit_lines") if line["kind"] == "refused"]


def told(app: FastAPI) -> list[tuple[str, str, str, str, int]]:
    """Of every refusal the key, the reason, the method, the route and the status code."""
    names = ("reason", "method", "route", "status")
    return [(line["key_id"], *(json.loads(line["detail"])[name] for name in names)) for line in refusals(app)]


def test_a_refusal_is_told_with_key_moment_reason_method_route_and_status_code(
    app: FastAPI, clock: StandingClock, kuopio: Caller
) -> None:
    clock.advance(hours=1)
    before = stored(app, "audit_lines")

    answer = kuopio.put(COUNT.replace("297", "140"), {"sessions": 7})

    line = stored(app, "audit_lines")[-1]
    assert answer.status_code == 403
    assert len(stored(app, "audit_lines")) == len(before) + 1
    assert line == {
        "id": before[-1]["id"] + 1,
        "recorded_at": NOW + timedelta(hours=1),
        "kind": "refused",
        "key_id": key_id(kuopio),
        "detail": f'{{"method": "PUT", "reason": "not-covered", "route": "{ONE_COUNT}", "status": 403}}',
        "previous_hash": before[-1]["hash"],
        "hash": line["hash"],
    }


def test_every_kind_of_refusal_is_told(
    app: FastAPI, http: TestClient, kuopio: Caller, new_key: Callable[..., str]
) -> None:
    reader = Caller(http, new_key("municipality:297", actions=["read"]))
    kuopio.post([count("297", "2022", 7)])
    lists, posts, rotation = "/v1/session-counts", "/v1/submissions", "/v1/key/rotation"
    retraction = "/v1/submissions/{id}/retraction"
    reason = {"reason": "n"}
    http.post(posts, json={"counts": [count("297", "2021", 7)]}, headers={**kuopio.headers, "Idempotency-Key": "a"})
    http.post(rotation, headers=reader.headers)

    answers = [
        kuopio.post([count("140", "2022", 7)]),
        reader.post([count("297", "2022", 7)]),
        kuopio.get(lists, municipality="140"),
        kuopio.post([count("297", "2022-03", 7)]),
        http.post(f"{posts}/1/retraction", json=reason, headers=kuopio.headers),
        http.post(f"{posts}/1/retraction", json=reason, headers=kuopio.headers),
        http.post(rotation, headers=reader.headers),
        kuopio.post([count("297", "2030", 7)]),
        kuopio.post([count("297", "2022", -7)]),
        http.post(posts, json={"counts": []}, headers={**kuopio.headers, "Idempotency-Key": "a"}),
        # Refused before anybody asked who is calling.
        kuopio.post([count("297", "2022", 7)], colour="blue"),
        http.post(posts, content=b"{", headers={**kuopio.headers, "Content-Type": "application/json"}),
        http.get("/v1/submissions/x", headers=kuopio.headers),
        http.post(rotation, params={"overlap_days": 31}, headers=reader.headers),
        # Open to everyone, with a key all the same.
        kuopio.get("/v1/municipalities", colour="blue"),
        kuopio.get("/livez", colour="blue"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 3 + [409, 201, 409, 409] + [422] * 9
    own, other = key_id(kuopio), key_id(reader)
    assert told(app) == [
        (own, "not-covered", "POST", posts, 403),
        (other, "not-allowed", "POST", posts, 403),
        (own, "not-covered", "GET", lists, 403),
        (own, "overlapping", "POST", posts, 409),
        (own, "nothing-to-retract", "POST", retraction, 409),
        (other, "cannot-rotate", "POST", rotation, 409),
        (own, "invalid-request", "POST", posts, 422),
        (own, "invalid-request", "POST", posts, 422),
        (own, "idempotency-key-reused", "POST", posts, 422),
        (own, "invalid-parameter", "POST", posts, 422),
        (own, "invalid-request", "POST", posts, 422),
        (own, "invalid-parameter", "GET", "/v1/submissions/{id}", 422),
        (other, "invalid-parameter", "POST", rotation, 422),
        (own, "invalid-parameter", "GET", "/v1/municipalities", 422),
        (own, "invalid-parameter", "GET", "/livez", 422),
    ]


def test_the_route_is_the_address_that_the_contract_writes(app: FastAPI, kuopio: Caller) -> None:
    operations = [(method.upper(), path) for path, described in openapi(app)["paths"].items() for method in described]

    answers = [
        kuopio.http.request(method, re.sub("{.*?}", "1", path), params={"colour": "blue"}, headers=kuopio.headers)
        for method, path in operations
    ]

    assert {answer.status_code for answer in answers} == {422}
    assert [(line[2], line[3]) for line in told(app)] == operations


def test_a_key_that_was_revoked_or_has_expired_is_told_whatever_it_asks_for(
    app: FastAPI, http: TestClient, clock: StandingClock, new_key: Callable[..., str]
) -> None:
    revoked = Caller(http, new_key("country"))
    expired = basic(revoked, new_key("country", days=1))
    both = Caller(http, new_key("country", days=1))
    with app.state.database.writing() as db:
        for caller in (revoked, both):
            revoke_key(db, key_id(caller), at=clock())
    clock.advance(days=1)

    answers = [
        *(caller.get("/v1/key") for caller in (revoked, expired, both)),
        *(caller.post([count("297", "2022", 7)]) for caller in (revoked, expired)),
        expired.get("/v1/trends"),
        http.post("/v1/key/rotation", headers=expired.headers),
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert told(app) == [
        (key_id(revoked), "revoked", "GET", "/v1/key", 401),
        (key_id(expired), "expired", "GET", "/v1/key", 401),
        (key_id(both), "revoked", "GET", "/v1/key", 401),
        (key_id(revoked), "revoked", "POST", "/v1/submissions", 401),
        (key_id(expired), "expired", "POST", "/v1/submissions", 401),
        (key_id(expired), "expired", "GET", "/v1/trends", 401),
        (key_id(expired), "expired", "POST", "/v1/key/rotation", 401),
    ]


def test_what_is_answered_and_what_is_not_there_is_not_told(app: FastAPI, kuopio: Caller) -> None:
    answers = [
        kuopio.post([count("297", "2022", 7)]),
        kuopio.post([count("297", "2022", 7)]),
        kuopio.post([count("140", "2022", 7), count("297", "2021", 7)], skip_invalid=True),
        kuopio.put(COUNT.replace("2022-03", "2022"), {"sessions": 8}, If_Match='"99"'),
        kuopio.put(COUNT.replace("2022-03", "2022"), {"sessions": 8}),
        kuopio.get(COUNT),
        kuopio.get("/v1/submissions/99"),
        kuopio.get("/v1/nothing"),
        kuopio.delete("/v1/submissions"),
        kuopio.http.post("/v1/submissions", content=b"a", headers=kuopio.headers),
        kuopio.get("/v1/key"),
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 201, 412, 200, 404, 404, 404, 405, 415, 200]
    assert refusals(app) == []


def test_unknown_and_malformed_keys_and_callers_without_one_fill_nothing(
    app: FastAPI, anyone: Caller, kuopio: Caller
) -> None:
    assert kuopio.key
    before = stored(app, "audit_lines")
    stem, other = kuopio.key[:-6], kuopio.key[:-38] + "A" * 32
    wrong = [
        *("", "Bearer", "Bearer ", "Bearer ä", "Basic", "Basic !", f"Digest {kuopio.key}"),
        *(f"Bearer {stem}aaaaaa", f"Bearer {other}{checksum(other)}"),
    ]
    attempts: list[Callable[[dict[bytes, bytes]], Any]] = [
        lambda headers: anyone.http.get("/v1/key", headers=headers),
        lambda headers: anyone.http.get("/v1/key?colour=blue", headers=headers),
        lambda headers: anyone.http.post("/v1/submissions", json={"colour": "blue"}, headers=headers),
    ]

    answers = [attempt({b"Authorization": header.encode()}) for attempt in attempts for header in wrong]
    answers += [attempt({}) for attempt in attempts]

    assert {answer.status_code for answer in answers} == {401, 422}
    assert stored(app, "audit_lines") == before


def test_nothing_that_the_caller_wrote_reaches_the_table(app: FastAPI, kuopio: Caller) -> None:
    headers = {**kuopio.headers, "Idempotency-Key": NOBODYS, "X-Request-Id": NOBODYS, "User-Agent": NOBODYS}
    body = {"counts": [count("297", "2022", 1, note=NOBODYS)], NOBODYS: NOBODYS}
    answers = [
        kuopio.http.request(method, path, headers=headers, params=params, json=body)
        for method, path, params in (
            ("POST", "/v1/submissions", {}),
            ("POST", "/v1/submissions", {NOBODYS: NOBODYS}),
            ("PUT", f"/v1/session-counts/{NOBODYS}/{NOBODYS}/{NOBODYS}", {}),
            ("PUT", f"/v1/statuses/yhdessa-aika/140/{NOBODYS}", {}),
            ("DELETE", COUNT, {"reason": NOBODYS}),
            ("GET", "/v1/trends", {"county": NOBODYS}),
        )
    ]
    assert kuopio.key

    lines = refusals(app)

    assert {answer.status_code for answer in answers} == {422}
    assert len(lines) == 6
    assert [word for word in (NOBODYS, "131052", kuopio.key, kuopio.key.split("_")[2]) if word in repr(lines)] == []


def test_the_refused_request_leaves_nothing_else(app: FastAPI, clock: StandingClock, kuopio: Caller) -> None:
    kuopio.post([count("297", "2022", 7)], [status("297", "2022", "pilot")])
    before = everything(app)
    clock.advance(days=1)

    kuopio.post([count("297", "2021", 7), count("140", "2021", 7)], [status("297", "2021", "pilot")])
    kuopio.post([count("297", "2022-01", 7), count("297", "2021", 7)])
    kuopio.post([count("297", "2021", 7)], [status("297", "2030", "pilot")])

    # Also the ledger's clock, `last_write`, stands where it stood.
    assert everything(app) == before
    assert len(refusals(app)) == 3


def test_while_nothing_can_be_written_refusals_are_answered_all_the_same(
    app: FastAPI, clock: StandingClock, kuopio: Caller
) -> None:
    impatient = create_app(app.state.settings.model_copy(update={"lock_timeout_seconds": 0.1}), clock)
    caller = Caller(TestClient(impatient), kuopio.key)

    with app.state.database.writing() as busy, capture_logs() as logs:
        wait_for_turn(busy)
        refused = [caller.get("/v1/session-counts", municipality="140"), caller.get("/v1/key", colour="blue")]
        read = caller.get("/v1/key")
    impatient.state.database.dispose()

    assert [answer.status_code for answer in (*refused, read)] == [403, 422, 200]
    assert refused[0].json()["type"] == "urn:yhdessa:problem:not-covered"
    failures = [(line["event"], line["status"]) for line in logs if line["log_level"] == "error"]
    assert failures == [("a refusal could not be written into the audit log", code) for code in (403, 422)]
    assert refusals(app) == []


def test_refusals_at_once_make_one_chain(app: FastAPI, kuopio: Caller, north_savo: Caller) -> None:
    together = threading.Barrier(6)

    def refuse(caller: Caller) -> None:
        together.wait()
        for _ in range(4):
            assert caller.get("/v1/session-counts", municipality="091").status_code == 403

    threads = [threading.Thread(target=refuse, args=(caller,)) for caller in (kuopio, north_savo) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    lines = stored(app, "audit_lines")
    assert [line["id"] for line in lines] == list(range(1, 27))
    assert len(refusals(app)) == 24
    assert len({line["previous_hash"] for line in lines}) == 26
    with app.state.database.reading() as db:
        assert verify(db).lines == 26
