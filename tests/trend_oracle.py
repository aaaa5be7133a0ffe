"""A second, deliberately naive answer to the yearly trend: it looks at every day and adds up by definition.

Nothing here is fast or clever, so that it can be checked line by line against the design's table.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from functools import cache

from app.series.facts import Count, County, History, Release
from app.series.figures import ReleasedYear
from app.series.rows import YearRow

Value = int | float | bool | str | date | None
Answer = dict[str, Value]

ACTIVE = ("pilot", "in_use")
STATUS_FIELDS = (
    "municipalities",
    "pilot",
    "in_use",
    "active_at_end",
    "started",
    "resumed",
    "stopped",
    "merged",
)


def trend_day_by_day(
    counties: Sequence[County],
    *,
    as_of: date,
    counted: bool,
    residents: Mapping[int, Mapping[str, int]],
    counties_total: int,
    narrowed: bool = False,
    read: str = "live",
    from_year: int | None = None,
    to_year: int | None = None,
) -> list[Answer]:
    """One dict per year with the fields of `YearRow`, of the same arguments as `yearly_trend`."""
    areas = [Area.of(county, as_of=as_of) for county in counties]
    years = _years_of_the_answer(areas, as_of=as_of, narrowed=narrowed)
    question = Question(
        areas=areas,
        years=years,
        as_of=as_of,
        counted=counted,
        residents=residents,
        counties_total=counties_total,
        narrowed=narrowed,
        read=read,
    )
    rows = []
    for year in years:
        if from_year is not None and year < from_year:
            continue
        if to_year is not None and year > to_year:
            continue
        rows.append(_row(question, year))
    return rows


@dataclass(frozen=True)
class Municipality:
    """One municipality, with the status in force on each day that it was in the register."""

    history: History
    status_on: Mapping[date, str]
    active_days: frozenset[date]
    counted_days: Mapping[int, set[date]]

    @classmethod
    def of(cls, history: History, *, as_of: date) -> "Municipality":
        status_on: dict[date, str] = {}
        if history.statuses:
            dated = dict(history.statuses)
            status = None
            for day in _days(min(dated), as_of):
                status = dated.get(day, status)
                if status is not None and _in_register(history, day):
                    status_on[day] = status
        active_days = frozenset(day for day, status in status_on.items() if status in ACTIVE)
        counted_days = defaultdict[int, set[date]](set)
        for count in history.counts:
            counted_days[count.first.year].update(_days(count.first, count.last))
        return cls(history, status_on, active_days, counted_days)

    def counts_in(self, year: int) -> list[Count]:
        return [count for count in self.history.counts if count.first.year == year]

    def active_in(self, first: date, last: date) -> set[date]:
        return {day for day in self.active_days if first <= day <= last}


@dataclass(frozen=True)
class Area:
    """One county, or the municipalities of it that were asked for."""

    county: County
    municipalities: Sequence[Municipality]

    @classmethod
    def of(cls, county: County, *, as_of: date) -> "Area":
        return cls(county, [Municipality.of(history, as_of=as_of) for history in county.histories])

    def in_register(self, day: date) -> list[Municipality]:
        return [one for one in self.municipalities if _in_register(one.history, day)]


@dataclass(frozen=True)
class Question:
    """What was asked, with the years that the answer has before it is cut."""

    areas: Sequence[Area]
    years: Sequence[int]
    as_of: date
    counted: bool
    residents: Mapping[int, Mapping[str, int]]
    counties_total: int
    narrowed: bool
    read: str

    def last_day(self, year: int) -> date:
        return min(date(year, 12, 31), self.as_of)


@dataclass(kw_only=True)
class Figures:
    """What one county says of one year; None is what it cannot say."""

    area: Area
    basis: str
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
    def anything_counted(self) -> bool:
        return self.sessions is not None or self.withheld


def _years_of_the_answer(areas: Sequence[Area], *, as_of: date, narrowed: bool) -> list[int]:
    found: set[int] = set()
    for area in areas:
        for municipality in area.municipalities:
            found |= {count.first.year for count in municipality.history.counts}
            found |= {day.year for day in municipality.active_days}
        release = area.county.release
        if release is not None and not narrowed:
            found |= set(release.years)
        if release is not None and narrowed:
            for code in area.county.municipalities:
                found |= set(release.municipalities.get(code, {}))
    found = {year for year in found if year <= as_of.year}
    return list(range(min(found), max(found) + 1)) if found else []


# The figures of one county and year.


def _basis(question: Question, area: Area, year: int) -> str:
    if year not in question.years:
        return "none"
    released = _released(area.county.release, year)
    if question.read == "release":
        return "release" if released is not None else "none"
    if released is not None and (area.county.live_from is None or year < area.county.live_from):
        return "release"
    for municipality in area.municipalities:
        if municipality.counts_in(year):
            return "reports"
        if municipality.active_in(date(year, 1, 1), question.last_day(year)):
            return "reports"
    return "none"


def _released(release: Release | None, year: int) -> ReleasedYear | None:
    if release is None or year not in release.years or not release.years[year].covers:
        return None
    return release.years[year]


def _figures(question: Question, area: Area, year: int) -> list[Figures]:
    """What the county says; of municipalities asked for of which its release speaks, what it says of each."""
    basis = _basis(question, area, year)
    if basis == "reports":
        return [_reported_figures(question, area, year)]
    if basis == "release":
        return [_released_figures(area, released) for released in _released_of_area(question, area, year)]
    return [_figures_of_nothing(question, area, year)]


def _figures_of_nothing(question: Question, area: Area, year: int) -> Figures:
    figures = Figures(area=area, basis="none", reporting=0)
    if question.read == "live":
        figures.municipalities_in_area = len(area.in_register(question.last_day(year)))
        figures.residents = _residents(question, area, year)
    elif area.county.release is not None and year in area.county.release.years:
        figures.municipalities_in_area = area.county.release.years[year].municipalities_in_area
        figures.residents = area.county.release.years[year].residents
    return figures


def _released_of_area(question: Question, area: Area, year: int) -> Sequence[ReleasedYear | None]:
    release = area.county.release
    if release is None or not question.narrowed:
        return [_released(release, year)]
    of_each = [release.municipalities.get(code, {}).get(year) for code in area.county.municipalities]
    return [one for one in of_each if one is not None] or [None]


def _released_figures(area: Area, released: ReleasedYear | None) -> Figures:
    figures = Figures(area=area, basis="release")
    if released is None:
        return figures
    for field in fields(Figures):
        if field.name not in ("area", "basis"):
            setattr(figures, field.name, getattr(released, field.name))
    return figures


def _reported_figures(question: Question, area: Area, year: int) -> Figures:
    last_day = question.last_day(year)
    figures = Figures(area=area, basis="reports")
    figures.municipalities_in_area = len(area.in_register(last_day))
    figures.residents = _residents(question, area, year)
    if any(day <= last_day for one in area.municipalities for day, _ in one.history.statuses):
        _set_status_figures(figures, area, year, last_day)
    _set_session_figures(figures, area, year, last_day)
    _set_comparable_figures(figures, question, area, year)
    return figures


def _set_status_figures(figures: Figures, area: Area, year: int, last_day: date) -> None:
    figures.municipalities = figures.pilot = figures.in_use = figures.active_at_end = 0
    figures.started = figures.resumed = figures.stopped = figures.merged = 0
    for one in area.municipalities:
        if one.active_in(date(year, 1, 1), last_day):
            figures.municipalities += 1

        if one.status_on.get(last_day) == "pilot":
            figures.pilot += 1
        if one.status_on.get(last_day) == "in_use":
            figures.in_use += 1
        active_now = last_day in one.active_days
        if active_now:
            figures.active_at_end += 1

        started = bool(one.active_days) and min(one.active_days).year == year
        active_before = date(year - 1, 12, 31) in one.active_days
        if started:
            figures.started += 1
        if active_now and not active_before and not started:
            figures.resumed += 1
        if (active_before or started) and not active_now:
            if _in_register(one.history, last_day):
                figures.stopped += 1
            else:
                figures.merged += 1


def _set_session_figures(figures: Figures, area: Area, year: int, last_day: date) -> None:
    first_day = date(year, 1, 1)
    counts = [count for one in area.municipalities for count in one.counts_in(year)]
    if counts:
        figures.sessions = sum(count.sessions for count in counts)
    figures.reporting = len([one for one in area.municipalities if one.counts_in(year)])
    figures.through = _through(area, year, last_day)
    figures.partial = last_day < date(year, 12, 31)
    if counts and (figures.through is None or figures.through < date(year, 12, 31)):
        figures.partial = True

    figures.covered_days_in_year = 0
    for one in area.municipalities:
        active = one.active_in(first_day, last_day)
        figures.covered_days_in_year += len(active & one.counted_days[year])
        if one.counts_in(year) and not active:
            figures.counts_without_active_day = True
    through = figures.through
    figures.counts_beyond_through = through is not None and any(count.last > through for count in counts)


def _through(area: Area, year: int, last_day: date) -> date | None:
    first_day = date(year, 1, 1)
    reporting = [one for one in area.municipalities if one.counts_in(year)]
    if not reporting:
        return None
    if not any(one.active_in(first_day, last_day) for one in area.municipalities):
        return min(max(one.counted_days[year]) for one in reporting)

    through = None
    for day in _days(first_day, last_day):
        if any(day in one.active_days and day not in one.counted_days[year] for one in reporting):
            break
        through = day
    if through is None:
        return None
    for one in reporting:
        if one.active_in(first_day, through) & one.counted_days[year]:
            return through
    return None


def _residents(question: Question, area: Area, year: int) -> int | None:
    codes = [one.history.code for one in area.in_register(question.last_day(year))]
    if not codes:
        return 0
    if not question.residents:
        return None
    not_after = [known for known in question.residents if known <= year]
    table = question.residents[max(not_after) if not_after else min(question.residents)]
    if any(code not in table for code in codes):
        return None
    return sum(table[code] for code in codes)


def _set_comparable_figures(figures: Figures, question: Question, area: Area, year: int) -> None:
    if _basis(question, area, year - 1) != "reports":
        return
    most = 0
    for month in range(1, 13):
        month_end, month_end_before = _month_end(year, month), _month_end(year - 1, month)
        if month_end > question.last_day(year):
            continue
        comparable = [
            one
            for one in area.municipalities
            if _complete_up_to(one, month_end) and _complete_up_to(one, month_end_before)
        ]
        municipality_days = len(comparable) * len(_days(date(year, 1, 1), month_end))
        if municipality_days == 0 or municipality_days < most:
            continue
        most = municipality_days
        figures.comparable_through = month_end
        figures.comparable_municipalities = len(comparable)
        figures.comparable_sessions = _sessions_up_to(comparable, month_end)
        figures.comparable_previous_sessions = _sessions_up_to(comparable, month_end_before)


def _complete_up_to(one: Municipality, month_end: date) -> bool:
    counted = one.counted_days[month_end.year]
    for day in _days(date(month_end.year, 1, 1), month_end):
        if day not in one.active_days or day not in counted:
            return False
    return not any(count.first <= month_end < count.last for count in one.counts_in(month_end.year))


def _sessions_up_to(municipalities: Iterable[Municipality], day: date) -> int:
    counts = [count for one in municipalities for count in one.counts_in(day.year)]
    return sum(count.sessions for count in counts if count.last <= day)


# The row of one year: the contributing counties added up.


@dataclass
class Sums:
    """The contributing counties of one year and what they add up to, before any ratio."""

    figures: Sequence[Figures]
    basis: str
    municipalities: int | None
    sessions: int | None
    through: date | None
    partial: bool | None
    coverage: Fraction | None

    @property
    def whole(self) -> bool:
        """Neither partial nor known to be covered in part."""
        return self.partial is False and (self.coverage is None or self.coverage >= 1)


def _sums(question: Question, year: int) -> Sums:
    figures = [one for one in _said(question, year) if one.basis != "none"]
    if len(question.areas) > 1 and not question.narrowed:
        figures = [one for one in figures if not one.withheld]
    bases = {one.basis for one in figures}
    through = _earliest_through(figures)
    return Sums(
        figures=figures,
        basis="none" if not bases else bases.pop() if len(bases) == 1 else "mixed",
        municipalities=_sum(one.municipalities for one in figures) if figures else None,
        sessions=_sum(one.sessions for one in figures if one.anything_counted)
        if any(one.anything_counted for one in figures)
        else None,
        through=through,
        partial=_any_partial(figures),
        coverage=_coverage(question, figures, year, through),
    )


def _said(question: Question, year: int) -> list[Figures]:
    return [one for area in question.areas for one in _figures(question, area, year)]


def _row(question: Question, year: int) -> Answer:
    sums, before = _sums(question, year), _sums(question, year - 1)
    row: Answer = dict.fromkeys(field.name for field in fields(YearRow))
    row["year"] = year
    row["basis"] = sums.basis
    row["counties"] = len({one.area.county.code for one in sums.figures} - {""})
    row["counties_total"] = question.counties_total
    _set_area(row, question, sums, year)
    if sums.sessions is None:
        row["sessions_missing"] = _missing(question, sums.figures or _said(question, year), year)
    if sums.basis == "none":
        row["reporting"] = 0
        return row

    release = sums.figures[0].area.county.release
    if len({one.area.county.code for one in sums.figures}) == 1 and sums.basis == "release" and release is not None:
        row["release_id"] = release.id
        row["published_on"] = release.published_on
    for name in (*STATUS_FIELDS, "reporting"):
        row[name] = _sum(getattr(one, name) for one in sums.figures)
    row["sessions"] = sums.sessions
    row["through"] = sums.through
    row["partial"] = sums.partial
    row["coverage"] = _rounded(sums.coverage, 4)
    _set_rates(row, sums, year)
    _set_changes(row, sums, before)
    _set_comparables(row, sums)
    row["annual_pace"] = _rounded(_pace(question, sums, year), 1)
    if sums.basis == "reports" and question.read == "live":
        _set_released(row, question, sums, year)
    row["break_in_series"] = _break_in_series(sums.figures, year)
    return row


def _set_area(row: Answer, question: Question, sums: Sums, year: int) -> None:
    """A row of one county, or of single municipalities, states them whether it contributes or not."""
    stated: Sequence[Figures] = sums.figures
    if len(question.areas) == 1 or question.counties_total == 1 or question.narrowed:
        stated = _said(question, year)
    if stated:
        row["municipalities_in_area"] = _sum(one.municipalities_in_area for one in stated)
        row["residents"] = _sum(one.residents for one in stated)


def _missing(question: Question, figures: Sequence[Figures], year: int) -> str | None:
    """Withheld if one of them is; else not reported if one of them is; not applicable only if all of them are."""
    reasons = [_missing_of_one(question, one, year) for one in figures]
    if "withheld" in reasons:
        return "withheld"
    if "not_reported" in reasons:
        return "not_reported"
    return None if None in reasons else "not_applicable"


def _missing_of_one(question: Question, one: Figures, year: int) -> str | None:
    """One's own reason: no report is due where nobody was active, as far as statuses are known."""
    if one.sessions is not None:
        return None
    if one.withheld:
        return "withheld"
    if one.basis == "release":
        if one.municipalities == 0 or (one.municipalities is None and one.reporting == 0):
            return "not_applicable"
        return "not_reported" if one.reporting == 0 else None
    if question.read == "release":
        return None
    last_day = question.last_day(year)
    for municipality in one.area.municipalities:
        if municipality.active_in(date(year, 1, 1), last_day):
            return "not_reported"
    return "not_applicable" if one.area.municipalities else None


