"""The yearly trend of a practice: what municipalities reported and counties released, as one row a year."""

from calendar import isleap
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Literal, NamedTuple

from app.spans import (
    Count,
    History,
    Life,
    LifeYear,
    first_missing,
    life_of,
    life_year,
    month_ends,
    number_of_days,
)

__all__ = [
    "Basis",
    "Count",
    "County",
    "Figures",
    "History",
    "Read",
    "Release",
    "ReleasedYear",
    "YearRow",
    "imported_year",
    "residents_of",
    "yearly_trend",
]

Basis = Literal["release", "reports", "none"]
Read = Literal["live", "release"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is known of one area and year, counted from reports, released or added up; None is not known.

    `active_days` and `covered_days` are municipality-days from 1 January to `through`: active ones, and those
    both active and counted; `covered_days_in_year` are the latter in the whole year.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedYear(Figures):
    """What a release says about one county and year.

    `covers` is False for a year between the release's first and last of which it says nothing; it may still
    state the register and its residents.
    """

    covers: bool


@dataclass(frozen=True, slots=True)
class Release:
    """What a county made public on a day; its `years` have no hole between the first and the last."""

    id: int
    published_on: date
    years: Mapping[int, ReleasedYear]


@dataclass(frozen=True, slots=True)
class County:
    """One county as the moment of reading knows it; `code` is "" for municipalities that belong to none.

    In live reading `histories` are all municipalities that ever were in it (of those asked for, if
    narrowed), also those of which nothing is recorded; in release reading there are none. `release` is the
    latest one, or the one asked for; `live_from` is the first year for which the reports speak.
    """

    code: str
    histories: Sequence[History]
    release: Release | None = None
    live_from: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class YearRow:
    """One year of the yearly trend; what a basis or a contributor cannot say is None."""

    release_id: int | None
    published_on: date | None
    year: int
    basis: Basis | Literal["mixed"]
    counties: int
    counties_total: int
    municipalities_in_area: int | None
    municipalities: int | None
    share: float | None
    pilot: int | None
    in_use: int | None
    active_at_end: int | None
    started: int | None
    resumed: int | None
    stopped: int | None
    merged: int | None
    sessions: int | None
    reporting: int | None
    through: date | None
    partial: bool | None
    coverage: float | None
    sessions_per_municipality: float | None
    sessions_per_municipality_year: float | None
    residents: int | None
    sessions_per_1000_residents: float | None
    change_municipalities: int | None
    change_sessions: int | None
    comparable_through: date | None
    comparable_municipalities: int | None
    comparable_sessions: int | None
    comparable_previous_sessions: int | None
    annual_pace: float | None
    released_municipalities: int | None
    released_sessions: int | None
    released_on: date | None
    difference_municipalities: int | None
    difference_sessions: int | None


def yearly_trend(
    counties: Sequence[County],
    *,
    as_of: date,
    counted: bool,
    residents: Mapping[int, Mapping[str, int]],
    counties_total: int,
    narrowed: bool = False,
    read: Read = "live",
    from_year: int | None = None,
    to_year: int | None = None,
) -> list[YearRow]:
    """The years of `counties` taken as one area, ascending and without a hole.

    `counted` says whether the practice counts its sessions at all; `residents` are those on 31 December by
    year and municipality; `counties_total` is how many counties the area has. `narrowed` means that the area
    is single municipalities, of which a release knows nothing. `from_year` and `to_year` cut the answer, not
    what its first year is compared with. The definitions are those of "The yearly trend" in the design.
    """
    question = _Question(as_of, counted, residents, counties_total, narrowed, read)
    lives = [[life_of(history, as_of) for history in county.histories] for county in counties]
    years = _years(counties, lives, question)
    by_county = [_county_years(county, own, years, question) for county, own in zip(counties, lives, strict=True)]
    areas = [_area_year(year, said, question) for year, *said in zip(years, *by_county, strict=True)]
    rows = [_row(now, before, question) for before, now in pairwise([_NOTHING, *areas])]
    first, last = from_year or years.start, to_year or years.stop
    return [row for row in rows if first <= row.year <= last]


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
        partial=_partial(_last_day(year, published_on), sessions is not None, through),
    )


def residents_of(codes: Collection[str], year: int, residents: Mapping[int, Mapping[str, int]]) -> int | None:
    """The residents of the municipalities `codes` in `year`; None if those of one of them are not known.

    Those of the latest 31 December known that is not after the end of `year`, else of the first known.
    """
    if not codes or not residents:
        return None if codes else 0
    known = residents[max((past for past in residents if past <= year), default=min(residents))]
    return _total(known.get(code) for code in codes)


