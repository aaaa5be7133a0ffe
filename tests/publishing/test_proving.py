"""That what is public is what passed its audit."""

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.database import Database
from app.publishing.proving import verify_releases
from app.reports.verifying import Altered
from tests.conftest import Caller, StandingClock, count
from tests.publishing.published import publish


@pytest.fixture
def published(app: FastAPI, nation: Caller, clock: StandingClock) -> Database:
    """A database with two published releases, 2 and 3, beside the one that ships."""
    nation.post([count("297", "2024-Q1", 9), count("213", "2023", 6)])
    database: Database = app.state.database
    publish(database, clock, municipalities=True, quarters=True)
    publish(database, clock, county="12")
    return database


def test_releases_that_say_what_passed_are_proved(published: Database) -> None:
    with published.reading() as db:
        assert verify_releases(db) == 2


@pytest.mark.parametrize(
    "added",
    [
        "INSERT INTO release_years SELECT 2, 2030, facts FROM release_years WHERE release_id = 3",
        "INSERT INTO release_municipality_years SELECT 2, '297', 2030, facts FROM release_years WHERE release_id = 3",
        "INSERT INTO release_quarters SELECT 2, '2030-Q1', facts FROM release_quarters WHERE period = '2024-Q1'",
    ],
)
def test_a_figure_that_was_added_behind_the_back_of_the_audit_is_found(added: str, published: Database) -> None:
    with published.engine.begin() as connection:
        connection.execute(text(added))

    with published.reading() as db, pytest.raises(Altered, match=r"^release 2 does not say what passed its audit$"):
        verify_releases(db)


def test_a_release_that_cannot_be_read_is_told(published: Database) -> None:
    with published.engine.begin() as connection:
        connection.execute(text("INSERT INTO release_years VALUES (3, 2030, '{}')"))

    with published.reading() as db, pytest.raises(Altered, match=r"^release 3 cannot be read$"):
        verify_releases(db)
