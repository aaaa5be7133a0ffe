"""What is public, held against the audits that it passed."""

from sqlmodel import Session, col, select

from app.publishing.storing import content_hash
from app.releases.models import PassedAudit, ReleaseRecord
from app.releases.reading import content_of
from app.reports.verifying import Altered


def verify_releases(db: Session) -> int:
    """How many releases were published; each says what passed its audit, and nothing beside it.

    Raises:
        Altered: one says something else.
    """
    published = db.exec(
        select(ReleaseRecord, PassedAudit)
        .join(PassedAudit, col(PassedAudit.id) == col(ReleaseRecord.audit_id))
        .order_by(col(ReleaseRecord.id))
    ).all()
    for record, audit in published:
        try:
            as_audited = content_hash(content_of(db, record)) == audit.content_hash
        except ValueError as error:
            raise Altered(f"release {record.id} cannot be read") from error
        if not as_audited:
            raise Altered(f"release {record.id} does not say what passed its audit")
    return len(published)
