"""Who may do what: every route, for every kind of caller, about objects of its own and foreign ones; no cell undecided.

`DECIDED` is the matrix. A route without a row fails, and so does a row without a route. A new call needs one row, or
`own` and `foreign` if it is about a municipality, a county or something with a number. `_asked` makes the request from
the contract; a path, a required parameter or a body with a name that is new here needs it in `WORDS` or `_values`.
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy.engine import make_url
from sqlmodel import Session
from starlette.testclient import TestClient

from app.access.keys import issue_key, revoke_key, rotate_key
from app.access.models import Action
from app.database import LARGEST_ID, Base, Database
from app.main import create_app, openapi
from app.publishing.drafts import refuse
from app.releases.importing import import_release
from app.settings import Settings
from tests.conftest import NOW, Caller, StandingClock, count, postgresql_database, sqlite_copy, status
from tests.publishing.asking import Desk
from tests.releases.test_importing import south_savo
from tests.reports.stored import stored

# Many cases and much arithmetic: each module's own tests are what its lines are measured by.
pytestmark = pytest.mark.no_cover

KINDS = {
    "none": "nobody: no key is sent",
    "typo": "the key of `own`, mistyped by one letter, so that its checksum is wrong",
    "never": "a key in good form that was never issued",
    "past": "an expired key; but for that as `own`",
    "gone": "a revoked key; but for that as `own`",
    "old": "a key that another of its organisation took the place of; but for that as `own`",
    "own": "Kuopio: reports and reads for municipality 297",
    "next": "its neighbour Siilinjärvi: reports and reads for municipality 749",
    "cnty": "North Savo: reports and reads for county 13, in which both lie",
    "read": "North Savo: reads only",
    "publ": "North Savo: publishes only",
    "repo": "Kuopio: reports only",
    "all": "a national agency: reports and reads for the whole country",
}
"""The columns."""

OBJECTS = {
    "-": "about nothing in particular; of a list, all that the caller may have",
    "own": "municipality 297 and its figures; a receipt of the caller's organisation; a release of county 13, or one "
    "that was asked for",
    "next": "municipality 749 and its figures",
    "foreign": "municipality 491 in county 12 and its figures; a receipt of another organisation, about an area that "
    "the caller covers; a release of county 12, or one that was asked for",
    "county": "county 13",
    "mixed": "municipalities 297 and 491 in one post",
    "nowhere": "a number that nothing has",
}
"""What a row is about; `own,dry` is a dry run of `own`, and `own,csv` asks for CSV."""

CELLS = {
    "200": "answered, and not as anybody is; of a write, recorded",
    "201": "recorded",
    "202": "recorded, and worked on",
    "200p": "answered, and the public gets the very same bytes without a key",
    "200d": "a dry run: answered, and nothing is changed",
    "401": "urn:yhdessa:problem:not-authenticated: there is no valid key, and one is needed",
    "403a": "urn:yhdessa:problem:not-allowed: the key lacks the action",
    "403s": "urn:yhdessa:problem:not-covered: the key has the action, but not this area in its scope",
    "404": "urn:yhdessa:problem:not-found: for this caller there is no such thing",
}
"""What a cell says. After every refusal nothing is changed, and nothing foreign is told."""

DECIDED = """
route                   about     none  typo  never past  gone  old   own   next  cnty  read  publ  repo  all

postSubmission          own       401   401   401   401   401   401   201   403s  201   403a  403a  201   201
postSubmission          next      401   401   401   401   401   401   403s  201   201   403a  403a  403s  201
postSubmission          foreign   401   401   401   401   401   401   403s  403s  403s  403a  403a  403s  201
postSubmission          mixed     401   401   401   401   401   401   403s  403s  403s  403a  403a  403s  201
postSubmission          own,dry   401   401   401   401   401   401   200d  403s  200d  403a  403a  200d  200d
postSubmission          mixed,dry 401   401   401   401   401   401   403s  403s  403s  403a  403a  403s  200d
getSubmission           own       401   401   401   401   401   401   200   200   200   200   200   200   200
getSubmission           foreign   401   401   401   401   401   401   404   404   404   404   404   404   404
getSubmission           nowhere   401   401   401   401   401   401   404   404   404   404   404   404   404
getSubmissionTemplate   -         401   401   401   401   401   401   200   200   200   403a  403a  200   200
listSubmissions         -         401   401   401   401   401   401   200   200   200   200   200   200   200
listSubmissions         -,csv     401   401   401   401   401   401   200   200   200   200   200   200   200
retractSubmission       own       401   401   401   401   401   401   201   201   201   403a  403a  201   201
retractSubmission       foreign   401   401   401   401   401   401   404   404   404   403a  403a  404   404
retractSubmission       nowhere   401   401   401   401   401   401   404   404   404   403a  403a  404   404

