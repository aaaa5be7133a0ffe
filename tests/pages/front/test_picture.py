"""The charts of the years: what they show, what they say, and what they keep to themselves."""

from datetime import date
from typing import Any

from hypothesis import given, settings, strategies as st

from app.pages.figures.chart import BASELINE, TOP
from app.pages.front.picture import Chart, charts
from app.pages.language import LANGUAGES
from app.pages.wording import wording
from app.trends.models import TrendRow
from tests.pages.trend_rows import SILENT, UNDER_WAY, WITHHELD, row

QUIETLY = settings(derandomize=True, database=None, deadline=None, max_examples=60)


def drawn(*rows: TrendRow, counted: bool = True) -> list[Chart]:
    return charts(wording("en"), rows, counted=counted)


def blocks(chart: Chart) -> list[list[tuple[str, float]]]:
    """Of each column the kinds and heights, from the bottom up."""
    return [[(block.kind, block.height) for block in one.column.blocks] for one in chart.columns]


def test_what_the_source_published_is_shown_as_it_is() -> None:
    years = [
        row(year=2021, municipalities=8, sessions=94, through=date(2021, 12, 31)),
        row(),
        row(**UNDER_WAY),
    ]

    municipalities, sessions = drawn(*years)

    assert municipalities.description == "2021: 8 of 19; 2022: 14 of 19; 2023: 15 of 19."
    assert [(one.figure, one.total, one.nothing) for one in municipalities.columns] == [
        ("8", "19", None),
        ("14", "19", None),
        ("15", "19", None),
    ]
    assert [mark.kind for mark in municipalities.legend] == ["active", "whole"]
    assert sessions.description == "2021: 94; 2022: 105; 2023: 23 by 27 March 2023."
    assert [(one.year, one.figure, one.total, one.until) for one in sessions.columns] == [
        ("2021", "94", None, ()),
        ("2022", "105", None, ()),
        ("2023", "23", None, ["to", "27\N{NO-BREAK SPACE}Mar"]),
    ]
    assert [kinds for (kinds,) in blocks(sessions)] == [
        ("whole_year", 107.43),
        ("whole_year", 120),
        ("part_year", 26.29),
    ]
    assert [mark.text for mark in sessions.legend] == ["whole year", "part of the year"]
    assert sessions.size == (320, 203)
    assert municipalities.size == (320, 177)


def test_municipalities_are_split_by_their_status_where_that_is_known() -> None:
    split = {"pilot": 4, "in_use": 8, "municipalities": 14, "municipalities_in_area": 20}

    (municipalities, _) = drawn(row(**split), row(year=2023, pilot=None, in_use=8, municipalities=10))

    assert blocks(municipalities) == [[("in_use", 48), ("pilot", 24), ("earlier", 12)], [("active", 60)]]
    assert municipalities.description == "2022: 14 of 20 (in use 8, on trial 4); 2023: 10 of 19."
    assert [mark.text for mark in municipalities.legend] == [
        "in use",
        "on trial",
        "only earlier in the year",
        "on trial or in use",
        "all municipalities",
    ]


def test_each_kind_of_nothing_stands_in_words_where_a_column_would() -> None:
    nothings: list[dict[str, Any]] = [
        WITHHELD,
        {"sessions": None, "sessions_missing": "not_reported"},
        {"sessions": None, "sessions_missing": "not_applicable"},
        {"sessions": None},
        SILENT,
        {"municipalities": None, "municipalities_in_area": None, "sessions": 0},
        {"municipalities_in_area": None, "sessions": 0},
    ]

    municipalities, sessions = drawn(*(row(**{**nothing, "year": 2017 + n}) for n, nothing in enumerate(nothings)))

    assert [one.nothing for one in sessions.columns] == [
        "withheld",
        "not reported",
        "not applicable",
        "not known",
        "not published",
        None,
        None,
    ]
    assert [one.figure for one in sessions.columns] == [None, None, None, None, None, "0", "0"]
    assert blocks(sessions) == [[]] * 7
    assert sessions.legend == []
    assert [one.nothing for one in municipalities.columns][-3:] == ["not published", "not known", None]
    assert [one.total for one in municipalities.columns][-3:] == ["19", None, None]
    assert municipalities.description.endswith("2021: not published; 2022: not known; 2023: 14.")


