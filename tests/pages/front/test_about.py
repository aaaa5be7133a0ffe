"""Where the figures of the front page come from, their downloads, and links that show the same for ever."""

import csv
import io
import re
from datetime import date
from typing import Any

import pytest
from bs4 import BeautifulSoup
from fastapi import FastAPI

from app.database import take_turn
from app.practices.definitions import SHIPPED_PRACTICE, define_practice
from app.releases.models import ReleaseChangeRecord, ReleaseRecord
from app.series.facts import Release
from app.settings import Settings
from tests.conftest import NOW, Caller, StandingClock, count, status
from tests.practices.test_definitions import GUIDANCE
from tests.trends.published import by_municipality, store, told
from tests.trends.test_routes import import_south_savo

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what asks nothing of the database that others do not."""

SAID = by_municipality(2023, {"297": told(2023, 30), "140": told(2023, None, withheld=True)})


@pytest.fixture
def _second(app: FastAPI) -> None:
    """North Savo's second release, which says something else of two years, and when the third is due."""
    years = {2022: told(2022, 106, municipalities=14), 2023: told(2023, None, municipalities=4, withheld=True)}
    store(app.state.database, Release(2, date(2024, 5, 1), years, SAID), county="13", at=NOW)
    with app.state.database.writing() as db:
        for year, kind, reason in ((2022, "error", "One was forgotten"), (2023, "revision", "<b>The year</b> went on")):
            db.add(ReleaseChangeRecord(release_id=2, year=year, previous_release_id=1, kind=kind, reason=reason))


def read(caller: Caller, address: str = "./?lang=en&county=13") -> BeautifulSoup:
    answer = caller.http.get(address.removeprefix("."))
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def said(page: BeautifulSoup, selector: str) -> list[str]:
    return [" ".join(found.get_text().split()) for found in page.select(selector)]


def link(page: BeautifulSoup, text: str) -> str:
    [found] = [str(one["href"]) for one in page.select("main a") if text in one.get_text()]
    return found


@ON_SQLITE
def test_a_release_is_told_with_source_state_and_licence(anyone: Caller, settings: Settings) -> None:
    page = read(anyone)

    assert said(page, ".source p") == [
        "North Savo wellbeing services county, Yhdessä aika -toimintamallin kehityskaari"
    ]
    assert said(page, ".source dt") == ["Published", "Source", "State", "Origin", "Note"]
    told_of = dict(zip(said(page, ".source dt"), said(page, ".source dd"), strict=True))
    assert told_of["Published"] == "27 March 2023"
    assert page.select_one(".source time")["datetime"] == "2023-03-27"  # type: ignore[index]
    assert told_of["State"] == "preliminary figures"
    assert told_of["Origin"] == "Public elsewhere before, and taken over as it was"
    assert said(page, "a[rel=license]") == [settings.licence_name]
    assert link(page, settings.licence_name) == settings.licence_url
    assert link(page, "What the figures mean") == "./definitions?lang=en"
    assert not page.select(".changes, .releases, main > .warning")
    assert [str(one["download"]).partition("13-")[2] for one in page.select(".downloads a")[::2]] == [
        "years.json",
        "statuses.json",
        "release-1.json",
    ]


@ON_SQLITE
def test_releases_of_the_country_are_told_each(anyone: Caller, app: FastAPI) -> None:
    import_south_savo(app)

    page = read(anyone, "./?lang=en")

    assert said(page, "details.source summary") == [
        "North Savo wellbeing services county, 27 March 2023",
        "South Savo wellbeing services county, 1 February 2024",
    ]
    assert "final figures" in said(page, ".source dd")
    assert link(page, "etela-savo.example") == "https://etela-savo.example/luvut"
    assert page.select(".source p a")[1]["href"] == "./?lang=en&county=12"


