"""Days in Helsinki, over the two changes to and from summer time, and what `as_of` means."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from app.clock import AsOf, NotAMoment, as_of, end_of_day, helsinki_day, system_clock, written

NOW = datetime(2024, 5, 15, 9, 0, tzinfo=UTC)

days = st.dates(date(1, 1, 3), date(9999, 12, 29))
moments = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2024-01-15T21:59:59Z", "2024-01-15"),
        ("2024-01-15T22:00:00Z", "2024-01-16"),
        ("2024-07-15T20:59:59Z", "2024-07-15"),
        ("2024-07-15T21:00:00Z", "2024-07-16"),
        ("2024-03-30T22:00:00Z", "2024-03-31"),
        ("2024-03-31T20:59:59Z", "2024-03-31"),
        ("2024-03-31T21:00:00Z", "2024-04-01"),
        ("2024-10-26T21:00:00Z", "2024-10-27"),
        ("2024-10-27T21:59:59Z", "2024-10-27"),
        ("2024-10-27T22:00:00Z", "2024-10-28"),
    ],
)
def test_a_day_begins_and_ends_at_midnight_in_helsinki_summer_and_winter(moment: str, day: str) -> None:
    assert helsinki_day(datetime.fromisoformat(moment)).isoformat() == day


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2024, 1, 15), "2024-01-15T21:59:59.999999Z"),
        (date(2024, 7, 15), "2024-07-15T20:59:59.999999Z"),
        (date(2024, 3, 31), "2024-03-31T20:59:59.999999Z"),
        (date(2024, 10, 27), "2024-10-27T21:59:59.999999Z"),
    ],
)
def test_the_end_of_a_day_knows_summer_time(day: date, end: str) -> None:
    assert written(end_of_day(day)) == end


@given(days)
def test_the_end_of_a_day_is_its_last_microsecond(day: date) -> None:
    end = end_of_day(day)

    assert helsinki_day(end) == day
    assert helsinki_day(end + timedelta(microseconds=1)) == day + timedelta(days=1)


@given(moments, moments, st.integers(-23, 23))
def test_written_moments_sort_as_the_moments_do_and_read_back(one: datetime, other: datetime, hours: int) -> None:
    elsewhere = one.astimezone(timezone(timedelta(hours=hours)))

    assert (written(one) < written(other)) == (one < other)
    assert datetime.fromisoformat(written(one)) == one
    assert written(elsewhere) == written(one)


def test_the_system_clock_tells_the_present_moment_in_utc() -> None:
    before = datetime.now(UTC)

    told = system_clock()

    assert before <= told <= datetime.now(UTC)
    assert told.utcoffset() == timedelta()


@pytest.mark.parametrize("asked", [None, "2024-05-15"])
def test_nothing_and_today_both_mean_now(asked: str | None) -> None:
    assert as_of(asked, now=NOW) == AsOf("2024-05-15", date(2024, 5, 15), None)


def test_today_is_the_day_in_helsinki() -> None:
    after_midnight = datetime(2024, 5, 14, 21, 30, tzinfo=UTC)

    assert as_of("2024-05-15", now=after_midnight) == AsOf("2024-05-15", date(2024, 5, 15), None)
    assert as_of("2024-05-14", now=after_midnight).moment == datetime(2024, 5, 14, 20, 59, 59, 999999, tzinfo=UTC)


def test_a_past_day_means_its_end_in_helsinki() -> None:
    end = datetime(2024, 2, 29, 21, 59, 59, 999999, tzinfo=UTC)

    assert as_of("2024-02-29", now=NOW) == AsOf("2024-02-29", date(2024, 2, 29), end)


@pytest.mark.parametrize(
    ("asked", "day", "moment"),
    [
        ("2024-05-14T22:30:00Z", date(2024, 5, 15), datetime(2024, 5, 14, 22, 30, tzinfo=UTC)),
        ("2024-05-15T12:00:00+03:00", date(2024, 5, 15), datetime(2024, 5, 15, 9, 0, tzinfo=UTC)),
        ("2024-01-01t00:30:00.25z", date(2024, 1, 1), datetime(2024, 1, 1, 0, 30, 0, 250000, tzinfo=UTC)),
        ("2023-12-31T17:00:00.000001-05:00", date(2024, 1, 1), datetime(2023, 12, 31, 22, 0, 0, 1, tzinfo=UTC)),
    ],
)
def test_an_instant_is_meant_and_echoed_as_it_was_asked(asked: str, day: date, moment: datetime) -> None:
    assert as_of(asked, now=NOW) == AsOf(asked, day, moment)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("2024-05-16", "2024-05-16 lies in the future; today is 2024-05-15"),
        ("9999-12-31", "9999-12-31 lies in the future; today is 2024-05-15"),
        (
            "2024-05-15T09:00:00.000001Z",
            "2024-05-15T09:00:00.000001Z lies in the future; it is 2024-05-15T09:00:00.000000Z",
        ),
        (
            "2024-05-15T09:00:00-00:01",
            "2024-05-15T09:00:00-00:01 lies in the future; it is 2024-05-15T09:00:00.000000Z",
        ),
    ],
)
def test_the_future_is_refused(asked: str, reason: str) -> None:
    with pytest.raises(NotAMoment) as refused:
        as_of(asked, now=NOW)

    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("2023-02-29", "2023-02-29 is not a day of the calendar"),
        ("2023-00-01", "2023-00-01 is not a day of the calendar"),
        ("0000-01-01", "0000-01-01 is not a day of the calendar"),
        ("2023-02-29T12:00:00Z", "2023-02-29T12:00:00Z is not a moment of the calendar"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00 is not a moment of the calendar"),
    ],
)
def test_what_no_calendar_knows_is_refused(asked: str, reason: str) -> None:
    with pytest.raises(NotAMoment) as refused:
        as_of(asked, now=NOW)

    assert str(refused.value) == reason


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "today",
        "2023",
        "2023-03",
        "20230327",
        " 2023-03-27",
        "2023-03-27\n",
        "2023-W13-1",
        "2023-03-27T12:00:00",
        "2023-03-27T12:00Z",
        "2023-03-27 12:00:00Z",
        "2023-03-27T12:00:00 03:00",
        "2023-03-27T24:00:00Z",
        "2023-03-27T12:60:00Z",
        "2023-03-27T12:00:60Z",
        "2023-03-27T12:00:00+24:00",
        "2023-03-27T12:00:00.1234567Z",
    ],
)
def test_what_is_neither_a_day_nor_an_instant_is_refused(asked: str) -> None:
    with pytest.raises(NotAMoment) as refused:
        as_of(asked, now=NOW)

    assert str(refused.value) == (
        f"{asked!r} is neither a day (2023-03-27) nor an instant (2023-03-27T12:00:00Z; in a URL write + as %2B)"
    )


def test_digits_of_other_scripts_are_refused() -> None:
    for asked in ("٢٠٢٣-٠٣-٢٤", "٢٠٢٣-٠٣-٢٤T12:00:00Z"):
        with pytest.raises(NotAMoment):
            as_of(asked, now=NOW)
