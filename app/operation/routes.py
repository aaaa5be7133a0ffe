"""Whether the server answers and can work, and on what terms; open to everyone and not limited."""

from typing import get_args

from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from app.errors import InvalidParameter, Unavailable, problems
from app.operation import examples
from app.operation.models import Config, Licence, PublishedLimits, State
from app.pages.home import Language
from app.schema import schema_problem
from app.settings import Settings
from app.web.answers import documented
from app.web.dependencies import PlaceToRead, available
from app.web.strict import StrictRoute

router = APIRouter(tags=["Operation"], route_class=StrictRoute)

_LANGUAGES = list(get_args(Language))


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
