"""Which municipalities and counties there are, on which day, and how many residents they have.

The registers grow with new versions of the product alone, so that they are kept in memory between requests.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Pool, func
from sqlmodel import Session, col, select

from app.database import SNAPSHOT
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
    kept = _registers(db).municipalities
    asked = kept if codes is None else sorted(kept.keys() & codes)
    known = {code: row for code in asked if (row := _last(kept[code], moment)) is not None}
    return {code: row for code, row in known.items() if county is None or row.county == county}


def counties(db: Session, moment: datetime | None = None) -> dict[str, County]:
    """By code, in the order of the codes: every county known at `moment`; None is now."""
    kept = _registers(db).counties
    return {code: row for code, rows in kept.items() if (row := _last(rows, moment)) is not None}


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
    kept = _registers(db).residents
    known: dict[int, dict[str, int]] = {}
    for code in kept if codes is None else kept.keys() & codes:
        for recorded_at, (year, number) in kept[code]:
            if moment is None or recorded_at <= moment:
                known.setdefault(year, {})[code] = number
    return known


Row = TypeVar("Row")
Known = Mapping[str, Sequence[tuple[datetime, Row]]]
"""By code, in the order of the codes: what was known of it and from which moment on, oldest first."""


@dataclass(frozen=True, slots=True)
class _Registers:
    """All that was ever known; `size` is the number of rows of each table and their latest moment."""

    size: Sequence[Any]
    counties: Known[County]
    municipalities: Known[Municipality]
    residents: Known[tuple[int, int]]
    """Year and number."""


_SEEN = "registers"

_KEPT: WeakKeyDictionary[Pool, _Registers] = WeakKeyDictionary()
"""By the connections to a database."""

# A row is never changed or deleted, and a new one is the latest but in an empty table.
_SIZE: Any = select(
    *(
        select(measure).select_from(table).scalar_subquery()
        for table in (CountyRecord, MunicipalityRecord, ResidentsRecord)
        for measure in (func.count(), func.max(table.recorded_at))
    )
)


def _registers(db: Session) -> _Registers:
    """The registers as `db` sees them."""
    seen = db.info.get(SNAPSHOT, {})
    if _SEEN not in seen:
        seen[_SEEN] = _registers_now(db)
    registers: _Registers = seen[_SEEN]
    return registers


def _registers_now(db: Session) -> _Registers:
    size = db.execute(_SIZE).one()
    connections = db.get_bind().engine.pool
    kept = _KEPT.get(connections)
    if kept is None or kept.size != size:
        kept = _KEPT[connections] = _Registers(
            size,
            _known(db, CountyRecord, _county),
            _known(db, MunicipalityRecord, _municipality),
            _known(db, ResidentsRecord, lambda row: (row.year, row.residents)),
        )
    return kept


def _known(db: Session, table: Any, read: Callable[[Any], Row]) -> Known[Row]:
    known: dict[str, list[tuple[datetime, Row]]] = {}
    # Columns and not objects: of the thousands that there are, those take half the time.
    columns = db.execute(select(*table.__table__.columns).order_by(col(table.code), col(table.recorded_at)))
    for row in columns:
        known.setdefault(row.code, []).append((row.recorded_at, read(row)))
    return known


def _last(rows: Sequence[tuple[datetime, Row]], moment: datetime | None) -> Row | None:
    """What was known last of one code at `moment`, if anything; None is now."""
    for recorded_at, row in reversed(rows):
        if moment is None or recorded_at <= moment:
            return row
    return None


def _county(row: CountyRecord) -> County:
    return County(row.code, row.name_fi, row.name_sv, row.name_en, row.kind)


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