@ON_SQLITE
def test_where_nothing_was_published_that_is_said(anyone: Caller) -> None:
    page = read(anyone, "./?lang=en&county=01")

    assert not page.select(".source")
    assert "No figures have been published yet." in page.get_text()
    assert link(page, "Permanent link to").startswith("./?lang=en&county=01&as_of=2024-05-15T")


@ON_SQLITE
@pytest.mark.usefixtures("_second")
def test_what_is_made_here_tells_how_it_is_protected_and_what_comes_next(anyone: Caller, app: FastAPI) -> None:
    with app.state.database.writing() as db:
        record = db.get_one(ReleaseRecord, 2).model_dump()
        audit = {**record, "id": 3, "county": "12", "audit_id": None, "origin": "imported", "as_of": None}
        db.add(ReleaseRecord(**{**audit, "next_release_on": date(2024, 8, 1)}))

    page, other = read(anyone), read(anyone, "./?lang=en&county=12")

    assert "Made of what was reported here; fewer than 5 sessions of a municipality are protected" in said(
        page, ".source dd"
    )
    assert said(other, ".source dt")[1] == "Next release expected"
    assert said(other, ".source dd")[1] == "1 August 2024"


@pytest.mark.usefixtures("_second")
def test_what_a_release_changed_is_told_with_its_reason(anyone: Caller) -> None:
    page = read(anyone)

    assert said(page, ".changes > li") == [
        "2022, correction of an error: One was forgotten Sessions before: 105. Now: 106. "
        "Municipalities before: 14. Now: 14.",
        "2023, more is known now: <b>The year</b> went on Sessions before: 23. Now: withheld. "
        "Municipalities before: 15. Now: 4.",
    ]


@ON_SQLITE
@pytest.mark.usefixtures("_second")
def test_an_earlier_release_is_shown_as_it_was_with_the_way_to_the_latest(anyone: Caller) -> None:
    latest = read(anyone)
    assert said(latest, ".releases li") == [
        "1 May 2024, preliminary figures: Release 2 (shown here)",
        "27 Mar 2023, preliminary figures: Yhdessä aika -toimintamallin kehityskaari",
    ]

    earlier = read(anyone, link(latest, "kehityskaari"))

    assert said(earlier, "main > .warning") == [
        "This is an earlier release, published on 27 March 2023. There is a later one. To the latest figures"
    ]
    assert said(earlier, ".releases li")[1].endswith("(shown here)")
    assert not earlier.select(".changes")
    assert read(anyone, link(earlier, "To the latest figures")) == latest
    as_it_was = read(anyone, "./?lang=en&county=13&as_of=2024-04-30")
    assert said(as_it_was, "main > .warning") == [
        "What is shown is what was known on 30 April 2024. To the latest figures"
    ]
    assert said(as_it_was, ".source cite") == said(earlier, ".source cite")
    assert link(as_it_was, "Permanent link to") == "./?lang=en&county=13&release=1&as_of=2024-04-30"


@pytest.mark.usefixtures("_second")
def test_downloads_are_there_in_each_format(anyone: Caller) -> None:
    page = read(anyone)
    downloads = page.select(".downloads a")

    answers = {str(one["download"]): anyone.http.get(str(one["href"]).removeprefix(".")) for one in downloads}

    names = ("years", "municipalities", "statuses", "release-2")
    assert list(answers) == [f"yhdessa-aika-13-{name}.{kind}" for name in names for kind in ("json", "csv")]
    assert {answer.status_code for answer in answers.values()} == {200}
    years = answers["yhdessa-aika-13-years.json"].json()["years"]
    lines = list(csv.DictReader(io.StringIO(answers["yhdessa-aika-13-years.csv"].text.removeprefix("\ufeff"))))
    assert [(row["year"], row["sessions"]) for row in years] == [(2022, 106), (2023, None)]
    assert [line["year"] for line in lines] == ["2022", "2023"]
    assert len(answers["yhdessa-aika-13-municipalities.json"].json()["years"]) == 2
    assert answers["yhdessa-aika-13-release-2.json"].json()["release"]["id"] == 2
    country = read(anyone, "./?lang=en")
    assert [str(one["download"]) for one in country.select(".downloads a")] == [
        f"yhdessa-aika-country-{name}.{kind}"
        for name in ("years", "counties", "municipalities", "statuses")
        for kind in ("json", "csv")
    ]


