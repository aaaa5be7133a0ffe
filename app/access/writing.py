"""Writing requests: who is calling is looked up in the transaction that writes, and a retry is answered once."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from app.access.caller import BASIC, BEARER, caller_of, looked_up, refuse_malformed
from app.access.models import Action
from app.access.replies import Answer, Retry, Turn, answered_once, retry_of
from app.database import POSTED, Database
from app.errors import Problem, Unavailable
from app.measures.counting import Measures
from app.web.admission import Admission
from app.web.dependencies import available, space_left
from app.web.strict import StrictRoute
from app.web.turns import Turns


@dataclass(frozen=True, slots=True)
class Writer:
    """What a writing route is handed: the way to its turn."""

    request: Request
    retry: Retry | None

    async def once(
        self, answer: Answer, *, rows: int = 1, remember: bool = True, action: Action | None = Action.REPORT
    ) -> Response:
        """What `answer`, about so many `rows`, makes in our turn; if this was answered before, that and nothing else.

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

        def work(db: Session, at: datetime) -> tuple[Response, Mapping[str, int]]:
            caller = caller_of(self.request, db, at)
            if action is not None:
                caller.require(action)
            turn = Turn(db, caller, at)
            retry = self.retry if remember else None
            response = answered_once(turn, retry, answer) if retry else answer(turn)
            return response, db.info.get(POSTED, {})

        allowance = admission.allowance(self.request.scope["state"])
        with available(), space_left():
            response, posted = await turns.done(work, allowance=allowance, rows=rows)
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


class WritingRoute(StrictRoute):
    """Tells who has no valid key nothing about what they sent, although most keys are looked up only in the turn."""

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
