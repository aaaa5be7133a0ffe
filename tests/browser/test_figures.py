"""A person reads the figures that a program gets, cell by cell; and where there is none, a word that says so."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import LANGUAGES, Watched

pytestmark = pytest.mark.browser

# Every table as it is shown: under the key of its column each cell's value for programs, and its words.
TABLES = """() => {
  document.querySelectorAll("details").forEach(details => { details.open = true; });
  return Object.fromEntries([...document.querySelectorAll("table")].map(table => {
    const keys = [...table.querySelectorAll("thead th")].map(heading => heading.dataset.key);
    const rows = [...table.querySelectorAll("tbody tr")].map(row => [row.id, Object.fromEntries(
      [...row.cells].map((cell, place) => {
        const figure = cell.querySelector("data, time");
        return [keys[place], [figure?.value ?? figure?.dateTime ?? null, cell.innerText.trim()]];
      }))]);
    return [table.id, Object.fromEntries(rows)];
  }));
}"""

Cells = Mapping[str, tuple[str | None, str]]
Row = Mapping[str, Any]

# Words beside a figure, and headings of rows.
WORDS = {"name", "side", "status"}
ROUNDED = {"share": 0.00055, "coverage": 0.00005}
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@pytest.mark.parametrize(
    "query", ["", "county=13", "county=12", "county=18", "county=13&release=1", "county=04&as_of=2024-06-01"]
)
def test_the_years_are_those_of_the_trend(watched: Watched, country_url: str, query: str) -> None:
    years = {str(row["year"]): row for row in _trend(country_url, query)}

    for language in LANGUAGES:
        shown = _tables(watched.page, f"{country_url}/?{query}&lang={language}")

        for name in ("years", "more-years"):
            assert {cells["year"][0] for cells in shown[name].values()} == set(years) != set()
            for cells in shown[name].values():
                _compare(cells, years[str(cells["year"][0])], language)


def test_the_counties_are_those_of_the_trend(watched: Watched, country_url: str) -> None:
    latest = {row["area_code"]: row for row in _trend(country_url, "by=county")}

    for language in LANGUAGES:
        shown = _tables(watched.page, f"{country_url}/?lang={language}")["places"]

        assert len(shown) == 22
        unpublished = shown.pop("c21")
        assert [value for value, _ in unpublished.values()] == [None] * len(unpublished)
        for code, cells in shown.items():
            _compare(cells, latest[code.removeprefix("c")], language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_municipalities_are_those_of_the_trend(watched: Watched, country_url: str, language: str) -> None:
    told = {(row["area_code"], row["year"]): row for row in _trend(country_url, "by=municipality&county=13")}
    answer = httpx.get(f"{country_url}/v1/statuses", params={"county": "13", "practice": "yhdessa-aika"}).json()
    status = {row["municipality"]: row["status"] for row in sorted(answer["rows"], key=lambda row: row["date"])}

    shown = _tables(watched.page, f"{country_url}/?county=13&lang={language}")["places"]

    assert len(shown) == 19
    for code, cells in shown.items():
        municipality = code.removeprefix("m")
        assert cells["status"][0] == status.get(municipality)
        for year in (2023, 2024):
            figure = {f"sessions_{year}": told[municipality, year]["sessions"]}
            _compare({name: cells[name] for name in figure}, figure, language)
    words = {
        missing: {
            shown[f"m{code}"][f"sessions_{year}"]
            for (code, year), row in told.items()
            if row["sessions_missing"] == missing
        }
        for missing in ("withheld", "not_reported", "not_applicable")
    }
    assert [len(said) for said in words.values()] == [1, 1, 1]
    assert len(set().union(*words.values())) == 3


def test_what_is_side_by_side_is_that_of_the_trends(watched: Watched, country_url: str) -> None:
    sides = [{str(row["year"]): row for row in _trend(country_url, f"county={code}")} for code in ("13", "12")]

    for language in LANGUAGES:
        shown = _tables(watched.page, f"{country_url}/compare?county=13&county=12&lang={language}")["compared"]

        assert len(shown) == sum(len(years) for years in sides)
        for name, cells in shown.items():
            _, side, year = name.split("-")
            _compare(cells, sides[int(side) - 1][year], language)


def test_a_column_is_sorted_by_its_figures(watched: Watched, country_url: str) -> None:
    page = watched.page
    page.goto(f"{country_url}/?county=13&lang=fi")
    page.locator("th[data-key='sessions_2024'] a").click()
    ascending = _order(page, "sessions_2024")
    page.locator("th[data-key='sessions_2024'] a").click()
    descending = _order(page, "sessions_2024")

    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    figures = [int(value) for value in ascending if value is not None]
    assert len(figures) > 3
    assert figures == sorted(figures)
    assert ascending == [*map(str, figures), *[None] * (19 - len(figures))]
    assert descending == [*map(str, reversed(figures)), *[None] * (19 - len(figures))]


def _trend(url: str, query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = httpx.get(f"{url}/v1/trends?{query}").raise_for_status().json()["years"]
    return rows


def _tables(page: Page, address: str) -> dict[str, dict[str, dict[str, tuple[str | None, str]]]]:
    page.goto(address)
    tables = page.evaluate(TABLES)
    return {
        name: {row: {key: tuple(cell) for key, cell in cells.items()} for row, cells in rows.items()}
        for name, rows in tables.items()
    }


def _order(page: Page, key: str) -> list[str | None]:
    return [cells[key][0] for cells in page.evaluate(TABLES)["places"].values()]


def _compare(cells: Cells, row: Row, language: str) -> None:
    """Every cell has the value of the API's row and says it in words; where that is null there are words alone."""
    for key, (value, text) in cells.items():
        if key in WORDS:
            continue
        assert value == (None if row[key] is None else str(row[key])), key
        if value is None:
            assert re.search(r"[^\W\d]", text), f"{key} says {text!r} for null"
            assert not re.search(r"\d", text), f"{key} says {text!r} for null"
        else:
            understood = _understood(key, text, language)
            # The API rounds a share to four decimals, and the page the same share to fewer.
            meant = pytest.approx(row[key], abs=ROUNDED[key]) if key in ROUNDED else row[key]
            assert understood == meant, f"{key} says {text!r} for {value}"


def _understood(key: str, text: str, language: str) -> Any:
    """What a reader of `language` makes of the words."""
    if found := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text):
        return f"{found[3]}-{int(found[2]):02}-{int(found[1]):02}"
    if found := re.fullmatch(r"(\d{1,2}) (\w{3})t? (\d{4})", text):
        return f"{found[3]}-{MONTHS.index(found[2]) + 1:02}-{int(found[1]):02}"
    number = text.partition(" (")[0].replace("\u00a0", "").replace("\u2212", "-").removeprefix("+")
    number = number.replace(",", "" if language == "en" else ".")
    return float(number.removesuffix("%")) / 100 if key in ROUNDED else float(number)
