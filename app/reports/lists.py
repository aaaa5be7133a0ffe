"""Lists of the counts and statuses in force: who is asked about, which page, and the rows that go out."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, tuple_
from sqlmodel import Session, col, select

from app.access.scope import COUNTRY, Caller
from app.clock import AsOf, written
from app.database import LastWrite
from app.errors import parameter_problem
from app.places.register import (
    Municipality,
    county_named,
    municipalities,
    municipalities_named,
    municipality_code,
)
from app.practices.definitions import practice_asked
from app.reports.ledger import Entry, counts_in_force, statuses_in_force, through
from app.reports.models import CountPublic, StatusPublic
from app.reports.submissions import organisation_names
from app.reports.tables import CountEntry, StatusEntry

Slot = tuple[str, str, str]
"""Practice, municipality, and period or day: what a row is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which figures are asked for; None and empty ask for all. `current` shows merged municipalities as successors."""

    practice: str | None
    county: str | None
    municipalities: Sequence[str]
    current: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A municipality, and the one that its rows are shown under."""

    place: Municipality
    under: Municipality


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list is asked for: by code each municipality, the moment that is read, and the conditions for entries.

    If there is a slot in `after`, only what stands behind it.
    """

    shown: Mapping[str, Shown]
    moment: datetime
    conditions: Sequence[ColumnElement[bool]]
    after: Slot | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ends: the moment that all pages read, and what its last row is about."""

    moment: datetime
    after: Slot


def cursor_text(cursor: Cursor) -> str:
    """`cursor` as one opaque word for a URL."""
    content = json.dumps([written(cursor.moment), *cursor.after]).encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def cursor_of(text: str) -> Cursor:
    """The cursor that `text` spells.

    Raises:
        InvalidParameter: no answer of ours gave it.
    """
    try:
        content = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        moment, practice, municipality, slot = (str(part) for part in content)
        at = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        words = practice + municipality + slot
        if words.isascii() and words.isprintable():
            return Cursor(at, (practice, municipality, slot))
    except (ValueError, TypeError, RecursionError):
        pass
    detail = "is not a cursor; take it from `next` of the page before, with the same filters"
    raise parameter_problem("cursor", detail)


def counts_asked(
    db: Session,
    filters: Filters,
    *,
    reader: Caller,
    as_of: AsOf,
    first_day: date | None,
    last_day: date | None,
    cursor: Cursor | None,
) -> Asked:
    """What is asked for of the counts of periods that lie within `first_day` and `last_day`, where these are given.

    Raises:
        NotCovered: a filter reaches outside the key's scope.
        InvalidParameter: a filter names what there is not.
    """
    shown = _covered(_shown(db, filters, as_of), filters, reader)
    conditions = _about(CountEntry, filters, shown, COUNTRY in reader.scope.areas)
    if first_day is not None:
        conditions.append(col(CountEntry.first_day) >= first_day)
    if last_day is not None:
        conditions.append(col(CountEntry.last_day) <= last_day)
    return Asked(shown, _moment(db, as_of, cursor), conditions, cursor.after if cursor else None)


def statuses_asked(db: Session, filters: Filters, *, as_of: AsOf, cursor: Cursor | None) -> Asked:
    """What is asked for of the statuses.

    Raises:
        InvalidParameter: a filter names what there is not.
    """
    shown = _shown(db, filters, as_of)
    conditions = _about(StatusEntry, filters, shown, True)
    return Asked(shown, _moment(db, as_of, cursor), conditions, cursor.after if cursor else None)


def page_of_counts(db: Session, asked: Asked, *, limit: int) -> tuple[list[CountPublic], Cursor | None]:
    """At most `limit` counts, and where the next page begins."""
    conditions = list(asked.conditions)
    if asked.after:
        key = tuple_(col(CountEntry.practice), col(CountEntry.municipality), col(CountEntry.period))
        conditions.append(key > asked.after)
    entries = counts_in_force(db, *conditions, moment=asked.moment, limit=limit + 1)
    names = organisation_names(db, (entry.organisation_id for entry in entries))
    rows = [
        count_public(entry, asked.shown[entry.municipality], organisation=names[entry.organisation_id])
        for entry in entries[:limit]
    ]
    return rows, _next(asked.moment, [(entry.practice, entry.municipality, entry.period) for entry in entries], limit)


def page_of_statuses(
    db: Session, asked: Asked, *, on: date | None, limit: int | None
) -> tuple[list[StatusPublic], Cursor | None]:
    """At most `limit` statuses (None: all), and where the next page begins.

    With `on` those in force on that day: one for each practice and municipality that is in the register then.
    """
    if on is not None:
        until = statuses_in_force(db, *asked.conditions, col(StatusEntry.day) <= on, moment=asked.moment)
        entries = _in_force_on(on, until, asked.shown)
        entries = [entry for entry in entries if not asked.after or _status_slot(entry) > asked.after]
    else:
        conditions = list(asked.conditions)
        if asked.after:
            key = tuple_(col(StatusEntry.practice), col(StatusEntry.municipality), col(StatusEntry.day))
            conditions.append(key > status_key(asked.after))
        entries = list(statuses_in_force(db, *conditions, moment=asked.moment, limit=_one_more(limit)))
    rows = [status_public(entry, asked.shown[entry.municipality]) for entry in entries[:limit]]
    return rows, _next(asked.moment, [_status_slot(entry) for entry in entries], limit)


