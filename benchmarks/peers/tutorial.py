"""What a user would write with FastAPI's tutorial in hand: a session for each request, models of SQLModel, GROUP BY."""

import os
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from sqlmodel import Field, Index, Session, SQLModel, create_engine, func, select


class Municipality(SQLModel, table=True):
    """A municipality, its county, and whether that made its totals public."""

    code: str = Field(primary_key=True)
    county: str = Field(index=True)
    released: bool


class SessionCountBase(SQLModel):
    """The sessions of one municipality, practice and month."""

    practice: str
    municipality: str = Field(foreign_key="municipality.code")
    year: int
    month: int
    sessions: int


class SessionCount(SessionCountBase, table=True):
    """A count as it is stored; the index is the one that every peer has."""

    __table_args__ = (Index("ix_sessioncount_key", "practice", "municipality", "year", "month"),)

    id: int | None = Field(default=None, primary_key=True)


class SessionCountCreate(SessionCountBase):
    """A count as it is posted."""


class SessionCountPublic(SessionCountBase):
    """A count as it is answered."""

    id: int


class YearTrend(SQLModel):
    """The totals of one year."""

    year: int
    sessions: int
    municipalities: int


_url = os.environ["TUTORIAL_DATABASE_URL"]
engine = create_engine(_url, connect_args={"check_same_thread": False} if _url.startswith("sqlite") else {})
app = FastAPI()


def get_session() -> Iterator[Session]:
    """A session for one request."""
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


@app.get("/trends/", response_model=list[YearTrend])
def read_trend(session: SessionDep, practice: str, county: str | None = None) -> Any:
    """The yearly totals of a county, or of all counties that made theirs public."""
    totals: Any = select(
        SessionCount.year,
        func.sum(SessionCount.sessions).label("sessions"),
        func.count(func.distinct(SessionCount.municipality)).label("municipalities"),
    )
    query = totals.join(Municipality).where(SessionCount.practice == practice)
    query = query.where(Municipality.county == county) if county else query.where(Municipality.released)
    return session.exec(query.group_by(SessionCount.year).order_by(SessionCount.year)).all()


@app.post("/counts/", response_model=SessionCountPublic)
def create_count(count: SessionCountCreate, session: SessionDep) -> Any:
    """Store one count."""
    db_count = SessionCount.model_validate(count)
    session.add(db_count)
    session.commit()
    session.refresh(db_count)
    return db_count


@app.post("/counts/many/")
def create_counts(counts: list[SessionCountCreate], session: SessionDep) -> int:
    """Store many counts in one transaction; how many."""
    for count in counts:
        session.add(SessionCount.model_validate(count))
    session.commit()
    return len(counts)
