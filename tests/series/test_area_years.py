"""Counties added up."""

from datetime import date
from typing import Any

import pytest

from app.series.facts import County
from app.series.rows import YearRow
from app.series.trend import yearly_trend
from tests.series.examples import (
    BESIDE,
    END,
    PAIR,
    SOURCE,
    STANDING,
    country,
    county,
    monthly,
    of,
    place,
    released,
    source_row,
    whole,
)


def test_counties_add_up() -> None:
    thirteen = county(
        "13",
        place(whole(2022, 4), whole(2023, 6), code="1", since=date(2022, 1, 1)),
        place(code="2", statuses=[(date(2023, 1, 1), "planned")]),
    )
    eleven = county("11", place(whole(2022, 1), whole(2023, 2), code="3", statuses=[(date(2022, 1, 1), "pilot")]))
    silent = county("12", place(code="4"))

    row = country(thirteen, eleven, silent, residents={2022: {"1": 500, "2": 300, "3": 200}})[2023]

    assert row == YearRow(
        release_id=None,
        published_on=None,
        year=2023,
        basis="reports",
        counties=2,
        counties_total=22,
        municipalities_in_area=3,
        municipalities=2,
        share=0.6667,
        pilot=1,
        in_use=1,
        active_at_end=2,
        started=0,
        resumed=0,
        stopped=0,
        merged=0,
        sessions=8,
        reporting=2,
        through=END,
        partial=False,
        coverage=1.0,
        sessions_per_municipality=4.0,
        sessions_per_municipality_year=4.0,
        residents=1000,
        sessions_per_1000_residents=8.0,
        change_municipalities=0,
        change_sessions=3,
        comparable_through=END,
        comparable_municipalities=2,
        comparable_sessions=8,
        comparable_previous_sessions=5,
        annual_pace=None,
        released_municipalities=None,
        released_sessions=None,
        released_on=None,
        difference_municipalities=None,
        difference_sessions=None,
        break_in_series=False,
        sessions_missing=None,
    )


def test_a_county_without_a_release_does_not_contribute_to_what_the_public_reads() -> None:
    counties = [County("11", ()), County("13", (), SOURCE)]

    row = yearly_trend(counties, as_of=END, counted=True, residents={}, counties_total=22, read="release")[0]

    assert row == source_row(
        2021,
        counties_total=22,
        municipalities=8,
        share=0.4211,
        sessions=94,
        through=date(2021, 12, 31),
        partial=False,
        sessions_per_municipality=11.75,
        sessions_per_1000_residents=0.379,
    )


def test_several_counties_state_no_register_where_none_contributes() -> None:
    rows = country(county("13", place(whole(2020), whole(2022))), county("11", place(code="140")))

    assert of(rows[2021], "basis counties municipalities_in_area residents reporting partial") == (
        ("none", 0, None, None, 0, None)
    )


def test_municipalities_asked_for_in_several_counties_state_theirs() -> None:
    counties = (county("13", place(whole(2020), whole(2022))), county("11", place(code="140")))

    rows = country(*counties, narrowed=True, residents={2020: {"297": 100, "140": 50}})

    assert of(rows[2021], "basis counties municipalities_in_area residents") == ("none", 0, 2, 150)


def test_municipalities_of_no_county_contribute_and_are_no_county() -> None:
    in_north_savo = county("13", place(since=date(2023, 1, 1)))
    on_aland = county("", place(code="035", since=date(2023, 1, 1)))

    together, alone = country(in_north_savo, on_aland)[2023], country(on_aland)[2023]

    assert of(together, "basis counties municipalities municipalities_in_area") == ("reports", 1, 2, 2)
    assert of(alone, "basis counties municipalities municipalities_in_area") == ("reports", 0, 1, 1)


def test_municipalities_asked_for_are_the_area_whether_their_county_contributes_or_not() -> None:
    begins = county("13", place(whole(2023, 6), since=date(2023, 1, 1)))
    silent = county("11", place(code="140"))

    row = country(begins, silent, narrowed=True, residents={2022: {"297": 1500, "140": 500}})[2023]

    assert of(row, "counties municipalities_in_area municipalities share") == (1, 2, 1, 0.5)
    assert of(row, "residents sessions_per_1000_residents") == (2000, 3.0)


def test_municipalities_asked_for_of_which_a_release_speaks_are_an_area_unknown() -> None:
    begins = county("13", place(whole(2023, 6), since=date(2023, 1, 1)))
    with_release = county("11", place(code="140"), release=released(2023, municipalities_in_area=10, residents=9000))

    row = country(begins, with_release, narrowed=True, residents={2022: {"297": 1500, "140": 500}})[2023]

    assert of(row, "basis counties municipalities_in_area residents share") == ("mixed", 2, None, None, None)


def test_a_contributor_without_any_status_leaves_the_status_fields_of_the_sum_unknown() -> None:
    row = country(county("13", place(since=date(2023, 1, 1))), county("11", place(whole(2023, 4))))[2023]

    assert of(row, "counties municipalities_in_area sessions reporting share") == (2, 2, 4, 1, None)
    assert of(row, STANDING) == (None,) * 8