def _earliest_through(figures: Sequence[Figures]) -> date | None:
    reported = [one.through for one in figures if one.anything_counted]
    known = [through for through in reported if through is not None]
    return min(known) if known and len(known) == len(reported) else None


def _any_partial(figures: Sequence[Figures]) -> bool | None:
    if any(one.partial is True for one in figures):
        return True
    if not figures or any(one.partial is None for one in figures):
        return None
    return False


def _coverage(
    question: Question,
    figures: Sequence[Figures],
    year: int,
    through: date | None,
) -> Fraction | None:
    if not question.counted or through is None:
        return None
    active = covered = 0
    for one in figures:
        days = _active_and_covered_days(one, year, through)
        if days is None:
            return None
        active += days[0]
        covered += days[1]
    return Fraction(covered, active) if active else None


def _active_and_covered_days(figures: Figures, year: int, through: date) -> tuple[int, int] | None:
    """Municipality-days active, and active and counted, from 1 January to `through`; None when not known."""
    if figures.basis == "reports":
        active = covered = 0
        for one in figures.area.municipalities:
            active_days = one.active_in(date(year, 1, 1), through)
            active += len(active_days)
            covered += len(active_days & one.counted_days[year])
        return active, covered
    if not figures.anything_counted:
        # What it says of its days goes to the end of the year if it was over, else to an unknown day.
        if figures.active_days == 0:
            return 0, 0
        if figures.active_days is not None and figures.partial is False and through == date(year, 12, 31):
            return figures.active_days, 0
        return None
    if figures.through != through or figures.active_days is None or figures.covered_days is None:
        return None
    return figures.active_days, figures.covered_days


