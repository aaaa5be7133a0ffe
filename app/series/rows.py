"""The row of one year, as the design's table defines it: ratios, changes, and what was released beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from app.series.area_years import AreaYear
from app.series.arithmetic import difference, earliest, ratio, rounded, same, total
from app.series.county_years import Basis
from app.series.days import days_of
from app.series.facts import Question
from app.series.figures import Figures, Missing, ReleasedYear, coverage, whole_sessions


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
    break_in_series: bool | None
    sessions_missing: Missing | None


class _Beside(NamedTuple):
    """The latest release's figures beside the live ones, and the live ones minus the released."""

    municipalities: int | None = None
    sessions: int | None = None
    on: date | None = None
    difference_municipalities: int | None = None
    difference_sessions: int | None = None


def year_row(now: AreaYear, before: AreaYear, question: Question) -> YearRow:
    """The row of `now`; its changes are against `before` if every county has the same basis in both."""
    figures, release = now.figures, now.sole_release
    beside = _beside(now)
    alike = before.figures if before.bases == now.bases else Figures()
    whole = whole_sessions(figures, counted=question.counted)
    adopters, adopted_days = figures.municipalities, figures.covered_days_in_year
    if figures.counts_without_active_day:
        # Sessions of a municipality that never was active have nobody to be divided by.
        adopters = adopted_days = None
    return YearRow(
        release_id=release.id if release else None,
        published_on=release.published_on if release else None,
        year=now.year,
        basis=now.basis,
        counties=now.counties,
        counties_total=question.counties_total,
        municipalities_in_area=figures.municipalities_in_area,
        municipalities=figures.municipalities,
        share=rounded(ratio(figures.municipalities, figures.municipalities_in_area), 4),
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
        coverage=rounded(coverage(figures, counted=question.counted), 4),
        sessions_per_municipality=rounded(ratio(whole, adopters), 2),
        sessions_per_municipality_year=rounded(ratio(figures.sessions, adopted_days, days_of(now.year)), 2),
        residents=figures.residents,
        sessions_per_1000_residents=rounded(ratio(whole, figures.residents, 1000), 3),
        change_municipalities=difference(figures.municipalities, alike.municipalities),
        change_sessions=difference(whole, whole_sessions(alike, counted=question.counted)),
        comparable_through=figures.comparable_through,
        comparable_municipalities=figures.comparable_municipalities,
        comparable_sessions=figures.comparable_sessions,
        comparable_previous_sessions=figures.comparable_previous_sessions,
        annual_pace=rounded(now.annual_pace(counted=question.counted), 1),
        released_municipalities=beside.municipalities,
        released_sessions=beside.sessions,
        released_on=beside.on,
        difference_municipalities=beside.difference_municipalities,
        difference_sessions=beside.difference_sessions,
        break_in_series=now.break_in_series,
        sessions_missing=now.sessions_missing,
    )


def _beside(area: AreaYear) -> _Beside:
    """The sums over counties that all report and have released the year; sessions compare to equal days."""
    pairs = [
        (county.figures, _released(county.released), county.release.published_on)
        for county in area.contributing
        if county.basis == "reports" and county.release and county.released
    ]
    if not pairs or len(pairs) < len(area.contributing):
        return _Beside()
    return _Beside(
        municipalities=total(theirs.municipalities for _, theirs, _ in pairs),
        sessions=total(theirs.sessions for _, theirs, _ in pairs),
        on=same(published_on for _, _, published_on in pairs),
        difference_municipalities=total(
            difference(ours.municipalities, theirs.municipalities) for ours, theirs, _ in pairs
        ),
        difference_sessions=total(
            difference(ours.sessions, theirs.sessions) if ours.through and ours.through == theirs.through else None
            for ours, theirs, _ in pairs
        ),
    )


def _released(said: Sequence[ReleasedYear]) -> Figures:
    """What a release says of a county, or of its municipalities asked for together, as far as it stands beside ours."""
    reported = [figures for figures in said if figures.reported]
    return Figures(
        municipalities=total(figures.municipalities for figures in said),
        sessions=total(figures.sessions for figures in reported),
        through=earliest([figures.through for figures in reported]),
    )
