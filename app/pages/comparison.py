"""What compare.html sets side by side: pictures on one scale, their figures, and what to mind in comparing them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from app.pages.cautions import Caution, cautions, coverage_in_words
from app.pages.nothing import Nothing
from app.pages.sides import WHOLE_COUNTRY, Compared, ComparisonView, Side
from app.pages.sources import what_is_kept
from app.pages.tables import Cell, Column, Table, table
from app.pages.wording import Wording
from app.trends.models import TrendRow

MOST_YEARS = 8
"""In a picture, so that its words can be read where it is narrow; the table has all."""

WIDTH, HEIGHT = 320, 170
_LEFT, _RIGHT, _TOP, _BASE = 4, 4, 26, 146
_WIDEST = 44


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be chosen in the form."""

    value: str
    name: str
    chosen: bool


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
    years = sorted({row.year for side in shown.sides for row in side.told})[-MOST_YEARS:]
    rates = [row.sessions_per_1000_residents for side in shown.sides for row in side.told if row.year in years]
    most = max((rate for rate in rates if rate is not None), default=None)
    return Part(
        common=_common(words, shown.sides),
        counties=_counties(words, shown, view),
        practices=[Choice(one.slug, words.name(one), one.slug in view.practices) for one in shown.practices],
        sides=len(named),
        too_many=_too_many(words, shown),
        finding=_finding(words, named),
        cautions=cautions(words, named),
        told=bool(years),
        shares=[_shares(words, number, *one, years) for number, one in enumerate(named, start=1)] if years else [],
        rates=[_rates(words, number, *one, years, most) for number, one in enumerate(named, start=1)]
        if most is not None
        else [],
        part_years=any(row.partial for side in shown.sides for row in side.told if row.year in years),
        table=_table(words, named, view),
        data=[Data(name, side.view.trend(), side.view.trend(format="csv")) for name, side in named],
        permanent=view.href(as_of=shown.settled.asked),
        kept=what_is_kept(words, None, shown.settled.day),
    )


def _finding(words: Wording, named: Sequence[tuple[str, Side]]) -> tuple[str, Sequence[str]] | None:
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
    return (
        words.gettext(
            "Municipalities with the practice on trial or in use, as a share of all, in %(year)s, the latest whole "
            "year that all of them have:",
            year=year,
        ),
        [f"{name}: {_share(words, rows[year])}" for name, rows in speaking],
    )


def _share(words: Wording, row: TrendRow) -> str:
    """The share of a row that has one."""
    return words.share(row.municipalities or 0, row.municipalities_in_area or 0)


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


def _shares(words: Wording, number: int, name: str, side: Side, years: Sequence[int]) -> Picture:
    def part(row: TrendRow) -> tuple[float, str] | None:
        if row.municipalities is None or not row.municipalities_in_area:
            return None
        share = words.share(row.municipalities, row.municipalities_in_area, decimals=0)
        return row.municipalities / row.municipalities_in_area, share

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
    def part(row: TrendRow) -> tuple[float, str] | None:
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
    told = {"year": row.year, "part": words.number(row.municipalities or 0), "share": _share(words, row)}
    if row.partial:
        return words.ngettext(
            "In %(year)s (part of the year): %(part)s of %(number)s municipality (%(share)s)",
            "In %(year)s (part of the year): %(part)s of %(number)s municipalities (%(share)s)",
            whole,
            **told,
        )
    return words.ngettext(
        "In %(year)s: %(part)s of %(number)s municipality (%(share)s)",
        "In %(year)s: %(part)s of %(number)s municipalities (%(share)s)",
        whole,
        **told,
    )


