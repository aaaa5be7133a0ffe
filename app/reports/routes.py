"""Posting and reading single figures, submissions and lists under /v1."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Header, Path, Query, Request, Response

from app.access.caller import PUBLIC_TOO, AnyReader, NotAuthenticated, Reader, Reporter
from app.access.models import Action
from app.access.scope import Caller, NotAllowed, NotCovered
from app.clock import AsOf
from app.database import LARGEST_ID
from app.errors import (
    FieldError,
    InvalidParameter,
    InvalidRequest,
    NotFound,
    TooLarge,
    Unavailable,
    UnsupportedContent,
    problems,
)
from app.periods import FIRST_YEAR, LAST_YEAR, NotAPeriod, Period, day as day_of, period as period_of
from app.places.models import CountyCode, Day, MunicipalityCode
from app.places.register import Municipality, municipality_at
from app.practices.definitions import practice_at
from app.reports import examples
from app.reports.history import count_history, count_in_force, status_history, status_in_force
from app.reports.ledger import entry_etag
from app.reports.lists import (
    Filters,
    Shown,
    count_public,
    cursor_of,
    cursor_text,
    page_of_counts,
    page_of_statuses,
    status_public,
)
from app.reports.models import (
    MAX_NOTE,
    CountHistory,
    CountHistoryRow,
    CountIn,
    CountPublic,
    CountPut,
    Counts,
    DayText,
    PeriodText,
    PracticeSlug,
    Receipt,
    Statuses,
    StatusHistory,
    StatusHistoryRow,
    StatusIn,
    StatusPublic,
    StatusPut,
    SubmissionIn,
)
from app.reports.recording import PreconditionFailed, in_single_figure, record, retract
from app.reports.rules import Overlapping
from app.reports.submissions import organisation_names, own_receipt
from app.web.answers import JSON, Accepted, FormatAsked, documented, documented_table, table_answer, wants_csv
from app.web.dependencies import AsOfMoment, ReadDb, TheClock, WriteDb
from app.web.strict import StrictRoute

router = APIRouter(prefix="/v1", route_class=StrictRoute)

DEFAULT_ROWS = 1_000
MOST_ROWS = 10_000

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
    list[MunicipalityCode],
    Query(description="Only these municipalities; may be repeated", examples=[["297"]]),
]
Register = Annotated[
    Literal["reported", "current"],
    Query(description="`current` shows a merged municipality's figures under its successor"),
]
Limit = Annotated[
    int | None,
    Query(
        ge=1,
        le=MOST_ROWS,
        description=f"Rows of a page; {DEFAULT_ROWS} in JSON, all in CSV if left out",
        examples=[100],
    ),
]
CursorAsked = Annotated[str | None, Query(max_length=300, description="`next` of the page before; same filters")]

_WRITING = (NotAuthenticated, NotAllowed, NotCovered, InvalidParameter, InvalidRequest, Unavailable)
_WITH_BODY = (UnsupportedContent, TooLarge)
_READING = (NotAuthenticated, NotAllowed, NotCovered, InvalidParameter, Unavailable)

_RECEIPT_AT = {"Location": "Where the receipt can be read again"}
_ENTRY = {"ETag": "Names the entry that is now in force; serves `If-Match`"}


@router.post(
    "/submissions",
    operation_id="postSubmission",
    summary="Post session counts and statuses",
    tags=["Posting"],
    status_code=201,
    response_model=Receipt,
    responses={
        200: {
            "model": Receipt,
            **documented("Dry run: what the receipt would say; nothing is stored", examples.DRY_RUN),
        },
        201: documented("Recorded; the receipt", examples.SUBMISSION_RECORDED, _RECEIPT_AT),
        **problems(*_WRITING, Overlapping, *_WITH_BODY),
    },
)
def post_submission(
    db: WriteDb,
    clock: TheClock,
    caller: Reporter,
    submission: Annotated[SubmissionIn, Body(openapi_examples=examples.SUBMISSIONS)],
    skip_invalid: Annotated[bool, Query(description="Reject rows that break a rule, record the others")] = False,
    dry_run: Annotated[bool, Query(description="Say what would happen; store nothing")] = False,
) -> Response:
    """Many counts and statuses at once, all or nothing; the receipt says what became of each row.

    Posting the same figures again changes nothing and says `unchanged`, so a post whose answer was lost can simply be
    sent again. A figure that is posted with other content is `corrected`; the earlier one stays in the history.

    If rows are refused, the problem lists every row of the gravest kind there is: outside the key's areas (403), then
    breaking a rule (422), then overlapping what is recorded (409). Nothing is stored then, unless `skip_invalid`.
    """
    receipt = record(db, submission, by=caller, clock=clock, skip_invalid=skip_invalid, dry_run=dry_run)
    headers = {} if dry_run else {"Location": f"/v1/submissions/{receipt.id}"}
    return _json(receipt, status_code=200 if dry_run else 201, headers=headers)


@router.get(
    "/submissions/{id}",
    operation_id="getSubmission",
    summary="A receipt again",
    tags=["Posting"],
    responses={
        200: documented("The receipt", examples.STATUS_CREATED),
        **problems(NotAuthenticated, NotFound, InvalidParameter, Unavailable),
    },
)
def get_submission(
    db: ReadDb,
    caller: Reader,
    id: Annotated[
        int,
        Path(
            ge=1,
            le=LARGEST_ID,
            description="The `id` of the receipt",
            openapi_examples={"first": {"summary": "The first submission", "value": 1}},
        ),
    ],
) -> Receipt:
    """The receipt of a submission of one's own organisation, as it was given."""
    return own_receipt(db, id, by=caller)