def test_a_part_year_says_to_which_day_or_that_it_is_one() -> None:
    # Of several counties `through` is the earliest day, and without a pace a count may reach beyond it.
    not_to_a_day: list[dict[str, Any]] = [
        {"annual_pace": None},
        {"counties": 2},
        {"through": None, "annual_pace": None},
    ]

    _, sessions = drawn(row(**UNDER_WAY), *(row(**{**UNDER_WAY, **changed}) for changed in not_to_a_day))

    assert [" ".join(one.until) for one in sessions.columns] == ["to 27\N{NO-BREAK SPACE}Mar", *["part year"] * 3]
    _, withheld = drawn(row(**{**UNDER_WAY, **WITHHELD}))
    assert (withheld.columns[0].until, withheld.description) == ((), "2023: withheld.")
    assert (
        sessions.description == "2023: 23 by 27 March 2023; " + "; ".join(["2023: 23 in a part of the year"] * 3) + "."
    )
    for language, lines in zip(LANGUAGES, (["27.3.", "asti"], ["t.o.m.", "27.3."], ["to", "27 Mar"]), strict=True):
        _, sessions = charts(wording(language), [row(**UNDER_WAY)], counted=True)
        assert [line.replace("\N{NO-BREAK SPACE}", " ") for line in sessions.columns[0].until] == lines


def test_the_latest_years_are_shown_and_nothing_of_none() -> None:
    municipalities, _ = drawn(*(row(year=year) for year in range(2015, 2025)))

    assert [one.year for one in municipalities.columns] == [str(year) for year in range(2017, 2025)]
    assert drawn() == []


def test_a_practice_whose_sessions_are_not_counted_has_one_chart() -> None:
    assert [chart.name for chart in drawn(row(sessions=None), counted=False)] == ["chart-municipalities"]
    assert [chart.name for chart in drawn(row(sessions=3), counted=False)] == ["chart-municipalities", "chart-sessions"]
    (_, sessions) = drawn(row(sessions=None), row(year=2023, **WITHHELD), counted=False)
    assert [one.nothing for one in sessions.columns] == ["not counted", "withheld"]


def test_wide_figures_are_written_small() -> None:
    _, sessions = drawn(*(row(year=year, sessions=91_011) for year in range(2017, 2025)))

    assert sessions.crowded
    assert sessions.room("91,011") == 38
    assert sessions.room("11") is None


known = st.integers(0, 5000)


@QUIETLY
@given(st.lists(st.none() | known, min_size=1, max_size=8))
def test_sessions_are_as_high_as_their_figures(figures: list[int | None]) -> None:
    greatest = max([figure or 0 for figure in figures])

    _, sessions = drawn(
        *(row(year=2015 + n, **({"sessions": f} if f is not None else WITHHELD)) for n, f in enumerate(figures))
    )

    for figure, one in zip(figures, sessions.columns, strict=True):
        height = sum(block.height for block in one.column.blocks)
        assert abs(height * greatest - (figure or 0) * (BASELINE - TOP)) <= 0.011 * max(greatest, 1)
        assert one.figure == (None if figure is None else f"{figure:,}")


@QUIETLY
@given(st.lists(known, min_size=2, max_size=8), st.data())
def test_what_is_withheld_leaves_no_trace(figures: list[int], data: st.DataObject) -> None:
    """All that is drawn is what is drawn where nothing was ever counted: only the words differ."""
    place = data.draw(st.integers(0, len(figures) - 1))
    rows = [row(year=2015 + n, sessions=figure) for n, figure in enumerate(figures)]
    unreported = {"sessions": None, "sessions_missing": "not_reported"}
    withheld, silent = (
        drawn(*rows[:place], row(year=2015 + place, **kind), *rows[place + 1 :]) for kind in (WITHHELD, unreported)
    )

    assert repr(withheld).replace("withheld", "not reported") == repr(silent)
    assert withheld[1].columns[place].figure is None
    assert withheld[1].columns[place].column.blocks == []