@dataclass(frozen=True, slots=True)
class _Question:
    as_of: date
    counted: bool
    residents: Mapping[int, Mapping[str, int]]
    counties_total: int
    narrowed: bool
    read: Read


@dataclass(frozen=True, slots=True)
class _CountyYear:
    """What a county says of a year, out of which municipalities; `release` is set if it covers the year."""

    basis: Basis
    figures: Figures
    lives: Sequence[LifeYear]
    release: Release | None


@dataclass(frozen=True, slots=True)
class _AreaYear:
    """What the contributing counties together say of a year; `bases` are those of all, in their order."""

    year: int
    bases: tuple[Basis, ...]
    contributing: Sequence[_CountyYear]
    figures: Figures
    coverage: Fraction | None
    pace: Fraction | None

    @property
    def whole_sessions(self) -> int | None:
        """Sessions; None where the year may be partial or is known to miss days (rule 5)."""
        whole = self.figures.partial is False and not _below_one(self.coverage)
        return self.figures.sessions if whole else None

    @property
    def basis(self) -> Basis | Literal["mixed"]:
        bases = {county.basis for county in self.contributing}
        if len(bases) > 1:
            return "mixed"
        return bases.pop() if bases else "none"

    @property
    def sole_release(self) -> Release | None:
        """The release that all of the row comes from."""
        if len(self.contributing) == 1 and self.basis == "release":
            return self.contributing[0].release
        return None


_NOTHING = _AreaYear(year=0, bases=(), contributing=(), figures=Figures(), coverage=None, pace=None)


class _LikeForLike(NamedTuple):
    through: date | None = None
    municipalities: int | None = None
    sessions: int | None = None
    previous_sessions: int | None = None


class _Beside(NamedTuple):
    """The latest release's figures beside the live ones, and the live ones minus the released."""

    municipalities: int | None = None
    sessions: int | None = None
    on: date | None = None
    difference_municipalities: int | None = None
    difference_sessions: int | None = None


def _years(counties: Sequence[County], lives: Sequence[Sequence[Life]], question: _Question) -> range:
    """From the first to the last year with a count, an active day or a release, none after the as-of day."""
    found: set[int] = set()
    for life in (life for own in lives for life in own):
        found.update(life.counts)
        found.update(date.fromordinal(day).year for span in life.active for day in span)
    if not question.narrowed:
        found.update(year for county in counties if county.release for year in county.release.years)
    found = {year for year in found if year <= question.as_of.year}
    return range(min(found), max(found) + 1) if found else range(0)


def _county_years(
    county: County, lives: Sequence[Life], years: Iterable[int], question: _Question
) -> list[_CountyYear]:
    said: list[_CountyYear] = []
    before: Sequence[LifeYear] = ()
    for year in years:
        last = _last_day(year, question.as_of)
        now = [life_year(life, year, last) for life in lives]
        said.append(_county_year(county, year, now, before, question))
        before = now if said[-1].basis == "reports" else ()
    return said


def _county_year(
    county: County, year: int, now: Sequence[LifeYear], before: Sequence[LifeYear], question: _Question
) -> _CountyYear:
    """`before` is the year before, empty unless its basis is `reports` too."""
    release = county.release if county.release and year in county.release.years else None
    released = release.years[year] if release else ReleasedYear(covers=False)
    basis = _basis(county, year, now, released, question)
    if basis == "reports":
        figures = _reported(year, now, before, question)
    elif basis == "none":
        figures = _register_alone(year, now, released, question)
    else:
        figures = Figures() if question.narrowed else released
    return _CountyYear(basis, figures, now, release if released.covers else None)


def _basis(county: County, year: int, now: Sequence[LifeYear], released: ReleasedYear, question: _Question) -> Basis:
    """Rule 11: a year that a release covers stays with it until the county's reports speak for it."""
    live = question.read == "live"
    if released.covers and not (live and county.live_from is not None and county.live_from <= year):
        return "release"
    return "reports" if live and any(life.counts or life.active for life in now) else "none"


def _register_alone(year: int, now: Sequence[LifeYear], released: ReleasedYear, question: _Question) -> Figures:
    """What stands where nothing was said; in release reading it is the release's own register."""
    area, residents = _register(year, now, question.residents)
    if question.read == "release":
        area, residents = released.municipalities_in_area, released.residents
    return Figures(municipalities_in_area=area, residents=residents, reporting=0)


