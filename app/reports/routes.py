"""Submissions under /v1: posting, one's receipts, taking back."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response

from app.access.caller import NotAuthenticated, Reader
from app.access.models import Action
from app.access.replies import REPLAYED, Turn
from app.access.scope import NotAllowed
from app.access.writing import TheWriter, WritingRoute, with_short_way
from app.clock import helsinki_day
from app.database import LARGEST_ID
from app.errors import InvalidParameter, NotFound, Unavailable, parameter_problem, problems
from app.practices.definitions import DEFAULT_PRACTICE, practice_asked
from app.reports import examples
from app.reports.columns import Language
from app.reports.models import PeriodText, PracticeSlug, Receipt, Receipts, ReceiptSummary, RetractionIn
from app.reports.parameters import (
    RECEIPT_AT,
    WITH_BODY,
    WRITING,
    period_at,
    receipt_answer,
)
from app.reports.receiving import TheReceived, TooManyRows
from app.reports.recording import record
from app.reports.retraction import NothingToRetract, retract_submission
from app.reports.rules import Overlapping
from app.reports.short_ways import submission_of_few
from app.reports.standing import read_standing
from app.reports.submissions import own_receipts, own_submission
from app.reports.template import MEDIA_TYPES, Format, template
from app.web.answers import (
    Accepted,
    FormatAsked,
    documented,
    documented_table,
    table_answer,
    wants_csv,
)
from app.web.dependencies import ReadDb, TheClock
from app.web.paging import DEFAULT_ROWS, Limit, next_page
from app.web.turns import ALONE, Ahead

router = APIRouter(prefix="/v1", route_class=WritingRoute)


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
        201: documented("Recorded; the receipt", examples.SUBMISSION_RECORDED, RECEIPT_AT | REPLAYED),
        **problems(*WRITING, Overlapping, *WITH_BODY, TooManyRows),
    },
    openapi_extra={"requestBody": examples.SUBMISSION_BODY},
)
@with_short_way(submission_of_few)
async def post_submission(
    writer: TheWriter,
    received: TheReceived,
    skip_invalid: Annotated[bool, Query(description="Reject rows that break a rule, record the others")] = False,
    dry_run: Annotated[bool, Query(description="Say what would happen; store nothing")] = False,
) -> Response:
    """Many counts and statuses at once, all or nothing; the receipt says what became of each row.

    Posting the same figures again changes nothing and says `unchanged`, so a post whose answer was lost can simply be
    sent again. A figure that is posted with other content is `corrected`; the earlier one stays in the history.

    If rows are refused, the problem lists every row of the gravest kind there is: outside the key's areas (403), then
    breaking a rule (422), then overlapping what is recorded (409). Nothing is stored then, unless `skip_invalid`.

    **Files:** CSV and Excel have one line for each count or status under a line of headings:
    `municipality`, `practice`, `period`, `sessions`, `through`, `replace`, `date`, `status`, `note`, or in Finnish
    `kunta`, `toimintamalli`, `jakso`, `tapaamiset`, `saakka`, `korvaa`, `päivä`, `tila`, `huomautus`; any order, what
    is not needed left out. A line without sessions and without status reports nothing and is passed over.
    CSV is UTF-8 with commas or semicolons; days may be written 15.3.2022; formulas in a workbook are refused.
    NDJSON has one row as in JSON on each line: with `period` a count, with `date` a status. Problems name line and
    column. `GET /v1/submissions/template` answers a file to fill in.
    """

    def recorded(turn: Turn) -> Response:
        receipt = record(
            turn.db,
            received.sent,
            by=turn.caller,
            at=turn.at,
            skip_invalid=skip_invalid,
            dry_run=dry_run,
            locate=received.locate,
        )
        headers = {} if dry_run else {"Location": f"/v1/submissions/{receipt.id}"}
        return receipt_answer(receipt, turn.caller, status_code=200 if dry_run else 201, headers=headers)

    return await writer.once(
        recorded, rows=received.sent.size, remember=not dry_run, ahead=Ahead(read_standing, received.sent)
    )


# Before /submissions/{id}, which would take `template` for an id.
@router.get(
    "/submissions/template",
    operation_id="getSubmissionTemplate",
    summary="A file to fill in",
    tags=["Posting"],
    response_class=Response,
    responses={
        200: examples.TEMPLATE,
        **problems(NotAuthenticated, NotAllowed, InvalidParameter, Unavailable),
    },
)
def get_submission_template(
    db: ReadDb,
    caller: Reader,
    clock: TheClock,
    period: Annotated[
        PeriodText,
        Query(openapi_examples={"month": {"value": "2024-03"}, "year": {"value": "2023"}}),
    ],
    format: Annotated[Format, Query(description="`csv` with semicolons, for a Finnish Excel, or `xlsx`")] = "csv",
    language: Annotated[Language, Query(description="Of the headings and the names of municipalities")] = "en",
    practice: Annotated[
        PracticeSlug, Query(description="Which practice the counts are about", examples=[DEFAULT_PRACTICE])
    ] = DEFAULT_PRACTICE,
) -> Response:
    """A line for each municipality that the key reports about and that was in the register in the period.

    Fill in the sessions (0 if there were none; a line left empty reports nothing), and `through` if the period is
    still under way, then post the file to `/v1/submissions` as it is.
    """
    caller.require(Action.REPORT)
    asked = period_at(period)
    if asked.first > (today := helsinki_day(clock())):
        raise parameter_problem("period", f"{asked.text} has not begun; today is {today}")
    slug = practice_asked(db, practice).slug
    content = template(db, caller.scope, asked, practice=slug, language=language, file_format=format)
    headers = {"Content-Disposition": f'attachment; filename="{slug}-{asked.text}.{format}"'}
    return Response(content, media_type=MEDIA_TYPES[format], headers=headers)


@router.get(
    "/submissions/{id}",
    operation_id="getSubmission",
    summary="A receipt again",
    tags=["Posting"],
    response_model=Receipt,
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
) -> Response:
    """The receipt of a submission of one's own organisation, as it was given."""
    return receipt_answer(own_submission(db, id, by=caller), caller)


