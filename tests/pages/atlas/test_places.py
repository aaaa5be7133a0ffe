"""The map, the tables beside it and the timelines, as they stand in the page, against what the API says."""

import re
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from fastapi import FastAPI

from app.pages.atlas.boundaries import boundaries
from app.pages.atlas.map import _others
from app.series.facts import Release
from tests.conftest import NOW, Caller, sqlite_copy, status
from tests.trends.published import by_municipality, store, told

PUBLISHED_ON = date(2024, 5, 1)
# Of 2023: Kuopio is shown, Iisalmi and Kiuruvesi are withheld, Suonenjoki is silent, nobody is active in Vesanto.
SAID = {
    "140": told(2023, None, withheld=True),
    "263": told(2023, None, withheld=True),
    "297": told(2023, 30),
    "778": told(2023, None),
    "921": told(2023, None, municipalities=0),
}
STATUSES = [
    status("297", "2022-03-01", "pilot"),
    status("297", "2023-01", "in_use"),
    status("297", "2024-02-01", "in_use"),
    status("140", "2022", "pilot"),
    status("749", "2022-08-01", "pilot"),
    status("921", "2024-05-02", "planned"),
]


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """Of one kind alone: what is drawn does not depend on it."""
    return sqlite_copy(migrated_sqlite, tmp_path)


@pytest.fixture
def published(app: FastAPI, nation: Caller) -> None:
    """North Savo's second release, which speaks of single municipalities, and what they say of themselves."""
    years = {2023: told(2023, 34, municipalities=4), 2024: replace(told(2024, 12, municipalities=4), partial=True)}
    municipalities = {**by_municipality(2023, SAID), "297": {2023: SAID["297"], 2024: told(2024, 12)}}
    store(app.state.database, Release(2, PUBLISHED_ON, years, municipalities), county="13", at=NOW)
    assert nation.post([], STATUSES).status_code == 201


def test_every_municipality_of_a_county_is_on_the_map_once_and_leads_to_its_row(
    anyone: Caller, published: None
) -> None:
    page = page_of(anyone, county="13", lang="en")

    links = page.select("svg.map a")
    assert Counter(str(link["href"]) for link in links) == Counter(f"#{row['id']}" for row in rows(page))
    assert len(links) == 19
    assert [len(link.find_all("path")) for link in links] == [1] * 19
    shown = {str(link["aria-label"]): classes(link) for link in links}
    assert shown["Kuopio: in use"] == ["in_use"]
    assert shown["Iisalmi: on trial"] == ["pilot"]
    assert shown["Vesanto: planned"] == ["planned"]
    assert shown["Kiuruvesi: not published"] == ["unknown"]
    assert texts(page, ".places .legend li") == ["in use: 1", "on trial: 2", "planned: 1", "not published: 15"]
    assert "National Land Survey of Finland" in texts(page, ".places figure .note")[0]
    # Kauniainen is in a hole of Espoo.
    assert page.select_one("svg.map")["fill-rule"] == "evenodd"  # type: ignore[index]


def test_where_a_municipality_stands_since_when_is_told_as_exactly_as_it_is_known(
    anyone: Caller, published: None
) -> None:
    page = page_of(anyone, county="13", lang="en")

    kuopio, iisalmi, kiuruvesi = (cells(page, f"m{code}") for code in ("297", "140", "263"))
    assert kuopio["name"] == ("Kuopio", None)
    assert kuopio["status"] == ("in use", "in_use")
    assert kuopio["since"] == ("Jan 2023", "2023-01")
    assert iisalmi["since"] == ("2022", "2022")
    assert kiuruvesi["status"] == kiuruvesi["since"] == ("not published", None)
    assert texts(page, ".timeline li") == [
        "Iisalmi 2022 on trial",
        "Kuopio 1 Mar 2022 on trial, Jan 2023 in use",
        "Siilinjärvi 1 Aug 2022 on trial",
        "Vesanto 2 May 2024 planned",
    ]


