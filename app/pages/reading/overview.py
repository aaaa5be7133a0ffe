"""What the front page tells: the public figures of a practice in a county or in the country."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from app.clock import AsOf
from app.pages.reading.provenance import Provenance, provenance
from app.pages.reading.standings import Standing, standings
from app.pages.view import View
from app.places.register import County, counties, municipalities
from app.practices.definitions import practice_asked, practices
from app.practices.models import PracticePublic
from app.releases.about import about
from app.releases.models import ReleasePublic, ReleaseRecord
from app.trends.answer import By, Question, trend
from app.trends.models import Trend, TrendRow


@dataclass(frozen=True, slots=True)
class Overview:
    """Public figures alone, whoever asks. `county` is None for the whole country.

    `trend` has a row a year of the whole area, `parts` one for each county of the country, or for each municipality of
    the county. `releases` are those that the figures come from. `standings` are of all municipalities of the area, in
    the order of their codes.
    """

    practice: PracticePublic
    practices: Sequence[PracticePublic]
    county: County | None
    counties: Sequence[County]
    trend: Trend
    parts: Sequence[TrendRow]
    releases: Sequence[ReleasePublic]
    standings: Sequence[Standing]
    provenance: Provenance


def overview(db: Session, view: View, *, as_of: AsOf) -> Overview:
    """What is public of the practice and area of `view`, as of then.

    Raises:
        InvalidParameter: unknown practice or county, or a release of others.
        NotFound: there is no such release.
    """
    practice = practice_asked(db, view.practice, as_of.moment)
    whole = public_trend(db, view, as_of=as_of)
    known = counties(db, as_of.moment)
    county = known[whole.area.code] if whole.area.type == "county" else None
    parts = public_trend(db, view, as_of=as_of, by="municipality" if county else "county")
    places = municipalities(db, as_of.moment, county=county.code if county else None).values()
    used = [db.get_one(ReleaseRecord, used.id) for used in whole.releases]
    in_counties = [place for place in places if place.county in known]
    return Overview(
        practice=practice,
        practices=list(practices(db, as_of.moment).values()),
        county=county,
        counties=list(known.values()),
        trend=whole,
        parts=parts.years,
        releases=about(db, used),
        standings=standings(db, view.practice, in_counties, as_of),
        provenance=provenance(db, used, county=county.code if county else None, as_of=as_of),
    )


def public_trend(db: Session, view: View, *, as_of: AsOf, by: By | None = None) -> Trend:
    """What GET /v1/trends answers anybody about the practice, area and release of `view`."""
    question = Question(
        practice=view.practice,
        county=view.county,
        municipalities=[],
        by=by,
        from_year=None,
        to_year=None,
        release=view.release,
    )
    return trend(db, question, reader=None, as_of=as_of)[0]
