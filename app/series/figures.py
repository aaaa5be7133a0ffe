"""The figures of one area and year, whatever they come from, and the rules that need nothing else."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal

from app.series.arithmetic import ratio, total
from app.series.days import day_of_year, days_of, last_day

Missing = Literal["withheld", "not_reported", "not_applicable"]
"""Which kind of nothing stands in the place of sessions: counted and not told, not counted, or nobody was active."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is known of one area and year, counted from reports, released or added up; None is not known.

    `active_days` and `covered_days` are municipality-days from 1 January to `through`: active ones, and those both
    active and counted; `covered_days_in_year` are the latter in the whole year. Where nothing was counted they go as
    far as the year is known. Where sessions are `withheld` they are None, and so are the comparable figures.
    """

    municipalities_in_area: int | None = None
    residents: int | None = None
    municipalities: int | None = None
    pilot: int | None = None
    in_use: int | None = None
    active_at_end: int | None = None
    started: int | None = None
    resumed: int | None = None
    stopped: int | None = None
    merged: int | None = None
    sessions: int | None = None
    reporting: int | None = None
    through: date | None = None
    partial: bool | None = None
    active_days: int | None = None
    covered_days: int | None = None
    covered_days_in_year: int | None = None
    counts_without_active_day: bool = False
    counts_beyond_through: bool = False
    comparable_through: date | None = None
    comparable_municipalities: int | None = None
    comparable_sessions: int | None = None
    comparable_previous_sessions: int | None = None
    withheld: bool = False

    @property
    def reported(self) -> bool:
        """True if something was counted, also if it is not told."""
        return self.withheld or self.sessions is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedYear(Figures):
    """What a release says about one county, or one of its municipalities, and year.

    `covers` is False for a year between the release's first and last of which it says nothing; it may still state the
    register and its residents. `carried` is True for a year that was taken over from the release before.
    """

    covers: bool
    carried: bool = False


def imported_year(
    year: int,
    *,
    municipalities: int | None,
    sessions: int | None,
    through: date | None,
    published_on: date,
    municipalities_in_area: int,
    residents: int | None,
) -> ReleasedYear:
    """What an imported release says of `year`; it knows neither the split into statuses nor municipalities.

    `through` is the last day counted and stands only beside `sessions`. A row without figures covers nothing.
    """
    if municipalities is None and sessions is None:
        return ReleasedYear(covers=False, municipalities_in_area=municipalities_in_area, residents=residents)
    through = None if sessions is None else through
    return ReleasedYear(
        covers=True,
        municipalities_in_area=municipalities_in_area,
        residents=residents,
        municipalities=municipalities,
        sessions=sessions,
        through=through,
        partial=is_partial(last_day(year, published_on), sessions is not None, through),
    )


def residents_of(codes: Collection[str], year: int, residents: Mapping[int, Mapping[str, int]]) -> int | None:
    """The residents of the municipalities `codes` in `year`; None if those of one of them are not known.

    Those of the latest 31 December known that is not after the end of `year`, else of the first known.
    """
    if not codes or not residents:
        return None if codes else 0
    known = residents[max((past for past in residents if past <= year), default=min(residents))]
    return total(known.get(code) for code in codes)


def is_partial(last: date, reported: bool, through: date | None) -> bool:
    """True if the year ends after its last day, or after what was reported of it."""
    year_end = date(last.year, 12, 31)
    return last < year_end or (reported and (through is None or through < year_end))


def coverage(figures: Figures, *, counted: bool) -> Fraction | None:
    """The share of the active days up to `through` that were counted, if the practice counts at all."""
    known = counted and figures.through is not None
    return ratio(figures.covered_days, figures.active_days) if known else None


def whole_sessions(figures: Figures, *, counted: bool) -> int | None:
    """The sessions; None where the year may be partial or is known to miss days (rule 5)."""
    whole = figures.partial is False and not _misses_days(figures, counted)
    return figures.sessions if whole else None


def annual_pace(year: int, figures: Figures, *, counted: bool) -> Fraction | None:
    """Sessions × days of the year / days to `through`: a plain proportion that knows no season."""
    if not figures.partial or figures.counts_beyond_through or _misses_days(figures, counted):
        return None
    days = day_of_year(figures.through) if figures.through else None
    return ratio(figures.sessions, days, days_of(year))


def sessions_missing(figures: Figures) -> Missing | None:
    """Why there are no sessions; None if there are, or if the figures do not say."""
    if figures.sessions is not None:
        return None
    if figures.withheld:
        return "withheld"
    unreported = figures.reporting == 0
    # Where no status is known nobody is active (rule 6), and no report is due.
    if figures.municipalities == 0 or (figures.municipalities is None and unreported):
        return "not_applicable"
    return "not_reported" if unreported else None


def _misses_days(figures: Figures, counted: bool) -> bool:
    share = coverage(figures, counted=counted)
    return share is not None and share < 1
