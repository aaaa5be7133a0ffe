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
from app.series.figures import Missing

State = Literal["preliminary", "final"]


def _written_as_a_day(value: Any) -> Any:
    """`value` untouched; pydantic would also take seconds since 1970, and a moment at midnight, for a day."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise ValueError("write a day as 2024-12-31")
    return value


Day = Annotated[date, BeforeValidator(_written_as_a_day)]


class PassedAudit(Base, table=True):
    """An audit that found no hidden figure to be worked out; without one the database takes no release as published.

    `content_hash` is the SHA-256 of what was audited, and `tables_found` how many other tables prove it.
    """

    __tablename__ = "release_audits"
    __table_args__ = (CheckConstraint("outcome = 'passed'", name="outcome"),)

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    recorded_at: datetime
    outcome: str = Field(max_length=6)
    content_hash: str = Field(max_length=64)
    threshold: int
    tables_found: int


class ReleaseRecord(Base, table=True):
    """One release; its number `id` grows with the order in which releases were recorded.

    One that was `published` was made of what was recorded up to the moment `as_of` and has an audit of its own; one
    that was `imported` was public elsewhere before.
    """

    __tablename__ = "releases"
    __table_args__ = (
        CheckConstraint("state IN ('preliminary', 'final')", name="state"),
        CheckConstraint("origin IN ('imported', 'published')", name="origin"),
        CheckConstraint("(origin = 'published') = (audit_id IS NOT NULL)", name="audited"),
    )

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
    origin: str = Field(default="imported", max_length=9, sa_column_kwargs={"server_default": "imported"})
    audit_id: int | None = Field(default=None, foreign_key="release_audits.id", index=True, unique=True)
    as_of: datetime | None = None
    next_release_on: date | None = None


class ReleaseYearRecord(Base, table=True):
    """What a release says of one year: the facts of a `ReleasedYear`, so that no answer needs the register."""

    __tablename__ = "release_years"

    release_id: int = Field(primary_key=True, foreign_key="releases.id")
    year: int = Field(primary_key=True)
    facts: dict[str, Any] = Field(sa_type=JSON)


class ReleaseMunicipalityYearRecord(Base, table=True):
    """The same of one municipality, in a release that speaks of single municipalities."""

    __tablename__ = "release_municipality_years"

    release_id: int = Field(primary_key=True, foreign_key="releases.id")
    municipality: str = Field(primary_key=True, sa_type=code_column(3))
    year: int = Field(primary_key=True)
    facts: dict[str, Any] = Field(sa_type=JSON)


class ReleaseQuarterRecord(Base, table=True):
    """What a release says of the county in one quarter: the facts of a `ReleasedQuarter`."""

    __tablename__ = "release_quarters"

    release_id: int = Field(primary_key=True, foreign_key="releases.id")
    period: str = Field(primary_key=True, sa_type=code_column(7))
    facts: dict[str, Any] = Field(sa_type=JSON)


class ReleaseChangeRecord(Base, table=True):
    """Why a release says something else of a year than the release before it did."""

    __tablename__ = "release_changes"
    __table_args__ = (CheckConstraint("kind IN ('revision', 'error')", name="kind"),)

    release_id: int = Field(primary_key=True, foreign_key="releases.id")
    year: int = Field(primary_key=True)
    previous_release_id: int = Field(foreign_key="releases.id")
    kind: str = Field(max_length=8)
    reason: str


class ReleaseDraft(Base, table=True):
    """A release that somebody asked for, and how far it has come; the only table of releases that changes.

    `asked` is the request; `report` is for who may publish in the county, and says what is hidden and why. No
    organisation and no key stand there if it was asked for at the command line.
    """

    __tablename__ = "release_drafts"
    __table_args__ = (
        CheckConstraint("state IN ('preparing', 'ready', 'refused', 'published')", name="state"),
        CheckConstraint("(state IN ('ready', 'published')) = (audit_id IS NOT NULL)", name="audited"),
        CheckConstraint("(state = 'published') = (release_id IS NOT NULL)", name="released"),
        CheckConstraint("(state = 'refused') = (reason IS NOT NULL)", name="reason"),
    )

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    recorded_at: datetime
    deadline: datetime
    organisation_id: int | None = Field(default=None, foreign_key="organisations.id")
    key_id: str | None = Field(default=None, foreign_key="keys.id")
    practice: str = Field(sa_type=code_column(PRACTICE_LENGTH))
    county: str = Field(sa_type=code_column(2))
    as_of: datetime
    asked: dict[str, Any] = Field(sa_type=JSON)
    dry_run: bool
    state: str = Field(max_length=9)
    finished_at: datetime | None = None
    reason: str | None = None
    report: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    audit_id: int | None = Field(default=None, foreign_key="release_audits.id")
    release_id: int | None = Field(default=None, foreign_key="releases.id")


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


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


Origin = Literal["imported", "published"]
ChangeKind = Literal["revision", "error"]
_MISSING = (
    "Why `sessions` is null: `withheld` (counted, but to tell would give a small municipality away), `not_reported` "
    "(nothing was counted), `not_applicable` (nobody had the practice on trial or in use); null if nobody says"
)


class ReleasePublic(_Out):
    """What was made public on a day, with its source."""

    id: int
    practice: str
    county: str
    published_on: date
    state: State = Documented(description="`preliminary` (ennakkotieto) or `final` (lopullinen)")
    title: str
    source: str
    url: str | None
    note: str | None
    origin: Origin = Documented(
        description="`published`: made here of what was reported; `imported`: public elsewhere before"
    )
    as_of: str | None = Documented(description="Made of what was recorded up to this instant; null if imported")
    threshold: int | None = Documented(
        description="Fewer sessions of a municipality than this are protected; null if imported"
    )
    next_release_on: date | None = Documented(description="When the next release is to be expected")
    municipalities: bool = Documented(description="It also speaks of single municipalities")
    quarters: bool = Documented(description="It also speaks of the county's quarters")


class Releases(BaseModel):
    """A page of releases, newest first."""

    as_of: str
    rows: list[ReleasePublic]
    next: str | None = Documented(description="`cursor` of the next page; null on the last one")


class ChangedFigures(_Out):
    """What a release says of the county in a year that changed."""

    municipalities: int | None = Documented(
        description="Those with the practice on trial or in use on at least one day"
    )
    sessions: int | None
    sessions_missing: Missing | None = Documented(description=_MISSING)


class ChangePublic(_Out):
    """A year of which a release says something else than the release before it, and why."""

    year: int
    kind: ChangeKind = Documented(
        description="`revision` (tarkentuminen): more is known now; `error` (virhe): it was wrong"
    )
    reason: str
    previous_release: int = Documented(description="Number of the release before")
    previous: ChangedFigures
    now: ChangedFigures


class ReleaseWithChanges(ReleasePublic):
    """A release, and every year that it changes."""

    changes: list[ChangePublic] = Documented(description="Every year that differs from the release before, ascending")


class FigureRow(_Out):
    """What a release says of one area and period; null is what it does not say, never zero."""

    release_id: int
    practice: str
    area_type: Literal["county", "municipality"]
    area_code: str
    area_name_fi: str
    period: str = Documented(description="`2023` or `2023-Q1`")
    sessions: int | None
    sessions_missing: Missing | None = Documented(description=_MISSING)
    through: date | None = Documented(description="Last day to which all reporting municipalities are complete")
    partial: bool | None = Documented(description="True if the figures do not reach to the end of the period")
    municipalities: int | None = Documented(
        description="Those with the practice on trial or in use on at least one day"
    )
    reporting: int | None = Documented(description="Municipalities with a count in the period")


class ReleaseFigures(BaseModel):
    """All that a release says: of the county first, then of municipalities by code, each by period."""

    release: ReleasePublic
    rows: list[FigureRow]


class DifferenceRow(_Out):
    """A field of one area and period in which two releases differ; null is what a release does not say."""

    practice: str
    area_type: Literal["county", "municipality"]
    area_code: str
    area_name_fi: str
    period: str = Documented(description="`2023` or `2023-Q1`")
    field: str = Documented(description="As in the yearly trend; `through` alone is no number: see the two days")
    before: int | None = Documented(description="In the first of the two releases")
    after: int | None = Documented(description="In the second")
    before_missing: Missing | None = Documented(description="Why `before` is null, if the field is `sessions`")
    after_missing: Missing | None = Documented(description="Why `after` is null, if the field is `sessions`")
    before_through: date | None = Documented(description="To which day the figures of the first are complete")
    after_through: date | None = Documented(description="To which day those of the second are")


class ReleaseDifferences(BaseModel):
    """What differs between two releases: of the county first, then of municipalities by code, by period and field."""

    before: ReleasePublic
    after: ReleasePublic
    rows: list[DifferenceRow]
