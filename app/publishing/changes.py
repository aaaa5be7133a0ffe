"""For which years a release says something else than the release before it did, and why."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields

from app.errors import FieldError, InvalidRequest
from app.publishing.models import ChangeIn
from app.series.content import Content
from app.series.figures import ReleasedYear

OF_A_PART = "The earlier figures were of a part of the year."
"""Why a year changes that was partial."""

_NO_FACTS = {"carried", "counts_without_active_day", "counts_beyond_through"}
_FACTS = [field.name for field in fields(ReleasedYear) if field.name not in _NO_FACTS]


def changed_years(before: Content, now: Content) -> list[int]:
    """The years that `before` covers and of which `now` says something else, ascending.

    Both as they are published, so that what is withheld in both is no change, whatever is behind it. What `before` did
    not say is no change either, but for sessions that nobody had reported yet.
    """
    nothing = ReleasedYear(covers=False)
    return [
        year
        for year, said in sorted(before.years.items())
        if said.covers and _changed(said, now.years.get(year, nothing))
    ]


def unexplained(before: Content, now: Content, given: Iterable[ChangeIn]) -> list[int]:
    """The changed years for which no reason is `given`, ascending; one that was partial explains itself."""
    explained = {change.year for change in given}
    return [
        year for year in changed_years(before, now) if year not in explained and before.years[year].partial is not True
    ]


def explained_changes(before: Content, now: Content, given: Collection[ChangeIn]) -> Sequence[ChangeIn]:
    """Each changed year with its kind and reason, ascending; what is `given` of other years is left out.

    Raises:
        InvalidRequest: a year that was whole changes, and no reason is given.
    """
    missing = unexplained(before, now, given)
    if missing:
        years = ", ".join(map(str, missing))
        detail = (
            f"{years} will differ from the release before: give the kind (revision or error) and the reason of each"
        )
        raise InvalidRequest(detail, errors=[FieldError(pointer="/changes", detail=detail)])
    reasons = {change.year: change for change in given}
    return [
        reasons.get(year) or ChangeIn(year=year, kind="revision", reason=OF_A_PART)
        for year in changed_years(before, now)
    ]


def _changed(before: ReleasedYear, now: ReleasedYear) -> bool:
    reported_since = before.sessions is None and before.reporting is not None and now.sessions is not None
    said_before = {name: said for name in _FACTS if (said := getattr(before, name)) is not None}
    return reported_since or any(getattr(now, name) != said for name, said in said_before.items())
