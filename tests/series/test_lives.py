"""The days of one municipality: in the register, active, counted."""

from datetime import date

from tests.series.examples import END, STANDING, monthly, of, part, place, trend, whole


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
