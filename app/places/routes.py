"""GET /v1/counties and GET /v1/municipalities: the registers, open to everyone."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.errors import InvalidParameter, Unavailable, problems
from app.places import examples
from app.places.models import (
    Counties,
    CountyCode,
    CountyPublic,
    Municipalities,
    MunicipalityPublic,
)
from app.places.register import counties, county_named, municipalities
from app.web.answers import Accepted, FormatAsked, documented_table, table_answer, wants_csv
from app.web.dependencies import AsOfMoment, ReadDb
from app.web.strict import StrictRoute

router = APIRouter(prefix="/v1", tags=["Registers"], route_class=StrictRoute)

OnDay = Annotated[date | None, Query(description="The day whose register is meant", examples=["2024-12-31"])]


@router.get(
    "/counties",
    operation_id="listCounties",
    summary="The wellbeing services counties",
    response_model=Counties,
    responses={
        **documented_table("All counties; an excerpt", CountyPublic, examples.COUNTIES),
        **problems(InvalidParameter, Unavailable),
    },
)
def list_counties(
    db: ReadDb,
    as_of: AsOfMoment,
    on: OnDay = None,
    format: FormatAsked = None,
    accept: Accepted = None,
) -> Response:
    """The 21 wellbeing services counties and the City of Helsinki, with the number of their municipalities.

    Åland belongs to no county. Without `on` the municipalities are counted as of today.
    """
    day = on or as_of.day
    everywhere = municipalities(db, as_of.moment).values()
    here = [place.county for place in everywhere if place.in_register(day)]
    rows = [
        CountyPublic(
            code=county.code,
            name_fi=county.name_fi,
            name_sv=county.name_sv,
            name_en=county.name_en,
            kind=county.kind,
            municipalities=here.count(county.code),
        )
        for county in counties(db, as_of.moment).values()
    ]
    answer = Counties(as_of=as_of.asked, on=day, rows=rows)
    return table_answer(answer, CountyPublic, rows, as_csv=wants_csv(format, accept))


@router.get(
    "/municipalities",
    operation_id="listMunicipalities",
    summary="The municipalities, present and merged",
    response_model=Municipalities,
    responses={
        **documented_table(
            "Municipalities in the order of their codes; an excerpt", MunicipalityPublic, examples.MUNICIPALITIES
        ),
        **problems(InvalidParameter, Unavailable),
    },
)
def list_municipalities(
    db: ReadDb,
    as_of: AsOfMoment,
    county: Annotated[CountyCode | None, Query(description="Only those of this county", examples=["13"])] = None,
    on: OnDay = None,
    format: FormatAsked = None,
    accept: Accepted = None,
) -> Response:
    """Every municipality since 2021 with its county, validity and successor; with `on` the register of that day."""
    if county is not None:
        county_named(db, county, as_of.moment)
    rows = [
        MunicipalityPublic.model_validate(place, from_attributes=True)
        for place in municipalities(db, as_of.moment, county=county).values()
        if on is None or place.in_register(on)
    ]
    answer = Municipalities(as_of=as_of.asked, on=on, rows=rows)
    return table_answer(answer, MunicipalityPublic, rows, as_csv=wants_csv(format, accept))
