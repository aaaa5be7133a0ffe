"""A ledger as naive as can be, written from the rules alone: everything in lists, every question asked anew."""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

IN_SCOPE = ("297", "140", "588")
OUTSIDE = "091"
LAST_DAY_OF_588 = date(2024, 12, 31)
PRACTICES = ("kela", "yhdessa-aika")

Key = tuple[str, str, str, str]
"""List, practice, municipality, and period or day."""

Value = tuple[tuple[str, Any], tuple[str, Any]]
"""Sessions and through, or how precisely the day is known and the status."""


@dataclass(frozen=True)
class Entry:
    """What was recorded for one key at one moment; None of `value` says that it was withdrawn."""

    key: Key
    value: Value | None
    at: datetime


@dataclass
class Expected:
    """What the answer to a post has to say: of every row what became of it, or which rows are refused and why."""

    status_code: int
    rows: list[tuple[str, list[Key]]] = field(default_factory=list)
    refused: list[tuple[str, int]] = field(default_factory=list)
    added: list[Entry] = field(default_factory=list)
    restores: dict[Entry, Entry | None] = field(default_factory=dict)
    at: datetime | None = None


@dataclass
class Ledger:
    """All entries ever made, in their order, and the moment of the latest."""

    last: datetime
    entries: list[Entry] = field(default_factory=list)
    submissions: list[list[Entry]] = field(default_factory=list)
    """What each submission added, in its order."""
    restored: dict[Entry, Entry | None] = field(default_factory=dict)
    """Of what a retraction added: which entry it brought back, None if there had been none."""

    def in_force(self, list_name: str, at: datetime | None = None) -> dict[Key, Entry]:
        """By key, in order: the latest entry of each up to `at`, unless that one withdrew it."""
        latest = {one.key: one for one in self.entries if one.key[0] == list_name and (at is None or one.at <= at)}
        return {key: one for key, one in sorted(latest.items()) if one.value is not None}

    def next_moment(self, now: datetime) -> datetime:
        """When a submission that is sent at `now` is recorded."""
        return max(now, self.last + timedelta(microseconds=1))

    def posted(
        self, counts: Sequence[dict[str, Any]], statuses: Sequence[dict[str, Any]], *, now: datetime, skip_invalid: bool
    ) -> Expected:
        """What becomes of a submission, which is not yet recorded."""
        at = self.next_moment(now)
        today = helsinki(at)
        rows = [("counts", index, row) for index, row in enumerate(counts)]
        rows += [("statuses", index, row) for index, row in enumerate(statuses)]
        reasons = [
            invalid_count(row, today) if name == "counts" else invalid_status(row, today) for name, _, row in rows
        ]
        for one, (name, index, row) in enumerate(rows):
            if any(
                name == other_name and index != other and clash(name, row, other_row)
                for other_name, other, other_row in rows
            ):
                reasons[one].add(422)
        answer = Expected(201, at=at)
        for (name, _, row), why in zip(rows, reasons, strict=True):
            outcome, entries, gone = ("rejected", [], []) if why else self._decided(name, row, at)
            if outcome == "overlapping":
                why.add(409)
                outcome = "rejected"
            answer.rows.append((outcome, gone))
            answer.added += [one for one in entries if one not in answer.added]
        # What is superseded goes before anything is added.
        answer.added.sort(key=lambda one: one.value is not None)
        if any(reasons) and not (skip_invalid and not all(reasons)):
            gravest = min({code for why in reasons for code in why}, key=[403, 422, 409].index)
            refused = [(name, index) for (name, index, _), why in zip(rows, reasons, strict=True) if gravest in why]
            return Expected(gravest, refused=refused)
        return answer

    def put(self, list_name: str, row: dict[str, Any], *, now: datetime, if_match: Entry | bool | None) -> Expected:
        """The same for one figure; `if_match` names an entry, any (True), one of another time (False), or nothing."""
        counts, statuses = ([row], []) if list_name == "counts" else ([], [row])
        answer = self.posted(counts, statuses, now=now, skip_invalid=False)
        if answer.status_code in (403, 422):
            return answer
        standing = self.in_force(list_name).get(key_of(list_name, row))
        unchanged = answer.rows[:1] == [("unchanged", [])]
        if if_match is not None and not unchanged and not (standing and if_match in (True, standing)):
            return Expected(412)
        if answer.status_code == 201 and answer.rows[0][0] != "created":
            answer.status_code = 200
        return answer

    def deleted(self, key: Key, *, now: datetime, if_match: Entry | bool | None) -> Expected:
        """What becomes of a retraction."""
        at = self.next_moment(now)
        if unknown := place_reasons({"practice": key[1], "municipality": key[2]}):
            return Expected(min(unknown))
        standing = self.in_force(key[0]).get(key)
        if standing is None:
            return Expected(404)
        if if_match is not None and if_match not in (True, standing):
            return Expected(412)
        return Expected(200, rows=[("retracted", [])], added=[Entry(key, None, at)], at=at)

    def taken_back(self, number: int, *, now: datetime) -> Expected:
        """What becomes of the retraction of a whole submission.

        Each figure that it changed and that nobody changed since is again what it was before. What was taken back
        itself is no change.
        """
        if number > len(self.submissions):
            return Expected(404)
        at = self.next_moment(now)
        answer = Expected(201, at=at)
        for entry in self.submissions[number - 1]:
            about_it = [one for one in self.entries if one.key == entry.key]
            place = about_it.index(entry)
            former = about_it[place - 1] if place else None
            before = former.value if former else None
            if self.meant(about_it[-1]) is not self.meant(entry):
                answer.rows.append(("unchanged", []))
                continue
            came_to = "retracted" if before is None else "created" if entry.value is None else "corrected"
            answer.rows.append((came_to, []))
            answer.added.append(Entry(entry.key, before, at))
            answer.restores[answer.added[-1]] = former
        then = Ledger(at, [*self.entries, *answer.added]).in_force("counts")
        if not answer.added or any(
            one != other and one[1:3] == other[1:3] and days(one[3]) & days(other[3]) for one in then for other in then
        ):
            return Expected(409)
        return answer

    def meant(self, entry: Entry) -> Entry | None:
        """The entry that somebody posted and that `entry` brings back, or itself."""
        found: Entry | None = entry
        while found in self.restored:
            found = self.restored[found]
        return found

    def record(self, answer: Expected) -> None:
        """Make it so."""
        assert answer.at
        self.restored |= answer.restores
        self.last = answer.at
        self.entries += answer.added
        self.submissions.append(sorted(answer.added, key=lambda one: one.key[0]))

    def _decided(self, name: str, row: dict[str, Any], at: datetime) -> tuple[str, list[Entry], list[Key]]:
        """The outcome of a valid row, the entries it adds and what it supersedes."""
        key, value = key_of(name, row), value_of(name, row)
        held = self.in_force(name)
        standing = held.get(key)
        # How precisely a status is dated does not count.
        if standing and standing.value and standing.value[name == "statuses" :] == value[name == "statuses" :]:
            return "unchanged", [], []
        in_the_way = [
            other
            for other in held
            if name == "counts" and other != key and other[1:3] == key[1:3] and days(other[3]) & days(key[3])
        ]
        if in_the_way and not row.get("replace"):
            return "overlapping", [], []
        entries = [*(Entry(other, None, at) for other in in_the_way), Entry(key, value, at)]
        return "corrected" if standing else "created", entries, in_the_way


