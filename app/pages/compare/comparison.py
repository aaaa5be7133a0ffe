"""What compare.html sets side by side: pictures on one scale, their figures, and what to mind in comparing them."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.pages.compare.cautions import Caution, cautions
from app.pages.compare.side_pictures import Picture, of_counties, rate_pictures, share_pictures
from app.pages.compare.side_table import side_table
from app.pages.figures.phrases import share_in_words, what_is_kept
from app.pages.reading.sides import WHOLE_COUNTRY, Compared, ComparisonView, Named, Side
from app.pages.tables import Table
from app.pages.wording import Wording


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be chosen in the form."""

    value: str
    name: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Data:
    """Where a side's figures are for programs."""

    name: str
    json: str
    csv: str


@dataclass(frozen=True, slots=True)
class Part:
    """What the template reads.

    `common` names what all sides are about. The `finding` is about one year, with what it is on each side; there is
    none of a single side. There are no pictures of sessions if no side has a figure of them.
    """

    common: str | None
    counties: Sequence[Choice]
    practices: Sequence[Choice]
    sides: int
    too_many: str | None
    finding: tuple[str, Sequence[str]] | None
    cautions: Sequence[Caution]
    told: bool
    shares: Sequence[Picture]
    rates: Sequence[Picture]
    part_years: bool
    table: Table
    data: Sequence[Data]
    permanent: str
    kept: str


def compare_part(words: Wording, shown: Compared, view: ComparisonView) -> Part:
    """What the template reads."""
    named = [(_name(words, side, shown.sides), side) for side in shown.sides]
    shares = share_pictures(words, named)
    return Part(
        common=_common(words, shown.sides),
        counties=_counties(words, shown, view),
        practices=[Choice(one.slug, words.name(one), one.slug in view.practices) for one in shown.practices],
        sides=len(named),
        too_many=_too_many(words, shown),
        finding=_finding(words, named),
        cautions=cautions(words, named),
        told=any(side.told for side in shown.sides),
        shares=shares,
        rates=rate_pictures(words, named),
        part_years=any(bar.partial for picture in shares for bar in picture.bars),
        table=side_table(words, named, view),
        data=[Data(name, side.view.trend(), side.view.trend(format="csv")) for name, side in named],
        permanent=view.href(as_of=shown.settled.asked),
        kept=what_is_kept(words, None, shown.settled.day),
    )


def _finding(words: Wording, named: Named) -> tuple[str, Sequence[str]] | None:
    """The shares of the latest whole year that all have who have published anything."""
    speaking = [
        (name, {row.year: row for row in side.told if row.share is not None and row.partial is False})
        for name, side in named
        if side.told
    ]
    if len(speaking) < 2:
        return None
    common = set[int].intersection(*(set(rows) for _, rows in speaking))
    if not common:
        return words.gettext("There is no whole year of which all of them have published a share."), []
    year = max(common)
    found = [(name, rows[year]) for name, rows in speaking]
    return (
        words.gettext(
            "Municipalities with the practice on trial or in use, as a share of all, in %(year)s, the latest whole "
            "year that all of them have:",
            year=year,
        ),
        [f"{name}: {share_in_words(words, row)}{of_counties(words, row)}" for name, row in found],
    )


def _counties(words: Wording, shown: Compared, view: ComparisonView) -> list[Choice]:
    country = Choice(WHOLE_COUNTRY, words.gettext("The whole country"), WHOLE_COUNTRY in view.counties)
    named = [Choice(one.code, words.name(one), one.code in view.counties) for one in shown.counties]
    return [country, *sorted(named, key=lambda one: words.alphabetical(one.name))]


def _too_many(words: Wording, shown: Compared) -> str | None:
    if not shown.left_out:
        return None
    return words.ngettext(
        "At most %(most)s fit side by side: %(number)s of your choice is left out.",
        "At most %(most)s fit side by side: %(number)s of your choice are left out.",
        shown.left_out,
        most=len(shown.sides),
    )


def _name(words: Wording, side: Side, sides: Sequence[Side]) -> str:
    """What tells the side from the others: the area, the practice, or both."""
    if _one_practice(sides):
        return _area(words, side)
    practice = words.name(side.practice)
    return practice if _one_area(sides) else f"{practice}: {_area(words, side)}"


def _common(words: Wording, sides: Sequence[Side]) -> str | None:
    """What its sides share; None of none, and where they share nothing."""
    if sides and _one_practice(sides):
        return words.name(sides[0].practice)
    return _area(words, sides[0]) if sides and _one_area(sides) else None


def _one_practice(sides: Sequence[Side]) -> bool:
    return len({side.practice.slug for side in sides}) == 1


def _one_area(sides: Sequence[Side]) -> bool:
    return len({side.county for side in sides}) == 1


def _area(words: Wording, side: Side) -> str:
    return words.name(side.county) if side.county else words.gettext("The whole country")
