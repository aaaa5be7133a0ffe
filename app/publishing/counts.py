"""The counts behind a release: all that were in force at its moment of the years that it states from reports."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter

from sqlmodel import Session

from app.places.register import municipalities
from app.reports.live import histories
from app.series.content import Content
from app.series.facts import Count, History


def county_histories(db: Session, practice: str, county: str, *, moment: datetime) -> list[History]:
    """What was recorded at `moment` of each municipality that ever was in the county, in the order of their codes."""
    places = municipalities(db, moment, county=county).values()
    return histories(db, practice, places, moment=moment, everywhere=False)


def counts_behind(recorded: Iterable[History], years: Collection[int]) -> Mapping[str, Sequence[Count]]:
    """By municipality: the counts of `years`, in the order of their first days; only of those who have one."""
    found = {
        history.code: tuple(
            sorted((count for count in history.counts if count.first.year in years), key=attrgetter("first"))
        )
        for history in recorded
    }
    return {code: counts for code, counts in found.items() if counts}


def years_by_reports(content: Content) -> list[int]:
    """The years that a release which was not imported states from reports: those not taken over; ascending."""
    return [year for year, said in sorted(content.years.items()) if said.covers and not said.carried]
