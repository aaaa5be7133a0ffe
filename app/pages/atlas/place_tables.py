"""The tables beside the map: the municipalities of a county, and the counties of the country."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.pages.atlas.stages import STAGES, UNKNOWN, stage_names, step_day, step_value
from app.pages.figures.columns import figure_cell, figure_column
from app.pages.figures.nothing import Nothing
from app.pages.reading.standings import Standing
from app.pages.tables import Cell, Column, Row, Table, table
from app.pages.view import View
from app.places.register import County
from app.trends.models import TrendRow

FIGURES = ("municipalities", "municipalities_in_area", "share", "sessions", "through")
"""What is told of the latest year of a county, by the fields of the API."""

MUNICIPALITY_ROW = "m"
COUNTY_ROW = "c"
"""With these begin the ids of rows, followed by the code."""


@dataclass(frozen=True, slots=True)
class Place:
    """A municipality, how far it has come, and what was released of it by year."""

    standing: Standing
    stage: str
    years: Mapping[int, TrendRow]


@dataclass(frozen=True, slots=True)
class Area:
    """A county, and what was released last of its latest year, if anything."""

    county: County
    latest: TrendRow | None


def municipalities_table(
    caption: str, places: Sequence[Place], years: Sequence[TrendRow], view: View, nothing: Nothing
) -> Table:
    """Where each of `places` stands since when, and its sessions in each of `years`, which are those of the county."""
    words = nothing.words
    names = stage_names(words)

    def status(place: Place) -> Cell:
        return Cell(names[place.stage], place.standing.status)

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
        Column("since", words.gettext("Since"), since, _since, numeric=False, meaning="since"),
        *(_sessions(nothing, year, meaning="sessions" if year is years[0] else None) for year in years),
    ]
    return _table(caption, columns, places, view, row_id=lambda place: MUNICIPALITY_ROW + place.standing.place.code)


def counties_table(caption: str, areas: Sequence[Area], view: View, nothing: Nothing) -> Table:
    """What each of `areas` published of its latest year."""
    words = nothing.words

    def name(area: Area) -> Cell:
        return Cell(words.name(area.county), href=county_href(view, area.county))

    def year(area: Area) -> Cell:
        if area.latest is None:
            return Cell(stage_names(words)[UNKNOWN])
        whole = str(area.latest.year)
        text = words.gettext("%(year)s (part of the year)", year=whole) if area.latest.partial else whole
        return Cell(text, area.latest.year)

    columns: list[Column[Area]] = [
        Column(
            "name",
            words.gettext("Wellbeing services county"),
            name,
            lambda area: words.alphabetical(words.name(area.county)),
            numeric=False,
        ),
        Column("year", words.gettext("Year"), year, lambda area: area.latest and area.latest.year),
        *(
            figure_column(words, field, row_of=lambda area: area.latest, nothing_of=lambda _: nothing)
            for field in FIGURES
        ),
    ]
    return _table(caption, columns, areas, view, row_id=lambda area: COUNTY_ROW + area.county.code)


def county_href(view: View, county: County) -> str:
    """The same page about `county` alone."""
    return view.elsewhere(county=county.code, release=None)


def _table(
    caption: str, columns: Sequence[Column[Row]], rows: Sequence[Row], view: View, *, row_id: Callable[[Row], str]
) -> Table:
    """By name if nothing else is asked for."""
    return table(
        "places",
        caption,
        columns,
        sorted(rows, key=columns[0].order),
        row_id=row_id,
        sort=view.sort,
        parameter="sort",
        href=lambda sort: view.href(sort=sort),
    )


def _rank(place: Place) -> int | None:
    return None if place.standing.status is None else STAGES.index(place.standing.status)


def _since(place: Place) -> date | None:
    return place.standing.steps[-1].day if place.standing.steps else None


def _sessions(nothing: Nothing, whole: TrendRow, *, meaning: str | None) -> Column[Place]:
    """The sessions of a year, said to be of a part of it if the county's are."""
    words, year = nothing.words, str(whole.year)
    if whole.partial:
        heading = words.gettext("Sessions %(year)s (part of the year)", year=year)
    else:
        heading = words.gettext("Sessions %(year)s", year=year)

    def cell(place: Place) -> Cell:
        row = place.years.get(whole.year)
        return Cell(words.gettext("not known")) if row is None else figure_cell(nothing, "sessions", row)

    return Column(
        f"sessions_{year}",
        heading,
        cell,
        lambda place: getattr(place.years.get(whole.year), "sessions", None),
        meaning=meaning,
    )
