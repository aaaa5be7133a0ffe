"""What a release says, flat: a row for each area and period that it speaks of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from app.series.content import Content, ReleasedQuarter
from app.series.figures import Missing, ReleasedYear, sessions_missing

_COUNTED = (
    "active_at_end",
    "active_days",
    "comparable_municipalities",
    "comparable_previous_sessions",
    "comparable_sessions",
    "covered_days",
    "in_use",
    "merged",
    "municipalities",
    "municipalities_in_area",
    "pilot",
    "reporting",
    "residents",
    "resumed",
    "sessions",
    "started",
    "stopped",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a release says of one area and period; `area` is a municipality, None is the county.

    `numbers` are by name, all that it counts; what it does not count is not there or None.
    """

    area: str | None
    period: str
    numbers: Mapping[str, int | None]
    sessions_missing: Missing | None
    through: date | None
    partial: bool | None


def said(content: Content) -> Iterator[Said]:
    """All that `content` says: of the county, then of its municipalities by code, each by period as text.

    Neither what there is nor its order depends on a figure.
    """
    county = [_of_year(None, year, row) for year, row in content.years.items() if row.covers]
    county += [_of_quarter(period, row) for period, row in content.quarters.items()]
    yield from sorted(county, key=lambda one: one.period)
    for code, years in sorted(content.municipalities.items()):
        yield from (_of_year(code, year, row) for year, row in sorted(years.items()) if row.covers)


def _of_year(area: str | None, year: int, row: ReleasedYear) -> Said:
    return Said(
        area=area,
        period=str(year),
        numbers={name: getattr(row, name) for name in _COUNTED},
        sessions_missing=sessions_missing(row),
        through=row.through,
        partial=row.partial,
    )


def _of_quarter(period: str, row: ReleasedQuarter) -> Said:
    """Its sessions are also None where a count is of a longer period, of which nothing is said."""
    missing: Missing | None = "withheld" if row.withheld else "not_reported" if row.reporting == 0 else None
    return Said(
        area=None,
        period=period,
        numbers={"sessions": row.sessions, "reporting": row.reporting},
        sessions_missing=None if row.sessions is not None else missing,
        through=None,
        partial=row.partial,
    )