def _set_rates(row: Answer, sums: Sums, year: int) -> None:
    row["share"] = _rounded(_ratio(sums.municipalities, row["municipalities_in_area"]), 4)
    if sums.sessions is None:
        return
    outsiders = any(one.counts_without_active_day for one in sums.figures)
    if sums.whole and not outsiders:
        row["sessions_per_municipality"] = _rounded(_ratio(sums.sessions, sums.municipalities), 2)
    if not outsiders:
        covered_days = _sum(one.covered_days_in_year for one in sums.figures)
        rate = _ratio(sums.sessions * _days_of(year), covered_days)
        row["sessions_per_municipality_year"] = _rounded(rate, 2)
    if sums.whole:
        row["sessions_per_1000_residents"] = _rounded(_ratio(sums.sessions * 1000, row["residents"]), 3)


def _set_changes(row: Answer, sums: Sums, before: Sums) -> None:
    bases = {one.area.county.code: one.basis for one in sums.figures}
    bases_before = {one.area.county.code: one.basis for one in before.figures}
    if bases != bases_before:
        return
    if sums.municipalities is not None and before.municipalities is not None:
        row["change_municipalities"] = sums.municipalities - before.municipalities
    if sums.sessions is not None and before.sessions is not None and sums.whole and before.whole:
        row["change_sessions"] = sums.sessions - before.sessions