def status_key(slot: Slot) -> tuple[str, str, date]:
    """The key of the status at `slot`; a day that there is not, as in the cursor of another list, is the first."""
    practice, municipality, day = slot
    try:
        return practice, municipality, date.fromisoformat(day)
    except ValueError:
        return practice, municipality, date.min


def count_public(entry: CountEntry, shown: Shown, *, organisation: str) -> CountPublic:
    """`entry`, which is in force, as it goes out to a key holder."""
    said = {
        "period": entry.period,
        "first_day": entry.first_day,
        "last_day": entry.last_day,
        "through": through(entry),
        "sessions": entry.sessions,
        "organisation": organisation,
    }
    return CountPublic.model_validate(_common(entry, shown) | said)


def status_public(entry: StatusEntry, shown: Shown) -> StatusPublic:
    """`entry`, which is in force, as it goes out to everyone."""
    said = {"date": entry.day, "date_precision": entry.date_precision, "status": entry.status}
    return StatusPublic.model_validate(_common(entry, shown) | said)


def _common(entry: Entry, shown: Shown) -> dict[str, Any]:
    return {
        "entry": entry.id,
        "recorded_at": written(entry.recorded_at),
        "practice": entry.practice,
        "municipality": shown.under.code,
        "municipality_name_fi": shown.under.name_fi,
        "municipality_name_sv": shown.under.name_sv,
        "reported_as": entry.municipality,
        "county": shown.under.county,
    }


def _shown(db: Session, filters: Filters, as_of: AsOf) -> dict[str, Shown]:
    """By its own code: every municipality that the filters ask for, with the one it is shown under."""
    if filters.practice is not None:
        practice_asked(db, filters.practice, as_of.moment)
    if filters.county is not None:
        county_named(db, filters.county, as_of.moment)
    asked = municipalities_named(db, filters.municipalities, as_of.moment)
    known = municipalities(db, as_of.moment)
    shown = {
        code: Shown(place, _present(place, known, as_of.day) if filters.current else place)
        for code, place in known.items()
    }
    return {
        code: one
        for code, one in shown.items()
        if (not asked or code in asked or one.under.code in asked)
        and (filters.county is None or one.under.county == filters.county)
    }


def _present(place: Municipality, known: Mapping[str, Municipality], on: date) -> Municipality:
    """The municipality that `place` is part of on the day `on`."""
    while place.valid_to and place.valid_to < on and place.successor and place.successor in known:
        place = known[place.successor]
    return place


def _covered(shown: Mapping[str, Shown], filters: Filters, reader: Caller) -> dict[str, Shown]:
    """Those of `shown` in the key's scope; all of them must be if a filter names a municipality or county."""
    covered = {code: one for code, one in shown.items() if reader.scope.covers(one.place)}
    asked = {municipality_code(text) for text in filters.municipalities}
    wanted = {code for code in shown if code in asked} if asked else set(shown) if filters.county else set()
    reader.scope.require(shown[code].place for code in wanted)
    return covered


def _about(
    table: type[Entry], filters: Filters, shown: Mapping[str, Shown], everywhere: bool
) -> list[ColumnElement[bool]]:
    """The conditions for entries that the filters ask for; no list of codes if it would hold every one."""
    conditions: list[ColumnElement[bool]] = []
    if filters.county or filters.municipalities or not everywhere:
        conditions.append(col(table.municipality).in_(shown))
    if filters.practice is not None:
        conditions.append(col(table.practice) == filters.practice)
    return conditions


def _in_force_on(on: date, entries: Sequence[StatusEntry], shown: Mapping[str, Shown]) -> list[StatusEntry]:
    """Of `entries`, sorted by practice, code and day, the last of each whose code is in the register on that day."""
    last = {(entry.practice, entry.municipality): entry for entry in entries}
    return [entry for entry in last.values() if shown[entry.municipality].place.in_register(on)]


def _status_slot(entry: StatusEntry) -> Slot:
    return entry.practice, entry.municipality, entry.day.isoformat()


def _moment(db: Session, as_of: AsOf, cursor: Cursor | None) -> datetime:
    """The moment that all pages read: of the cursor, or as of then, or of the latest write."""
    if cursor:
        return cursor.moment
    # Not as an object, which takes twice the time.
    return as_of.moment or db.exec(select(LastWrite.recorded_at)).one()


def _one_more(limit: int | None) -> int | None:
    return None if limit is None else limit + 1


def _next(moment: datetime, slots: Sequence[Slot], limit: int | None) -> Cursor | None:
    return Cursor(moment, slots[limit - 1]) if limit is not None and len(slots) > limit else None
