"""Which months of a year the municipalities have counted, how long after their end, and what is missing."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlmodel import Session, col

from app.clock import helsinki_day, written
from app.monitoring.coverage import Said, cover, due_on, month_of, state_of
from app.monitoring.ground import Ground, named_as, standings
from app.monitoring.models import CompletenessRow, CompletenessTotal
from app.periods import Period
from app.places.register import County, Municipality, counties
from app.releases.reading import years_kept_by_releases
from app.reports.ledger import history
from app.reports.live import about_places
from app.reports.tables import CountEntry
from app.series.arithmetic import ratio, rounded
from app.series.days import Span, clipped


def completeness_rows(db: Session, ground: Ground, *, year: int, due_day: int) -> list[CompletenessRow]:
    """A row for each municipality and month that has begun in which it is active, by code and month.

    A practice whose sessions are not counted has none.
    """
    if not ground.practice.counted:
        return []
    standing = standings(db, ground)
    kept = years_kept_by_releases(db, ground.practice.slug, on=ground.day, moment=ground.moment)
    entries = _entries(db, ground, year)
    rows = []
    for place in ground.places:
        asked_for = year not in kept.get(place.county or "", ())
        for month in _months_begun(year, ground.day):
            active = clipped(standing[place.code].active, month.first.toordinal(), month.last.toordinal())
            if active:
                due = due_on(month, due_day) if asked_for else None
                rows.append(_row(ground, place, month, active, entries.get(place.code, ()), due))
    return rows


def completeness_totals(
    rows: Iterable[CompletenessRow], *, names: Mapping[str, County], day: date
) -> list[CompletenessTotal]:
    """The sums of `rows` for each county that has any, by code; due is what should have come before `day`.

    A report that came before its time counts once it is due, so that early reporters do not make the rate look better.
    """
    due: dict[str | None, list[CompletenessRow]] = {}
    for row in rows:
        of_county = due.setdefault(row.county, [])
        if row.due_on and row.due_on < day:
            of_county.append(row)
    return [_total(names.get(code or ""), due[code]) for code in sorted(due, key=lambda code: code or "")]


def county_names(db: Session, ground: Ground) -> Mapping[str, County]:
    """By code: the counties as they are known at the moment that is read."""
    return counties(db, ground.moment)


def _entries(db: Session, ground: Ground, year: int) -> dict[str, list[CountEntry]]:
    """By code: every entry ever made about a count of the year, oldest first; periods do not cross years."""
    of_year = col(CountEntry.first_day).between(date(year, 1, 1), date(year, 12, 31))
    about = about_places(CountEntry, ground.practice.slug, ground.places, ground.everywhere)
    found: dict[str, list[CountEntry]] = {}
    for entry in history(db, CountEntry, *about, of_year, moment=ground.moment):
        found.setdefault(entry.municipality, []).append(entry)
    return found


def _months_begun(year: int, day: date) -> list[Period]:
    return [month_of(date(year, month, 1)) for month in range(1, 13) if date(year, month, 1) <= day]


def _row(
    ground: Ground,
    place: Municipality,
    month: Period,
    active: Sequence[Span],
    entries: Iterable[CountEntry],
    due: date | None,
) -> CompletenessRow:
    said = [_said(entry) for entry in entries if entry.first_day <= month.last and month.first <= entry.last_day]
    found = cover(active, said)
    # What a month under way has counted so far is not yet its report.
    reported_at = found.since if month.last < ground.day else None
    reported_on = helsinki_day(reported_at) if reported_at else None
    return CompletenessRow(
        **named_as(ground, place),
        month=month.text,
        active_days=sum(last - first + 1 for first, last in active),
        covered=found.covered,
        covered_by=found.by,
        reported_at=written(reported_at) if reported_at else None,
        days_after_end=(reported_on - month.last).days if reported_on else None,
        due_on=due,
        state=state_of(reported_on, due, ground.day),
    )


def _said(entry: CountEntry) -> Said:
    days = (entry.first_day.toordinal(), entry.counted_to.toordinal())
    return Said(entry.recorded_at, entry.period, days if entry.sessions is not None else None)


def _total(county: County | None, due: Sequence[CompletenessRow]) -> CompletenessTotal:
    reported = [row for row in due if row.state in ("on_time", "late")]
    on_time = [row for row in due if row.state == "on_time"]
    return CompletenessTotal(
        county=county.code if county else None,
        county_name_fi=county.name_fi if county else None,
        county_name_sv=county.name_sv if county else None,
        months_due=len(due),
        reported=len(reported),
        on_time=len(on_time),
        reporting_rate=rounded(ratio(len(reported), len(due)), 4),
        on_time_rate=rounded(ratio(len(on_time), len(due)), 4),
    )
