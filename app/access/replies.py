"""Retries: an Idempotency-Key makes a write happen once, and every retry of it answer the same bytes."""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Header, Request, Response
from sqlalchemy import tuple_
from sqlmodel import Session, col, delete, select

from app.access.caller import holder_in_turn
from app.access.models import RememberedReply
from app.access.scope import Caller
from app.errors import Problem
from app.turn import add, given, once_kept, same_all_turn

LIFETIME = timedelta(days=30)
"""How long a reply is remembered."""

REPLAYED = {"Idempotency-Replayed": "`true` if this is the answer to an earlier request with the same Idempotency-Key"}

_KEY = r"^[!-~]+$"
_MOST_CHARACTERS = 255
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
            max_length=_MOST_CHARACTERS,
            pattern=_KEY,
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


async def plain_retry_of(request: Request) -> Retry | None:
    """The same as `retry_of`, without FastAPI.

    Raises:
        ValueError: the Idempotency-Key is malformed.
    """
    key = request.headers.get("idempotency-key")
    if key is not None and (len(key) > _MOST_CHARACTERS or not re.fullmatch(_KEY, key)):
        raise ValueError(key)
    return await retry_of(request, key)


def read_replies(db: Session, at: datetime, asked: Iterable[tuple[str, Retry]]) -> None:
    """Read what was answered to each retry that came with a key before; every day forget what is too old."""
    given(db, "replies forgotten", lambda: _forget(db, at))
    owned = [(holder_in_turn(db, secret), retry.key) for secret, retry in asked]
    wanted = {(holder.caller.organisation_id, key) for holder, key in owned if holder}
    named = tuple_(col(RememberedReply.organisation_id), col(RememberedReply.key)).in_(wanted)
    replies = db.exec(select(RememberedReply).where(named)).all()
    if any(reply.recorded_at <= at - LIFETIME for reply in replies):
        _forget(db, at)
    kept = [reply for reply in replies if reply.recorded_at > at - LIFETIME]
    _remembered(db).update({(reply.organisation_id, reply.key): reply for reply in kept})


def answered_once(turn: Turn, retry: Retry, answer: Answer) -> Response:
    """What `answer` makes; if `retry`, for which was read, was answered before, that answer and nothing else.

    The reply is remembered in the transaction of what it tells of.

    Raises:
        IdempotencyKeyReused: the Idempotency-Key came with another request.
    """
    reply = _remembered(turn.db).get((turn.caller.organisation_id, retry.key))
    if reply is None:
        response = answer(turn)
        _remember(turn, retry, response)
        return response
    if reply.request_hash != retry.request_hash:
        since = f"{reply.recorded_at:%Y-%m-%d %H:%M} UTC"
        raise IdempotencyKeyReused(f"the Idempotency-Key {retry.key!r} came with another request at {since}")
    headers = {**reply.headers, "Idempotency-Replayed": "true"}
    return Response(reply.body, status_code=reply.status_code, headers=headers)


def _remember(turn: Turn, retry: Retry, response: Response) -> None:
    """Keep `response`."""
    reply = RememberedReply(
        organisation_id=turn.caller.organisation_id,
        key=retry.key,
        request_hash=retry.request_hash,
        recorded_at=turn.at,
        status_code=response.status_code,
        headers={name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers},
        body=bytes(response.body).decode(),
    )
    add(turn.db, RememberedReply, [reply])
    once_kept(turn.db, lambda: _remembered(turn.db).update({(reply.organisation_id, reply.key): reply}))


def _forget(db: Session, at: datetime) -> None:
    """Delete what is not remembered any more at this moment."""
    db.exec(delete(RememberedReply).where(col(RememberedReply.recorded_at) <= at - LIFETIME))


def _remembered(db: Session) -> dict[tuple[int, str], RememberedReply]:
    """By organisation and Idempotency-Key: the replies that the turn knows of."""
    remembered: dict[tuple[int, str], RememberedReply] = same_all_turn(db, "replies", dict)
    return remembered
