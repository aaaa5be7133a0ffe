"""What is doubted about figures and statuses, by which code, and the arithmetic that finds odd counts.

Pure: it knows no database. Receipts say it when a figure comes in, `GET /v1/quality` says it of all that is in force.
"""

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property, lru_cache
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Literal, NamedTuple

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

_YEAR, _QUARTER, _MONTH = "year", "quarter", "month"
_FIRST_DAY = attrgetter("first")
_PERIOD = itemgetter(0)

# Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993): what makes each spread that of a normal distribution.
_MEDIAN_SPREAD = 1 / Fraction(6_745, 10_000)
_MEAN_SPREAD = Fraction(1_253_314, 1_000_000)

_SURELY_USUAL = 5
"""Of so many times the median distance, or less, the modified z-score is below 3.5."""

SMALLEST_COPIED = 5
SHORTEST_RUN = 3

LEAST_EXPECTED = 3
"""Where three sessions are to be expected, chance gives none in one of twenty periods (Poisson)."""


class Figure(NamedTuple):
    """A count in force; `first` and `last` are the days of its period, `counted_to` the last day counted."""

    period: str
    first: date
    last: date
    counted_to: date
    sessions: int

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
        self.of_period = {figure.period: figure for figure in figures}
        of_kind: dict[str, list[Figure]] = {}
        for figure in sorted(self.of_period.values(), key=_PERIOD):
            of_kind.setdefault(_kind(figure.period), []).append(figure)
        self._alike = {kind: Alike(figures) for kind, figures in of_kind.items()}

    @cached_property
    def all(self) -> Sequence[Figure]:
        """In the order of their days."""
        return sorted(self.of_period.values(), key=_FIRST_DAY)

    def after(self, gone: Collection[str], added: Collection[Figure]) -> "Figures":
        """These without those of the periods that are `gone`, and with those that are `added`, in place of others."""
        changed = Figures(())
        changed.of_period = self.of_period | {figure.period: figure for figure in added}
        for period in gone:
            changed.of_period.pop(period, None)
        of_kind: dict[str, list[Figure]] = {}
        for period in {*gone, *(figure.period for figure in added)}:
            kind = _kind(period)
            if kind not in of_kind:
                of_kind[kind] = [*self._alike[kind].figures] if kind in self._alike else []
            figures = of_kind[kind]
            place = _place(figures, period)
            there = place < len(figures) and figures[place].period == period
            figures[place : place + there] = [figure for figure in added if figure.period == period]
        changed._alike = self._alike | {kind: Alike(figures) for kind, figures in of_kind.items()}
        return changed

    def like(self, figure: Figure) -> "Alike":
        """Those of years for a year, of quarters for a quarter, of months for a month."""
        return self._alike[_kind(figure.period)]


class Alike:
    """The figures of one kind of period in the order of their days, which is that of the texts of their periods.

    What is asked of each of them is worked out once for all that have the same answer.
    """

    def __init__(self, figures: list[Figure]) -> None:
        self.figures = figures
        self._whole = [figure for figure in figures if figure.counted_to == figure.last]
        self._around: dict[int, tuple[int, int]] = {}
        self._ascending: dict[tuple[int, int], Sequence[int]] = {}
        self._usual: dict[tuple[tuple[int, int], int], tuple[int, int, int] | None] = {}

    def before(self, figure: Figure) -> Figure | None:
        """The last one before `figure`, not older than the year before."""
        place = bisect_left(self.figures, figure)
        if not place or self.figures[place - 1].first.year < figure.first.year - 1:
            return None
        return self.figures[place - 1]

    def unusual(self, figure: Figure) -> tuple[int, int, int] | None:
        """What `usual_range` says beside the others, and how many these are, if `figure` lies outside; None if not.

        `figure` is one of these and counted to its end. The others are counted to theirs, in its own and the years
        around.
        """
        year, sessions = figure.first.year, figure.sessions
        around = self._around.get(year)
        if around is None:
            around = self._around[year] = self._places_around(year)
        asked = around, sessions
        if asked not in self._usual:
            self._usual[asked] = self._outside(*asked)
        return self._usual[asked]

    def same_beside(self, figure: Figure) -> bool:
        """False if neither the one before `figure` nor the one after it has as many sessions."""
        place = bisect_left(self.figures, figure)
        if place and self.figures[place - 1].sessions == figure.sessions:
            return True
        return place + 1 < len(self.figures) and self.figures[place + 1].sessions == figure.sessions

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

    @cached_property
    def _months(self) -> Mapping[int, int]:
        return {_month_number(figure.first): figure.sessions for figure in self._whole}

    def _places_around(self, year: int) -> tuple[int, int]:
        """From which place to which those counted to their end are of `year` and the years around."""
        return _place(self._whole, str(year - HISTORY_YEARS)), _place(self._whole, str(year + HISTORY_YEARS + 1))

    def _outside(self, around: tuple[int, int], sessions: int) -> tuple[int, int, int] | None:
        together = self._ascending.get(around)
        if together is None:
            together = self._ascending[around] = sorted([figure.sessions for figure in self._whole[slice(*around)]])
        own = bisect_left(together, sessions)
        others = [*together[:own], *together[own + 1 :]]
        usual = None if _surely_usual(sessions, others) else usual_range(others)
        return None if usual is None or usual[0] <= sessions <= usual[1] else (*usual, len(others))


