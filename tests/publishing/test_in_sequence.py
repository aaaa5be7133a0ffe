"""Releases one after the other out of random ledgers: stated, protected, audited and stored, as publishing does it."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.clock import helsinki_day
from app.database import take_turn
from app.disclosure.protection import CannotProtect, protect
from app.errors import InvalidRequest
from app.intruder.audit import audit
from app.publishing.changes import changed_years
from app.publishing.content import statement
from app.publishing.earlier import latest_number
from app.publishing.storing import store_release
from app.series.content import Content, Statement
from tests.conftest import Caller, StandingClock
from tests.publishing.published import a_moment, earlier, publication, stored_content
from tests.publishing.test_content import Reporting

Published = tuple[int, Content, Statement]
"""The number of a release, what it says, and what it would have said with nothing hidden."""


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(2, 22))])
def test_what_was_released_stays_and_so_do_the_counts_behind_it(
    seed: int, app: FastAPI, http: TestClient, new_key: Callable[..., str], clock: StandingClock
) -> None:
    nation, others = (Caller(http, new_key("country", days=3650, organisation=name)) for name in ("THL", "Others"))
    posting = Reporting(app, nation, others, clock, random.Random(seed))
    posting.begin()
    published: dict[str, list[Published]] = {"12": [], "13": []}

    for _ in range(3):
        posting.live(12)
        for county, so_far in published.items():
            split = {"municipalities": posting.chance.random() < 0.7, "quarters": posting.chance.random() < 0.5}
            so_far += publish_protected(app, clock, county=county, **split)

    assert sum(map(len, published.values())) >= 2
    for county, releases in published.items():
        # Beside these there are imported ones, of which nobody knows the counts.
        found = [said for said in earlier(app, county=county) if said.counts]
        assert [said.content for said in found] == [said for _, said, new in releases if new.counts]
        assert [said.counts for said in found] == [new.counts for _, _, new in releases if new.counts]
        for number, said, new in releases:
            assert stored_content(app, number) == said
            assert [year for year, row in said.years.items() if row.carried] == carried_years(new)


def publish_protected(app: FastAPI, clock: StandingClock, **asked: Any) -> list[Published]:
    """Publish what is recorded now, whatever it changes; nothing if there is nothing to say or no way to protect it."""
    moment = a_moment(app.state.database, clock)
    before = earlier(app, county=asked["county"])
    try:
        with app.state.database.reading() as db:
            new = statement(db, publication(**asked), moment=moment, day=helsinki_day(moment))
            latest = latest_number(db, "yhdessa-aika", asked["county"])
        content = protect(new, before, threshold=5, residents={}, tell=lambda _: None).content
    except (InvalidRequest, CannotProtect):
        return []
    verdict = audit(content, new.counts, before, threshold=5, tell=lambda *_: None)
    assert verdict.passed, verdict.failures
    changed = {year for one in before for year in changed_years(one.content, content)}
    why = [{"year": year, "kind": "revision", "reason": "Counted anew"} for year in sorted(changed)]
    with app.state.database.writing() as db:
        number = store_release(
            db,
            publication(**asked, changes=why),
            content,
            verdict,
            threshold=5,
            at=take_turn(db, clock),
            moment=moment,
            latest=latest,
        )
    return [(number, content, new)]


def carried_years(said: Statement) -> list[int]:
    return [year for year, row in said.content.years.items() if row.carried]
