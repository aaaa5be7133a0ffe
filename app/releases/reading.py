"""Which releases there are and what the one that counts on a day says."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from pydantic import TypeAdapter
from sqlalchemy import bindparam, tuple_
from sqlmodel import Session, col, select

from app.errors import NotFound
from app.practices.definitions import live_from
from app.releases.models import (
    ReleaseMunicipalityYearRecord,
    ReleaseQuarterRecord,
    ReleaseRecord,
    ReleaseYearRecord,
)
from app.series.content import Content, ReleasedQuarter
from app.series.facts import Release
from app.series.figures import ReleasedYear

FACTS: TypeAdapter[ReleasedYear] = TypeAdapter(ReleasedYear)
QUARTER_FACTS: TypeAdapter[ReleasedQuarter] = TypeAdapter(ReleasedQuarter)

_NEWEST_FIRST = (col(ReleaseRecord.published_on).desc(), col(ReleaseRecord.id).desc())

# Putting statements together takes longer than asking them.
_OF_PRACTICE = (
    select(ReleaseRecord)
    .where(ReleaseRecord.practice == bindparam("practice"), col(ReleaseRecord.published_on) <= bindparam("on"))
    .order_by(*_NEWEST_FIRST)
)
_OF_COUNTY = _OF_PRACTICE.where(ReleaseRecord.county == bindparam("county"))
_YEARS = (
    select(ReleaseYearRecord.release_id, ReleaseYearRecord.year, ReleaseYearRecord.facts)
    .where(col(ReleaseYearRecord.release_id).in_(bindparam("ids", expanding=True)))
    .order_by(col(ReleaseYearRecord.year))
)


@dataclass(frozen=True, slots=True)
class ReleaseRead:
    """A release with what it says of each year, and of single municipalities if those were asked for."""

    record: ReleaseRecord
    content: Release


def releases(
    db: Session,
    *,
    on: date,
    practice: str | None = None,
    county: str | None = None,
    state: str | None = None,
    origin: str | None = None,
    after: ReleaseRecord | None = None,
    limit: int | None = None,
) -> Sequence[ReleaseRecord]:
    """The releases published on or before the day `on`, newest first; of one practice, county and so on if named.

    At most `limit`, and if `after` is given only those behind it.
    """
    asked = {"practice": practice, "county": county, "state": state, "origin": origin}
    query = select(ReleaseRecord).where(ReleaseRecord.published_on <= on)
    query = query.filter_by(**{name: value for name, value in asked.items() if value is not None})
    place = tuple_(col(ReleaseRecord.published_on), col(ReleaseRecord.id))
    if after is not None:
        query = query.where(place < (after.published_on, after.id))
    return db.exec(query.order_by(*_NEWEST_FIRST).limit(limit)).all()


def release_with(db: Session, release_id: int, *, on: date) -> ReleaseRecord:
    """The release with this number, if it was published on or before the day `on`.

    Raises:
        NotFound: there is none.
    """
    found = db.get(ReleaseRecord, release_id)
    if found is None or found.published_on > on:
        raise NotFound(f"there is no release {release_id} published on or before {on}")
    return found


def latest_releases(db: Session, practice: str, *, on: date, county: str | None = None) -> Mapping[str, ReleaseRead]:
    """By county: its latest release on the day `on`: the one published last, of several that day the highest number.

    Of every county, or of the one named.
    """
    query = _OF_PRACTICE if county is None else _OF_COUNTY
    latest: dict[str, ReleaseRecord] = {}
    for record in db.exec(query, params={"practice": practice, "county": county, "on": on}):
        latest.setdefault(record.county, record)
    return {read.record.county: read for read in _read(db, latest.values())}


def read_release(db: Session, record: ReleaseRecord) -> ReleaseRead:
    """`record` with what it says of each year."""
    return _read(db, [record])[0]


def content_of(db: Session, record: ReleaseRecord) -> Content:
    """Everything that the release `record` says; years, municipalities and quarters ascend."""
    return Content(
        years=read_release(db, record).content.years,
        municipalities=_municipality_years(db, [record.id])[record.id],
        quarters=quarters_of(db, record),
    )


def with_municipalities(db: Session, reads: Collection[ReleaseRead], codes: Collection[str]) -> list[ReleaseRead]:
    """`reads`, each with what it says of the municipalities `codes` by year, if it speaks of them."""
    said = _municipality_years(db, [read.record.id for read in reads], codes)
    return [replace(read, content=replace(read.content, municipalities=said[read.record.id])) for read in reads]


def quarters_of(db: Session, record: ReleaseRecord) -> Mapping[str, ReleasedQuarter]:
    """By period, which ascend: what the release says of the county's quarters."""
    table = ReleaseQuarterRecord
    query = select(table).where(table.release_id == record.id).order_by(col(table.period))
    return {row.period: QUARTER_FACTS.validate_python(row.facts) for row in db.exec(query)}


def years_kept_by_releases(
    db: Session, practice: str, *, on: date, moment: datetime | None = None
) -> Mapping[str, frozenset[int]]:
    """By county: the years that stay with its latest release on the day `on`, since they precede `live_from`.

    `live_from` is that set at `moment`; None is now.
    """
    begins = live_from(db, practice, moment)
    return {
        county: frozenset(
            year
            for year, said in read.content.years.items()
            if said.covers and (county not in begins or year < begins[county])
        )
        for county, read in latest_releases(db, practice, on=on).items()
    }


def _municipality_years(
    db: Session, ids: Collection[int], codes: Collection[str] | None = None
) -> Mapping[int, dict[str, dict[int, ReleasedYear]]]:
    """By release, code and year, the latter two ascending: what is said of single municipalities, or of `codes`."""
    table = ReleaseMunicipalityYearRecord
    query = select(table).where(col(table.release_id).in_(ids)).order_by(col(table.municipality), col(table.year))
    if codes is not None:
        query = query.where(col(table.municipality).in_(codes))
    said: dict[int, dict[str, dict[int, ReleasedYear]]] = {number: {} for number in ids}
    for row in db.exec(query):
        said[row.release_id].setdefault(row.municipality, {})[row.year] = FACTS.validate_python(row.facts)
    return said


def _read(db: Session, records: Collection[ReleaseRecord]) -> list[ReleaseRead]:
    ids = [record.id for record in records]
    years: dict[int, dict[int, ReleasedYear]] = {number: {} for number in ids}
    for number, year, facts in db.exec(_YEARS, params={"ids": ids}):
        years[number][year] = FACTS.validate_python(facts)
    return [ReleaseRead(record, Release(record.id, record.published_on, years[record.id])) for record in records]
