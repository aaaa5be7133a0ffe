"""What routes are handed: a session of the database, the clock, the moment that is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Query, Request
from sqlalchemy.exc import OperationalError, TimeoutError
from sqlmodel import Session

from app.clock import AsOf, Clock, NotAMoment, as_of
from app.database import POSTED, Database, settle
from app.errors import Unavailable, parameter_problem
from app.measures.counting import Measures

# For the contract alone: what is wrong with a moment is said in words by app.clock.
_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2}))?$"


def clock_of(request: Request) -> Clock:
    """The clock that the application was made with."""
    clock: Clock = request.app.state.clock
    return clock


def reading(request: Request) -> Iterator[Session]:
    """A session for one reading request: one snapshot, nothing kept."""
    database: Database = request.app.state.database
    with _available(), database.reading() as db:
        yield db


def writing(request: Request) -> Iterator[Session]:
    """A session for one writing request, committed before the answer is sent."""
    database: Database = request.app.state.database
    with _available(), database.writing() as db:
        yield db
    measures: Measures = request.app.state.measures
    measures.posted(db.info.get(POSTED, {}))


ReadDb = Annotated[Session, Depends(reading, scope="function")]
WriteDb = Annotated[Session, Depends(writing, scope="function")]
TheClock = Annotated[Clock, Depends(clock_of)]


def moment_read(
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
        settle(db, moment.moment)
    return moment


AsOfMoment = Annotated[AsOf, Depends(moment_read)]


@contextmanager
def _available() -> Iterator[None]:
    """Turns a database that does not answer, or is busy for too long, into a problem the caller can wait out."""
    try:
        yield
    except (OperationalError, TimeoutError) as error:
        raise Unavailable(
            "the database did not answer in time; try again in a few seconds", headers={"Retry-After": "2"}
        ) from error
