"""Releases as they are stored, imported and answered: what a county made public on a day, never changed."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field as Documented
from sqlalchemy import CheckConstraint
from sqlmodel import JSON, Field

from app.database import Base, code_column
from app.places.models import COUNTY_PATTERN
from app.practices.models import PRACTICE_LENGTH, PRACTICE_PATTERN

State = Literal["preliminary", "final"]


def _written_as_a_day(value: Any) -> Any:
    """`value` untouched; pydantic would also take seconds since 1970, and a moment at midnight, for a day."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise ValueError("write a day as 2024-12-31")
    return value


Day = Annotated[date, BeforeValidator(_written_as_a_day)]


class ReleaseRecord(Base, table=True):
    """One release; its number `id` grows with the order in which releases were recorded."""

    __tablename__ = "releases"
    __table_args__ = (CheckConstraint("state IN ('preliminary', 'final')", name="state"),)

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    practice: str = Field(index=True, sa_type=code_column(PRACTICE_LENGTH))
    county: str = Field(sa_type=code_column(2))
    published_on: date
    state: str = Field(max_length=11)
    title: str
    source: str
    url: str | None
    note: str | None
    recorded_at: datetime


class ReleaseYearRecord(Base, table=True):
    """What a release says of one year: the facts of a `ReleasedYear`, so that no answer needs the register."""

    __tablename__ = "release_years"

    release_id: int = Field(primary_key=True, foreign_key="releases.id")
    year: int = Field(primary_key=True)
    facts: dict[str, Any] = Field(sa_type=JSON)


class _Imported(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Total = Annotated[int, Documented(ge=0, le=1_000_000_000, strict=True)]


class ImportedYear(_Imported):
    """The published totals of one county and year; null is what the publication does not say."""

    year: Annotated[int, Documented(ge=2015, le=9998, strict=True)]
    municipalities: Total | None = None
    sessions: Total | None = None
    through: Day | None = None


class ImportedRelease(_Imported):
    """A publication of county totals, as `yhdessa release import` reads it from JSON or CSV."""

    practice: Annotated[str, Documented(pattern=PRACTICE_PATTERN)]
    county: Annotated[str, Documented(pattern=COUNTY_PATTERN)]
    published_on: Day
    state: State
    title: Annotated[str, Documented(min_length=1, max_length=300)]
    source: Annotated[str, Documented(min_length=1, max_length=1000)]
    url: Annotated[str, Documented(pattern="^https?://", max_length=1000)] | None = None
    note: Annotated[str, Documented(max_length=1000)] | None = None
    years: Annotated[list[ImportedYear], Documented(min_length=1)]


class ReleasePublic(BaseModel):
    """What was made public on a day, with its source."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: int
    practice: str
    county: str
    published_on: date
    state: State = Documented(description="`preliminary` (ennakkotieto) or `final` (lopullinen)")
    title: str
    source: str
    url: str | None
    note: str | None


class Releases(BaseModel):
    """Releases, newest first."""

    as_of: str
    rows: list[ReleasePublic]
