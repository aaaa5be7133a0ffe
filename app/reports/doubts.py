"""What is doubted about figures and statuses, by which code, and the arithmetic that finds odd counts.

Pure: it knows no database. Receipts say it when a figure comes in, `GET /v1/quality` says it of all that is in force.
"""

import itertools
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from operator import attrgetter
from types import MappingProxyType
from typing import Literal

ReceiptCode = Literal[
    "no_active_status",
    "tenfold_jump",
    "status_goes_backwards",
    "stays_with_release",
    "practice_not_counted",
    "outlier",
    "zero_in_use",
    "duplicate_month",
]
QualityCode = Literal["no_active_status", "unconfirmed", "outlier", "zero_in_use", "duplicate_month"]

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "no_active_status": "sessions, but no status `pilot` or `in_use` on any day counted",
        "tenfold_jump": "ten times the sessions of the period before, or of the figure that is corrected, or more",
        "status_goes_backwards": "`pilot` or `planned` after a status further on",
        "stays_with_release": "the year stays with the county's release; stored, not shown",
        "practice_not_counted": "sessions of a practice that does not count them",
        "outlier": "far from the municipality's other months, quarters or years (modified z-score above 3.5)",
        "zero_in_use": "0 sessions twelve months or more after `in_use` began, where chance would seldom give it",
        "duplicate_month": "the same number of sessions, 5 or more, in three or more consecutive months",
        "unconfirmed": "active, but no count and no status of the last twelve months",
    }
)
"""Every code and what it means; codes are stable."""

HISTORY_YEARS = 6
"""How many years on either side a count is held against: whoever reports by year has just enough of them."""

LEAST_OTHERS = 6
"""With fewer other counts two odd ones would make the median deviation as wide as they are odd."""

MOST_Z = Fraction(35, 10)
SMALLEST_REACH = 5
"""So far from the median nothing is doubted: small counts vary that much by chance, whatever their spread so far."""

_MONTH = (len("2022-03"), False)

# Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993): what makes each spread that of a normal distribution.
_MEDIAN_SPREAD = 1 / Fraction(6_745, 10_000)
_MEAN_SPREAD = Fraction(1_253_314, 1_000_000)

SMALLEST_COPIED = 5
SHORTEST_RUN = 3

