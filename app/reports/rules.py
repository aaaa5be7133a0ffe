"""Validity: what is refused, row by row, before anything is recorded."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from app.access.scope import NotCovered, Scope
from app.errors import InvalidRequest, Problem
from app.periods import NotAPeriod, Period, Precision, day, period
from app.places.register import Municipality, municipality_code
from app.reports.models import ListName
from app.reports.notes import HOLDS_IDENTITY_CODE, holds_personal_identity_code
from app.reports.sent import AnyCount, AnyStatus


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
    practice: str
    municipality: str
    sessions: int
    replace: bool
    note: str | None
    refusals: Sequence[Refusal]
    period: Period | None = None
    counted_to: date | None = None
    list_name: ClassVar[ListName] = "counts"


@dataclass(slots=True)
class CheckedStatus:
    """A status with its day made out; it is None if it could not be."""

    index: int
    practice: str
    municipality: str
    status: str
    note: str | None
    refusals: Sequence[Refusal]
    day: date | None = None
    precision: Precision = "day"
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

    def checked_counts(self, items: Sequence[AnyCount]) -> Sequence[CheckedCount]:
        """Each of `items` with all reasons to refuse it that do not depend on what is recorded."""
        about: dict[tuple[str, str], Sequence[Refusal]] = {}
        rows = []
        # All numbers first: they outlive the rows, which could not be given back to the system with them in between.
        for index, item in zip(list(range(len(items))), items, strict=True):
            code = municipality_code(item.municipality)
            if (code, item.practice) not in about:
                about[code, item.practice] = self.place_refusals(code, item.practice)
            refusals = about[code, item.practice]
            if item.note is not None:
                refusals = [*refusals, *self.note_refusals(item.note, "note")]
            row = CheckedCount(index, item.practice, code, item.sessions, item.replace, item.note, refusals)
            self._make_out_days(row, item)
            rows.append(row)
        _refuse_nested(rows, self.name_of_count)
        return rows

    def checked_statuses(self, items: Sequence[AnyStatus]) -> Sequence[CheckedStatus]:
        """Each of `items` with all reasons to refuse it."""
        rows = [self._status(index, item) for index, item in enumerate(items)]
        _refuse_twice(rows)
        return rows

    def note_refusals(self, text: str, field: str) -> Sequence[Refusal]:
        """A reason to refuse the words in `text`, if there is one."""
        return [Refusal(InvalidRequest, field, HOLDS_IDENTITY_CODE)] if holds_personal_identity_code(text) else []

    def place_refusals(self, code: str, practice: str) -> Sequence[Refusal]:
        """Reasons to refuse a row about a municipality and a practice, whatever it says."""
        refusals = []
        place = self.places.get(code)
        if place is None:
            refusals.append(Refusal(InvalidRequest, "municipality", f"there is no municipality {code}"))
        elif not self.scope.covers(place):
            refusals.append(Refusal(NotCovered, "municipality", f"the key does not cover {code} {place.name_fi}"))
        if practice not in self.practices:
            refusals.append(Refusal(InvalidRequest, "practice", f"there is no practice {practice!r}"))
        return refusals

    def _make_out_days(self, row: CheckedCount, item: AnyCount) -> None:
        """Set the period and the last day counted, and refuse those that cannot be."""
        try:
            row.period = asked = period(item.period)
        except NotAPeriod as error:
            row.refusals = [*row.refusals, Refusal(InvalidRequest, "period", str(error))]
            return
        row.counted_to = asked.last
        if item.through is None:
            if self.today > asked.last and not self._code_ended(asked.first, row.municipality):
                return  # As most are.
        else:
            try:
                row.counted_to = date.fromisoformat(item.through)
            except ValueError:
                reason = f"{item.through} is not a day of the calendar"
                row.refusals = [*row.refusals, *self._period_refusals(asked, row.municipality)]
                row.refusals += [Refusal(InvalidRequest, "through", reason)]
                return
        row.refusals = [
            *row.refusals,
            *self._period_refusals(asked, row.municipality),
            *self._through_refusals(asked, item.through, row.counted_to),
        ]

    def _period_refusals(self, asked: Period, code: str) -> Iterable[Refusal]:
        if asked.first > self.today:
            reason = f"{asked.text} has not begun; today is {self.today}"
            yield Refusal(InvalidRequest, "period", reason)
        if reason := self._code_ended(asked.first, code):
            yield Refusal(InvalidRequest, "period", reason)

    def _code_ended(self, begins: date, code: str) -> str:
        """In words that the code ended before the day `begins`; nothing if it did not."""
        place = self.places.get(code)
        if place is None or place.valid_to is None or begins <= place.valid_to:
            return ""
        went = f"; it went into {place.successor}" if place.successor else ""
        return f"the code {code} ended on {place.valid_to}{went}"

    def _through_refusals(self, asked: Period, through: str | None, counted_to: date) -> Iterable[Refusal]:
        if through is None:
            if asked.first <= self.today <= asked.last:
                reason = f"{asked.text} is not over; say with `through` which day was the last one counted"
                yield Refusal(InvalidRequest, "through", reason)
        elif not asked.first <= counted_to <= asked.last:
            yield Refusal(InvalidRequest, "through", f"{through} lies outside {asked.text}")
        elif counted_to > self.today:
            yield Refusal(InvalidRequest, "through", f"{through} lies in the future; today is {self.today}")

    def _status(self, index: int, item: AnyStatus) -> CheckedStatus:
        code = municipality_code(item.municipality)
        refusals = [*self.place_refusals(code, item.practice)]
        if item.note is not None:
            refusals += self.note_refusals(item.note, "note")
        row = CheckedStatus(index, item.practice, code, item.status, item.note, refusals)
        try:
            row.day, row.precision = day(item.date)
        except NotAPeriod as error:
            refusals.append(Refusal(InvalidRequest, "date", str(error)))
            return row
        if row.day > self.today:
            refusals.append(Refusal(InvalidRequest, "date", f"{item.date} has not come; today is {self.today}"))
        if reason := self._code_ended(row.day, row.municipality):
            refusals.append(Refusal(InvalidRequest, "date", reason))
        return row


def _refuse_nested(rows: Sequence[CheckedCount], name: Callable[[int], str]) -> None:
    """Refuse every count whose period contains, or lies in, that of another row of the same key."""
    keyed: dict[tuple[str, str], list[CheckedCount]] = {}
    for row in rows:
        if row.period:
            keyed.setdefault((row.practice, row.municipality), []).append(row)
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
    assert other.period
    reason = f"{_BESIDE} {other.period.text} in {name(other.index)}; one day may be counted once"
    row.refusals = [*row.refusals, Refusal(InvalidRequest, "period", reason)]


def _refuse_twice(rows: Sequence[CheckedStatus]) -> None:
    """Refuse every status whose day stands in another row of the same municipality and practice."""
    days = Counter((row.practice, row.municipality, row.day) for row in rows)
    for row in rows:
        if row.day and days[row.practice, row.municipality, row.day] > 1:
            reason = f"this submission has {row.day} of {row.municipality} more than once; one status a day"
            row.refusals = [*row.refusals, Refusal(InvalidRequest, "date", reason)]