putSessionCount         own       401   401   401   401   401   401   200   403s  200   403a  403a  200   200
putSessionCount         next      401   401   401   401   401   401   403s  200   200   403a  403a  403s  200
putSessionCount         foreign   401   401   401   401   401   401   403s  403s  403s  403a  403a  403s  200
getSessionCount         own       401   401   401   401   401   401   200   403s  200   200   403a  403a  200
getSessionCount         next      401   401   401   401   401   401   403s  200   200   200   403a  403a  200
getSessionCount         foreign   401   401   401   401   401   401   403s  403s  403s  403s  403a  403a  200
retractSessionCount     own       401   401   401   401   401   401   200   403s  200   403a  403a  200   200
retractSessionCount     next      401   401   401   401   401   401   403s  200   200   403a  403a  403s  200
retractSessionCount     foreign   401   401   401   401   401   401   403s  403s  403s  403a  403a  403s  200
getSessionCountHistory  own       401   401   401   401   401   401   200   403s  200   200   403a  403a  200
getSessionCountHistory  own,csv   401   401   401   401   401   401   200   403s  200   200   403a  403a  200
getSessionCountHistory  next      401   401   401   401   401   401   403s  200   200   200   403a  403a  200
getSessionCountHistory  foreign   401   401   401   401   401   401   403s  403s  403s  403s  403a  403a  200
listSessionCounts       -         401   401   401   401   401   401   200   200   200   200   403a  403a  200
listSessionCounts       -,csv     401   401   401   401   401   401   200   200   200   200   403a  403a  200
listSessionCounts       own       401   401   401   401   401   401   200   403s  200   200   403a  403a  200
listSessionCounts       next      401   401   401   401   401   401   403s  200   200   200   403a  403a  200
listSessionCounts       county    401   401   401   401   401   401   403s  403s  200   200   403a  403a  200
listSessionCounts       foreign   401   401   401   401   401   401   403s  403s  403s  403s  403a  403a  200
listSessionCounts       mixed     401   401   401   401   401   401   403s  403s  403s  403s  403a  403a  200

putStatus               own       401   401   401   401   401   401   200   403s  200   403a  403a  200   200
putStatus               next      401   401   401   401   401   401   403s  200   200   403a  403a  403s  200
putStatus               foreign   401   401   401   401   401   401   403s  403s  403s  403a  403a  403s  200
getStatus               own       200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
getStatus               foreign   200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
retractStatus           own       401   401   401   401   401   401   200   403s  200   403a  403a  200   200
retractStatus           next      401   401   401   401   401   401   403s  200   200   403a  403a  403s  200
retractStatus           foreign   401   401   401   401   401   401   403s  403s  403s  403a  403a  403s  200
getStatusHistory        own       200p  401   401   401   401   401   200   200p  200   200   200p  200p  200
getStatusHistory        own,csv   200p  401   401   401   401   401   200   200p  200   200   200p  200p  200
getStatusHistory        next      200p  401   401   401   401   401   200p  200   200   200   200p  200p  200
getStatusHistory        foreign   200p  401   401   401   401   401   200p  200p  200p  200p  200p  200p  200
listStatuses            -         200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
listStatuses            own       200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
listStatuses            foreign   200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p

