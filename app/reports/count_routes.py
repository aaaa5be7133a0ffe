"""Session counts under /v1: one at a time, their history, and lists."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response

from app.access.caller import Reader
from app.access.models import Action
from app.access.replies import REPLAYED
from app.access.writing import TheWriter, WritingRoute, with_short_way
from app.errors import NotFound, problems
from app.reports import examples
from app.reports.export import lines_of_counts
from app.reports.history import count_history, count_in_force
from app.reports.ledger import entry_etag
from app.reports.lists import Filters, Shown, count_public, counts_asked, cursor_of, cursor_text, page_of_counts
from app.reports.models import (
    CountHistory,
    CountHistoryRow,
    CountIn,
    CountPublic,
    CountPut,
    Counts,
    PeriodText,
    Receipt,
)
from app.reports.parameters import (
    ENTRY,
    READING,
    WITH_BODY,
    WRITING,
    CountyAsked,
    CursorAsked,
    IfMatch,
    PeriodPath,
    PlacePath,
    PlacesAsked,
    PracticeAsked,
    PracticePath,
    Reason,
    Register,
    period_at,
    place_to_read,
    receipt_answer,
    single_receipt,
)
from app.reports.recording import PreconditionFailed, in_single_figure, record, retract
from app.reports.rules import Overlapping
from app.reports.sent import Sent
from app.reports.short_ways import one_count
from app.reports.standing import read_standing
from app.reports.submissions import organisation_names
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
    "/session-counts/{practice}/{municipality}/{period}",
    operation_id="putSessionCount",
    summary="Post or correct one session count",
    tags=["Posting"],
    response_model=Receipt,
    responses={
        200: documented("Corrected, or unchanged; the receipt", examples.COUNT_CORRECTED, ENTRY | REPLAYED),
        201: {"model": Receipt, **documented("Created; the receipt", examples.COUNT_CREATED, ENTRY | REPLAYED)},
        **problems(*WRITING, PreconditionFailed, Overlapping, *WITH_BODY),
    },
)
@with_short_way(one_count)
async def put_session_count(
    writer: TheWriter,
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
    sent = Sent(counts=[row])
    return await writer.once(
        lambda turn: single_receipt(
            record(turn.db, sent, by=turn.caller, at=turn.at, if_match=if_match, locate=in_single_figure),
            turn.caller,
        ),
        ahead=Ahead(read_standing, sent),
    )


@router.get(
    "/session-counts/{practice}/{municipality}/{period}",
    operation_id="getSessionCount",
    summary="One session count",
    tags=["Reading"],
    response_model=CountPublic,
    responses={200: documented("The count in force", examples.COUNT), **problems(*READING, NotFound)},
)
def get_session_count(
    db: ReadDb, caller: Reader, practice: PracticePath, municipality: PlacePath, period: PeriodPath, as_of: AsOfMoment
) -> Response:
    """The count in force for one municipality, practice and period; its ETag serves If-Match."""
    place = place_to_read(db, caller, practice, municipality, as_of)
    entry = count_in_force(db, practice, place.code, period_at(period).text, moment=as_of.moment)
    names = organisation_names(db, [entry.organisation_id])
    answer = count_public(entry, Shown(place, place), organisation=names[entry.organisation_id])
    return json_answer(answer, headers={"ETag": entry_etag(entry)})


@router.delete(
    "/session-counts/{practice}/{municipality}/{period}",
    operation_id="retractSessionCount",
    summary="Retract one session count",
    response_model=Receipt,
    tags=["Posting"],
    responses={
        200: documented("Retracted; the receipt", examples.COUNT_RETRACTED, REPLAYED),
        **problems(*WRITING, PreconditionFailed, NotFound),
    },
)
async def retract_session_count(
    writer: TheWriter,
    practice: PracticePath,
    municipality: PlacePath,
    period: PeriodPath,
    reason: Reason,
    if_match: IfMatch = None,
) -> Response:
    """Withdraw a count: it is then not reported, which is not zero; the history keeps it."""
    return await writer.once(
        lambda turn: receipt_answer(
            retract(
                turn.db,
                practice=practice,
                municipality=municipality,
                period_or_day=period_at(period).text,
                reason=reason,
                by=turn.caller,
                at=turn.at,
                if_match=if_match,
            ),
            turn.caller,
        )
    )


@router.get(
    "/session-counts/{practice}/{municipality}/{period}/history",
    operation_id="getSessionCountHistory",
    summary="Every entry about one session count",
    tags=["Reading"],
    response_model=CountHistory,
    responses={
        **documented_table("The entries, oldest first", CountHistoryRow, examples.COUNT_HISTORY),
        **problems(*READING, NotFound),
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
    place = place_to_read(db, caller, practice, municipality, as_of)
    rows = count_history(db, practice, place.code, period_at(period).text, moment=as_of.moment)
    answer = CountHistory(as_of=as_of.asked, rows=rows)
    return table_answer(answer, CountHistoryRow, rows, as_csv=wants_csv(format, accept))


@router.get(
    "/session-counts",
    operation_id="listSessionCounts",
    summary="The session counts in force",
    tags=["Reading"],
    response_model=Counts,
    responses={
        **documented_table("A page of session counts", CountPublic, examples.COUNTS_PAGE, paged=True),
        **problems(*READING),
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
    asked = counts_asked(
        db,
        Filters(practice=practice, county=county, municipalities=municipality, current=register == "current"),
        reader=caller,
        as_of=as_of,
        first_day=period_at(from_period, "from_period").first if from_period else None,
        last_day=period_at(to_period, "to_period").last if to_period else None,
        cursor=None if cursor is None else cursor_of(cursor),
    )
    if as_csv and limit is None:
        return whole_csv(request, db, lines_of_counts(db, asked))
    rows, following = page_of_counts(db, asked, limit=limit or DEFAULT_ROWS)
    following_text = cursor_text(following) if following else None
    answer = Counts(as_of=as_of.asked, rows=rows, next=following_text)
    return table_answer(answer, CountPublic, rows, as_csv=as_csv, next_page=next_page(request, following_text))
