"""Whether the server answers and can work: for whoever runs it, open to everyone."""

from fastapi import APIRouter, Request
from sqlalchemy.exc import SQLAlchemyError

from app.errors import InvalidParameter, Unavailable, problems
from app.operation.models import State
from app.schema import schema_problem
from app.web.answers import documented
from app.web.strict import StrictRoute

router = APIRouter(tags=["Operation"], route_class=StrictRoute)


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
def is_ready(request: Request) -> State:
    """The database answers and its schema is the one that this version needs; otherwise 503."""
    try:
        problem = schema_problem(request.app.state.database)
    except SQLAlchemyError as error:
        raise Unavailable("the database does not answer", headers={"Retry-After": "2"}) from error
    if problem:
        raise Unavailable(problem, headers={"Retry-After": "30"})
    return State(status="ready")
