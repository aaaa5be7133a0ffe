"""What a release withholds, what it says of single municipalities, and why sessions are missing."""

from datetime import date
from typing import Any

import pytest

from app.series.area_years import area_year
from app.series.county_years import county_years
from app.series.facts import County, History, Question, Release
from app.series.figures import Figures, ReleasedYear, sessions_missing
from app.series.lives import life_of
from app.series.rows import YearRow
from app.series.trend import yearly_trend
from tests.series.examples import BESIDE, END, PAIR, country, county, of, place, row_of, trend, whole

RATES = "sessions_per_municipality sessions_per_municipality_year sessions_per_1000_residents annual_pace"
MISSING = "sessions sessions_missing"
IN_USE = date(2022, 1, 1)


def told(sessions: int | None, **figures: Any) -> ReleasedYear:
    """What a release says of a whole year of one municipality or county; `Any`, since figures are of several types."""
    days = {"active_days": 365, "covered_days": 365, "covered_days_in_year": 365}
    whole_year: dict[str, Any] = {"municipalities_in_area": 1, "municipalities": 1, "reporting": 1, "residents": 1000}
    return ReleasedYear(
        covers=True, **{**whole_year, **days, "through": END, "partial": False, **figures}, sessions=sessions
    )


def hidden(**figures: Any) -> ReleasedYear:
    return told(None, withheld=True, **figures)


SILENT = told(None, reporting=0, through=None, covered_days=0, covered_days_in_year=0)
IDLE = told(None, reporting=0, through=None, municipalities=0, active_days=0, covered_days=0, covered_days_in_year=0)


def releases(code: str, *years: ReleasedYear, number: int = 1, live_from: int | None = None) -> County:
    """A county whose release says this of 2023 and of the years before."""
    said = {2024 - len(years) + nth: year for nth, year in enumerate(years)}
    return County(code, (), Release(number, END, said), live_from)


def of_municipalities(**said: ReleasedYear) -> Release:
    """A release that says 99 of the county's 2023, and this of its municipalities c297, c140, …"""
    return Release(1, END, {2023: told(99)}, {code.strip("c"): {2023: year} for code, year in said.items()})


def public(*counties: County, narrowed: bool = False) -> dict[int, YearRow]:
    """The rows of the counties together, by year, as the public reads them."""
    rows = yearly_trend(
        counties, as_of=END, counted=True, residents={}, counties_total=22, narrowed=narrowed, read="release"
    )
    return {row.year: row for row in rows}


def asked(release: Release, *codes: str) -> YearRow:
    """The row of these municipalities of one county in 2023, as the public reads it."""
    return public(County("13", (), release, None, codes), narrowed=True)[2023]


# What a county withholds.


def test_a_year_that_is_withheld_stands_with_its_municipalities_and_without_its_sessions() -> None:
    row = public(releases("13", told(9, municipalities=3), hidden(municipalities=4, municipalities_in_area=8)))[2023]

    assert row == row_of(
        2023,
        release_id=1,
        published_on=END,
        basis="release",
        counties=1,
        counties_total=22,
        municipalities_in_area=8,
        municipalities=4,
        share=0.5,
        reporting=1,
        through=END,
        partial=False,
        coverage=1.0,
        residents=1000,
        change_municipalities=1,
        sessions_missing="withheld",
    )


def test_a_part_year_that_is_withheld_has_no_pace() -> None:
    march = date(2023, 3, 31)
    row = public(releases("13", hidden(through=march, partial=True, active_days=90, covered_days=90)))[2023]

    assert of(row, "through coverage partial") + of(row, RATES) == (march, 1.0, True, None, None, None, None)


def test_a_county_that_withholds_is_left_out_of_the_sum() -> None:
    row = public(releases("13", hidden(municipalities=4)), releases("11", told(9, municipalities=2), number=2))[2023]

    assert of(row, "basis counties release_id municipalities municipalities_in_area residents reporting") == (
        ("release", 1, 2, 2, 1, 1000, 1)
    )
    assert of(row, MISSING) + of(row, RATES) == (9, None, 4.5, 9.0, 9.0, None)


def test_a_sum_without_a_county_is_not_compared_with_one_that_has_it() -> None:
    rows = public(releases("13", told(5), hidden(), told(5)), releases("11", told(9), told(9), told(9), number=2))

    assert [of(row, "counties sessions change_municipalities change_sessions") for row in rows.values()] == [
        (2, 14, None, None),
        (1, 9, None, None),
        (2, 14, None, None),
    ]


def test_where_every_county_withholds_nothing_is_left_but_the_reason() -> None:
    row = public(releases("13", hidden()), releases("11", hidden(), number=2))[2023]

    assert row == row_of(2023, basis="none", counties=0, counties_total=22, reporting=0, sessions_missing="withheld")


