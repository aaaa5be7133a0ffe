"""Statuses under /v1: one at a time, their history, and lists."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response

from app.access.caller import PUBLIC_TOO, AnyReader, NotAuthenticated
from app.access.replies import REPLAYED
from app.access.writing import TheWriter, WritingRoute, with_short_way
from app.errors import InvalidParameter, NotFound, Unavailable, parameter_problem, problems
from app.reports import examples
from app.reports.export import lines_of_statuses
from app.reports.history import status_history, status_in_force
from app.reports.ledger import entry_etag
from app.reports.lists import Filters, Shown, cursor_of, cursor_text, page_of_statuses, status_public, statuses_asked
from app.reports.models import (
    Receipt,
    Statuses,
    StatusHistory,
    StatusHistoryRow,
    StatusIn,
    StatusPublic,
    StatusPut,
)
from app.reports.parameters import (
    ENTRY,
    WITH_BODY,
    WRITING,
    CountyAsked,
    CursorAsked,
    DatePath,
    IfMatch,
    PlacePath,
    PlacesAsked,
    PracticeAsked,
    PracticePath,
    Reason,
    Register,
    day_at,
    place_at,
    receipt_answer,
    single_receipt,
)
from app.reports.recording import PreconditionFailed, in_single_figure, record, retract
from app.reports.sent import Sent
from app.reports.short_ways import one_status
from app.reports.standing import read_standing
from app.web.answers import (
    Accepted,
    FormatAsked,
    documented,
    documented_table,
    json_answer,
    table_answer,
    wants_csv,
    whole_csv,
)
from app.web.dependencies import AsOfMoment, ReadDb
from app.web.paging import DEFAULT_ROWS, Limit, next_page
from app.web.turns import Ahead

router = APIRouter(prefix="/v1", route_class=WritingRoute)


@router.put(
    "/statuses/{practice}/{municipality}/{date}",
    operation_id="putStatus",
    summary="Post or correct one status",
    tags=["Posting"],
    response_model=Receipt,
    responses={
        200: documented("Corrected, or unchanged; the receipt", examples.STATUS_CORRECTED, ENTRY | REPLAYED),
        201: {"model": Receipt, **documented("Created; the receipt", examples.STATUS_CREATED, ENTRY | REPLAYED)},
        **problems(*WRITING, PreconditionFailed, *WITH_BODY),
    },
)
@with_short_way(one_status)
async def put_status(
    writer: TheWriter,
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
    sent = Sent(statuses=[row])
    return await writer.once(
        lambda turn: single_receipt(
            record(turn.db, sent, by=turn.caller, at=turn.at, if_match=if_match, locate=in_single_figure),
            turn.caller,
        ),
        ahead=Ahead(read_standing, sent),
    )


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
    place = place_at(db, practice, municipality, as_of)
    entry = status_in_force(db, practice, place.code, day_at(date), moment=as_of.moment)
    return json_answer(status_public(entry, Shown(place, place)), headers={"ETag": entry_etag(entry)})


@router.delete(
    "/statuses/{practice}/{municipality}/{date}",
    operation_id="retractStatus",
    summary="Retract one status",
    response_model=Receipt,
    tags=["Posting"],
    responses={
        200: documented("Retracted; the receipt", examples.STATUS_RETRACTED, REPLAYED),
        **problems(*WRITING, PreconditionFailed, NotFound),
    },
)
async def retract_status(
    writer: TheWriter,
    practice: PracticePath,
    municipality: PlacePath,
    date: DatePath,
    reason: Reason,
    if_match: IfMatch = None,
) -> Response:
    """Withdraw a status: the one before it is then in force again; the history keeps it."""
    return await writer.once(
        lambda turn: receipt_answer(
            retract(
                turn.db,
                practice=practice,
                municipality=municipality,
                period_or_day=day_at(date),
                reason=reason,
                by=turn.caller,
                at=turn.at,
                if_match=if_match,
            ),
            turn.caller,
        )
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
    place = place_at(db, practice, municipality, as_of)
    whole = caller is not None and caller.reads([place])
    rows = status_history(db, practice, place.code, day_at(date), moment=as_of.moment, whole=whole)
    answer = StatusHistory(as_of=as_of.asked, rows=rows)
    return table_answer(answer, StatusHistoryRow, rows, as_csv=wants_csv(format, accept))


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
        date | None,
        Query(description="The one status of each municipality that is in force on this day", examples=["2022-12-31"]),
    ] = None,
    register: Register = "reported",
    limit: Limit = None,
    cursor: CursorAsked = None,
    format: FormatAsked = None,
    accept: Accepted = None,
) -> Response:
    """Where municipalities stand, open to everyone: every dated status, or with `on` the one in force on that day."""
    if on is not None and on > as_of.day:
        raise parameter_problem("on", f"{on} is later than {as_of.day}, the day that is read")
    as_csv = wants_csv(format, accept)
    asked = statuses_asked(
        db,
        Filters(practice=practice, county=county, municipalities=municipality, current=register == "current"),
        as_of=as_of,
        cursor=None if cursor is None else cursor_of(cursor),
    )
    if as_csv and limit is None and on is None:
        return whole_csv(request, db, lines_of_statuses(asked))
    rows, following = page_of_statuses(db, asked, on=on, limit=limit or (None if as_csv else DEFAULT_ROWS))
    following_text = cursor_text(following) if following else None
    answer = Statuses(as_of=as_of.asked, rows=rows, next=following_text)
    return table_answer(answer, StatusPublic, rows, as_csv=as_csv, next_page=next_page(request, following_text))
