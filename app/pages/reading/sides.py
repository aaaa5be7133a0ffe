"""What /compare is asked to set side by side, and the public figures of each side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from sqlmodel import Session

from app.clock import AsOf
from app.pages.reading.overview import public_trend
from app.pages.reading.provenance import settled
from app.pages.view import View
from app.places.register import County, counties
from app.practices.definitions import DEFAULT_PRACTICE, practice_asked, practices
from app.practices.models import PracticePublic
from app.releases.about import about
from app.releases.models import ReleasePublic, ReleaseRecord
from app.trends.models import TrendRow

WHOLE_COUNTRY = "country"
"""What stands for no county where counties are listed."""

MOST_SIDES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonView(View):
    """The page /compare: every one of its practices in every one of its counties, WHOLE_COUNTRY among these."""

    practices: tuple[str, ...] = ()
    counties: tuple[str, ...] = ()

    def overviews(self) -> list[View]:
        """The front page of each side, in the order that was asked for; of the first practice if none is named."""
        pairs = product(dict.fromkeys(self.practices or (DEFAULT_PRACTICE,)), dict.fromkeys(self.counties))
        return [
            View(
                page="",
                language=self.language,
                practice=practice,
                county=None if county == WHOLE_COUNTRY else county,
                as_of=self.as_of,
            )
            for practice, county in pairs
        ]

    def _query(self) -> dict[str, Any]:
        return {
            "lang": self.language,
            "practice": self.practices,
            "county": self.counties,
            "as_of": self.as_of,
            "sort": self.sort,
        }


@dataclass(frozen=True, slots=True)
class Side:
    """A practice in a county, or in the country if that is None; `view` is its front page.

    `rows` are its years, ascending; `releases` those that they come from. `withheld` names by year the counties of the
    country that withhold their sessions, and so are left out.
    """

    practice: PracticePublic
    county: County | None
    view: View
    rows: Sequence[TrendRow]
    releases: Sequence[ReleasePublic]
    withheld: Mapping[int, Sequence[County]]

    @property
    def told(self) -> Sequence[TrendRow]:
        """The years of which something was published."""
        return [row for row in self.rows if row.basis != "none"]


Named = Sequence[tuple[str, Side]]
"""Sides, each with what tells it from the others."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What stands side by side, and what could; `left_out` is how many more were asked for than are shown."""

    practices: Sequence[PracticePublic]
    counties: Sequence[County]
    sides: Sequence[Side]
    left_out: int
    settled: AsOf


def compared(db: Session, view: ComparisonView, *, as_of: AsOf) -> Compared:
    """The public figures of the first MOST_SIDES sides of `view`, as of then.

    Raises:
        InvalidParameter: unknown practice or county.
    """
    asked = view.overviews()
    return Compared(
        practices=list(practices(db, as_of.moment).values()),
        counties=list(counties(db, as_of.moment).values()),
        sides=[_side(db, one, as_of) for one in asked[:MOST_SIDES]],
        left_out=max(len(asked) - MOST_SIDES, 0),
        settled=settled(db, as_of),
    )


def _side(db: Session, view: View, as_of: AsOf) -> Side:
    trend = public_trend(db, view, as_of=as_of)
    known = counties(db, as_of.moment)
    return Side(
        practice=practice_asked(db, view.practice, as_of.moment),
        county=known[view.county] if view.county else None,
        view=view,
        rows=trend.years,
        releases=about(db, [db.get_one(ReleaseRecord, used.id) for used in trend.releases]),
        withheld={} if view.county else _withheld(public_trend(db, view, as_of=as_of, by="county").years, known),
    )


def _withheld(parts: Sequence[TrendRow], known: Mapping[str, County]) -> Mapping[int, Sequence[County]]:
    found: dict[int, list[County]] = {}
    for row in parts:
        if row.sessions_missing == "withheld":
            found.setdefault(row.year, []).append(known[row.area_code])
    return found
