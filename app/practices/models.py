"""Practices as they are stored and answered, and from which year a county's reports speak.

Rows are never changed: a new definition, or a new year, is a further row with its own `recorded_at`.
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field as Documented
from sqlmodel import Field

from app.database import Base, code_column

PRACTICE_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
PRACTICE_LENGTH = 60


class PracticeRecord(Base, table=True):
    """What a practice was defined as from a moment on."""

    __tablename__ = "practices"

    slug: str = Field(primary_key=True, sa_type=code_column(PRACTICE_LENGTH))
    recorded_at: datetime = Field(primary_key=True)
    name_fi: str
    name_sv: str
    name_en: str
    definition: str
    counting_rule: str
    criteria_pilot: str
    criteria_in_use: str
    contact: str
    counted: bool


class LiveFromRecord(Base, table=True):
    """The first year for which a county's reports speak, as set at a moment."""

    __tablename__ = "live_from"

    practice: str = Field(primary_key=True, sa_type=code_column(PRACTICE_LENGTH))
    county: str = Field(primary_key=True, sa_type=code_column(2))
    recorded_at: datetime = Field(primary_key=True)
    year: int


class PracticePublic(BaseModel):
    """One practice (toimintamalli, verksamhetsmodell) that is being adopted."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    slug: str
    name_fi: str
    name_sv: str
    name_en: str
    definition: str
    counting_rule: str = Documented(description="What is counted as one session, and in which municipality")
    criteria_pilot: str = Documented(description="When a municipality has it on trial")
    criteria_in_use: str = Documented(description="When a municipality has it in use")
    contact: str
    counted: bool = Documented(description="Whether sessions are counted at all")


class Practices(BaseModel):
    """All practices, in the order of their slugs."""

    as_of: str
    rows: list[PracticePublic]
