"""What one release says otherwise than another."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from app.releases.figures import Said, said
from app.series.content import Content
from app.series.figures import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A field of one area and period that differs; None is what a release does not say.

    A field is a number, or `through`: that is in both days, and has no numbers. `area` is a municipality, None is the
    county.
    """

    area: str | None
    period: str
    field: str
    before: int | None
    after: int | None
    before_missing: Missing | None
    after_missing: Missing | None
    before_through: date | None
    after_through: date | None


def differences(before: Content, after: Content) -> Iterator[Difference]:
    """What differs, in the order of area (the county first), period and field.

    What is withheld in both is no difference, whatever is behind it.
    """
    earlier = {(one.area or "", one.period): one for one in said(before)}
    later = {(one.area or "", one.period): one for one in said(after)}
    for key in sorted({*earlier, *later}):
        yield from _between(earlier.get(key), later.get(key))


def _between(before: Said | None, after: Said | None) -> Iterator[Difference]:
    one = before or after
    assert one is not None
    before, after = before or _nothing(one), after or _nothing(one)
    for field in sorted({*before.numbers, *after.numbers, "through"}):
        was, now = _value(before, field), _value(after, field)
        if was != now:
            yield Difference(
                area=one.area,
                period=one.period,
                field=field,
                before=was[0],
                after=now[0],
                before_missing=was[1],
                after_missing=now[1],
                before_through=before.through,
                after_through=after.through,
            )


def _value(release: Said, field: str) -> tuple[int | None, Missing | None, date | None]:
    """The number, why it is missing if it is sessions, and the day if it is `through`."""
    return (
        release.numbers.get(field),
        release.sessions_missing if field == "sessions" else None,
        release.through if field == "through" else None,
    )


def _nothing(like: Said) -> Said:
    return Said(area=like.area, period=like.period, numbers={}, sessions_missing=None, through=None, partial=None)
