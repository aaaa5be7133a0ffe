"""Retries: an Idempotency-Key makes a write happen once, and every retry of it answer the same bytes."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from sqlmodel import Session, col, delete

from app.access.caller import Reporter
from app.access.models import Action, RememberedReply
from app.access.scope import Caller
from app.clock import Clock
from app.database import take_turn
from app.errors import Problem
from app.web.dependencies import TheClock, WriteDb

LIFETIME = timedelta(days=30)
"""How long a reply is remembered."""

REPLAYED = {"Idempotency-Replayed": "`true` if this is the answer to an earlier request with the same Idempotency-Key"}

_KEPT_HEADERS = ("content-type", "etag", "location")


class IdempotencyKeyReused(Problem):
    """This Idempotency-Key came with another request before; a new request needs a new one."""

    status_code = 422
    title = "The Idempotency-Key belongs to another request"


@dataclass(frozen=True, slots=True)
class Retry:
    """The Idempotency-Key of a request, and the SHA-256 of what was sent with it: method, address and body."""

    key: str
    request_hash: str


async def retry_of(
    request: Request,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=255,
            pattern="^[!-~]+$",
            description="Optional: a word of your own, new for each post; a retry with it answers the same and does "
            "nothing. Remembered for 30 days for your organisation, if the request succeeded",
        ),
    ] = None,
) -> Retry | None:
    """The retry that the request may be; None without an Idempotency-Key."""
    if key is None:
        return None
    address = f"{request.method} {request.url.path}?{request.url.query}\n"
    return Retry(key, hashlib.sha256(address.encode() + await request.body()).hexdigest())


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, where and when: all that a writing route is handed beside what was sent."""

    db: Session
    caller: Caller
    clock: Clock
    retry: Retry | None

    def once(
        self, answer: Callable[[datetime], Response], *, remember: bool = True, action: Action | None = Action.REPORT
    ) -> Response:
        """What `answer` makes at the moment of our turn; if this was answered before, that answer and nothing else.

        The reply is remembered in the transaction of what it tells of. Whoever sends the same at once waits for its
        turn and then gets the reply. The key must be for `action`; None lets every valid key.

        Raises:
            NotAllowed: the key is not for `action`.
            IdempotencyKeyReused: the Idempotency-Key came with another request.
        """
        if action is not None:
            self.caller.require(action)
        at = take_turn(self.db, self.clock)
        if self.retry is None or not remember:
            return answer(at)
        remembered = self.db.get(RememberedReply, (self.caller.organisation_id, self.retry.key))
        if remembered is None or remembered.recorded_at <= at - LIFETIME:
            response = answer(at)
            self._remember(self.retry, response, at)
            return response
        if remembered.request_hash != self.retry.request_hash:
            since = f"{remembered.recorded_at:%Y-%m-%d %H:%M} UTC"
            raise IdempotencyKeyReused(f"the Idempotency-Key {self.retry.key!r} came with another request at {since}")
        headers = {**remembered.headers, "Idempotency-Replayed": "true"}
        return Response(remembered.body, status_code=remembered.status_code, headers=headers)

    def _remember(self, retry: Retry, response: Response, at: datetime) -> None:
        """Keep `response`, and forget what nobody will ask for any more."""
        past = col(RememberedReply.recorded_at) <= at - LIFETIME
        self.db.exec(delete(RememberedReply).where(past))
        self.db.add(
            RememberedReply(
                organisation_id=self.caller.organisation_id,
                key=retry.key,
                request_hash=retry.request_hash,
                recorded_at=at,
                status_code=response.status_code,
                headers={name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers},
                body=bytes(response.body).decode(),
            )
        )


def writer(db: WriteDb, clock: TheClock, caller: Reporter, retry: Annotated[Retry | None, Depends(retry_of)]) -> Writer:
    """What a writing route is handed."""
    return Writer(db, caller, clock, retry)


TheWriter = Annotated[Writer, Depends(writer)]