def test_sessions_of_municipalities_are_those_of_the_release_and_nothing_of_what_it_withholds(
    anyone: Caller, published: None
) -> None:
    page = page_of(anyone, county="13", lang="en")

    answer = anyone.get("/v1/trends", county="13", by="municipality").json()["years"]
    released = {row["area_code"]: row["sessions"] for row in answer if row["year"] == 2023}
    shown = {str(row["id"])[1:]: cells(page, str(row["id"]))["sessions_2023"] for row in rows(page)}
    assert {code: shown[code][1] for code in released} == {
        code: None if sessions is None else str(sessions) for code, sessions in released.items()
    }
    assert {code: shown[code][0] for code in SAID} == {
        "140": "withheld",
        "263": "withheld",
        "297": "30",
        "778": "not reported",
        "921": "not applicable",
    }
    assert {text for code, (text, _) in shown.items() if code not in SAID} == {"not known"}
    assert texts(page, "#places thead th")[3:] == ["Sessions 2024 (part of the year)", "Sessions 2023"]


def test_what_has_no_figure_stands_last_and_in_the_order_of_the_names(anyone: Caller, published: None) -> None:
    by_name = [str(row["id"]) for row in rows(page_of(anyone, county="13"))]

    for sort in ("sessions_2023", "-sessions_2023"):
        sorted_rows = [str(row["id"]) for row in rows(page_of(anyone, county="13", sort=sort))]
        assert sorted_rows == ["m297", *(row for row in by_name if row != "m297")]
    for sort, first in (("status", ["m297", "m140", "m749"]), ("-since", ["m921", "m297", "m749"])):
        assert [str(row["id"]) for row in rows(page_of(anyone, county="13", sort=sort))][:3] == first


def test_names_stand_in_the_order_of_the_language_of_the_page(anyone: Caller) -> None:
    finnish, swedish = (texts(page_of(anyone, county="16", lang=lang), "#places tbody th") for lang in ("fi", "sv"))

    assert finnish[-3:] == ["Teuva", "Vimpeli", "Ähtäri"]
    assert swedish[-4:] == ["Storkyro", "Storå", "Vindala", "Östermark"]


def test_a_column_that_there_is_not_is_refused(anyone: Caller) -> None:
    answer = anyone.get("/", county="13", sort="sessions_1999")

    assert answer.status_code == 422


def test_a_county_that_published_a_number_alone_is_marked_as_such(anyone: Caller) -> None:
    page = page_of(anyone, county="13", lang="en")

    assert {tuple(classes(link)) for link in page.select("svg.map a")} == {("counted",)}
    assert texts(page, ".places .legend li") == ["only numbers of the whole county published: 19"]
    assert "but not which ones" in texts(page, ".places > .note")[0]
    assert headings(page) == ["name", "status", "since"]
    assert page.select(".timeline") == []


def test_a_county_of_which_nothing_is_known_has_a_map_all_the_same(anyone: Caller) -> None:
    page = page_of(anyone, county="12", lang="en")

    assert {tuple(classes(link)) for link in page.select("svg.map a")} == {("unknown",)}
    assert "Nothing has been published" in texts(page, ".places > .note")[0]


@pytest.mark.parametrize(
    ("as_of", "day", "number"),
    [("2024-12-31", "31 December 2024", 12), ("2024-12-31T22:00:00Z", "1 January 2025", 11)],
)
def test_a_merged_municipality_is_drawn_until_the_day_of_its_merger(
    anyone: Caller, clock: Any, as_of: str, day: str, number: int
) -> None:
    clock.advance(days=400)

    page = page_of(anyone, county="12", as_of=as_of, lang="en")

    assert texts(page, "#places caption") == [f"Municipalities: status on {day}"]
    links = {str(link["href"]): str(link.path["d"]) for link in page.select("svg.map a") if link.path}
    assert len(links) == len(rows(page)) == number
    assert ("#m588" in links) == (number == 12)
    assert links["#m507"].count("z") == 13 - number


def test_the_country_leads_to_each_county_and_draws_every_municipality_once(anyone: Caller, published: None) -> None:
    page = page_of(anyone, lang="en")

    drawn = {str(link["href"]): len(link.find_all("path")) for link in page.select("svg.map a")}
    known = anyone.get("/v1/counties").json()["rows"]
    assert drawn == {f"./?lang=en&county={county['code']}": county["municipalities"] for county in known}
    assert len({path["d"] for path in page.select("svg.map path[d]") if not path.find_parent("pattern")}) == 293 + 3
    labels = {str(link["aria-label"]) for link in page.select("svg.map a")}
    assert "North Savo wellbeing services county: in use 1, on trial 2, planned 1, not published 15" in labels
    assert "City of Helsinki: not published 1" in labels
    assert page.select_one("svg.map path.outside") is not None


