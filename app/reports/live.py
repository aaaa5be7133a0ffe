"""What the live trend is counted from: the histories of municipalities as of a moment, in two statements."""

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import ColumnElement
from sqlmodel import Session, col

from app.places.register import Municipality
from app.reports.ledger import counts_query, statuses_query
from app.reports.tables import CountEntry, StatusEntry
from app.series.facts import Count, History


def histories(
    db: Session, practice: str, places: Collection[Municipality], *, moment: datetime | None, everywhere: bool
) -> list[History]:
    """One history for each of `places`, in their order, also where nothing is recorded; None of `moment` is now.

    `everywhere` says that `places` are all there are, so that the statements need no list of codes.
    """
    counts: dict[str, list[Count]] = {}
    found = counts_query(*about_places(CountEntry, practice, places, everywhere), moment=moment)
    found = found.with_only_columns(
        CountEntry.municipality,
        CountEntry.first_day,
        CountEntry.counted_to,
        CountEntry.sessions,
        CountEntry.organisation_id,
    )
    for code, *count in db.connection().execute(found):
        counts.setdefault(code, []).append(Count(*count))
    statuses: dict[str, list[tuple[date, str]]] = {}
    found = statuses_query(*about_places(StatusEntry, practice, places, everywhere), moment=moment)
    columns = (StatusEntry.municipality, StatusEntry.day, StatusEntry.status)
    for code, day, status in db.connection().execute(found.with_only_columns(*columns).order_by(StatusEntry.day)):
        statuses.setdefault(code, []).append((day, status))
    return [
        History(
            place.code,
            place.in_register_from,
            place.valid_to,
            tuple(statuses.get(place.code, ())),
            tuple(counts.get(place.code, ())),
        )
        for place in places
    ]


def about_places(
    table: type[CountEntry | StatusEntry], practice: str, places: Collection[Municipality], everywhere: bool
) -> list[ColumnElement[bool]]:
    """The conditions for entries about a practice and `places`; no list of codes if these are `everywhere`."""
    conditions = [col(table.practice) == practice]
    if not everywhere:
        conditions.append(col(table.municipality).in_([place.code for place in places]))
    return conditions
