"""Which practice and municipalities are asked about, and what is recorded of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from app.access.scope import COUNTRY, Caller
from app.clock import AsOf
from app.places.register import Municipality, county_named, municipalities, municipalities_named
from app.practices.definitions import practice_asked
from app.practices.models import PracticePublic
from app.reports.doubts import Figure
from app.reports.ledger import counts_query, statuses_in_force
from app.reports.live import about_places
from app.reports.tables import CountEntry, StatusEntry
from app.series.days import Span
from app.series.facts import History
from app.series.lives import life_of


@dataclass(frozen=True, slots=True)
class Ground:
    """What is asked about, and the moment that is read; `everywhere` if the places are all there are."""

    practice: PracticePublic
    places: Sequence[Municipality]
    everywhere: bool
    day: date
    moment: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """The statuses in force of one municipality by day, on which days it is active, and whether on the last one."""

    statuses: Mapping[date, StatusEntry]
    active: Sequence[Span]
    is_active: bool


@dataclass(frozen=True, slots=True)
class Count:
    """A count in force: the entry that states it, and its figure."""

    entry: int
    figure: Figure


def ground_asked(
    db: Session,
    *,
    practice: str,
    county: str | None = None,
    named: Sequence[str] = (),
    reader: Caller,
    as_of: AsOf,
) -> Ground:
    """The municipalities of the key's scope, or those of a county or with the codes `named`.

    Raises:
        InvalidParameter: there is no such practice, county or municipality.
        NotCovered: the key does not cover all that is asked for.
    """
    defined = practice_asked(db, practice, as_of.moment)
    if county is not None:
        county_named(db, county, as_of.moment)
    codes = municipalities_named(db, named, as_of.moment).keys() if named else None
    asked = municipalities(db, as_of.moment, codes=codes, county=county).values()
    if named or county:
        reader.scope.require(asked)
    covered = [place for place in asked if reader.scope.covers(place)]
    everywhere = COUNTRY in reader.scope.areas and not named and county is None
    return Ground(defined, covered, everywhere, as_of.day, as_of.moment)


def standings(db: Session, ground: Ground) -> dict[str, Standing]:
    """By code: how each of the municipalities stands, up to the day that is read."""
    found: dict[str, dict[date, StatusEntry]] = {place.code: {} for place in ground.places}
    about = about_places(StatusEntry, ground.practice.slug, ground.places, ground.everywhere)
    for entry in statuses_in_force(db, *about, moment=ground.moment):
        found[entry.municipality][entry.day] = entry
    return {place.code: _standing(place, found[place.code], ground.day) for place in ground.places}


def counts(db: Session, ground: Ground) -> dict[str, list[Count]]:
    """By code: the counts in force of the municipalities that have any, ascending."""
    about = about_places(CountEntry, ground.practice.slug, ground.places, ground.everywhere)
    columns = (
        CountEntry.municipality,
        CountEntry.id,
        CountEntry.period,
        CountEntry.first_day,
        CountEntry.last_day,
        CountEntry.counted_to,
        CountEntry.sessions,
    )
    query = counts_query(*about, moment=ground.moment).with_only_columns(*columns).order_by(CountEntry.first_day)
    found: dict[str, list[Count]] = {}
    for code, entry, *figure in db.connection().execute(query):
        found.setdefault(code, []).append(Count(entry, Figure(*figure)))
    return found


def _standing(place: Municipality, statuses: Mapping[date, StatusEntry], day: date) -> Standing:
    said = tuple((on, entry.status or "") for on, entry in statuses.items())
    active = life_of(History(place.code, place.in_register_from, place.valid_to, said), day).active
    return Standing(statuses, active, bool(active) and active[-1][1] == day.toordinal())


def named_as(ground: Ground, place: Municipality) -> dict[str, Any]:
    """How every row about `place` names it."""
    return {
        "practice": ground.practice.slug,
        "municipality": place.code,
        "municipality_name_fi": place.name_fi,
        "municipality_name_sv": place.name_sv,
        "county": place.county,
    }
