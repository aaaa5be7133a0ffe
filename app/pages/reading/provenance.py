"""Which releases stand behind the figures of a page, what they changed, and at which moment the page stays as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, func, select

from app.clock import RESOLUTION, AsOf, end_of_day, written
from app.places.models import CountyRecord, MunicipalityRecord
from app.practices.models import PracticeRecord
from app.releases.about import about, changes
from app.releases.models import ChangePublic, ReleasePublic, ReleaseRecord
from app.releases.reading import releases
from app.reports.tables import StatusEntry

MOST_SIBLINGS = 24


@dataclass(frozen=True, slots=True)
class Provenance:
    """Of the release of a county: why it differs from the one before, by year, and all that the county has released.

    `siblings` are the latest MOST_SIBLINGS, newest first; both are empty for the country. `settled` is a moment as of
    which the same is shown.
    """

    changes: Sequence[ChangePublic]
    siblings: Sequence[ReleasePublic]
    settled: AsOf


def provenance(db: Session, shown: Sequence[ReleaseRecord], *, county: str | None, as_of: AsOf) -> Provenance:
    """What stands behind figures of the releases `shown`, those of `county`, or of the whole country."""
    if county is None or not shown:
        return Provenance([], [], settled(db, as_of))
    [record] = shown
    siblings = [
        one
        for one in releases(db, on=as_of.day, practice=record.practice, county=county)
        # One that was taken over from elsewhere meanwhile is older by its day.
        if as_of.moment is None or one.recorded_at <= as_of.moment
    ]
    return Provenance(changes(db, record), about(db, siblings[:MOST_SIBLINGS]), settled(db, as_of))


def settled(db: Session, as_of: AsOf) -> AsOf:
    """The moment as of which everything public, whenever it is asked for, is what it is `as_of`.

    A past moment is that itself. For now it is that of the latest that is public, or the beginning of the day, since
    the registers have days: the same until something is published.
    """
    if as_of.moment is not None:
        return as_of
    moment = max(_latest(db), end_of_day(as_of.day - timedelta(days=1)) + RESOLUTION)
    return AsOf(written(moment), as_of.day, moment)


def _latest(db: Session) -> datetime:
    """When the latest of all that a page tells was recorded; practices and registers ship."""
    tables: Sequence[Any] = (ReleaseRecord, PracticeRecord, CountyRecord, MunicipalityRecord)
    moments = [db.exec(select(func.max(table.recorded_at))).one() for table in tables]
    last_status = select(StatusEntry.recorded_at).order_by(col(StatusEntry.id).desc()).limit(1)
    known: Sequence[datetime] = [moment for moment in [*moments, db.exec(last_status).first()] if moment is not None]
    return max(known)
