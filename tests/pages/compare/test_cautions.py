"""What is told to stand in the way of a comparison, and that nothing is told where nothing does."""

from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, strategies as st

from app.pages.compare.cautions import Caution, cautions, year_spans
from app.pages.reading.sides import Side
from app.pages.view import View
from app.pages.wording import wording
from app.places.register import County
from app.practices.definitions import SHIPPED_PRACTICE
from app.releases.models import ReleasePublic
from app.trends.models import TrendRow
from tests.practices.test_definitions import GUIDANCE
from tests.releases.test_routes import FIRST
from tests.trends.test_routes import released_row

NORTH = County("13", "Pohjois-Savon hyvinvointialue", "Norra Savolax välfärdsområde", "North Savo", "county")
SOUTH = County("12", "Etelä-Savon hyvinvointialue", "Södra Savolax välfärdsområde", "South Savo", "county")


def row(**changed: Any) -> TrendRow:
    """A whole year of which all is known."""
    return TrendRow.model_validate(released_row(**{"coverage": 1.0, **changed}))


def released(**changed: Any) -> ReleasePublic:
    return ReleasePublic.model_validate({**FIRST, **changed})


def side(*rows: TrendRow, **changed: Any) -> Side:
    """North Savo with these years."""
    whole = Side(SHIPPED_PRACTICE, NORTH, View(page="", language="en", county="13"), rows, [released()], {})
    return replace(whole, **changed)


def told(*sides: Side) -> list[Caution]:
    return cautions(wording("en"), list(zip("ABCDEF", sides, strict=False)))


def texts(*sides: Side) -> dict[str, list[str]]:
    """What is told of, by how it begins."""
    return {caution.text.partition(" ")[0]: list(caution.about) for caution in told(*sides)}


def test_nothing_is_told_of_whole_years_alike() -> None:
    assert told(side(row()), side(row(), county=SOUTH)) == []


def test_a_side_that_published_nothing_is_told_and_has_no_years_to_differ() -> None:
    silent = side(row(basis="none"), county=SOUTH, releases=[])

    assert told(side(row()), silent, side(county=SOUTH)) == [Caution("No figures have been published:", ["B", "C"])]


def test_years_that_not_all_have_are_told() -> None:
    gap = side(row(year=2019), row(year=2020, basis="none"), row(), row(year=2022), row(year=2023))

    assert told(gap, side(row())) == [
        Caution(
            "The figures are about different years. Only years that all of them have can be compared:",
            ["A: 2019, 2021–2023", "B: 2021"],
        )
    ]


def test_part_years_are_told_with_the_day_that_they_reach() -> None:
    reaching = side(row(), row(year=2022, partial=True, through=date(2022, 6, 30)))
    unknown = side(row(partial=True, through=None), row(year=2022))

    assert texts(reaching, unknown) == {
        "Part": [
            "2022, A: complete up to 30 Jun 2022",
            "2021, B: there is no day up to which all reports are complete",
        ]
    }


def test_missing_reports_are_told_never_as_none_missing() -> None:
    assert texts(side(row(coverage=0.95)), side(row(coverage=0.9999)), side(row(coverage=None))) == {
        "Reports": [
            "2021, A: 95.00% of the days with the practice are counted",
            "2021, B: 99.99% of the days with the practice are counted",
        ]
    }


def test_what_is_withheld_is_told_also_where_it_is_left_out_of_the_country() -> None:
    withholding = side(row(sessions=None, sessions_missing="withheld", coverage=None))
    country = side(row(), county=None, withheld={2022: [SOUTH, NORTH]})

    assert texts(withholding, replace(country, practice=GUIDANCE))["Some"] == [
        "2021, A: sessions are withheld",
        "2022, B: South Savo, left out, since it withholds its sessions",
        "2022, B: North Savo, left out, since it withholds its sessions",
    ]


def test_of_how_many_counties_the_country_is_made_is_told_by_years() -> None:
    country = side(
        row(counties_total=22),
        row(year=2022, counties_total=22),
        row(year=2023, counties=2, counties_total=22),
        row(year=2024, counties=22, counties_total=22),
        county=None,
    )

    assert texts(country) == {"The": ["A: 2021–2022, 1 of 22 counties", "A: 2023, 2 of 22 counties"]}


@pytest.mark.parametrize(
    ("beside", "included"),
    [(side(row()), True), (side(row(basis="none")), False), (side(row(), practice=GUIDANCE), False)],
)
def test_a_county_that_the_country_includes_is_told(beside: Side, included: bool) -> None:
    text = "The figures of the whole country include those of the counties that stand beside it."

    assert (Caution(text, []) in told(side(row(), county=None), beside)) == included


def test_practices_are_told_to_differ() -> None:
    [caution] = told(side(row()), side(row(), practice=GUIDANCE))

    assert caution.text.startswith("The practices are different things")
    assert caution.about == [
        "Yhdessä aika: counted by its own rule",
        "Guidance and counselling: sessions are not counted",
    ]


def test_a_register_that_changed_is_told() -> None:
    merged = side(row(), row(year=2022), row(year=2023, municipalities_in_area=18))
    unknown = side(row(), row(year=2022, municipalities_in_area=None), row(year=2023))

    assert texts(merged, unknown) == {"The": ["A, 2021–2022: 19; 2023: 18"]}


def test_other_origins_and_states_are_told_where_they_differ() -> None:
    made = side(row(), releases=[released(origin="published", state="final")])

    assert [caution.about for caution in told(side(row()), made)] == [["A"], ["A"]]
    assert told(made, made) == []


@given(st.sets(st.integers(2015, 2060)).map(sorted))
def test_spans_of_years_say_the_years(years: list[int]) -> None:
    spans = [span.partition("–") for span in year_spans(years).split(", ") if span]

    assert [year for first, _, last in spans for year in range(int(first), int(last or first) + 1)] == years
    assert all(int(after[0]) > int(before[2] or before[0]) + 1 for before, after in pairwise(spans))
