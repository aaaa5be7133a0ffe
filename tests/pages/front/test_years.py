"""The tables of years, and all of it on the front page."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from bs4 import BeautifulSoup
from fastapi import FastAPI

from app.clock import AsOf
from app.errors import InvalidParameter
from app.pages.front.years import Part, trend_part
from app.pages.language import Language
from app.pages.reading.overview import Overview
from app.pages.reading.provenance import Provenance
from app.pages.tables import Cell, Table
from app.pages.view import View
from app.pages.wording import wording
from app.practices.definitions import SHIPPED_PRACTICE
from app.series.facts import Release
from app.trends.answer import COUNTRY
from app.trends.models import Trend, TrendRow
from tests.conftest import NOW, Caller, count, status
from tests.pages.trend_rows import PAIR, SILENT, UNDER_WAY, WITHHELD, row
from tests.trends.published import store, told

# Said of the row as a whole, or never in what the public reads.
NOT_IN_TABLES = {
    *("practice", "area_type", "area_code", "area_name_fi", "release_id", "published_on", "basis", "counties_total"),
    *("active_at_end", "partial", "break_in_series", "sessions_missing"),
    *("released_municipalities", "released_sessions", "released_on"),
    *("difference_municipalities", "difference_sessions"),
}


def told_of(
    rows: Sequence[TrendRow], sort: str | None = None, *, counted: bool = True, language: Language = "en"
) -> Part:
    """The part of the page about `rows`."""
    shown = Overview(
        practice=SHIPPED_PRACTICE.model_copy(update={"counted": counted}),
        practices=[],
        county=None,
        counties=[],
        trend=Trend(
            practice="yhdessa-aika", area=COUNTRY, read="release", as_of="2024-05-15", releases=[], years=list(rows)
        ),
        parts=[],
        releases=[],
        standings=[],
        provenance=Provenance([], [], AsOf("2024-05-15", NOW.date(), None)),
    )
    return trend_part(wording(language), shown, View(page="", language=language, sort_years=sort))


def cells(part: Part) -> list[dict[str, Cell]]:
    """Of each row of both tables the cells by column."""

    def by_column(table: Table) -> list[dict[str, Cell]]:
        keys = [heading.key for heading in table.headings]
        return [dict(zip(keys, row, strict=True)) for _, row in table.rows]

    return [{**one, **other} for one, other in zip(by_column(part.figures), by_column(part.more), strict=True)]


FULL: dict[str, Any] = {
    **PAIR,
    **UNDER_WAY,
    "pilot": 4,
    "in_use": 10,
    "active_at_end": 14,
    "started": 1,
    "resumed": 0,
    "stopped": 1,
    "merged": 0,
    "reporting": 13,
    "coverage": 0.9999,
    "sessions_per_municipality": 7.5,
    "sessions_per_municipality_year": 9.25,
    "residents": 248265,
    "sessions_per_1000_residents": 0.423,
    "change_municipalities": -1,
    "change_sessions": 0,
}


def test_every_figure_of_a_row_stands_in_a_table_as_the_api_has_it() -> None:
    full = row(**FULL)

    (shown,) = cells(told_of([full]))

    api = full.model_dump(mode="json")
    assert {key: cell.value for key, cell in shown.items()} == {
        key: value for key, value in api.items() if key not in NOT_IN_TABLES
    }
    assert {key for key, cell in shown.items() if cell.day} == {"through", "comparable_through"}
    assert {key: shown[key].text for key in ("year", "share", "coverage", "residents", "through")} == {
        "year": "2023",
        "share": "78.9%",
        "coverage": "99.99%",
        "residents": "248,265",
        "through": "27 Mar 2023",
    }


def test_figures_are_written_as_people_of_each_language_write_them() -> None:
    of_languages: dict[Language, list[str]] = {
        "fi": ["78,9\N{NO-BREAK SPACE}%", "248\N{NO-BREAK SPACE}265", "7,5", "27.3.2023", "\N{MINUS SIGN}1"],
        "sv": ["78,9\N{NO-BREAK SPACE}%", "248\N{NO-BREAK SPACE}265", "7,5", "27.3.2023", "\N{MINUS SIGN}1"],
        "en": ["78.9%", "248,265", "7.5", "27 Mar 2023", "\N{MINUS SIGN}1"],
    }
    for language, texts in of_languages.items():
        (shown,) = cells(told_of([row(**FULL)], language=language))

        keys = ("share", "residents", "sessions_per_municipality", "through", "change_municipalities")
        assert [shown[key].text for key in keys] == texts


STANDING = ["pilot", "in_use", "started", "resumed", "stopped", "merged", "residents", "reporting"]
SESSIONS = ["sessions", "coverage", "sessions_per_municipality_year"]
RATES = ["sessions_per_municipality", "sessions_per_1000_residents"]
COMPARED = [
    *("change_municipalities", "change_sessions", "comparable_through"),
    *("comparable_municipalities", "comparable_sessions", "comparable_previous_sessions"),
]


@pytest.mark.parametrize(
    ("changed", "sessions", "rates", "pace"),
    [
        (WITHHELD, "withheld", "withheld", "not applicable"),
        ({"sessions": None, "sessions_missing": "not_reported"}, "not reported", "not reported", "not applicable"),
        ({"sessions": None, "sessions_missing": "not_applicable"}, *["not applicable"] * 3),
        ({"sessions": None, "partial": None}, "not known", "not known", "not known"),
        (
            {"partial": True, "sessions": None, "sessions_missing": "withheld"},
            "withheld",
            "withheld",
            "withheld",
        ),
        ({"partial": True}, "105", "part of the year", "not known"),
        ({"coverage": 0.5}, "105", "reports missing", "not applicable"),
        ({"municipalities": 0, "sessions": 0}, "0", "not applicable", "not applicable"),
    ],
)
def test_a_cell_without_a_figure_says_which_kind_of_nothing_it_is(
    changed: dict[str, Any], sessions: str, rates: str, pace: str
) -> None:
    (shown,) = cells(told_of([row(**changed)]))

    assert shown["sessions"].text == sessions
    assert {shown[key].text for key in RATES} == {rates}
    assert shown["annual_pace"].text == pace
    assert {shown[key].text for key in STANDING} == {"not known"}
    assert {shown[key].text for key in COMPARED} == {"no comparison"}
    nothing = [key for key, cell in shown.items() if cell.value is None]
    assert set(nothing) >= {*RATES, *STANDING, *COMPARED, "annual_pace"}


def test_a_year_of_which_nothing_was_published_says_so_everywhere() -> None:
    (shown,) = cells(told_of([row(**{**SILENT, "municipalities_in_area": None, "counties": 0})]))

    assert {cell.text for key, cell in shown.items() if key not in ("year", "counties")} == {"not published"}
    assert shown["counties"] == Cell("0", 0)
    (shown,) = cells(told_of([row(**{**SILENT, "sessions_missing": "withheld"})]))
    assert (shown["sessions"].text, shown["municipalities"].text) == ("withheld", "not known")


def test_a_practice_without_counting_has_no_figures_of_sessions() -> None:
    (shown,) = cells(told_of([row(sessions=None, through=None)], counted=False))

    assert {shown[key].text for key in [*SESSIONS, *RATES, "through"]} == {"not counted"}


def test_the_years_are_sorted_by_whatever_column_is_asked_for() -> None:
    rows = [row(year=2021, sessions=94), row(sessions=None), row(year=2023, sessions=23, stopped=1)]

    def order(table: Table) -> list[str]:
        return [cells[0].text for _, cells in table.rows]

    assert order(told_of(rows).figures) == ["2021", "2022", "2023"]
    by_year = told_of(rows, "-year")
    assert order(by_year.figures) == order(by_year.more) == ["2023", "2022", "2021"]
    assert order(told_of(rows, "sessions").figures) == ["2023", "2021", "2022"]
    by_stopped = told_of(rows, "stopped")
    assert (order(by_stopped.more), by_stopped.more_open) == (["2023", "2021", "2022"], True)
    assert (order(by_stopped.figures), by_year.more_open) == (["2021", "2022", "2023"], False)
    with pytest.raises(InvalidParameter) as refused:
        told_of(rows, "practice")
    assert "sort_years" in str(refused.value.errors)


def test_like_for_like_is_told_of_every_year_the_latest_first() -> None:
    part = told_of([row(year=2021), row(**PAIR), row(**UNDER_WAY, **PAIR)])

    assert [year for year, _ in part.compared] == [2023, 2022]
    assert part.pace is not None
    assert told_of([row(**UNDER_WAY), row(year=2024)]).pace is None


def test_it_is_said_when_the_columns_do_not_show_all_years() -> None:
    assert told_of([row(year=year) for year in range(2016, 2024)]).left_out is None
    assert told_of([row(year=year) for year in range(2015, 2024)]).left_out == (
        "The columns show the 8 latest years, the tables all of them."
    )


def front_page(anyone: Caller, **asked: Any) -> BeautifulSoup:
    answer = anyone.get("/", lang="en", **asked)
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def test_the_front_page_tells_what_the_api_answers(anyone: Caller) -> None:
    page = front_page(anyone, county="13")

    api = anyone.get("/v1/trends", county="13").json()["years"]
    for name in ("years", "more-years"):
        keys = [heading["data-key"] for heading in page.select(f"#{name} thead th")]
        for figures, told_row in zip(api, page.select(f"#{name} tbody tr"), strict=True):
            for key, cell in zip(keys, told_row.select("th, td"), strict=True):
                value = cell.find(["data", "time"])
                said = None if value is None else value.get("value") or value["datetime"]
                assert said == (None if figures[str(key)] is None else str(figures[str(key)])), key
                assert cell.get_text(strip=True)
    lead = page.select_one("p.lead")
    assert lead is not None
    assert "23 sessions were counted by 27 March 2023" in lead.text
    assert [len(chart.select(".column")) for chart in page.select(".chart > svg")] == [3, 3]
    for chart in page.select(".chart > svg"):
        names = [page.find(id=name) for name in str(chart["aria-labelledby"]).split()]
        assert [named.name for named in names if named] == ["title", "desc"]
    ids = [named["id"] for named in page.select("[id]")]
    assert len(ids) == len(set(ids))
    # What a pattern fills is in the page.
    assert {str(one["fill"]) for one in page.select(".chart [fill]")} == {"url(#chart-sessions-part_year)"}
    assert page.find(id="chart-sessions-part_year") is not None


def test_a_page_without_a_release_shows_no_empty_picture(anyone: Caller) -> None:
    page = front_page(anyone, county="17")

    lead = page.select_one("p.lead")
    assert lead is not None
    assert lead.text == "No figures of this practice have been published for this area yet."
    assert page.select(".chart, #years, #trend-heading") == []


def test_what_a_release_withholds_is_nowhere_on_the_page(app: FastAPI, anyone: Caller, nation: Caller) -> None:
    release = Release(
        2, date(2024, 5, 1), {2022: told(2022, 105, municipalities=3), 2023: told(2023, None, withheld=True)}
    )
    store(app.state.database, release, county="13", at=NOW)
    before = front_page(anyone, county="13")

    sent = nation.post([count("140", "2023", 777)], [status("297", "2023", "in_use")])

    after = front_page(anyone, county="13")
    assert sent.status_code == 201
    assert "777" not in str(after)
    assert str(after.select_one("section")) == str(before.select_one("section"))
    assert [text.text for text in after.select("#chart-sessions .nothing")] == ["withheld"]
    assert len(after.select("#chart-sessions .column")) == 1
