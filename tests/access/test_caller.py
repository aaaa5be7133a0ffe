"""Who is calling, over HTTP: how a key may be sent, and what is answered when it is not good enough."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.access.keys import revoke_key
from app.reports import receiving
from tests.access.test_keys import checksum
from tests.conftest import NOW, Caller, StandingClock, count, status
from tests.reports.stored import stored

NewKey = Callable[..., str]


def encoded(text: bytes) -> str:
    return base64.b64encode(text).decode()


def test_a_key_is_sent_as_a_bearer_token_or_as_the_password_of_basic(http: TestClient, kuopio: Caller) -> None:
    assert kuopio.key
    key = kuopio.key
    ways = [
        f"Bearer {key}",
        f"bearer {key}",
        f"BEARER   {key}  ",
        "Basic " + encoded(f"kuopio:{key}".encode()),
        "basic " + encoded(f":{key}".encode()),
        "Basic " + encoded(f"Käyttäjä:{key}".encode()),
    ]

    answers = [http.get("/v1/key", headers={"Authorization": way}) for way in ways]

    assert [answer.status_code for answer in answers] == [200] * len(ways)
    assert {answer.json()["organisation"] for answer in answers} == {"Kuopio"}


def test_everything_that_can_be_wrong_with_a_key_gets_one_answer(
    app: FastAPI, http: TestClient, new_key: NewKey, clock: StandingClock
) -> None:
    good, expired, revoked = new_key("country"), new_key("country", days=1), new_key("country")
    clock.advance(days=1)
    with app.state.database.writing() as db:
        revoke_key(db, revoked.split("_")[1], at=clock())
    unknown = f"yhdessa_{'a' * 8}_{'b' * 32}"
    stolen_id = good[: len("yhdessa_") + 9] + "b" * 32
    headers: list[dict[str, str]] = [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": good},
        {"Authorization": f"Token {good}"},
        {"Authorization": f"Bearer {good}a"},
        {"Authorization": f"Bearer {good[:-1]}"},
        {"Authorization": f"Bearer {unknown}{checksum(unknown)}"},
        {"Authorization": f"Bearer {stolen_id}{checksum(stolen_id)}"},
        {"Authorization": f"Bearer {expired}"},
        {"Authorization": f"Bearer {revoked}"},
        {"Authorization": f"Bearer {good} {good}"},
        {"Authorization": f"Basic {good}"},
        {"Authorization": "Basic " + encoded(good.encode())},
        {"Authorization": "Basic " + encoded(f"{good}:".encode())},
        {"Authorization": "Basic " + encoded(b"\xff\xfe:" + good.encode())},
        {"Authorization": "Basic ä".encode("latin-1").decode("latin-1")},
        {"Authorization": "Basic %%%"},
    ]

    answers = [http.get("/v1/key", headers=raw(header)) for header in headers]

    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["www-authenticate"] for answer in answers} == {'Bearer realm="yhdessa"'}
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json() == {
        "type": "urn:yhdessa:problem:not-authenticated",
        "title": "A valid key is needed",
        "status": 401,
        "detail": "send a valid key as `Authorization: Bearer <key>`, or as the password of HTTP Basic; "
        "this one is missing, mistyped, unknown, expired or revoked",
        "instance": "/v1/key",
    }
    assert http.get("/v1/key", headers={"Authorization": f"Bearer {good}"}).status_code == 200


def test_a_wrong_key_is_refused_also_where_none_is_needed(http: TestClient, anyone: Caller) -> None:
    wrong = {"Authorization": "Bearer wrong"}

    assert anyone.get("/v1/trends").status_code == 200
    assert http.get("/v1/trends", headers=wrong).status_code == 401
    assert http.get("/v1/statuses/yhdessa-aika/297/2022/history", headers=wrong).status_code == 401


def test_every_call_that_needs_a_key_says_so_and_stores_nothing(anyone: Caller, nation: Caller) -> None:
    figure, dated = "/v1/session-counts/yhdessa-aika/297/2022-03", "/v1/statuses/yhdessa-aika/297/2022-03"
    nation.post([count("297", "2022-03", 7)], [status("297", "2022-03", "pilot")])

    answers = [
        anyone.post([count("297", "2022-04", 8)]),
        anyone.get("/v1/submissions/1"),
        anyone.put(figure, {"sessions": 8}),
        anyone.get(figure),
        anyone.get(f"{figure}/history"),
        anyone.delete(figure, reason="wrong"),
        anyone.put(dated, {"status": "in_use"}),
        anyone.delete(dated, reason="wrong"),
        anyone.get("/v1/session-counts"),
        anyone.get("/v1/key"),
    ]

    assert [answer.status_code for answer in answers] == [401] * len(answers)
    assert [row["sessions"] for row in nation.get("/v1/session-counts").json()["rows"]] == [7]
    assert [row["status"] for row in nation.get("/v1/statuses").json()["rows"]] == ["pilot"]


def test_a_key_is_refused_from_the_request_after_its_revocation_on(app: FastAPI, kuopio: Caller) -> None:
    assert kuopio.key
    before = kuopio.post([count("297", "2022-03", 7)])

    with app.state.database.writing() as db:
        revoke_key(db, kuopio.key.split("_")[1], at=NOW)
    after = [kuopio.post([count("297", "2022-03", 8)]), kuopio.get("/v1/key"), kuopio.get("/v1/trends")]

    assert before.status_code == 201
    assert [answer.status_code for answer in after] == [401, 401, 401]


def test_a_key_that_is_revoked_while_a_long_body_is_read_is_refused_and_counted_once(
    app: FastAPI, kuopio: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = receiving._read

    def read_meanwhile(*arguments: Any) -> Any:
        with app.state.database.writing() as db:
            revoke_key(db, str(kuopio.key).split("_")[1], at=NOW)
        return read(*arguments)

    monkeypatch.setattr(receiving, "_read", read_meanwhile)
    long_body = json.dumps({"counts": [count("297", "2022-03", 7)]}) + " " * 20_000

    answer = kuopio.http.post(
        "/v1/submissions",
        content=long_body,
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {kuopio.key}"},
    )

    assert answer.status_code == 401
    assert answer.headers["RateLimit"].startswith('"key";r=')
    assert stored(app, "submissions") == []


def test_a_key_is_refused_from_the_moment_it_expires(http: TestClient, new_key: NewKey, clock: StandingClock) -> None:
    kuopio = Caller(http, new_key("municipality:297", days=30))

    clock.now = NOW + timedelta(days=30) - timedelta(microseconds=1)
    before = kuopio.get("/v1/key")
    clock.now = NOW + timedelta(days=30)
    after = kuopio.get("/v1/key")

    assert (before.status_code, after.status_code) == (200, 401)


def test_a_key_without_the_action_is_refused_with_what_it_may_do(http: TestClient, new_key: NewKey) -> None:
    reader = Caller(http, new_key("country", actions=["read"]))
    reporter = Caller(http, new_key("country", actions=["report"]))
    figure = "/v1/session-counts/yhdessa-aika/297/2022-03"

    refused = [
        reader.post([count("297", "2022-03", 7)]),
        reader.put(figure, {"sessions": 7}),
        reader.delete(figure, reason="wrong"),
        reporter.get(figure),
        reporter.get(f"{figure}/history"),
        reporter.get("/v1/session-counts"),
    ]

    assert [(answer.status_code, answer.json()["detail"]) for answer in refused] == [
        (403, "this needs a key with the action report; this key may: read")
    ] * 3 + [(403, "this needs a key with the action read; this key may: report")] * 3
    assert {answer.json()["type"] for answer in refused} == {"urn:yhdessa:problem:not-allowed"}
    assert reader.get("/v1/session-counts").json()["rows"] == []


def test_a_reporter_without_read_gets_its_own_receipt_again_and_no_other(http: TestClient, new_key: NewKey) -> None:
    one = Caller(http, new_key("municipality:297", actions=["report"], organisation="Kuopio"))
    colleague = Caller(http, new_key("municipality:297", actions=["read"], organisation="Kuopio"))
    other = Caller(http, new_key("country", organisation="Other"))

    receipt = one.post([count("297", "2022-03", 7)]).json()

    assert one.get("/v1/submissions/1").json() == receipt
    assert colleague.get("/v1/submissions/1").json() == receipt
    assert other.get("/v1/submissions/1").status_code == 404


def test_a_key_reports_and_reads_within_its_area_alone(http: TestClient, new_key: NewKey, nation: Caller) -> None:
    places = {"297": "Kuopio", "140": "Iisalmi", "588": "Pertunmaa", "507": "Mäntyharju", "035": "Brändö"}
    covered_by = {
        "municipality:297": {"297"},
        "county:13": {"297", "140"},
        "county:12": {"588", "507"},
        "municipality:507": {"507"},
        "municipality:588": {"588"},
        "municipality:035": {"035"},
        "country": set(places),
    }
    nation.post([count(code, "2021", 1) for code in places])

    for area, covered in covered_by.items():
        caller = Caller(http, new_key(area))
        posted = {code: caller.post([count(code, "2022-03", 7)]) for code in places}
        read = {code: caller.get(f"/v1/session-counts/yhdessa-aika/{code}/2021") for code in places}
        filtered = {code: caller.get("/v1/session-counts", municipality=code) for code in places}
        listed = caller.get("/v1/session-counts", to_period="2021").json()["rows"]

        for answers, good in ((posted, 201), (read, 200), (filtered, 200)):
            assert {code for code, answer in answers.items() if answer.status_code == good} == covered, area
            assert {answer.status_code for code, answer in answers.items() if code not in covered} <= {403}
        assert {row["municipality"] for row in listed} == covered
        for code in places.keys() - covered:
            assert posted[code].json()["errors"] == [
                {
                    "pointer": "/counts/0/municipality",
                    "detail": f"the key does not cover {code} {places[code]}",
                    "row": 0,
                }
            ]
            assert posted[code].json()["type"] == "urn:yhdessa:problem:not-covered"


def test_a_key_may_cover_several_areas(http: TestClient, new_key: NewKey) -> None:
    caller = Caller(http, new_key("municipality:297", "county:12"))

    assert caller.post([count("297", "2022", 1), count("507", "2022", 1)]).status_code == 201
    assert caller.post([count("297", "2021", 1), count("140", "2022", 1)]).status_code == 403


def test_a_county_reports_for_a_merged_municipality_up_to_its_end(
    http: TestClient, new_key: NewKey, clock: StandingClock
) -> None:
    clock.now = datetime(2026, 2, 1, 12, tzinfo=UTC)
    south_savo, north_savo = Caller(http, new_key("county:12")), Caller(http, new_key("county:13"))
    successor = Caller(http, new_key("municipality:507"))

    in_time = south_savo.post(
        [count("588", "2024", 7), count("588", "2023-Q4", 2)], [status("588", "2024-12-31", "ended")]
    )
    too_late = south_savo.post(
        [count("588", "2025", 7), count("588", "2025-01", 7)], [status("588", "2025-01-01", "pilot")]
    )
    others = [caller.post([count("588", "2024", 8)]) for caller in (north_savo, successor)]

    ended = "the code 588 ended on 2024-12-31; it went into 507"
    assert in_time.status_code == 201
    assert too_late.status_code == 422
    assert {error["detail"] for error in too_late.json()["errors"]} >= {ended}
    assert {(error["pointer"], error["detail"]) for error in too_late.json()["errors"] if error["detail"] == ended} == {
        ("/counts/0/period", ended),
        ("/counts/1/period", ended),
        ("/statuses/0/date", ended),
    }
    assert [answer.status_code for answer in others] == [403, 403]


def raw(header: dict[str, str]) -> Any:
    """`header` as bytes, since HTTP clients refuse to send what is not ASCII as text."""
    return {name: value.encode("latin-1") for name, value in header.items()}
