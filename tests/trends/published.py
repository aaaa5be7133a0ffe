"""Releases made of reports, as they stand in the database when their audit has passed."""

from collections.abc import Mapping
from datetime import date, datetime

from app.database import Database
from app.releases.models import PassedAudit, ReleaseMunicipalityYearRecord, ReleaseRecord, ReleaseYearRecord
from app.releases.reading import FACTS
from app.series.facts import Release
from app.series.figures import ReleasedYear


def store(database: Database, release: Release, *, county: str, at: datetime, practice: str = "yhdessa-aika") -> None:
    """Store what `release` says as one that the county made of its reports."""
    with database.writing() as db:
        db.add(
            PassedAudit(
                id=release.id, recorded_at=at, outcome="passed", content_hash="0" * 64, threshold=5, tables_found=1
            )
        )
        db.flush()
        db.add(
            ReleaseRecord(
                id=release.id,
                practice=practice,
                county=county,
                published_on=release.published_on,
                state="preliminary",
                title=f"Release {release.id}",
                source="Reports of the municipalities",
                url=None,
                note=None,
                recorded_at=at,
                origin="published",
                audit_id=release.id,
                as_of=at,
            )
        )
        db.flush()
        db.add_all(
            ReleaseYearRecord(release_id=release.id, year=year, facts=FACTS.dump_python(said, mode="json"))
            for year, said in release.years.items()
        )
        db.add_all(
            ReleaseMunicipalityYearRecord(
                release_id=release.id, municipality=code, year=year, facts=FACTS.dump_python(said, mode="json")
            )
            for code, years in release.municipalities.items()
            for year, said in years.items()
        )


def told(year: int, sessions: int | None, *, municipalities: int = 1, withheld: bool = False) -> ReleasedYear:
    """What a release says of a whole year in which all that is active reports, unless there are no sessions."""
    reported = withheld or sessions is not None
    days = municipalities * 365
    return ReleasedYear(
        covers=True,
        municipalities_in_area=1,
        residents=1000,
        municipalities=municipalities,
        sessions=sessions,
        withheld=withheld,
        reporting=municipalities if reported else 0,
        through=date(year, 12, 31) if reported else None,
        partial=False,
        active_days=days,
        covered_days=days if reported else 0,
        covered_days_in_year=days if reported else 0,
    )


def by_municipality(year: int, said: Mapping[str, ReleasedYear]) -> dict[str, dict[int, ReleasedYear]]:
    """What a release says of single municipalities, of one year."""
    return {code: {year: facts} for code, facts in said.items()}
