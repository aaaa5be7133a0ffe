"""Which years the trend has, and the source table out of its release."""

from datetime import date

from app.series.facts import County
from app.series.trend import yearly_trend
from tests.series.examples import END, SOURCE, county, place, released, source_rows, trend, whole


def test_the_source_table_is_answered_out_of_its_release() -> None:
    counties = [County("13", (), SOURCE)]

    rows = yearly_trend(counties, as_of=date(2025, 6, 1), counted=True, residents={}, counties_total=1, read="release")

    assert rows == source_rows()


def test_without_releases_the_public_reads_no_years() -> None:
    assert yearly_trend([], as_of=END, counted=True, residents={}, counties_total=22, read="release") == []


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

    assert [(row.year, row.change_sessions, row.comparable_previous_sessions) for row in rows] == [(2022, 5, 4)]


def test_a_release_opens_no_year_of_single_municipalities() -> None:
    assert list(trend(place(since=date(2023, 1, 1)), release=SOURCE, narrowed=True)) == [2023]
