"""The life of a draft in the database: asked for, prepared elsewhere, and then published, ready or refused."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import Any, ClassVar

from sqlmodel import Session, col, func, select

from app.access.scope import Caller
from app.clock import NotAMoment, as_of, helsinki_day, written
from app.errors import FieldError, InvalidRequest, NotFound, Problem
from app.places.register import counties, municipalities, residents
from app.publishing.changes import explained_changes
from app.publishing.content import statement
from app.publishing.earlier import earlier_statements, latest_number, latest_release
from app.publishing.models import PublicationIn
from app.publishing.preparing import Prepared, Task
from app.publishing.storing import NotPassed, store_audit, store_release
from app.publishing.telling import draft_report, too_late
from app.releases.models import ReleaseDraft, ReleaseRecord
from app.releases.reading import content_of
from app.series.content import Content
from app.series.figures import ReleasedYear
from app.settings import Settings

_MAY_BE_HIDDEN = ["sessions", *(one.name for one in fields(ReleasedYear) if one.name.startswith("comparable_"))]


class PublishingNotInstalled(Problem):
    """This server has no solver, without which nothing can be protected and audited."""

    status_code = 501
    title = "Publishing is not installed here"


class NothingToPublish(Problem):
    """Nothing is recorded of the county that a release could say."""

    status_code = 409
    title = "There is nothing to publish"


class StillPreparing(Problem):
    """Another release of the same practice and county is being prepared; one has to know what the other says."""

    status_code = 409
    title = "Another release is being prepared"


class TooManyDrafts(Problem):
    """Too many releases wait to be prepared by this server; ask again later."""

    status_code = 503
    title = "Too many releases are being prepared"
    answers_with: ClassVar[Mapping[str, str]] = {"Retry-After": "Seconds to wait before trying again"}


def require_solver() -> None:
    """Do nothing if the extra `publish` is installed; it is not loaded here.

    Raises:
        PublishingNotInstalled: it is not.
    """
    if find_spec("scipy") is None:
        raise PublishingNotInstalled(
            "the solver is not installed where this runs; the operator installs it with"
            " `pip install yhdessa-aika[publish]`"
        )


def ask(
    db: Session, asked: PublicationIn, *, by: Caller | None, at: datetime, dry_run: bool, settings: Settings
) -> ReleaseDraft:
    """A new draft of the release that is `asked` for, recorded `at` this moment of a turn to write.

    What is recorded up to its `as_of` does not change any more. `by` is None at the command line.

    Raises:
        NotCovered: the key does not cover the whole county.
        PublishingNotInstalled: there is no solver.
        InvalidRequest: unknown practice or county, no moment, or changes that are not explained.
        NothingToPublish: no year is stated by reports.
        StillPreparing: another one of the same practice and county is being prepared.
    """
    if by is not None:
        by.scope.require(municipalities(db, county=asked.county).values())
    require_solver()
    draft = ReleaseDraft(
        id=(db.exec(select(func.max(ReleaseDraft.id))).one() or 0) + 1,
        recorded_at=at,
        deadline=at + timedelta(seconds=settings.publish_timeout_seconds),
        organisation_id=by.organisation_id if by else None,
        key_id=by.key_id if by else None,
        practice=asked.practice,
        county=asked.county,
        as_of=_moment(asked, at),
        asked=asked.model_dump(mode="json"),
        dry_run=dry_run,
        state="preparing",
    )
    _require_something_new(db, draft, asked)
    _require_alone(db, draft, at)
    db.add(draft)
    db.flush()
    return draft


def task_of(db: Session, draft: ReleaseDraft, *, settings: Settings) -> tuple[Task, int | None]:
    """What has to be prepared for `draft`, and the number of the latest release that this knows of.

    To be read in one snapshot.

    Raises:
        Problem: what could be asked for cannot be published any more.
    """
    asked = PublicationIn.model_validate(draft.asked)
    known = residents(db, draft.as_of, codes=municipalities(db, county=draft.county).keys())
    task = Task(
        new=statement(db, asked, moment=draft.as_of, day=helsinki_day(draft.as_of)),
        earlier=earlier_statements(db, draft.practice, draft.county),
        threshold=threshold_of(draft.county, settings),
        residents={code: number for year in sorted(known) for code, number in known[year].items()},
    )
    return task, latest_number(db, draft.practice, draft.county)


def threshold_of(county: str, settings: Settings) -> int:
    """Below how many sessions a count of a municipality of `county` is small."""
    return settings.disclosure_thresholds.get(county, settings.disclosure_threshold)


def finish(
    db: Session, draft_id: int, prepared: Prepared, *, latest: int | None, settings: Settings, at: datetime
) -> ReleaseDraft:
    """Publish what was `prepared`, or keep that it could be if it was a dry run; in a turn to write.

    It is refused if it comes too late, since who asked after the deadline was told so, or if another release of the
    practice and county than `latest` is the latest by now.
    """
    draft = db.get_one(ReleaseDraft, draft_id, populate_existing=True)
    if draft.state != "preparing":
        return draft
    if at > draft.deadline:
        return refuse(db, draft_id, too_late(draft), at=at)
    try:
        with db.begin_nested():
            _store(db, draft, prepared, latest, settings, at)
    except (Problem, NotPassed) as error:
        return refuse(db, draft_id, str(error), at=at)
    return draft


def refuse(db: Session, draft_id: int, reason: str, *, at: datetime) -> ReleaseDraft:
    """End a draft that is still being prepared for a `reason`; in a turn to write."""
    draft = db.get_one(ReleaseDraft, draft_id, populate_existing=True)
    if draft.state == "preparing":
        draft.state, draft.reason, draft.finished_at = "refused", reason, at
        db.add(draft)
        db.flush()
    return draft


def draft_with(db: Session, draft_id: int, *, by: Caller) -> ReleaseDraft:
    """The draft with this number, for a key that covers the whole county.

    Raises:
        NotFound: there is none, or it is of a county that the key does not cover.
    """
    draft = db.get(ReleaseDraft, draft_id)
    if draft is None or draft.county not in covered_counties(db, by):
        raise NotFound(f"there is no draft {draft_id} of a county that your key covers")
    return draft


def drafts_before(
    db: Session, before: int | None, *, of: Collection[str], practice: str | None, limit: int
) -> tuple[Sequence[ReleaseDraft], str | None]:
    """At most `limit` drafts of these counties, newest first, and where the next page begins.

    With `before` only those with a smaller number.
    """
    query = select(ReleaseDraft).where(col(ReleaseDraft.county).in_(of))
    if practice is not None:
        query = query.where(ReleaseDraft.practice == practice)
    if before is not None:
        query = query.where(ReleaseDraft.id < before)
    page = db.exec(query.order_by(col(ReleaseDraft.id).desc()).limit(limit + 1)).all()
    rows = page[:limit]
    return rows, str(rows[-1].id) if len(page) > len(rows) else None


def covered_counties(db: Session, by: Caller) -> Collection[str]:
    """The counties whose municipalities the key covers all."""
    return [code for code in counties(db) if by.scope.covers_all(municipalities(db, county=code).values())]


def _moment(asked: PublicationIn, at: datetime) -> datetime:
    """Up to when what was recorded counts; what is recorded later than `at` this turn comes after it."""
    try:
        return as_of(asked.as_of, now=at).moment or at
    except NotAMoment as error:
        wrong = FieldError(pointer="/as_of", detail=str(error))
        raise InvalidRequest(f"/as_of: {error}", errors=[wrong]) from error


def _require_alone(db: Session, draft: ReleaseDraft, at: datetime) -> None:
    """Refuse a second draft of the same practice and county; those that nobody finished in time are ended."""
    query = select(ReleaseDraft).where(
        ReleaseDraft.practice == draft.practice, ReleaseDraft.county == draft.county, ReleaseDraft.state == "preparing"
    )
    for other in db.exec(query).all():
        if at <= other.deadline:
            raise StillPreparing(
                f"draft {other.id} of {other.practice} in county {other.county} is being prepared;"
                f" ask again when it is done, by {written(other.deadline)} at the latest"
            )
        refuse(db, other.id, too_late(other), at=at)


def _require_something_new(db: Session, draft: ReleaseDraft, asked: PublicationIn) -> None:
    """Refuse what can be refused before anything is hidden, so that nobody waits for that."""
    new = statement(db, asked, moment=draft.as_of, day=helsinki_day(draft.as_of)).content
    before = latest_release(db, draft.practice, draft.county)
    if not any(said.covers and not said.carried for said in new.years.values()):
        raise NothingToPublish(
            f"no year would be stated by the reports of county {draft.county}: either none are recorded, or every year"
            " stays with the release before; `yhdessa practice live-from` says from which year on the reports speak"
        )
    if before is not None:
        said_before = content_of(db, before.record)
        explained_changes(said_before, _as_shown(new, said_before), asked.changes)


def _as_shown(new: Content, before: Content) -> Content:
    """`new` without the figures that `before` does not show: whether they will be shown, nobody knows yet."""
    return replace(
        new, years={year: _year_as_shown(said, before.years.get(year, said)) for year, said in new.years.items()}
    )


def _year_as_shown(new: ReleasedYear, before: ReleasedYear) -> ReleasedYear:
    unknown: dict[str, Any] = {name: None for name in _MAY_BE_HIDDEN if getattr(before, name) is None}
    return replace(new, withheld=before.withheld, **unknown)


def _store(
    db: Session, draft: ReleaseDraft, prepared: Prepared, latest: int | None, settings: Settings, at: datetime
) -> None:
    """Store the audit, the release unless it was a dry run, and what came of the draft."""
    content, verdict, threshold = prepared.content, prepared.verdict, threshold_of(draft.county, settings)
    report = draft_report(db, draft, prepared, threshold).model_dump(mode="json")
    release_id, audit_id = None, None
    if draft.dry_run:
        audit_id = store_audit(db, content, verdict, threshold=threshold, at=at)
    else:
        asked = PublicationIn.model_validate(draft.asked)
        release_id = store_release(
            db, asked, content, verdict, threshold=threshold, at=at, moment=draft.as_of, latest=latest
        )
        audit_id = db.get_one(ReleaseRecord, release_id).audit_id
    # Only now, and all at once: what comes before makes the database look at half a draft.
    draft.state, draft.finished_at, draft.report = "ready" if draft.dry_run else "published", at, report
    draft.audit_id, draft.release_id = audit_id, release_id
    db.add(draft)
    db.flush()
