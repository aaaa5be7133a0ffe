"""What a key should post next: months that are over and not counted, and statuses that nobody has confirmed."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from sqlmodel import Session

from app.monitoring.coverage import due_on, month_of
from app.monitoring.ground import Count, Ground, Standing, counts, named_as, standings
from app.monitoring.models import DueRow
from app.monitoring.signs import confirm_by
from app.periods import FIRST_YEAR, Period
from app.places.register import Municipality
from app.releases.reading import years_kept_by_releases
from app.series.days import clipped, first_missing, merged

MONTHS_BACK = 24
"""What is older is left to `GET /v1/completeness`: it is no longer what to post next, and the answer stays short."""


def due_rows(db: Session, ground: Ground, *, due_day: int) -> list[DueRow]:
    """What is to be posted about the municipalities, oldest first.

    Sessions of each of the last `MONTHS_BACK` months that are over in which a municipality is active and not all
    active days are counted, but none of a year that stays with the county's release, nor of a practice that does not
    count them; and the status of whoever is active without a count or status of the last twelve months.
    """
    standing, counted = standings(db, ground), counts(db, ground)
    kept = years_kept_by_releases(db, ground.practice.slug, on=ground.day, moment=ground.moment)
    rows: list[DueRow] = []
    for place in ground.places:
        own = counted.get(place.code, [])
        if ground.practice.counted:
            asked_for = [
                month for month in last_months(ground.day) if month.first.year not in kept.get(place.county or "", ())
            ]
            missing = _missing(asked_for, standing[place.code], own)
            rows += [_row(ground, place, month, due_on(month, due_day)) for month in missing]
        by = confirm_by(standing[place.code], own)
        if by and by < ground.day:
            rows.append(_row(ground, place, None, by))
    return sorted(rows, key=lambda row: (row.due_on, row.municipality, row.what))


def last_months(day: date) -> Sequence[Period]:
    """The last `MONTHS_BACK` months that are over on the day, ascending."""
    months = [month_of(day)]
    while len(months) <= MONTHS_BACK and months[0].first > date(FIRST_YEAR, 1, 1):
        months.insert(0, month_of(months[0].first - timedelta(days=1)))
    return months[:-1]


def _missing(months: Sequence[Period], standing: Standing, own: Sequence[Count]) -> Iterator[Period]:
    """Those of `months` in which not all active days are counted."""
    counted = merged((one.figure.first.toordinal(), one.figure.counted_to.toordinal()) for one in own)
    for month in months:
        active = clipped(standing.active, month.first.toordinal(), month.last.toordinal())
        if first_missing(active, counted) is not None:
            yield month


def _row(ground: Ground, place: Municipality, month: Period | None, due: date) -> DueRow:
    overdue = max((ground.day - due).days, 0)
    return DueRow(
        **named_as(ground, place),
        what="sessions" if month else "status",
        month=month.text if month else None,
        due_on=due,
        overdue=overdue > 0,
        days_overdue=overdue,
    )
