"""/compare: the same figures as the API's on one scale, in the order and number that was asked for."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from fastapi import FastAPI
from hypothesis import given, strategies as st

from app.clock import AsOf
from app.pages.compare.comparison import Part, compare_part
from app.pages.language import Language
from app.pages.reading.sides import Compared, ComparisonView, Side
from app.pages.wording import wording
from app.practices.definitions import SHIPPED_PRACTICE, define_practice
from app.series.facts import Release
from tests.conftest import NOW, Caller, count, status
from tests.pages.compare.test_cautions import NORTH, SOUTH, row, side
from tests.pages.front.test_about import ON_SQLITE
from tests.practices.test_definitions import GUIDANCE
from tests.trends.published import store, told
from tests.trends.test_routes import import_south_savo, live_from

LANGUAGES: Sequence[Language] = ("fi", "sv", "en")


def part_of(*sides: Side, left_out: int = 0, language: Language = "en", **asked: Any) -> Part:
    shown = Compared([SHIPPED_PRACTICE], [NORTH, SOUTH], sides, left_out, AsOf("2024-05-15", date(2024, 5, 15), None))
    return compare_part(wording(language), shown, ComparisonView(page="compare", language=language, **asked))


def read(caller: Caller, **asked: Any) -> BeautifulSoup:
    answer = caller.get("/compare", lang="en", **asked)
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def said(tag: Tag | BeautifulSoup, selector: str) -> list[str]:
    return [" ".join(found.get_text().split()) for found in tag.select(selector)]


def cells(page: BeautifulSoup) -> dict[str, dict[str, str | None]]:
    """By the id of its row and the key of its column: what a cell says to programs."""
    keys = [heading["data-key"] for heading in page.select("#compared th[data-key]")]
    return {
        str(line["id"]): {str(key): _value(cell) for key, cell in zip(keys, line.find_all(["th", "td"]), strict=True)}
        for line in page.select("#compared tbody tr")
    }


def _value(cell: Tag) -> str | None:
    found = cell.find(["data", "time"])
    return None if found is None else str(found.get("value") or found.get("datetime"))


@pytest.fixture
def _released(app: FastAPI, nation: Caller) -> None:
    """South Savo's totals beside North Savo's, which withholds 2022; the public does not see the counts."""
    import_south_savo(app)
    years = {2022: told(2022, None, withheld=True), 2023: told(2023, 34, municipalities=4)}
    store(app.state.database, Release(3, date(2024, 5, 1), years), county="13", at=NOW)
    live_from(app, "13", 2022)
    assert nation.post([count("297", "2022", 7777)], [status("297", "2022", "in_use")]).status_code == 201


@pytest.mark.usefixtures("_released")
def test_every_cell_says_what_the_api_says(anyone: Caller) -> None:
    page = read(anyone, county=["12", "country", "13"])

    found = cells(page)

    for number, query in enumerate(({"county": "12"}, {}, {"county": "13"}), start=1):
        rows = anyone.get("/v1/trends", **query).json()["years"]
        for told_by_api in rows:
            if told_by_api["basis"] == "none":
                assert f"side-{number}-{told_by_api['year']}" not in found
                continue
            line = found.pop(f"side-{number}-{told_by_api['year']}")
            assert line.pop("side") is None
            assert line == {key: None if told_by_api[key] is None else str(told_by_api[key]) for key in line}
            assert {"share", "sessions_per_1000_residents", "through", "coverage", "counties"} < line.keys()
    assert found == {}
    assert not re.search("7.?777", str(page))
    assert "North Savo wellbeing services county 2022" in " ".join(said(page, "#side-3-2022"))
    assert "withheld" in said(page, "#side-3-2022 td")
    assert "2022, North Savo wellbeing services county: sessions are withheld" in said(page, ".cautions li")
    assert (
        "2022, The whole country: North Savo wellbeing services county, left out, since it withholds its sessions"
        in said(page, ".cautions li")
    )
    assert not {"sessions", "reporting"} & {str(th["data-key"]) for th in page.select("th[data-key]")}


@ON_SQLITE
def test_nothing_is_compared_until_two_are_chosen(anyone: Caller) -> None:
    nothing, one, two = (read(anyone, county=chosen) for chosen in ([], ["13"], ["13", "country"]))

    assert said(nothing, ".lead")[0].startswith("Choose two or more areas")
    country, *counties = said(nothing, "fieldset li")
    assert country == "The whole country"
    assert counties == sorted(counties)
    assert len(counties) == len(nothing.select("input[type=checkbox]")) - 1 == 22
    assert not nothing.select("#compared, .cautions, svg")
    assert said(one, "main > .note") == ["One is chosen. Choose another to compare it with."]
    assert [str(box["value"]) for box in two.select("input[checked]")] == ["country", "13"]
    assert [page.select_one("details.choose").has_attr("open") for page in (nothing, one, two)] == [True, True, False]  # type: ignore[union-attr]
    assert said(two, ".finding li") == [
        "North Savo wellbeing services county: 73.7%",
        "The whole country: 73.7%; 1 of 22 counties",
    ]
    assert said(two, "#share-heading + .charts figcaption") == [
        "In 2023 (part of the year): 15 of 19 municipalities (78.9%)",
        "In 2023 (part of the year): 15 of 19 municipalities (78.9%); 1 of 22 counties",
    ]


@ON_SQLITE
def test_a_practice_can_be_compared_with_another(anyone: Caller, app: FastAPI) -> None:
    with app.state.database.writing() as db:
        define_practice(db, GUIDANCE, at=NOW)

    page = read(anyone, county=["13"], practice=["yhdessa-aika", GUIDANCE.slug])
    both = read(anyone, county=["13", "12"], practice=["yhdessa-aika", GUIDANCE.slug])

    assert said(page, "#share-heading + .charts h3") == ["Yhdessä aika", "Guidance and counselling"]
    assert (
        said(both, "#share-heading + .charts h3")[3] == "Guidance and counselling: South Savo wellbeing services county"
    )
    assert said(page, "h1") == ["Compare: North Savo wellbeing services county"]
    assert said(read(anyone, county=["13"]), "h1") == ["Compare: Yhdessä aika"]
    assert said(both, "h1") == said(read(anyone), "h1") == ["Compare"]
    assert [str(box["value"]) for box in page.select("input[name=practice][checked]")] == [
        GUIDANCE.slug,
        "yhdessa-aika",
    ]
    assert page.select(".charts h3 a")[1]["href"] == f"./?lang=en&practice={GUIDANCE.slug}&county=13"


@ON_SQLITE
def test_the_first_six_are_shown_each_once(anyone: Caller) -> None:
    page = read(anyone, county=["13", "12", "13", "11", "10", "09", "08", "07", "06"])

    assert len(page.select("section:first-of-type .charts figure")) == 6
    assert said(page, "main > .warning") == ["At most 6 fit side by side: 2 of your choice are left out."]
    assert read(anyone, county=["13", "13"]).select("main > .note")


@ON_SQLITE
def test_what_there_is_not_is_refused(anyone: Caller) -> None:
    asked = ("county=99", "county=xx", "practice=none&county=13", "county=13&sort=sessions", "county=13&release=1")

    assert [anyone.http.get(f"/compare?{query}").status_code for query in asked] == [422] * 5


@ON_SQLITE
@pytest.mark.usefixtures("_released")
def test_a_comparison_can_be_sorted_and_keeps_what_it_compares(anyone: Caller) -> None:
    page = read(anyone, county=["12", "13"])
    [address] = [str(link["href"]) for link in page.select("th[data-key=share] a")]

    ascending = anyone.http.get(address.removeprefix(".").partition("#")[0])

    order = list(cells(BeautifulSoup(ascending.text, "html.parser")))
    assert order == ["side-1-2021", "side-1-2023", "side-2-2022", "side-2-2023"]
    assert list(cells(page)) == ["side-1-2023", "side-2-2023", "side-2-2022", "side-1-2021"]
    assert page.select_one(".languages a[lang=fi]")["href"] == "./compare?lang=fi&county=12&county=13"  # type: ignore[index]


def test_a_permanent_link_shows_the_same_when_more_is_published(anyone: Caller, app: FastAPI) -> None:
    plain = anyone.get("/compare", lang="en", county=["12", "13"])
    [link] = [link for link in BeautifulSoup(plain.text, "html.parser").select("main a") if "Permanent" in link.text]
    address = str(link["href"]).removeprefix(".")
    before = anyone.http.get(address)

    app.state.clock.advance(days=1)
    import_south_savo(app, published_on="2024-05-16")

    assert before.status_code == 200
    assert "The link keeps what had been published by 15 May 2024." in before.text
    assert anyone.http.get(address).text == before.text
    assert "South Savo wellbeing services county: 2021, 2023" in said(read(anyone, county=["12", "13"]), ".cautions li")
    assert "2023" not in cells(BeautifulSoup(before.text, "html.parser"))


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted), min_size=1, max_size=11),
    st.lists(st.floats(0, 50), min_size=1, max_size=11),
)
def test_columns_are_as_high_as_their_figures_on_one_scale(shares: list[list[int]], rates: list[float]) -> None:
    first = side(
        *(
            row(year=2015 + n, municipalities=part, municipalities_in_area=whole, share=part / whole if whole else None)
            for n, (part, whole) in enumerate(shares)
        )
    )
    second = side(*(row(year=2015 + n, sessions_per_1000_residents=rate) for n, rate in enumerate(rates)), county=SOUTH)

    part = part_of(first, second)

    years = [2015 + n for n in range(max(len(shares), len(rates)))][-8:]
    assert {tuple(bar.year for bar in picture.bars) for picture in (*part.shares, *part.rates)} == {tuple(years)}
    for bar in part.shares[0].bars:
        active, whole = shares[bar.year - 2015] if bar.year - 2015 < len(shares) else (0, 0)
        expected = Fraction(120 * active, whole) if whole else Fraction(0)
        assert bar.known == bool(whole)
        assert abs(Fraction(bar.height) - expected) <= Fraction(1, 19)
    shown = [rate for n, rate in enumerate(rates) if 2015 + n in years] + [0.378] * (years[0] - 2015 < len(shares))
    for bar in part.rates[1].bars:
        if bar.known:
            assert bar.height == pytest.approx(120 * rates[bar.year - 2015] / (max(shown) or 1), abs=0.06)
    for picture in (*part.shares, *part.rates):
        assert all(bar.top + bar.height == pytest.approx(146) and bar.top >= 26 for bar in picture.bars)
        assert all(bar.left >= 0 and bar.left + bar.width <= 320 for bar in picture.bars)
        assert all(one.left + one.width < next_one.left for one, next_one in pairwise(picture.bars))
        assert [re.findall(r"(\d{4}): ([^;]+)", picture.description)] == [
            [(str(bar.year), bar.text) for bar in picture.bars]
        ]


def test_neither_almost_all_nor_almost_none_is_rounded_to_what_it_is_not() -> None:
    shares = [(291, 292), (1, 292), (0, 292), (292, 292), (1, 3)]
    years = [
        row(year=2018 + place, municipalities=some, municipalities_in_area=all_, share=round(some / all_, 4))
        for place, (some, all_) in enumerate(shares)
    ]

    part = part_of(side(*years))

    assert [bar.text for bar in part.shares[0].bars] == ["99.7%", "0.3%", "0%", "100%", "33%"]


def test_a_part_year_is_marked_and_is_not_what_is_found() -> None:
    whole, part_year = row(year=2022), row(year=2023, municipalities=9, partial=True, sessions_per_1000_residents=None)

    part = part_of(side(whole, part_year), side(whole, county=SOUTH))

    assert [(bar.text, bar.partial) for bar in part.shares[0].bars] == [("42%", False), ("47%", True)]
    assert part.shares[0].description == "2022: 42%; 2023: 47% (part of the year)"
    assert part.shares[0].caption == "In 2023 (part of the year): 9 of 19 municipalities (47.4%)"
    assert part.shares[1].caption == "In 2022: 8 of 19 municipalities (42.1%)"
    assert part.part_years
    assert part.finding == (
        "Municipalities with the practice on trial or in use, as a share of all, in 2022, the latest whole year that "
        "all of them have:",
        ["North Savo: 42.1%", "South Savo: 42.1%"],
    )
    assert part_of(side(part_year), side(whole, county=SOUTH)).finding == (
        "There is no whole year of which all of them have published a share.",
        [],
    )
    assert part_of(side(whole), side(county=SOUTH)).finding is None


def test_zero_is_a_figure_and_nothing_is_none() -> None:
    zero = side(row(municipalities=0, share=0.0, sessions=0, sessions_per_1000_residents=0.0))
    nothing = side(row(municipalities=None, share=None, sessions_per_1000_residents=None, coverage=None), county=SOUTH)

    part = part_of(zero, nothing)

    assert [(bar.text, bar.known, bar.height) for picture in part.shares for bar in picture.bars] == [
        ("0%", True, 0),
        ("–", False, 0),
    ]
    assert [picture.caption for picture in part.rates] == [
        "In 2021: 0 sessions per 1,000 residents",
        "Not known of any whole year",
    ]
    assert part.shares[1].caption == "Not known"
    assert [cell.text for cell in part.table.rows[1][1]][2:8] == [
        "not known",
        "not known",
        "19",
        "not known",
        "31 Dec 2021",
        "not known",
    ]
    assert part_of(nothing, nothing).rates == []
    assert part_of(zero, replace(nothing, practice=GUIDANCE)).rates[1].caption == "Sessions are not counted"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", [1, 2])
def test_numbers_have_their_plural_forms(language: Language, number: int) -> None:
    few = row(municipalities=1, municipalities_in_area=number)

    part = part_of(side(few), side(few, county=SOUTH), left_out=number, language=language)

    assert (
        part.too_many
        == {
            ("fi", 1): "Rinnakkain mahtuu enintään 2. Valinnoistasi jää pois 1.",
            ("fi", 2): "Rinnakkain mahtuu enintään 2. Valinnoistasi jää pois 2.",
            ("sv", 1): "Högst 2 ryms sida vid sida. Av dina val utelämnas 1.",
            ("sv", 2): "Högst 2 ryms sida vid sida. Av dina val utelämnas 2.",
            ("en", 1): "At most 2 fit side by side: 1 of your choice is left out.",
            ("en", 2): "At most 2 fit side by side: 2 of your choice are left out.",
        }[language, number]
    )
    assert (
        part.shares[0].caption
        == {
            ("fi", 1): "Vuonna 2021: 1 / 1 kunta (100,0\u00a0%)",
            ("fi", 2): "Vuonna 2021: 1 / 2 kuntaa (50,0\u00a0%)",
            ("sv", 1): "År 2021: 1 av 1 kommun (100,0\u00a0%)",
            ("sv", 2): "År 2021: 1 av 2 kommuner (50,0\u00a0%)",
            ("en", 1): "In 2021: 1 of 1 municipality (100.0%)",
            ("en", 2): "In 2021: 1 of 2 municipalities (50.0%)",
        }[language, number]
    )
