"""Small counties and what the trend says of them, to build examples from."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from app.series.facts import Count, County, History, Release
from app.series.figures import ReleasedYear, imported_year
from app.series.rows import YearRow
from app.series.trend import yearly_trend

END = date(2023, 12, 31)

STANDING = "municipalities pilot in_use active_at_end started resumed stopped merged"
PAIR = "comparable_through comparable_municipalities comparable_sessions comparable_previous_sessions"
BESIDE = "released_municipalities released_sessions released_on difference_municipalities difference_sessions"


def whole(year: int, sessions: int = 0) -> Count:
    return Count(date(year, 1, 1), date(year, 12, 31), sessions)


def part(first: date, last: date, sessions: int = 0) -> Count:
    return Count(first, last, sessions)


def quarter(year: int, number: int, sessions: int = 0) -> Count:
    return Count(date(year, 3 * number - 2, 1), _month_end(year, 3 * number), sessions)


def monthly(year: int, first: int = 1, last: int = 12, sessions: int = 0) -> list[Count]:
    """One count for each of these months, each of `sessions`."""
    return [Count(date(year, m, 1), _month_end(year, m), sessions) for m in range(first, last + 1)]


def place(
    *counts: Count,
    code: str = "297",
    since: date | None = None,
    statuses: Sequence[tuple[date, str]] = (),
    in_from: date = date.min,
    in_to: date | None = None,
) -> History:
    """A municipality, in use from `since` on or with `statuses`."""
    return History(code, in_from, in_to, ((since, "in_use"),) if since else tuple(statuses), counts)


def trend(
    *histories: History,
    as_of: date = END,
    counted: bool = True,
    residents: Mapping[int, Mapping[str, int]] | None = None,
    release: Release | None = None,
    live_from: int | None = None,
    narrowed: bool = False,
) -> dict[int, YearRow]:
    """The live rows of one county by year."""
    rows = yearly_trend(
        [County("13", histories, release, live_from)],
        as_of=as_of,
        counted=counted,
        residents=residents or {},
        counties_total=1,
        narrowed=narrowed,
    )
    return {row.year: row for row in rows}


def country(
    *counties: County,
    as_of: date = END,
    residents: Mapping[int, Mapping[str, int]] | None = None,
    narrowed: bool = False,
) -> dict[int, YearRow]:
    """The live rows of several counties together by year."""
    rows = yearly_trend(
        counties, as_of=as_of, counted=True, residents=residents or {}, counties_total=22, narrowed=narrowed
    )
    return {row.year: row for row in rows}


def county(code: str, *histories: History, release: Release | None = None, live_from: int | None = None) -> County:
    return County(code, histories, release, live_from)


def released(year: int, published_on: date = END, number: int = 1, **figures: Any) -> Release:
    """A release of one year; `Any`, since its figures are of several types."""
    return Release(number, published_on, {year: ReleasedYear(covers=True, **figures)})


def of(row: YearRow, names: str) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in names.split())


# Published on 27 March 2023 by the family-centre project of North Savo.
PUBLISHED = date(2023, 3, 27)
SOURCE = Release(
    1,
    PUBLISHED,
    {
        year: imported_year(
            year,
            municipalities=municipalities,
            sessions=sessions,
            through=through,
            published_on=PUBLISHED,
            municipalities_in_area=19,
            residents=248_000,
        )
        for year, municipalities, sessions, through in (
            (2021, 8, 94, date(2021, 12, 31)),
            (2022, 14, 105, date(2022, 12, 31)),
            (2023, 15, 23, PUBLISHED),
        )
    },
)


def row_of(year: int, **figures: Any) -> YearRow:
    """A row that knows nothing but these; `Any` as in `released`."""
    nothing: dict[str, Any] = dict.fromkeys(YearRow.__slots__)
    return YearRow(**nothing | {"year": year, "counties_total": 1} | figures)


def source_row(year: int, **figures: Any) -> YearRow:
    """What every row of the source table has in common; `Any` as in `released`."""
    common: dict[str, Any] = {
        "release_id": 1,
        "published_on": PUBLISHED,
        "basis": "release",
        "counties": 1,
        "municipalities_in_area": 19,
        "residents": 248_000,
    }
    return row_of(year, **common | figures)


def source_rows() -> list[YearRow]:
    return [
        source_row(
            2021,
            municipalities=8,
            share=0.4211,
            sessions=94,
            through=date(2021, 12, 31),
            partial=False,
            sessions_per_municipality=11.75,
            sessions_per_1000_residents=0.379,
        ),
        source_row(
            2022,
            municipalities=14,
            share=0.7368,
            sessions=105,
            through=date(2022, 12, 31),
            partial=False,
            sessions_per_municipality=7.5,
            sessions_per_1000_residents=0.423,
            change_municipalities=6,
            change_sessions=11,
        ),
        source_row(
            2023,
            municipalities=15,
            share=0.7895,
            sessions=23,
            through=PUBLISHED,
            partial=True,
            change_municipalities=1,
            annual_pace=97.6,
        ),
    ]


def _month_end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])
