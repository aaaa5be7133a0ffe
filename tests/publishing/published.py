"""Publishing without protecting: what tests of other things need, and what is said of it."""

from datetime import datetime
from typing import Any

from fastapi import FastAPI

from app.clock import Clock, helsinki_day
from app.database import Database, take_turn
from app.intruder.verdict import Verdict
from app.publishing.content import statement
from app.publishing.earlier import earlier_statements, latest_number
from app.publishing.models import PublicationIn
from app.publishing.storing import store_release
from app.releases.models import ReleaseDraft, ReleaseRecord
from app.releases.reading import content_of
from app.series.content import Content, Statement

ASKED: dict[str, Any] = {
    "county": "13",
    "state": "preliminary",
    "title": "Yhdessä aika in North Savo",
    "source": "Reports of the municipalities",
}


PASSED = Verdict(passed=True, failures=(), tables_found=7)


def publication(**changed: Any) -> PublicationIn:
    """What is asked for, as it comes in."""
    return PublicationIn.model_validate({**ASKED, **changed})


def refused_draft(at: datetime, **more: Any) -> ReleaseDraft:
    """What is left of a release that could not be protected."""
    return ReleaseDraft(
        id=1,
        recorded_at=at,
        deadline=at,
        practice="yhdessa-aika",
        county="13",
        as_of=at,
        asked=publication().model_dump(mode="json"),
        dry_run=True,
        state="refused",
        finished_at=at,
        reason="Tunnistettavissa",
        **more,
    )


def statement_at(app: FastAPI, moment: datetime, **asked: Any) -> Statement:
    """What a release would say of what was recorded up to `moment`."""
    database: Database = app.state.database
    with database.reading() as db:
        return statement(db, publication(**asked), moment=moment, day=helsinki_day(moment))


def a_moment(database: Database, clock: Clock) -> datetime:
    """One after all that is recorded, and before all that will be."""
    with database.writing() as db:
        return take_turn(db, clock)


def statement_now(app: FastAPI, clock: Clock, **asked: Any) -> Statement:
    """What a release would say of what is recorded now."""
    return statement_at(app, a_moment(app.state.database, clock), **asked)


def publish(database: Database, clock: Clock, /, content: Content | None = None, **asked: Any) -> int:
    """Publish what is recorded now, or `content` in its place; the number of the release."""
    moment = a_moment(database, clock)
    publication_in = publication(**asked)
    with database.writing() as db:
        at = take_turn(db, clock)
        latest = latest_number(db, publication_in.practice, publication_in.county)
        said = content or statement(db, publication_in, moment=moment, day=helsinki_day(moment)).content
        return store_release(db, publication_in, said, PASSED, threshold=5, at=at, moment=moment, latest=latest)


def stored_content(app: FastAPI, number: int) -> Content:
    """What the release with that number says."""
    with app.state.database.reading() as db:
        return content_of(db, db.get_one(ReleaseRecord, number))


def earlier(app: FastAPI, practice: str = "yhdessa-aika", county: str = "13") -> list[Statement]:
    """What was released before."""
    with app.state.database.reading() as db:
        return earlier_statements(db, practice, county)
