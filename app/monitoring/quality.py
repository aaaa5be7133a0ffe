"""What is doubted about the figures and statuses in force."""

from collections.abc import Iterator, Sequence

from sqlmodel import Session

from app.monitoring.ground import Count, Ground, Standing, counts, named_as, standings
from app.monitoring.models import QualityRow
from app.monitoring.signs import confirm_by
from app.places.register import Municipality
from app.reports.doubts import Doubt, Figures, doubts
from app.reports.plausibility import no_active_status


def quality_rows(db: Session, ground: Ground) -> list[QualityRow]:
    """Every doubt about the municipalities, by code, then by period or day."""
    standing, counted = standings(db, ground), counts(db, ground)
    return [
        row
        for place in ground.places
        for row in _rows(ground, place, standing[place.code], counted.get(place.code, []))
    ]


def _rows(ground: Ground, place: Municipality, standing: Standing, own: Sequence[Count]) -> Iterator[QualityRow]:
    figures = Figures(one.figure for one in own)
    statuses = [(day, entry.status or "") for day, entry in standing.statuses.items()]
    for one in own:
        inactive = no_active_status(place, one.figure, statuses)
        for doubt in [*filter(None, [inactive]), *doubts(one.figure, figures, statuses)]:
            yield _about_count(ground, place, one, doubt)
    by = confirm_by(standing, own)
    if by and by < ground.day:
        yield _unconfirmed(ground, place, standing, own)


def _about_count(ground: Ground, place: Municipality, one: Count, doubt: Doubt) -> QualityRow:
    return QualityRow(
        **named_as(ground, place),
        code=doubt.code,
        period=one.figure.period,
        date=None,
        entry=one.entry,
        figure=one.figure.sessions,
        low=doubt.low,
        high=doubt.high,
        detail=doubt.detail,
    )


def _unconfirmed(ground: Ground, place: Municipality, standing: Standing, own: Sequence[Count]) -> QualityRow:
    day, entry = max(standing.statuses.items())
    counted_to = max((one.figure.counted_to for one in own), default=None)
    counted = f"the last day counted is {counted_to}" if counted_to else "nothing was ever counted"
    return QualityRow(
        **named_as(ground, place),
        code="unconfirmed",
        period=None,
        date=day,
        entry=entry.id,
        figure=None,
        low=None,
        high=None,
        detail=f"{entry.status} since {day} and nothing said of the last twelve months; {counted}",
    )
