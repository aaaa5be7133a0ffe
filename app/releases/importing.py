"""Taking in what a county has already made public: totals per year, from a JSON or CSV file."""

import csv
import io
import json
from collections.abc import Iterable
from datetime import date, datetime
from importlib.resources import files
from typing import Any

from sqlmodel import Session, func, select

from app.clock import helsinki_day
from app.places.register import counties, municipalities, residents
from app.practices.definitions import practices
from app.releases.models import ImportedRelease, ImportedYear, ReleaseRecord, ReleaseYearRecord
from app.releases.reading import FACTS
from app.series.figures import ReleasedYear, imported_year, residents_of

_SHIPPED = "yhdessa-aika-13-2023-03-27.json"
_YEAR_FIELDS = ("year", "municipalities", "sessions", "through")


class InvalidRelease(ValueError):
    """The file says something that no release can say."""


def parse_release(content: bytes, *, as_csv: bool) -> ImportedRelease:
    """The publication in `content`, UTF-8 text.

    JSON: the fields of `ImportedRelease`. CSV: one line per year, whose columns are those of `ImportedYear` and of
    `ImportedRelease`, the latter the same in every line.

    Raises:
        pydantic.ValidationError: a field is missing, unknown or malformed.
        InvalidRelease: it is not UTF-8 or not JSON, or the lines of a CSV differ in what they say of the release.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRelease(f"not UTF-8 (byte {error.start}); save it as UTF-8") from error
    if as_csv:
        return ImportedRelease.model_validate(_from_csv(text))
    try:
        return ImportedRelease.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        raise InvalidRelease(f"not JSON: {error}") from error


def import_release(db: Session, release: ImportedRelease, *, at: datetime) -> int:
    """Store `release` with the register and residents of its own day; its number.

    Raises:
        InvalidRelease: unknown practice or county, a year twice, or days that do not fit together.
    """
    _check(db, release, at)
    number = (db.exec(select(func.max(ReleaseRecord.id))).one() or 0) + 1
    db.add(ReleaseRecord(id=number, recorded_at=at, **release.model_dump(exclude={"years"})))
    db.flush()
    for year, facts in _facts(db, release):
        db.add(ReleaseYearRecord(release_id=number, year=year, facts=FACTS.dump_python(facts, mode="json")))
    return number


def load_shipped_release(db: Session, *, at: datetime) -> int:
    """Store the first release, unless there is one; how many were stored."""
    if db.exec(select(ReleaseRecord).limit(1)).first() is not None:
        return 0
    content = files("app.releases").joinpath("data", _SHIPPED).read_bytes()
    import_release(db, parse_release(content, as_csv=False), at=at)
    return 1


def _from_csv(text: str) -> dict[str, Any]:
    # A Finnish Excel separates by semicolons.
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    lines = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))
    if not lines:
        raise InvalidRelease("the file has no line below its header")
    about = [{name: value for name, value in line.items() if name not in _YEAR_FIELDS and value} for line in lines]
    if any(other != about[0] for other in about):
        raise InvalidRelease("every line must say the same of the release (practice, county, published_on, …)")
    years = [{name: _cell(line[name]) for name in _YEAR_FIELDS if line.get(name)} for line in lines]
    return {**about[0], "years": years}


def _cell(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() else text


def _check(db: Session, release: ImportedRelease, at: datetime) -> None:
    if release.practice not in practices(db):
        raise InvalidRelease(f"there is no practice {release.practice!r}; `yhdessa practice add` makes one")
    if release.county not in counties(db):
        raise InvalidRelease(f"there is no county {release.county!r}; North Savo is 13")
    if release.published_on > helsinki_day(at):
        raise InvalidRelease(f"published_on {release.published_on} lies in the future")
    years = [row.year for row in release.years]
    if len(set(years)) < len(years):
        raise InvalidRelease("a year stands there twice")
    for row in release.years:
        _check_days(row, release.published_on)


def _check_days(row: ImportedYear, published_on: date) -> None:
    if row.year > published_on.year:
        raise InvalidRelease(f"{row.year} had not begun when this was published")
    if (row.sessions is None) != (row.through is None):
        raise InvalidRelease(f"{row.year}: sessions need `through`, their last day counted, and only they do")
    if row.through and (row.through.year != row.year or row.through > published_on):
        raise InvalidRelease(f"{row.year}: through {row.through} lies outside the year or after {published_on}")


def _facts(db: Session, release: ImportedRelease) -> Iterable[tuple[int, ReleasedYear]]:
    """Each year from the first to the last with its facts; a year that the file leaves out is not covered."""
    given = {row.year: row for row in release.years}
    for year in range(min(given), max(given) + 1):
        area, people = _register_and_residents(db, release, year)
        row = given.get(year)
        if row is None:
            yield year, ReleasedYear(covers=False, municipalities_in_area=area, residents=people)
        else:
            yield (
                year,
                imported_year(
                    year,
                    municipalities=row.municipalities,
                    sessions=row.sessions,
                    through=row.through,
                    published_on=release.published_on,
                    municipalities_in_area=area,
                    residents=people,
                ),
            )


def _register_and_residents(db: Session, release: ImportedRelease, year: int) -> tuple[int, int | None]:
    """How many municipalities the county has on the last day of the year, and their residents (see app.series)."""
    last_day = min(date(year, 12, 31), release.published_on)
    codes = [place.code for place in municipalities(db, county=release.county).values() if place.in_register(last_day)]
    return len(codes), residents_of(codes, year, residents(db, codes=codes))
