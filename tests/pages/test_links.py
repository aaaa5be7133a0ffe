"""Every link of a page leads somewhere and keeps what it does not change, whatever the page was sorted by."""

from datetime import date
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup
from fastapi import FastAPI

from app.series.facts import Release
from tests.conftest import NOW, Caller, StandingClock, status
from tests.trends.published import by_municipality, store, told
from tests.trends.test_routes import import_south_savo

SAID = by_municipality(2023, {"297": told(2023, 30), "140": told(2023, None, withheld=True)})

PAGES = [
    "/?lang=fi&sort=-share",
    "/?lang=sv&county=13&sort=-sessions_2023&sort_years=-residents",
    "/?lang=en&county=13&release=1&sort=since",
    "/?lang=en&county=13&as_of=2024-05-10&sort_years=year",
    "/compare?lang=fi&county=13&county=12&sort=-share",
    "/definitions?lang=sv",
]


@pytest.fixture
def _published(app: FastAPI, kuopio: Caller, clock: StandingClock) -> None:
    """Releases of two counties, the second of North Savo's about single municipalities, and a status."""
    import_south_savo(app)
    years = {2023: told(2023, None, municipalities=4, withheld=True)}
    store(app.state.database, Release(3, date(2024, 5, 1), years, SAID), county="13", at=NOW)
    assert kuopio.post([], [status("297", "2022-03-01", "pilot")]).status_code == 201
    clock.advance(minutes=1)


def links(page: BeautifulSoup) -> set[str]:
    """The addresses at this service that the page leads to."""
    found = {str(one["href"]).partition("#")[0] for one in page.select("a[href], link[href]")}
    return {address for address in found if address.startswith("./")}


@pytest.mark.usefixtures("_published")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("address", PAGES)
def test_every_link_of_a_page_leads_somewhere(anyone: Caller, address: str) -> None:
    page = BeautifulSoup(anyone.http.get(address).text, "html.parser")

    answers = {link: anyone.http.get(urljoin(address, link)).status_code for link in links(page)}

    assert len(answers) > 8
    assert {link: code for link, code in answers.items() if code != 200} == {}


@pytest.mark.usefixtures("_published")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_read_of_a_past_day_is_of_that_day_on_the_pages_it_leads_to(anyone: Caller) -> None:
    page = BeautifulSoup(anyone.http.get("/?lang=en&county=13&as_of=2024-05-10").text, "html.parser")

    [compare] = [str(one["href"]) for one in page.select("main a") if "Compare with others" in one.text]
    form = {str(one["name"]): str(one["value"]) for one in page.select("form input[type=hidden]")}
    compared = BeautifulSoup(anyone.http.get(urljoin("/", compare)).text, "html.parser")

    assert parse_qs(urlsplit(compare).query)["as_of"] == ["2024-05-10"]
    assert form["as_of"] == "2024-05-10"
    assert [str(one["value"]) for one in compared.select("form input[name=as_of]")] == ["2024-05-10"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_wrong_with_a_page_is_told_in_other_languages_of_the_same_page(anyone: Caller) -> None:
    told_wrong = anyone.http.get("/compare?county=99&lang=en", headers={"Accept": "text/html"})

    page = BeautifulSoup(told_wrong.text, "html.parser")
    assert told_wrong.status_code == 422
    assert [str(one["href"]) for one in page.select(".languages a")] == [
        f"./compare?lang={language}" for language in ("fi", "sv", "en")
    ]