@router.put(
    "/session-counts/{practice}/{municipality}/{period}",
    operation_id="putSessionCount",
    summary="Post or correct one session count",
    tags=["Posting"],
    response_model=Receipt,
    responses={
        200: documented("Corrected, or unchanged; the receipt", examples.COUNT_CORRECTED, _ENTRY),
        201: {
            "model": Receipt,
            **documented("Created; the receipt", examples.COUNT_CREATED, _ENTRY),
        },
        **problems(*_WRITING, PreconditionFailed, Overlapping, *_WITH_BODY),
    },
)
def put_session_count(
    db: WriteDb,
    clock: TheClock,
    caller: Reporter,
    practice: PracticePath,
    municipality: PlacePath,
    period: PeriodPath,
    count: Annotated[CountPut, Body(openapi_examples=examples.COUNTS)],
    if_match: IfMatch = None,
) -> Response:
    """A submission of one row, by the same rules as `POST /v1/submissions`.

    With `If-Match` it is recorded only if the figure is still the one that you read.
    """
    row = CountIn(municipality=municipality, practice=practice, period=period, **count.model_dump())
    submission = SubmissionIn(counts=[row])
    receipt = record(db, submission, by=caller, clock=clock, if_match=if_match, locate=in_single_figure)
    return _single(receipt)


@router.get(
    "/session-counts/{practice}/{municipality}/{period}",
    operation_id="getSessionCount",
    summary="One session count",
    tags=["Reading"],
    response_model=CountPublic,
    responses={
        200: documented("The count in force", examples.COUNT),
        **problems(*_READING, NotFound),
    },
)
def get_session_count(
    db: ReadDb,
    caller: Reader,
    practice: PracticePath,
    municipality: PlacePath,
    period: PeriodPath,
    as_of: AsOfMoment,
) -> Response:
    """The count in force for one municipality, practice and period; its ETag serves If-Match."""
    place = _place_to_read(db, caller, practice, municipality, as_of)
    entry = count_in_force(db, practice, place.code, _period(period).text, moment=as_of.moment)
    names = organisation_names(db, [entry.organisation_id])
    answer = count_public(entry, Shown(place, place), organisation=names[entry.organisation_id])
    return _json(answer, headers={"ETag": entry_etag(entry)})