def _picture(
    words: Wording,
    ident: str,
    name: str,
    side: Side,
    years: Sequence[int],
    part: Callable[[TrendRow], tuple[float, str] | None],
    *,
    title: str,
    caption: str,
) -> Picture:
    """The `years` of a side; `part` is how much of the scale a row reaches, from 0 to 1, and what stands above it."""
    rows = {row.year: row for row in side.told}
    slot = (WIDTH - _LEFT - _RIGHT) / len(years)
    bars = [
        _bar(year, _LEFT + slot * (position + 0.5), min(slot * 0.7, _WIDEST), rows.get(year), part)
        for position, year in zip(count(), years, strict=False)
    ]
    part_year = words.gettext("part of the year")
    described = (f"{bar.year}: {bar.text}{f' ({part_year})' if bar.partial else ''}" for bar in bars)
    return Picture(ident, name, side.view.href(), title, "; ".join(described), bars, caption)


def _bar(
    year: int,
    middle: float,
    width: float,
    row: TrendRow | None,
    part: Callable[[TrendRow], tuple[float, str] | None],
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


@dataclass(frozen=True, slots=True)
class _Row:
    """A year of a side."""

    number: int
    name: str
    side: Side
    year: TrendRow


def _table(words: Wording, named: Sequence[tuple[str, Side]], view: ComparisonView) -> Table:
    """Every year of every side, the latest year first."""
    rows = [_Row(number, name, side, year) for number, (name, side) in enumerate(named, start=1) for year in side.told]
    return table(
        "compared",
        words.gettext("The figures side by side"),
        list(_columns(words, country=any(side.county is None for _, side in named))),
        sorted(rows, key=lambda row: -row.year.year),
        row_id=lambda row: f"side-{row.number}-{row.year.year}",
        sort=view.sort,
        parameter="sort",
        href=lambda sort: view.href(sort=sort),
    )


def _columns(words: Wording, *, country: bool) -> Iterable[Column[_Row]]:
    yield Column(
        "side",
        words.gettext("What is compared"),
        lambda row: Cell(row.name, href=row.side.view.href()),
        lambda row: words.alphabetical(row.name),
        numeric=False,
    )
    yield Column(
        "year", words.gettext("Year"), lambda row: Cell(str(row.year.year), row.year.year), lambda row: row.year.year
    )
    yield _column("share", words.gettext("Share"), lambda row: _share(words, row), _standing(words))
    yield _number(words, "municipalities", words.gettext("Municipalities on trial or in use"), _standing(words))
    yield _number(words, "municipalities_in_area", words.gettext("Municipalities in all"), _standing(words))
    yield _number(
        words,
        "sessions_per_1000_residents",
        words.gettext("Sessions per 1,000 residents"),
        lambda row: _nothing(words, row).rate(row.year),
    )
    yield _day(words, "through", words.gettext("Figures complete to"), _sessions(words))
    yield _column(
        "coverage", words.gettext("Reports received"), lambda row: coverage_in_words(words, row), _sessions(words)
    )
    if country:
        yield _number(words, "counties", words.gettext("Counties in the sum"), _standing(words))
    yield _day(words, "published_on", words.gettext("Published"), lambda _: words.gettext("on several days"))


Missing = Callable[[_Row], str]
"""Which kind of nothing stands where there is no figure."""


def _nothing(words: Wording, row: _Row) -> Nothing:
    return Nothing(words, row.side.practice.counted)


def _standing(words: Wording) -> Missing:
    return lambda row: _nothing(words, row).standing(row.year)


def _sessions(words: Wording) -> Missing:
    return lambda row: _nothing(words, row).sessions(row.year)


def _number(words: Wording, key: str, heading: str, missing: Missing) -> Column[_Row]:
    return _column(key, heading, lambda row: words.number(getattr(row, key)), missing)


def _day(words: Wording, key: str, heading: str, missing: Missing) -> Column[_Row]:
    return _column(key, heading, lambda row: words.short_day(getattr(row, key)), missing, day=True)


def _column(
    key: str, heading: str, text: Callable[[TrendRow], str], missing: Missing, *, day: bool = False
) -> Column[_Row]:
    """What the API calls `key`; `text` says it of a row that has it."""

    def cell(row: _Row) -> Cell:
        value = getattr(row.year, key)
        return Cell(missing(row)) if value is None else Cell(text(row.year), value, day=day)

    return Column(key, heading, cell, lambda row: getattr(row.year, key), meaning=key)
