"""Publishing under /v1: a release is asked for, and its draft followed until it is published or refused."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response

from app.access.caller import NotAuthenticated, Reader
from app.access.models import Action
from app.access.replies import REPLAYED, IdempotencyKeyReused, Turn
from app.access.scope import NotAllowed, NotCovered
from app.access.writing import TheWriter, WritingRoute
from app.database import LARGEST_ID
from app.errors import (
    InvalidParameter,
    InvalidRequest,
    NotFound,
    TooLarge,
    Unavailable,
    UnsupportedContent,
    problems,
)
from app.places.models import CountyCode
from app.places.register import county_named, municipalities
from app.practices.definitions import practice_asked
from app.publishing import examples
from app.publishing.answers import DraftSummary, ReleaseDraftPublic, ReleaseDrafts
from app.publishing.drafts import (
    NothingToPublish,
    PublishingNotInstalled,
    StillPreparing,
    TooManyDrafts,
    ask,
    covered_counties,
    draft_with,
    drafts_before,
)
from app.publishing.models import PublicationIn
from app.publishing.telling import draft_public, draft_summary
from app.publishing.workshop import Workshop
from app.reports.models import PracticeSlug
from app.web.answers import Accepted, FormatAsked, documented, documented_table, json_answer, table_answer, wants_csv
from app.web.dependencies import ReadDb, TheClock
from app.web.paging import next_page
from app.web.turns import ALONE

DEFAULT_DRAFTS = 100
MOST_DRAFTS = 1_000

DRAFT_AT = {"Location": "Where the draft can be followed"}

router = APIRouter(prefix="/v1", tags=["Releases"], route_class=WritingRoute)


@router.post(
    "/releases",
    operation_id="postRelease",
    summary="Publish a release",
    status_code=202,
    response_model=ReleaseDraftPublic,
    responses={
        202: documented("Being prepared; the draft", examples.PREPARING, DRAFT_AT | REPLAYED),
        **problems(
            NotAuthenticated,
            NotAllowed,
            NotCovered,
            InvalidParameter,
            InvalidRequest,
            IdempotencyKeyReused,
            NothingToPublish,
            StillPreparing,
            PublishingNotInstalled,
            TooManyDrafts,
            Unavailable,
            UnsupportedContent,
            TooLarge,
        ),
    },
)
async def post_release(
    request: Request,
    writer: TheWriter,
    publication: Annotated[PublicationIn, Body(openapi_examples=examples.PUBLICATIONS)],
    dry_run: Annotated[
        bool, Query(description="Stop at `ready`: say what would be hidden and why, and publish nothing")
    ] = False,
) -> Response:
    """Make a release of what is recorded of a county, for everyone and for ever.

    It says what was recorded up to `as_of`; what is posted meanwhile is not in it. Small figures are hidden, and so is
    what would let somebody work them out, a municipality that knows its own included; that is audited, and takes
    seconds to minutes. Poll the draft at `Location` until it is `published`, or `refused` with the reason.

    A year that the release before says something else of needs its kind and reason in `changes`.
    """
    workshop, made = _workshop(request), list[int]()

    def asked_for(turn: Turn) -> Response:
        draft = ask(
            turn.db, publication, by=turn.caller, at=turn.at, dry_run=dry_run, settings=request.app.state.settings
        )
        workshop.require_place()
        made.append(draft.id)
        told = draft_public(draft, now=turn.at)
        return json_answer(told, status_code=202, headers={"Location": f"/v1/release-drafts/{draft.id}"})

    response = await writer.once(asked_for, rows=ALONE, action=Action.PUBLISH)
    for draft_id in made:
        workshop.add(draft_id)
    return response


@router.get(
    "/release-drafts/{id}",
    operation_id="getReleaseDraft",
    summary="How far a release is",
    responses={
        200: documented("The draft", examples.PUBLISHED),
        **problems(NotAuthenticated, NotAllowed, NotFound, InvalidParameter, Unavailable),
    },
)
def get_release_draft(
    request: Request,
    db: ReadDb,
    caller: Reader,
    clock: TheClock,
    id: Annotated[
        int,
        Path(
            ge=1,
            le=LARGEST_ID,
            description="The `id` of the draft",
            openapi_examples={"first": {"summary": "The first draft", "value": 1}},
        ),
    ],
) -> ReleaseDraftPublic:
    """A draft of a county that the key covers, with a report once it is done: what is hidden, and why.

    Nobody else sees it. Ask again every second or so while it is `preparing`.
    """
    caller.require(Action.PUBLISH)
    draft = draft_with(db, id, by=caller)
    return draft_public(draft, now=clock(), progress=_workshop(request).progress(id))


@router.get(
    "/release-drafts",
    operation_id="listReleaseDrafts",
    summary="Releases that were asked for",
    response_model=ReleaseDrafts,
    responses={
        **documented_table("A page of drafts, newest first", DraftSummary, examples.DRAFTS, paged=True),
        **problems(NotAuthenticated, NotAllowed, NotCovered, InvalidParameter, Unavailable),
    },
)
def list_release_drafts(
    request: Request,
    db: ReadDb,
    caller: Reader,
    clock: TheClock,
    practice: Annotated[
        PracticeSlug | None, Query(description="Only those about this practice", examples=["yhdessa-aika"])
    ] = None,
    county: Annotated[CountyCode | None, Query(description="Only those of this county", examples=["13"])] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_DRAFTS, description="Rows of a page", examples=[100])] = DEFAULT_DRAFTS,
    cursor: Annotated[
        str | None, Query(max_length=10, pattern="^[1-9][0-9]*$", description="`next` of the page before")
    ] = None,
    format: FormatAsked = None,
    accept: Accepted = None,
) -> Response:
    """The drafts of the counties that the key covers, by whomever they were asked for, without their reports."""
    caller.require(Action.PUBLISH)
    if practice is not None:
        practice_asked(db, practice)
    if county is not None:
        county_named(db, county)
        caller.scope.require(municipalities(db, county=county).values())
    before = None if cursor is None else min(int(cursor), LARGEST_ID)
    of = covered_counties(db, caller) if county is None else [county]
    found, following = drafts_before(db, before, of=of, practice=practice, limit=limit)
    now = clock()
    rows = [draft_summary(draft, now=now) for draft in found]
    return table_answer(
        ReleaseDrafts(rows=rows, next=following),
        DraftSummary,
        rows,
        as_csv=wants_csv(format, accept),
        next_page=next_page(request, following),
    )


def _workshop(request: Request) -> Workshop:
    workshop: Workshop = request.app.state.workshop
    return workshop
