"""The application: the only module that knows every other."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware import Middleware
from starlette.types import ASGIApp

import app.access.routes
import app.monitoring.routes
import app.operation.routes
import app.pages.routes
import app.places.routes
import app.practices.routes
import app.publishing.routes
import app.releases.routes
import app.reports.count_routes
import app.reports.routes
import app.reports.status_routes
import app.trends.routes
from app.access.at_hand import AnswersToHolders
from app.access.limits import limits_of
from app.access.refusals import RefusalsAudited
from app.clock import Clock, system_clock
from app.database import Database
from app.errors import install_problems
from app.measures.counting import Measures
from app.operation.gauges import LastPosts
from app.publishing.workshop import Workbench, Workshop
from app.releases.edition import EditionNow
from app.reports.edition import RecordedNow
from app.reports.given import EDITION
from app.reports.models import SubmissionIn
from app.settings import Settings
from app.tracing.switch import tracing_to
from app.turn import Known
from app.web.admission import Admission
from app.web.answers import ConditionalAnswers
from app.web.at_hand import AnswersAtHand
from app.web.at_once import AnswersAtOnce
from app.web.contract import completed
from app.web.measuring import MeasuredRequests
from app.web.rates import Ticks
from app.web.requests_log import RequestLog
from app.web.stopping import Stopping, drained
from app.web.strict import BodyLimit
from app.web.told import ToldHeaders
from app.web.turns import Turns

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

**A key** may ask so many times at once, and as many again in each minute; then it is answered 429 with `Retry-After`
in seconds, and nothing is done. `RateLimit` says on every answer for which a key was looked at what is left, and in
the last 30 days of a key `Key-Expires` says when it ends. `GET /v1/config` lists the limits; reading without a key has
none of these.
"""
TAGS = [
    {"name": "Posting", "description": "Session counts and statuses by municipal systems, with a key"},
    {"name": "Reading", "description": "Trends, counts and statuses for BI tools, as JSON or CSV"},
    {"name": "Monitoring", "description": "What is missing, due or doubtful, with a key"},
    {"name": "Releases", "description": "What counties made public"},
    {"name": "Registers", "description": "Municipalities, counties and practices"},
    {"name": "Keys", "description": "What the calling key may do, and its rotation"},
    {"name": "Operation", "description": "Probes, metrics, and the terms of the service"},
]

ROUTERS = (
    app.trends.routes.router,
    app.reports.routes.router,
    app.reports.count_routes.router,
    app.reports.status_routes.router,
    app.monitoring.routes.router,
    app.releases.routes.router,
    app.publishing.routes.router,
    app.places.routes.router,
    app.practices.routes.router,
    app.access.routes.router,
    app.operation.routes.router,
    app.pages.routes.router,
    app.pages.routes.files,
)
"""Each with its whole prefix, so that its routes are the application's as they are: routes that FastAPI puts under a
prefix are built again by the first request, and it tells middleware their addresses without the prefix."""


class _Application(FastAPI):
    """FastAPI, with what is at hand in front even of what it puts around every request itself."""

    def build_middleware_stack(self) -> ASGIApp:
        """What every request goes through."""
        editions: EditionNow = self.state.editions
        around = AnswersAtOnce(super().build_middleware_stack())
        return AnswersAtHand(around, glance=editions.glance, look=editions.look, measures=self.state.measures)


def create_app(settings: Settings, clock: Clock = system_clock, *, ticks: Ticks = time.monotonic_ns) -> FastAPI:
    """The application over the database that `settings` name; it expects the schema at head and does not migrate."""
    database = Database(settings)
    stopping = Stopping()
    measures = Measures(VERSION)
    database.watch(measures)
    editions, recorded = EditionNow(database, clock), RecordedNow(database, clock)
    turns = Turns(database, clock, Known(*EDITION))
    workshop = Workshop(Workbench(database, clock, settings))
    tracing = tracing_to(settings.otlp_endpoint, version=VERSION)
    database.tracer = tracing.tracer

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        with drained(stopping, settings.drain_seconds):
            yield {"stopping": stopping}
        workshop.close()
        turns.close()
        editions.close()
        recorded.close()
        database.dispose()
        tracing.stop()

    application = _Application(
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
        routes=[route for router in ROUTERS for route in router.routes],
        telemetry=tracing.of_requests,
        # Not FastAPI's max_body_size, which answers a declared length in plain text.
        middleware=[
            Middleware(ToldHeaders),
            Middleware(MeasuredRequests, measures=measures),
            Middleware(RequestLog),
            Middleware(AnswersToHolders, glance=recorded.glance, look=recorded.look, clock=clock, measures=measures),
            Middleware(ConditionalAnswers),
            Middleware(BodyLimit, most=settings.max_body_bytes),
            Middleware(RefusalsAudited),
        ],
    )
    application.state.settings = settings
    application.state.clock = clock
    application.state.database = database
    application.state.editions = editions
    application.state.recorded = recorded
    application.state.stopping = stopping
    application.state.admission = Admission(settings)
    application.state.turns = turns
    application.state.workshop = workshop
    application.state.measures = measures
    application.state.last_posts = LastPosts()
    application.state.limits = limits_of(settings, ticks)
    install_problems(application)
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
        application.openapi_schema = completed(document, SubmissionIn)
    return application.openapi_schema
