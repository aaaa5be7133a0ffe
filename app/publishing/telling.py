"""What is told of a draft to those who may publish: how far it is, what of it is hidden and why."""

from collections import Counter
from datetime import datetime
from typing import Any

from sqlmodel import Session

from app.clock import written
from app.disclosure.protection import Progress
from app.practices.definitions import practices
from app.publishing.answers import (
    Cost,
    DraftProgress,
    DraftReport,
    DraftSummary,
    HiddenFigure,
    PreviewYear,
    ReleaseDraftPublic,
)
from app.publishing.preparing import Prepared
from app.publishing.storing import would_begin_live
from app.releases.models import ReleaseDraft
from app.series.arithmetic import rounded
from app.series.content import Content
from app.series.figures import coverage

LATE = "it was interrupted or took longer than {seconds:.0f} seconds; publish again"


def draft_public(draft: ReleaseDraft, *, now: datetime, progress: Progress | None = None) -> ReleaseDraftPublic:
    """What is told of `draft`; one whose deadline passed is refused, though nobody came to write that down."""
    known = progress if draft.state == "preparing" and not _is_late(draft, now) else None
    return ReleaseDraftPublic(
        **_told(draft, now),
        deadline=written(draft.deadline),
        progress=DraftProgress.model_validate(known) if known else None,
        report=DraftReport.model_validate(draft.report) if draft.report else None,
    )


def draft_summary(draft: ReleaseDraft, *, now: datetime) -> DraftSummary:
    """The same without the report."""
    return DraftSummary(**_told(draft, now))


def too_late(draft: ReleaseDraft) -> str:
    """Why a draft is refused that nobody finished by its deadline."""
    return LATE.format(seconds=(draft.deadline - draft.recorded_at).total_seconds())


def draft_report(db: Session, draft: ReleaseDraft, prepared: Prepared, threshold: int) -> DraftReport:
    """What is hidden and why, what that costs, and the county's years as the public will read them."""
    reasons = Counter(hidden.why for hidden in prepared.hidden)
    return DraftReport(
        threshold=threshold,
        tables_found=prepared.verdict.tables_found,
        cost=Cost(
            small=reasons["small"],
            protects_others=reasons["protects others"],
            hidden_before=reasons["hidden before"],
        ),
        hidden=[HiddenFigure.model_validate(hidden) for hidden in prepared.hidden],
        warnings=_warnings(db, draft, prepared.content),
        preview=_preview(db, draft, prepared.content),
    )


def _warnings(db: Session, draft: ReleaseDraft, content: Content) -> list[str]:
    """What whoever publishes should know of what the public will see."""
    said = []
    for year, of_year in content.years.items():
        if of_year.withheld:
            said.append(f"{year}: the county's total is withheld, so the county is in no sum of the country that year")
        if (share := coverage(of_year, counted=True)) is not None and share < 1:
            said.append(f"{year}: not every day of every active municipality is counted (coverage {float(share):.4f})")
    if (begins := would_begin_live(db, draft.practice, draft.county, content)) is not None:
        said.append(f"publishing records that the county's reports speak from {begins} on (live_from)")
    return said


def _preview(db: Session, draft: ReleaseDraft, content: Content) -> list[PreviewYear]:
    counted = practices(db, draft.as_of, slug=draft.practice)[draft.practice].counted
    return [
        PreviewYear(
            year=year,
            municipalities=said.municipalities,
            sessions=said.sessions,
            withheld=said.withheld,
            reporting=said.reporting,
            through=said.through,
            partial=said.partial,
            coverage=rounded(coverage(said, counted=counted), 4),
            comparable_sessions=said.comparable_sessions,
            comparable_previous_sessions=said.comparable_previous_sessions,
            carried=said.carried,
        )
        for year, said in content.years.items()
    ]


def _is_late(draft: ReleaseDraft, now: datetime) -> bool:
    return draft.state == "preparing" and now > draft.deadline


def _told(draft: ReleaseDraft, now: datetime) -> dict[str, Any]:
    late = _is_late(draft, now)
    finished_at = draft.deadline if late else draft.finished_at
    return {
        "id": draft.id,
        "state": "refused" if late else draft.state,
        "practice": draft.practice,
        "county": draft.county,
        "title": draft.asked["title"],
        "as_of": written(draft.as_of),
        "dry_run": draft.dry_run,
        "requested_at": written(draft.recorded_at),
        "finished_at": written(finished_at) if finished_at else None,
        "reason": too_late(draft) if late else draft.reason,
        "release": draft.release_id,
    }
