"""The tables beside the map: the municipalities of a county, and the counties of the country."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from app.pages.stages import STAGES, UNKNOWN, stage_names, step_day, step_value
from app.pages.standings import Standing
from app.pages.tables import Cell, Column, Table, table
from app.pages.view import View
from app.places.register import County
from app.trends.models import TrendRow

if TYPE_CHECKING:
    from app.pages.wording import Wording

MUNICIPALITY_ROW = "m"
COUNTY_ROW = "c"
"""With these begin the ids of rows, followed by the code."""


@dataclass(frozen=True, slots=True)
class Place:
    """A municipality, and what was released of it by year."""

    standing: Standing
    years: Mapping[int, TrendRow]


@dataclass(frozen=True, slots=True)
class Area:
    """A county, and what was released last of its latest year, if anything."""

    county: County
    latest: TrendRow | None


def municipalities_table(
    words: "Wording", caption: str, places: Sequence[Place], years: Sequence[TrendRow], view: View
) -> Table:
    """Where each of `places` stands since when, and its sessions in each of `years`, which are those of the county."""
    names = stage_names(words)

    def status(place: Place) -> Cell:
        return Cell(names[place.standing.status or UNKNOWN], place.standing.status)

    def since(place: Place) -> Cell:
        if not place.standing.steps:
            return Cell(names[UNKNOWN])
        step = place.standing.steps[-1]
        return Cell(step_day(words, step), step_value(step), day=True)

    columns: list[Column[Place]] = [
        Column(
            "name",
            words.gettext("Municipality"),
            lambda place: Cell(words.name(place.standing.place)),
            lambda place: words.alphabetical(words.name(place.standing.place)),
            numeric=False,
        ),
        Column("status", words.gettext("Status"), status, _rank, numeric=False, meaning="status"),
        Column("since", words.gettext("Since"), since, _since, numeric=False),
        *(_sessions(words, year, meaning="sessions" if year is years[0] else None) for year in years),
    ]
    return table(
        "places",
        caption,
        columns,
        sorted(places, key=columns[0].order),
        row_id=lambda place: MUNICIPALITY_ROW + place.standing.place.code,
        sort=view.sort,
        parameter="sort",
        href=lambda sort: view.href(sort=sort),
    )


def counties_table(words: "Wording", caption: str, areas: Sequence[Area], view: View) -> Table:
    """What each of `areas` published of its latest year."""

    def name(area: Area) -> Cell:
        return Cell(words.name(area.county), href=county_href(view, area.county))

    def year(area: Area) -> Cell:
        if area.latest is None:
            return Cell(stage_names(words)[UNKNOWN])
        whole = str(area.latest.year)
        text = words.gettext("%(year)s (part of the year)", year=whole) if area.latest.partial else whole
        return Cell(text, area.latest.year)

    def share(row: TrendRow) -> str:
        return words.share(row.municipalities or 0, row.municipalities_in_area or 0)

    columns: list[Column[Area]] = [
        Column(
            "name",
            words.gettext("Wellbeing services county"),
            name,
            lambda area: words.alphabetical(words.name(area.county)),
            numeric=False,
        ),
        Column("year", words.gettext("Year"), year, lambda area: area.latest and area.latest.year),
        _figure(words, "municipalities", words.gettext("Municipalities with the practice")),
        _figure(words, "municipalities_in_area", words.gettext("All municipalities")),
        _figure(words, "share", words.gettext("Share"), share),
        _figure(words, "sessions", words.gettext("Sessions")),
        _figure(words, "through", words.gettext("Counted up to")),
        _figure(words, "published_on", words.gettext("Published")),
    ]
    return table(
        "places",
        caption,
        columns,
        sorted(areas, key=columns[0].order),
        row_id=lambda area: COUNTY_ROW + area.county.code,
        sort=view.sort,
        parameter="sort",
        href=lambda sort: view.href(sort=sort),
    )


def county_href(view: View, county: County) -> str:
    """The same page about `county` alone."""
    return view.href(county=county.code, release=None, sort=None, sort_years=None)


def _rank(place: Place) -> int | None:
    return None if place.standing.status is None else STAGES.index(place.standing.status)


def _since(place: Place) -> date | None:
    return place.standing.steps[-1].day if place.standing.steps else None


def _sessions(words: "Wording", whole: TrendRow, *, meaning: str | None) -> Column[Place]:
    """The sessions of a year, said to be of a part of it if the county's are."""
    year = str(whole.year)
    if whole.partial:
        heading = words.gettext("Sessions %(year)s (part of the year)", year=year)
    else:
        heading = words.gettext("Sessions %(year)s", year=year)
    return Column(
        f"sessions_{year}",
        heading,
        lambda place: _cell(words, place.years.get(whole.year), "sessions"),
        lambda place: getattr(place.years.get(whole.year), "sessions", None),
        meaning=meaning,
    )


def _figure(words: "Wording", key: str, heading: str, text: Callable[[TrendRow], str] | None = None) -> Column[Area]:
    """The field `key` of the latest year, said as `text` has it."""

    def cell(area: Area) -> Cell:
        # One cell of the row says it, and the others need not repeat it.
        return Cell("–") if area.latest is None else _cell(words, area.latest, key, text)

    return Column(key, heading, cell, lambda area: getattr(area.latest, key, None), meaning=key)


def _cell(words: "Wording", row: TrendRow | None, key: str, text: Callable[[TrendRow], str] | None = None) -> Cell:
    """A number or a day of `row`, or which kind of nothing stands there."""
    value: Any = getattr(row, key, None)
    if row is None or value is None:
        return Cell(_nothing(words, row))
    if isinstance(value, date):
        return Cell(words.short_day(value), value.isoformat(), day=True)
    return Cell(text(row) if text else words.number(value), value)


def _nothing(words: "Wording", row: TrendRow | None) -> str:
    """Why a row has no figure."""
    kinds = {
        "withheld": words.gettext("withheld"),
        "not_reported": words.gettext("not reported"),
        "not_applicable": words.gettext("not applicable"),
    }
    missing = row.sessions_missing if row else None
    return kinds[missing] if missing else words.gettext("not known")
