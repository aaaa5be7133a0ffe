"""The parameters, refusals and answers that the calls about counts and statuses share."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from fastapi import Header, Path, Query, Response

from app.access.caller import NotAuthenticated
from app.access.models import Action
from app.access.replies import IdempotencyKeyReused
from app.access.scope import Caller, NotAllowed, NotCovered
from app.clock import AsOf
from app.errors import InvalidParameter, InvalidRequest, TooLarge, Unavailable, UnsupportedContent, parameter_problem
from app.periods import NotAPeriod, Period, day as day_of, period as period_of
from app.places.models import CountyCode, MunicipalityCode
from app.places.register import Municipality, municipality_at
from app.practices.definitions import practice_at
from app.reports.models import MAX_NOTE, DayText, PeriodText, PracticeSlug
from app.reports.submissions import NewReceipt, receipt_json
from app.reports.tables import Submission
from app.web.answers import JSON
from app.web.dependencies import ReadDb

PracticePath = Annotated[
    PracticeSlug,
    Path(
        description="Slug of the practice, as `GET /v1/practices` gives it",
        openapi_examples={"Yhdessä aika": {"value": "yhdessa-aika"}},
    ),
]
PlacePath = Annotated[MunicipalityCode, Path(openapi_examples={"Kuopio": {"value": "297"}})]
PeriodPath = Annotated[
    PeriodText,
    Path(
        openapi_examples={
            "month": {"summary": "A month", "value": "2024-03"},
            "quarter": {"summary": "A quarter", "value": "2023-Q4"},
            "year": {"summary": "A year", "value": "2022"},
        }
    ),
]
DatePath = Annotated[
    DayText,
    Path(
        openapi_examples={
            "day": {"summary": "A day", "value": "2024-02-01"},
            "month": {"summary": "Some day of a month", "value": "2023-11"},
        }
    ),
]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=200,
        description='Optional: change the figure only if this is its ETag, as `"17"` (`*`: any figure); else 412',
    ),
]
Reason = Annotated[
    str,
    Query(
        min_length=1,
        max_length=MAX_NOTE,
        description="Why, in words for key holders; never public, and no personal identity codes",
        openapi_examples={"wrong month": {"value": "Posted for the wrong month"}},
    ),
]
PracticeAsked = Annotated[PracticeSlug | None, Query(description="Only this practice", examples=["yhdessa-aika"])]
CountyAsked = Annotated[CountyCode | None, Query(description="Only municipalities of this county", examples=["13"])]
PlacesAsked = Annotated[
    list[MunicipalityCode], Query(description="Only these municipalities; may be repeated", examples=[["297"]])
]
Register = Annotated[
    Literal["reported", "current"],
    Query(description="`current` shows a merged municipality's figures under its successor"),
]
CursorAsked = Annotated[
    str | None,
    Query(
        max_length=300,
        description="`next` of the page before; same filters",
        json_schema_extra={"pattern": "^[A-Za-z0-9_-]+$"},
    ),
]

WRITING = (
    NotAuthenticated,
    NotAllowed,
    NotCovered,
    InvalidParameter,
    InvalidRequest,
    IdempotencyKeyReused,
    Unavailable,
)
WITH_BODY = (UnsupportedContent, TooLarge)
READING = (NotAuthenticated, NotAllowed, NotCovered, InvalidParameter, Unavailable)

RECEIPT_AT = {"Location": "Where the receipt can be read again"}
ENTRY = {"ETag": "Names the entry that is now in force; serves `If-Match`"}


def place_at(db: ReadDb, practice: str, municipality: str, as_of: AsOf) -> Municipality:
    """The municipality in the address.

    Raises:
        NotFound: there is no such practice or municipality.
    """
    practice_at(db, practice, as_of.moment)
    return municipality_at(db, municipality, as_of.moment)


def place_to_read(db: ReadDb, caller: Caller, practice: str, municipality: str, as_of: AsOf) -> Municipality:
    """The municipality in the address, if the key may read its counts.

    Raises:
        NotAllowed, NotCovered: the key may not read, or not about this municipality.
        NotFound: there is no such practice or municipality.
    """
    caller.require(Action.READ)
    place = place_at(db, practice, municipality, as_of)
    if not caller.scope.covers(place):
        raise NotCovered(f"the key does not cover {place.code} {place.name_fi}; GET /v1/key shows its areas")
    return place


def period_at(text: str, parameter: str = "period") -> Period:
    """The period that the `parameter` names.

    Raises:
        InvalidParameter: it names none.
    """
    try:
        return period_of(text)
    except NotAPeriod as error:
        raise parameter_problem(parameter, str(error)) from error


def day_at(text: str) -> date:
    """The day that the address names.

    Raises:
        InvalidParameter: it names none.
    """
    try:
        return day_of(text)[0]
    except NotAPeriod as error:
        raise parameter_problem("date", str(error)) from error


def receipt_answer(
    receipt: Submission | NewReceipt,
    caller: Caller,
    *,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The receipt of a submission of the caller's organisation."""
    body = receipt_json(receipt, caller.organisation)
    return Response(body, status_code=status_code, media_type=JSON, headers=headers)


def single_receipt(receipt: NewReceipt, caller: Caller) -> Response:
    """The receipt of one row: 201 if the figure is new, and the entry now in force as the ETag."""
    etag = f'"{json.loads(receipt.rows)[0]["entry"]}"'
    return receipt_answer(receipt, caller, status_code=201 if receipt.created else 200, headers={"ETag": etag})
