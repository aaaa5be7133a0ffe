"""Whether the server answers and can work, on what terms, and what it counts; all but the last is open to everyone."""

from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse
from sqlalchemy.exc import SQLAlchemyError

from app.access.caller import AnyScraper, NotAuthenticated, not_authenticated
from app.access.models import Action
from app.access.scope import NotAllowed
from app.errors import InvalidParameter, Unavailable, problems
from app.measures.counting import CONTENT_TYPE, Measures
from app.operation import examples
from app.operation.gauges import LastPosts, database_gauges
from app.operation.models import Config, Licence, PublishedLimits, State
from app.pages.language import Language
from app.schema import schema_problem
from app.settings import Settings
from app.web.answers import documented
from app.web.dependencies import PlaceToRead, ScrapeDb, TheClock, available
from app.web.strict import StrictRoute

router = APIRouter(tags=["Operation"], route_class=StrictRoute)

_LANGUAGES = list(get_args(Language))
_METRICS: dict[str, Any] = {"text/plain": {"schema": {"type": "string"}, "example": examples.METRICS}}


def scraper(request: Request, caller: AnyScraper) -> None:
    """Lets whoever may read the metrics: a key with the action `read`; if the operator opened them, anyone.

    Raises:
        NotAuthenticated: no key was sent and one is needed, or one that is not valid.
        NotAllowed: the key may not read.
    """
    settings: Settings = request.app.state.settings
    if settings.metrics_open:
        return
    if caller is None:
        raise not_authenticated()
    caller.require(Action.READ)


@router.get(
    "/livez",
    operation_id="isAlive",
    summary="The process answers",
    responses={200: documented("The process answers", {"status": "alive"}), **problems(InvalidParameter)},
)
async def is_alive() -> State:
    """Answers at once and touches nothing, so that it tells a stuck process from a database that is away."""
    return State(status="alive")


@router.get(
    "/readyz",
    operation_id="isReady",
    summary="The server can answer",
    responses={
        200: documented("The server can answer", {"status": "ready"}),
        **problems(InvalidParameter, Unavailable),
    },
)
def is_ready(request: Request, _place: PlaceToRead) -> State:
    """The database answers, keeps what is written, and has a schema that this version can use; nobody stops the server.

    Otherwise 503.
    """
    if request.app.state.stopping.asked:
        raise Unavailable("the server is about to stop", headers={"Retry-After": "30"})
    try:
        with available():
            problem = schema_problem(request.app.state.database)
    except SQLAlchemyError as error:
        raise Unavailable("the database does not let the server work", headers={"Retry-After": "30"}) from error
    if problem:
        raise Unavailable(problem, headers={"Retry-After": "30"})
    return State(status="ready")


@router.get(
    "/v1/config",
    operation_id="getConfig",
    summary="The terms of the service and its limits",
    responses={200: documented("The terms and the limits", examples.CONFIG), **problems(InvalidParameter)},
)
async def get_config(request: Request, response: Response) -> Config:
    """Version, licence of the figures, whom to ask, and within what limits to ask; a fit first call for a program."""
    settings: Settings = request.app.state.settings
    # They change with a new start of the server and no sooner.
    response.headers["Cache-Control"] = "public, max-age=300"
    return Config(
        version=request.app.version,
        api="v1",
        languages=_LANGUAGES,
        licence=Licence(name=settings.licence_name, url=settings.licence_url),
        contact=settings.contact,
        limits=PublishedLimits.model_validate(settings),
    )


@router.get(
    "/metrics",
    operation_id="getMetrics",
    summary="What the server counts, for Prometheus",
    response_class=PlainTextResponse,
    responses={
        200: {"description": "Prometheus' text format, version 0.0.4", "content": _METRICS},
        **problems(NotAuthenticated, NotAllowed, InvalidParameter, Unavailable),
    },
)
def get_metrics(
    request: Request, db: ScrapeDb, clock: TheClock, _allowed: Annotated[None, Depends(scraper)]
) -> PlainTextResponse:
    """Requests, latency, posts and rows by outcome, refusals, the database, and how old posts and releases are.

    It needs a key with the action `read`, unless the operator opened it to everyone; all see the same. Of all workers
    together. No figure and no municipality is in it.
    """
    measures: Measures = request.app.state.measures
    posts: LastPosts = request.app.state.last_posts
    headers = {"Cache-Control": "no-store"}
    return PlainTextResponse(
        measures.text(database_gauges(db, posts, now=clock())), media_type=CONTENT_TYPE, headers=headers
    )
