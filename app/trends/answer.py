"""The answer to GET /v1/trends: live, out of releases, or both side by side."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

from sqlmodel import Session

from app.access.scope import Caller
from app.clock import AsOf
from app.errors import parameter_problem
from app.places.register import (
    County as CountyPlace,
    Municipality,
    counties,
    county_named,
    municipalities,
    municipalities_named,
    residents,
)
from app.practices.definitions import live_from, practice_asked
from app.releases.reading import ReleaseRead, latest_releases, read_release, release_with, with_municipalities
from app.reports.live import histories
from app.series.facts import County, History
from app.series.rows import YearRow
from app.series.trend import yearly_trend
from app.trends.models import Area, ReleaseUsed, Trend, TrendRow

By = Literal["county", "municipality"]
_FIELDS = [field.name for field in fields(YearRow)]

COUNTRY = Area(type="country", code="FI", name_fi="Suomi", name_sv="Finland", name_en="Finland")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: the query parameters of GET /v1/trends."""

    practice: str
    county: str | None
    municipalities: Sequence[str]
    by: By | None
    from_year: int | None
    to_year: int | None
    release: int | None


@dataclass(frozen=True, slots=True)
class _Ground:
    """An area with its municipalities and counties; `narrowed` if it is single municipalities."""

    area: Area
    places: Collection[Municipality]
    counties: Sequence[str]
    narrowed: bool


@dataclass(frozen=True, slots=True)
class _Sources:
    """All that rows are counted from, whatever the area."""

    read: Literal["live", "release"]
    counted: bool
    histories: Mapping[str, History]
    releases: Mapping[str, ReleaseRead]
    live_from: Mapping[str, int]
    residents: Mapping[int, Mapping[str, int]]


def trend(db: Session, question: Question, *, reader: Caller | None, as_of: AsOf) -> tuple[Trend, Collection[str]]:
    """The trend that is asked for: live if the key covers the whole area and no release is named, else what is public.

    With it the municipalities whose reports it was counted from, none if it is what is public.

    Raises:
        InvalidParameter: unknown practice, county or municipality, or parameters that do not go together.
        NotFound: there is no such release.
    """
    practice = practice_asked(db, question.practice, as_of.moment)
    named = read_release(db, release_with(db, question.release, on=as_of.day)) if question.release else None
    whole = _ground(db, _with_release(question, named), as_of)
    live = named is None and reader is not None and reader.reads(whole.places)
    sources = _Sources(
        "live" if live else "release",
        practice.counted,
        _histories(db, question.practice, whole, as_of) if live else {},
        _releases(db, question, whole, [named] if named else _latest(db, question.practice, whole, as_of)),
        live_from(db, question.practice, as_of.moment) if live else {},
        residents(db, as_of.moment, codes=[place.code for place in whole.places]) if live else {},
    )
    grounds = _split(db, whole, question.by, as_of)
    answer = Trend(
        practice=question.practice,
        area=whole.area,
        read=sources.read,
        as_of=as_of.asked,
        releases=[ReleaseUsed.model_validate(read.record) for read in sources.releases.values()],
        years=[row for ground in grounds for row in _rows(ground, sources, question, as_of)],
    )
    return answer, tuple(sources.histories)


def _with_release(question: Question, named: ReleaseRead | None) -> Question:
    """The question about the county of the release that it names, if it names one."""
    if named is None:
        return question
    record = named.record
    if record.practice != question.practice:
        raise parameter_problem(
            "release", f"{record.id} is about {record.practice}; ask with practice={record.practice}"
        )
    if question.county not in (None, record.county):
        raise parameter_problem(
            "release", f"{record.id} is about county {record.county}; ask with county={record.county}"
        )
    return replace(question, county=record.county)


