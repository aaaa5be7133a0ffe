"""What one county says of each year: by its reports, by its release (rule 11), or nothing but its register."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from app.series.days import last_day
from app.series.facts import County, Question, Release
from app.series.figures import Figures, Missing, ReleasedYear, sessions_missing
from app.series.lives import Life, LifeYear, life_year
from app.series.reported import register, reported_figures

Basis = Literal["release", "reports", "none"]


@dataclass(frozen=True, slots=True)
class CountyYear:
    """What a county says of a year, out of which municipalities; `release` is set if it covers the year.

    `released` is what the release says of the year: of the county, or of each of the municipalities asked for; empty if
    it says nothing.
    """

    code: str
    basis: Basis
    figures: Figures
    lives: Sequence[LifeYear]
    release: Release | None
    released: Sequence[ReleasedYear]

    @property
    def parts(self) -> Sequence["CountyYear"]:
        """What adds up: each of several municipalities that a release speaks of, else the county's year itself."""
        if self.basis == "release" and len(self.released) > 1:
            return [replace(self, figures=figures, released=[figures]) for figures in self.released]
        return [self]

    @property
    def sessions_missing(self) -> Missing | None:
        """Why it has no sessions; None if it has, or if nobody says."""
        if self.basis != "none":
            return sessions_missing(self.figures)
        return "not_applicable" if self.lives else None

    @property
    def break_in_series(self) -> bool | None:
        """True if the reporter of one of its municipalities changed; only reports can tell."""
        return any(life.break_in_series for life in self.lives) if self.basis == "reports" else None


def county_years(county: County, lives: Sequence[Life], years: Iterable[int], question: Question) -> list[CountyYear]:
    """One for each of `years`, which ascend without a hole; `lives` are the county's histories in days."""
    said: list[CountyYear] = []
    before: Sequence[LifeYear] = ()
    for year in years:
        last = last_day(year, question.as_of)
        now = [life_year(life, year, last) for life in lives]
        said.append(_county_year(county, year, now, before, question))
        before = now if said[-1].basis == "reports" else ()
    return said


def _county_year(
    county: County, year: int, now: Sequence[LifeYear], before: Sequence[LifeYear], question: Question
) -> CountyYear:
    """`before` is the year before, empty unless its basis is `reports` too."""
    release = county.release if county.release and year in county.release.years else None
    released = release.years[year] if release else ReleasedYear(covers=False)
    said = _released_of_area(county, year, released, question)
    basis = _basis(county, year, now, released, question)
    if basis == "reports":
        figures = reported_figures(year, now, before, question)
    elif basis == "none":
        figures = _register_alone(year, now, released, question)
    else:
        figures = said[0] if len(said) == 1 else Figures()
    return CountyYear(county.code, basis, figures, now, release if released.covers else None, said)


def _released_of_area(county: County, year: int, released: ReleasedYear, question: Question) -> Sequence[ReleasedYear]:
    """What the release says of the county, or of each municipality asked for that was in the register then.

    A release that speaks of single municipalities in a year speaks of all of them.
    """
    if not question.narrowed:
        return [released] if released.covers else []
    of_each = county.release.municipalities if county.release else {}
    return [of_each[code][year] for code in county.municipalities if year in of_each.get(code, {})]


def _basis(county: County, year: int, now: Sequence[LifeYear], released: ReleasedYear, question: Question) -> Basis:
    """Rule 11: a year that a release covers stays with it until the county's reports speak for it."""
    live = question.read == "live"
    if released.covers and not (live and county.live_from is not None and county.live_from <= year):
        return "release"
    return "reports" if live and any(life.counts or life.active for life in now) else "none"


def _register_alone(year: int, now: Sequence[LifeYear], released: ReleasedYear, question: Question) -> Figures:
    """What stands where nothing was said; in release reading it is the release's own register."""
    if question.read == "live":
        known = register(year, now, question.residents)
        return Figures(**known, reporting=0, active_days=0, covered_days=0, covered_days_in_year=0)
    return Figures(municipalities_in_area=released.municipalities_in_area, residents=released.residents, reporting=0)