def _register(
    year: int, now: Sequence[LifeYear], residents: Mapping[int, Mapping[str, int]]
) -> tuple[int | None, int | None]:
    """How many municipalities are in the register on the last day, and their residents."""
    codes = [life.code for life in now if life.in_register]
    return len(codes), residents_of(codes, year, residents)


def _reported(year: int, now: Sequence[LifeYear], before: Sequence[LifeYear], question: _Question) -> Figures:
    last = _last_day(year, question.as_of)
    reporting = [life for life in now if life.counts]
    area, residents = _register(year, now, question.residents)
    through = _through(now, last)
    active_days, covered_days = _days_until(now, through) if through else (None, None)
    pair = _like_for_like(year, now, before)
    figures = Figures(
        municipalities_in_area=area,
        residents=residents,
        sessions=sum(life.sessions_until(12) for life in reporting) if reporting else None,
        reporting=len(reporting),
        through=through,
        partial=_partial(last, bool(reporting), through),
        active_days=active_days,
        covered_days=covered_days,
        covered_days_in_year=_days_until(now, last)[1],
        counts_without_active_day=any(not life.active for life in reporting),
        counts_beyond_through=any(through is not None and life.last_counted > through for life in reporting),
        comparable_through=pair.through,
        comparable_municipalities=pair.municipalities,
        comparable_sessions=pair.sessions,
        comparable_previous_sessions=pair.previous_sessions,
    )
    return _with_statuses(figures, now) if any(life.has_status for life in now) else figures


def _with_statuses(figures: Figures, now: Sequence[LifeYear]) -> Figures:
    """`figures` and the status fields: active_at_end = last year's + started + resumed − stopped − merged."""
    return replace(
        figures,
        municipalities=sum(bool(life.active) for life in now),
        pilot=sum(life.status == "pilot" for life in now),
        in_use=sum(life.status == "in_use" for life in now),
        active_at_end=sum(life.active_at_end for life in now),
        started=sum(life.started for life in now),
        resumed=sum(life.active_at_end and not life.entered for life in now),
        stopped=sum(life.entered and life.in_register and not life.active_at_end for life in now),
        merged=sum(life.entered and not life.in_register for life in now),
    )


def _through(now: Sequence[LifeYear], last: date) -> date | None:
    """The last day to which all active days of the reporting are counted; None if not even the first one is.

    A municipality without an active day limits it only if none has one, then by its last day counted.
    """
    if not any(life.active for life in now):
        return min((life.last_counted for life in now if life.counts), default=None)
    reporting = [life for life in now if life.counts and life.active]
    gaps = [gap for life in reporting if (gap := first_missing(life.active, life.counted))]
    until = min(gaps) - 1 if gaps else last.toordinal()
    anything_counted = any(number_of_days(life.active_and_counted, until) for life in reporting)
    return date.fromordinal(until) if anything_counted else None


def _days_until(now: Sequence[LifeYear], day: date) -> tuple[int, int]:
    """Municipality-days from 1 January to `day`: active, and both active and counted."""
    until = day.toordinal()
    active = sum(number_of_days(life.active, until) for life in now)
    return active, sum(number_of_days(life.active_and_counted, until) for life in now)


def _like_for_like(year: int, now: Sequence[LifeYear], before: Sequence[LifeYear]) -> _LikeForLike:
    """The month end with the most municipalities × days from 1 January, the latest of those, and its sums.

    `now` and `before` are the same municipalities in the same order; nothing compares with an empty `before`.
    """
    pairs = [(new, old, new.complete_months & old.complete_months) for new, old in zip(now, before, strict=False)]
    municipalities = Counter(month for _, _, months in pairs for month in months)
    if not municipalities:
        return _LikeForLike()
    ends = dict(enumerate(map(date.fromordinal, month_ends(year)), start=1))
    best = max(municipalities, key=lambda month: (municipalities[month] * _day_of_year(ends[month]), month))
    return _LikeForLike(
        through=ends[best],
        municipalities=municipalities[best],
        sessions=sum(new.sessions_until(best) for new, _, months in pairs if best in months),
        previous_sessions=sum(old.sessions_until(best) for _, old, months in pairs if best in months),
    )