def test_a_live_sum_leaves_out_a_year_that_stays_with_a_release_that_withholds_it() -> None:
    reports = county("11", place(whole(2023, 7), since=IN_USE))
    kept, begun = (releases("13", hidden(), live_from=year) for year in (None, 2023))
    begun = County("13", [place(whole(2023, 2), since=IN_USE)], begun.release, 2023)

    left_out, summed = country(reports, kept)[2023], country(reports, begun)[2023]

    assert of(left_out, "basis counties municipalities sessions") == ("reports", 1, 1, 7)
    assert of(summed, "basis counties municipalities sessions") == ("reports", 2, 2, 9)


def test_beside_live_figures_the_released_ones_stay_withheld() -> None:
    home = place(whole(2023, 7), since=IN_USE)
    release = Release(1, END, {2023: hidden(municipalities=3)})

    row = trend(home, release=release, live_from=2023)[2023]

    assert of(row, MISSING) + of(row, BESIDE) == (7, None, 3, None, END, -2, None)


# What it says of single municipalities.


def test_a_municipality_stands_with_what_its_county_released_of_it() -> None:
    release = of_municipalities(c297=told(20), c140=hidden(), c402=SILENT, c925=IDLE)

    rows = [asked(release, code) for code in ("297", "140", "402", "925")]

    assert [of(row, MISSING) for row in rows] == [
        (20, None),
        (None, "withheld"),
        (None, "not_reported"),
        (None, "not_applicable"),
    ]
    assert [of(row, "basis release_id municipalities reporting coverage") for row in rows] == [
        ("release", 1, 1, 1, 1.0),
        ("release", 1, 1, 1, 1.0),
        ("release", 1, 1, 0, None),
        ("release", 1, 0, 0, None),
    ]


def test_municipalities_add_up_as_counties_do() -> None:
    release = of_municipalities(c297=told(20), c140=told(10), c925=IDLE)

    row = asked(release, "297", "140", "925")

    assert of(row, "counties release_id published_on municipalities_in_area municipalities") == (1, 1, END, 3, 2)
    assert of(row, "sessions coverage sessions_per_municipality residents") == (30, 1.0, 15.0, 3000)


def test_the_sum_of_municipalities_is_withheld_with_one_of_them_and_never_a_part() -> None:
    row = asked(of_municipalities(c297=told(20), c140=hidden()), "297", "140")

    assert of(row, "municipalities reporting through coverage") == (2, 2, END, 1.0)
    assert of(row, MISSING) + of(row, RATES) + of(row, PAIR) == (None, "withheld", *(None,) * 8)


def test_figures_know_that_what_they_add_up_is_withheld() -> None:
    county = County("13", (), of_municipalities(c297=told(20), c140=hidden()), None, ["297", "140"])
    question = Question(as_of=END, counted=True, residents={}, counties_total=1, narrowed=True, read="release")

    figures = area_year(2023, county_years(county, (), [2023], question), question).figures

    assert (figures.sessions, figures.withheld, figures.reported) == (None, True, True)


def test_what_is_withheld_in_one_county_withholds_the_sum_over_several() -> None:
    with_release = County("13", (), of_municipalities(c140=hidden()), None, ["140"])
    reports = County("12", [place(whole(2023, 5), code="507", since=IN_USE)], municipalities=["507"])

    row = country(with_release, reports, narrowed=True)[2023]

    assert of(row, "basis counties municipalities") + of(row, MISSING) == ("mixed", 2, 2, None, "withheld")


def test_a_silent_municipality_lowers_the_coverage_of_the_sum() -> None:
    row = asked(of_municipalities(c297=told(20), c140=SILENT), "297", "140")

    assert of(row, "sessions coverage sessions_per_municipality") == (20, 0.5, None)


def test_the_days_of_a_silent_municipality_are_not_known_up_to_a_day_inside_the_year() -> None:
    march = told(20, through=date(2023, 3, 31), partial=True, active_days=90, covered_days=90)
    silent_so_far = told(None, reporting=0, through=None, partial=True, active_days=90)

    assert asked(of_municipalities(c297=march, c140=SILENT), "297", "140").coverage is None
    assert asked(of_municipalities(c297=told(20), c140=silent_so_far), "297", "140").coverage is None


def test_who_counted_nothing_states_the_days_that_are_missing_as_far_as_the_year_is_known() -> None:
    def days(history: History, as_of: date) -> tuple[int | None, int | None, int | None]:
        question = Question(as_of=as_of, counted=True, residents={}, counties_total=1, narrowed=True, read="live")
        county = County("13", [history], municipalities=["297"])
        figures = county_years(county, [life_of(history, as_of)], [as_of.year], question)[0].figures
        return figures.active_days, figures.covered_days, figures.covered_days_in_year

    assert days(place(since=IN_USE), END) == (365, 0, 0)
    assert days(place(since=IN_USE), date(2023, 3, 31)) == (90, 0, 0)
    assert days(place(), END) == (0, 0, 0)


