"""What routes are handed: a session of the database, the clock, the moment that is read."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.security.base import SecurityBase
from sqlmodel import Session

from app.clock import AsOf, Clock, NotAMoment, as_of
from app.database import Database, NoPublicRole, UnsafeDatabase, disk_full, settle, unavailable
from app.errors import InsufficientStorage, Unavailable, parameter_problem
from app.web.admission import RETRY_AFTER, Admission, Kind

# For the contract alone: what is wrong with a moment is said in words by app.clock.
_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2}))?$"


# Not sync, which would take it to a thread and back.
async def clock_of(request: Request) -> Clock:
    """The clock that the application was made with."""
    clock: Clock = request.app.state.clock
    return clock


def _place(kind: Kind) -> Callable[[Request], AsyncIterator[None]]:
    """A dependency that is a place among those of that `kind`; the body has arrived by then."""

    async def place(request: Request) -> AsyncIterator[None]:
        admission: Admission = request.app.state.admission
        async with admission.place(kind, request.scope["state"]):
            yield

    return place


PlaceToRead = Annotated[None, Depends(_place("reading"), scope="function")]
PlaceToScrape = Annotated[None, Depends(_place("scraping"), scope="function")]


def reading(request: Request, _place: PlaceToRead) -> Iterator[Session]:
    """A session for one reading request: one snapshot, nothing kept; see `snapshot_for`."""
    with available(), snapshot_for(request) as db:
        yield db


def scraping(request: Request, _place: PlaceToScrape) -> Iterator[Session]:
    """A session as for every reading, for who asks what the server counts."""
    database: Database = request.app.state.database
    with available(), database.reading() as db:
        yield db


ReadDb = Annotated[Session, Depends(reading, scope="function")]
ScrapeDb = Annotated[Session, Depends(scraping, scope="function")]
TheClock = Annotated[Clock, Depends(clock_of)]


# Not sync: as long as nothing has to settle, it needs no thread.
async def moment_read(
    db: ReadDb,
    clock: TheClock,
    asked: Annotated[
        str | None,
        Query(
            alias="as_of",
            max_length=40,
            description="What was recorded up to then: a day (its end in Helsinki) or an RFC 3339 instant",
            json_schema_extra={"pattern": _MOMENT},
            openapi_examples={
                "now": {"summary": "Now", "value": None},
                "day": {"summary": "The end of a day in Helsinki", "value": "2025-06-30"},
            },
        ),
    ] = None,
) -> AsOf:
    """The moment that the request reads; what was recorded up to a past one never changes any more."""
    now = clock()
    try:
        moment = as_of(asked, now=now)
    except NotAMoment as error:
        raise parameter_problem("as_of", str(error)) from error
    if moment.moment is not None:
        await run_in_threadpool(settle, db, moment.moment)
    return moment


AsOfMoment = Annotated[AsOf, Depends(moment_read)]


def snapshot_for(request: Request) -> AbstractContextManager[Session]:
    """A session that reads what the caller may: what is public, unless a key is sent to a route that takes one."""
    database: Database = request.app.state.database
    if "authorization" in request.headers and _takes_a_key(request.scope["route"].dependant):
        return database.reading()
    return database.reading_in_public()


@contextmanager
def available() -> Iterator[None]:
    """Turns a database that does not answer, or is busy for too long, into a problem the caller can wait out."""
    try:
        yield
    except Exception as error:
        if not unavailable(error):
            raise
        raise Unavailable(_words(error), headers=RETRY_AFTER) from error


@contextmanager
def space_left() -> Iterator[None]:
    """Turns a full disk into a problem that says so."""
    try:
        yield
    except Exception as error:
        if not disk_full(error):
            raise
        raise InsufficientStorage(
            "the disk of the database is full, and nothing of this request was stored; "
            "send it again when the operator has made space",
            headers={"Retry-After": "60"},
        ) from error


def _takes_a_key(dependant: Dependant) -> bool:
    return any(isinstance(one.call, SecurityBase) or _takes_a_key(one) for one in dependant.dependencies)


def _words(error: Exception) -> str:
    if isinstance(error, UnsafeDatabase | NoPublicRole):
        return str(error)
    return "the database did not answer in time; try again in a few seconds"
