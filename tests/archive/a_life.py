"""A database with a row of every kind in every table, and what it answers."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url
from starlette.testclient import TestClient

from app.access.keys import issue_key, revoke_key
from app.access.models import Action
from app.clock import written
from app.database import Database, take_turn
from app.main import create_app
from app.practices.definitions import define_practice, set_live_from
from app.practices.models import UNTRANSLATED, PracticePublic
from app.releases.importing import import_release, parse_release
from app.reports.notes import redact
from app.settings import Settings
from tests.conftest import NOW, UNHURRIED, Caller, StandingClock, count, postgresql_database, sqlite_copy, status
from tests.publishing.published import publish, refused_draft

Answers = dict[str, tuple[int, str | None, bytes]]

KELA = PracticePublic(
    slug="kela",
    name_fi="Kelan jalkautuminen",
    name_sv="FPA på plats",
    name_en="Kela at sessions",
    definition='Kela\'s staff "take part" \\ in sessions;\tä ö å 日本 🙂 \u2028',
    counting_rule="",
    criteria_pilot="Tried",
    criteria_in_use="Agreed\r\nin two lines",
    contact="kela@example.fi",
    counted=False,
    **{**UNTRANSLATED, "definition_fi": "Kelan väkeä mukana \u2028 ja", "contact_sv": ""},
)
RELEASE = {
    "practice": "yhdessa-aika",
    "county": "12",
    "published_on": "2024-02-01",
    "state": "final",
    "title": "Etelä-Savo, 2021–2023",
    "source": "The county, its web site",
    "years": [{"year": 2021, "municipalities": 3, "sessions": 10, "through": "2021-12-31"}],
}
PATHS = (
    "/v1/trends",
    "/v1/trends?county=13",
    "/v1/trends?by=county",
    "/v1/trends?by=municipality&county=13",
    "/v1/trends?county=13&format=csv",
    "/v1/session-counts",
    "/v1/session-counts?format=csv",
    "/v1/statuses",
    "/v1/session-counts/yhdessa-aika/297/2022-03",
    "/v1/session-counts/yhdessa-aika/297/2022-03/history",
    "/v1/statuses/yhdessa-aika/297/2021-02/history",
    "/v1/practices",
    "/v1/counties",
    "/v1/municipalities",
    "/v1/releases",
    "/v1/releases/1",
    "/v1/releases/3",
    "/v1/trends?release=3",
    "/v1/completeness?county=13&year=2022",
    "/v1/quality",
    "/v1/submissions",
    "/v1/submissions/1",
    "/v1/submissions/2",
    "/v1/submissions/3",
    "/v1/key",
)
AS_OF = ("/v1/trends?by=municipality&county=13", "/v1/session-counts", "/v1/statuses", "/v1/practices", "/v1/releases")


@dataclass
class Lived:
    """A database in which something of everything happened by `clock`, and what it answers to `key`."""

    database: Database
    url: str
    clock: StandingClock
    key: str
    moments: list[datetime]
    answers: Answers


@contextmanager
def a_lived_database(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Lived]:
    """A database of that kind in which something of everything happened; not to be changed any more."""
    with ExitStack() as stack:
        if kind == "sqlite":
            url = sqlite_copy(request.getfixturevalue("migrated_sqlite"), folder)
        else:
            template = request.getfixturevalue("migrated_postgresql")
            url = stack.enter_context(postgresql_database(request.getfixturevalue("postgresql_server"), template))
        clock = StandingClock(NOW)
        app = create_app(Settings(database_url=url, **UNHURRIED), clock)
        with TestClient(app) as http:
            caller = Caller(http, new_key(app.state.database, "North Savo", "county:13", at=clock()))
            moments = live(app.state.database, caller, clock)
        key = caller.headers["Authorization"]
        yield Lived(app.state.database, url, clock, key, moments, answers(url, clock, key, moments))
        app.state.database.dispose()


def new_key(database: Database, organisation: str, *areas: str, at: datetime) -> str:
    """A key that reports and reads."""
    actions = [Action.REPORT, Action.READ]
    with database.writing() as db:
        return issue_key(db, name="test", organisation=organisation, actions=actions, areas=areas, at=at)


def live(database: Database, caller: Caller, clock: StandingClock) -> list[datetime]:
    """Let something of everything happen in `database` for some days; the moments before each change."""
    moments = []

    def day_after() -> None:
        moments.append(clock())
        clock.advance(days=1, microseconds=1)

    day_after()
    first = caller.post(
        [count("297", "2022-03", 7, note="Anna oli sairaana — ä"), count("140", "2022-Q1", 0)],
        [status("297", "2021-02", "pilot", note="päätös"), status("140", "2022", "planned")],
    )
    assert first.status_code == 201, first.text
    day_after()
    # The one that replaces it was made later and may sort before it, or after.
    for _ in range(4):
        rotated = caller.http.post("/v1/key/rotation", headers=caller.headers)
        assert rotated.status_code == 201, rotated.text
        caller.headers = {"Authorization": f"Bearer {rotated.json()['key']}"}
    day_after()
    body = {"counts": [count("297", "2022-03", 9)], "statuses": [status("297", "2022-05-06", "in_use")]}
    sent = {**caller.headers, "Idempotency-Key": "retry-1"}
    assert caller.http.post("/v1/submissions", json=body, headers=sent).status_code == 201
    assert caller.http.post("/v1/submissions", json=body, headers=sent).headers["Idempotency-Replayed"] == "true"
    day_after()
    caller.post([count("297", "2022", 30, replace=True), count("140", "2022-04", 2)])
    day_after()
    retraction = caller.http.post("/v1/submissions/3/retraction", json={"reason": "väärä"}, headers=caller.headers)
    assert retraction.status_code == 201, retraction.text
    assert caller.post([count("091", "2022", 1)]).status_code == 403
    other = new_key(database, "Pertunmaa", "municipality:588", at=clock())
    with database.writing() as db:
        at = take_turn(db, clock)
        redact(db, "counts", 1, at=at)
        revoke_key(db, other.split("_")[1], at=at)
        define_practice(db, KELA, at=at)
        set_live_from(db, "yhdessa-aika", "13", 2022, at=at)
        import_release(db, parse_release(json.dumps(RELEASE).encode(), as_csv=False), at=at)
    day_after()
    why = {"year": 2022, "kind": "error", "reason": "Väärin laskettu"}
    with database.writing() as db:
        db.add(refused_draft(take_turn(db, clock), report={"hidden": []}))
    publish(database, clock, municipalities=True, quarters=True, changes=[why], next_release_on="2030-01-31")
    day_after()
    clock.advance(days=1)
    return moments


def answers(url: str, clock: StandingClock, key: str, moments: list[datetime]) -> Answers:
    """By its address: what a server on the database at `url` answers, now and as of every one of `moments`."""
    app = create_app(Settings(database_url=url, **UNHURRIED), clock)
    asked = [*PATHS]
    for path in AS_OF:
        asked += [f"{path}{'&' if '?' in path else '?'}as_of={written(moment)}" for moment in moments]
    with TestClient(app) as http:
        found = {path: http.get(path, headers={"Authorization": key}) for path in asked}
        found |= {f"{path} by anyone": http.get(path) for path in ("/v1/trends?county=13", "/v1/statuses")}
    return {path: (one.status_code, one.headers.get("etag"), one.content) for path, one in found.items()}


def everything_in(url: str) -> dict[str, list[Any]]:
    """By table: every row, as the driver gives it; empty where no table is, without making a file."""
    if url.startswith("sqlite") and not Path(make_url(url).database or "").exists():
        return {}
    engine = create_engine(Settings(database_url=url).database_url)
    with engine.connect() as connection:
        names = inspect(connection).get_table_names()
        rows = {name: sorted(map(repr, connection.execute(text(f"SELECT * FROM {name}")))) for name in names}
    engine.dispose()
    return rows