def test_a_municipality_that_the_release_leaves_out_was_not_in_the_register() -> None:
    release = of_municipalities(c507=told(20))

    together = asked(release, "507", "588")

    assert of(together, "municipalities_in_area sessions sessions_missing") == (1, 20, None)
    assert public(County("13", (), release, None, ["588"]), narrowed=True) == {}


def test_a_release_opens_the_years_in_which_it_speaks_of_the_municipality() -> None:
    release = Release(1, END, {year: told(99) for year in (2021, 2022, 2023)}, {"297": {2022: told(20)}})

    assert list(public(County("13", (), release, None, ["297"]), narrowed=True)) == [2022]


def test_a_live_reading_takes_the_municipalities_of_a_year_that_stays_with_its_release() -> None:
    home = place(whole(2023, 7), since=IN_USE)

    def row(*said: History, live_from: int | None) -> YearRow:
        one = County("13", said, of_municipalities(c297=told(20)), live_from, ["297"])
        return country(one, narrowed=True)[2023]

    assert of(row(home, live_from=None), "basis release_id sessions released_sessions") == ("release", 1, 20, None)
    assert of(row(home, live_from=2023), "basis sessions") == ("reports", 7)
    assert of(row(home, live_from=2023), BESIDE) == (1, 20, END, 0, -13)


def test_beside_live_figures_one_that_is_withheld_withholds_the_sum() -> None:
    homes = [place(whole(2023, 7), code=code, since=IN_USE) for code in ("297", "140")]
    release = of_municipalities(c297=told(20), c140=hidden())

    row = country(County("13", homes, release, 2023, ["297", "140"]), narrowed=True)[2023]

    assert of(row, "sessions") + of(row, BESIDE) == (14, 2, None, END, 0, None)


# Why sessions are missing.


@pytest.mark.parametrize(
    ("history", "missing"),
    [
        (place(whole(2023, 0), since=IN_USE), None),
        (place(whole(2023, 4)), None),
        (place(since=IN_USE), "not_reported"),
        (place(since=date(2023, 12, 31)), "not_reported"),
        (place(since=IN_USE, in_to=date(2023, 6, 30)), "not_reported"),
        (place(whole(2022), whole(2024)), "not_applicable"),
        (place(whole(2022), whole(2024), statuses=[(IN_USE, "in_use"), (date(2022, 7, 1), "ended")]), "not_applicable"),
        (place(whole(2022), whole(2024), statuses=[(IN_USE, "planned")]), "not_applicable"),
        (place(whole(2022), whole(2024), in_to=date(2022, 12, 31)), "not_applicable"),
    ],
    ids=[
        "zero",
        "counted",
        "silent",
        "began-on-the-last-day",
        "merged-and-silent",
        "no-status-known",
        "ended",
        "planned",
        "not-in-the-register",
    ],
)
def test_live_sessions_are_missing_for_a_reason(history: History, missing: str | None) -> None:
    row = trend(history, as_of=date(2024, 12, 31))[2023]

    assert (row.sessions is None, row.sessions_missing) == (missing is not None, missing)


def test_a_sum_of_several_is_not_applicable_only_if_all_of_them_are() -> None:
    def missing(*years: ReleasedYear) -> YearRow:
        return public(*(releases(f"{nth}", year, number=nth) for nth, year in enumerate(years, start=1)))[2023]

    unsaid = ReleasedYear(covers=True, municipalities=3)

    assert of(missing(IDLE, IDLE), MISSING) == (None, "not_applicable")
    assert of(missing(IDLE, SILENT), MISSING) == (None, "not_reported")
    assert of(missing(unsaid, SILENT), MISSING) == (None, "not_reported")
    assert of(missing(unsaid, IDLE), MISSING) == (None, None)
    assert of(missing(told(4), SILENT), MISSING) == (4, None)


@pytest.mark.parametrize(
    ("figures", "missing"),
    [
        (Figures(sessions=0), None),
        (Figures(withheld=True, municipalities=0), "withheld"),
        (Figures(municipalities=3), None),
        (Figures(municipalities=0), "not_applicable"),
        (Figures(municipalities_in_area=0, reporting=0), "not_applicable"),
        (Figures(municipalities=1, municipalities_in_area=0, reporting=0), "not_reported"),
        (Figures(municipalities_in_area=1, reporting=0), "not_applicable"),
    ],
)
def test_figures_say_why_sessions_are_missing_or_nothing(figures: Figures, missing: str | None) -> None:
    assert sessions_missing(figures) == missing


def test_a_release_that_is_silent_of_a_year_gives_no_reason() -> None:
    hole = ReleasedYear(covers=False, municipalities_in_area=19)

    assert of(public(releases("13", told(1), hole, told(1)))[2022], "basis sessions sessions_missing") == (
        ("none", None, None)
    )
