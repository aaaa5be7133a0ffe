"""Which municipalities and counties there are, on which day, and how many residents they have."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from app.errors import NotFound, parameter_problem
from app.places.models import CountyRecord, MunicipalityRecord, ResidentsRecord

REGISTER_BEGINS = date(2021, 1, 1)
"""The first register that is known; days before it follow it."""


@dataclass(frozen=True, slots=True)
class Municipality:
    """A municipality; None in `valid_from` is before the registers begin, None in `valid_to` is not ended."""

    code: str
    name_fi: str
    name_sv: str
    county: str | None
    region: str | None
    valid_from: date | None
    valid_to: date | None
    successor: str | None

    def in_register(self, on: date) -> bool:
        """True if it is in the register of the day `on`; a day before 2021 follows the register of 1 January 2021."""
        on = max(on, REGISTER_BEGINS)
        return (self.valid_from or date.min) <= on <= (self.valid_to or date.max)

    @property
    def in_register_from(self) -> date:
        """The first day that it is in the register by that rule; date.min if it is from the beginning."""
        return date.min if self.in_register(date.min) else self.valid_from or date.max


@dataclass(frozen=True, slots=True)
class County:
    """A wellbeing services county, or the City of Helsinki."""

    code: str
    name_fi: str
    name_sv: str
    name_en: str
    kind: str


def municipality_code(text: str) -> str:
    """The three digits of `text`, which may carry Statistics Finland's KU in front."""
    return text.removeprefix("KU")


def municipalities(
    db: Session,
    moment: datetime | None = None,
    *,
    codes: Collection[str] | None = None,
    county: str | None = None,
) -> dict[str, Municipality]:
    """By code, in the order of the codes: every municipality known at `moment`, or those with `codes` or of `county`.

    None of `moment` is now. Merged municipalities are there, with their last day.
    """
    query = select(MunicipalityRecord).order_by(col(MunicipalityRecord.code), col(MunicipalityRecord.recorded_at))
    if moment is not None:
        query = query.where(MunicipalityRecord.recorded_at <= moment)
    if codes is not None:
        query = query.where(col(MunicipalityRecord.code).in_(codes))
    known = {row.code: _municipality(row) for row in db.exec(query)}
    return {code: row for code, row in known.items() if county is None or row.county == county}


def counties(db: Session, moment: datetime | None = None) -> dict[str, County]:
    """By code, in the order of the codes: every county known at `moment`; None is now."""
    query = select(CountyRecord).order_by(col(CountyRecord.code), col(CountyRecord.recorded_at))
    if moment is not None:
        query = query.where(CountyRecord.recorded_at <= moment)
    return {row.code: County(row.code, row.name_fi, row.name_sv, row.name_en, row.kind) for row in db.exec(query)}


def county_named(db: Session, code: str, moment: datetime | None = None) -> County:
    """The county with `code`.

    Raises:
        InvalidParameter: there is none.
    """
    found = counties(db, moment).get(code)
    if found is None:
        detail = f"there is no county {code}; GET /v1/counties lists them (North Savo is 13)"
        raise parameter_problem("county", detail)
    return found


def municipalities_named(db: Session, asked: Iterable[str], moment: datetime | None = None) -> dict[str, Municipality]:
    """By code: the municipalities with the codes `asked` for, with or without KU.

    Raises:
        InvalidParameter: there is none with one of the codes.
    """
    codes = {municipality_code(text) for text in asked}
    found = municipalities(db, moment, codes=codes)
    if missing := sorted(codes - found.keys()):
        detail = f"there is no municipality {', '.join(missing)}; GET /v1/municipalities lists them"
        raise parameter_problem("municipality", detail)
    return found


def municipality_at(db: Session, text: str, moment: datetime | None = None) -> Municipality:
    """The municipality that an address names.

    Raises:
        NotFound: there is none.
    """
    code = municipality_code(text)
    found = municipalities(db, moment, codes=[code]).get(code)
    if found is None:
        raise NotFound(f"there is no municipality {code}; GET /v1/municipalities lists them")
    return found


def residents(
    db: Session, moment: datetime | None = None, *, codes: Collection[str] | None = None
) -> Mapping[int, Mapping[str, int]]:
    """By year and municipality: residents on 31 December of the year, as known at `moment` (None is now)."""
    query: Any = select(ResidentsRecord.year, ResidentsRecord.code, ResidentsRecord.residents)
    if moment is not None:
        query = query.where(ResidentsRecord.recorded_at <= moment)
    if codes is not None:
        query = query.where(col(ResidentsRecord.code).in_(codes))
    known: dict[int, dict[str, int]] = {}
    for year, code, number in db.exec(query.order_by(ResidentsRecord.recorded_at)):
        known.setdefault(year, {})[code] = number
    return known


def _municipality(row: MunicipalityRecord) -> Municipality:
    return Municipality(
        row.code,
        row.name_fi,
        row.name_sv,
        row.county,
        row.region,
        row.valid_from,
        row.valid_to,
        row.successor,
    )
