"""The application: the only module that knows every other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from starlette.middleware import Middleware

import app.access.routes
import app.pages.routes
import app.places.routes
import app.practices.routes
import app.releases.routes
import app.reports.count_routes
import app.reports.routes
import app.reports.status_routes
import app.trends.routes
from app.access.refusals import RefusalsAudited
from app.clock import Clock, system_clock
from app.database import Database
from app.errors import InvalidParameter, Unavailable, install_problems, problems
from app.schema import schema_problem
from app.settings import Settings
from app.web.answers import ConditionalAnswers, documented
from app.web.contract import completed
from app.web.requests_log import RequestLog
from app.web.strict import BodyLimit, StrictRoute

VERSION = "0.1.0"
DESCRIPTION = """\
How the family-centre practice *Yhdessä aika* spreads over Finnish municipalities: municipal systems post session
counts and statuses, everyone reads yearly trends that cannot mislead.

**Start here:** `GET /v1/trends?county=13` needs no key. To post, press *Authorize* and paste a key that
`yhdessa key create` printed, then try `POST /v1/submissions` with `dry_run`.

**Nothing has four kinds:** zero is `0`; *not reported*, *not applicable* and *withheld* are never shown as `0`.
**Times:** periods and days are those of Helsinki, moments are UTC; `as_of` reads what was recorded up to then.
**Errors** are RFC 9457 problem documents (`application/problem+json`) that say what was wrong, where, and what
would be right. Unknown or repeated parameters, unknown fields and numbers in quotes are refused, never guessed at.

**Every GET** also answers HEAD, carries a strong `ETag`, and answers 304 to an `If-None-Match` that names it.
**Every answer** carries `X-Request-Id`, the caller's own if it sent one; quote it when you report a fault.
"""
TAGS = [
    {"name": "Posting", "description": "Session counts and statuses by municipal systems, with a key"},
    {"name": "Reading", "description": "Trends, counts and statuses for BI tools, as JSON or CSV"},
    {"name": "Releases", "description": "What counties made public"},
    {"name": "Registers", "description": "Municipalities, counties and practices"},
    {"name": "Keys", "description": "What the calling key may do, and its rotation"},
    {"name": "Operation", "description": "Probes"},
]

operation = APIRouter(tags=["Operation"], route_class=StrictRoute)


class State(BaseModel):
    """How the server is."""

    status: Literal["alive", "ready"]


def create_app(settings: Settings, clock: Clock = system_clock) -> FastAPI:
    """The application over the database that `settings` name; it expects the schema at head and does not migrate."""
    database = Database(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        database.dispose()

    application = FastAPI(
        title="Yhdessä aika adoption tracking",
        version=VERSION,
        description=DESCRIPTION,
        license_info={"name": "MIT", "identifier": "MIT"},
        openapi_tags=TAGS,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        # Not FastAPI's max_body_size, which answers a declared length in plain text.
        middleware=[
            Middleware(RequestLog),
            Middleware(ConditionalAnswers),
            Middleware(BodyLimit, most=settings.max_body_bytes),
            Middleware(RefusalsAudited),
        ],
    )
    application.state.settings = settings
    application.state.clock = clock
    application.state.database = database
    install_problems(application)
    for router in ROUTERS:
        application.include_router(router)
    application.add_api_route("/openapi.json", lambda: openapi(application), include_in_schema=False)
    return application


def openapi(application: FastAPI) -> dict[str, Any]:
    """The contract of `application` as an OpenAPI 3.1.0 document."""
    if application.openapi_schema is None:
        document = get_openapi(
            title=application.title,
            version=application.version,
            openapi_version="3.1.0",
            description=application.description,
            license_info=application.license_info,
            tags=application.openapi_tags,
            routes=application.routes,
        )
        application.openapi_schema = completed(document)
    return application.openapi_schema


@operation.get(
    "/livez",
    operation_id="isAlive",
    summary="The process answers",
    responses={200: documented("The process answers", {"status": "alive"}), **problems(InvalidParameter)},
)
async def is_alive() -> State:
    """Answers at once and touches nothing, so that it tells a stuck process from a database that is away."""
    return State(status="alive")


@operation.get(
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


ROUTERS = (
    app.trends.routes.router,
    app.reports.routes.router,
    app.reports.count_routes.router,
    app.reports.status_routes.router,
    app.releases.routes.router,
    app.places.routes.router,
    app.practices.routes.router,
    app.access.routes.router,
    operation,
    app.pages.routes.router,
)
"""Each with its whole prefix: what FastAPI tells middleware of a route leaves out the prefix of a router around it."""
