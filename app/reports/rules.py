"""Validity: what is refused, row by row, before anything is recorded."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

from app.access.scope import NotCovered, Scope
from app.errors import InvalidRequest, Problem
from app.periods import NotAPeriod, Period, Precision, day, period
from app.places.register import Municipality, municipality_code
from app.reports.models import CountIn, ListName, StatusIn
from app.reports.notes import HOLDS_IDENTITY_CODE, holds_personal_identity_code


class Overlapping(Problem):
    """A count of a period inside or around this one is recorded already; `replace` would supersede it."""

    status_code = 409
    title = "The period overlaps what is recorded"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row cannot be recorded: the kind of problem, the field, and the reason in words."""

    kind: type[Problem]
    field: str
    reason: str


@dataclass(slots=True)
class CheckedCount:
    """A count with its period and days made out; these are None if they could not be."""

    index: int
    item: CountIn
    municipality: str
    period: Period | None = None
    counted_to: date | None = None
    refusals: list[Refusal] = field(default_factory=list)
    list_name: ClassVar[ListName] = "counts"


@dataclass(slots=True)
class CheckedStatus:
    """A status with its day made out; it is None if it could not be."""

    index: int
    item: StatusIn
    municipality: str
    day: date | None = None
    precision: Precision = "day"
    refusals: list[Refusal] = field(default_factory=list)
    list_name: ClassVar[ListName] = "statuses"


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What rows are checked against: the day, the caller's scope, the practices and municipalities there are."""

    today: date
    scope: Scope
    practices: Collection[str]
    places: Mapping[str, Municipality]
    name_of_count: Callable[[int], str] = "row {}".format
    """What the caller calls the count at an index."""

    def checked_counts(self, items: Sequence[CountIn]) -> Sequence[CheckedCount]:
        """Each of `items` with all reasons to refuse it that do not depend on what is recorded."""
        rows = [self._count(index, item) for index, item in enumerate(items)]
        _refuse_nested(rows, self.name_of_count)
        return rows

    def checked_statuses(self, items: Sequence[StatusIn]) -> Sequence[CheckedStatus]:
        """Each of `items` with all reasons to refuse it."""
        rows = [self._status(index, item) for index, item in enumerate(items)]
        _refuse_twice(rows)
        return rows

    def note_refusals(self, text: str | None, field: str) -> Iterable[Refusal]:
        """A reason to refuse the words in `text`, if there is one."""
        if text is not None and holds_personal_identity_code(text):
            yield Refusal(InvalidRequest, field, HOLDS_IDENTITY_CODE)

    def place_refusals(self, code: str, practice: str) -> Iterable[Refusal]:
        """Reasons to refuse a row about a municipality and a practice, whatever it says."""
        place = self.places.get(code)
        if place is None:
            yield Refusal(InvalidRequest, "municipality", f"there is no municipality {code}")
        elif not self.scope.covers(place):
            yield Refusal(NotCovered, "municipality", f"the key does not cover {code} {place.name_fi}")
        if practice not in self.practices:
            yield Refusal(InvalidRequest, "practice", f"there is no practice {practice!r}")

    def _count(self, index: int, item: CountIn) -> CheckedCount:
        row = CheckedCount(index, item, municipality_code(item.municipality))
        row.refusals += [
            *self.place_refusals(row.municipality, item.practice),
            *self.note_refusals(item.note, "note"),
        ]
        try:
            row.period = period(item.period)
        except NotAPeriod as error:
            row.refusals.append(Refusal(InvalidRequest, "period", str(error)))
            return row
        row.counted_to = row.period.last
        row.refusals += self._period_refusals(row.period, row.municipality)
        try:
            row.counted_to = date.fromisoformat(item.through) if item.through else row.period.last
        except ValueError:
            row.refusals.append(Refusal(InvalidRequest, "through", f"{item.through} is not a day of the calendar"))
            return row
        row.refusals += self._through_refusals(row.period, item.through, row.counted_to)
        return row

    def _period_refusals(self, asked: Period, code: str) -> Iterable[Refusal]:
        if asked.first > self.today:
            reason = f"{asked.text} has not begun; today is {self.today}"
            yield Refusal(InvalidRequest, "period", reason)
        yield from self._code_ended(asked.first, code, "period")

    def _code_ended(self, begins: date, code: str, field: str) -> Iterable[Refusal]:
        place = self.places.get(code)
        if place and place.valid_to and begins > place.valid_to:
            went = f"; it went into {place.successor}" if place.successor else ""
            yield Refusal(InvalidRequest, field, f"the code {code} ended on {place.valid_to}{went}")

    def _through_refusals(self, asked: Period, through: str | None, counted_to: date) -> Iterable[Refusal]:
        if through is None:
            if asked.first <= self.today <= asked.last:
                reason = f"{asked.text} is not over; say with `through` which day was the last one counted"
                yield Refusal(InvalidRequest, "through", reason)
        elif not asked.first <= counted_to <= asked.last:
            yield Refusal(InvalidRequest, "through", f"{through} lies outside {asked.text}")
        elif counted_to > self.today:
            yield Refusal(InvalidRequest, "through", f"{through} lies in the future; today is {self.today}")

    def _status(self, index: int, item: StatusIn) -> CheckedStatus:
        row = CheckedStatus(index, item, municipality_code(item.municipality))
        row.refusals += [
            *self.place_refusals(row.municipality, item.practice),
            *self.note_refusals(item.note, "note"),
        ]
        try:
            row.day, row.precision = day(item.date)
        except NotAPeriod as error:
            row.refusals.append(Refusal(InvalidRequest, "date", str(error)))
            return row
        if row.day > self.today:
            row.refusals.append(Refusal(InvalidRequest, "date", f"{item.date} has not come; today is {self.today}"))
        row.refusals += self._code_ended(row.day, row.municipality, "date")
        return row


def _refuse_nested(rows: Sequence[CheckedCount], name: Callable[[int], str]) -> None:
    """Refuse every count whose period contains, or lies in, that of another row of the same key."""
    keyed: dict[tuple[str, str], list[CheckedCount]] = {}
    for row in rows:
        if row.period:
            keyed.setdefault((row.item.practice, row.municipality), []).append(row)
    for together in keyed.values():
        # In order of first day, longest first, a period that overlaps any before it overlaps the widest open one.
        widest: CheckedCount | None = None
        for row in sorted(together, key=_first_day_longest_first):
            assert row.period
            if widest is None or not (widest.period and widest.period.contains(row.period)):
                widest = row
                continue
            _refuse_beside(row, widest, name)
            if not any(refusal.reason.startswith(_BESIDE) for refusal in widest.refusals):
                _refuse_beside(widest, row, name)


_BESIDE = "this submission also has"


def _first_day_longest_first(row: CheckedCount) -> tuple[date, int]:
    assert row.period
    return row.period.first, -row.period.last.toordinal()


def _refuse_beside(row: CheckedCount, other: CheckedCount, name: Callable[[int], str]) -> None:
    reason = f"{_BESIDE} {other.item.period} in {name(other.index)}; one day may be counted once"
    row.refusals.append(Refusal(InvalidRequest, "period", reason))


def _refuse_twice(rows: Sequence[CheckedStatus]) -> None:
    """Refuse every status whose day stands in another row of the same municipality and practice."""
    days = Counter((row.item.practice, row.municipality, row.day) for row in rows)
    for row in rows:
        if row.day and days[row.item.practice, row.municipality, row.day] > 1:
            reason = f"this submission has {row.day} of {row.municipality} more than once; one status a day"
            row.refusals.append(Refusal(InvalidRequest, "date", reason))
