"""Writing requests: who is calling is looked up in the transaction that writes, and a retry is answered once."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from app.access.caller import BASIC, BEARER, caller_of, looked_up, refuse_malformed, sent_key
from app.access.models import Action
from app.access.replies import Answer, Retry, Turn, answered_once, plain_retry_of, read_replies, retry_of
from app.database import Database
from app.errors import Problem, Unavailable
from app.measures.counting import Measures
from app.turn import POSTED
from app.web.admission import Admission
from app.web.dependencies import available, space_left
from app.web.strict import StrictRoute, strict_json
from app.web.turns import Ahead, Turns


@dataclass(frozen=True, slots=True)
class Writer:
    """What a writing route is handed: the way to its turn."""

    request: Request
    retry: Retry | None

    async def once(
        self,
        answer: Answer,
        *,
        rows: int = 1,
        remember: bool = True,
        action: Action | None = Action.REPORT,
        ahead: Ahead[Any] | None = None,
    ) -> Response:
        """What `answer`, about so many `rows`, makes in our turn; if this was answered before, that and nothing else.

        One for which something is read `ahead` only adds rows (see `app.turn.Turn.addition`).

        Whoever sends the same at once gets the reply as well. The key must be for `action`; None lets every valid key.

        Raises:
            NotAuthenticated: no key was sent, or one that is not valid.
            TooManyRequests: too many came with this key, or with a wrong one from this address.
            NotAllowed: the key is not for `action`.
            IdempotencyKeyReused: the Idempotency-Key came with another request.
        """
        refuse_malformed(self.request)
        state = self.request.app.state
        turns: Turns = state.turns
        admission: Admission = state.admission
        measures: Measures = state.measures

        retry = self.retry if remember else None
        reads = [] if ahead is None else [ahead]
        if retry:
            secret = sent_key(self.request.headers["authorization"])
            reads.append(Ahead(read_replies, (secret, retry)))

        def work(db: Session, at: datetime) -> tuple[Response, Mapping[str, int]]:
            caller = caller_of(self.request, db, at)
            if action is not None:
                caller.require(action)
            turn = Turn(db, caller, at)
            response = answered_once(turn, retry, answer) if retry else answer(turn)
            return response, db.info.get(POSTED, {})

        allowance = admission.allowance(self.request.scope["state"])
        with available(), space_left():
            response, posted = await turns.done(
                work, allowance=allowance, rows=rows, ahead=reads, adds=ahead is not None
            )
        measures.posted(posted)
        return response


async def writer(
    request: Request,
    retry: Annotated[Retry | None, Depends(retry_of)],
    _bearer: Annotated[None, Depends(BEARER)],
    _basic: Annotated[None, Depends(BASIC)],
) -> Writer:
    """What a writing route is handed."""
    return Writer(request, retry)


TheWriter = Annotated[Writer, Depends(writer)]


Arguments = Mapping[str, Any]
ShortWay = Callable[[Request], Coroutine[Any, Any, Arguments]]
"""Finds the arguments of a route in a request that comes as most do; raises NotPlain for every other one."""


class NotPlain(Exception):
    """The request has something unusual or wrong, which the route itself finds, and tells in its words."""


_SHORT_WAY = "short_way"
AnyEndpoint = TypeVar("AnyEndpoint", bound=Callable[..., Any])


def with_short_way(way: ShortWay) -> Callable[[AnyEndpoint], AnyEndpoint]:
    """A decorator: `WritingRoute` tries this `way` to the route first."""

    def marked(endpoint: AnyEndpoint) -> AnyEndpoint:
        setattr(endpoint, _SHORT_WAY, way)
        return endpoint

    return marked


async def plain_post(request: Request, *, most_bytes: int) -> tuple[Writer, Any]:
    """The writer, and the value of a body of JSON, of a request without parameters.

    Raises:
        NotPlain: it has parameters, another, longer or wrong body, or a wrong Idempotency-Key.
    """
    if request.scope["query_string"]:
        raise NotPlain
    body = await request.body()
    if len(body) > most_bytes:
        raise NotPlain
    try:
        return Writer(request, await plain_retry_of(request)), strict_json(request.headers.get("content-type"), body)
    except (Problem, ValueError) as error:
        raise NotPlain from error


class WritingRoute(StrictRoute):
    """Tells who has no valid key nothing about what they sent, although most keys are looked up only in the turn.

    FastAPI finds one parameter after the other, for half of the time that a post of one figure takes in all. So a route
    may have a short way; whatever is unusual or wrong with a request, the route finds and tells itself.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The short way, if there is one, and then FastAPI's handler behind all checks."""
        handler = super().get_route_handler()
        way: ShortWay | None = getattr(self.endpoint, _SHORT_WAY, None)
        if way is None:
            return handler

        async def handled_shortly(request: Request) -> Response:
            try:
                arguments = await way(request)
            except NotPlain:
                return await handler(request)
            response: Response = await self.endpoint(**arguments)
            return response

        return handled_shortly

    def answering(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler; before one of its refusals is told, the key is looked up."""
        handler = super().answering()
        if self.methods == {"GET"}:
            return handler

        async def answered_to_holders(request: Request) -> Response:
            try:
                return await handler(request)
            except Unavailable:
                # The database is not asked once more.
                raise
            except (RequestValidationError, Problem):
                await key_first(request)
                raise

        return answered_to_holders


async def key_first(request: Request) -> None:
    """Look up the key now, for what costs much or says much before the turn comes.

    Raises:
        NotAuthenticated: no key was sent, or one that is not valid.
        TooManyRequests: too many came with this key, or with a wrong one from this address.
    """
    if looked_up(request):
        return
    refuse_malformed(request)
    admission: Admission = request.app.state.admission
    async with admission.place("writing", request.scope["state"]):
        await run_in_threadpool(_look_up, request)


def _look_up(request: Request) -> None:
    database: Database = request.app.state.database
    with available(), database.reading() as db:
        caller_of(request, db, request.app.state.clock())
