"""GET /v1/releases: what was made public, open to everyone."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from app.database import LARGEST_ID
from app.errors import InvalidParameter, NotFound, Unavailable, problems
from app.places.models import CountyCode
from app.places.register import county_named
from app.practices.definitions import practice_asked
from app.practices.models import PRACTICE_LENGTH, PRACTICE_PATTERN
from app.releases import examples
from app.releases.models import ReleasePublic, Releases
from app.releases.reading import release_with, releases
from app.web.answers import Accepted, FormatAsked, documented, documented_table, table_answer, wants_csv
from app.web.dependencies import AsOfMoment, ReadDb
from app.web.strict import StrictRoute

router = APIRouter(prefix="/v1", tags=["Releases"], route_class=StrictRoute)


@router.get(
    "/releases",
    operation_id="listReleases",
    summary="What was made public",
    response_model=Releases,
    responses={
        **documented_table("Releases, newest first", ReleasePublic, examples.RELEASES),
        **problems(InvalidParameter, Unavailable),
    },
)
def list_releases(
    db: ReadDb,
    as_of: AsOfMoment,
    practice: Annotated[
        str | None,
        Query(
            pattern=PRACTICE_PATTERN,
            max_length=PRACTICE_LENGTH,
            description="Only those about this practice",
            examples=["yhdessa-aika"],
        ),
    ] = None,
    county: Annotated[CountyCode | None, Query(description="Only those of this county", examples=["13"])] = None,
    format: FormatAsked = None,
    accept: Accepted = None,
) -> Response:
    """Releases published up to the day that is read, newest first; their figures are read with `GET /v1/trends`."""
    if practice is not None:
        practice_asked(db, practice, as_of.moment)
    if county is not None:
        county_named(db, county, as_of.moment)
    found = releases(db, on=as_of.day, practice=practice, county=county)
    rows = [ReleasePublic.model_validate(record) for record in found]
    return table_answer(Releases(as_of=as_of.asked, rows=rows), ReleasePublic, rows, as_csv=wants_csv(format, accept))


@router.get(
    "/releases/{id}",
    operation_id="getRelease",
    summary="One release",
    responses={
        200: documented("The release", examples.RELEASE),
        **problems(InvalidParameter, NotFound, Unavailable),
    },
)
def get_release(
    db: ReadDb,
    as_of: AsOfMoment,
    id: Annotated[
        int,
        Path(
            ge=1,
            le=LARGEST_ID,
            description="Number of the release, as `GET /v1/releases` gives it",
            openapi_examples={"first": {"summary": "The release that ships", "value": 1}},
        ),
    ],
) -> ReleasePublic:
    """A release with its source; its figures are read with `GET /v1/trends?release=`."""
    return ReleasePublic.model_validate(release_with(db, id, on=as_of.day))
