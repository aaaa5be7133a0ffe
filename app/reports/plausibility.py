"""Plausibility: what is recorded all the same, but said to the caller as a warning."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import NamedTuple

from app.places.register import Municipality
from app.practices.models import PracticePublic
from app.reports.doubts import Doubt, Figure, Figures, ReceiptCode, doubts
from app.reports.entries import AnyEntry, PlainCount, PlainStatus

ACTIVE = ("pilot", "in_use")
JUMP = 10
"""How many times as many sessions as before are doubted."""

_LAST_OF_DAY = "\uffff"
_RANK = {"planned": 0, "pilot": 1, "in_use": 2}


class Warned(NamedTuple):
    """Something implausible that is recorded all the same: a code, and the reason in words."""

    code: ReceiptCode
    detail: str


class Background:
    """What is held against the figures of one municipality and practice, once a submission is recorded."""

    def __init__(
        self,
        practice: PracticePublic,
        place: Municipality,
        released_years: Collection[int],
        figures: Figures,
        statuses: Iterable[PlainStatus],
    ) -> None:
        self.about_practice = _not_counted(practice)
        self.place = place
        self.released_years = released_years
        self.statuses = sorted((status.day, status.status or "") for status in statuses)
        self.figures = figures
        self.active_from, self.active_to = _surely_active(place, self.statuses)


def count_warnings(entry: PlainCount, background: Background, *, corrects: AnyEntry | None) -> list[Warned]:
    """What is odd about `entry`, which `corrects` another or none."""
    figure = background.figures.of_period[entry.period]
    warnings = [*_released(figure.first.year, background), *background.about_practice]
    surely_active = background.active_from <= figure.first <= background.active_to
    if not surely_active and (inactive := no_active_status(background.place, figure, background.statuses)):
        warnings.append(Warned(inactive.code, inactive.detail))
    if figure.sessions >= JUMP and (detail := _jump(figure, background.figures.like(figure).before(figure), corrects)):
        warnings.append(Warned("tenfold_jump", detail))
    for doubt in doubts(figure, background.figures, background.statuses):
        warnings.append(Warned(doubt.code, doubt.detail))
    return warnings


def status_warnings(entry: PlainStatus, background: Background) -> list[Warned]:
    """What is odd about `entry`."""
    warnings = [*_released(entry.day.year, background)]
    earlier = bisect_left(background.statuses, (entry.day, ""))
    before = background.statuses[earlier - 1][1] if earlier else None
    if before in _RANK and entry.status in _RANK and _RANK[entry.status] < _RANK[before]:
        detail = f"{entry.status} follows {before}; a practice that stops is paused or ended"
        warnings.append(Warned("status_goes_backwards", detail))
    return warnings


def no_active_status(place: Municipality, figure: Figure, statuses: Sequence[tuple[date, str]]) -> Doubt | None:
    """The doubt that the municipality is active on no day that `figure` counts; `statuses` ascend by day."""
    if _active_between(figure.first, figure.counted_to, place, statuses):
        return None
    detail = f"{place.code} has no status pilot or in_use on any day counted in {figure.period}"
    return Doubt("no_active_status", detail)


def figure_of(entry: PlainCount) -> Figure:
    """What `entry`, which withdraws nothing, states."""
    assert entry.sessions is not None
    return Figure(entry.period, entry.first_day, entry.last_day, entry.counted_to, entry.sessions)


def _released(year: int, background: Background) -> Sequence[Warned]:
    if year not in background.released_years:
        return ()
    detail = f"{year} stays with the county's release until the county sets an earlier live_from; stored, not shown"
    return [Warned("stays_with_release", detail)]


def _not_counted(practice: PracticePublic) -> list[Warned]:
    if practice.counted:
        return []
    return [Warned("practice_not_counted", f"sessions of {practice.slug} are not counted by its definition")]


def _jump(figure: Figure, before: Figure | None, corrects: AnyEntry | None) -> str | None:
    """In words: that `figure` has many times the sessions of what it `corrects`, or of the figure `before` it."""
    for other in (corrects, before):
        if isinstance(other, PlainCount | Figure) and other.sessions and figure.sessions >= JUMP * other.sessions:
            return f"{figure.sessions} sessions are {JUMP} times those of {other.period} or more"
    return None


def _surely_active(place: Municipality, statuses: Sequence[tuple[date, str]]) -> tuple[date, date]:
    """From which day to which a figure may begin for the municipality to be active on its first day, without a break
    up to now; there may be other such days. Never is from the last day of all to the first.
    """
    since = date.max
    for day, status in reversed(statuses):
        if status not in ACTIVE:
            break
        since = day
    return (since, place.valid_to or date.max) if place.in_register(since) else (date.max, date.min)


def _active_between(first: date, last: date, place: Municipality, statuses: Sequence[tuple[date, str]]) -> bool:
    """True if the municipality is active, and in the register, on some day from `first` to `last`."""
    before = bisect_right(statuses, (first, _LAST_OF_DAY)) - 1
    for day, status in statuses[max(before, 0) :]:
        if day > last:
            return False
        if status in ACTIVE and place.in_register(max(day, first)):
            return True
    return False