@router.delete(
    "/session-counts/{practice}/{municipality}/{period}",
    operation_id="retractSessionCount",
    summary="Retract one session count",
    tags=["Posting"],
    responses={
        200: documented("Retracted; the receipt", examples.COUNT_RETRACTED),
        **problems(*_WRITING, PreconditionFailed, NotFound),
    },
)
def retract_session_count(
    db: WriteDb,
    clock: TheClock,
    caller: Reporter,
    practice: PracticePath,
    municipality: PlacePath,
    period: PeriodPath,
    reason: Reason,
    if_match: IfMatch = None,
) -> Receipt:
    """Withdraw a count: it is then not reported, which is not zero; the history keeps it."""
    return retract(
        db,
        practice=practice,
        municipality=municipality,
        period_or_day=_period(period).text,
        reason=reason,
        by=caller,
        clock=clock,
        if_match=if_match,
    )


@router.get(
    "/session-counts/{practice}/{municipality}/{period}/history",
    operation_id="getSessionCountHistory",
    summary="Every entry about one session count",
    tags=["Reading"],
    response_model=CountHistory,
    responses={
        **documented_table("The entries, oldest first", CountHistoryRow, examples.COUNT_HISTORY),
        **problems(*_READING, NotFound),
    },
)
def get_session_count_history(
    db: ReadDb,
    caller: Reader,
    practice: PracticePath,
    municipality: PlacePath,
    period: PeriodPath,
    as_of: AsOfMoment,
    format: FormatAsked = None,
    accept: Accepted = None,
) -> Response:
    """What was recorded, corrected and withdrawn, when, by whom and why; oldest first."""
    place = _place_to_read(db, caller, practice, municipality, as_of)
    rows = count_history(db, practice, place.code, _period(period).text, moment=as_of.moment)
    answer = CountHistory(as_of=as_of.asked, rows=rows)
    return table_answer(answer, CountHistoryRow, rows, as_csv=wants_csv(format, accept))


@router.put(
    "/statuses/{practice}/{municipality}/{date}",
    operation_id="putStatus",
    summary="Post or correct one status",
    tags=["Posting"],
    response_model=Receipt,
    responses={
        200: documented("Corrected, or unchanged; the receipt", examples.STATUS_CORRECTED, _ENTRY),
        201: {
            "model": Receipt,
            **documented("Created; the receipt", examples.STATUS_CREATED, _ENTRY),
        },
        **problems(*_WRITING, PreconditionFailed, *_WITH_BODY),
    },
)
def put_status(
    db: WriteDb,
    clock: TheClock,
    caller: Reporter,
    practice: PracticePath,
    municipality: PlacePath,
    date: DatePath,
    status: Annotated[StatusPut, Body(openapi_examples=examples.STATUSES)],
    if_match: IfMatch = None,
) -> Response:
    """A submission of one row, by the same rules as `POST /v1/submissions`.

    With `If-Match` it is recorded only if the status is still the one that you read.
    """
    row = StatusIn(municipality=municipality, practice=practice, date=date, **status.model_dump())
    submission = SubmissionIn(statuses=[row])
    receipt = record(db, submission, by=caller, clock=clock, if_match=if_match, locate=in_single_figure)
    return _single(receipt)


@router.get(
    "/statuses/{practice}/{municipality}/{date}",
    operation_id="getStatus",
    summary="One status",
    tags=["Reading"],
    response_model=StatusPublic,
    responses={
        200: documented("The status of this day", examples.STATUS),
        **problems(InvalidParameter, NotFound, Unavailable),
    },
)
def get_status(
    db: ReadDb, practice: PracticePath, municipality: PlacePath, date: DatePath, as_of: AsOfMoment
) -> Response:
    """The status that a municipality has from this day on, open to everyone; its ETag serves If-Match."""
    place = _place_at(db, practice, municipality, as_of)
    entry = status_in_force(db, practice, place.code, _day(date), moment=as_of.moment)
    return _json(status_public(entry, Shown(place, place)), headers={"ETag": entry_etag(entry)})


