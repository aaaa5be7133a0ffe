"""The only reading of the wall clock, which day a moment falls on in Helsinki, and what `as_of` means."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HELSINKI = ZoneInfo("Europe/Helsinki")
RESOLUTION = timedelta(microseconds=1)
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""When what ships with the product counts as known: before any figure could be recorded."""

Clock = Callable[[], datetime]
"""Answers the present moment, aware, in UTC; handed in, so that time can stand still in a test."""

_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class NotAMoment(ValueError):
    """The text is neither a day nor an instant, or lies in the future."""


@dataclass(frozen=True, slots=True)
class AsOf:
    """Up to which moment what was recorded counts.

    `moment` is the last moment that counts, None for now; `day` is its day in Helsinki; `asked` is
    what an answer echoes: the day, or the instant in the words it was asked for.
    """

    asked: str
    day: date
    moment: datetime | None


def system_clock() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


def helsinki_day(moment: datetime) -> date:
    """The day that `moment` falls on in Helsinki."""
    return moment.astimezone(HELSINKI).date()


def end_of_day(day: date) -> datetime:
    """The last moment of `day` in Helsinki, in UTC, to the microsecond."""
    midnight = datetime.combine(day + timedelta(days=1), time(), tzinfo=HELSINKI)
    return midnight.astimezone(UTC) - RESOLUTION


def written(moment: datetime) -> str:
    """`moment` as RFC 3339 in UTC with six decimals: texts of it sort as the moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def as_of(asked: str | None, *, now: datetime) -> AsOf:
    """What `asked` means at the moment `now`; None and today both mean now.

    Raises:
        NotAMoment: it is neither a day nor an RFC 3339 instant, or lies in the future.
    """
    today = helsinki_day(now)
    if asked is None:
        return AsOf(today.isoformat(), today, None)
    if _DAY.fullmatch(asked):
        return _as_of_day(asked, today)
    if _INSTANT.fullmatch(asked):
        return _as_of_instant(asked, now)
    raise NotAMoment(
        f"{asked!r} is neither a day (2023-03-27) nor an instant (2023-03-27T12:00:00Z; in a URL write + as %2B)"
    )


def _as_of_day(asked: str, today: date) -> AsOf:
    try:
        day = date.fromisoformat(asked)
    except ValueError as error:
        raise NotAMoment(f"{asked} is not a day of the calendar") from error
    if day > today:
        raise NotAMoment(f"{asked} lies in the future; today is {today}")
    return AsOf(asked, day, None if day == today else end_of_day(day))


def _as_of_instant(asked: str, now: datetime) -> AsOf:
    try:
        moment = datetime.fromisoformat(asked.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise NotAMoment(f"{asked} is not a moment of the calendar") from error
    if moment > now:
        raise NotAMoment(f"{asked} lies in the future; it is {written(now)}")
    return AsOf(asked, helsinki_day(moment), moment)
