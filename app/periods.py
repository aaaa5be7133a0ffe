"""Periods that counts are about and days that statuses begin on: their texts, their days, their containment."""

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal

FIRST_YEAR = 2015
LAST_YEAR = 9998

PERIOD_PATTERN = r"^[0-9]{4}(-Q[1-4]|-(0[1-9]|1[0-2]))?$"
DAY_PATTERN = r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"

Precision = Literal["day", "month", "year"]

_QUARTER = re.compile(r"(\d{4})-Q([1-4])", re.ASCII)
_DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


class NotAPeriod(ValueError):
    """The text names no period, or no day, of the calendar from 2015 on."""


@dataclass(frozen=True, slots=True)
class Period:
    """A whole year, quarter or month; `first` and `last` are its first and last day."""

    text: str
    first: date
    last: date

    def contains(self, other: "Period") -> bool:
        """True if every day of `other` is a day of this period; a period contains itself."""
        return self.first <= other.first and other.last <= self.last

    def overlaps(self, other: "Period") -> bool:
        """True if one contains the other: years, quarters and months share days in no other way."""
        return self.contains(other) or other.contains(self)


@lru_cache(maxsize=4096)
def period(text: str) -> Period:
    """The period that `text` names: `2022`, `2022-Q1` or `2022-03`.

    Raises:
        NotAPeriod: it names none, or one before 2015.
    """
    if found := _QUARTER.fullmatch(text):
        year, quarter = int(found[1]), int(found[2])
        return _months(text, year, 3 * quarter - 2, 3 * quarter)
    if not (found := _DAY.fullmatch(text)) or found[3]:
        raise NotAPeriod(f"{text!r} is not a period; write a year (2022), a quarter (2022-Q1) or a month (2022-03)")
    first, last = (int(found[2]), int(found[2])) if found[2] else (1, 12)
    return _months(text, int(found[1]), first, last)


@lru_cache(maxsize=4096)
def around_and_inside(whole: Period) -> Sequence[str]:
    """The texts of all other periods that share days with this one, in their order as texts."""
    year, months = whole.first.year, range(whole.first.month, whole.last.month + 1)
    named = {f"{year:04}", *(f"{year:04}-{month:02}" for month in months)}
    named |= {f"{year:04}-Q{(month + 2) // 3}" for month in months}
    return sorted(named - {whole.text})


def day(text: str) -> tuple[date, Precision]:
    """The day that `text` names and how precisely: `2022-03-15`, or `2022-03` and `2022` for their first day.

    Raises:
        NotAPeriod: it names none, or one before 2015.
    """
    found = _DAY.fullmatch(text)
    if not found:
        raise NotAPeriod(f"{text!r} is not a day; write 2022-03-15, or 2022-03 or 2022 for its first day")
    precision: Precision = "day" if found[3] else "month" if found[2] else "year"
    try:
        first = date(_year(int(found[1])), int(found[2] or 1), int(found[3] or 1))
    except ValueError as error:
        raise NotAPeriod(f"{text!r}: {error}") from error
    return first, precision


def _months(text: str, year: int, first: int, last: int) -> Period:
    if first < 1 or last > 12:
        raise NotAPeriod(f"{text!r} is not a period; months run from 01 to 12")
    _year(year)
    return Period(text, date(year, first, 1), date(year, last, monthrange(year, last)[1]))


def _year(year: int) -> int:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise NotAPeriod(f"figures are kept for the years {FIRST_YEAR} to {LAST_YEAR}, not for {year:04}")
    return year