@router.delete(
    "/statuses/{practice}/{municipality}/{date}",
    operation_id="retractStatus",
    summary="Retract one status",
    tags=["Posting"],
    responses={
        200: documented("Retracted; the receipt", examples.STATUS_RETRACTED),
        **problems(*_WRITING, PreconditionFailed, NotFound),
    },
)
def retract_status(
    db: WriteDb,
    clock: TheClock,
    caller: Reporter,
    practice: PracticePath,
    municipality: PlacePath,
    date: DatePath,
    reason: Reason,
    if_match: IfMatch = None,
) -> Receipt:
    """Withdraw a status: the one before it is then in force again; the history keeps it."""
    return retract(
        db,
        practice=practice,
        municipality=municipality,
        period_or_day=_day(date),
        reason=reason,
        by=caller,
        clock=clock,
        if_match=if_match,
    )


@router.get(
    "/statuses/{practice}/{municipality}/{date}/history",
    operation_id="getStatusHistory",
    summary="Every entry about one status",
    tags=["Reading"],
    response_model=StatusHistory,
    responses={
        **documented_table("The entries, oldest first", StatusHistoryRow, examples.STATUS_HISTORY),
        **problems(NotAuthenticated, InvalidParameter, NotFound, Unavailable),
    },
    openapi_extra=PUBLIC_TOO,
)
def get_status_history(
    db: ReadDb,
    caller: AnyReader,
    practice: PracticePath,
    municipality: PlacePath,
    date: DatePath,
    as_of: AsOfMoment,
    format: FormatAsked = None,
    accept: Accepted = None,
) -> Response:
    """What was recorded, corrected and withdrawn, oldest first; reporter and notes only with a key for the area."""
    place = _place_at(db, practice, municipality, as_of)
    whole = caller is not None and caller.reads([place])
    rows = status_history(db, practice, place.code, _day(date), moment=as_of.moment, whole=whole)
    answer = StatusHistory(as_of=as_of.asked, rows=rows)
    return table_answer(answer, StatusHistoryRow, rows, as_csv=wants_csv(format, accept))


@router.get(
    "/session-counts",
    operation_id="listSessionCounts",
    summary="The session counts in force",
    tags=["Reading"],
    response_model=Counts,
    responses={
        **documented_table("A page of session counts", CountPublic, examples.COUNTS_PAGE, paged=True),
        **problems(*_READING),
    },
)
def list_session_counts(
    request: Request,
    db: ReadDb,
    caller: Reader,
    as_of: AsOfMoment,
    practice: PracticeAsked = None,
    county: CountyAsked = None,
    municipality: PlacesAsked = [],  # noqa: B006  # FastAPI copies it
    from_period: Annotated[
        PeriodText | None, Query(description="Periods that begin with it or later", examples=["2021"])
    ] = None,
    to_period: Annotated[
        PeriodText | None, Query(description="Periods that end with it or earlier", examples=["2022-Q4"])
    ] = None,
    register: Register = "reported",
    limit: Limit = None,
    cursor: CursorAsked = None,
    format: FormatAsked = None,
    accept: Accepted = None,
) -> Response:
    """The counts within the key's scope as flat rows, in the order of practice, municipality code and period.

    Pages read one moment: what is posted while you page is not in them.
    """
    caller.require(Action.READ)
    as_csv = wants_csv(format, accept)
    rows, following = page_of_counts(
        db,
        Filters(practice=practice, county=county, municipalities=municipality, current=register == "current"),
        reader=caller,
        as_of=as_of,
        first_day=_period(from_period, "from_period").first if from_period else date(FIRST_YEAR, 1, 1),
        last_day=_period(to_period, "to_period").last if to_period else date(LAST_YEAR, 12, 31),
        cursor=cursor_of(cursor) if cursor else None,
        limit=limit or (None if as_csv else DEFAULT_ROWS),
    )
    following_text = cursor_text(following) if following else None
    answer = Counts(as_of=as_of.asked, rows=rows, next=following_text)
    return table_answer(answer, CountPublic, rows, as_csv=as_csv, next_page=_next_page(request, following_text))


