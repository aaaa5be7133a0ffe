"""What was released before, with the counts that it was made of."""

from datetime import date

from fastapi import FastAPI

from app.publishing.earlier import latest_number
from tests.conftest import Caller, StandingClock, count, status
from tests.publishing.published import a_moment, earlier, publish, statement_at, stored_content


def test_nobody_knows_the_counts_of_an_imported_release(app: FastAPI) -> None:
    (shipped,) = earlier(app)

    assert (shipped.content, shipped.counts) == (stored_content(app, 1), {})


def test_each_release_has_the_counts_that_were_in_force_at_its_moment(
    app: FastAPI, north_savo: Caller, clock: StandingClock
) -> None:
    """Whatever is corrected, replaced or retracted later, and whatever was about years that it took over."""
    database = app.state.database
    north_savo.post([count("297", "2022", 99), count("297", "2024-Q1", 9), count("140", "2024-01", 0)])
    first = statement_at(app, a_moment(database, clock))
    publish(database, clock)
    clock.advance(days=1)
    north_savo.post([count("297", "2024", 20, through="2024-05-01", replace=True), count("749", "2024-02", 3)])
    second = statement_at(app, a_moment(database, clock))
    publish(database, clock)
    clock.advance(days=1)

    north_savo.delete("/v1/session-counts/yhdessa-aika/140/2024-01", reason="A mistake")
    north_savo.post([count("749", "2024-02", 4)], [status("749", "2024", "in_use")])
    clock.advance(days=1)

    _, *published = earlier(app)
    assert published == [first, second]
    assert [{code: [one[:3] for one in counts] for code, counts in said.counts.items()} for said in published] == [
        {
            "140": [(date(2024, 1, 1), date(2024, 1, 31), 0)],
            "297": [(date(2024, 1, 1), date(2024, 3, 31), 9)],
        },
        {
            "140": [(date(2024, 1, 1), date(2024, 1, 31), 0)],
            "297": [(date(2024, 1, 1), date(2024, 5, 1), 20)],
            "749": [(date(2024, 2, 1), date(2024, 2, 29), 3)],
        },
    ]


def test_other_counties_and_practices_are_not_asked_for(app: FastAPI, nation: Caller, clock: StandingClock) -> None:
    nation.post([count("213", "2024-Q1", 9)])
    publish(app.state.database, clock, county="12")

    assert [list(said.counts) for said in earlier(app, county="12")] == [["213"]]
    assert [list(said.counts) for said in earlier(app)] == [[]]
    assert earlier(app, county="11") == earlier(app, practice="kela") == []
    with app.state.database.reading() as db:
        assert [latest_number(db, "yhdessa-aika", code) for code in ("11", "12", "13")] == [None, 2, 1]
