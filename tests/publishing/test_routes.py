"""Publishing through HTTP: a release is asked for, prepared by a child process, and published, ready or refused."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.practices.definitions import set_live_from
from app.publishing import drafts as drafts_module, workshop as workshop_module
from app.publishing.drafts import refuse
from app.publishing.parent import FAULT
from tests.conftest import NOW, Caller, StandingClock, count, status
from tests.durability.processes import children, command_line
from tests.publishing.asking import Desk, Draft
from tests.publishing.published import ASKED
from tests.reports.stored import stored

DEADLINE = 20

# Each start of a child takes most of a second.
ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Publisher(Caller):
    """A key holder who may publish."""

    def publish(self, *, headers: dict[str, str] | None = None, dry_run: str = "", **asked: Any) -> Any:
        """The answer to a request for a release."""
        query = {"dry_run": dry_run} if dry_run else {}
        return self.http.post(
            "/v1/releases", params=query, json={**ASKED, **asked}, headers={**self.headers, **(headers or {})}
        )

    def ended(self, answer: Any) -> Draft:
        """The draft that `answer` tells of, once it is no longer being prepared."""
        assert answer.status_code == 202, answer.text
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            draft: Draft = self.get(answer.headers["Location"]).json()
            if draft["state"] != "preparing":
                return draft
            time.sleep(0.02)
        raise AssertionError("it is still being prepared")


@pytest.fixture
def publisher(http: TestClient, new_key: Callable[..., str], north_savo: Caller) -> Publisher:
    """A key that publishes in North Savo, where 45 sessions are recorded: 40, 3 and 2."""
    north_savo.post(
        [count("297", "2024-Q1", 40), count("140", "2024-Q1", 3), count("749", "2024-Q1", 2)],
        [status(code, "2024", "in_use") for code in ("297", "140", "749")],
    )
    return Publisher(http, new_key("county:13", actions=["publish"], organisation="North Savo"))


def test_a_release_is_prepared_and_then_public(
    publisher: Publisher, anyone: Caller, clock: StandingClock, app: FastAPI
) -> None:
    answer = publisher.publish()

    preparing = answer.json()
    assert (answer.status_code, answer.headers["Location"]) == (202, "/v1/release-drafts/1")
    assert preparing == {
        "id": 1,
        "state": "preparing",
        "practice": "yhdessa-aika",
        "county": "13",
        "title": ASKED["title"],
        "as_of": preparing["requested_at"],
        "dry_run": False,
        "requested_at": "2024-05-15T09:00:00.000002Z",
        "deadline": "2024-05-15T09:10:00.000002Z",
        "finished_at": None,
        "progress": None,
        "reason": None,
        "release": None,
        "report": None,
    }
    published = publisher.ended(answer)
    assert {**published, "report": None} == {
        **preparing,
        "state": "published",
        "finished_at": "2024-05-15T09:00:00.000003Z",
        "release": 2,
    }
    assert published["report"]["preview"][-1]["sessions"] == 45
    trend = anyone.get("/v1/trends", county="13").json()
    assert [release["id"] for release in trend["releases"]] == [2]
    assert [(row["year"], row["sessions"]) for row in trend["years"]] == [
        (2021, 94),
        (2022, 105),
        (2023, 23),
        (2024, 45),
    ]
    [audit] = stored(app, "release_audits")
    assert (audit["outcome"], audit["threshold"], audit["id"]) == ("passed", 5, stored(app, "releases")[1]["audit_id"])


def test_a_dry_run_says_what_would_be_hidden_and_why_and_publishes_nothing(publisher: Publisher, app: FastAPI) -> None:
    before = stored(app, "releases"), stored(app, "live_from")

    draft = publisher.ended(publisher.publish(dry_run="true", municipalities=True))

    assert (draft["state"], draft["release"], draft["dry_run"]) == ("ready", None, True)
    assert draft["report"]["hidden"] == [
        {"area": "140", "period": "2024", "why": "small"},
        {"area": "297", "period": "2024", "why": "protects others"},
        {"area": "749", "period": "2024", "why": "small"},
    ]
    assert draft["report"]["cost"] == {"small": 2, "protects_others": 1, "hidden_before": 0}
    assert draft["report"]["threshold"] == 5
    assert draft["report"]["warnings"] == [
        "publishing records that the county's reports speak from 2024 on (live_from)",
    ]
    assert (stored(app, "releases"), stored(app, "live_from")) == before
    assert len(stored(app, "release_audits")) == 1


# What is refused before anything is prepared.


def test_a_key_that_does_not_cover_the_whole_county_cannot_publish(
    http: TestClient, new_key: Callable[..., str], publisher: Publisher
) -> None:
    kuopio = Publisher(http, new_key("municipality:297", actions=["publish"]))

    refused = kuopio.publish()

    assert (refused.status_code, refused.json()["type"]) == (403, "urn:yhdessa:problem:not-covered")


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"county": "99"}, "/county"),
        ({"practice": "nowhere"}, "/practice"),
        ({"as_of": "2024-05-16"}, "/as_of"),
        ({"as_of": "yesterday"}, "/as_of"),
        ({"next_release_on": "2024-05-15"}, "/next_release_on"),
        ({"state": "draft"}, "/state"),
        ({"municipalities": "true"}, "/municipalities"),
        ({"more": 1}, "/more"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(publisher: Publisher, asked: dict[str, Any], pointer: str) -> None:
    refused = publisher.publish(**asked)

    assert refused.status_code == 422, refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


def test_a_change_of_what_was_published_of_a_whole_year_needs_a_reason(
    publisher: Publisher, north_savo: Caller, app: FastAPI
) -> None:
    north_savo.post([count("297", "2022", 200)])
    with app.state.database.writing() as db:
        set_live_from(db, "yhdessa-aika", "13", 2022, at=NOW)

    refused = publisher.publish()

    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/changes"]
    assert refused.json()["detail"].startswith("2022 ")


def test_without_a_year_that_reports_state_there_is_nothing_to_publish(
    http: TestClient, new_key: Callable[..., str]
) -> None:
    publisher = Publisher(http, new_key("county:13", actions=["publish"]))

    refused = publisher.publish()

    assert (refused.status_code, refused.json()["type"]) == (409, "urn:yhdessa:problem:nothing-to-publish")


def test_a_server_without_a_solver_says_so(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts_module, "find_spec", lambda _name: None)

    refused = publisher.publish()

    assert refused.status_code == 501
    assert "pip install yhdessa-aika[publish]" in refused.json()["detail"]


def test_only_so_many_releases_wait_in_one_server(
    publisher: Publisher, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop_module, "MOST_WAITING", 0)

    refused = publisher.publish()

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "60")
    assert refused.json()["type"] == "urn:yhdessa:problem:too-many-drafts"
    assert stored(app, "release_drafts") == []


def test_while_a_release_is_prepared_another_one_of_the_county_is_refused(publisher: Publisher) -> None:
    first = publisher.publish()

    second = publisher.publish()

    assert (second.status_code, second.json()["type"]) == (409, "urn:yhdessa:problem:still-preparing")
    assert "draft 1 of yhdessa-aika in county 13" in second.json()["detail"]
    assert first.status_code == 202


@ONE_DATABASE
def test_a_retry_with_its_idempotency_key_publishes_once(publisher: Publisher, app: FastAPI) -> None:
    first = publisher.publish(headers={"Idempotency-Key": "spring"})
    again = publisher.publish(headers={"Idempotency-Key": "spring"})
    publisher.ended(first)
    later = publisher.publish(headers={"Idempotency-Key": "spring"})

    assert [one.content for one in (again, later)] == [first.content, first.content]
    assert (again.headers["Location"], again.headers["Idempotency-Replayed"]) == ("/v1/release-drafts/1", "true")
    assert (len(stored(app, "release_drafts")), len(stored(app, "releases"))) == (1, 2)


# Who sees drafts.


def refused(app: FastAPI, reason: str) -> Draft:
    """A draft that came to nothing for that reason."""
    desk = Desk(app)
    draft_id = desk.ask()
    desk.write(partial(refuse, draft_id=draft_id, reason=reason))
    return desk.read(draft_id)


def test_drafts_are_listed_newest_first_in_pages(publisher: Publisher, app: FastAPI) -> None:
    drafts = [refused(app, f"Nobody wants it, {number}") for number in (1, 2, 3)]

    first = publisher.get("/v1/release-drafts", limit=2, county="13", practice="yhdessa-aika")
    second = publisher.get("/v1/release-drafts", limit=2, cursor=first.json()["next"])

    unlisted = ("deadline", "progress", "report")
    shown = [{name: value for name, value in draft.items() if name not in unlisted} for draft in reversed(drafts)]
    assert first.json()["rows"] + second.json()["rows"] == shown
    assert (first.json()["next"], second.json()["next"]) == ("2", None)
    assert first.headers["Link"].endswith('cursor=2>; rel="next"')
    assert publisher.get("/v1/release-drafts", format="csv").text.splitlines()[1].startswith("3,refused,yhdessa-aika,")


def test_drafts_of_other_counties_and_practices_are_not_listed(
    http: TestClient, publisher: Publisher, new_key: Callable[..., str], app: FastAPI
) -> None:
    refused(app, "Nobody wants it")
    south_savo = Publisher(http, new_key("county:12", actions=["publish"]))
    country = Publisher(http, new_key("country", actions=["publish"]))
    reader = Caller(http, new_key("county:13", actions=["read", "report"]))

    assert south_savo.get("/v1/release-drafts").json() == {"rows": [], "next": None}
    assert south_savo.get("/v1/release-drafts", county="13").status_code == 403
    assert south_savo.get("/v1/release-drafts/1").status_code == 404
    assert [reader.get(path).status_code for path in ("/v1/release-drafts", "/v1/release-drafts/1")] == [403, 403]
    assert country.get("/v1/release-drafts/1").json()["id"] == 1
    assert len(country.get("/v1/release-drafts").json()["rows"]) == 1
    assert country.get("/v1/release-drafts", practice="nowhere").status_code == 422
    assert country.get("/v1/release-drafts", county="99").status_code == 422


def test_no_public_answer_knows_of_drafts(publisher: Publisher, anyone: Caller, app: FastAPI) -> None:
    before = [anyone.get(path).content for path in ("/v1/releases", "/v1/trends")]

    desk = Desk(app)
    assert desk.publish(dry_run=True)["state"] == "ready"

    assert [anyone.get(path).content for path in ("/v1/releases", "/v1/trends")] == before
    assert [anyone.get(path).status_code for path in ("/v1/release-drafts", "/v1/release-drafts/1")] == [401, 401]


def test_a_draft_whose_server_was_killed_is_refused_after_its_deadline(
    publisher: Publisher, app: FastAPI, clock: StandingClock
) -> None:
    # Asked for, and nobody is there to work on it.
    Desk(app).ask()
    preparing = publisher.get("/v1/release-drafts/1").json()
    clock.advance(seconds=601)

    late = publisher.get("/v1/release-drafts/1").json()

    reason = "it was interrupted or took longer than 600 seconds; publish again"
    assert (preparing["state"], preparing["finished_at"], preparing["reason"]) == ("preparing", None, None)
    assert late == {**preparing, "state": "refused", "finished_at": late["deadline"], "reason": reason}
    assert publisher.get("/v1/release-drafts").json()["rows"][0]["reason"] == reason


# What goes wrong meanwhile.


def child() -> Iterator[int]:
    """The process that prepares a release for this one, as soon as there is one."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        yield from (found for found in children(os.getpid()) if b"app.publishing.child" in command_line(found))
        time.sleep(0.001)


@ONE_DATABASE
def test_a_child_that_is_killed_leaves_the_draft_refused(publisher: Publisher, app: FastAPI) -> None:
    answer = publisher.publish()
    os.kill(next(child()), signal.SIGKILL)

    draft = publisher.ended(answer)

    assert (draft["state"], draft["release"]) == ("refused", None)
    assert draft["reason"] == FAULT
    assert (len(stored(app, "releases")), stored(app, "release_audits")) == (1, [])


@ONE_DATABASE
def test_a_server_that_stops_kills_the_child_and_refuses_the_draft(
    publisher: Publisher, http: TestClient, app: FastAPI
) -> None:
    publisher.publish()
    preparing = next(child())

    http.__exit__()

    assert command_line(preparing) == b""
    [draft] = stored(app, "release_drafts")
    assert (draft["state"], draft["reason"]) == (
        "refused",
        "the server was stopped while it was being prepared; publish again",
    )