@router.get(
    "/statuses",
    operation_id="listStatuses",
    summary="The statuses in force",
    tags=["Reading"],
    response_model=Statuses,
    responses={
        **documented_table("A page of statuses", StatusPublic, examples.STATUSES_PAGE, paged=True),
        **problems(InvalidParameter, Unavailable),
    },
)
def list_statuses(
    request: Request,
    db: ReadDb,
    as_of: AsOfMoment,
    practice: PracticeAsked = None,
    county: CountyAsked = None,
    municipality: PlacesAsked = [],  # noqa: B006  # FastAPI copies it
    on: Annotated[
        Day | None,
        Query(
            description="The one status of each municipality that is in force on this day",
            examples=["2022-12-31"],
        ),
    ] = None,
    register: Register = "reported",
    limit: Limit = None,
    cursor: CursorAsked = None,
    format: FormatAsked = None,
    accept: Accepted = None,
) -> Response:
    """Where municipalities stand, open to everyone: every dated status, or with `on` the one in force on that day."""
    if on is not None and on > as_of.day:
        raise _parameter("on", f"{on} is later than {as_of.day}, the day that is read")
    as_csv = wants_csv(format, accept)
    rows, following = page_of_statuses(
        db,
        Filters(practice=practice, county=county, municipalities=municipality, current=register == "current"),
        as_of=as_of,
        on=on,
        cursor=cursor_of(cursor) if cursor else None,
        limit=limit or (None if as_csv else DEFAULT_ROWS),
    )
    following_text = cursor_text(following) if following else None
    answer = Statuses(as_of=as_of.asked, rows=rows, next=following_text)
    return table_answer(answer, StatusPublic, rows, as_csv=as_csv, next_page=_next_page(request, following_text))


def _place_at(db: ReadDb, practice: str, municipality: str, as_of: AsOf) -> Municipality:
    practice_at(db, practice, as_of.moment)
    return municipality_at(db, municipality, as_of.moment)


def _place_to_read(db: ReadDb, caller: Caller, practice: str, municipality: str, as_of: AsOf) -> Municipality:
    """The municipality in the address, if the key may read its counts."""
    caller.require(Action.READ)
    place = _place_at(db, practice, municipality, as_of)
    if not caller.scope.covers(place):
        raise NotCovered(f"the key does not cover {place.code} {place.name_fi}; GET /v1/key shows its areas")
    return place


def _period(text: str, parameter: str = "period") -> Period:
    try:
        return period_of(text)
    except NotAPeriod as error:
        raise _parameter(parameter, str(error)) from error


def _day(text: str) -> date:
    try:
        return day_of(text)[0]
    except NotAPeriod as error:
        raise _parameter("date", str(error)) from error


def _parameter(name: str, detail: str) -> InvalidParameter:
    return InvalidParameter(f"{name}: {detail}", errors=[FieldError(parameter=name, detail=detail)])


def _single(receipt: Receipt) -> Response:
    """The receipt of one row: 201 if the figure is new, and the entry now in force as the ETag."""
    etag = f'"{receipt.rows[0].entry}"'
    return _json(receipt, status_code=201 if receipt.created else 200, headers={"ETag": etag})


def _json(answer: Any, *, status_code: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(answer.model_dump_json(), status_code=status_code, media_type=JSON, headers=headers)


def _next_page(request: Request, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    return f"{request.url.path}?{request.url.include_query_params(cursor=cursor).query}"
