"""Sides of a comparison as small columns, year by year, all on one scale."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.pages.figures.chart import MOST_YEARS, WIDTH
from app.pages.figures.phrases import counties_in_words, share_in_words
from app.pages.reading.sides import Named, Side
from app.pages.wording import Wording
from app.trends.models import TrendRow

# Of the view box: compare.html draws the lines at the top, in the middle and at the base.
_SIDE, _TOP, _BASE = 4, 26, 146
_WIDEST = 44

Reached = tuple[float, str]
"""How much of the scale a year reaches, from 0 to 1, and what stands above it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One year of a picture, in units of its view box; if its figure is not `known` the text is a dash."""

    year: int
    middle: float
    left: float
    width: float
    top: float
    height: float
    text: str
    known: bool
    partial: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """One side's years as bars; all pictures of a comparison have the same years and the same scale."""

    name: str
    heading: str
    href: str
    title: str
    description: str
    bars: Sequence[Bar]
    caption: str


def share_pictures(words: Wording, named: Named) -> list[Picture]:
    """The share of municipalities of each side, in the latest MOST_YEARS that any of them has."""
    years = years_shown(named)
    return [_shares(words, number, *one, years) for number, one in enumerate(named, start=1)] if years else []


def rate_pictures(words: Wording, named: Named) -> list[Picture]:
    """Sessions per 1,000 residents of the same years; none if no side has a figure."""
    years = years_shown(named)
    known = [row.sessions_per_1000_residents for _, side in named for row in side.told if row.year in years]
    most = max((rate for rate in known if rate is not None), default=None)
    if most is None:
        return []
    return [_rates(words, number, *one, years, most) for number, one in enumerate(named, start=1)]


def years_shown(named: Named) -> Sequence[int]:
    """The years of the pictures, ascending."""
    return sorted({row.year for _, side in named for row in side.told})[-MOST_YEARS:]


def of_counties(words: Wording, row: TrendRow) -> str:
    """What follows a figure that is of some counties of the country alone; nothing after others."""
    if row.counties == row.counties_total:
        return ""
    return f"; {counties_in_words(words, row.counties, row.counties_total)}"


def _shares(words: Wording, number: int, name: str, side: Side, years: Sequence[int]) -> Picture:
    def part(row: TrendRow) -> Reached | None:
        if row.municipalities is None or not row.municipalities_in_area:
            return None
        reached = row.municipalities / row.municipalities_in_area
        # Neither almost all nor almost none is rounded to what it is not.
        decimals = 1 if 0 < min(reached, 1 - reached) < 0.005 else 0
        return reached, words.share(row.municipalities, row.municipalities_in_area, decimals=decimals)

    told = [row for row in side.told if row.share is not None]
    return _picture(
        words,
        f"share-{number}",
        name,
        side,
        years,
        part,
        title=words.gettext("Share of municipalities, %(name)s", name=name),
        caption=_caption(words, told[-1]) if told else words.gettext("Not known"),
    )


def _rates(words: Wording, number: int, name: str, side: Side, years: Sequence[int], most: float) -> Picture:
    def part(row: TrendRow) -> Reached | None:
        rate = row.sessions_per_1000_residents
        return None if rate is None else (rate / (most or 1), words.number(rate))

    told = [row for row in side.told if row.sessions_per_1000_residents is not None]
    return _picture(
        words,
        f"rate-{number}",
        name,
        side,
        years,
        part,
        title=words.gettext("Sessions per 1,000 residents, %(name)s", name=name),
        caption=(
            words.gettext(
                "In %(year)s: %(rate)s sessions per 1,000 residents",
                year=told[-1].year,
                rate=words.number(told[-1].sessions_per_1000_residents or 0),
            )
            if told
            else _no_rate(words, side)
        ),
    )


def _no_rate(words: Wording, side: Side) -> str:
    counted = side.practice.counted
    return words.gettext("Not known of any whole year") if counted else words.gettext("Sessions are not counted")


def _caption(words: Wording, row: TrendRow) -> str:
    """How many of the municipalities, in the year of `row`, which tells them."""
    whole = row.municipalities_in_area or 0
    told = {"year": row.year, "part": words.number(row.municipalities or 0), "share": share_in_words(words, row)}
    if row.partial:
        said = words.ngettext(
            "In %(year)s (part of the year): %(part)s of %(number)s municipality (%(share)s)",
            "In %(year)s (part of the year): %(part)s of %(number)s municipalities (%(share)s)",
            whole,
            **told,
        )
    else:
        said = words.ngettext(
            "In %(year)s: %(part)s of %(number)s municipality (%(share)s)",
            "In %(year)s: %(part)s of %(number)s municipalities (%(share)s)",
            whole,
            **told,
        )
    return said + of_counties(words, row)


def _picture(
    words: Wording,
    ident: str,
    name: str,
    side: Side,
    years: Sequence[int],
    part: Callable[[TrendRow], Reached | None],
    *,
    title: str,
    caption: str,
) -> Picture:
    """The `years` of a side; `part` is how much of the scale a row reaches, from 0 to 1, and what stands above it."""
    rows = {row.year: row for row in side.told}
    slot = (WIDTH - 2 * _SIDE) / len(years)
    bars = [
        _bar(year, _SIDE + slot * (position + 0.5), min(slot * 0.7, _WIDEST), rows.get(year), part)
        for position, year in enumerate(years)
    ]
    part_year = words.gettext("part of the year")
    described = (f"{bar.year}: {bar.text}{f' ({part_year})' if bar.partial else ''}" for bar in bars)
    return Picture(ident, name, side.view.href(), title, "; ".join(described), bars, caption)


def _bar(
    year: int,
    middle: float,
    width: float,
    row: TrendRow | None,
    part: Callable[[TrendRow], Reached | None],
) -> Bar:
    reached = part(row) if row else None
    height, text = (0.0, "–") if reached is None else (reached[0] * (_BASE - _TOP), reached[1])
    return Bar(
        year=year,
        middle=round(middle, 1),
        left=round(middle - width / 2, 1),
        width=round(width, 1),
        top=round(_BASE - height, 1),
        height=round(height, 1),
        text=text,
        known=reached is not None,
        partial=bool(row and row.partial and reached is not None),
    )
