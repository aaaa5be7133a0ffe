"""What the live trend is counted from: the histories of municipalities as of a moment."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from fastapi import FastAPI

from app.database import Database
from app.places.register import municipalities
from app.reports.live import histories
from app.series.facts import Count, History
from tests.conftest import Caller, StandingClock, count, status

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


def test_the_trend_reads_the_posts_of_a_moment_ago(north_savo: Caller) -> None:
    north_savo.post([count("297", "2024-03", 7)], [status("297", "2024", "pilot")])

    rows = north_savo.get("/v1/trends", county="13").json()["years"]

    assert (rows[-1]["year"], rows[-1]["sessions"], rows[-1]["municipalities"]) == (2024, 7, 1)