def key_of(name: str, row: dict[str, Any]) -> Key:
    """What a row is about."""
    slot = row["period"] if name == "counts" else str(day_of(row["date"]))
    return name, row["practice"], row["municipality"].removeprefix("KU"), slot


def value_of(name: str, row: dict[str, Any]) -> Value:
    """What a row says."""
    if name == "statuses":
        return ("date_precision", {4: "year", 7: "month", 10: "day"}[len(row["date"])]), ("status", row["status"])
    last = str(bounds(row["period"])[1])
    through = row.get("through")
    return ("sessions", row["sessions"]), ("through", None if through in (None, last) else through)


def invalid_count(row: dict[str, Any], today: date) -> set[int]:
    """The status codes of everything that is wrong with a count by itself."""
    reasons = place_reasons(row)
    if row["period"] < "2015":
        return reasons | {422}
    first, last = bounds(row["period"])
    through = row.get("through")
    wrong = [
        first > today,
        row["municipality"].endswith("588") and first > LAST_DAY_OF_588,
        through is None and first <= today <= last,
        through is not None and not (is_day(through) and str(first) <= through <= min(str(last), str(today))),
    ]
    return reasons | ({422} if any(wrong) else set())


def invalid_status(row: dict[str, Any], today: date) -> set[int]:
    """The status codes of everything that is wrong with a status by itself."""
    day = day_of(row["date"])
    ended = row["municipality"].endswith("588") and day > LAST_DAY_OF_588
    return place_reasons(row) | ({422} if day > today or ended else set())


def place_reasons(row: dict[str, Any]) -> set[int]:
    """403 outside the scope, 422 for a municipality or practice that is none."""
    code = row["municipality"].removeprefix("KU")
    reasons = {403} if code == OUTSIDE else set() if code in IN_SCOPE else {422}
    return reasons | (set() if row["practice"] in PRACTICES else {422})


def clash(name: str, row: dict[str, Any], other: dict[str, Any]) -> bool:
    """True if two rows of one submission speak of one day of the same municipality and practice."""
    if name == "statuses":
        return key_of(name, row) == key_of(name, other)
    one, two = key_of(name, row), key_of(name, other)
    return one[1:3] == two[1:3] and bool(days(one[3]) & days(two[3]))


def bounds(period: str) -> tuple[date, date]:
    """The first and last day of `2024`, `2024-Q1` or `2024-03`."""
    year, part = int(period[:4]), period[5:]
    months = (1, 12) if not part else (3 * int(part[1]) - 2, 3 * int(part[1])) if part[0] == "Q" else (int(part),) * 2
    return date(year, months[0], 1), date(year, months[1], monthrange(year, months[1])[1])


def days(period: str) -> set[int]:
    """Every day of a period, as a number."""
    first, last = bounds(period)
    return set(range(first.toordinal(), last.toordinal() + 1))


def day_of(text: str) -> date:
    """The day that a status begins on: `2024` and `2024-03` mean their first."""
    return date.fromisoformat(text + "-01-01"[len(text) - 10 :]) if len(text) < 10 else date.fromisoformat(text)


def is_day(text: str) -> bool:
    """True if the calendar has it."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def helsinki(moment: datetime) -> date:
    """The day in Helsinki."""
    return moment.astimezone(ZoneInfo("Europe/Helsinki")).date()


def listed(entries: Iterable[Entry]) -> list[tuple[Any, ...]]:
    """Entries as the rows of a list tell them: key, value and moment."""
    return [(*one.key[1:], *(one.value or ()), one.at) for one in entries]
