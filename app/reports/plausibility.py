"""Plausibility: what is recorded all the same, but said to the caller as a warning."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.places.register import Municipality
from app.practices.models import PracticePublic
from app.reports.doubts import Doubt, Figure, Figures, doubts
from app.reports.models import PlausibilityWarning
from app.reports.tables import CountEntry, StatusEntry

ACTIVE = ("pilot", "in_use")
JUMP = 10
"""How many times as many sessions as before are doubted."""

_RANK = {"planned": 0, "pilot": 1, "in_use": 2}


@dataclass(frozen=True, slots=True)
class Background:
    """What a figure is held against: its practice, its municipality, and the years kept by the county's release."""

    practice: PracticePublic
    place: Municipality
    released_years: Collection[int]


def count_warnings(
    entry: CountEntry,
    background: Background,
    *,
    counts: Mapping[str, CountEntry],
    corrects: CountEntry | None,
    statuses: Mapping[date, StatusEntry],
) -> list[PlausibilityWarning]:
    """What is odd about `entry`, which `corrects` another or none.

    `counts` and `statuses` are those in force of its municipality and practice once it is recorded.
    """
    warnings = [*_released(entry.first_day.year, background), *_not_counted(background)]
    if inactive := no_active_status(background.place, figure_of(entry), statuses):
        warnings.append(PlausibilityWarning(code=inactive.code, detail=inactive.detail))
    for before in _compared_with(entry, counts, corrects):
        if before.sessions and entry.sessions is not None and entry.sessions >= JUMP * before.sessions:
            detail = f"{entry.sessions} sessions are {JUMP} times those of {before.period} or more"
            warnings.append(PlausibilityWarning(code="tenfold_jump", detail=detail))
            break
    return warnings


def figure_warnings(
    entry: CountEntry, own: Figures, *, statuses: Mapping[date, StatusEntry]
) -> list[PlausibilityWarning]:
    """What is odd about `entry` beside its municipality's `own` figures, of which it is one."""
    dated = sorted((day, status.status or "") for day, status in statuses.items())
    return [PlausibilityWarning(code=doubt.code, detail=doubt.detail) for doubt in doubts(figure_of(entry), own, dated)]


def status_warnings(
    entry: StatusEntry, background: Background, *, statuses: Mapping[date, StatusEntry]
) -> list[PlausibilityWarning]:
    """What is odd about `entry`, given the other `statuses` in force of its municipality and practice."""
    warnings = _released(entry.day.year, background)
    earlier = [day for day in statuses if day < entry.day]
    before = statuses[max(earlier)].status if earlier else None
    if before in _RANK and entry.status in _RANK and _RANK[entry.status] < _RANK[before]:
        detail = f"{entry.status} follows {before}; a practice that stops is paused or ended"
        warnings.append(PlausibilityWarning(code="status_goes_backwards", detail=detail))
    return warnings


def no_active_status(place: Municipality, figure: Figure, statuses: Mapping[date, StatusEntry]) -> Doubt | None:
    """The doubt that the municipality is active on no day that `figure` counts, None if it is on some."""
    if _active_between(figure.first, figure.counted_to, place, statuses):
        return None
    detail = f"{place.code} has no status pilot or in_use on any day counted in {figure.period}"
    return Doubt("no_active_status", detail)


def figure_of(entry: CountEntry) -> Figure:
    """What `entry`, which withdraws nothing, states."""
    assert entry.sessions is not None
    return Figure(entry.period, entry.first_day, entry.last_day, entry.counted_to, entry.sessions)


def _released(year: int, background: Background) -> list[PlausibilityWarning]:
    if year not in background.released_years:
        return []
    detail = f"{year} stays with the county's release until the county sets an earlier live_from; stored, not shown"
    return [PlausibilityWarning(code="stays_with_release", detail=detail)]


def _not_counted(background: Background) -> list[PlausibilityWarning]:
    if background.practice.counted:
        return []
    detail = f"sessions of {background.practice.slug} are not counted by its definition"
    return [PlausibilityWarning(code="practice_not_counted", detail=detail)]


def _compared_with(
    entry: CountEntry, counts: Mapping[str, CountEntry], corrects: CountEntry | None
) -> Sequence[CountEntry]:
    """What `entry` corrects, if anything, and the latest count before it, not older than the year before, as long."""
    since = date(entry.first_day.year - 1, 1, 1)
    before = [other for other in counts.values() if since <= other.first_day and other.last_day < entry.first_day]
    earlier = [other for other in before if _kind(other) == _kind(entry)]
    latest = max(earlier, key=lambda other: other.last_day, default=None)
    return [other for other in (corrects, latest) if other]


def _kind(entry: CountEntry) -> tuple[int, bool]:
    """Equal for two years, two quarters and two months."""
    return len(entry.period), "Q" in entry.period


def _active_between(first: date, last: date, place: Municipality, statuses: Mapping[date, StatusEntry]) -> bool:
    """True if the municipality is active, and in the register, on some day from `first` to `last`."""
    before = max((day for day in statuses if day <= first), default=None)
    in_force = [(first, statuses[before].status)] if before else []
    in_force += [(day, entry.status) for day, entry in statuses.items() if first < day <= last]
    return any(status in ACTIVE and place.in_register(day) for day, status in in_force)
