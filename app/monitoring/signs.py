"""Whether an active municipality has gone quiet: until when what was last said of it holds."""

from collections.abc import Iterable
from datetime import date

from app.clock import helsinki_day
from app.monitoring.ground import Count, Standing
from app.reports.doubts import a_year_after


def confirm_by(standing: Standing, own: Iterable[Count]) -> date | None:
    """A year after the last sign that the municipality is active still; None if it is not.

    A sign is a day that was counted, also with no session, the day of a status, and the day in Helsinki on which a
    status was posted: whoever posts the status of long ago says it today. A count of long ago says nothing of today.
    """
    if not standing.is_active:
        return None
    signs = [one.figure.counted_to for one in own]
    for status in standing.statuses.values():
        signs += [status.day, helsinki_day(status.recorded_at)]
    return a_year_after(max(signs))
