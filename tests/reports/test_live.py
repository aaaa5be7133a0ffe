"""What the live trend is counted from: the histories of municipalities as of a moment."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event

from app.database import Database, take_turn
from app.places.register import municipalities
from app.practices.definitions import define_practice
from app.reports import live
from app.reports.ledger import counts_in_force
from app.reports.live import histories
from app.reports.tables import CountEntry
from app.series.facts import Count, History
from tests.conftest import Caller, StandingClock, count, status
from tests.practices.test_definitions import GUIDANCE

PRACTICE = "yhdessa-aika"


def histories_of(
    app: FastAPI, *codes: str, practice: str = PRACTICE, moment: datetime | None = None, everywhere: bool = False
) -> Sequence[History]:
    """The histories of the municipalities with `codes`, which come in the order of the register."""
    database: Database = app.state.database
    with database.reading() as db:
        places = municipalities(db, codes=codes or None).values()
        return histories(db, practice, places, moment=moment, everywhere=everywhere)


def test_a_history_holds_what_is_in_force_of_its_municipality(app: FastAPI, nation: Caller) -> None:
    nation.post(
        [
            count("588", "2022-Q1", 7),
            count("588", "2023", 9, through="2023-03-27"),
            count("588", "2021", 1),
            count("507", "2022", 70),
        ],
        [status("588", "2022-06-15", "in_use"), status("588", "2021", "pilot"), status("507", "2022", "planned")],
    )
    nation.post([count("588", "2022-Q1", 8)])
    nation.delete(f"/v1/session-counts/{PRACTICE}/588/2021", reason="Wrong year")

    found = histories_of(app, "588", "297")

    assert found[0] == History("297", date.min, None)
    pertunmaa = found[1]
    assert pertunmaa == History(
        "588",
        date.min,
        date(2024, 12, 31),
        ((date(2021, 1, 1), "pilot"), (date(2022, 6, 15), "in_use")),
        pertunmaa.counts,
    )
    assert sorted(pertunmaa.counts, key=lambda one: one.first) == [
        Count(date(2022, 1, 1), date(2022, 3, 31), 8, 1),
        Count(date(2023, 1, 1), date(2023, 3, 27), 9, 1),
    ]
    assert len(found) == 2


def test_a_history_of_another_practice_is_empty(app: FastAPI, nation: Caller) -> None:
    nation.post([count("297", "2022", 7)], [status("297", "2022", "pilot")])

    assert histories_of(app, "297", practice="kela") == [History("297", date.min, None)]


def test_a_history_as_of_a_moment_holds_what_was_in_force_then(
    app: FastAPI, clock: StandingClock, nation: Caller
) -> None:
    clock.advance(hours=1)
    nation.post([count("297", "2022", 7)], [status("297", "2022", "pilot")])
    clock.advance(hours=1)
    nation.post([count("297", "2022", 8)], [status("297", "2022", "in_use")])

    found = [
        histories_of(app, "297", moment=moment)[0]
        for moment in (datetime(2024, 5, 15, hour, 30, tzinfo=UTC) for hour in (9, 10, 11))
    ]

    year = date(2022, 1, 1), date(2022, 12, 31)
    assert [(history.statuses, history.counts) for history in found] == [
        ((), ()),
        (((year[0], "pilot"),), (Count(*year, 7, 1),)),
        (((year[0], "in_use"),), (Count(*year, 8, 1),)),
    ]


def test_a_history_tells_who_reported_each_count_that_is_in_force(
    app: FastAPI, nation: Caller, kuopio: Caller, north_savo: Caller
) -> None:
    kuopio.post([count("297", "2021", 7), count("297", "2022", 7), count("297", "2023", 7)])
    north_savo.post([count("297", "2022", 8), count("297", "2023", 7)])

    reporters = {one.first.year: one.reporter for one in histories_of(app, "297")[0].counts}

    # What is unchanged stays the report of whoever made it.
    assert reporters[2021] == reporters[2023]
    assert reporters[2022] not in (None, reporters[2021])


def test_the_whole_country_is_read_without_naming_its_municipalities(app: FastAPI, nation: Caller) -> None:
    nation.post([count(code, "2022", 7) for code in ("297", "507", "035")], [status("091", "2022", "pilot")])

    everywhere, named = histories_of(app, everywhere=True), histories_of(app)

    assert everywhere == named
    assert [history.code for history in everywhere if history.counts or history.statuses] == [
        "035",
        "091",
        "297",
        "507",
    ]


@pytest.fixture
def statements(app: FastAPI) -> Iterator[list[str]]:
    """What the database was asked so far."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(app.state.database.engine, "before_cursor_execute", note)
    yield asked
    event.remove(app.state.database.engine, "before_cursor_execute", note)


def sessions_of(found: Sequence[History]) -> dict[str, list[int]]:
    return {history.code: [one.sessions for one in history.counts] for history in found}


def readings(statements: list[str]) -> int:
    """How often counts were read, since this was asked last."""
    found = sum("counted_to" in statement for statement in statements)
    statements.clear()
    return found


