"""What /metrics reads off the database each time that it is asked: when counties posted, how old releases are."""

import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from typing import Any, TypeAlias

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, func, select

from app.access.models import RememberedReply
from app.clock import HELSINKI, helsinki_day
from app.database import UnsafeDatabase
from app.places.register import municipalities
from app.releases.models import ReleaseRecord
from app.reports.tables import CountEntry, StatusEntry
from app.schema import newest_revision, revision_of, serves

NO_COUNTY = "none"
"""The label of municipalities that belong to no county, those of Åland."""


_Table: TypeAlias = type[CountEntry] | type[StatusEntry]


class LastPosts:
    """When something was last recorded of each county.

    That stands in the entries. Read whole once, they are afterwards read from where the last reading ended; so the
    answer is the database's, whichever worker gives it and however often the server was started.
    """

    def __init__(self) -> None:
        self._noting = threading.Lock()
        self._seen: dict[_Table, int] = {CountEntry: 0, StatusEntry: 0}
        self._by_county: dict[str, datetime] = {}

    def by_county(self, db: Session) -> Mapping[str, datetime]:
        """By county code: the moment of the latest entry about a municipality of it; NO_COUNTY for those in none."""
        for table in self._seen:
            self._read(db, table)
        with self._noting:
            return dict(sorted(self._by_county.items()))

    def _read(self, db: Session, table: _Table) -> None:
        newest: Any = select(table.municipality, func.max(table.recorded_at), func.max(table.id))
        # Not in turn: else whoever asks while the database hangs would wait for all who asked before.
        found = db.exec(newest.where(table.id > self._seen[table]).group_by(table.municipality)).all()
        places = municipalities(db, codes=[code for code, *_ in found]) if found else {}
        with self._noting:
            for code, at, number in found:
                county = places[code].county or NO_COUNTY
                self._by_county[county] = max(at, self._by_county.get(county, at))
                self._seen[table] = max(number, self._seen[table])


def database_gauges(db: Session, posts: LastPosts, *, now: datetime) -> Iterable[Metric]:
    """Whether the database answers; if it does, what it says at `now` of posts, releases, replies and its schema."""
    up = GaugeMetricFamily("yhdessa_database_up", "1 if the database answers, else 0")
    try:
        found = [_last_posts(db, posts), _release_ages(db, now), _replies(db), _revision(db)]
    except (SQLAlchemyError, UnsafeDatabase):
        found = []
    up.add_metric([], int(bool(found)))
    return [up, *found]


def _last_posts(db: Session, posts: LastPosts) -> Metric:
    what = "When a figure of the county was last recorded, in seconds since 1970; nothing for one that never was"
    family = GaugeMetricFamily("yhdessa_last_post_timestamp_seconds", what, labels=["county"])
    for county, at in posts.by_county(db).items():
        family.add_metric([county], at.timestamp())
    return family


def _release_ages(db: Session, now: datetime) -> Metric:
    what = "How long ago the day began on which the county last published figures of the practice"
    family = GaugeMetricFamily("yhdessa_release_age_seconds", what, labels=["county", "practice"])
    latest: Any = select(ReleaseRecord.county, ReleaseRecord.practice, func.max(ReleaseRecord.published_on))
    published = latest.where(ReleaseRecord.published_on <= helsinki_day(now))
    for county, practice, day in db.exec(published.group_by(ReleaseRecord.county, ReleaseRecord.practice)).all():
        began = datetime.combine(day, time(), tzinfo=HELSINKI).astimezone(UTC)
        family.add_metric([county, practice], (now - began).total_seconds())
    return family


def _replies(db: Session) -> Metric:
    held = db.exec(select(func.count(col(RememberedReply.recorded_at)))).one()
    return GaugeMetricFamily("yhdessa_remembered_replies", "Replies kept for retries, 30 days each", value=held)


def _revision(db: Session) -> Metric:
    what = "The revision of the database's schema and the one that this version needs; 1 where the one serves the other"
    family = GaugeMetricFamily("yhdessa_schema_current", what, labels=["found", "needed"])
    found, needed = revision_of(db.connection()), newest_revision()
    family.add_metric([found or "none", needed], int(serves(found, needed)))
    return family
