"""Which release counts on a day, and which years it keeps."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlmodel import Session

from app.database import Database
from app.errors import NotFound
from app.practices.definitions import set_live_from
from app.releases.importing import import_release
from app.releases.reading import latest_releases, release_with, releases, years_kept_by_releases
from app.settings import Settings
from tests.conftest import NOW
from tests.releases.test_importing import south_savo

PRACTICE = "yhdessa-aika"
LONG_AFTER = date(2024, 5, 15)


@pytest.fixture
def db(settings: Settings) -> Iterator[Session]:
    """A database with the shipped release and four of South Savo: 2, 3, 4 and 5."""
    database = Database(settings)
    with database.writing() as db:
        for published_on in ("2024-02-01", "2024-04-01", "2024-04-01", "2024-03-01"):
            import_release(db, south_savo(published_on=published_on), at=NOW)
            db.flush()
        yield db
        db.rollback()
    database.dispose()


def test_the_latest_release_is_the_last_published_and_of_those_the_highest_number(db: Session) -> None:
    def latest(on: date) -> dict[str, int]:
        return {county: read.record.id for county, read in latest_releases(db, PRACTICE, on=on).items()}

    assert latest(date(2023, 3, 26)) == {}
    assert latest(date(2023, 3, 27)) == {"13": 1}
    assert latest(date(2024, 2, 1)) == {"13": 1, "12": 2}
    assert latest(date(2024, 3, 1)) == {"13": 1, "12": 5}
    assert latest(date(2024, 4, 1)) == latest(LONG_AFTER) == {"13": 1, "12": 4}


def test_releases_are_listed_newest_first(db: Session) -> None:
    assert [record.id for record in releases(db, on=LONG_AFTER)] == [4, 3, 5, 2, 1]
    assert [record.id for record in releases(db, on=date(2024, 3, 31))] == [5, 2, 1]
    assert [record.id for record in releases(db, on=LONG_AFTER, county="13")] == [1]
    assert [record.id for record in releases(db, on=LONG_AFTER, practice="kela")] == []
    assert latest_releases(db, "kela", on=LONG_AFTER) == {}


def test_a_release_is_there_from_the_day_it_was_published(db: Session) -> None:
    assert release_with(db, 3, on=date(2024, 4, 1)).id == 3

    for number, day in ((3, date(2024, 3, 31)), (6, LONG_AFTER)):
        with pytest.raises(NotFound, match=f"^there is no release {number} published on or before {day}$"):
            release_with(db, number, on=day)


def test_the_latest_release_keeps_the_years_it_covers_until_live_from(db: Session) -> None:
    before = years_kept_by_releases(db, PRACTICE, on=LONG_AFTER)

    set_live_from(db, PRACTICE, "13", 2022, at=NOW)
    set_live_from(db, PRACTICE, "12", 2021, at=NOW)
    db.flush()
    after = years_kept_by_releases(db, PRACTICE, on=LONG_AFTER)
    set_live_from(db, PRACTICE, "13", 2030, at=NOW + timedelta(hours=1))
    db.flush()

    assert before == {"13": {2021, 2022, 2023}, "12": {2021, 2023}}
    assert after == {"13": {2021}, "12": set()}
    assert years_kept_by_releases(db, PRACTICE, on=LONG_AFTER)["13"] == {2021, 2022, 2023}
