"""Whether a month is counted, by what and since when, against looking at every day and every moment."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, strategies as st

from app.monitoring.coverage import Cover, Said, cover, due_on, month_of, state_of

MARCH = month_of(date(2023, 3, 1))
NOON = datetime(2023, 4, 5, 9, 0, tzinfo=UTC)
WHOLE = ((date(2023, 3, 1).toordinal(), date(2023, 3, 31).toordinal()),)


def said(at: datetime, text: str = "2023-03", *, to: date | None = MARCH.last) -> Said:
    """A count of a period from its first day to `to`; None withdraws it."""
    first = {"2023": date(2023, 1, 1), "2023-Q1": date(2023, 1, 1)}.get(text, MARCH.first)
    return Said(at, text, (first.toordinal(), to.toordinal()) if to else None)


def hours(number: int) -> datetime:
    return NOON + timedelta(hours=number)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], Cover("no", None, None)),
        ([said(NOON)], Cover("whole", "2023-03", NOON)),
        ([said(NOON, "2023-Q1")], Cover("whole", "2023-Q1", NOON)),
        ([said(NOON, "2023", to=date(2023, 12, 31))], Cover("whole", "2023", NOON)),
        ([said(NOON, to=date(2023, 3, 30))], Cover("partly", "2023-03", None)),
        ([said(NOON, "2023", to=date(2023, 2, 28))], Cover("no", None, None)),
        ([said(NOON, to=date(2023, 3, 30)), said(hours(24))], Cover("whole", "2023-03", hours(24))),
        ([said(NOON), said(hours(99))], Cover("whole", "2023-03", NOON)),
        ([said(NOON), said(hours(99), to=None)], Cover("no", None, None)),
        ([said(NOON), said(hours(99), to=None), said(hours(999))], Cover("whole", "2023-03", hours(999))),
        ([said(NOON), said(hours(99), to=date(2023, 3, 5))], Cover("partly", "2023-03", None)),
    ],
)
def test_a_month_is_covered_since_all_its_active_days_are_counted_without_a_break(
    words: list[Said], found: Cover
) -> None:
    assert cover(WHOLE, words) == found


def test_a_count_in_place_of_another_breaks_nothing() -> None:
    replaced = [said(NOON), said(hours(99), to=None), said(hours(99), "2023-Q1")]

    assert cover(WHOLE, replaced) == Cover("whole", "2023-Q1", NOON)


def test_withdrawn_and_posted_again_on_one_day_in_helsinki_breaks_nothing() -> None:
    # 20.59 UTC is the last hour of the day in Helsinki, 21.00 the first of the next one.
    last_hour, midnight = datetime(2023, 4, 9, 20, 59, tzinfo=UTC), datetime(2023, 4, 9, 21, 0, tzinfo=UTC)

    same_day = cover(WHOLE, [said(NOON), said(hours(99), to=None), said(last_hour)])
    next_day = cover(WHOLE, [said(NOON), said(hours(99), to=None), said(midnight)])

    assert hours(99) == datetime(2023, 4, 9, 12, 0, tzinfo=UTC)
    assert (same_day.since, next_day.since) == (NOON, midnight)


def test_only_active_days_have_to_be_counted() -> None:
    middle = [(date(2023, 3, 10).toordinal(), date(2023, 3, 20).toordinal())]

    assert cover(middle, [said(NOON, to=date(2023, 3, 20))]).covered == "whole"
    assert cover(middle, [said(NOON, to=date(2023, 3, 19))]).covered == "partly"
    assert cover(middle, [said(NOON, to=date(2023, 3, 9))]) == Cover("no", None, None)


@st.composite
def words_of_one_period(draw: st.DrawFn) -> list[Said]:
    """A count that is posted, corrected and withdrawn at growing moments."""
    at, words = NOON, []
    for _ in range(draw(st.integers(0, 8))):
        at += timedelta(hours=draw(st.sampled_from((1, 5, 12, 30))))
        words.append(said(at, to=draw(st.sampled_from((MARCH.last, MARCH.last, date(2023, 3, 15), None)))))
    return words


@given(words_of_one_period(), st.integers(1, 31), st.integers(1, 31))
@example([said(NOON), said(hours(1), to=None), said(hours(2)), said(hours(3), to=None), said(hours(4))], 1, 31)
def test_it_is_what_looking_at_every_day_gives(words: list[Said], one: int, other: int) -> None:
    first, last = sorted((date(2023, 3, one), date(2023, 3, other)))
    active = {first + timedelta(days=n) for n in range((last - first).days + 1)}
    in_force = words[-1].days if words else None
    counted = {date.fromordinal(day) for day in range(in_force[0], in_force[1] + 1)} if in_force else set()

    found = cover([(first.toordinal(), last.toordinal())], words)

    expected = "whole" if active <= counted else "partly" if active & counted else "no"
    assert (found.covered, found.by) == (expected, None if expected == "no" else "2023-03")
    assert found.since == (since_by_days(words, active) if expected == "whole" else None)


def since_by_days(words: list[Said], active: set[date]) -> datetime | None:
    """The first moment covered after the last Helsinki day that began or ended with the month not covered."""

    def covers(word: Said) -> bool:
        return bool(word.days) and all(word.days[0] <= day.toordinal() <= word.days[1] for day in active)  # type: ignore[index]  # bool() looked

    last_on_day = {word.at.astimezone(ZoneInfo("Europe/Helsinki")).date(): covers(word) for word in words}
    uncovered_days = [day for day, is_covered in last_on_day.items() if not is_covered]
    after = max(uncovered_days, default=date.min)
    first_covered = [
        word.at for word in words if covers(word) and word.at.astimezone(ZoneInfo("Europe/Helsinki")).date() > after
    ]
    return min(first_covered, default=None)


def test_a_month_is_due_on_a_day_of_the_month_after() -> None:
    assert due_on(MARCH, 20) == date(2023, 4, 20)
    assert due_on(month_of(date(2023, 12, 31)), 1) == date(2024, 1, 1)
    assert due_on(month_of(date(2024, 1, 1)), 28) == date(2024, 2, 28)


@pytest.mark.parametrize(
    ("reported", "due", "today", "state"),
    [
        (date(2023, 4, 20), date(2023, 4, 20), date(2023, 5, 1), "on_time"),
        (date(2023, 4, 21), date(2023, 4, 20), date(2023, 5, 1), "late"),
        (date(2023, 4, 5), date(2023, 4, 20), date(2023, 4, 6), "on_time"),
        (None, date(2023, 4, 20), date(2023, 4, 20), "not_due"),
        (None, date(2023, 4, 20), date(2023, 4, 21), "overdue"),
        (None, None, date(2024, 4, 21), "not_due"),
        (date(2023, 4, 5), None, date(2024, 4, 21), "not_due"),
    ],
)
def test_how_a_month_stands(reported: date | None, due: date | None, today: date, state: str) -> None:
    assert state_of(reported, due, today) == state