def test_through_of_a_sum_is_the_earliest_of_those_that_reported_and_coverage_goes_that_far() -> None:
    in_use = date(2023, 1, 1)
    until_march = county("13", place(*monthly(2023, 1, 3), since=in_use))
    until_may = county("11", place(*monthly(2023, 1, 5), since=in_use))
    silent = county("12", place(since=date(2023, 4, 1)))

    row = country(until_march, until_may, silent)[2023]

    assert of(row, "through partial coverage") == (date(2023, 3, 31), True, 1.0)


def test_a_contributor_that_reported_but_knows_no_last_day_leaves_the_sum_without_one() -> None:
    known = county("13", place(whole(2023, 5), since=date(2023, 1, 1)))
    unknown = county("11", place(*monthly(2023, 4, 12, sessions=1), since=date(2023, 3, 1)))

    row = country(known, unknown)[2023]

    assert of(row, "sessions through partial coverage sessions_per_municipality_year") == ((14, None, True, None, 7.98))


def test_counties_in_which_nobody_reported_have_no_sessions_together() -> None:
    row = country(*(county(code, place(since=date(2023, 1, 1))) for code in ("13", "11")))[2023]

    assert of(row, "sessions reporting through partial annual_pace") == (None, 0, None, False, None)


def test_the_annual_pace_of_counties_is_the_sum_of_their_own() -> None:
    in_use = date(2023, 1, 1)
    until_march = county("13", place(*monthly(2023, 1, 3, sessions=9), since=in_use))
    until_may = county("11", place(*monthly(2023, 1, 5, sessions=9), since=in_use))
    all_year = county("12", place(whole(2023, 12), since=in_use))

    both, with_a_whole_year = country(until_march, until_may)[2023], country(until_march, all_year)[2023]

    assert both.annual_pace == 218.3
    assert of(with_a_whole_year, "partial annual_pace") == (True, None)


def test_counties_are_like_for_like_only_over_equal_days() -> None:
    def comparable_until(month: int, code: str) -> County:
        counts = [*monthly(2022, sessions=1), *monthly(2023, 1, month, sessions=2)]
        return county(code, place(*counts, since=date(2022, 1, 1)))

    equal = country(comparable_until(3, "13"), comparable_until(3, "11"))[2023]
    unequal = country(comparable_until(3, "13"), comparable_until(4, "11"))[2023]

    assert of(equal, PAIR) == (date(2023, 3, 31), 2, 12, 6)
    assert of(unequal, PAIR) == (None, None, None, None)


def test_a_sum_of_reports_and_releases_is_mixed() -> None:
    release = released(
        2023,
        municipalities_in_area=19,
        municipalities=15,
        sessions=23,
        through=END,
        partial=False,
        active_days=400,
        covered_days=300,
        covered_days_in_year=300,
    )

    row = country(county("13", release=release), county("11", place(whole(2023, 7), since=date(2023, 1, 1))))[2023]

    assert of(row, "basis counties release_id published_on municipalities_in_area municipalities pilot") == (
        ("mixed", 2, None, None, 20, 16, None)
    )
    assert of(row, "sessions reporting through partial coverage sessions_per_municipality_year") == (
        (30, None, END, False, 0.8693, 16.47)
    )
    assert of(row, PAIR) + of(row, BESIDE) == (None,) * 9


@pytest.mark.parametrize(
    ("figures", "coverage"),
    [
        ({"sessions": 5, "through": date(2023, 3, 31), "active_days": 90, "covered_days": 45}, 0.75),
        ({"sessions": 5, "through": date(2023, 3, 31)}, None),
        ({"sessions": 5, "through": date(2023, 6, 30), "active_days": 90, "covered_days": 45}, None),
        ({"active_days": 0}, 1.0),
        ({"active_days": 90}, None),
    ],
    ids=["same-day", "days-unknown", "later-day", "nobody-active", "active-and-silent"],
)
def test_a_release_knows_its_days_only_up_to_its_own_last_day(figures: dict[str, Any], coverage: float | None) -> None:
    reports = county("13", place(*monthly(2023, 1, 3), since=date(2023, 1, 1)))

    row = country(reports, county("11", release=released(2023, partial=True, **figures)))[2023]

    assert of(row, "through partial coverage") == (date(2023, 3, 31), True, coverage)


def test_a_contributor_that_does_not_know_whether_it_is_partial_leaves_it_unknown() -> None:
    unknown = county("11", release=released(2023, sessions=4, through=END))

    with_a_whole_year = country(unknown, county("13", place(whole(2023), since=date(2023, 1, 1))))[2023]
    with_a_part_year = country(unknown, county("13", place(*monthly(2023, 1, 2), since=date(2023, 1, 1))))[2023]

    assert (with_a_whole_year.partial, with_a_part_year.partial) == (None, True)
