"""Retries: an Idempotency-Key makes a write happen once, and every retry of it answer the same bytes."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Header, Request, Response
from sqlmodel import Session, col, delete

from app.access.models import RememberedReply
from app.access.scope import Caller
from app.errors import Problem

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


@dataclass(frozen=True, slots=True)
class Turn:
    """Who writes, where and when: all that an answer is made of beside what was sent."""

    db: Session
    caller: Caller
    at: datetime


Answer = Callable[[Turn], Response]
"""Writes, and makes the answer that tells of it."""


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


def answered_once(turn: Turn, retry: Retry, answer: Answer) -> Response:
    """What `answer` makes; if `retry` was answered before, that answer and nothing else.

    The reply is remembered in the transaction of what it tells of.

    Raises:
        IdempotencyKeyReused: the Idempotency-Key came with another request.
    """
    remembered = turn.db.get(RememberedReply, (turn.caller.organisation_id, retry.key))
    if remembered is None or remembered.recorded_at <= turn.at - LIFETIME:
        response = answer(turn)
        _remember(turn, retry, response)
        return response
    if remembered.request_hash != retry.request_hash:
        since = f"{remembered.recorded_at:%Y-%m-%d %H:%M} UTC"
        raise IdempotencyKeyReused(f"the Idempotency-Key {retry.key!r} came with another request at {since}")
    headers = {**remembered.headers, "Idempotency-Replayed": "true"}
    return Response(remembered.body, status_code=remembered.status_code, headers=headers)


def _remember(turn: Turn, retry: Retry, response: Response) -> None:
    """Keep `response`, and forget what nobody will ask for any more."""
    turn.db.exec(delete(RememberedReply).where(col(RememberedReply.recorded_at) <= turn.at - LIFETIME))
    turn.db.add(
        RememberedReply(
            organisation_id=turn.caller.organisation_id,
            key=retry.key,
            request_hash=retry.request_hash,
            recorded_at=turn.at,
            status_code=response.status_code,
            headers={name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers},
            body=bytes(response.body).decode(),
        )
    )
