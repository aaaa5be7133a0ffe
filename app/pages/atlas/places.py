"""What places.html tells of the municipalities of a county, or of the counties of the country."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.pages.atlas.map import Link, Map, map_of
from app.pages.atlas.place_tables import (
    MUNICIPALITY_ROW,
    Area,
    Place,
    counties_table,
    county_href,
    municipalities_table,
)
from app.pages.atlas.stages import COUNTED, UNKNOWN, numbers_listed, stage, stage_names, stage_numbers
from app.pages.atlas.timeline import Timeline, timeline
from app.pages.figures.nothing import Nothing
from app.pages.reading.overview import Overview
from app.pages.reading.standings import Standing
from app.pages.tables import Table
from app.pages.view import View
from app.pages.wording import Wording
from app.places.register import County
from app.trends.models import TrendRow


@dataclass(frozen=True, slots=True)
class Part:
    """What the template reads; `timeline` is None in the country, and where no municipality has a status.

    `legend` has for each stage on the map its name and how many municipalities are at it.
    """

    title: str
    description: str
    note: str | None
    map: Map
    legend: Sequence[tuple[str, str, str]]
    table: Table
    timeline: Timeline | None


def places_part(words: Wording, shown: Overview, view: View) -> Part:
    """What the template reads."""
    return _of_a_county(words, shown, view) if shown.county else _of_the_country(words, shown, view)


def _of_a_county(words: Wording, shown: Overview, view: View) -> Part:
    until, nothing = shown.provenance.settled.day, Nothing(words, shown.practice.counted)
    stages = _stages(shown)
    links = [_municipality_link(words, standing, stages) for standing in shown.standings]
    rows = _by_place(shown.parts)
    years = [row for row in shown.trend.years if any(row.year in known for known in rows.values())]
    return Part(
        title=words.gettext("Map of the municipalities by status"),
        description=_description(words, stages, until),
        note=_note(words, stages),
        map=map_of(words, shown.standings, stages, links, outside=False),
        legend=_legend(words, stages),
        table=municipalities_table(
            words.gettext("Municipalities: status on %(day)s", day=words.day(until)),
            [
                Place(standing, stages[standing.place.code], rows.get(standing.place.code, {}))
                for standing in shown.standings
            ],
            years[::-1],
            view,
            nothing,
        ),
        timeline=timeline(words, shown.standings, until=until),
    )


def _of_the_country(words: Wording, shown: Overview, view: View) -> Part:
    until, nothing = shown.provenance.settled.day, Nothing(words, shown.practice.counted)
    stages = _stages(shown)
    rows = _by_place(shown.parts)
    areas = [Area(county, _latest(rows.get(county.code, {}))) for county in shown.counties]
    links = [
        _county_link(words, county, _latest_counted(rows.get(county.code, {})), shown.standings, stages, view)
        for county in shown.counties
    ]
    return Part(
        title=words.gettext("Map of the municipalities by status, county by county"),
        description=_description(words, stages, until),
        note=words.gettext("Each county on the map leads to its own view. Åland is in no wellbeing services county."),
        map=map_of(words, shown.standings, stages, links, outside=True),
        legend=_legend(words, stages),
        table=counties_table(words.gettext("The latest published year of each county"), areas, view, nothing),
        timeline=None,
    )


def _stages(shown: Overview) -> dict[str, str]:
    """By municipality how far it has come."""
    rows = shown.trend.years if shown.county else shown.parts
    counted = {row.area_code for row in rows if row.municipalities is not None}
    telling = {standing.place.county for standing in shown.standings if standing.steps}
    return {standing.place.code: stage(standing, counted - telling) for standing in shown.standings}


def _by_place(rows: Sequence[TrendRow]) -> dict[str, dict[int, TrendRow]]:
    """By code and year."""
    places: dict[str, dict[int, TrendRow]] = {}
    for row in rows:
        places.setdefault(row.area_code, {})[row.year] = row
    return places


def _latest(years: Mapping[int, TrendRow]) -> TrendRow | None:
    return years[max(years)] if years else None


def _latest_counted(years: Mapping[int, TrendRow]) -> TrendRow | None:
    return _latest({year: row for year, row in years.items() if row.municipalities is not None})


def _municipality_link(words: Wording, standing: Standing, stages: Mapping[str, str]) -> Link:
    code = standing.place.code
    label = f"{words.name(standing.place)}: {stage_names(words)[stages[code]]}"
    return Link(f"#{MUNICIPALITY_ROW}{code}", label, [code])


def _county_link(
    words: Wording,
    county: County,
    counted: TrendRow | None,
    standings: Sequence[Standing],
    stages: Mapping[str, str],
    view: View,
) -> Link:
    """`counted` is the latest year of which the county says in how many municipalities the practice was."""
    codes = [standing.place.code for standing in standings if standing.place.county == county.code]
    within = [stages[code] for code in codes]
    if counted is not None and COUNTED in within:
        told = words.gettext(
            "%(number)s of %(whole)s municipalities in %(year)s",
            number=words.number(counted.municipalities or 0),
            whole=words.number(counted.municipalities_in_area or 0),
            year=counted.year,
        )
    else:
        told = numbers_listed(words, within)
    return Link(county_href(view, county), f"{words.name(county)}: {told}", codes)


def _legend(words: Wording, stages: Mapping[str, str]) -> list[tuple[str, str, str]]:
    names = stage_names(words)
    return [(kind, names[kind], words.number(number)) for kind, number in stage_numbers(stages.values()).items()]


def _description(words: Wording, stages: Mapping[str, str], until: date) -> str:
    return words.gettext(
        "Municipalities on %(day)s: %(listed)s.",
        day=words.day(until),
        listed=numbers_listed(words, stages.values()),
    )


def _note(words: Wording, stages: Mapping[str, str]) -> str | None:
    """What the map of a county cannot show."""
    if COUNTED in stages.values():
        return words.gettext("The county has published how many municipalities have the practice, but not which ones.")
    if set(stages.values()) == {UNKNOWN}:
        return words.gettext("Nothing has been published about the municipalities of this county.")
    return None