def test_only_municipalities_with_entries_since_are_read_anew(
    app: FastAPI, nation: Caller, statements: list[str]
) -> None:
    nation.post([count("297", "2022", 7), count("140", "2022", 9)], [status("402", "2022", "pilot")])
    both = "140", "297"

    costs = []
    for change in (
        lambda: None,
        lambda: None,
        lambda: nation.post([count("507", "2022", 1)], [status("507", "2022", "pilot")]),
        lambda: nation.post([count("297", "2022", 8)]),
        lambda: nation.post([], [status("140", "2022", "pilot")]),
        lambda: nation.delete(f"/v1/session-counts/{PRACTICE}/297/2022", reason="Wrong"),
    ):
        change()
        readings(statements)
        found = histories_of(app, *both)
        costs.append((readings(statements), sessions_of(found), len(found[0].statuses)))

    assert costs == [
        (1, {"140": [9], "297": [7]}, 0),
        (0, {"140": [9], "297": [7]}, 0),
        (0, {"140": [9], "297": [7]}, 0),
        (1, {"140": [9], "297": [8]}, 0),
        (1, {"140": [9], "297": [8]}, 1),
        (1, {"140": [9], "297": []}, 1),
    ]


def test_entries_about_another_practice_are_no_reason_to_read(
    app: FastAPI, nation: Caller, statements: list[str]
) -> None:
    with app.state.database.writing() as db:
        define_practice(db, GUIDANCE, at=take_turn(db, app.state.clock))
    histories_of(app, "297")
    nation.post([count("297", "2022", 7, practice=GUIDANCE.slug)])
    readings(statements)

    found = sessions_of(histories_of(app, "297"))

    assert (readings(statements), found) == (0, {"297": []})
    assert sessions_of(histories_of(app, "297", practice=GUIDANCE.slug)) == {"297": [7]}


def test_after_many_entries_all_is_read_anew(
    app: FastAPI, nation: Caller, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_NEW", 2)
    counts = [count("140", f"2022-{month:02}", 7) for month in range(1, 6)]
    statuses = [status("140", f"2022-{month:02}", "pilot") for month in range(1, 6)]
    costs = []
    for new_counts, new_statuses in ((counts[:2], []), (counts[2:], []), ([], statuses[:2]), ([], statuses[2:])):
        histories_of(app, "297")
        nation.post(new_counts, new_statuses)
        readings(statements)
        histories_of(app, "297")
        costs.append(readings(statements))

    assert costs == [0, 1, 0, 1]


def test_the_practices_that_were_asked_about_longest_ago_are_forgotten(
    app: FastAPI, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_KEPT", 3)
    costs = []
    for practice in ("a", "b", "a", "c", "a", "b"):
        histories_of(app, "140", practice=practice)
        costs.append(readings(statements))
    histories_of(app, "140", "297", "402", "749", practice="a")
    readings(statements)
    histories_of(app, "140", "297", "402", "749", practice="a")

    assert costs == [1, 1, 0, 1, 0, 0]
    # Those of the practice that was asked about last stay, however many.
    assert readings(statements) == 0


@pytest.mark.parametrize(
    "later", [([count("297", "2022", 8)], []), ([], [status("297", "2023", "in_use")])], ids=["count", "status"]
)
def test_a_snapshot_from_before_is_answered_as_it_is(
    later: tuple[list[Any], list[Any]], app: FastAPI, nation: Caller
) -> None:
    database: Database = app.state.database
    nation.post([count("297", "2022", 7)], [status("297", "2022", "pilot")])
    was = histories_of(app, "297")

    with database.reading() as before:
        places = municipalities(before, codes=["297"]).values()
        nation.post(*later)
        now = histories_of(app, "297")
        then = histories(before, PRACTICE, places, moment=None, everywhere=False)

    assert then == was != now
    assert histories_of(app, "297") == now


def test_nothing_is_kept_of_what_is_undone(app: FastAPI, nation: Caller) -> None:
    database: Database = app.state.database
    nation.post([count("297", "2022", 7)])
    with database.writing() as db:
        take_turn(db, app.state.clock)
        places = municipalities(db, codes=["297"]).values()
        [entry] = counts_in_force(db)
        db.add(CountEntry(**entry.model_dump() | {"id": 2, "sessions": 99}))
        db.flush()
        inside = histories(db, PRACTICE, places, moment=None, everywhere=False)
        db.rollback()
    nation.post([count("297", "2022", 8)])

    assert sessions_of(inside) == {"297": [99]}
    assert sessions_of(histories_of(app, "297")) == {"297": [8]}


def test_the_trend_reads_the_posts_of_a_moment_ago(north_savo: Caller) -> None:
    north_savo.post([count("297", "2024-03", 7)], [status("297", "2024", "pilot")])

    rows = north_savo.get("/v1/trends", county="13").json()["years"]

    assert (rows[-1]["year"], rows[-1]["sessions"], rows[-1]["municipalities"]) == (2024, 7, 1)
