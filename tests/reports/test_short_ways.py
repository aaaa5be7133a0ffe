"""The short ways to posts: what they take is answered as by the long way, and all else goes that way."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.access.keys import issue_key
from app.access.models import Action
from app.database import Database
from app.main import create_app
from app.reports.receiving import MOST_BYTES_AT_ONCE
from app.settings import Settings
from tests.conftest import NOW, Caller, StandingClock, StandingTicks, count, sqlite_copy, status

COUNT = "/v1/session-counts/yhdessa-aika/297/2022-03"
STATUS = "/v1/statuses/yhdessa-aika/297/2022-03-01"


class Sent(NamedTuple):
    """A request with a body that may be written with spaces behind it."""

    method: str
    path: str
    body: str
    headers: Mapping[str, str] = MappingProxyType({})


def post(counts: Any = (), statuses: Any = (), **headers: str) -> Sent:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Sent("POST", "/v1/submissions", json.dumps({"counts": counts, "statuses": statuses}), named)


def put(path: str, body: Any, **headers: str) -> Sent:
    return Sent("PUT", path, json.dumps(body), {name.replace("_", "-"): value for name, value in headers.items()})


RIGHT = [
    post([count("297", "2022-03", 5)]),
    post([count("297", "2022-03", 6, note="Corrected")], [status("297", "2022", "in_use")]),
    post([count("297", "2022", 60, replace=True)], Idempotency_Key="once"),
    post([count("297", "2022", 60, replace=True)], Idempotency_Key="once"),
    post([count("297", "2023-04", 60, through=None)], Content_Type="application/json; charset=utf-8"),
    put(COUNT, {"sessions": 7, "replace": True}),
    put(COUNT, {"sessions": 7, "replace": True}, Idempotency_Key="another"),
    put(COUNT, {"sessions": 8, "note": "Kaksi ryhmää"}),
    put(STATUS, {"status": "pilot"}),
]
WRONG = [
    post(),
    post([{}]),
    post([count("297", "2022-3", 5)]),
    post([count("297", "2022-05", -1)]),
    post([count("297", "2022-05", 5) | {"sessions": "5"}]),
    post([count("297", "2022-05", 5, session=5)]),
    post([count("999", "2022-05", 5)]),
    post([count("049", "2022-05", 5)]),
    post([count("297", "2022-05", 5)] * 2),
    post([count("297", "2022-05", 5)] * 11),
    post([count("297", "2022-Q1", 5)]),
    post([count("297", "2022-05", 5)], Idempotency_Key="with space"),
    post([count("297", "2022-05", 5)], Idempotency_Key="x" * 256),
    post([count("297", "2022-06", 5)], Idempotency_Key="once"),
    post([count("297", "2022-05", 5)], Content_Type="text/plain"),
    post([count("297", "2022-05", 5)], Authorization="Bearer no-key"),
    post([{}], Authorization="Bearer no-key"),
    Sent("POST", "/v1/submissions", '{"counts": [], "counts": []}'),
    Sent("POST", "/v1/submissions", '{"counts": [NaN]}'),
    Sent("POST", "/v1/submissions", "[" * 40 + "]" * 40),
    Sent("POST", "/v1/submissions", "no JSON"),
    Sent("POST", "/v1/submissions", "null"),
    Sent("POST", "/v1/submissions?dry_run=maybe", '{"counts": []}'),
    Sent("POST", "/v1/submissions?dry=true", '{"counts": []}'),
    put(COUNT, {"sessions": 5, "municipality": "140"}),
    put(COUNT, {"sessions": 5.0}),
    put(COUNT, [5]),
    put(COUNT, {"sessions": 5}, If_Match='"999"'),
    put(COUNT.replace("2022-03", "2022-13"), {"sessions": 5}),
    put(COUNT.replace("297", "29"), {"sessions": 5}),
    put(COUNT.replace("yhdessa-aika", "Kela"), {"sessions": 5}),
    put(COUNT.replace("yhdessa-aika", "kela"), {"sessions": 5}),
    put(STATUS, {"status": "gone"}),
    put(STATUS.replace("2022-03-01", "2022-02-30"), {"status": "pilot"}),
]
ALSO_RIGHT = [Sent("POST", "/v1/submissions?dry_run=true", RIGHT[0].body), put(COUNT, {"sessions": 9}, If_Match="*")]


@pytest.fixture
def twins(migrated_sqlite: Path, tmp_path: Path, clock: StandingClock) -> Iterator[list[Caller]]:
    """The same caller of two servers, whose databases are copies of one."""
    database = Database(Settings(database_url=sqlite_copy(migrated_sqlite, tmp_path)))
    with database.writing() as db:
        actions = [Action.REPORT, Action.READ]
        key = issue_key(db, name="k", organisation="o", actions=actions, areas=["county:13"], at=NOW)
    database.dispose()
    with ExitStack() as stack:
        callers = []
        for name in ("short", "long"):
            (tmp_path / name).mkdir()
            url = sqlite_copy(tmp_path / "test.db", tmp_path / name)
            app = create_app(Settings(database_url=url, max_rows=10), clock, ticks=StandingTicks())
            callers.append(Caller(stack.enter_context(TestClient(app)), key))
        yield callers


def test_both_ways_answer_alike(twins: list[Caller], monkeypatch: pytest.MonkeyPatch) -> None:
    short, long = twins
    # Else the hash of every note, and so of its receipt, is another.
    monkeypatch.setattr("app.reports.notes.secrets.token_hex", lambda size: "ab" * size)

    for sent in [*RIGHT, *WRONG, *ALSO_RIGHT]:
        answers = [told(short, sent), told(long, sent, spaces=MOST_BYTES_AT_ONCE)]
        assert answers[0] == answers[1], sent
        assert (answers[0][0] < 300) == (sent not in WRONG), answers[0]


def test_a_plain_post_is_not_found_by_fastapi(app: FastAPI, kuopio: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(*_: Any, **__: Any) -> Any:
        raise AssertionError

    assert told(kuopio, post([count("297", "2022-01", 5)]), spaces=MOST_BYTES_AT_ONCE)[0] == 201
    monkeypatch.setattr("fastapi.routing.solve_dependencies", found)

    answers = [told(kuopio, sent) for sent in RIGHT]
    with pytest.raises(AssertionError):
        told(kuopio, RIGHT[0], spaces=MOST_BYTES_AT_ONCE)

    assert [status_code < 300 for status_code, *_ in answers] == [True] * len(RIGHT)


def told(caller: Caller, sent: Sent, *, spaces: int = 0) -> tuple[int, Any, dict[str, str]]:
    """The status code, the body and the headers of the answer, but for what is of that request alone."""
    headers = {"Content-Type": "application/json", **caller.headers, **sent.headers}
    answer = caller.http.request(sent.method, sent.path, content=sent.body + " " * spaces, headers=headers)
    kept = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, answer.text, kept