LEAST_EXPECTED = 3
"""Where three sessions are to be expected, chance gives none in one of twenty periods (Poisson)."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A count in force; `first` and `last` are the days of its period, `counted_to` the last day counted."""

    period: str
    first: date
    last: date
    counted_to: date
    sessions: int

    @property
    def kind(self) -> tuple[int, bool]:
        """Equal for two years, two quarters and two months."""
        return len(self.period), "Q" in self.period

    @property
    def is_whole(self) -> bool:
        """True if the period was counted to its end."""
        return self.counted_to == self.last

    @property
    def days(self) -> int:
        """How many days were counted."""
        return (self.counted_to - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is odd about a figure; `low` and `high` are the sessions that would not be doubted, for an outlier."""

    code: Literal["no_active_status", "outlier", "zero_in_use", "duplicate_month"]
    detail: str
    low: int | None = None
    high: int | None = None


class Figures:
    """The figures in force of one municipality and practice, sorted out for being held against one another."""

    def __init__(self, figures: Iterable[Figure]) -> None:
        self.all = sorted(figures, key=attrgetter("first"))
        self._first_days = [figure.first for figure in self.all]
        self._whole: dict[tuple[int, bool], list[Figure]] = {}
        for figure in self.all:
            if figure.is_whole:
                self._whole.setdefault(figure.kind, []).append(figure)
        self._months = {_month_number(figure.first): figure.sessions for figure in self._whole.get(_MONTH, ())}
        self._sessions: dict[tuple[tuple[int, bool], int], list[int]] = {}

    def sessions_of_others(self, figure: Figure) -> list[int]:
        """Ascending, those like `figure`, which is one of these itself: of the same kind of period, counted to their
        end, of its own and the years around.
        """
        slot = figure.kind, figure.first.year
        together = self._sessions.get(slot)
        if together is None:
            together = self._sessions[slot] = sorted(other.sessions for other in self._near(*slot))
        own = bisect_left(together, figure.sessions)
        return together[:own] + together[own + 1 :]

    def before(self, figure: Figure) -> Figure | None:
        """The last of the same kind of period before `figure`, not older than the year before."""
        for other in reversed(self.all[: bisect_left(self._first_days, figure.first)]):
            if other.first.year < figure.first.year - 1:
                return None
            if other.kind == figure.kind:
                return other
        return None

    def run_around(self, figure: Figure) -> tuple[int, int]:
        """How many months just before the month `figure`, and just after it, have as many sessions; of years around."""
        own = _month_number(figure.first)
        before, after = itertools.count(1), itertools.count(1)
        return (
            next(back for back in before if not self._same(figure, own - back)) - 1,
            next(on for on in after if not self._same(figure, own + on)) - 1,
        )

    def _same(self, figure: Figure, month: int) -> bool:
        near = abs(month // 12 - figure.first.year) <= HISTORY_YEARS
        return near and self._months.get(month) == figure.sessions

    def _near(self, kind: tuple[int, bool], year: int) -> list[Figure]:
        return [other for other in self._whole.get(kind, ()) if abs(other.first.year - year) <= HISTORY_YEARS]


def doubts(figure: Figure, own: Figures, statuses: Sequence[tuple[date, str]]) -> list[Doubt]:
    """What is odd about `figure`, which is one of its municipality's `own`; `statuses` ascend by day."""
    found = [_outlier(figure, own), _zero_in_use(figure, own, statuses), _duplicate_month(figure, own)]
    return [doubt for doubt in found if doubt]


def usual_range(others: Sequence[int]) -> tuple[int, int] | None:
    """The lowest and highest number that is not doubted beside `others`; None if they are too few.

    A number is doubted if its modified z-score, 0.6745 × distance to the median / median of the distances, is above
    3.5; where that median is 0, the distance / (1.253314 × mean of the distances) is taken (Iglewicz and Hoaglin). The
    number itself is not among those that it is held against. At most `SMALLEST_REACH` away nothing is doubted, and
    beside others that are all the same whatever is further away.
    """
    if len(others) < LEAST_OTHERS:
        return None
    # Twice each number, so that the median of an even number of them is whole; reach and middle are fractions of one
    # denominator, since of a large submission each row asks.
    middle = _twice_the_median(sorted(others))
    distances = sorted(abs(2 * other - middle) for other in others)
    reach, whole = MOST_Z.numerator * _twice_the_median(distances), 4 * MOST_Z.denominator
    spread = _MEDIAN_SPREAD
    if not reach:
        reach, whole = MOST_Z.numerator * sum(distances), 2 * len(distances) * MOST_Z.denominator
        spread = _MEAN_SPREAD
    reach, whole = spread.numerator * reach, spread.denominator * whole
    reach = max(reach, SMALLEST_REACH * whole)
    low, high = middle * whole - 2 * reach, middle * whole + 2 * reach
    return max(-(-low // (2 * whole)), 0), high // (2 * whole)


def in_use_since(statuses: Sequence[tuple[date, str]], first: date, last: date) -> date | None:
    """Since which day the status has been `in_use` without a break up to `last`; None if not all from `first` on.

    `statuses` ascend by day.
    """
    since = None
    for day, status in statuses:
        if day > last:
            break
        if status != "in_use":
            since = None
        elif since is None:
            since = day
    return since if since and since <= first else None


def a_year_after(day: date) -> date:
    """The same day of the next year; 28 February after 29 February."""
    return _in_year(day, day.year + 1)


def _outlier(figure: Figure, own: Figures) -> Doubt | None:
    if not figure.is_whole:
        return None
    others = own.sessions_of_others(figure)
    if not others or abs(2 * figure.sessions - _twice_the_median(others)) <= 2 * SMALLEST_REACH:
        return None  # As usual_range would say with more work; of most figures there is no more to ask.
    usual = usual_range(others)
    if usual is None or usual[0] <= figure.sessions <= usual[1]:
        return None
    low, high = usual
    detail = f"{figure.sessions} sessions in {figure.period}; its {len(others)} other counts like it suggest "
    return Doubt("outlier", f"{detail}{low} to {high}", low, high)


def _zero_in_use(figure: Figure, own: Figures, statuses: Sequence[tuple[date, str]]) -> Doubt | None:
    """A zero is doubted after twelve months in use, if no session was held in the twelve months before the period
    either, or so many that chance would seldom give none: in a small municipality a month without a session is usual.
    """
    since = None if figure.sessions else in_use_since(statuses, figure.first, figure.counted_to)
    if since is None or a_year_after(since) > figure.first:
        return None
    begins = _in_year(figure.first, figure.first.year - 1)
    before = [other for other in own.all if begins <= other.first and other.counted_to < figure.first]
    held, days = sum(other.sessions for other in before), sum(other.days for other in before)
    if held and held * figure.days < LEAST_EXPECTED * days:
        return None
    so_far = f"{held} sessions were held" if held else "no session was counted either"
    detail = f"0 sessions in {figure.period}, in use since {since}; in the twelve months before {so_far}"
    return Doubt("zero_in_use", detail)


def _duplicate_month(figure: Figure, own: Figures) -> Doubt | None:
    """Three equal months happen by chance as well, but even to six a month once in some eighty months."""
    if figure.sessions < SMALLEST_COPIED or figure.kind != _MONTH or not figure.is_whole:
        return None
    before, after = own.run_around(figure)
    length = before + 1 + after
    if length < SHORTEST_RUN:
        return None
    first, last = _month_text(_month_number(figure.first) - before), _month_text(_month_number(figure.first) + after)
    detail = f"{figure.sessions} sessions in each of the {length} months from {first} to {last}"
    return Doubt("duplicate_month", f"{detail}; is one a copy of another?")


def _month_number(first: date) -> int:
    """The number of a month, one more than that of the month before; its year is a twelfth of it."""
    return first.year * 12 + first.month - 1


def _month_text(number: int) -> str:
    return f"{number // 12}-{number % 12 + 1:02}"


def _twice_the_median(ascending: Sequence[int]) -> int:
    half = len(ascending) // 2
    return ascending[half] + ascending[-half - 1]


def _in_year(day: date, year: int) -> date:
    return day.replace(year=year, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=year)
