"""Submissions under /v1, and the door to counts and statuses."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response

from app.access.caller import NotAuthenticated, Reader
from app.access.replies import REPLAYED, TheWriter
from app.database import LARGEST_ID
from app.errors import InvalidParameter, NotFound, Unavailable, problems
from app.reports import count_routes, examples, status_routes
from app.reports.models import Receipt, SubmissionIn
from app.reports.parameters import RECEIPT_AT, WITH_BODY, WRITING, json_answer
from app.reports.recording import record
from app.reports.rules import Overlapping
from app.reports.submissions import own_receipt
from app.web.answers import documented
from app.web.dependencies import ReadDb
from app.web.strict import StrictRoute

router = APIRouter(prefix="/v1", route_class=StrictRoute)


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
        **problems(*WRITING, Overlapping, *WITH_BODY),
    },
)
def post_submission(
    writer: TheWriter,
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

    def recorded(at: datetime) -> Response:
        receipt = record(writer.db, submission, by=writer.caller, at=at, skip_invalid=skip_invalid, dry_run=dry_run)
        headers = {} if dry_run else {"Location": f"/v1/submissions/{receipt.id}"}
        return json_answer(receipt, status_code=200 if dry_run else 201, headers=headers)

    return writer.once(recorded, remember=not dry_run)


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


router.include_router(count_routes.router)
router.include_router(status_routes.router)
