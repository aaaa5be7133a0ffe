"""GET /v1/trends: the yearly trend."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from app.access.at_hand import lasting_for
from app.access.caller import PUBLIC_TOO, AnyReader, NotAuthenticated
from app.database import LARGEST_ID
from app.errors import InvalidParameter, NotFound, Unavailable, problems
from app.periods import FIRST_YEAR, LAST_YEAR
from app.places.models import CountyCode, MunicipalityCode
from app.practices.definitions import DEFAULT_PRACTICE
from app.practices.models import PRACTICE_LENGTH, PRACTICE_PATTERN
from app.releases.edition import edition_read
from app.releases.headers import RELEASED, public_headers, release_header
from app.reports.edition import live_edition
from app.trends import examples
from app.trends.answer import Question, trend
from app.trends.models import Trend, TrendRow
from app.web.answers import Accepted, FormatAsked, documented_table, table_answer, wants_csv
from app.web.at_hand import lasting
from app.web.dependencies import AsOfMoment, ReadDb
from app.web.strict import StrictRoute

router = APIRouter(prefix="/v1", tags=["Reading"], route_class=StrictRoute)


@router.get(
    "/trends",
    operation_id="getTrend",
    summary="The yearly trend",
    response_model=Trend,
    responses={
        **documented_table(
            "The trend; as CSV its rows alone. The example is the last year that is public of North Savo",
            TrendRow,
            examples.TREND,
            rows="years",
            headers=RELEASED,
        ),
        **problems(NotAuthenticated, InvalidParameter, NotFound, Unavailable),
    },
    openapi_extra=PUBLIC_TOO,
)
def get_trend(
    request: Request,
    db: ReadDb,
    caller: AnyReader,
    as_of: AsOfMoment,
    practice: Annotated[
        str,
        Query(
            pattern=PRACTICE_PATTERN,
            max_length=PRACTICE_LENGTH,
            description="Slug of the practice, as `GET /v1/practices` gives it",
            examples=[DEFAULT_PRACTICE],
        ),
    ] = DEFAULT_PRACTICE,
    county: Annotated[
        CountyCode | None,
        Query(
            description="Two-digit code of a wellbeing services county; the whole country if left out",
            openapi_examples={"North Savo": {"summary": "North Savo", "value": "13"}},
        ),
    ] = None,
    municipality: Annotated[
        list[MunicipalityCode],
        Query(description="Narrows to these municipalities; may be repeated", examples=[["297", "140"]]),
    ] = [],  # noqa: B006  # FastAPI copies it
    by: Annotated[
        Literal["county", "municipality"] | None,
        Query(description="One row per area and year instead of one sum"),
    ] = None,
    from_year: Annotated[
        int | None, Query(ge=FIRST_YEAR, le=LAST_YEAR, description="First year that is shown", examples=[2021])
    ] = None,
    to_year: Annotated[
        int | None, Query(ge=FIRST_YEAR, le=LAST_YEAR, description="Last year that is shown", examples=[2023])
    ] = None,
    release: Annotated[
        int | None,
        Query(ge=1, le=LARGEST_ID, description="What this release says, instead of the latest", examples=[1]),
    ] = None,
    format: FormatAsked = None,
    accept: Accepted = None,
) -> Response:
    """How many municipalities have the practice, out of how many, and how many sessions they held, year by year.

    With a key that covers the whole area the answer is live; otherwise it is what the county's latest release says.
    Part years are flagged and never compared with whole ones. `break_in_series` marks a live year in which another
    organisation reported for a municipality than before, as when a county took the service over in 2023.

    What is public of single municipalities is what their county's release says of them, if it does. Where `sessions`
    is null, `sessions_missing` says why: nothing missing is a zero. A county whose release withholds a year is left out
    of a sum of counties that year, and of `counties`.

    A municipality belongs to its wellbeing services county in every year: figures before 2023, when the counties began
    to run the services, are recast to the county areas of today.
    """
    question = Question(
        practice=practice,
        county=county,
        municipalities=municipality,
        by=by,
        from_year=from_year,
        to_year=to_year,
        release=release,
    )
    answer, live = trend(db, question, reader=caller, as_of=as_of)
    if as_of.moment is None:
        if caller is None:
            lasting(request, edition_read(db, as_of.day))
        else:
            lasting_for(request, caller, live_edition(db, as_of.day, practice, live))
    ids = [used.id for used in answer.releases]
    headers = public_headers(ids, named=release is not None) if caller is None else release_header(ids)
    return table_answer(answer, TrendRow, answer.years, as_csv=wants_csv(format, accept), headers=headers)