def _set_comparables(row: Answer, sums: Sums) -> None:
    throughs = {one.comparable_through for one in sums.figures}
    if len(throughs) > 1 or None in throughs:
        return
    row["comparable_through"] = throughs.pop()
    for name in ("comparable_municipalities", "comparable_sessions", "comparable_previous_sessions"):
        row[name] = _sum(getattr(one, name) for one in sums.figures)


def _pace(question: Question, sums: Sums, year: int) -> Fraction | None:
    pace = Fraction(0)
    for one in sums.figures:
        if one.partial is not True or one.sessions is None or one.through is None:
            return None
        coverage = _coverage(question, [one], year, one.through)
        if one.counts_beyond_through or (coverage is not None and coverage < 1):
            return None
        days_so_far = len(_days(date(year, 1, 1), one.through))
        pace += Fraction(one.sessions * _days_of(year), days_so_far)
    return pace


def _break_in_series(figures: Sequence[Figures], year: int) -> bool | None:
    broken = False
    for one in figures:
        if one.basis != "reports":
            continue
        for municipality in one.area.municipalities:
            in_year = municipality.counts_in(year)
            earlier = [count for count in municipality.history.counts if count.first.year < year]
            latest = [count for count in earlier if count.first == max(other.first for other in earlier)]
            reporters = {count.reporter for count in [*in_year, *latest]}
            if in_year and len(reporters) > 1:
                broken = True
    if broken:
        return True
    return None if any(one.basis != "reports" for one in figures) else False


