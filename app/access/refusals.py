"""Refusals to known keys, written into the audit log; guesses at keys go to the log of requests alone."""

import structlog
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.audit import add_line
from app.access.caller import NotAuthenticated, sent_key
from app.access.keys import known_key
from app.access.limits import Limits
from app.access.models import Key
from app.clock import Clock
from app.database import Database, wait_for_turn
from app.errors import Unavailable
from app.web.admission import Admission
from app.web.dependencies import available

_AUDITED = (401, 403, 409, 422)

log = structlog.get_logger()


class RefusalsAudited:
    """Adds a line to the audit log before a key of ours, valid or not, is told 401, 403, 409 or 422."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; the line is written once the request's own transaction has ended."""
        authorization = Headers(scope=scope).get("authorization") if scope["type"] == "http" else None
        if authorization is None:
            await self.app(scope, receive, send)
            return

        async def send_audited(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in _AUDITED:
                await _audit(scope, sent_key(authorization), message["status"])
            await send(message)

        await self.app(scope, receive, send_audited)


async def _audit(scope: Scope, secret: str, status_code: int) -> None:
    admission: Admission = scope["app"].state.admission
    try:
        async with admission.place("writing", scope["state"]):
            await run_in_threadpool(_write, scope, secret, status_code)
    except Unavailable:
        log.exception("a refusal could not be written into the audit log", status=status_code)


def _write(scope: Scope, secret: str, status_code: int) -> None:
    database: Database = scope["app"].state.database
    clock: Clock = scope["app"].state.clock
    with available(), database.writing() as db:
        key = _key(db, scope, secret, status_code)
        if key is None:
            return
        key_id, reason = key.id, _reason(key, scope["state"]["problem"])
        # The address as the contract writes it: what stands in its place was written by the caller.
        where = {"method": scope["method"], "route": scope["route"].path}
        wait_for_turn(db)
        add_line(db, "refused", key_id=key_id, at=clock(), reason=reason, status=status_code, **where)


def _key(db: Session, scope: Scope, secret: str, status_code: int) -> Key | None:
    """The key that was refused; None if it is none of ours, or beyond the rate at which its refusals are written."""
    if "key_id" in scope["state"]:
        return db.get_one(Key, scope["state"]["key_id"])
    # The request was refused before anybody asked who is calling, and so before it was counted.
    found = known_key(db, secret) if status_code != NotAuthenticated.status_code else None
    limits: Limits = scope["app"].state.limits
    return found[0] if found and limits.requests.spend(found[0].id).allowed else None


def _reason(key: Key, problem: str) -> str:
    """Why the request was refused: what is wrong with the key itself, else the kind of problem."""
    if problem != "not-authenticated":
        return problem
    return "revoked" if key.revoked_at else "expired"