getTrend                -         200p  401   401   401   401   401   200p  200p  200p  200p  200p  200p  200
getTrend                own       200p  401   401   401   401   401   200   200p  200   200   200p  200p  200
getTrend                own,csv   200p  401   401   401   401   401   200   200p  200   200   200p  200p  200
getTrend                next      200p  401   401   401   401   401   200p  200   200   200   200p  200p  200
getTrend                county    200p  401   401   401   401   401   200p  200p  200   200   200p  200p  200
getTrend                foreign   200p  401   401   401   401   401   200p  200p  200p  200p  200p  200p  200
getTrend                mixed     200p  401   401   401   401   401   200p  200p  200p  200p  200p  200p  200
listReleases            -         200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
listReleases            own       200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
listReleases            foreign   200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
getRelease              own       200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
getRelease              foreign   200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
getRelease              nowhere   404   404   404   404   404   404   404   404   404   404   404   404   404
listReleaseFigures      own       200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
listReleaseFigures      foreign   200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
listReleaseFigures      nowhere   404   404   404   404   404   404   404   404   404   404   404   404   404
getReleaseDifferences   own       200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
getReleaseDifferences   foreign   200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
getReleaseDifferences   nowhere   404   404   404   404   404   404   404   404   404   404   404   404   404
postRelease             own       401   401   401   401   401   401   403a  403a  403a  403a  202   403a  403a
postRelease             foreign   401   401   401   401   401   401   403a  403a  403a  403a  403s  403a  403a
getReleaseDraft         own       401   401   401   401   401   401   403a  403a  403a  403a  200   403a  403a
getReleaseDraft         foreign   401   401   401   401   401   401   403a  403a  403a  403a  404   403a  403a
getReleaseDraft         nowhere   401   401   401   401   401   401   403a  403a  403a  403a  404   403a  403a
listReleaseDrafts       -         401   401   401   401   401   401   403a  403a  403a  403a  200   403a  403a
listReleaseDrafts       own       401   401   401   401   401   401   403a  403a  403a  403a  200   403a  403a
listReleaseDrafts       own,csv   401   401   401   401   401   401   403a  403a  403a  403a  200   403a  403a
listReleaseDrafts       foreign   401   401   401   401   401   401   403a  403a  403a  403a  403s  403a  403a
listCounties            -         200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
listMunicipalities      own       200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
listMunicipalities      foreign   200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
getCompleteness         -         401   401   401   401   401   401   200   200   200   200   403a  403a  200
getCompleteness         own       401   401   401   401   401   401   200   403s  200   200   403a  403a  200
getCompleteness         own,csv   401   401   401   401   401   401   200   403s  200   200   403a  403a  200
getCompleteness         county    401   401   401   401   401   401   403s  403s  200   200   403a  403a  200
getCompleteness         foreign   401   401   401   401   401   401   403s  403s  403s  403s  403a  403a  200
getQuality              -         401   401   401   401   401   401   200   200   200   200   403a  403a  200
getQuality              own       401   401   401   401   401   401   200   403s  200   200   403a  403a  200
getQuality              own,csv   401   401   401   401   401   401   200   403s  200   200   403a  403a  200
getQuality              county    401   401   401   401   401   401   403s  403s  200   200   403a  403a  200
getQuality              foreign   401   401   401   401   401   401   403s  403s  403s  403s  403a  403a  200
getDue                  -         401   401   401   401   401   401   200   200   200   403a  403a  200   200
getDue                  -,csv     401   401   401   401   401   401   200   200   200   403a  403a  200   200
listPractices           -         200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p

