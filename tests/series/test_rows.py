"""The ratios, changes and released figures of a row."""

from datetime import date

from app.series.facts import County, Release
from app.series.figures import ReleasedYear
from tests.series.examples import (
    BESIDE,
    END,
    PAIR,
    PUBLISHED,
    country,
    county,
    monthly,
    of,
    place,
    released,
    trend,
    whole,
)


def test_a_ratio_on_the_half_is_rounded_up() -> None:
    places = [place(code=str(i)) for i in range(31)]

    row = trend(place(since=date(2023, 1, 1)), *places)[2023]

    assert of(row, "municipalities municipalities_in_area share") == (1, 32, 0.0313)


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