def _set_released(row: Answer, question: Question, sums: Sums, year: int) -> None:
    """What was released of the counties, or of all municipalities of them that were asked for, and ours minus that."""
    beside = []
    for one in sums.figures:
        release = one.area.county.release
        parts = _released_of_area(question, one.area, year)
        if release is None or None in parts:
            return
        each = [_released_figures(one.area, part) for part in parts]
        reported = [part for part in each if part.anything_counted]
        together = Figures(
            area=one.area,
            basis="release",
            municipalities=_sum(part.municipalities for part in each),
            sessions=_sum(part.sessions for part in reported) if reported else None,
            through=_earliest_through(each),
        )
        beside.append((one, release, together))
    row["released_municipalities"] = _sum(released.municipalities for _, _, released in beside)
    row["released_sessions"] = _sum(released.sessions for _, _, released in beside)
    days = {release.published_on for _, release, _ in beside}
    row["released_on"] = days.pop() if len(days) == 1 else None
    row["difference_municipalities"] = _sum(
        _difference(one.municipalities, released.municipalities) for one, _, released in beside
    )
    row["difference_sessions"] = _sum(
        _difference(one.sessions, released.sessions)
        if one.through is not None and one.through == released.through
        else None
        for one, _, released in beside
    )


# Days and numbers.


def _in_register(history: History, day: date) -> bool:
    last = date.max if history.in_register_to is None else history.in_register_to
    return history.in_register_from <= day <= last


@cache
def _days(first: date, last: date) -> tuple[date, ...]:
    return tuple(first + timedelta(days=n) for n in range((last - first).days + 1))


def _days_of(year: int) -> int:
    return len(_days(date(year, 1, 1), date(year, 12, 31)))


def _month_end(year: int, month: int) -> date:
    return max(day for day in _days(date(year, 1, 1), date(year, 12, 31)) if day.month == month)


def _sum(numbers: Iterable[int | None]) -> int | None:
    """None when one of them is not known."""
    total = 0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total


def _difference(ours: int | None, theirs: int | None) -> int | None:
    return None if ours is None or theirs is None else ours - theirs


def _ratio(dividend: int | None, divisor: Value) -> Fraction | None:
    if dividend is None or not isinstance(divisor, int) or divisor == 0:
        return None
    return Fraction(dividend, divisor)


def _rounded(exact: Fraction | None, decimals: int) -> float | None:
    if exact is None:
        return None
    with localcontext() as context:
        # A tie has few digits and any other fraction of such integers is far more than 10^-60 away from one.
        context.prec = 80
        quotient = Decimal(exact.numerator) / Decimal(exact.denominator)
        return float(quotient.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))