def doubts(figure: Figure, own: Figures, statuses: Sequence[tuple[date, str]]) -> list[Doubt]:
    """What is odd about `figure`, which is one of its municipality's `own`; `statuses` ascend by day."""
    alike = own.like(figure)
    found = [_outlier(figure, alike)]
    if not figure.sessions:
        found.append(_zero_in_use(figure, own, statuses))
    elif figure.sessions >= SMALLEST_COPIED and alike.same_beside(figure):
        found.append(_duplicate(figure, alike))
    return [doubt for doubt in found if doubt] if any(found) else []


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
    ascending, half = sorted(others), len(others) // 2
    middle = _twice_the_median(ascending)
    below = [middle - 2 * other for other in ascending[:half]]
    above = [2 * other - middle for other in ascending[half:]]
    distances = sorted(below + above)
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


def _surely_usual(number: int, ascending: Sequence[int]) -> bool:
    """True if `usual_range` beside the numbers that are `ascending` would hold `number`, as is soon seen of most."""
    if len(ascending) < LEAST_OTHERS:
        return True
    middle = _twice_the_median(ascending)
    distance = abs(2 * number - middle)
    if distance <= 2 * SMALLEST_REACH:
        return True
    # If not even half of them are nearer to the median than that, the median of their distances is as much at least.
    near = distance / _SURELY_USUAL
    nearer = bisect_left(ascending, (middle + near) / 2) - bisect_right(ascending, (middle - near) / 2)
    return 2 * nearer < len(ascending)


def _outlier(figure: Figure, alike: Alike) -> Doubt | None:
    found = alike.unusual(figure) if figure.is_whole else None
    if found is None:
        return None
    low, high, others = found
    detail = f"{figure.sessions} sessions in {figure.period}; its {others} other counts like it suggest "
    return Doubt("outlier", f"{detail}{low} to {high}", low, high)


def _zero_in_use(figure: Figure, own: Figures, statuses: Sequence[tuple[date, str]]) -> Doubt | None:
    """A zero is doubted after twelve months in use, if no session was held in the twelve months before the period
    either, or so many that chance would seldom give none: in a small municipality a month without a session is usual.
    """
    since = in_use_since(statuses, figure.first, figure.counted_to)
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


def _duplicate(month: Figure, alike: Alike) -> Doubt | None:
    """Three equal months happen by chance as well, but even to six a month once in some eighty months."""
    if _kind(month.period) != _MONTH or not month.is_whole:
        return None
    before, after = alike.run_around(month)
    length = before + 1 + after
    if length < SHORTEST_RUN:
        return None
    first, last = _month_text(_month_number(month.first) - before), _month_text(_month_number(month.first) + after)
    detail = f"{month.sessions} sessions in each of the {length} months from {first} to {last}"
    return Doubt("duplicate_month", f"{detail}; is one a copy of another?")


@lru_cache(maxsize=4096)
def _kind(period: str) -> str:
    return _YEAR if len(period) == len("2022") else _QUARTER if "Q" in period else _MONTH


def _place(figures: Sequence[Figure], period: str) -> int:
    """How many of `figures`, all of one kind and in their order, are of periods before that with this text."""
    return bisect_left(figures, period, key=_PERIOD)


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
