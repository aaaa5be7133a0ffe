"""Everything that is answered without a key, asked for in every way: nothing in it depends on what is withheld."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

import app.pages.routes
from app.access.keys import issue_key
from app.access.models import Action
from app.database import Database
from app.main import create_app, openapi
from app.practices.definitions import set_live_from
from app.series.content import Content
from app.settings import Settings
from tests.conftest import (
    NOW,
    UNHURRIED,
    Caller,
    StandingClock,
    count,
    postgresql_database,
    sqlite_copy,
    status,
)
from tests.publishing.published import publish, statement_now

# Many cases and much arithmetic: each module's own tests are what its lines are measured by.
pytestmark = pytest.mark.no_cover

Counts = Mapping[tuple[str, str], int]
"""By municipality and period: sessions."""

PLACES = ("140", "204", "297", "749")

HIDDEN = {
    ("297", "2022"): 611_953,
    ("749", "2022"): 734_867,
    ("140", "2022"): 518_239,
    ("297", "2023-Q1"): 402_697,
    ("749", "2023-Q1"): 593_281,
    ("297", "2023-Q3"): 286_459,
    ("749", "2023-Q3"): 713_537,
    ("297", "2024-Q1"): 847_391,
    ("204", "2024-Q1"): 925_643,
}
"""What no release says, of whom and when. Of 2022 and the third quarter of 2023 the releases withhold even the county's
sessions, and of 2024 there is no release."""

OTHERWISE = {
    **{key: 3 + place for place, key in enumerate(HIDDEN)},
    ("297", "2023-Q1"): 2,
    ("749", "2023-Q1"): 402_697 + 593_281 - 2,
    ("297", "2023-Q3"): 286_459 + 713_537,
    ("749", "2023-Q3"): 0,
}
"""Another table that adds up to what the releases show of the county."""

SHOWN = {
    ("140", "2023-Q2"): 91,
    ("204", "2023-Q2"): 57,
    ("204", "2023-Q4"): 64,
}
"""What the releases say even of single municipalities."""

CORRECTED = {("297", "2022"): 655_121, ("749", "2023-Q1"): 593_281 + 10}
"""What is posted after the first release of ours; the second one says 10 sessions more of the county in 2023."""

CORRECTED_OTHERWISE = {("297", "2022"): 17, ("749", "2023-Q1"): OTHERWISE["749", "2023-Q1"] + 10}

VALUES: dict[str, Sequence[Any]] = {
    "id": [2, 1, 3, 4],
    "other": [3, 1, 2],
    "practice": ["yhdessa-aika", "kela"],
    "county": ["13", "12", "99"],
    "municipality": ["297", "140", "999"],
    "area": ["13", "297", "204"],
    "year": [2022, 2023],
    "by": ["county", "municipality"],
    "from_year": [2022],
    "to_year": [2022],
    "release": [1, 2, 3],
    "as_of": ["2024-05-15", "2024-05-16", "2023-12-31", "2024-05-15T09:00:00Z", "tomorrow"],
    "on": ["2022-12-31"],
    "register": ["current"],
    "state": ["final"],
    "origin": ["published"],
    "limit": [1],
    "cursor": [3, "x"],
    "period": ["2022", "2023-Q1"],
    "from_period": ["2022"],
    "to_period": ["2022"],
    "date": ["2021-01-01"],
    "format": ["csv", "json"],
    "lang": ["fi", "sv", "en"],
    "sort": ["name", "-status", "sessions_2022", "-sessions_2023"],
    "sort_years": ["sessions", "-sessions_per_municipality"],
}
"""What each parameter of a GET is asked with; one that is not here fails the test, so that none is forgotten."""

# Which differ from one answer to the next by themselves.
OF_ONE_ANSWER = ("date", "x-request-id")

# What is asked about the process, whose counts and times differ by themselves.
OF_THE_PROCESS = ("/metrics",)


def published(url: str, hidden: Counts, corrected: Counts) -> tuple[FastAPI, str]:
    """The application over a ledger of these counts with two releases made of it, and a key that reads all of it."""
    clock = StandingClock(NOW)
    server = create_app(Settings(database_url=url, metrics_open=True, **UNHURRIED), clock)
    database: Database = server.state.database
    with database.writing() as db:
        set_live_from(db, "yhdessa-aika", "13", 2022, at=NOW)
        key = issue_key(
            db, name="test", organisation="County", actions=list(Action), areas=["county:13"], at=NOW, days=400
        )
    with TestClient(server) as http:
        county = Caller(http, key)
        counts = [count(code, period, sessions) for (code, period), sessions in {**hidden, **SHOWN}.items()]
        answer = county.post(counts, [status(code, "2021-01-01", "in_use") for code in PLACES])
        assert answer.status_code == 201, answer.text
        reasons = [{"year": year, "kind": "revision", "reason": "Counted anew"} for year in (2021, 2022, 2023)]
        for posted in (None, corrected):
            if posted:
                clock.advance(days=1)
                county.post([count(code, period, sessions) for (code, period), sessions in posted.items()])
            asked: dict[str, Any] = {"municipalities": True, "quarters": True}
            content = withheld(statement_now(server, clock, **asked).content)
            publish(database, clock, content, changes=reasons, **asked)
    return server, key


def withheld(content: Content) -> Content:
    """`content` as a protector would leave it that hides `HIDDEN` and no more."""
    blank: dict[str, Any] = {"sessions": None, "withheld": True}
    pair: dict[str, Any] = dict.fromkeys(
        ("comparable_through", "comparable_municipalities", "comparable_sessions", "comparable_previous_sessions")
    )
    places = {(code, int(period[:4])) for code, period in HIDDEN}
    return Content(
        years={
            year: replace(row, **pair, **(blank if year in (2022, 2024) else {})) for year, row in content.years.items()
        },
        municipalities={
            code: {
                year: replace(row, **pair, **(blank if (code, year) in places else {})) for year, row in rows.items()
            }
            for code, rows in content.municipalities.items()
        },
        quarters={
            period: replace(row, **(blank if period in ("2023-Q3", "2024-Q1") else {}))
            for period, row in content.quarters.items()
        },
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The URLs of two databases of one kind."""
    if request.param == "sqlite":
        folders = [tmp_path / "one", tmp_path / "other"]
        for folder in folders:
            folder.mkdir()
        template = request.getfixturevalue("migrated_sqlite")
        yield sqlite_copy(template, folders[0]), sqlite_copy(template, folders[1])
        return
    server = request.getfixturevalue("postgresql_server")
    template = request.getfixturevalue("migrated_postgresql")
    with ExitStack() as stack:
        one, other = (stack.enter_context(postgresql_database(server, template)) for _ in range(2))
        yield one, other


