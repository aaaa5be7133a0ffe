"""Storing a release: whole or not at all, and only what passed its audit."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar

import pytest
from fastapi import FastAPI
from sqlmodel import Session

from app.database import Database
from app.errors import InvalidRequest
from app.practices.definitions import live_from, set_live_from
from app.publishing.changes import OF_A_PART
from app.publishing.storing import NotPassed, ReleasedMeanwhile, content_hash, store_audit, store_release
from app.releases.importing import import_release
from app.series.content import Content, ReleasedQuarter
from app.series.figures import ReleasedYear
from tests.conftest import NOW, Caller, StandingClock, count
from tests.publishing.published import PASSED, a_moment, publication, publish, statement_now, stored_content
from tests.releases.test_importing import south_savo
from tests.reports.stored import everything, stored

Key = TypeVar("Key")
Value = TypeVar("Value")

YEAR = ReleasedYear(
    covers=True, municipalities=8, sessions=94, reporting=3, through=date(2021, 12, 31), comparable_through=None
)
HIDDEN = replace(YEAR, sessions=None, withheld=True)
CONTENT = Content(
    years={2021: replace(YEAR, carried=True), 2022: ReleasedYear(covers=False, residents=5), 2023: HIDDEN, 2024: YEAR},
    municipalities={"140": {2023: HIDDEN, 2024: YEAR}, "297": {2023: YEAR}},
    quarters={
        "2023-Q1": ReleasedQuarter(sessions=None, reporting=2, partial=False, withheld=True),
        "2024-Q1": ReleasedQuarter(sessions=0, reporting=1, partial=True),
    },
)
WHY: list[dict[str, Any]] = [
    {"year": year, "kind": "error", "reason": f"{year} was counted twice"} for year in (2021, 2022, 2023)
]


def test_what_is_stored_is_read_again_as_it_was(app: FastAPI, clock: StandingClock) -> None:
    number = publish(app.state.database, clock, CONTENT, changes=WHY)

    found = stored_content(app, number)

    assert found == CONTENT
    assert content_hash(found) == content_hash(CONTENT)
    assert [list(found.years), list(found.municipalities), list(found.quarters)] == [
        [2021, 2022, 2023, 2024],
        ["140", "297"],
        ["2023-Q1", "2024-Q1"],
    ]


def test_a_release_says_where_it_comes_from(app: FastAPI, clock: StandingClock) -> None:
    clock.now = datetime(2024, 5, 15, 21, 30, tzinfo=UTC)
    asked = {"state": "final", "url": "https://pohjois-savo.example", "note": "Ensimmäinen", "as_of": "2024-05-15"}

    number = publish(app.state.database, clock, CONTENT, changes=WHY, next_release_on="2025-01-31", **asked)

    assert stored(app, "releases")[number - 1] == {
        "id": 2,
        "practice": "yhdessa-aika",
        "county": "13",
        # The day in Helsinki.
        "published_on": date(2024, 5, 16),
        "state": "final",
        "title": "Yhdessä aika in North Savo",
        "source": "Reports of the municipalities",
        "url": "https://pohjois-savo.example",
        "note": "Ensimmäinen",
        "recorded_at": clock.now + timedelta(microseconds=1),
        "origin": "published",
        "audit_id": 1,
        "as_of": clock.now,
        "next_release_on": date(2025, 1, 31),
    }
    assert stored(app, "release_audits") == [
        {
            "id": 1,
            "recorded_at": clock.now + timedelta(microseconds=1),
            "outcome": "passed",
            "content_hash": content_hash(CONTENT),
            "threshold": 5,
            "tables_found": 7,
        }
    ]


def test_the_hash_is_of_what_is_said_and_not_of_the_order_it_is_said_in() -> None:
    turned = Content(
        years=turned_round(CONTENT.years),
        municipalities=turned_round(CONTENT.municipalities),
        quarters=turned_round(CONTENT.quarters),
    )
    said = (
        '{"municipalities":{"297":{"2023":{"covers":true,"sessions":7}}},'
        '"quarters":{"2023-Q1":{"partial":false,"reporting":2,"sessions":null,"withheld":true}},'
        '"years":{"2023":{"covers":true,"through":"2023-12-31"}}}'
    )
    known_by_its_words = Content(
        years={2023: ReleasedYear(covers=True, through=date(2023, 12, 31))},
        municipalities={"297": {2023: ReleasedYear(covers=True, sessions=7)}},
        quarters={"2023-Q1": CONTENT.quarters["2023-Q1"]},
    )

    assert content_hash(known_by_its_words) == sha256(said.encode()).hexdigest()
    assert content_hash(turned) == content_hash(CONTENT)
    assert content_hash(replace(CONTENT, quarters={})) != content_hash(CONTENT)
    assert content_hash(replace(CONTENT, years={**CONTENT.years, 2024: HIDDEN})) != content_hash(CONTENT)


# What is refused.


def test_what_did_not_pass_its_audit_is_not_stored(db: Session) -> None:
    failed = replace(PASSED, passed=False)

    with pytest.raises(NotPassed):
        store_audit(db, CONTENT, failed, threshold=5, at=NOW)
    with pytest.raises(NotPassed):
        store_release(db, publication(changes=WHY), CONTENT, failed, threshold=5, at=NOW, moment=NOW, latest=1)

    assert rows_in(db) == {"release_audits": 0, "releases": 1}


@pytest.mark.parametrize("latest", [None, 2])
def test_a_release_that_was_protected_without_one_that_came_meanwhile_is_not_stored(
    latest: int | None, db: Session
) -> None:
    asked = publication(changes=WHY)

    with pytest.raises(
        ReleasedMeanwhile, match=r"^release 1 came while this one was prepared; publish again$"
    ) as refused:
        store_release(db, asked, CONTENT, PASSED, threshold=5, at=NOW, moment=NOW, latest=latest)

    assert refused.value.status_code == 409
    assert rows_in(db) == {"release_audits": 0, "releases": 1}


def test_a_release_of_another_county_or_practice_is_in_nobodys_way(db: Session) -> None:
    import_release(db, south_savo(), at=NOW)
    db.flush()

    number = store_release(db, publication(changes=WHY), CONTENT, PASSED, threshold=5, at=NOW, moment=NOW, latest=1)

    assert number == 3


def test_a_release_that_changes_a_year_without_a_reason_leaves_nothing(app: FastAPI, clock: StandingClock) -> None:
    a_moment(app.state.database, clock)
    before = {name: rows for name, rows in everything(app).items() if name != "last_write"}

    with pytest.raises(InvalidRequest, match=r"^2021, 2022 will differ"):
        publish(app.state.database, clock, CONTENT)

    assert {name: rows for name, rows in everything(app).items() if name != "last_write"} == before


# Changes.


def test_each_changed_year_names_the_release_before_and_why(app: FastAPI, clock: StandingClock) -> None:
    number = publish(app.state.database, clock, CONTENT, changes=WHY[:2])

    assert stored(app, "release_changes") == [
        {"release_id": number, "year": 2021, "previous_release_id": 1, "kind": "error", "reason": WHY[0]["reason"]},
        {"release_id": number, "year": 2022, "previous_release_id": 1, "kind": "error", "reason": WHY[1]["reason"]},
        # It was of 86 days.
        {"release_id": number, "year": 2023, "previous_release_id": 1, "kind": "revision", "reason": OF_A_PART},
    ]


def test_the_release_before_is_the_one_that_counted_until_then(app: FastAPI, clock: StandingClock) -> None:
    database: Database = app.state.database
    asked: dict[str, Any] = {"county": "12"}
    with database.writing() as db:
        for published_on in ("2024-04-01", "2024-02-01"):
            import_release(db, south_savo(published_on=published_on), at=NOW)
            db.flush()
    second = publish(database, clock, Content(years={2021: YEAR}), changes=WHY, **asked)
    third = publish(database, clock, Content(years={2021: HIDDEN}), changes=WHY, **asked)

    assert {(row["release_id"], row["previous_release_id"]) for row in stored(app, "release_changes")} == {
        (second, 2),
        (third, second),
    }


def test_the_first_release_of_a_county_changes_nothing(app: FastAPI, clock: StandingClock) -> None:
    publish(app.state.database, clock, CONTENT, county="12")

    assert stored(app, "release_changes") == []


# From when the county's reports speak.


def test_publishing_records_from_which_year_the_reports_speak(
    app: FastAPI, nation: Caller, clock: StandingClock
) -> None:
    nation.post([count("297", "2024-Q1", 9)])

    publish(app.state.database, clock)

    assert begins(app) == {"13": 2024}
    # Else what is reported of 2024 from now on would never be seen.
    nation.post([count("297", "2024-04", 1)])
    assert statement_now(app, clock).content.years[2024].sessions == 10


def test_of_several_years_that_reports_state_the_first_is_recorded(
    app: FastAPI, nation: Caller, clock: StandingClock
) -> None:
    nation.post([count("213", "2022", 6), count("213", "2023", 7)])

    publish(app.state.database, clock, county="12")

    assert begins(app) == {"12": 2022}


@pytest.mark.parametrize(("periods", "begins_with"), [(["2020", "2024-Q1"], {"13": 2024}), (["2020"], {})])
def test_reports_of_before_what_was_taken_over_do_not_open_it_again(
    periods: list[str], begins_with: dict[str, int], app: FastAPI, nation: Caller, clock: StandingClock
) -> None:
    nation.post([count("297", period, 9) for period in periods])
    number = publish(app.state.database, clock)

    years = statement_now(app, clock).content.years

    assert begins(app) == begins_with
    assert [years[year].sessions for year in (2020, 2021, 2022, 2023)] == [9, 94, 105, 23]
    assert [year for year, said in stored_content(app, number).years.items() if said.carried] == [2021, 2022, 2023]


def test_a_county_that_said_so_itself_is_not_overruled(app: FastAPI, nation: Caller, clock: StandingClock) -> None:
    nation.post([count("297", "2024-Q1", 9)])
    with app.state.database.writing() as db:
        set_live_from(db, "yhdessa-aika", "13", 2020, at=clock())

    publish(app.state.database, clock, changes=WHY)

    assert begins(app) == {"13": 2020}


def test_a_release_without_a_year_of_reports_says_nothing_of_them(app: FastAPI, clock: StandingClock) -> None:
    publish(app.state.database, clock, state="final")

    assert begins(app) == {}


def turned_round(said: Mapping[Key, Value]) -> dict[Key, Value]:
    return {key: said[key] for key in reversed(list(said))}


def begins(app: FastAPI) -> dict[str, int]:
    with app.state.database.reading() as db:
        return dict(live_from(db, "yhdessa-aika"))


def rows_in(db: Session) -> dict[str, int]:
    return {
        name: len(db.connection().exec_driver_sql(f"SELECT * FROM {name}").all())
        for name in ("release_audits", "releases")
    }
