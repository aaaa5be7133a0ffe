"""What was released before of a practice and county, and the counts that it was made of."""

from datetime import date

from sqlmodel import Session, col, func, select

from app.publishing.counts import counts_behind, county_histories, years_by_reports
from app.releases.models import ReleaseRecord
from app.releases.reading import ReleaseRead, content_of, latest_releases
from app.series.content import Statement


def earlier_statements(db: Session, practice: str, county: str) -> list[Statement]:
    """Every release as it was published, in the order of their numbers, with the counts in force at its moment.

    The ledger is only added to, so that it still tells what was in force then. Nobody knows the counts behind an
    imported release: it has none.
    """
    query = select(ReleaseRecord).where(ReleaseRecord.practice == practice, ReleaseRecord.county == county)
    return [_statement(db, record) for record in db.exec(query.order_by(col(ReleaseRecord.id))).all()]


def latest_number(db: Session, practice: str, county: str) -> int | None:
    """The number of the release that was recorded last; None if there is none."""
    query = select(func.max(ReleaseRecord.id))
    return db.exec(query.where(ReleaseRecord.practice == practice, ReleaseRecord.county == county)).one()


def latest_release(db: Session, practice: str, county: str) -> ReleaseRead | None:
    """The release that counts now: the one published last, of several that day the highest number."""
    return latest_releases(db, practice, on=date.max, county=county).get(county)


def _statement(db: Session, record: ReleaseRecord) -> Statement:
    content = content_of(db, record)
    if record.as_of is None:
        return Statement(content=content, counts={})
    recorded = county_histories(db, record.practice, record.county, moment=record.as_of)
    return Statement(content=content, counts=counts_behind(recorded, years_by_reports(content)))