def test_the_country_says_of_a_county_without_single_municipalities_how_many_have_it(anyone: Caller) -> None:
    labels = [str(link["aria-label"]) for link in page_of(anyone, lang="en").select("svg.map a")]

    assert "North Savo wellbeing services county: 15 of 19 municipalities in 2023" in labels


def test_how_many_have_it_is_of_the_latest_year_that_says_so(app: FastAPI, anyone: Caller) -> None:
    years = {2021: told(2021, 94, municipalities=8), 2022: replace(told(2022, 105), municipalities=None)}
    store(app.state.database, Release(2, PUBLISHED_ON, years), county="13", at=NOW)

    page = page_of(anyone, lang="en")

    labels = [str(link["aria-label"]) for link in page.select("svg.map a")]
    assert "North Savo wellbeing services county: 8 of 1 municipalities in 2021" in labels
    assert cells(page, "c13")["year"] == ("2022", "2022")


def test_the_table_beside_the_map_says_what_the_map_says(anyone: Caller) -> None:
    page = page_of(anyone, county="13", lang="en")

    assert cells(page, "m297")["status"] == ("only numbers of the whole county published", None)


def test_land_that_no_link_is_about_is_drawn_in_the_same_order_by_every_process() -> None:
    others = list(_others(boundaries(), {"297": "13"}))

    assert others == sorted(others)


def test_each_county_shows_the_figures_of_its_latest_year(anyone: Caller, published: None) -> None:
    page = page_of(anyone, lang="en", sort="-sessions")

    latest = anyone.get("/v1/trends", by="county").json()["years"][-1]
    assert str(rows(page)[0]["id"]) == "c13"
    shown = cells(page, "c13")
    for key in headings(page)[1:]:
        assert shown[key][1] == (None if latest[key] is None else str(latest[key])), key
    assert cells(page, "c12")["year"] == ("not published", None)
    assert cells(page, "c12")["sessions"] == ("–", None)
    assert [str(link["href"]) for link in page.select("#c12 a")] == ["./?lang=en&county=12"]


def test_a_map_is_small(anyone: Caller, published: None) -> None:
    assert len(str(page_of(anyone).select_one("svg.map"))) < 150_000
    assert len(str(page_of(anyone, county="19").select_one("svg.map"))) < 40_000


def test_what_is_named_by_its_id_is_there_and_there_once(anyone: Caller, published: None) -> None:
    page = page_of(anyone, county="13")

    ids = Counter(str(tag["id"]) for tag in page.select("[id]"))
    used = set(re.findall(r"url\(#([^)]+)\)", str(page)))
    used |= {str(use["href"])[1:] for use in page.select("use")}
    used |= {part for tag in page.select("[aria-labelledby]") for part in str(tag["aria-labelledby"]).split()}
    assert [name for name, number in ids.items() if number > 1] == []
    assert used - ids.keys() == set()


def page_of(reader: Caller, **query: str) -> BeautifulSoup:
    answer = reader.get("/", **query)
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def rows(page: BeautifulSoup) -> list[Tag]:
    return page.select("#places tbody tr")


def headings(page: BeautifulSoup) -> list[str]:
    return [str(heading["data-key"]) for heading in page.select("#places thead th")]


def cells(page: BeautifulSoup, row: str) -> dict[str, tuple[str, str | None]]:
    """By the key of the column: the words of a cell, and its bare value if it has one."""
    found = page.select(f"#{row} > *")
    return {key: (said(cell), bare(cell)) for key, cell in zip(headings(page), found, strict=True)}


def bare(cell: Tag) -> str | None:
    figure = cell.find(["data", "time"])
    return None if figure is None else str(figure.get("value") or figure.get("datetime"))


def said(tag: Tag) -> str:
    return " ".join(tag.get_text(" ").split())


def texts(page: BeautifulSoup, selector: str) -> list[str]:
    return [said(tag) for tag in page.select(selector)]


def classes(link: Tag) -> list[str]:
    return [str(name) for path in link.find_all("path") for name in path["class"]]
