"""A county's year counted from reports: its statuses, its sessions and how far they go."""

from datetime import date

from tests.series.examples import END, STANDING, monthly, of, place, quarter, trend, whole


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


def test_status_fields_are_unknown_while_the_area_has_no_status_at_all() -> None:
    home = place(whole(2021, 5), whole(2022, 5), statuses=[(date(2022, 3, 1), "planned")])

    rows = trend(home)

    assert of(rows[2021], STANDING) == (None,) * 8
    assert of(rows[2022], STANDING) == (0,) * 8
    assert of(rows[2022], "share change_municipalities") == (0.0, None)


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
