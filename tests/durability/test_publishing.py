"""A server that is killed while it prepares a release: nothing of it is public, and it can be asked for again."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.access.keys import issue_key
from app.access.models import Action
from app.database import Database
from app.settings import Settings
from tests.conftest import count
from tests.durability.processes import DEADLINE, KillableServer, children, command_line
from tests.publishing.published import ASKED

pytestmark = pytest.mark.durability

TIMEOUT_SECONDS = 12
"""Long enough for a server to start again meanwhile."""


@pytest.fixture
def server(database_url: str) -> Iterator[KillableServer]:
    """A server that answers, and refuses a release that is not prepared in time."""
    server = KillableServer(database_url)
    server.environment["YHDESSA_PUBLISH_TIMEOUT_SECONDS"] = str(TIMEOUT_SECONDS)
    try:
        server.start()
        server.wait_until_ready()
        yield server
    finally:
        server.stop()


@pytest.fixture
def http(server: KillableServer, database_url: str) -> Iterator[httpx.Client]:
    """Somebody who reports, reads and publishes in North Savo."""
    database = Database(Settings(database_url=database_url))
    with database.writing() as db:
        actions = [Action.REPORT, Action.READ, Action.PUBLISH]
        at = datetime.now(UTC)
        key = issue_key(db, name="x", organisation="x", actions=actions, areas=["county:13"], at=at)
    database.dispose()
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        yield client


def waited_for(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + DEADLINE
    while not (what := found()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return what


def test_a_server_that_is_killed_leaves_no_process_and_a_draft_that_is_refused_in_time(
    server: KillableServer, http: httpx.Client
) -> None:
    def preparing() -> list[int]:
        found = [child for worker in server.workers() for child in children(worker)]
        return [child for child in found if b"app.publishing.child" in command_line(child)]

    def ended(asked: httpx.Response) -> Any:
        draft = http.get(asked.headers["Location"]).json()
        return draft if draft["state"] != "preparing" else None

    posted = http.post("/v1/submissions", json={"counts": [count("297", "2024", 40), count("140", "2024", 9)]})
    asked = http.post("/v1/releases", json=ASKED)
    [child] = waited_for(preparing)

    server.kill_everything()
    waited_for(lambda: not command_line(child))
    server.start()
    server.wait_until_ready()
    too_soon = http.post("/v1/releases", json=ASKED)
    refused = waited_for(lambda: ended(asked))
    public = http.get("/v1/releases").json()["rows"]
    again = http.post("/v1/releases", json=ASKED)

    assert (posted.status_code, asked.status_code, too_soon.status_code) == (201, 202, 409)
    assert (refused["state"], refused["reason"]) == (
        "refused",
        f"it was interrupted or took longer than {TIMEOUT_SECONDS} seconds; publish again",
    )
    assert [release["id"] for release in public] == [1]
    assert waited_for(lambda: ended(again))["release"] == 2
