"""Which posts an answer at hand outlives: those that say nothing about what it was counted from."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from fastapi import FastAPI

from app.database import Database, take_turn
from app.practices.definitions import define_practice
from app.reports import edition
from app.reports.edition import LiveEdition, Recorded, RecordedNow, live_edition
from tests.conftest import NOW, Caller, StandingClock, count, status
from tests.practices.test_definitions import GUIDANCE

DAY = NOW.date()
PRACTICE = "yhdessa-aika"


@pytest.fixture
def read(app: FastAPI) -> Callable[..., LiveEdition]:
    """Answers what a live answer about municipalities is read from now."""
    database: Database = app.state.database

    def now(*codes: str, practice: str = PRACTICE) -> LiveEdition:
        with database.reading() as db:
            return live_edition(db, DAY, practice, codes)

    return now


@pytest.fixture
def recorded(app: FastAPI, clock: StandingClock) -> Iterator[RecordedNow]:
    """Nothing was looked for yet."""
    recorded = RecordedNow(app.state.database, clock)
    yield recorded
    recorded.close()


@pytest.fixture
def look(recorded: RecordedNow) -> Callable[[], Recorded]:
    """Looks what is recorded now, with one look behind it."""
    recorded.look()

    def found() -> Recorded:
        now = recorded.look()
        assert isinstance(now, Recorded)
        return now

    return found


def held(look: Callable[[], Recorded], *editions: LiveEdition) -> list[bool]:
    """Which of `editions` hold now."""
    now = look()
    return [one.holds(now) for one in editions]


@pytest.mark.parametrize(
    "rows", [([count("297", "2022", 7)], []), ([], [status("297", "2022", "pilot")])], ids=["count", "status"]
)
def test_an_edition_holds_until_there_is_an_entry_about_one_of_its_municipalities(
    rows: Sequence[Any], nation: Caller, read: Callable[..., LiveEdition], look: Callable[[], Recorded]
) -> None:
    both, other, nothing = read("140", "297"), read("402"), read()

    before = held(look, both, other, nothing)
    nation.post(*rows)
    after = held(look, both, other, nothing)
    nation.post([count("749", "2022", 7)])

    assert (before, after) == ([True] * 3, [False, True, True])
    assert held(look, both, other, read("140", "297")) == [False, True, True]


def test_an_entry_about_another_practice_does_not_count(
    app: FastAPI, nation: Caller, read: Callable[..., LiveEdition], look: Callable[[], Recorded]
) -> None:
    with app.state.database.writing() as db:
        define_practice(db, GUIDANCE, at=take_turn(db, app.state.clock))
    one, other = read("297"), read("297", practice=GUIDANCE.slug)

    nation.post([count("297", "2022", 7, practice=GUIDANCE.slug)])

    assert held(look, one, other) == [True, False]


def test_what_was_read_before_the_first_look_holds_only_if_nothing_was_recorded_since(
    nation: Caller, read: Callable[..., LiveEdition], recorded: RecordedNow
) -> None:
    before = read("402")
    nation.post([count("297", "2022", 7)])
    after = read("402")

    now = recorded.look()

    assert [one.holds(now) for one in (before, after)] == [False, True]


@pytest.mark.parametrize("bound", ["MOST_NEW", "MOST_REMEMBERED"])
def test_what_was_read_before_too_many_entries_holds_no_longer(
    bound: str,
    nation: Caller,
    read: Callable[..., LiveEdition],
    look: Callable[[], Recorded],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(edition, bound, 2)
    found = []
    for year, codes in enumerate((("297", "140"), ("749",), ("297", "140", "420")), 2021):
        before = read("402")
        nation.post([count(code, f"{year}", 7) for code in codes])
        after = read("402")
        found.append(held(look, before, after))

    assert found == [[True, True], [True, True], [False, True]]


def test_an_answer_is_of_its_day(
    read: Callable[..., LiveEdition], look: Callable[[], Recorded], clock: StandingClock
) -> None:
    edition_of_today = read("297")
    before = held(look, edition_of_today)
    clock.advance(days=1)

    assert before + held(look, edition_of_today) == [True, False]
