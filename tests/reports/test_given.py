"""What posts are held against: it is read once for many of them, and never outlived by what was read."""

from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event
from sqlmodel import SQLModel

from app.places.models import CountyRecord, MunicipalityRecord, ResidentsRecord
from app.practices.definitions import SHIPPED_PRACTICE, define_practice
from app.practices.models import LiveFromRecord, PracticeRecord
from app.releases.importing import import_release, parse_release
from app.releases.models import ReleaseRecord
from app.reports.given import EDITION
from tests.conftest import Caller, StandingClock, count
from tests.reports.test_plausibility import codes

RELEASE = """\
practice,county,published_on,state,title,source,year,municipalities,sessions,through
yhdessa-aika,12,2024-05-01,final,t,s,2022,3,30,2022-12-31
"""


def asked_in(app: FastAPI, post: Any) -> str:
    """Every statement that `post` has the database carry out."""
    told: list[str] = []

    def tell(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        told.append(statement)

    engine = app.state.database.engine
    event.listen(engine, "before_cursor_execute", tell)
    post()
    event.remove(engine, "before_cursor_execute", tell)
    return "\n".join(told)


def test_what_is_given_is_read_once_for_many_posts(app: FastAPI, kuopio: Caller) -> None:
    first = asked_in(app, lambda: kuopio.post([count("297", "2022-03", 1)]))
    second = asked_in(app, lambda: kuopio.post([count("297", "2022-04", 1)]))

    assert ("release_years" in first, "practices.definition" in first) == (True, True)
    assert ("release_years" in second, "practices.definition" in second) == (False, False)


def test_it_is_read_anew_on_another_day(app: FastAPI, kuopio: Caller, clock: StandingClock) -> None:
    kuopio.post([count("297", "2022-03", 1)])
    clock.advance(days=1)

    asked = asked_in(app, lambda: kuopio.post([count("297", "2022-04", 1)]))
    assert ("release_years" in asked, "practices.definition" in asked) == (True, True)


def test_a_practice_is_known_from_the_post_after_its_definition_on(
    app: FastAPI, nation: Caller, clock: StandingClock
) -> None:
    rows = [count("297", "2022-03", 1, practice="kela")]
    before = nation.post(rows)
    with app.state.database.writing() as db:
        define_practice(db, SHIPPED_PRACTICE.model_copy(update={"slug": "kela"}), at=clock())

    assert (before.status_code, nation.post(rows).status_code) == (422, 201)


def test_a_release_counts_from_the_post_after_it_on(app: FastAPI, nation: Caller, clock: StandingClock) -> None:
    before = nation.post([count("491", "2022-03", 1)])
    with app.state.database.writing() as db:
        import_release(db, parse_release(RELEASE.encode(), as_csv=True), at=clock())
    after = nation.post([count("491", "2022-03", 1)])

    assert (codes(before), codes(after)) == ([["no_active_status"]], [["stays_with_release", "no_active_status"]])


@pytest.mark.parametrize(
    "table", [ReleaseRecord, PracticeRecord, LiveFromRecord, CountyRecord, MunicipalityRecord, ResidentsRecord]
)
def test_the_edition_counts_every_table_that_posts_are_held_against(table: type[SQLModel]) -> None:
    assert f" FROM {table.__tablename__})" in "".join(EDITION)