def _area_year(year: int, said: Sequence[_CountyYear], question: _Question) -> _AreaYear:
    contributing = [county for county in said if county.basis != "none"]
    figures = _together(contributing) if contributing else _nobody(said, question)
    return _AreaYear(
        year=year,
        bases=tuple(county.basis for county in said),
        contributing=contributing,
        figures=figures,
        coverage=_coverage(figures, question.counted),
        pace=_sum_of_paces(year, contributing, question.counted),
    )


def _nobody(said: Sequence[_CountyYear], question: _Question) -> Figures:
    """One county, or the municipalities asked for, state their register also where nobody contributes."""
    if question.counties_total > 1 and len(said) > 1 and not question.narrowed:
        return Figures(reporting=0)
    return Figures(
        municipalities_in_area=_total(county.figures.municipalities_in_area for county in said),
        residents=_total(county.figures.residents for county in said),
        reporting=0,
    )


def _together(contributing: Sequence[_CountyYear]) -> Figures:
    """The sums, None where one cannot say; sessions and the earliest `through` are of those that reported."""
    if len(contributing) == 1:
        return contributing[0].figures
    each = [county.figures for county in contributing]
    reported = [figures for figures in each if figures.sessions is not None]
    through = _earliest([figures.through for figures in reported])
    days = [_county_days_until(county, through) for county in contributing]
    comparable_through = _same([figures.comparable_through for figures in each])
    comparable = each if comparable_through else [Figures()]
    return Figures(
        municipalities_in_area=_total(figures.municipalities_in_area for figures in each),
        residents=_total(figures.residents for figures in each),
        municipalities=_total(figures.municipalities for figures in each),
        pilot=_total(figures.pilot for figures in each),
        in_use=_total(figures.in_use for figures in each),
        active_at_end=_total(figures.active_at_end for figures in each),
        started=_total(figures.started for figures in each),
        resumed=_total(figures.resumed for figures in each),
        stopped=_total(figures.stopped for figures in each),
        merged=_total(figures.merged for figures in each),
        sessions=_total(figures.sessions for figures in reported) if reported else None,
        reporting=_total(figures.reporting for figures in each),
        through=through,
        partial=_any([figures.partial for figures in each]),
        active_days=_total(active for active, _ in days),
        covered_days=_total(covered for _, covered in days),
        covered_days_in_year=_total(figures.covered_days_in_year for figures in each),
        counts_without_active_day=any(figures.counts_without_active_day for figures in each),
        counts_beyond_through=any(figures.counts_beyond_through for figures in each),
        comparable_through=comparable_through,
        comparable_municipalities=_total(figures.comparable_municipalities for figures in comparable),
        comparable_sessions=_total(figures.comparable_sessions for figures in comparable),
        comparable_previous_sessions=_total(figures.comparable_previous_sessions for figures in comparable),
    )


def _county_days_until(county: _CountyYear, through: date | None) -> tuple[int | None, int | None]:
    """As `_days_until`; a release knows its days only up to its own `through`, or that there are none."""
    figures = county.figures
    if through is None:
        return None, None
    if county.basis == "reports":
        return _days_until(county.lives, through)
    if figures.through == through:
        return figures.active_days, figures.covered_days
    return (0, 0) if figures.sessions is None and figures.active_days == 0 else (None, None)


def _coverage(figures: Figures, counted: bool) -> Fraction | None:
    known = counted and figures.through is not None
    return _ratio(figures.covered_days, figures.active_days) if known else None


def _below_one(coverage: Fraction | None) -> bool:
    return coverage is not None and coverage < 1


def _sum_of_paces(year: int, contributing: Sequence[_CountyYear], counted: bool) -> Fraction | None:
    paces = [_pace(year, county.figures, counted) for county in contributing]
    known = [pace for pace in paces if pace is not None]
    return sum(known, Fraction()) if known and len(known) == len(paces) else None


def _pace(year: int, figures: Figures, counted: bool) -> Fraction | None:
    """Sessions × days of the year / days to `through`: a plain proportion that knows no season."""
    if not figures.partial or figures.counts_beyond_through or _below_one(_coverage(figures, counted)):
        return None
    days = _day_of_year(figures.through) if figures.through else None
    return _ratio(figures.sessions, days, _days_of(year))