def _ground(db: Session, question: Question, as_of: AsOf) -> _Ground:
    """The area that is asked for."""
    if question.municipalities and question.by == "county":
        raise parameter_problem("by", "by=county does not go with municipality; ask by=municipality")
    county = county_named(db, question.county, as_of.moment) if question.county else None
    if question.municipalities:
        places = municipalities_named(db, question.municipalities, as_of.moment)
        if county and (outside := sorted(code for code, place in places.items() if place.county != county.code)):
            raise parameter_problem("municipality", f"{', '.join(outside)} is not in county {county.code}")
        return _narrow_ground(list(places.values()))
    if county:
        return _county_ground(county, municipalities(db, as_of.moment, county=county.code).values())
    codes = list(counties(db, as_of.moment))
    places = {code: place for code, place in municipalities(db, as_of.moment).items() if place.county in codes}
    return _Ground(COUNTRY, places.values(), codes, narrowed=False)


def _county_ground(county: CountyPlace, places: Collection[Municipality]) -> _Ground:
    area = Area(
        type="county",
        code=county.code,
        name_fi=county.name_fi,
        name_sv=county.name_sv,
        name_en=county.name_en,
    )
    return _Ground(area, places, [county.code], narrowed=False)


def _narrow_ground(places: Sequence[Municipality]) -> _Ground:
    """Municipalities by themselves; those of Åland belong to the county "", which is none."""
    in_finnish = ", ".join(place.name_fi for place in places)
    area = Area(
        type="municipality" if len(places) == 1 else "municipalities",
        code="+".join(place.code for place in places),
        name_fi=in_finnish,
        name_sv=", ".join(place.name_sv for place in places),
        name_en=in_finnish,
    )
    return _Ground(area, places, sorted({place.county or "" for place in places}), narrowed=True)


def _split(db: Session, whole: _Ground, by: By | None, as_of: AsOf) -> Sequence[_Ground]:
    """The areas that get rows of their own, in the order of their codes."""
    if by is None:
        return [whole]
    if by == "municipality":
        return [_narrow_ground([place]) for place in whole.places]
    return [
        _county_ground(county, [place for place in whole.places if place.county == county.code])
        for county in counties(db, as_of.moment).values()
        if county.code in whole.counties
    ]


def _histories(db: Session, practice: str, whole: _Ground, as_of: AsOf) -> Mapping[str, History]:
    everywhere = whole.area == COUNTRY
    found = histories(db, practice, whole.places, moment=as_of.moment, everywhere=everywhere)
    return {history.code: history for history in found}


def _latest(db: Session, practice: str, whole: _Ground, as_of: AsOf) -> Sequence[ReleaseRead]:
    """The latest release of each county, in the order of the counties."""
    only = whole.counties[0] if len(whole.counties) == 1 else None
    latest = latest_releases(db, practice, on=as_of.day, county=only)
    return [latest[county] for county in whole.counties if county in latest]


def _releases(
    db: Session, question: Question, whole: _Ground, reads: Sequence[ReleaseRead]
) -> Mapping[str, ReleaseRead]:
    """By county: what is read of it, with its municipalities if rows are of municipalities."""
    if whole.narrowed or question.by == "municipality":
        reads = with_municipalities(db, reads, [place.code for place in whole.places])
    return {read.record.county: read for read in reads}


def _rows(ground: _Ground, sources: _Sources, question: Question, as_of: AsOf) -> list[TrendRow]:
    rows = yearly_trend(
        [_county(code, ground, sources) for code in ground.counties],
        as_of=as_of.day,
        counted=sources.counted,
        residents=sources.residents,
        counties_total=len([code for code in ground.counties if code]),
        narrowed=ground.narrowed,
        read=sources.read,
        from_year=question.from_year,
        to_year=question.to_year,
    )
    return [_trend_row(row, question.practice, ground.area) for row in rows]


def _county(code: str, ground: _Ground, sources: _Sources) -> County:
    own = [place.code for place in ground.places if (place.county or "") == code]
    release = sources.releases.get(code)
    return County(
        code,
        [sources.histories[place] for place in own] if sources.read == "live" else (),
        release.content if release else None,
        sources.live_from.get(code),
        own if ground.narrowed else (),
    )


def _trend_row(row: YearRow, practice: str, area: Area) -> TrendRow:
    said = {name: getattr(row, name) for name in _FIELDS}
    return TrendRow(practice=practice, area_type=area.type, area_code=area.code, area_name_fi=area.name_fi, **said)
