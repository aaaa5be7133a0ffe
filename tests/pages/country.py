"""A whole country to look at: 22 counties of which one published nothing, every status and every kind of nothing.

North Savo (13) has what there is: its imported release, one of reports with small counts withheld, and one that
corrects it. South Savo (12) holds back its total. Central Ostrobothnia (18) had it on trial until 2024 and reported
nothing. Lapland (21) published no release.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from app.access.keys import issue_key
from app.access.models import Action
from app.database import Database, take_turn
from app.places.register import Municipality, counties, municipalities
from app.practices.definitions import DEFAULT_PRACTICE, SHIPPED_PRACTICE, define_practice, set_live_from
from app.practices.models import PracticePublic
from app.series.content import Content
from app.series.figures import Figures
from tests.conftest import Caller, StandingClock, count, status
from tests.publishing.asking import Desk
from tests.publishing.published import publish, statement_now

NORTH_SAVO, SOUTH_SAVO, CENTRAL_OSTROBOTHNIA, LAPLAND = "13", "12", "18", "21"
UNCOUNTED = "ohjaus-ja-neuvonta"
AFTERWARDS = datetime(2024, 8, 15, 9, 0, tzinfo=UTC)

Rows = list[dict[str, Any]]

# One of these for each municipality in turn: the days on which something began.
_LIVES: Sequence[dict[str, str]] = (
    {"2022-03-01": "pilot", "2023-01-01": "in_use"},
    {"2022-11-15": "pilot"},
    {"2021": "in_use", "2023-09-01": "paused"},
    {"2023-03": "planned", "2023-06-01": "pilot", "2024-02-01": "in_use"},
    {"2023-05-01": "planned"},
    {"2022": "pilot", "2023-12-01": "ended"},
    {},
)
_ACTIVE_FROM = {0: "2023-01", 1: "2023-01", 3: "2023-06"}


def fill(app: FastAPI, clock: StandingClock) -> None:
    """Have the counties report and publish; `clock` goes on to a second release of North Savo."""
    database: Database = app.state.database
    with database.writing() as db:
        at = take_turn(db, clock)
        define_practice(db, _uncounted(), at=at)
        codes = list(counties(db))
        for code in codes:
            set_live_from(db, DEFAULT_PRACTICE, code, 2023, at=at)
        places = [place for place in municipalities(db).values() if place.in_register(date(2024, 5, 15))]
        key = issue_key(
            db, name="test", organisation="THL", actions=[Action.REPORT, Action.READ], areas=["country"], at=at
        )
    with TestClient(app) as http:
        reporter = Caller(http, key)
        for code in codes:
            _report(reporter, [place for place in places if place.county == code])
        _publish_all(app, clock, codes)
        clock.now = AFTERWARDS
        _post(
            reporter,
            [count("140", "2023-03", 36), *_counts(_of(places, NORTH_SAVO), _months("2024-05", "2024-06"))],
            [],
        )
        _publish_north_savo(app, changes=[{"year": 2023, "kind": "revision", "reason": "Iisalmi täydensi maaliskuun."}])


def _report(reporter: Caller, places: Sequence[Municipality]) -> None:
    told = [] if places[0].county == CENTRAL_OSTROBOTHNIA else _counts(places, _months("2023-01", "2024-04"))
    _post(reporter, told, list(_statuses(places)))


def _post(reporter: Caller, counts: Rows, statuses: Rows) -> None:
    answer = reporter.post(counts, statuses)
    assert answer.status_code == 201, answer.text


def _publish_all(app: FastAPI, clock: StandingClock, codes: Sequence[str]) -> None:
    _publish_north_savo(app)
    for code in codes:
        if code not in (NORTH_SAVO, LAPLAND):
            hidden = _without_total(statement_now(app, clock, county=code).content) if code == SOUTH_SAVO else None
            publish(app.state.database, clock, hidden, county=code, title="Yhdessä aika", state="final")


def _publish_north_savo(app: FastAPI, **more: Any) -> None:
    draft = Desk(app).publish(
        county=NORTH_SAVO, municipalities=True, url="https://example.org/13", next_release_on="2025-02-15", **more
    )
    assert draft["state"] == "published", draft


def _without_total(content: Content) -> Content:
    """The same with the sessions of its last year withheld."""
    last = max(content.years)
    unknown: dict[str, Any] = dict.fromkeys(one.name for one in fields(Figures) if one.name.startswith("comparable_"))
    hidden = replace(content.years[last], withheld=True, sessions=None, **unknown)
    return replace(content, years={**content.years, last: hidden})


def _statuses(places: Sequence[Municipality]) -> Iterator[dict[str, Any]]:
    for number, place in enumerate(places):
        for day, what in _life(number, place).items():
            yield status(place.code, day, what)
            if number % 3 == 0:
                yield status(place.code, day, "pilot", practice=UNCOUNTED)


def _life(number: int, place: Municipality) -> dict[str, str]:
    return (
        {"2023-05-01": "pilot", "2024-01-01": "ended"}
        if place.county == CENTRAL_OSTROBOTHNIA
        else _LIVES[number % len(_LIVES)]
    )


def _counts(places: Sequence[Municipality], months: Sequence[str]) -> Rows:
    """Of those on trial or using it; the larger numbers come first, so that small ones stand among the last."""
    return [
        count(place.code, month, max(0, 30 // (number + 1) + (int(month[-2:]) % 3) - 1))
        for number, place in enumerate(places)
        for month in months
        if month >= _ACTIVE_FROM.get(number % len(_LIVES), "9999")
    ]


def _months(first: str, last: str) -> list[str]:
    all_months = [f"{year}-{month:02}" for year in (2023, 2024) for month in range(1, 13)]
    return [month for month in all_months if first <= month <= last]


def _of(places: Sequence[Municipality], county: str) -> list[Municipality]:
    return [place for place in places if place.county == county]


def _uncounted() -> PracticePublic:
    names = {"name_fi": "Ohjaus ja neuvonta", "name_sv": "Handledning och rådgivning", "name_en": "Guidance"}
    return SHIPPED_PRACTICE.model_copy(update={**names, "slug": UNCOUNTED, "counting_rule": "", "counted": False})
