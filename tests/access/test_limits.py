"""How often a key may be used and an address may show a wrong one, over HTTP."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.access.keys import revoke_key
from app.main import create_app, openapi
from app.settings import Settings
from tests.access.test_keys import checksum
from tests.conftest import NOW, Caller, StandingClock, StandingTicks, count

NewKey = Callable[..., str]

FIGURE = "/v1/session-counts/yhdessa-aika/297/2022-03"
KEY_POLICY = '"key";q=3;w=60'
ADDRESS_POLICY = '"address";q=2;w=60'


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"requests_per_minute": 3, "failed_keys_per_minute": 2})


@pytest.fixture
def ticks() -> StandingTicks:
    return StandingTicks()


@pytest.fixture
def app(settings: Settings, clock: StandingClock, ticks: StandingTicks) -> Iterator[FastAPI]:
    application = create_app(settings, clock, ticks=ticks)
    yield application
    application.state.database.dispose()


def told(answer: Any) -> tuple[int, str | None, str | None]:
    """The status code of `answer` and what it says of rates."""
    return answer.status_code, answer.headers.get("RateLimit-Policy"), answer.headers.get("RateLimit")


def wrong_key(http: TestClient, key: str = "wrong", **headers: str) -> Any:
    return http.get("/v1/key", headers={"Authorization": f"Bearer {key}", **headers})


def test_a_key_is_answered_so_often_then_refused_and_after_the_wait_answered(
    kuopio: Caller, ticks: StandingTicks
) -> None:
    at_once = [told(kuopio.get("/v1/key")) for _ in range(3)]
    refused = kuopio.get("/v1/key")
    ticks.advance(seconds=int(refused.headers["Retry-After"]))
    after = [told(kuopio.get("/v1/key")) for _ in range(2)]

    assert at_once == [(200, KEY_POLICY, f'"key";r={left};t=20') for left in (2, 1, 0)]
    assert told(refused) == (429, KEY_POLICY, '"key";r=0;t=20')
    assert refused.headers["Retry-After"] == "20"
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["Cache-Control"] == "no-store"
    assert refused.json() == {
        "type": "urn:yhdessa:problem:too-many-requests",
        "title": "Too many requests",
        "status": 429,
        "detail": "a key may ask 3 times at once and as many again in each minute; ask again in 20 s",
        "instance": "/v1/key",
    }
    assert after == [(200, KEY_POLICY, '"key";r=0;t=20'), (429, KEY_POLICY, '"key";r=0;t=20')]


def test_what_is_refused_for_its_rate_does_nothing(kuopio: Caller, nation: Caller) -> None:
    posted = [kuopio.post([count("297", f"2022-0{month}", month)]).status_code for month in range(1, 5)]
    changed = [kuopio.put(FIGURE, {"sessions": 9}).status_code, kuopio.delete(FIGURE, reason="wrong").status_code]

    assert (posted, changed) == ([201, 201, 201, 429], [429, 429])
    assert [row["sessions"] for row in nation.get("/v1/session-counts").json()["rows"]] == [1, 2, 3]
    assert nation.get("/v1/submissions/4").status_code == 404


def test_each_key_has_a_rate_of_its_own(http: TestClient, new_key: NewKey) -> None:
    keys = [new_key("municipality:297", organisation="Kuopio") for _ in range(2)]
    first, second = (Caller(http, key) for key in keys)

    told_first = [first.get("/v1/key").status_code for _ in range(4)]
    told_second = [second.get("/v1/key").status_code for _ in range(4)]

    assert told_first == told_second == [200, 200, 200, 429]


def test_whoever_uses_a_key_by_another_way_is_counted_as_the_same(http: TestClient, kuopio: Caller) -> None:
    assert kuopio.key
    as_password = [http.get("/v1/key", auth=("anyone", kuopio.key)).status_code for _ in range(2)]
    on_a_public_route = kuopio.get("/v1/trends").status_code
    as_bearer = kuopio.get("/v1/key").status_code

    assert (as_password, on_a_public_route, as_bearer) == ([200, 200], 200, 429)


def test_every_kind_of_answer_to_a_key_says_what_is_left(
    settings: Settings, clock: StandingClock, new_key: NewKey
) -> None:
    patient = create_app(settings.model_copy(update={"requests_per_minute": 100}), clock, ticks=StandingTicks())
    key = {"Authorization": f"Bearer {new_key('municipality:297')}"}
    with TestClient(patient) as client:

        def ask(method: str, path: str, body: Any = None, **headers: str) -> Any:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return client.request(method, path, json=body, headers={**key, **named})

        counts = ask("GET", "/v1/session-counts")
        answers = [
            counts,
            ask("HEAD", "/v1/session-counts"),
            ask("GET", "/v1/session-counts", If_None_Match=counts.headers["ETag"]),
            ask("GET", "/v1/session-counts", Range="bytes=0-1"),
            ask("PUT", FIGURE, {"sessions": 7}, Idempotency_Key="a"),
            ask("PUT", FIGURE, {"sessions": 7}, Idempotency_Key="a"),
            ask("PUT", FIGURE, {"sessions": 8}, Idempotency_Key="a"),
            ask("PUT", FIGURE, {"sessions": 8}, If_Match='"other"'),
            ask("PUT", FIGURE, {"sessions": -1}),
            ask("PUT", "/v1/session-counts/yhdessa-aika/297/2022", {"sessions": 7}),
            ask("PUT", "/v1/session-counts/yhdessa-aika/140/2022", {"sessions": 7}),
            ask("GET", "/v1/submissions/4711"),
            ask("GET", "/v1/trends"),
        ]

    codes = [200, 200, 304, 206, 201, 201, 422, 412, 422, 409, 403, 404, 200]
    assert [told(answer) for answer in answers] == [
        (code, '"key";q=100;w=60', f'"key";r={99 - number};t=1') for number, code in enumerate(codes)
    ]
    assert answers[5].headers["Idempotency-Replayed"] == "true"


def test_every_call_that_takes_a_key_is_limited(app: FastAPI, kuopio: Caller) -> None:
    for _ in range(3):
        kuopio.get("/v1/key")
    contract = openapi(app)

    answered = {}
    for path, methods in contract["paths"].items():
        for method, operation in methods.items():
            given = {
                parameter["name"]: example_of(parameter)
                for parameter in operation.get("parameters", [])
                if parameter["required"]
            }
            answer = kuopio.http.request(
                method,
                path.format_map(given),
                params={name: value for name, value in given.items() if f"{{{name}}}" not in path},
                json={} if "requestBody" in operation else None,
                headers=kuopio.headers,
            )
            answered[operation["operationId"]] = answer.status_code == 429, "429" in operation["responses"]

    taking_a_key = {
        operation["operationId"]: "security" in operation
        for methods in contract["paths"].values()
        for operation in methods.values()
    }
    assert answered == {name: (takes_key, takes_key) for name, takes_key in taking_a_key.items()}


def example_of(parameter: dict[str, Any]) -> Any:
    named = [example["value"] for example in parameter.get("examples", {}).values()]
    return [*named, *parameter["schema"].get("examples", [])][0]


def test_reading_without_a_key_is_not_limited(anyone: Caller) -> None:
    paths = ["/v1/trends", "/v1/statuses", "/v1/counties", "/v1/config", "/livez"]

    answers = [told(anyone.get(path)) for path in paths for _ in range(5)]

    assert set(answers) == {(200, None, None)}


def test_a_missing_key_is_no_failure(http: TestClient, anyone: Caller) -> None:
    missing = [told(anyone.get("/v1/key")) for _ in range(5)] + [told(anyone.post([])) for _ in range(5)]

    assert set(missing) == {(401, None, None)}
    assert told(wrong_key(http)) == (401, ADDRESS_POLICY, '"address";r=1;t=30')


def test_wrong_keys_from_one_address_are_refused_so_often_and_then_told_to_wait(
    http: TestClient, ticks: StandingTicks
) -> None:
    at_first = [wrong_key(http) for _ in range(2)]
    too_many = wrong_key(http)
    ticks.advance(seconds=int(too_many.headers["Retry-After"]))
    after = [wrong_key(http).status_code for _ in range(2)]

    assert [told(answer) for answer in at_first] == [
        (401, ADDRESS_POLICY, '"address";r=1;t=30'),
        (401, ADDRESS_POLICY, '"address";r=0;t=30'),
    ]
    assert told(too_many) == (429, ADDRESS_POLICY, '"address";r=0;t=30')
    assert too_many.headers["Retry-After"] == "30"
    assert too_many.json() == {
        "type": "urn:yhdessa:problem:too-many-requests",
        "title": "Too many requests",
        "status": 429,
        "detail": "of the wrong keys from one address 2 a minute are looked at; this one is mistyped, unknown, expired "
        "or revoked, and a valid one is answered all the same; ask again in 30 s",
        "instance": "/v1/key",
    }
    assert after == [401, 429]


@pytest.mark.parametrize("wrong", ["mistyped", "unknown", "expired", "revoked", "no key"])
def test_everything_that_can_be_wrong_with_a_key_that_was_sent_is_a_failure(
    app: FastAPI, http: TestClient, new_key: NewKey, clock: StandingClock, wrong: str
) -> None:
    expired, revoked = new_key("country", days=1), new_key("country")
    clock.advance(days=1)
    with app.state.database.writing() as db:
        revoke_key(db, revoked.split("_")[1], at=clock())
    unknown = f"yhdessa_{'a' * 8}_{'b' * 32}"
    keys = {
        "mistyped": f"{revoked}a",
        "unknown": unknown + checksum(unknown),
        "expired": expired,
        "revoked": revoked,
        "no key": "",
    }

    answers = [wrong_key(http, keys[wrong]).status_code for _ in range(3)]

    assert answers == [401, 401, 429]


def test_a_valid_key_is_answered_while_wrong_ones_from_its_address_are_not(http: TestClient, kuopio: Caller) -> None:
    wrong = [wrong_key(http).status_code for _ in range(5)]

    assert wrong == [401, 401, 429, 429, 429]
    assert told(kuopio.post([count("297", "2022-03", 7)])) == (201, KEY_POLICY, '"key";r=2;t=20')
    assert wrong_key(http).status_code == 429


def test_wrong_keys_are_counted_on_writes_and_where_none_is_needed_too(http: TestClient) -> None:
    wrong = {"Authorization": "Bearer wrong"}

    answers = [
        http.post("/v1/submissions", json={"counts": [count("297", "2022-03", 7)]}, headers=wrong),
        http.get("/v1/trends", headers=wrong),
        http.put(FIGURE, json={"sessions": 7}, headers=wrong),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 429]


@pytest.mark.parametrize(
    ("addresses", "codes"),
    [
        (["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"], [401, 401, 429, 401]),
        (["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"], [401, 401, 429, 401]),
        (["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.2"], [401, 401, 429, 401]),
        (["socket", "socket", "socket", "192.0.2.1"], [401, 401, 429, 401]),
    ],
)
def test_each_address_has_a_rate_of_its_own(app: FastAPI, addresses: list[str], codes: list[int]) -> None:
    answers = [wrong_key(TestClient(app, client=(address, 50_000))).status_code for address in addresses]

    assert answers == codes


def test_behind_a_trusted_proxy_the_address_it_names_is_counted(settings: Settings, clock: StandingClock) -> None:
    proxied = Settings(**{**settings.model_dump(), "trusted_proxies": "10.0.0.0/8"})
    app = create_app(proxied, clock)
    proxy, stranger = (TestClient(app, client=(address, 50_000)) for address in ("10.0.0.1", "192.0.2.1"))
    named = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(4)]

    by_the_proxy = [wrong_key(proxy, **header).status_code for header in named]
    by_a_stranger = [wrong_key(stranger, **header).status_code for header in named]
    app.state.database.dispose()

    assert by_the_proxy == [401, 401, 401, 401]
    assert by_a_stranger == [401, 401, 429, 429]


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (timedelta(days=30, microseconds=1), None),
        (timedelta(days=30), "2024-06-24T09:00:00.000000Z"),
        (timedelta(microseconds=1), "2024-06-24T09:00:00.000000Z"),
        (timedelta(), None),
    ],
)
def test_in_its_last_thirty_days_every_answer_to_a_key_says_when_it_ends(
    http: TestClient, new_key: NewKey, clock: StandingClock, before: timedelta, said: str | None
) -> None:
    kuopio = Caller(http, new_key("municipality:297", days=40))
    clock.now = NOW + timedelta(days=40) - before

    answers = [
        kuopio.get("/v1/key"),
        kuopio.get("/v1/submissions/4711"),
        kuopio.post([count("297", "2022-03", -7)]),
        kuopio.get("/v1/key"),
    ]

    expected = [401, 401, 429, 429] if before == timedelta() else [200, 404, 422, 429]
    assert [(answer.status_code, answer.headers.get("Key-Expires")) for answer in answers] == [
        (code, said) for code in expected
    ]


def test_a_remembered_reply_says_what_holds_now(
    http: TestClient, new_key: NewKey, clock: StandingClock, ticks: StandingTicks
) -> None:
    kuopio = Caller(http, new_key("municipality:297", days=40))
    clock.now = NOW + timedelta(days=10) - timedelta(seconds=1)

    first = kuopio.put(FIGURE, {"sessions": 7}, Idempotency_Key="a")
    clock.advance(seconds=1)
    again = kuopio.put(FIGURE, {"sessions": 7}, Idempotency_Key="a")

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    assert [answer.headers.get("Key-Expires") for answer in (first, again)] == [None, "2024-06-24T09:00:00.000000Z"]
    assert [answer.headers["RateLimit"] for answer in (first, again)] == ['"key";r=2;t=20', '"key";r=1;t=20']


def test_a_reply_to_a_retry_that_comes_too_often_is_not_the_remembered_one(kuopio: Caller) -> None:
    answers = [kuopio.put(FIGURE, {"sessions": 7}, Idempotency_Key="a").status_code for _ in range(4)]

    assert answers == [201, 201, 201, 429]