def addresses(server: FastAPI, *, together: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every GET of the contract, path and query, with the first value of each parameter that it needs.

    And with any other values of up to so many parameters `together`; what needs a key is asked for once.
    """
    for path, methods in openapi(server)["paths"].items():
        if "get" not in methods:
            continue
        parameters = methods["get"].get("parameters", [])
        in_query = {one["name"] for one in parameters if one["in"] == "query"}
        needed = {one["name"]: VALUES[one["name"]][0] for one in parameters if one["required"]}
        without_key = {} in methods["get"].get("security", [{}])
        for given in _given([one["name"] for one in parameters], together if without_key else 0):
            values = {**needed, **given}
            yield path.format(**values), {name: value for name, value in values.items() if name in in_query}
    for route in _pages():
        names = [
            field.alias for field in get_flat_params(route.dependant) if isinstance(field.field_info, params.Query)
        ]
        about = {"county": "13"} if "county" in names else {}
        for given in _given(names, together):
            yield route.path, {**about, **given}
    yield from (("/", {}), ("/openapi.json", {}), ("/nowhere", {}))


def _pages() -> Iterator[APIRoute]:
    """What a person opens in a browser."""
    found = [route for route in app.pages.routes.router.routes if isinstance(route, APIRoute)]
    yield from (route for route in found if "{" not in route.path)


def _given(names: Sequence[str], together: int) -> Iterator[dict[str, Any]]:
    for size in range(together + 1):
        for some in itertools.combinations(names, size):
            for values in itertools.product(*(VALUES[name] for name in some)):
                yield dict(zip(some, values, strict=True))


def answers(http: TestClient, address: str, query: Mapping[str, Any]) -> Iterator[Any]:
    """What is answered to GET, in JSON and in CSV; with no more than what is needed also to HEAD, and 304.

    A page is asked for once: it has one form, and the same goes around it.
    """
    first = http.get(address, params=query)
    yield first
    if query and not address.startswith("/v1/"):
        return
    yield http.get(address, params=query, headers={"Accept": "text/csv"})
    if len(query) <= 1:
        yield http.head(address, params=query)
        yield http.get(address, params=query, headers={"If-None-Match": first.headers.get("ETag", '"none"')})


def spelled(number: int) -> set[bytes]:
    """How a number could be written."""
    apart = f"{number:,}"
    return {
        text.encode() for text in (str(number), apart, apart.replace(",", "\N{NO-BREAK SPACE}"), f"{number / 1000:.3f}")
    }


def compared(answer: Any) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status code, headers and body, but for what differs by itself: in random digits any number may stand."""
    headers = [header for header in answer.headers.raw if header[0].decode().lower() not in OF_ONE_ANSWER]
    return answer.status_code, headers, answer.content


@pytest.mark.parametrize("together", [1, pytest.param(2, marks=pytest.mark.exhaustive)])
def test_no_byte_that_everybody_reads_depends_on_what_is_withheld(
    urls: tuple[str, str], together: int, capsys: pytest.CaptureFixture[str]
) -> None:
    one, key = published(urls[0], HIDDEN, CORRECTED)
    other, _ = published(urls[1], OTHERWISE, CORRECTED_OTHERWISE)
    secret = {spelling for number in (*HIDDEN.values(), *CORRECTED.values()) for spelling in spelled(number)}
    told, different, codes = set(), set(), set()

    with TestClient(one) as http, TestClient(other) as other_http:
        for address, query in addresses(one, together=together):
            pairs = zip(answers(http, address, query), answers(other_http, address, query), strict=True)
            for answer, otherwise in pairs:
                status_code, headers, body = compared(answer)
                codes.add(status_code)
                text = body + repr(headers).encode()
                told |= {(str(answer.request.url), word) for word in secret if word in text}
                if address not in OF_THE_PROCESS and compared(answer) != compared(otherwise):
                    different.add(str(answer.request.url))
        live = Caller(http, key).get("/v1/session-counts", format="csv").content

    log = re.sub(r"request_id=\w+", "", "".join(capsys.readouterr())).encode()
    assert told == set()
    assert different == set()
    assert {word for word in secret if word in log} == set()
    assert codes == {200, 304, 401, 404, 422}
    assert len([number for number in HIDDEN.values() if str(number).encode() in live]) == 7, "it is there to be found"
