"""Practices as they are stored and answered, and from which year a county's reports speak.

Rows are never changed: a new definition, or a new year, is a further row with its own `recorded_at`.
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field as Documented
from sqlmodel import Field

from app.database import Base, code_column

PRACTICE_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
PRACTICE_LENGTH = 60

TOLD = ("definition", "counting_rule", "criteria_pilot", "criteria_in_use", "contact")
"""What is told of a practice in English, and with _fi or _sv behind its name in Finnish or Swedish."""

UNTRANSLATED = dict.fromkeys(f"{text}_{language}" for text in TOLD for language in ("fi", "sv"))
"""The Finnish and Swedish texts of a practice that is told in English alone."""

_IN_FINNISH = "As the field without `_fi`, in Finnish; null where it is told in English alone"
_IN_SWEDISH = "As the field without `_sv`, in Swedish; null where it is told in English alone"


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
    definition_fi: str | None
    definition_sv: str | None
    counting_rule_fi: str | None
    counting_rule_sv: str | None
    criteria_pilot_fi: str | None
    criteria_pilot_sv: str | None
    criteria_in_use_fi: str | None
    criteria_in_use_sv: str | None
    contact_fi: str | None
    contact_sv: str | None


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
    definition_fi: str | None = Documented(description=_IN_FINNISH)
    definition_sv: str | None = Documented(description=_IN_SWEDISH)
    counting_rule_fi: str | None = Documented(description=_IN_FINNISH)
    counting_rule_sv: str | None = Documented(description=_IN_SWEDISH)
    criteria_pilot_fi: str | None = Documented(description=_IN_FINNISH)
    criteria_pilot_sv: str | None = Documented(description=_IN_SWEDISH)
    criteria_in_use_fi: str | None = Documented(description=_IN_FINNISH)
    criteria_in_use_sv: str | None = Documented(description=_IN_SWEDISH)
    contact_fi: str | None = Documented(description=_IN_FINNISH)
    contact_sv: str | None = Documented(description=_IN_SWEDISH)


class Practices(BaseModel):
    """All practices, in the order of their slugs."""

    as_of: str
    rows: list[PracticePublic]