@router.get(
    "/submissions",
    operation_id="listSubmissions",
    summary="One's own receipts",
    tags=["Posting"],
    response_model=Receipts,
    responses={
        **documented_table("A page of receipts, newest first", ReceiptSummary, examples.RECEIPTS, paged=True),
        **problems(NotAuthenticated, InvalidParameter, Unavailable),
    },
)
def list_submissions(
    request: Request,
    db: ReadDb,
    caller: Reader,
    limit: Limit = None,
    cursor: Annotated[
        str | None,
        Query(max_length=10, pattern="^[1-9][0-9]*$", description="`next` of the page before"),
    ] = None,
    format: FormatAsked = None,
    accept: Accepted = None,
) -> Response:
    """What the caller's organisation has posted, by whichever of its keys, newest first, without the rows.

    Each hash covers the receipt's content and the hash before it, so whoever keeps a hash can prove what was sent.
    """
    as_csv = wants_csv(format, accept)
    most = limit or (None if as_csv else DEFAULT_ROWS)
    before = None if cursor is None else min(int(cursor), LARGEST_ID)
    rows, following = own_receipts(db, by=caller, before=before, limit=most)
    answer = Receipts(rows=rows, next=following)
    return table_answer(answer, ReceiptSummary, rows, as_csv=as_csv, next_page=next_page(request, following))


@router.post(
    "/submissions/{id}/retraction",
    operation_id="retractSubmission",
    summary="Take back a whole submission",
    tags=["Posting"],
    status_code=201,
    response_model=Receipt,
    responses={
        201: documented("Taken back; the receipt", examples.SUBMISSION_RETRACTED, RECEIPT_AT | REPLAYED),
        **problems(*WRITING, NotFound, NothingToRetract, Overlapping, *WITH_BODY),
    },
)
async def retract_whole_submission(
    writer: TheWriter,
    id: Annotated[
        int, Path(ge=1, le=LARGEST_ID, description="The `id` of the receipt", openapi_examples={"own": {"value": 8}})
    ],
    retraction: Annotated[RetractionIn, Body(openapi_examples=examples.RETRACTION)],
) -> Response:
    """Make every figure of a wrong post what it was before: what it created goes, what it replaced holds again.

    The wrong month, the wrong municipality: the whole of it is taken back under one new receipt, and the history keeps
    both. A figure that was changed again since stays as it is (`unchanged`). A retraction is itself a submission, so
    it can be taken back too.
    """

    def retracted(turn: Turn) -> Response:
        receipt = retract_submission(turn.db, id, reason=retraction.reason, by=turn.caller, at=turn.at)
        headers = {"Location": f"/v1/submissions/{receipt.id}"}
        return receipt_answer(receipt, turn.caller, status_code=201, headers=headers)

    return await writer.once(retracted, rows=ALONE)
