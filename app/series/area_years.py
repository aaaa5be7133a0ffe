"""What the counties of an area together say of a year: the contributing ones added up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Literal

from app.series.arithmetic import any_of, earliest, same, total
from app.series.county_years import Basis, CountyYear
from app.series.facts import Question, Release
from app.series.figures import Figures, Missing, annual_pace
from app.series.lives import days_until

# What adds up over all contributing counties; None where one of them cannot say.
_ADDED = (
    "municipalities",
    "pilot",
    "in_use",
    "active_at_end",
    "started",
    "resumed",
    "stopped",
    "merged",
    "reporting",
    "covered_days_in_year",
)
# What adds up only over an equal `comparable_through`.
_COMPARABLE = ("comparable_municipalities", "comparable_sessions", "comparable_previous_sessions")


@dataclass(frozen=True, slots=True)
class AreaYear:
    """What the contributing counties together say of a year.

    `bases` are those of all counties in their order, `none` of one that does not contribute. `contributing` is what
    adds up: counties, or municipalities asked for. `sessions_missing` says why there are no sessions.
    """

    year: int
    bases: tuple[Basis, ...]
    contributing: Sequence[CountyYear]
    figures: Figures
    sessions_missing: Missing | None

    @property
    def basis(self) -> Basis | Literal["mixed"]:
        bases = {county.basis for county in self.contributing}
        if len(bases) > 1:
            return "mixed"
        return bases.pop() if bases else "none"

    @property
    def counties(self) -> int:
        """How many contribute; municipalities that belong to none are no county."""
        return len({county.code for county in self.contributing if county.code})

    @property
    def sole_release(self) -> Release | None:
        """The release that all of the row comes from."""
        one_county = len({county.code for county in self.contributing}) == 1
        return self.contributing[0].release if one_county and self.basis == "release" else None

    @property
    def break_in_series(self) -> bool | None:
        """True if the reporter of a municipality of a contributing county changed; None if one of them cannot tell."""
        return any_of([county.break_in_series for county in self.contributing]) if self.contributing else None

    def annual_pace(self, *, counted: bool) -> Fraction | None:
        """The sum of the contributing counties' own; None if one of them has none."""
        return total(annual_pace(self.year, county.figures, counted=counted) for county in self.contributing)


# What stands before the first year; it compares with nothing.
NOTHING = AreaYear(year=0, bases=(), contributing=(), figures=Figures(), sessions_missing=None)


def area_year(year: int, said: Sequence[CountyYear], question: Question) -> AreaYear:
    """The sum of what the counties of the area `said` of `year`."""
    # One county, or the municipalities asked for, are the area also where they have nothing to say.
    alone = question.narrowed or len(said) == 1
    bases = tuple(county.basis if alone or _adds_up(county) else "none" for county in said)
    parts = [part for county in said for part in county.parts]
    contributing = [part for part in parts if part.basis != "none" and (alone or _adds_up(part))]
    stating = parts if alone else contributing
    figures = contributing[0].figures if len(stating) == len(contributing) == 1 else _together(contributing, stating)
    return AreaYear(year, bases, contributing, figures, _missing(figures, contributing or parts))


def _adds_up(county: CountyYear) -> bool:
    """False where its sessions are withheld: a sum over it would reveal them to who subtracts its neighbours."""
    return not county.figures.withheld


def _missing(figures: Figures, parts: Iterable[CountyYear]) -> Missing | None:
    """Why the sum has no sessions: the reason of a part that weighs most; not applicable only if it is so for all."""
    reasons = {part.sessions_missing for part in parts}
    order: tuple[Missing | None, ...] = ("withheld", "not_reported", None, "not_applicable")
    return next(reason for reason in order if reason in reasons) if figures.sessions is None else None


def _together(contributing: Sequence[CountyYear], stating: Sequence[CountyYear]) -> Figures:
    """The sums of all that contribute, and of the register of those `stating` it."""
    return replace(
        _added_up(contributing),
        municipalities_in_area=total(part.figures.municipalities_in_area for part in stating),
        residents=total(part.figures.residents for part in stating),
    )


def _added_up(contributing: Sequence[CountyYear]) -> Figures:
    """The sums without the register; sessions and the earliest `through` are of those that reported.

    One part that is withheld withholds the sessions of the sum.
    """
    if len(contributing) < 2:
        return contributing[0].figures if contributing else Figures(reporting=0)
    each = [county.figures for county in contributing]
    reported = [figures for figures in each if figures.reported]
    through = earliest([figures.through for figures in reported])
    days = [_days_until(county, through) for county in contributing]
    comparable_through = same(figures.comparable_through for figures in each)
    return Figures(
        **_sums(each, _ADDED),
        **_sums(each if comparable_through else [Figures()], _COMPARABLE),
        sessions=total(figures.sessions for figures in reported),
        withheld=any(figures.withheld for figures in each),
        through=through,
        partial=any_of([figures.partial for figures in each]),
        active_days=total(active for active, _ in days),
        covered_days=total(covered for _, covered in days),
        counts_without_active_day=any(figures.counts_without_active_day for figures in each),
        counts_beyond_through=any(figures.counts_beyond_through for figures in each),
        comparable_through=comparable_through,
    )


def _sums(each: Sequence[Figures], names: Iterable[str]) -> dict[str, int | None]:
    return {name: total(getattr(figures, name) for figures in each) for name in names}


def _days_until(county: CountyYear, through: date | None) -> tuple[int | None, int | None]:
    """As of its lives; a release knows its days only up to its own `through`, or to the end if nothing was counted."""
    figures = county.figures
    if through is None:
        return None, None
    if county.basis == "reports":
        return days_until(county.lives, through)
    if figures.through == through:
        return figures.active_days, figures.covered_days
    if figures.reported:
        return None, None
    whole_year = figures.partial is False and through == date(through.year, 12, 31)
    return (figures.active_days, 0) if whole_year or figures.active_days == 0 else (None, None)
