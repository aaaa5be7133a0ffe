"""The yearly trend of a practice: what municipalities reported and counties released, as one row a year."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise

from app.series.area_years import NOTHING, area_year
from app.series.county_years import county_years
from app.series.facts import County, Question, Read
from app.series.lives import Life, life_of
from app.series.rows import YearRow, year_row


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

    `counted` says whether the practice counts its sessions at all; `residents` are those on 31 December by year and
    municipality; `counties_total` is how many counties the area has. `narrowed` means that the area is the
    municipalities that each county names, of which few releases speak. `from_year` and `to_year` cut the answer, not
    what its first year is compared with. The definitions are those of "The yearly trend" in the design.
    """
    question = Question(
        as_of=as_of,
        counted=counted,
        residents=residents,
        counties_total=counties_total,
        narrowed=narrowed,
        read=read,
    )
    lives = [[life_of(history, as_of) for history in county.histories] for county in counties]
    years = years_told(counties, lives, question)
    by_county = [county_years(county, own, years, question) for county, own in zip(counties, lives, strict=True)]
    areas = [area_year(year, said, question) for year, *said in zip(years, *by_county, strict=True)]
    rows = [year_row(now, before, question) for before, now in pairwise([NOTHING, *areas])]
    first, last = from_year or years.start, to_year or years.stop
    return [row for row in rows if first <= row.year <= last]


def years_told(counties: Sequence[County], lives: Sequence[Sequence[Life]], question: Question) -> range:
    """From the first to the last year with a count, an active day or a release, none after the as-of day."""
    found = {year for own in lives for life in own for year in life.years}
    found.update(year for county in counties for year in _released_years(county, question.narrowed))
    found = {year for year in found if year <= question.as_of.year}
    return range(min(found), max(found) + 1) if found else range(0)


def _released_years(county: County, narrowed: bool) -> Iterable[int]:
    """Those of which its release speaks; if narrowed, of the municipalities asked for."""
    release = county.release
    if release is None or not narrowed:
        return release.years if release else ()
    return {year for code in county.municipalities for year in release.municipalities.get(code, ())}
