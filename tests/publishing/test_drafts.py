"""The life of a draft in the database, whoever prepares it."""

from dataclasses import replace
from functools import partial

import pytest
from fastapi import FastAPI

from app.practices.definitions import set_live_from
from app.publishing.drafts import StillPreparing, refuse
from app.publishing.preparing import NotPrepared
from tests.conftest import Caller, StandingClock, count, status
from tests.publishing.asking import Desk
from tests.publishing.published import publish
from tests.reports.stored import stored

LATE = "it was interrupted or took longer than 600 seconds; publish again"


@pytest.fixture
def desk(app: FastAPI, north_savo: Caller) -> Desk:
    """Somebody who publishes in North Savo, where 45 sessions are recorded: 40, 3 and 2."""
    north_savo.post(
        [count("297", "2024-Q1", 40), count("140", "2024-Q1", 3), count("749", "2024-Q1", 2)],
        [status(code, "2024", "in_use") for code in ("297", "140", "749")],
    )
    return Desk(app)


def last_sessions(draft: dict[str, object]) -> object:
    """The sessions of the last year that the public would read."""
    return draft["report"]["preview"][-1]["sessions"]  # type: ignore[index]


# What is in a release.


def test_what_is_posted_after_somebody_asked_is_not_in_the_release(desk: Desk, north_savo: Caller) -> None:
    draft_id = desk.ask()
    north_savo.post([count("297", "2024-04", 50)])

    draft = desk.finish(draft_id, *desk.prepare(draft_id))

    assert (draft["state"], last_sessions(draft)) == ("published", 45)


def test_a_release_can_be_made_of_what_was_recorded_up_to_a_past_moment(
    desk: Desk, north_savo: Caller, clock: StandingClock
) -> None:
    clock.advance(days=2)
    north_savo.post([count("297", "2024-04", 50)])

    draft = desk.publish(as_of="2024-05-16")

    assert (draft["as_of"], last_sessions(draft)) == ("2024-05-16T20:59:59.999999Z", 45)


def test_the_year_that_is_said_to_begin_the_reports_is_the_one_that_publishing_records(
    desk: Desk, app: FastAPI, north_savo: Caller
) -> None:
    north_savo.post([count("297", "2020", 40)], [status("297", "2020", "in_use")])

    warnings = desk.publish(dry_run=True)["report"]["warnings"]
    desk.publish()

    [recorded] = [row["year"] for row in stored(app, "live_from")]
    assert warnings[-1] == f"publishing records that the county's reports speak from {recorded} on (live_from)"
    assert recorded == 2024


def test_the_report_says_what_is_hidden_and_why(desk: Desk) -> None:
    draft = desk.publish(municipalities=True, dry_run=True)

    assert (draft["state"], draft["release"], draft["reason"]) == ("ready", None, None)
    assert draft["report"] == {
        "threshold": 5,
        "tables_found": draft["report"]["tables_found"],
        "cost": {"small": 2, "protects_others": 1, "hidden_before": 0},
        "hidden": [
            {"area": "140", "period": "2024", "why": "small"},
            {"area": "297", "period": "2024", "why": "protects others"},
            {"area": "749", "period": "2024", "why": "small"},
        ],
        "warnings": ["publishing records that the county's reports speak from 2024 on (live_from)"],
        "preview": draft["report"]["preview"],
    }
    assert [(year["year"], year["sessions"], year["carried"]) for year in draft["report"]["preview"]] == [
        (2021, 94, True),
        (2022, 105, True),
        (2023, 23, True),
        (2024, 45, False),
    ]


def test_a_total_of_the_county_that_is_withheld_is_warned_of(desk: Desk, north_savo: Caller) -> None:
    north_savo.post([count("297", "2024-Q1", 3), count("140", "2024-Q1", 0), count("749", "2024-Q1", 0)])

    report = desk.publish(dry_run=True)["report"]

    assert report["preview"][-1] == {
        "year": 2024,
        "municipalities": 3,
        "sessions": None,
        "withheld": True,
        "reporting": 3,
        "through": "2024-03-31",
        "partial": True,
        "coverage": 1.0,
        "comparable_sessions": None,
        "comparable_previous_sessions": None,
        "carried": False,
    }
    assert [(hidden["area"], hidden["period"]) for hidden in report["hidden"]] == [(None, "2024")]
    assert report["warnings"][0] == (
        "2024: the county's total is withheld, so the county is in no sum of the country that year"
    )


def test_days_that_were_not_counted_are_warned_of(desk: Desk, north_savo: Caller) -> None:
    north_savo.post([], [status("204", "2024-01", "pilot")])

    report = desk.publish(dry_run=True)["report"]

    assert report["warnings"][0] == ("2024: not every day of every active municipality is counted (coverage 0.7500)")


def test_a_county_can_have_a_threshold_of_its_own(desk: Desk) -> None:
    desk.settings = desk.settings.model_copy(update={"disclosure_thresholds": {"13": 3, "12": 100}})

    report = desk.publish(municipalities=True, dry_run=True)["report"]

    assert report["threshold"] == 3
    assert {"area": "749", "period": "2024", "why": "small"} in report["hidden"]
    assert {"area": "140", "period": "2024", "why": "small"} not in report["hidden"]


