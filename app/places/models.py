"""Registers as they are stored and as they are answered: counties, municipalities, residents.

A row is never changed: what becomes known later is a further row for the same code with its own `recorded_at`.
"""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field as Documented
from sqlmodel import Field

from app.database import Base, code_column

MUNICIPALITY_PATTERN = r"^(KU)?[0-9]{3}$"
COUNTY_PATTERN = r"^[0-9]{2}$"

MunicipalityCode = Annotated[
    str,
    Documented(
        pattern=MUNICIPALITY_PATTERN,
        description="Three-digit municipality code (kuntanumero), `297` or `KU297`",
    ),
]
CountyCode = Annotated[
    str,
    Documented(pattern=COUNTY_PATTERN, description="Two-digit code of a wellbeing services county; North Savo is 13"),
]


class CountyRecord(Base, table=True):
    """What was known of a county from a moment on."""

    __tablename__ = "counties"

    code: str = Field(primary_key=True, sa_type=code_column(2))
    recorded_at: datetime = Field(primary_key=True)
    name_fi: str
    name_sv: str
    name_en: str
    kind: str


class MunicipalityRecord(Base, table=True):
    """What was known of a municipality from a moment on; `valid_to` is its last day."""

    __tablename__ = "municipalities"

    code: str = Field(primary_key=True, sa_type=code_column(3))
    recorded_at: datetime = Field(primary_key=True)
    name_fi: str
    name_sv: str
    county: str | None = Field(index=True, sa_type=code_column(2))
    region: str | None = Field(sa_type=code_column(2))
    valid_from: date | None
    valid_to: date | None
    successor: str | None = Field(sa_type=code_column(3))


class ResidentsRecord(Base, table=True):
    """How many residents a municipality had on 31 December of a year, as known from a moment on."""

    __tablename__ = "residents"

    code: str = Field(primary_key=True, sa_type=code_column(3))
    year: int = Field(primary_key=True)
    recorded_at: datetime = Field(primary_key=True)
    residents: int


class CountyPublic(BaseModel):
    """One wellbeing services county, or the City of Helsinki."""

    model_config = ConfigDict(frozen=True)

    code: str
    name_fi: str
    name_sv: str
    name_en: str
    kind: str = Documented(description="`county`, or `city` for Helsinki, which has the duties of a county")
    municipalities: int = Documented(description="How many municipalities it has in the register of the day")


class Counties(BaseModel):
    """All counties, in the order of their codes."""

    as_of: str
    on: date = Documented(description="The day whose register is counted")
    rows: list[CountyPublic]


class MunicipalityPublic(BaseModel):
    """One municipality, present or merged."""

    model_config = ConfigDict(frozen=True)

    code: str
    name_fi: str
    name_sv: str
    county: str | None = Documented(description="null for Åland's municipalities, which belong to no county")
    region: str | None = Documented(description="Region code (maakunta); not the county code")
    valid_from: date | None = Documented(description="First day in the register; null if before 2021")
    valid_to: date | None = Documented(description="Last day in the register; null while it exists")
    successor: str | None = Documented(description="The municipality it was merged into")


class Municipalities(BaseModel):
    """Municipalities in the order of their codes."""

    as_of: str
    on: date | None = Documented(description="The day whose register is listed; null lists merged ones too")
    rows: list[MunicipalityPublic]