getKey                  -         401   401   401   401   401   401   200   200   200   200   200   200   200
rotateKey               -         401   401   401   401   401   401   201   201   201   201   201   201   201
getConfig               -         200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
isAlive                 -         200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
isReady                 -         200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
getMetrics              -         401   401   401   401   401   401   200   200   200   200   403a  403a  200
GET:/                   -         200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
GET:/compare            -         200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
GET:/definitions        -         200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
GET:/guide              -         200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
GET:/accessibility      -         200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
GET:/docs               -         200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
GET:/favicon.ico        -         200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
GET:/static/{path:path} -         200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
GET:/openapi.json       -         200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p  200p
"""

READS = {"own": {"297"}, "next": {"749"}, "cnty": {"297", "749"}, "read": {"297", "749"}, "all": {"297", "749", "491"}}
"""Whose unpublished figures, notes and reporters a kind of caller may see in any answer; the others see none."""

UNPUBLISHED = {code: (f"70{code}", f"Between us about {code}", f"Desk of {code}") for code in ("297", "749", "491")}
"""By municipality: the sessions of each month, the note and the reporter that are recorded."""

UNWATCHED = {
    "audit_lines",
    "counties",
    "municipalities",
    "residents",
    "practices",
    "live_from",
    "releases",
    "release_years",
}
"""Tables that no refusal can reach, and the one that tells of refusals; of all others every row is compared."""

PLACES = {"own": ["297"], "next": ["749"], "foreign": ["491"], "mixed": ["297", "491"]}
COUNTIES = {"own": "13", "next": "13", "county": "13", "foreign": "12"}
RELEASES = {"own": 1, "foreign": 2}
HOW: dict[str, dict[str, str]] = {"": {}, "dry": {"dry_run": "true"}, "csv": {"format": "csv"}}

WORDS: dict[str, Any] = {
    "practice": "yhdessa-aika",
    "year": 2023,
    "format": "csv",
    "path": "docs.css",
    "reason": "Posted for the wrong month",
    "sessions": 5,
    "status": "pilot",
    "state": "preliminary",
    "title": "Yhdessä aika",
    "source": "Reports",
}
"""What a path, a body or a required parameter says, by its name; `_values` adds what depends on the cell."""


@dataclass(frozen=True)
class Row:
    """A row of the matrix: by kind of caller, what becomes of a call about something."""

    route: str
    about: str
    cells: Mapping[str, str]


def _rows() -> Iterator[Row]:
    header, *lines = [line.split() for line in DECIDED.splitlines() if line]
    assert header == ["route", "about", *KINDS]
    for route, about, *cells in lines:
        where, _, how = about.partition(",")
        assert where in OBJECTS
        assert how in HOW
        assert set(cells) <= CELLS.keys()
        yield Row(route, about, dict(zip(KINDS, cells, strict=True)))


ROWS = list(_rows())


@dataclass(frozen=True)
class Route:
    """A route with what the contract says of it; one that is not in the contract is named by its method and path."""

    method: str
    path: str
    operation: Mapping[str, Any]
    body: Sequence[str]
    """The names of what a body can have, empty without one."""

    @property
    def reads(self) -> bool:
        return self.method == "GET"

    def parameters(self, where: str) -> Sequence[Mapping[str, Any]]:
        return [one for one in self.operation.get("parameters", ()) if one["in"] == where]

    def objects(self) -> set[str]:
        """What there have to be rows about: own and foreign objects, if the call is about any."""
        named = {one["name"] for one in self.operation.get("parameters", ())} | set(self.body)
        return {"own", "foreign"} if named & {"municipality", "county", "id", "counts", "statuses"} else {"-"}

    def documented(self) -> set[str]:
        """The status codes that the contract names."""
        return {*self.operation.get("responses", {"200": ""})}


def _routes(app: FastAPI) -> dict[str, Route]:
    """Every route by its name."""
    contract = openapi(app)
    schemas = contract["components"]["schemas"]
    routes = {
        operation["operationId"]: Route(method.upper(), path, operation, list(_fields_of_body(operation, schemas)))
        for path, methods in contract["paths"].items()
        for method, operation in methods.items()
    }
    for found in iter_route_contexts(app.routes):
        if not found.include_in_schema:
            for method in found.methods or ["ANY"]:
                routes[f"{method}:{found.path}"] = Route(method, found.path or "", {}, [])
    return routes


def _fields_of_body(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for kind in (schema, *schema.get("anyOf", ())):
        yield from schemas.get(kind.get("$ref", "").rpartition("/")[2], kind).get("properties", {})


ROUTES = _routes(create_app(Settings(database_url="sqlite:///never-opened.db")))


@dataclass(frozen=True)
class Installed:
    """A database with figures, receipts and keys: what has to be known of it, by kind of caller."""

    url: str
    keys: Mapping[str, str]
    own_receipts: Mapping[str, int]
    foreign_receipts: Mapping[str, int]


@dataclass(frozen=True)
class Answer:
    """What was answered, and whether anything in the database was changed."""

    status_code: int
    text: str
    problem: Mapping[str, Any]
    read: bool
    changed: bool


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def seeded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """A database to copy, of each kind."""
    if request.param == "sqlite":
        yield _installed(sqlite_copy(request.getfixturevalue("migrated_sqlite"), tmp_path_factory.mktemp("who_may")))
        return
    server, template = (request.getfixturevalue(name) for name in ("postgresql_server", "migrated_postgresql"))
    with postgresql_database(server, template) as url:
        yield _installed(url)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, seeded: Installed, tmp_path: Path) -> Iterator[str]:
    """The URL of a copy of `seeded`, which `app` and `http` are on."""
    template = make_url(seeded.url).database or ""
    if seeded.url.startswith("sqlite"):
        yield sqlite_copy(Path(template), tmp_path)
        return
    with postgresql_database(request.getfixturevalue("postgresql_server"), template) as url:
        yield url


def test_every_route_is_decided_about_own_and_foreign_objects_and_nothing_else_is() -> None:
    decided = {name: {row.about.partition(",")[0] for row in ROWS if row.route == name} for name in ROUTES}

    assert {name: left for name, route in ROUTES.items() if (left := route.objects() - decided[name])} == {}
    assert sorted({row.route for row in ROWS} - ROUTES.keys()) == []
    assert len({(row.route, row.about) for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("name", ROUTES)
def test_every_kind_of_caller_is_answered_as_decided(
    name: str, app: FastAPI, http: TestClient, seeded: Installed
) -> None:
    route, rows = ROUTES[name], [row for row in ROWS if row.route == name]

    answers = {row.about: _answers(app, http, route, row.about, seeded) for row in rows}

    assert {
        f"about {row.about}, {kind}": f"{cell}, decided {row.cells[kind]}"
        for row in rows
        for kind, cell in _cells(answers[row.about]).items()
        if cell != row.cells[kind]
    } == {}
    for about, by_kind in answers.items():
        without_key = {_apart_from_address(answer) for answer in by_kind.values() if answer.status_code == 401}

        assert {str(answer.status_code) for answer in by_kind.values()} <= route.documented(), about
        assert len(without_key) <= 1, "what is wrong with a key is not told"
        assert [kind for kind, answer in by_kind.items() if _tells_unpublished(answer.text, kind)] == [], about
    for kind, unknown in answers.get("nowhere", {}).items():
        foreign = answers["foreign"][kind]

        assert foreign.status_code == 200 or _apart_from_address(foreign) == _apart_from_address(unknown), kind


def test_what_is_hidden_from_the_others_is_shown_to_who_may_see_it(http: TestClient, seeded: Installed) -> None:
    routes = [ROUTES[name] for name in ("getTrend", "listSessionCounts", "getSessionCountHistory", "getStatusHistory")]

    shown = {
        kind: " ".join(_asked(http, route, about, kind, seeded).text for route in routes for about in PLACES)
        for kind in KINDS
    }

    seen = {
        kind: {code for code, told in UNPUBLISHED.items() if all(_stands_in(text, one) for one in told)}
        for kind, text in shown.items()
    }
    assert {kind: codes for kind, codes in seen.items() if codes} == READS


# What is checked of an answer.


def _cells(by_kind: Mapping[str, Answer]) -> dict[str, str]:
    """By kind of caller: which of `CELLS` the answer is, else its status code with what is odd about it."""
    return {kind: _cell(answer, by_kind["none"]) for kind, answer in by_kind.items()}


def _cell(answer: Answer, public: Answer) -> str:
    code = str(answer.status_code)
    if answer.status_code < 300 and answer.read:
        code += "p" if (answer.status_code, answer.text) == (public.status_code, public.text) else ""
    elif answer.status_code < 300:
        return code if answer.changed else f"{code}d"
    else:
        kind = answer.problem["type"]
        of_kind = [cell for cell, said in CELLS.items() if cell.startswith(code) and said.startswith(f"{kind}: ")]
        code = of_kind[0] if of_kind else f"{code} {kind}"
    return f"{code}, but something is changed" if answer.changed else code


def _apart_from_address(answer: Answer) -> str:
    """The problem without what was asked for."""
    return str({**answer.problem, "instance": "", "detail": re.sub(r"\d+", "N", answer.problem["detail"])})


def _tells_unpublished(text: str, kind: str) -> list[str]:
    """What stands in `text` of municipalities whose figures, notes and reporters this kind of caller may not see."""
    hidden = [code for code in UNPUBLISHED if code not in READS.get(kind, ())]
    return [told for code in hidden for told in UNPUBLISHED[code] if _stands_in(text, told)]


def _stands_in(text: str, told: str) -> bool:
    """True if `told` stands in `text` by itself, not within a longer number or a hash."""
    return re.search(rf"(?<![0-9A-Za-z]){told}(?![0-9A-Za-z])", text) is not None


def _watched(app: FastAPI) -> dict[str, Sequence[Mapping[str, Any]]]:
    """Every row of every table, but for `UNWATCHED`."""
    return {name: stored(app, name) for name in Base.metadata.tables if name not in UNWATCHED}


# How a request is made.


def _answers(app: FastAPI, http: TestClient, route: Route, about: str, seeded: Installed) -> dict[str, Answer]:
    """By kind of caller: what is answered, one after the other."""
    answers, held = {}, _watched(app)
    for kind in KINDS:
        answer = _asked(http, route, about, kind, seeded)
        while answer.status_code == 202 and "preparing" in {draft["state"] for draft in stored(app, "release_drafts")}:
            time.sleep(0.02)
        problem = answer.json() if answer.headers["Content-Type"] == "application/problem+json" else {}
        # After reading, the rows of all tables are compared once for all kinds of callers.
        now = held if route.reads and kind != "all" else _watched(app)
        answers[kind] = Answer(answer.status_code, answer.text, problem, route.reads, now != held)
        held = now
    return answers


def _asked(http: TestClient, route: Route, about: str, kind: str, seeded: Installed) -> Any:
    """The answer to a call that is in order but for who makes it."""
    where, _, how = about.partition(",")
    values = _values(route, where, kind, seeded)
    query = {one["name"]: values[one["name"]] for one in route.parameters("query") if one["required"]}
    headers = {"Authorization": f"Bearer {seeded.keys[kind]}"} if kind in seeded.keys else {}
    if any(one["name"] == "Idempotency-Key" for one in route.parameters("header")):
        headers["Idempotency-Key"] = f"{kind}/{about}"
    return http.request(
        route.method,
        route.path.replace(":path}", "}").format_map(values),
        params={**query, **_narrowed(route, where), **HOW[how]},
        headers=headers,
        json={name: values[name] for name in route.body if name in values} if route.body else None,
    )


def _narrowed(route: Route, where: str) -> dict[str, Any]:
    """The query that narrows a list or a sum to municipalities, else to a county."""
    names = {one["name"] for one in route.parameters("query")}
    if "municipality" in names and where in PLACES:
        return {"municipality": PLACES[where]}
    return {"county": COUNTIES[where]} if "county" in names and where in COUNTIES else {}


def _values(route: Route, where: str, kind: str, seeded: Installed) -> dict[str, Any]:
    """What paths, bodies and required parameters say, by name; whoever writes has a month of its own to write about."""
    codes, month = PLACES.get(where, ["297"]), _month(2023, "all" if route.reads else kind)
    receipts = {"own": seeded.own_receipts, "foreign": seeded.foreign_receipts}.get(where, {})
    numbers = RELEASES if "/release" in route.path else {where: receipts.get(kind, LARGEST_ID)}
    return {
        **WORDS,
        "municipality": codes[0],
        "county": COUNTIES.get(where, "13"),
        "period": month,
        "date": f"{month}-01",
        "id": numbers.get(where, LARGEST_ID),
        "other": numbers.get(where, LARGEST_ID),
        "counts": [count(code, month, 5) for code in codes],
        "statuses": [status(code, f"{month}-01", "pilot") for code in codes],
    }


# What there is before a request.


def _installed(url: str) -> Installed:
    """Figures of three municipalities, receipts of four organisations, a release of another county, and the keys."""
    app = create_app(Settings(database_url=url), StandingClock(NOW))
    with TestClient(app) as http:
        database: Database = app.state.database
        with database.writing() as db:
            import_release(db, south_savo(), at=NOW)
        keys = _keys(database)
        for code, (sessions, note, reporter) in UNPUBLISHED.items():
            desk = Caller(http, _new_key(database, reporter, "report", f"municipality:{code}"))
            months = [_month(2023, kind) for kind in KINDS]
            desk.post(
                [count(code, month, int(sessions), note=note) for month in months],
                [status(code, f"{month}-01", "in_use", note=note) for month in months],
            )
        drafts = Desk(app)
        for county in ("13", "12"):
            drafts.write(partial(refuse, draft_id=drafts.ask(county=county), reason="Nobody wants it"))
        own = {kind: _receipt(http, keys[_poster(kind)], 2019, kind) for kind in KINDS}
        foreign = {kind: _receipt(http, keys[_stranger(kind)], 2016, kind) for kind in KINDS}
    return Installed(url, keys, own, foreign)


def _keys(database: Database) -> dict[str, str]:
    """A key of each kind of caller, but for none."""
    kuopio = ("Kuopio", "report read", "municipality:297")
    own, expired, revoked = (_new_key(database, *kuopio, at=at) for at in (NOW, NOW - timedelta(days=400), NOW))
    with database.writing() as db:
        revoke_key(db, revoked.split("_")[1], at=NOW)
    with database.writing() as db:
        never_issued = _issue(db, *kuopio)
        db.rollback()
    return {
        "typo": own[:-1] + ("a" if own[-1] != "a" else "b"),
        "never": never_issued,
        "past": expired,
        "gone": revoked,
        "old": _rotated_out(database),
        "own": own,
        "next": _new_key(database, "Siilinjärvi", "report read", "municipality:749"),
        "cnty": _new_key(database, "North Savo", "report read", "county:13"),
        "read": _new_key(database, "North Savo", "read", "county:13"),
        "publ": _new_key(database, "North Savo", "publish", "county:13"),
        "repo": _new_key(database, "Kuopio", "report", "municipality:297"),
        "all": _new_key(database, "Agency", "report read", "country"),
    }


def _rotated_out(database: Database) -> str:
    """A key of Kuopio that another one took the place of, after the days in which both were valid."""
    old = _new_key(database, "Kuopio", "report read", "municipality:297", at=NOW - timedelta(days=20))
    with database.writing() as db:
        rotate_key(db, old.split("_")[1], at=NOW - timedelta(days=14), overlap_days=14)
    return old


def _new_key(database: Database, organisation: str, actions: str, area: str, *, at: datetime = NOW) -> str:
    with database.writing() as db:
        return _issue(db, organisation, actions, area, at=at)


def _issue(db: Session, organisation: str, actions: str, area: str, *, at: datetime = NOW) -> str:
    may = [Action(action) for action in actions.split()]
    return issue_key(db, name="test", organisation=organisation, actions=may, areas=[area], at=at)


def _poster(kind: str) -> str:
    """Who posts for the organisation of this kind of caller."""
    return {"next": "next", "cnty": "cnty", "read": "cnty", "publ": "cnty", "all": "all"}.get(kind, "own")


def _stranger(kind: str) -> str:
    """Who posts for another organisation about an area that this kind of caller covers."""
    return "cnty" if _poster(kind) in ("own", "next") else "own"


def _receipt(http: TestClient, key: str, year: int, kind: str) -> int:
    """The number of a receipt about a month of `kind`, posted with `key`."""
    code = "749" if kind == "next" else "297"
    number: int = Caller(http, key).post([count(code, _month(year, kind), 3)]).json()["id"]
    return number


def _month(year: int, kind: str) -> str:
    """The month that belongs to a kind of caller, counted from January of `year`."""
    years, months = divmod(list(KINDS).index(kind), 12)
    return f"{year + years}-{months + 1:02}"
