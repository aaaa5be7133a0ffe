"""Imported years, residents, coverage and pace."""

from collections.abc import Mapping
from datetime import date

import pytest

from app.series.figures import ReleasedYear, imported_year
from tests.series.examples import END, monthly, of, part, place, released, trend, whole


def test_an_imported_row_is_partial_if_it_is_not_counted_to_the_end_of_its_year() -> None:
    year_end, march = date(2022, 12, 31), date(2022, 3, 31)

    published_later = [
        _imported(5, year_end).partial,
        _imported(5, march).partial,
        _imported(5, None).partial,
        _imported(None, None).partial,
    ]
    published_before_the_end = _imported(5, march, published_on=date(2022, 4, 2)).partial

    assert published_later == [False, True, True, False]
    assert published_before_the_end is True


def test_an_imported_row_without_sessions_has_no_last_day_counted() -> None:
    year = _imported(None, date(2022, 12, 31))

    assert year == ReleasedYear(covers=True, municipalities=3, municipalities_in_area=19, partial=False)


def test_an_imported_row_without_figures_covers_nothing() -> None:
    year = _imported(None, None, municipalities=None)

    assert year == ReleasedYear(covers=False, municipalities_in_area=19)


@pytest.mark.parametrize(
    ("known", "residents", "rate"),
    [
        ({2021: {"297": 500}, 2022: {"297": 800}, 2024: {"297": 1}}, 800, 10.0),
        ({2024: {"297": 3000}, 2025: {"297": 1}}, 3000, 2.667),
        ({2023: {"140": 500}}, None, None),
        ({2023: {"297": 0}}, 0, None),
        ({}, None, None),
    ],
    ids=[
        "latest-not-after-the-year",
        "else-the-first",
        "not-of-this-municipality",
        "nobody",
        "nothing-known",
    ],
)
def test_residents_are_of_the_latest_year_end_known(
    known: Mapping[int, Mapping[str, int]], residents: int | None, rate: float | None
) -> None:
    row = trend(place(whole(2023, 8), since=date(2023, 1, 1)), residents=known)[2023]

    assert of(row, "residents sessions_per_1000_residents") == (residents, rate)


def test_a_year_under_way_is_partial_even_when_counted_to_the_day() -> None:
    home = place(part(date(2023, 1, 1), date(2023, 3, 27), 23), since=date(2023, 1, 1))

    row = trend(home, as_of=date(2023, 3, 27))[2023]

    assert of(row, "through partial coverage annual_pace sessions_per_municipality") == (
        (date(2023, 3, 27), True, 1.0, 97.6, None)
    )


def test_coverage_is_the_share_of_active_days_up_to_through_that_were_counted() -> None:
    reports = place(*monthly(2023, 1, 3), code="1", since=date(2023, 1, 1))
    silent = place(code="2", since=date(2023, 3, 31))

    row = trend(reports, silent)[2023]

    assert of(row, "through coverage") == (date(2023, 3, 31), 0.989)


def test_coverage_of_a_practice_that_is_not_counted_is_unknown_and_stands_in_no_ones_way() -> None:
    reports, silent = (
        place(whole(2023, 7), code="1", since=date(2023, 1, 1)),
        place(code="2", since=date(2023, 1, 1)),
    )

    counted, not_counted = trend(reports, silent)[2023], trend(reports, silent, counted=False)[2023]

    assert of(counted, "coverage sessions_per_municipality") == (0.5, None)
    assert of(not_counted, "coverage sessions_per_municipality") == (None, 3.5)


def test_coverage_just_below_one_is_below_one_although_it_rounds_to_one() -> None:
    reporting = [place(whole(2023, 1), code=str(i), since=date(2023, 1, 1)) for i in range(60)]
    silent_on_one_day = place(code="x", statuses=[(date(2023, 5, 1), "pilot"), (date(2023, 5, 2), "ended")])

    row = trend(*reporting, silent_on_one_day, residents={2023: {h.code: 10 for h in [*reporting, silent_on_one_day]}})

    assert of(row[2023], "coverage sessions_per_municipality sessions_per_1000_residents") == (
        1.0,
        None,
        None,
    )


def test_the_annual_pace_is_not_told_where_sessions_are_missing_or_reach_beyond_through() -> None:
    in_use = date(2023, 1, 1)
    complete = place(*monthly(2023, 1, 3, sessions=9), code="1", since=in_use)
    silent = place(code="2", since=in_use)
    longer = place(*monthly(2023, 1, 4, sessions=9), code="3", since=in_use)

    rows = [trend(complete)[2023], trend(complete, silent)[2023], trend(complete, longer)[2023]]

    assert [of(row, "through partial annual_pace") for row in rows] == [
        (date(2023, 3, 31), True, 109.5),
        (date(2023, 3, 31), True, None),
        (date(2023, 3, 31), True, None),
    ]


def test_a_whole_year_has_no_annual_pace() -> None:
    assert trend(place(whole(2023, 8), since=date(2023, 1, 1)))[2023].annual_pace is None


def test_a_released_year_that_misses_days_has_no_pace() -> None:
    release = released(2023, sessions=9, through=date(2023, 3, 31), partial=True, active_days=180, covered_days=179)

    assert of(trend(release=release)[2023], "coverage annual_pace") == (0.9944, None)


def _imported(
    sessions: int | None, through: date | None, *, municipalities: int | None = 3, published_on: date = END
) -> ReleasedYear:
    return imported_year(
        2022,
        municipalities=municipalities,
        sessions=sessions,
        through=through,
        published_on=published_on,
        municipalities_in_area=19,
        residents=None,
    )
