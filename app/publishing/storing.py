"""Storing a release that passed its audit: all of it in one turn, or nothing."""

import json
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256

from pydantic import TypeAdapter
from sqlmodel import Session, func, select

from app.clock import helsinki_day
from app.database import Base
from app.errors import Problem
from app.intruder.verdict import Verdict
from app.practices.definitions import live_from, set_live_from
from app.publishing.changes import explained_changes
from app.publishing.counts import years_by_reports
from app.publishing.earlier import latest_number, latest_release
from app.publishing.models import PublicationIn
from app.releases.models import (
    PassedAudit,
    ReleaseChangeRecord,
    ReleaseMunicipalityYearRecord,
    ReleaseQuarterRecord,
    ReleaseRecord,
    ReleaseYearRecord,
)
from app.releases.reading import FACTS, QUARTER_FACTS, ReleaseRead, content_of
from app.series.content import Content

CONTENT: TypeAdapter[Content] = TypeAdapter(Content)


class ReleasedMeanwhile(Problem):
    """Another release of the practice and county came while this one was prepared; it was protected without it."""

    status_code = 409
    title = "Another release came first"


class NotPassed(Exception):
    """The audit found a figure that can be worked out; nothing of such a release may be stored."""


def content_hash(content: Content) -> str:
    """SHA-256 of `content` as JSON with sorted keys and without spaces, in hexadecimal digits.

    Facts that say what they say by default are left out, so that one that a later version knows leaves it as it is.
    """
    said = CONTENT.dump_python(content, mode="json", exclude_defaults=True)
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(canonical.encode()).hexdigest()


def store_audit(db: Session, content: Content, verdict: Verdict, *, threshold: int, at: datetime) -> int:
    """Record that `content` passed; the number of the audit.

    Raises:
        NotPassed: it did not.
    """
    if not verdict.passed:
        raise NotPassed("the audit found figures that can be worked out")
    number = (db.exec(select(func.max(PassedAudit.id))).one() or 0) + 1
    db.add(
        PassedAudit(
            id=number,
            recorded_at=at,
            outcome="passed",
            content_hash=content_hash(content),
            threshold=threshold,
            tables_found=verdict.tables_found,
        )
    )
    db.flush()
    return number


def store_release(
    db: Session,
    asked: PublicationIn,
    content: Content,
    verdict: Verdict,
    *,
    threshold: int,
    at: datetime,
    moment: datetime,
    latest: int | None,
) -> int:
    """Make `content` public in the turn that gave `at`; the number of the release.

    It was made of what was recorded up to `moment`, and protected together with the releases up to the number `latest`
    (`latest_number`). If the county has not set from which year its reports speak, that is recorded as well, as the
    first that follows what was taken over: else a year would stay for ever as it was first released.

    Raises:
        NotPassed: the audit did not pass.
        ReleasedMeanwhile: there is a later release of the practice and county than `latest`.
        InvalidRequest: a year that was whole changes, and no reason was given.
    """
    newest = latest_number(db, asked.practice, asked.county)
    if newest != latest:
        raise ReleasedMeanwhile(f"release {newest} came while this one was prepared; publish again")
    before = latest_release(db, asked.practice, asked.county)
    audit = store_audit(db, content, verdict, threshold=threshold, at=at)
    number = (db.exec(select(func.max(ReleaseRecord.id))).one() or 0) + 1
    db.add(
        ReleaseRecord(
            id=number,
            published_on=helsinki_day(at),
            recorded_at=at,
            origin="published",
            audit_id=audit,
            as_of=moment,
            **asked.model_dump(exclude={"as_of", "municipalities", "quarters", "changes"}),
        )
    )
    db.flush()
    db.add_all([*_figures(number, content), *_changes(db, number, before, content, asked)])
    _begin_live(db, asked, content, at)
    db.flush()
    return number


def would_begin_live(db: Session, practice: str, county: str, content: Content) -> int | None:
    """From which year on the county's reports are to speak once `content` is public; None if that is not to be set.

    Reports that are older than what was taken over leave that as it is.
    """
    kept = max((year for year, said in content.years.items() if said.carried), default=0)
    begins = next((year for year in years_by_reports(content) if year > kept), None)
    return None if county in live_from(db, practice) else begins


def _figures(number: int, content: Content) -> Iterator[Base]:
    for year, said in content.years.items():
        yield ReleaseYearRecord(release_id=number, year=year, facts=FACTS.dump_python(said, mode="json"))
    for code, years in content.municipalities.items():
        for year, said in years.items():
            facts = FACTS.dump_python(said, mode="json")
            yield ReleaseMunicipalityYearRecord(release_id=number, municipality=code, year=year, facts=facts)
    for period, quarter in content.quarters.items():
        facts = QUARTER_FACTS.dump_python(quarter, mode="json")
        yield ReleaseQuarterRecord(release_id=number, period=period, facts=facts)


def _changes(
    db: Session, number: int, before: ReleaseRead | None, content: Content, asked: PublicationIn
) -> Iterator[Base]:
    if before:
        said_before = content_of(db, before.record)
        for change in explained_changes(said_before, content, asked.changes):
            yield ReleaseChangeRecord(release_id=number, previous_release_id=before.record.id, **change.model_dump())


def _begin_live(db: Session, asked: PublicationIn, content: Content, at: datetime) -> None:
    begins = would_begin_live(db, asked.practice, asked.county, content)
    if begins is not None:
        set_live_from(db, asked.practice, asked.county, begins, at=at)
