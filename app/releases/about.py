"""What is told of releases themselves: of what they speak, and why they differ from those before them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select

from app.clock import written
from app.releases.models import (
    ChangedFigures,
    ChangePublic,
    PassedAudit,
    ReleaseChangeRecord,
    ReleaseMunicipalityYearRecord,
    ReleasePublic,
    ReleaseQuarterRecord,
    ReleaseRecord,
)
from app.releases.reading import read_release
from app.series.figures import ReleasedYear, sessions_missing


def about(db: Session, records: Collection[ReleaseRecord]) -> list[ReleasePublic]:
    """Each of `records` as it goes out, in their order."""
    ids = [record.id for record in records]
    of_municipalities, of_quarters = (
        _speaking(db, table, ids) for table in (ReleaseMunicipalityYearRecord, ReleaseQuarterRecord)
    )
    audits = [record.audit_id for record in records if record.audit_id is not None]
    thresholds: Mapping[int | None, int] = dict(
        db.exec(select(PassedAudit.id, PassedAudit.threshold).where(col(PassedAudit.id).in_(audits))).all()
    )
    return [
        ReleasePublic.model_validate(
            {
                **record.model_dump(include=ReleasePublic.model_fields.keys() - {"as_of"}),
                "as_of": written(record.as_of) if record.as_of else None,
                "threshold": thresholds.get(record.audit_id),
                "municipalities": record.id in of_municipalities,
                "quarters": record.id in of_quarters,
            }
        )
        for record in records
    ]


def changes(db: Session, record: ReleaseRecord) -> list[ChangePublic]:
    """The years of which the release says something else than the one before it, ascending, and why."""
    query = select(ReleaseChangeRecord).where(ReleaseChangeRecord.release_id == record.id)
    changed: Sequence[ReleaseChangeRecord] = db.exec(query.order_by(col(ReleaseChangeRecord.year))).all()
    now = read_release(db, record).content.years if changed else {}
    earlier = {
        number: read_release(db, db.get_one(ReleaseRecord, number)).content.years
        for number in {change.previous_release_id for change in changed}
    }
    return [
        ChangePublic.model_validate(
            {
                **change.model_dump(include={"year", "kind", "reason"}),
                "previous_release": change.previous_release_id,
                "previous": _figures(earlier[change.previous_release_id], change.year),
                "now": _figures(now, change.year),
            }
        )
        for change in changed
    ]


def _speaking(db: Session, table: Any, ids: Collection[int]) -> set[int]:
    """Those of the releases that have rows in `table`."""
    return set(db.exec(select(table.release_id).where(table.release_id.in_(ids)).distinct()))


def _figures(years: Mapping[int, ReleasedYear], year: int) -> ChangedFigures:
    said = years.get(year, ReleasedYear(covers=False))
    return ChangedFigures(
        municipalities=said.municipalities, sessions=said.sessions, sessions_missing=sessions_missing(said)
    )