def test_a_permanent_link_shows_the_same_for_ever(
    anyone: Caller, north_savo: Caller, app: FastAPI, clock: StandingClock
) -> None:
    assert north_savo.post([], [status("297", "2022", "pilot")]).status_code == 201
    clock.advance(minutes=1)
    with app.state.database.writing() as db:
        define_practice(db, SHIPPED_PRACTICE.model_copy(update={"name_en": "Together"}), at=take_turn(db, clock))
    clock.advance(minutes=1)
    plain = read(anyone)
    address = link(plain, "Permanent link to")
    before = anyone.http.get(address.removeprefix("."))

    clock.advance(minutes=1)
    assert north_savo.post([count("297", "2023", 7777)], [status("297", "2024", "in_use")]).status_code == 201
    store(app.state.database, Release(2, date(2024, 5, 15), {2023: told(2023, 34)}, SAID), county="13", at=clock())
    import_south_savo(app)
    with app.state.database.writing() as db:
        define_practice(db, GUIDANCE.model_copy(update={"slug": "yhdessa-aika"}), at=take_turn(db, clock))
    clock.advance(days=300)

    after = anyone.http.get(address.removeprefix("."))
    assert before.status_code == 200
    assert "release=1&as_of=2024-05-15T" in address
    assert "<h1>Together: North Savo" in before.text
    assert after.text == before.text
    assert after.headers["ETag"] == before.headers["ETag"]
    assert link(read(anyone, address), "Permanent link to") == address
    assert "release 1, and what was known of the municipalities on 15 May 2024" in before.text
    assert said(read(anyone), ".source cite") == ["Release 2"]


@ON_SQLITE
def test_a_permanent_link_of_a_later_day_has_the_registers_of_that_day(anyone: Caller, clock: StandingClock) -> None:
    clock.advance(days=300)

    assert "as_of=2025-03-10T22%3A00%3A00.000000Z" in link(read(anyone), "Permanent link to")


def test_a_permanent_link_of_the_country_says_what_it_keeps(anyone: Caller, app: FastAPI, clock: StandingClock) -> None:
    page = read(anyone, "./?lang=en")
    address = link(page, "Permanent link to")
    before = anyone.http.get(address.removeprefix(".")).text

    clock.advance(days=1)
    import_south_savo(app, published_on="2024-05-16")

    assert "release=" not in address
    assert "keeps what had been published by 15 May 2024." in page.get_text()
    assert anyone.http.get(address.removeprefix(".")).text == before
    assert len(read(anyone, "./?lang=en").select(".source")) == 2


@ON_SQLITE
def test_the_view_leads_to_a_comparison_with_others(anyone: Caller) -> None:
    county, country = read(anyone), read(anyone, "./?lang=en")

    assert link(county, "Compare with others") == "./compare?lang=en&practice=yhdessa-aika&county=13"
    assert link(country, "Compare with others") == "./compare?lang=en&practice=yhdessa-aika&county=country"
    assert read(anyone, link(county, "Compare with others")).select("input[value='13'][checked]")


@ON_SQLITE
def test_a_count_that_is_not_released_stands_nowhere(anyone: Caller, north_savo: Caller, app: FastAPI) -> None:
    assert north_savo.post([count("297", "2023", 7777)], [status("297", "2023", "in_use")]).status_code == 201
    years = {2023: told(2023, None, municipalities=4, withheld=True)}
    store(app.state.database, Release(2, date(2024, 5, 1), years, SAID), county="13", at=NOW)

    pages: list[Any] = [anyone.http.get(f"/?lang={language}&county=13").text for language in ("fi", "sv", "en")]

    assert [page for page in pages if re.search("7.?777", page)] == []
