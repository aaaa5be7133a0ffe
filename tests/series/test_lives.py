"""The days of one municipality: in the register, active, counted."""

from collections.abc import Sequence
from datetime import date

import pytest

from app.series.facts import Count
from tests.series.examples import (
    END,
    STANDING,
    country,
    county,
    monthly,
    of,
    part,
    place,
    released,
    trend,
    whole,
)


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


def test_days_counted_while_not_active_are_not_covered() -> None:
    home = place(*monthly(2023, 1, 1, sessions=1), *monthly(2023, 3, 3, sessions=1), since=date(2023, 3, 1))

    row = trend(home)[2023]

    assert of(row, "sessions through coverage") == (2, date(2023, 3, 31), 1.0)
    assert row.sessions_per_municipality_year == 23.55


def test_overlapping_days_count_once() -> None:
    home = place(part(date(2023, 1, 1), date(2023, 12, 31)), part(date(2023, 3, 1), date(2023, 4, 30)), since=END)

    assert of(trend(home)[2023], "coverage sessions_per_municipality_year") == (1.0, 0.0)


def test_no_municipality_in_the_register_has_no_residents() -> None:
    gone = place(whole(2023, 8), in_to=date(2023, 6, 30))

    assert of(trend(gone)[2023], "municipalities_in_area residents share") == (0, 0, None)


def by(reporter: int, *counts: Count) -> list[Count]:
    return [count._replace(reporter=reporter) for count in counts]


@pytest.mark.parametrize(
    ("counts", "broken"),
    [
        (by(1, whole(2022), whole(2023)), {2022: False, 2023: False}),
        (by(1, whole(2022)) + by(2, whole(2023)), {2022: False, 2023: True}),
        (by(1, whole(2021)) + by(2, whole(2022), whole(2023)), {2021: False, 2022: True, 2023: False}),
        (by(1, *monthly(2023, 1, 6)) + by(2, *monthly(2023, 7, 12)), {2023: True}),
        (by(2, whole(2023)) + by(1, whole(2021)), {2021: False, 2022: None, 2023: True}),
        # Only the latest count of the years before is looked at.
        (by(1, *monthly(2022, 1, 1)) + by(2, *monthly(2022, 2, 2), whole(2023)), {2022: True, 2023: False}),
        ([], {2023: False}),
    ],
)
def test_a_year_in_which_someone_else_reported_than_before_breaks_the_series(
    counts: Sequence[Count], broken: dict[int, bool | None]
) -> None:
    rows = trend(place(*counts), place(code="140", since=END))

    assert {year: row.break_in_series for year, row in rows.items()} == broken


def test_a_break_in_one_municipality_is_one_of_the_county_and_of_the_country() -> None:
    broken = place(*by(1, whole(2022)), *by(2, whole(2023)))
    steady = place(*by(3, whole(2022), whole(2023)), code="140")

    both = trend(broken, steady)
    everywhere = country(county("13", steady), county("11", broken))
    apart = country(county("13", steady), county("11", place(*by(4, whole(2022), whole(2023)), code="178")))

    assert [row.break_in_series for row in both.values()] == [False, True]
    assert [row.break_in_series for row in everywhere.values()] == [False, True]
    assert [row.break_in_series for row in apart.values()] == [False, False]


def test_where_nothing_or_a_release_speaks_a_break_is_not_known() -> None:
    release = released(2022, sessions=3)
    broken = place(*by(1, whole(2022)), *by(2, whole(2023)))
    steady = place(*by(1, whole(2022), whole(2023)))

    one = trend(broken, release=released(2023, sessions=3))
    mixed = [country(county("13", release=release), county("11", other))[2022] for other in (steady, broken)]
    broken_in_2022 = place(*by(1, whole(2021)), *by(2, whole(2022)))
    mixed.append(country(county("13", release=release), county("11", broken_in_2022))[2022])
    nothing = trend(place(whole(2021)), place(whole(2023), code="140"))[2022]

    assert (one[2023].basis, one[2023].break_in_series) == ("release", None)
    assert [(row.basis, row.break_in_series) for row in mixed] == [("mixed", None), ("mixed", None), ("mixed", True)]
    assert (nothing.basis, nothing.break_in_series) == ("none", None)
