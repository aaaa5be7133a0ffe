"""The reference data that ships with the product, and how it gets into the database."""

import csv
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from importlib.resources import files

from sqlmodel import Session, col, select

from app.clock import BEGINNING
from app.database import Base
from app.places.models import CountyRecord, MunicipalityRecord, ResidentsRecord

_NOT_A_COUNTY = "not_a_county"
_FILE_BEGINS = "2021-01-01"
"""The first day of the file, which is no founding date."""


def load_reference_data(db: Session, *, at: datetime) -> int:
    """Store what ships and is not yet known; how many rows that were.

    What is stored into an empty register counts as known from the beginning; what is new or differs later is stored
    beside it, known from `at` on, so that no answer as of an earlier moment changes. Doing it again stores nothing.
    """
    return (
        _add_new(db, CountyRecord, _shipped_counties(), ("code",), at)
        + _add_new(db, MunicipalityRecord, _shipped_municipalities(), ("code",), at)
        + _add_new(db, ResidentsRecord, _shipped_residents(), ("code", "year"), at)
    )


def reference_data_loaded(db: Session) -> bool:
    """True if the registers are in the database."""
    return db.exec(select(MunicipalityRecord).limit(1)).first() is not None


def _add_new(db: Session, table: type[Base], shipped: Iterable[Base], key: tuple[str, ...], at: datetime) -> int:
    latest = {_values(row, key): row for row in db.exec(select(table).order_by(col(table.recorded_at)))}  # type: ignore[attr-defined]  # each of the three has it
    rest = tuple(name for name in table.model_fields if name != "recorded_at")
    added = 0
    for row in shipped:
        known = latest.get(_values(row, key))
        if known is None or _values(known, rest) != _values(row, rest):
            row.recorded_at = at if latest else BEGINNING
            db.add(row)
            added += 1
    return added


def _values(row: Base, names: tuple[str, ...]) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in names)


def _shipped(name: str) -> Iterator[dict[str, str]]:
    text = files("app.places").joinpath("data", name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())


def _shipped_counties() -> Iterator[CountyRecord]:
    for row in _shipped("counties.csv"):
        if row["kind"] != _NOT_A_COUNTY:
            names = {name: row[name] for name in ("name_fi", "name_sv", "name_en")}
            yield CountyRecord(code=row["code"], recorded_at=BEGINNING, kind=row["kind"], **names)


def _shipped_municipalities() -> Iterator[MunicipalityRecord]:
    for row in _shipped("municipalities.csv"):
        yield MunicipalityRecord(
            code=row["code"],
            recorded_at=BEGINNING,
            name_fi=row["name_fi"],
            name_sv=row["name_sv"],
            county=row["county_code"] or None,
            region=row["region_code"] or None,
            valid_from=_day(row["valid_from"].replace(_FILE_BEGINS, "")),
            valid_to=_day(row["valid_to"]),
            successor=row["successor_code"] or None,
        )


def _shipped_residents() -> Iterator[ResidentsRecord]:
    for row in _shipped("population.csv"):
        yield ResidentsRecord(
            code=row["code"], year=int(row["year"]), recorded_at=BEGINNING, residents=int(row["total"])
        )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