def _row(now: _AreaYear, before: _AreaYear, question: _Question) -> YearRow:
    figures, release = now.figures, now.sole_release
    beside = _beside(now, question)
    alike = before if before.bases == now.bases else _NOTHING
    adopters, adopted_days = figures.municipalities, figures.covered_days_in_year
    if figures.counts_without_active_day:
        # Sessions of a municipality that never was active have nobody to be divided by.
        adopters = adopted_days = None
    return YearRow(
        release_id=release.id if release else None,
        published_on=release.published_on if release else None,
        year=now.year,
        basis=now.basis,
        counties=len(now.contributing),
        counties_total=question.counties_total,
        municipalities_in_area=figures.municipalities_in_area,
        municipalities=figures.municipalities,
        share=_rounded(_ratio(figures.municipalities, figures.municipalities_in_area), 4),
        pilot=figures.pilot,
        in_use=figures.in_use,
        active_at_end=figures.active_at_end,
        started=figures.started,
        resumed=figures.resumed,
        stopped=figures.stopped,
        merged=figures.merged,
        sessions=figures.sessions,
        reporting=figures.reporting,
        through=figures.through,
        partial=figures.partial,
        coverage=_rounded(now.coverage, 4),
        sessions_per_municipality=_rounded(_ratio(now.whole_sessions, adopters), 2),
        sessions_per_municipality_year=_rounded(_ratio(figures.sessions, adopted_days, _days_of(now.year)), 2),
        residents=figures.residents,
        sessions_per_1000_residents=_rounded(_ratio(now.whole_sessions, figures.residents, 1000), 3),
        change_municipalities=_difference(figures.municipalities, alike.figures.municipalities),
        change_sessions=_difference(now.whole_sessions, alike.whole_sessions),
        comparable_through=figures.comparable_through,
        comparable_municipalities=figures.comparable_municipalities,
        comparable_sessions=figures.comparable_sessions,
        comparable_previous_sessions=figures.comparable_previous_sessions,
        annual_pace=_rounded(now.pace, 1),
        released_municipalities=beside.municipalities,
        released_sessions=beside.sessions,
        released_on=beside.on,
        difference_municipalities=beside.difference_municipalities,
        difference_sessions=beside.difference_sessions,
    )


def _beside(area: _AreaYear, question: _Question) -> _Beside:
    """The sums over counties that all report and have released the year; sessions compare to equal days."""
    pairs = [
        (county.figures, county.release.years[area.year], county.release.published_on)
        for county in area.contributing
        if county.basis == "reports" and county.release and not question.narrowed
    ]
    if not pairs or len(pairs) < len(area.contributing):
        return _Beside()
    return _Beside(
        municipalities=_total(theirs.municipalities for _, theirs, _ in pairs),
        sessions=_total(theirs.sessions for _, theirs, _ in pairs),
        on=_same([published_on for _, _, published_on in pairs]),
        difference_municipalities=_total(
            _difference(ours.municipalities, theirs.municipalities) for ours, theirs, _ in pairs
        ),
        difference_sessions=_total(
            _difference(ours.sessions, theirs.sessions) if ours.through and ours.through == theirs.through else None
            for ours, theirs, _ in pairs
        ),
    )


def _last_day(year: int, on: date) -> date:
    return min(date(year, 12, 31), on)


def _partial(last: date, reported: bool, through: date | None) -> bool:
    year_end = date(last.year, 12, 31)
    return last < year_end or (reported and (through is None or through < year_end))


def _days_of(year: int) -> int:
    return 366 if isleap(year) else 365


def _day_of_year(day: date) -> int:
    return (day - date(day.year, 1, 1)).days + 1


def _earliest(days: Sequence[date | None]) -> date | None:
    """None if one of them is not known."""
    known = [day for day in days if day]
    return min(known, default=None) if len(known) == len(days) else None


def _same(days: Sequence[date | None]) -> date | None:
    """The day that all of them are, else None."""
    return days[0] if len(set(days)) == 1 else None


def _any(flags: Sequence[bool | None]) -> bool | None:
    """True if one of them is; else None if one of them is not known."""
    return True if any(flags) else None if None in flags else False


def _total(values: Iterable[int | None]) -> int | None:
    """The sum; None if one of them is."""
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _difference(ours: int | None, theirs: int | None) -> int | None:
    return None if ours is None or theirs is None else ours - theirs


def _ratio(numerator: int | None, denominator: int | None, times: int = 1) -> Fraction | None:
    """None if one of them is, or for a zero divisor."""
    return Fraction(numerator * times, denominator) if numerator is not None and denominator else None


def _rounded(value: Fraction | None, decimals: int) -> float | None:
    """Half up, decided on exact integers: as a float 2.675 lies below the half."""
    if value is None:
        return None
    scale: int = 10**decimals
    return (2 * value.numerator * scale + value.denominator) // (2 * value.denominator) / scale
