"""Who is calling, read from the Authorization header: bearer, or basic with the key as the password."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from fastapi import Depends, Request
from fastapi.security import HTTPBasic, HTTPBearer
from sqlmodel import Session

from app.access.keys import Holder, holder_of, known_key, well_formed
from app.access.limits import count_failure, count_request, tell_expiry
from app.access.scope import Caller
from app.clock import Clock
from app.errors import Problem
from app.turn import of_keys
from app.web.dependencies import ReadDb, ScrapeDb, TheClock


class NotAuthenticated(Problem):
    """A valid key is needed; it is missing, mistyped, unknown, expired or revoked."""

    status_code = 401
    title = "A valid key is needed"
    answers_with: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "That a bearer token is wanted"}


class _BearerInContract(HTTPBearer):
    """States in the contract that a bearer token is taken; `sent_key` reads it."""

    async def __call__(self, request: Request) -> None:  # type: ignore[override]  # it documents, it does not read
        return None


class _BasicInContract(HTTPBasic):
    """States in the contract that HTTP Basic is taken; `sent_key` reads it."""

    async def __call__(self, request: Request) -> None:  # type: ignore[override]  # it documents, it does not read
        return None


BEARER = _BearerInContract(scheme_name="bearer", description="The key as a bearer token")
BASIC = _BasicInContract(scheme_name="basic", description="Any user name, the key as the password")

PUBLIC_TOO: dict[str, Any] = {"security": [{}]}
"""The `openapi_extra=` of a route that answers without a key as well."""


def reader_if_any(
    request: Request,
    db: ReadDb,
    clock: TheClock,
    _bearer: Annotated[None, Depends(BEARER)],
    _basic: Annotated[None, Depends(BASIC)],
) -> Caller | None:
    """Who is calling a reading route; None without an Authorization header.

    Raises:
        NotAuthenticated: a key was sent and is not valid.
        TooManyRequests: too many came with this key, or with a wrong one from this address.
    """
    return _caller_if_any(request, db, clock)


def scraper_if_any(
    request: Request,
    db: ScrapeDb,
    clock: TheClock,
    _bearer: Annotated[None, Depends(BEARER)],
    _basic: Annotated[None, Depends(BASIC)],
) -> Caller | None:
    """Who asks what the server counts; None without an Authorization header.

    Raises:
        NotAuthenticated: a key was sent and is not valid.
        TooManyRequests: too many came with this key, or with a wrong one from this address.
    """
    return _caller_if_any(request, db, clock)


def reader(caller: Annotated[Caller | None, Depends(reader_if_any)]) -> Caller:
    """Who is calling a reading route.

    Raises:
        NotAuthenticated: no key was sent, or one that is not valid.
        TooManyRequests: too many came with this key, or with a wrong one from this address.
    """
    if caller is None:
        raise not_authenticated()
    return caller


def caller_of(request: Request, db: Session, at: datetime) -> Caller:
    """Who is calling with a key that is valid `at` this moment; `request` is counted the first time that this is asked.

    Raises:
        NotAuthenticated: no key was sent, or one that is not valid.
        TooManyRequests: too many came with this key, or with a wrong one from this address.
    """
    first, request.state.looked_up = not looked_up(request), True
    secret = sent_key(request.headers.get("authorization", ""))
    holder = holder_in_turn(db, secret)
    if holder:
        request.state.key_id = holder.caller.key_id
    caller = holder.calling(at) if holder else None
    if caller is None:
        if first:
            count_failure(request)
        raise not_authenticated()
    if first:
        tell_expiry(request, caller, at=at)
        count_request(request, caller)
    return caller


def holder_in_turn(db: Session, secret: str) -> Holder | None:
    """Who holds the key whose secret this is, valid or not; in turns read again only if need be."""

    def read() -> Holder | None:
        found = known_key(db, secret)
        return holder_of(*found) if found else None

    # The secret itself is not kept.
    return of_keys(db, hashlib.sha256(secret.encode()).digest(), read)


def looked_up(request: Request) -> bool:
    """Whether somebody has asked who is calling."""
    return "looked_up" in request.scope["state"]


def refuse_malformed(request: Request) -> None:
    """Refuse what cannot be a key, without asking the database.

    Raises:
        NotAuthenticated: no key was sent, or one that is mistyped.
        TooManyRequests: too many came with a wrong key from this address.
    """
    if well_formed(sent_key(request.headers.get("authorization", ""))):
        return
    request.state.looked_up = True
    if "authorization" in request.headers:
        count_failure(request)
    raise not_authenticated()


def sent_key(authorization: str) -> str:
    """The key in the header `authorization`; an empty text if there is none."""
    scheme, _, credentials = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        _user, _, password = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except ValueError:
        return ""
    return password


def not_authenticated() -> NotAuthenticated:
    """The one answer to everything that can be wrong with a key, so that guessing learns nothing."""
    return NotAuthenticated(
        "send a valid key as `Authorization: Bearer <key>`, or as the password of HTTP Basic; "
        "this one is missing, mistyped, unknown, expired or revoked",
        headers={"WWW-Authenticate": 'Bearer realm="yhdessa"'},
    )


AnyReader = Annotated[Caller | None, Depends(reader_if_any)]
AnyScraper = Annotated[Caller | None, Depends(scraper_if_any)]
Reader = Annotated[Caller, Depends(reader)]


def _caller_if_any(request: Request, db: Session, clock: Clock) -> Caller | None:
    return caller_of(request, db, clock()) if "authorization" in request.headers else None
