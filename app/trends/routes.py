"""GET /v1/trends: the yearly trend."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from app.access.caller import PUBLIC_TOO, AnyReader, NotAuthenticated
from app.errors import InvalidParameter, NotFound, problems
from app.periods import FIRST_YEAR, LAST_YEAR
from app.places.models import CountyCode, MunicipalityCode
from app.practices.definitions import DEFAULT_PRACTICE
from app.practices.models import PRACTICE_LENGTH, PRACTICE_PATTERN
from app.trends.answer import Question, trend
from app.trends.models import Trend, TrendRow
from app.web.answers import Accepted, FormatAsked, csv_too, table_answer, wants_csv
from app.web.dependencies import AsOfMoment, ReadDb
from app.web.strict import StrictRoute

router = APIRouter(prefix="/v1", tags=["Reading"], route_class=StrictRoute)

Year = Annotated[int | None, Query(ge=FIRST_YEAR, le=LAST_YEAR)]


@router.get(
    "/trends",
    operation_id="getTrend",
    summary="The yearly trend",
    response_model=Trend,
    responses={**csv_too("The rows of the trend"), **problems(NotAuthenticated, InvalidParameter, NotFound)},
    openapi_extra=PUBLIC_TOO,
)
def get_trend(
    db: ReadDb,
    caller: AnyReader,
    as_of: AsOfMoment,
    practice: Annotated[
        str, Query(pattern=PRACTICE_PATTERN, max_length=PRACTICE_LENGTH, examples=[DEFAULT_PRACTICE])
    ] = DEFAULT_PRACTICE,
    county: Annotated[CountyCode | None, Query(examples=["13"])] = None,
    municipality: Annotated[
        list[MunicipalityCode], Query(description="Narrows to these municipalities; may be repeated")
    ] = [],  # noqa: B006  # FastAPI copies it
    by: Annotated[
        Literal["county", "municipality"] | None,
        Query(description="One row per area and year instead of one sum"),
    ] = None,
    from_year: Year = None,
    to_year: Year = None,
    release: Annotated[
        int | None,
        Query(ge=1, le=2**63 - 1, description="What this release says, instead of the latest", examples=[1]),
    ] = None,
    format: FormatAsked = None,
    accept: Accepted = None,
) -> Response:
    """How many municipalities have the practice, out of how many, and how many sessions they held, year by year.

    With a key that covers the whole area the answer is live; otherwise it is what the county's latest release says.
    Part years are flagged and never compared with whole ones.
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
    answer = trend(db, question, reader=caller, as_of=as_of)
    return table_answer(answer, TrendRow, answer.years, as_csv=wants_csv(format, accept))
