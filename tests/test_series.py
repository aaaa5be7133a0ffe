"""The yearly trend by example: each rule of the design's table at least once."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest

from app.series import Count, County, History, Release, ReleasedYear, YearRow, imported_year, yearly_trend

END = date(2023, 12, 31)


def whole(year: int, sessions: int = 0) -> Count:
    return Count(date(year, 1, 1), date(year, 12, 31), sessions)


def part(first: date, last: date, sessions: int = 0) -> Count:
    return Count(first, last, sessions)


def quarter(year: int, number: int, sessions: int = 0) -> Count:
    return Count(date(year, 3 * number - 2, 1), _month_end(year, 3 * number), sessions)


def monthly(year: int, first: int = 1, last: int = 12, sessions: int = 0) -> list[Count]:
    """One count for each of these months, each of `sessions`."""
    return [Count(date(year, m, 1), _month_end(year, m), sessions) for m in range(first, last + 1)]


def place(
    *counts: Count,
    code: str = "297",
    since: date | None = None,
    statuses: Sequence[tuple[date, str]] = (),
    in_from: date = date.min,
    in_to: date | None = None,
) -> History:
    """A municipality, in use from `since` on or with `statuses`."""
    return History(code, in_from, in_to, [(since, "in_use")] if since else statuses, counts)


def trend(
    *histories: History,
    as_of: date = END,
    counted: bool = True,
    residents: Mapping[int, Mapping[str, int]] | None = None,
    release: Release | None = None,
    live_from: int | None = None,
    narrowed: bool = False,
) -> dict[int, YearRow]:
    """The live rows of one county by year."""
    rows = yearly_trend(
        [County("13", histories, release, live_from)],
        as_of=as_of,
        counted=counted,
        residents=residents or {},
        counties_total=1,
        narrowed=narrowed,
    )
    return {row.year: row for row in rows}


def country(
    *counties: County,
    as_of: date = END,
    residents: Mapping[int, Mapping[str, int]] | None = None,
    narrowed: bool = False,
) -> dict[int, YearRow]:
    """The live rows of several counties together by year."""
    rows = yearly_trend(
        counties, as_of=as_of, counted=True, residents=residents or {}, counties_total=22, narrowed=narrowed
    )
    return {row.year: row for row in rows}


def county(
    code: str, *histories: History, release: Release | None = None, live_from: int | None = None
) -> County:
    return County(code, histories, release, live_from)


def released(year: int, published_on: date = END, number: int = 1, **figures: Any) -> Release:
    """A release of one year; `Any`, since its figures are of several types."""
    return Release(number, published_on, {year: ReleasedYear(covers=True, **figures)})


def imported(
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


def of(row: YearRow, names: str) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in names.split())


STANDING = "municipalities pilot in_use active_at_end started resumed stopped merged"
PAIR = "comparable_through comparable_municipalities comparable_sessions comparable_previous_sessions"
BESIDE = "released_municipalities released_sessions released_on difference_municipalities difference_sessions"

# Published on 27 March 2023 by the family-centre project of North Savo.
PUBLISHED = date(2023, 3, 27)
SOURCE = Release(
    1,
    PUBLISHED,
    {
        year: imported_year(
            year,
            municipalities=municipalities,
            sessions=sessions,
            through=through,
            published_on=PUBLISHED,
            municipalities_in_area=19,
            residents=248_000,
        )
        for year, municipalities, sessions, through in (
            (2021, 8, 94, date(2021, 12, 31)),
            (2022, 14, 105, date(2022, 12, 31)),
            (2023, 15, 23, PUBLISHED),
        )
    },
)


def row_of(year: int, **figures: Any) -> YearRow:
    """A row that knows nothing but these; `Any` as in `released`."""
    nothing: dict[str, Any] = dict.fromkeys(YearRow.__slots__)
    return YearRow(**nothing | {"year": year, "counties_total": 1} | figures)


def source_row(year: int, **figures: Any) -> YearRow:
    """What every row of the source table has in common; `Any` as in `released`."""
    common: dict[str, Any] = {
        "release_id": 1,
        "published_on": PUBLISHED,
        "basis": "release",
        "counties": 1,
        "municipalities_in_area": 19,
        "residents": 248_000,
    }
    return row_of(year, **common | figures)


def source_rows() -> list[YearRow]:
    return [
        source_row(
            2021,
            municipalities=8,
            share=0.4211,
            sessions=94,
            through=date(2021, 12, 31),
            partial=False,
            sessions_per_municipality=11.75,
            sessions_per_1000_residents=0.379,
        ),
        source_row(
            2022,
            municipalities=14,
            share=0.7368,
            sessions=105,
            through=date(2022, 12, 31),
            partial=False,
            sessions_per_municipality=7.5,
            sessions_per_1000_residents=0.423,
            change_municipalities=6,
            change_sessions=11,
        ),
        source_row(
            2023,
            municipalities=15,
            share=0.7895,
            sessions=23,
            through=PUBLISHED,
            partial=True,
            change_municipalities=1,
            annual_pace=97.6,
        ),
    ]


def test_the_source_table_is_answered_out_of_its_release() -> None:
    counties = [County("13", (), SOURCE)]

    rows = yearly_trend(
        counties, as_of=date(2025, 6, 1), counted=True, residents={}, counties_total=1, read="release"
    )

    assert rows == source_rows()


def test_a_live_reading_keeps_to_the_release_as_long_as_no_year_is_live() -> None:
    rows = trend(release=SOURCE, as_of=date(2023, 12, 31))

    assert list(rows.values()) == source_rows()


def test_live_from_gives_a_released_year_to_the_reports_and_sets_both_side_by_side() -> None:
    home = place(whole(2022, 50), part(date(2023, 1, 1), PUBLISHED, 20), since=date(2022, 1, 1))

    rows = trend(home, release=SOURCE, live_from=2023, as_of=PUBLISHED)

    assert of(rows[2022], "basis release_id sessions") + of(rows[2022], BESIDE) == (
        ("release", 1, 105, None, None, None, None, None)
    )
    assert of(rows[2023], "basis release_id published_on sessions change_municipalities") == (
        ("reports", None, None, 20, None)
    )
    assert of(rows[2023], BESIDE) == (15, 23, PUBLISHED, -14, -3)


def test_a_release_reading_does_not_hear_of_live_from() -> None:
    counties = [County("13", (), SOURCE, live_from=2021)]

    rows = yearly_trend(counties, as_of=END, counted=True, residents={}, counties_total=1, read="release")

    assert rows == source_rows()


def test_a_year_that_the_release_skips_states_the_register_of_the_release() -> None:
    skipped = ReleasedYear(covers=False, municipalities_in_area=19, residents=248_000)
    covered = ReleasedYear(covers=True, municipalities=1)
    release = Release(7, PUBLISHED, {2021: covered, 2022: skipped, 2023: covered})

    row = yearly_trend(
        [County("13", (), release)], as_of=END, counted=True, residents={}, counties_total=1, read="release"
    )[1]

    assert row == row_of(
        2022, basis="none", counties=0, municipalities_in_area=19, residents=248_000, reporting=0
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


def test_without_releases_the_public_reads_no_years() -> None:
    assert yearly_trend([], as_of=END, counted=True, residents={}, counties_total=22, read="release") == []


def test_an_imported_row_is_partial_if_it_is_not_counted_to_the_end_of_its_year() -> None:
    year_end, march = date(2022, 12, 31), date(2022, 3, 31)

    published_later = [
        imported(5, year_end).partial,
        imported(5, march).partial,
        imported(5, None).partial,
        imported(None, None).partial,
    ]
    published_before_the_end = imported(5, march, published_on=date(2022, 4, 2)).partial

    assert published_later == [False, True, True, False]
    assert published_before_the_end is True


def test_an_imported_row_without_sessions_has_no_last_day_counted() -> None:
    year = imported(None, date(2022, 12, 31))

    assert year == ReleasedYear(covers=True, municipalities=3, municipalities_in_area=19, partial=False)


def test_an_imported_row_without_figures_covers_nothing() -> None:
    year = imported(None, None, municipalities=None)

    assert year == ReleasedYear(covers=False, municipalities_in_area=19)


def test_years_run_from_the_first_to_the_last_with_something_in_them_and_none_is_left_out() -> None:
    first = place(whole(2018, 4), code="297")
    last = place(code="140", statuses=[(date(2021, 5, 1), "pilot"), (date(2021, 6, 1), "ended")])

    rows = trend(first, last)

    assert [(row.year, row.basis) for row in rows.values()] == [
        (2018, "reports"),
        (2019, "none"),
        (2020, "none"),
        (2021, "reports"),
    ]


def test_planned_alone_opens_no_year() -> None:
    assert trend(place(statuses=[(date(2022, 1, 1), "planned")])) == {}


def test_no_year_is_after_the_as_of_day() -> None:
    home = place(whole(2024, 5), since=date(2022, 6, 1))

    assert list(trend(home, as_of=date(2023, 2, 1), release=released(2024))) == [2022, 2023]


def test_cutting_the_years_does_not_cut_what_the_first_is_compared_with() -> None:
    home = place(whole(2021, 4), whole(2022, 9), whole(2023, 1), since=date(2021, 1, 1))

    rows = yearly_trend(
        [county("13", home)],
        as_of=END,
        counted=True,
        residents={},
        counties_total=1,
        from_year=2022,
        to_year=2022,
    )

    assert [(row.year, row.change_sessions, row.comparable_previous_sessions) for row in rows] == [
        (2022, 5, 4)
    ]


def test_one_county_states_register_and_residents_also_where_nothing_was_said() -> None:
    home = place(whole(2020, 4), whole(2022, 4))

    row = trend(home, place(code="140"), residents={2020: {"297": 100, "140": 50}})[2021]

    assert row == row_of(2021, basis="none", counties=0, municipalities_in_area=2, residents=150, reporting=0)


def test_several_counties_state_no_register_where_none_contributes() -> None:
    rows = country(county("13", place(whole(2020), whole(2022))), county("11", place(code="140")))

    assert of(rows[2021], "basis counties municipalities_in_area residents reporting partial") == (
        ("none", 0, None, None, 0, None)
    )


def test_municipalities_asked_for_in_several_counties_state_theirs() -> None:
    counties = (county("13", place(whole(2020), whole(2022))), county("11", place(code="140")))

    rows = country(*counties, narrowed=True, residents={2020: {"297": 100, "140": 50}})

    assert of(rows[2021], "basis counties municipalities_in_area residents") == ("none", 0, 2, 150)


def test_a_municipality_active_on_one_day_of_the_year_counts_in_it() -> None:
    one_day = place(statuses=[(date(2022, 12, 31), "pilot"), (date(2023, 1, 1), "ended")])
    other = place(code="140", since=date(2021, 1, 1))

    rows = trend(one_day, other)

    assert [row.municipalities for row in rows.values()] == [1, 2, 1]
    assert [row.share for row in rows.values()] == [0.5, 1.0, 0.5]


def test_status_dated_after_the_last_day_is_not_yet_in_force() -> None:
    home = place(statuses=[(date(2022, 1, 1), "pilot"), (date(2022, 9, 1), "in_use")])

    row = trend(home, as_of=date(2022, 8, 31))[2022]

    assert of(row, STANDING) == (1, 1, 0, 1, 1, 0, 0, 0)


def test_started_resumed_and_stopped_account_for_the_change_in_those_active_at_the_end() -> None:
    began_on = date(2021, 1, 1)
    stays = place(code="1", since=began_on)
    starts = place(code="2", statuses=[(date(2022, 5, 1), "pilot")])
    starts_and_stops = place(code="3", statuses=[(date(2022, 5, 1), "pilot"), (date(2022, 7, 1), "ended")])
    stops = place(code="4", statuses=[(began_on, "in_use"), (date(2022, 7, 1), "paused")])
    resumes = place(
        code="5", statuses=[(began_on, "pilot"), (date(2021, 7, 1), "paused"), (date(2022, 3, 1), "in_use")]
    )
    flickers = place(
        code="6", statuses=[(began_on, "pilot"), (date(2022, 7, 1), "paused"), (date(2022, 8, 1), "pilot")]
    )

    rows = trend(stays, starts, starts_and_stops, stops, resumes, flickers, as_of=date(2022, 12, 31))

    assert of(rows[2021], STANDING) == (4, 1, 2, 3, 4, 0, 1, 0)
    assert of(rows[2022], STANDING) == (6, 2, 2, 4, 2, 1, 2, 0)
    assert rows[2022].change_municipalities == 2


def test_a_merged_municipality_leaves_the_register_and_its_successor_starts_anew() -> None:
    old = place(code="916", since=date(2021, 1, 1), in_to=date(2021, 12, 31))
    new = place(code="297", since=date(2020, 6, 1), in_from=date(2022, 1, 1))
    left_in_june = place(code="174", since=date(2021, 1, 1), in_to=date(2022, 6, 30))

    rows = trend(old, new, left_in_june, as_of=date(2022, 12, 31))

    assert of(rows[2021], "municipalities_in_area") + of(rows[2021], STANDING) == (2, 2, 0, 2, 2, 2, 0, 0, 0)
    assert of(rows[2022], "municipalities_in_area") + of(rows[2022], STANDING) == (1, 2, 0, 1, 1, 1, 0, 0, 2)


def test_a_municipality_not_yet_in_the_register_has_no_active_day() -> None:
    future = place(code="1", since=date(2022, 1, 1), in_from=date(2023, 1, 1))

    rows = trend(future, place(code="2", since=date(2022, 1, 1)), as_of=date(2022, 6, 30))

    assert of(rows[2022], "municipalities_in_area municipalities") == (1, 1)


def test_status_fields_are_unknown_while_the_area_has_no_status_at_all() -> None:
    home = place(whole(2021, 5), whole(2022, 5), statuses=[(date(2022, 3, 1), "planned")])

    rows = trend(home)

    assert of(rows[2021], STANDING) == (None,) * 8
    assert of(rows[2022], STANDING) == (0,) * 8
    assert of(rows[2022], "share change_municipalities") == (0.0, None)


def test_a_ratio_on_the_half_is_rounded_up() -> None:
    places = [place(code=str(i)) for i in range(31)]

    row = trend(place(since=date(2023, 1, 1)), *places)[2023]

    assert of(row, "municipalities municipalities_in_area share") == (1, 32, 0.0313)


def test_sessions_not_reported_are_not_zero_and_zero_is() -> None:
    rows = trend(place(whole(2023, 0), since=date(2022, 1, 1)))

    assert of(rows[2022], "sessions reporting through partial coverage sessions_per_municipality") == (
        (None, 0, None, False, None, None)
    )
    assert of(rows[2023], "sessions reporting through partial coverage sessions_per_municipality") == (
        (0, 1, END, False, 1.0, 0.0)
    )


def test_through_is_the_day_before_the_first_active_day_that_a_reporting_municipality_did_not_count() -> None:
    counted_all_year = place(*monthly(2023), code="1", since=date(2023, 1, 1))
    reports_from_april_on = place(*monthly(2023, 4, 12), code="2", since=date(2023, 3, 15))

    row = trend(counted_all_year, reports_from_april_on)[2023]

    assert of(row, "through partial coverage reporting") == (date(2023, 3, 14), True, 1.0, 2)


def test_through_is_unknown_if_not_even_the_first_active_day_is_counted() -> None:
    row = trend(place(*monthly(2023, 4, 12, sessions=1), since=date(2023, 3, 15)))[2023]

    assert of(row, "sessions through partial coverage annual_pace") == (9, None, True, None, None)


def test_days_before_a_municipality_joined_and_after_it_left_limit_nothing() -> None:
    statuses = [(date(2023, 4, 1), "pilot"), (date(2023, 10, 1), "ended")]

    row = trend(place(quarter(2023, 2), quarter(2023, 3), statuses=statuses))[2023]

    assert of(row, "through partial coverage") == (END, False, 1.0)


def test_a_municipality_without_an_active_day_limits_through_only_if_no_municipality_has_one() -> None:
    stray = place(*monthly(2023, 1, 2, sessions=3), code="1")
    longer_stray = place(*monthly(2023, 1, 5, sessions=3), code="2")
    active = place(whole(2023, 3), code="3", since=date(2023, 1, 1))

    alone, beside_an_active_one = trend(stray, longer_stray)[2023], trend(stray, active)[2023]

    assert of(alone, "through partial coverage annual_pace") == (date(2023, 2, 28), True, None, None)
    assert of(beside_an_active_one, "through partial coverage") == (END, False, 1.0)


def test_through_is_unknown_if_only_municipalities_without_an_active_day_report() -> None:
    row = trend(place(whole(2023, 3), code="1"), place(code="2", since=date(2023, 1, 1)))[2023]

    assert of(row, "sessions through partial coverage") == (3, None, True, None)


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

    row = trend(
        *reporting, silent_on_one_day, residents={2023: {h.code: 10 for h in [*reporting, silent_on_one_day]}}
    )

    assert of(row[2023], "coverage sessions_per_municipality sessions_per_1000_residents") == (
        1.0,
        None,
        None,
    )


def test_days_counted_while_not_active_are_not_covered() -> None:
    home = place(*monthly(2023, 1, 1, sessions=1), *monthly(2023, 3, 3, sessions=1), since=date(2023, 3, 1))

    row = trend(home)[2023]

    assert of(row, "sessions through coverage") == (2, date(2023, 3, 31), 1.0)
    assert row.sessions_per_municipality_year == 23.55


def test_overlapping_days_count_once() -> None:
    home = place(
        part(date(2023, 1, 1), date(2023, 12, 31)), part(date(2023, 3, 1), date(2023, 4, 30)), since=END
    )

    assert of(trend(home)[2023], "coverage sessions_per_municipality_year") == (1.0, 0.0)


def test_the_yearly_rate_does_not_punish_joining_in_july() -> None:
    home = place(*monthly(2023, 7, 12, sessions=2), since=date(2023, 7, 1))

    row = trend(home)[2023]

    assert of(row, "sessions sessions_per_municipality sessions_per_municipality_year") == (12, 12.0, 23.8)


def test_a_leap_year_has_366_days() -> None:
    home = place(*monthly(2024, 1, 6, sessions=1), since=date(2024, 1, 1))

    row = trend(home, as_of=date(2024, 6, 30))[2024]

    assert of(row, "annual_pace sessions_per_municipality_year") == (12.1, 12.07)


def test_sessions_of_a_municipality_that_was_not_active_are_divided_by_nobody() -> None:
    active, stray = place(whole(2023, 8), code="1", since=date(2023, 1, 1)), place(whole(2023, 1), code="2")

    row = trend(active, stray, residents={2023: {"1": 1000, "2": 1000}})[2023]

    assert of(row, "sessions sessions_per_municipality sessions_per_municipality_year") == (9, None, None)
    assert row.sessions_per_1000_residents == 4.5


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


def test_no_municipality_in_the_register_has_no_residents() -> None:
    gone = place(whole(2023, 8), in_to=date(2023, 6, 30))

    assert of(trend(gone)[2023], "municipalities_in_area residents share") == (0, 0, None)


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


def test_whole_years_are_compared() -> None:
    rows = trend(place(whole(2022, 4), whole(2023, 1), since=date(2022, 1, 1)))

    assert [of(row, "change_municipalities change_sessions") for row in rows.values()] == [
        (None, None),
        (0, -3),
    ]


def test_part_years_are_never_compared_with_whole_ones() -> None:
    home = place(whole(2021, 4), *monthly(2022, 1, 6, sessions=1), whole(2023, 4), since=date(2021, 1, 1))

    rows = trend(home)

    assert [row.partial for row in rows.values()] == [False, True, False]
    assert [row.change_sessions for row in rows.values()] == [None, None, None]


def test_a_year_that_misses_days_is_not_compared() -> None:
    reports = place(whole(2022, 4), whole(2023, 4), code="1", since=date(2022, 1, 1))
    silent = place(code="2", since=date(2023, 11, 1))

    row = trend(reports, silent)[2023]

    assert of(row, "partial coverage change_municipalities change_sessions") == (False, 0.8568, 1, None)


def test_a_release_that_does_not_say_whether_it_is_partial_is_compared_with_nothing() -> None:
    years = {year: ReleasedYear(covers=True, municipalities=4, sessions=8) for year in (2022, 2023)}

    row = trend(release=Release(1, END, years))[2023]

    assert of(row, "partial change_municipalities change_sessions sessions_per_municipality annual_pace") == (
        (None, 0, None, None, None)
    )


def test_different_bases_are_not_compared() -> None:
    home = place(whole(2023, 4), since=date(2023, 1, 1))
    release = released(2022, municipalities=5, sessions=9, through=date(2022, 12, 31), partial=False)

    row = trend(home, release=release)[2023]

    assert of(row, "basis change_municipalities change_sessions") == ("reports", None, None)


def test_sums_of_different_counties_are_not_compared() -> None:
    stays = county("13", place(whole(2022, 4), whole(2023, 4), since=date(2022, 1, 1)))
    joins = county("11", place(whole(2023, 4), since=date(2023, 1, 1)))

    row = country(stays, joins)[2023]

    assert of(row, "counties sessions change_municipalities change_sessions") == (2, 8, None, None)


def test_two_mixed_years_are_not_compared_if_a_county_changed_its_basis() -> None:
    def both(code: str, release_year: int) -> County:
        figures = released(release_year, municipalities=1, sessions=1, partial=False)
        return county(code, place(whole(2022, 4), whole(2023, 4), since=date(2022, 1, 1)), release=figures)

    rows = country(both("13", 2022), both("11", 2023))

    assert [of(row, "basis change_municipalities") for row in rows.values()] == [
        ("mixed", None),
        ("mixed", None),
    ]


def test_whole_years_compare_the_municipalities_that_were_there_both_years() -> None:
    both_years = place(whole(2022, 4), whole(2023, 6), code="1", since=date(2022, 1, 1))
    second_year = place(whole(2023, 100), code="2", since=date(2023, 1, 1))

    rows = trend(both_years, second_year)

    assert of(rows[2022], PAIR) == (None, None, None, None)
    assert of(rows[2023], PAIR) == (END, 1, 6, 4)


def test_a_part_year_is_compared_with_the_same_months_a_year_earlier() -> None:
    home = place(*monthly(2022, sessions=2), *monthly(2023, 1, 3, sessions=3), since=date(2022, 1, 1))

    row = trend(home, as_of=date(2023, 4, 15))[2023]

    assert of(row, PAIR) == (date(2023, 3, 31), 1, 9, 6)


@pytest.mark.parametrize("through", [date(2024, 2, 29), date(2025, 2, 28)])
def test_the_end_of_february_is_compared_with_the_end_of_february(through: date) -> None:
    before = through.year - 1
    home = place(
        *monthly(before, 1, 2, sessions=5), *monthly(through.year, 1, 2, sessions=4), since=date(before, 1, 1)
    )

    row = trend(home, as_of=through)[through.year]

    assert of(row, PAIR) == (through, 1, 8, 10)


def test_a_count_that_straddles_the_month_end_is_not_cut() -> None:
    quarters = [quarter(2022, number, 6) for number in (1, 2, 3, 4)]
    home = place(*quarters, *monthly(2023, 1, 8, sessions=1), since=date(2022, 1, 1))

    row = trend(home)[2023]

    assert of(row, PAIR) == (date(2023, 6, 30), 1, 6, 12)


def test_a_year_in_one_count_compares_with_no_part_of_a_year() -> None:
    home = place(whole(2022, 6), *monthly(2023, 1, 8, sessions=1), since=date(2022, 1, 1))

    assert of(trend(home)[2023], PAIR) == (None, None, None, None)


def test_like_for_like_takes_the_most_municipality_days_and_of_equals_the_latest() -> None:
    def counted_until(month: int, code: str) -> History:
        return place(
            *monthly(2022, sessions=1),
            *monthly(2023, 1, month, sessions=2),
            code=code,
            since=date(2022, 1, 1),
        )

    def places(*months: int) -> list[History]:
        return [counted_until(month, str(i)) for i, month in enumerate(months)]

    many, longer, equal = (trend(*places(*m))[2023] for m in ((3, 3, 3, 4), (3, 5), (3, 4, 4, 4)))

    assert of(many, PAIR) == (date(2023, 3, 31), 4, 24, 12)
    assert of(longer, PAIR) == (date(2023, 3, 31), 2, 12, 6)
    assert of(equal, PAIR) == (date(2023, 4, 30), 3, 24, 12)


def test_a_municipality_that_paused_compares_only_up_to_its_pause() -> None:
    statuses = [(date(2022, 1, 1), "in_use"), (date(2023, 5, 10), "paused"), (date(2023, 6, 1), "in_use")]
    home = place(*monthly(2022, sessions=1), *monthly(2023, sessions=1), statuses=statuses)

    assert of(trend(home)[2023], PAIR) == (date(2023, 4, 30), 1, 4, 4)


def test_a_municipality_that_counted_from_february_on_does_not_compare() -> None:
    home = place(*monthly(2022), *monthly(2023, 2, 12), since=date(2022, 1, 1))

    assert trend(home)[2023].comparable_through is None


def test_like_for_like_needs_reports_in_both_years() -> None:
    home = place(whole(2022, 4), whole(2023, 4), since=date(2022, 1, 1))

    row = trend(home, release=released(2022, municipalities=1))[2023]

    assert of(row, "basis comparable_through") == ("reports", None)


def test_counties_are_like_for_like_only_over_equal_days() -> None:
    def comparable_until(month: int, code: str) -> County:
        counts = [*monthly(2022, sessions=1), *monthly(2023, 1, month, sessions=2)]
        return county(code, place(*counts, since=date(2022, 1, 1)))

    equal = country(comparable_until(3, "13"), comparable_until(3, "11"))[2023]
    unequal = country(comparable_until(3, "13"), comparable_until(4, "11"))[2023]

    assert of(equal, PAIR) == (date(2023, 3, 31), 2, 12, 6)
    assert of(unequal, PAIR) == (None, None, None, None)


def test_counties_add_up() -> None:
    thirteen = county(
        "13",
        place(whole(2022, 4), whole(2023, 6), code="1", since=date(2022, 1, 1)),
        place(code="2", statuses=[(date(2023, 1, 1), "planned")]),
    )
    eleven = county(
        "11", place(whole(2022, 1), whole(2023, 2), code="3", statuses=[(date(2022, 1, 1), "pilot")])
    )
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
    )


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

    assert of(row, "sessions through partial coverage sessions_per_municipality_year") == (
        (14, None, True, None, 7.98)
    )


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

    row = country(county("13", release=release), county("11", place(whole(2023, 7), since=date(2023, 1, 1))))[
        2023
    ]

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
def test_a_release_knows_its_days_only_up_to_its_own_last_day(
    figures: dict[str, Any], coverage: float | None
) -> None:
    reports = county("13", place(*monthly(2023, 1, 3), since=date(2023, 1, 1)))

    row = country(reports, county("11", release=released(2023, partial=True, **figures)))[2023]

    assert of(row, "through partial coverage") == (date(2023, 3, 31), True, coverage)


def test_a_released_year_answers_rates_and_pairs_from_its_own_days() -> None:
    release = released(
        2023,
        municipalities=2,
        sessions=9,
        through=date(2023, 3, 31),
        partial=True,
        active_days=180,
        covered_days=180,
        covered_days_in_year=240,
        comparable_through=date(2023, 3, 31),
        comparable_municipalities=2,
        comparable_sessions=9,
        comparable_previous_sessions=8,
    )

    row = trend(release=release)[2023]

    assert of(row, "coverage annual_pace sessions_per_municipality_year") == (1.0, 36.5, 13.69)
    assert of(row, PAIR) == (date(2023, 3, 31), 2, 9, 8)


def test_a_released_year_that_misses_days_has_no_pace() -> None:
    release = released(
        2023, sessions=9, through=date(2023, 3, 31), partial=True, active_days=180, covered_days=179
    )

    assert of(trend(release=release)[2023], "coverage annual_pace") == (0.9944, None)


def test_a_contributor_that_does_not_know_whether_it_is_partial_leaves_it_unknown() -> None:
    unknown = county("11", release=released(2023, sessions=4, through=END))

    with_a_whole_year = country(unknown, county("13", place(whole(2023), since=date(2023, 1, 1))))[2023]
    with_a_part_year = country(unknown, county("13", place(*monthly(2023, 1, 2), since=date(2023, 1, 1))))[
        2023
    ]

    assert (with_a_whole_year.partial, with_a_part_year.partial) == (None, True)


def test_released_figures_of_counties_stand_beside_the_sum_of_their_reports() -> None:
    def both(code: str, number: int, through: date = END, on: date = END) -> County:
        release = released(2023, on, number, municipalities=2, sessions=9, through=through)
        return county(code, place(whole(2023, 5), since=date(2023, 1, 1)), release=release, live_from=2023)

    without_release = county("12", place(whole(2023, 5), since=date(2023, 1, 1)))

    same = country(both("13", 1), both("11", 2))[2023]
    different_days = country(both("13", 1), both("11", 2, through=PUBLISHED, on=PUBLISHED))[2023]
    one_unreleased = country(both("13", 1), without_release)[2023]

    assert of(same, BESIDE) == (4, 18, END, -2, -8)
    assert of(different_days, BESIDE) == (4, 18, None, -2, None)
    assert of(one_unreleased, BESIDE) == (None, None, None, None, None)


def test_nothing_is_compared_over_days_that_neither_knows() -> None:
    home = place(*monthly(2023, 4, 12, sessions=1), since=date(2023, 3, 15))

    row = trend(home, release=released(2023, municipalities=None, sessions=8), live_from=2023)[2023]

    assert of(row, BESIDE) == (None, 8, END, None, None)


def test_a_year_that_the_release_does_not_cover_has_nothing_beside_it() -> None:
    home = place(whole(2023, 5), since=date(2023, 1, 1))
    silent = Release(1, END, {2023: ReleasedYear(covers=False, municipalities_in_area=19)})

    row = trend(home, release=silent)[2023]

    assert of(row, "basis municipalities_in_area") + of(row, BESIDE) == ("reports", 1, *(None,) * 5)


def test_of_single_municipalities_a_release_knows_nothing() -> None:
    home = place(whole(2021, 4), whole(2022, 5), since=date(2021, 6, 1))

    rows = trend(home, release=SOURCE, live_from=2022, narrowed=True, as_of=date(2022, 12, 31))

    assert rows[2021] == row_of(2021, release_id=1, published_on=PUBLISHED, basis="release", counties=1)
    assert of(rows[2022], "basis sessions") + of(rows[2022], BESIDE) == ("reports", 5, *(None,) * 5)


def test_a_release_opens_no_year_of_single_municipalities() -> None:
    assert list(trend(place(since=date(2023, 1, 1)), release=SOURCE, narrowed=True)) == [2023]


def _month_end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])