# How a draft ends.


def test_a_release_that_comes_too_late_is_refused_since_who_asked_was_told_so(
    desk: Desk, clock: StandingClock, app: FastAPI
) -> None:
    draft_id = desk.ask()
    prepared = desk.prepare(draft_id)
    clock.advance(seconds=601)
    told = desk.read(draft_id)

    draft = desk.finish(draft_id, *prepared)

    assert (told["state"], told["reason"], told["finished_at"]) == ("refused", LATE, told["deadline"])
    assert (draft["state"], draft["reason"]) == ("refused", LATE)
    assert (len(stored(app, "releases")), stored(app, "release_audits")) == (1, [])


def test_a_release_that_another_one_came_before_is_refused(desk: Desk, app: FastAPI, clock: StandingClock) -> None:
    draft_id = desk.ask()
    prepared = desk.prepare(draft_id)
    publish(app.state.database, clock)

    draft = desk.finish(draft_id, *prepared)

    assert (draft["state"], draft["reason"]) == (
        "refused",
        "release 2 came while this one was prepared; publish again",
    )
    assert (len(stored(app, "releases")), len(stored(app, "release_audits"))) == (2, 1)


def test_a_release_whose_audit_failed_is_refused_whoever_says_it_may_be_published(desk: Desk, app: FastAPI) -> None:
    draft_id = desk.ask()
    prepared, latest = desk.prepare(draft_id)
    failed = replace(prepared, verdict=replace(prepared.verdict, passed=False))

    draft = desk.finish(draft_id, failed, latest)

    assert (draft["state"], draft["reason"]) == ("refused", "the audit found figures that can be worked out")
    assert (len(stored(app, "releases")), stored(app, "release_audits")) == (1, [])


def test_a_year_that_only_its_protection_changes_needs_a_reason_too(
    desk: Desk, app: FastAPI, north_savo: Caller, clock: StandingClock
) -> None:
    north_savo.post([count("297", "2023", 30)])
    desk.write(set_live_from, practice="yhdessa-aika", county="13", year=2023)
    assert desk.publish()["state"] == "published"
    draft_id = desk.ask()
    prepared, latest = desk.prepare(draft_id)
    years = dict(prepared.content.years)
    years[2023] = replace(years[2023], sessions=None, withheld=True)

    draft = desk.finish(draft_id, replace(prepared, content=replace(prepared.content, years=years)), latest)

    assert draft["state"] == "refused"
    assert draft["reason"].startswith("2023 will differ from the release before")
    assert len(stored(app, "releases")) == 2


def test_a_draft_ends_once(desk: Desk, app: FastAPI) -> None:
    draft_id = desk.ask()
    prepared = desk.prepare(draft_id)
    first = desk.finish(draft_id, *prepared)

    again = desk.finish(draft_id, *prepared)
    desk.write(partial(refuse, draft_id=draft_id, reason="Nobody wants it"))

    assert [again, desk.read(draft_id)] == [first, first]
    assert len(stored(app, "releases")) == 2


def test_a_draft_that_was_refused_is_not_published_afterwards(desk: Desk, app: FastAPI) -> None:
    draft_id = desk.ask()
    desk.write(partial(refuse, draft_id=draft_id, reason="Nobody wants it"))

    draft = desk.finish(draft_id, *desk.prepare(draft_id))

    assert (draft["state"], draft["reason"]) == ("refused", "Nobody wants it")
    assert len(stored(app, "releases")) == 1


def test_a_draft_that_nobody_finished_is_ended_by_who_asks_next(desk: Desk, app: FastAPI, clock: StandingClock) -> None:
    left = desk.ask()
    with pytest.raises(StillPreparing, match="draft 1 of yhdessa-aika in county 13"):
        desk.ask()
    clock.advance(seconds=601)

    desk.ask()

    drafts = stored(app, "release_drafts")
    assert [(draft["id"], draft["state"], draft["reason"]) for draft in drafts] == [
        (left, "refused", LATE),
        (2, "preparing", None),
    ]


def test_drafts_of_different_counties_are_prepared_beside_each_other(desk: Desk, nation: Caller) -> None:
    nation.post([count("491", "2024-Q1", 40), count("593", "2024-Q1", 41)])

    desk.ask()
    desk.ask(county="12")


def test_what_cannot_be_protected_has_a_reason_in_words(desk: Desk, north_savo: Caller) -> None:
    # Whoever knows the 104 works out the 1 from the imported release, which says 105.
    north_savo.post([count("297", "2022", 104), count("140", "2022", 1)])
    desk.write(set_live_from, practice="yhdessa-aika", county="13", year=2022)
    changes = [{"year": 2022, "kind": "revision", "reason": "By reports"}]
    draft_id = desk.ask(changes=changes)

    with pytest.raises(NotPrepared, match=r"^the small figures cannot be protected: "):
        desk.prepare(draft_id)
