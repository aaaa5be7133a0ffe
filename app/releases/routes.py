"""GET /v1/releases: what was made public, open to everyone."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from sqlmodel import Session

from app.clock import AsOf
from app.database import LARGEST_ID
from app.errors import InvalidParameter, NotFound, Unavailable, parameter_problem, problems
from app.periods import FIRST_YEAR, LAST_YEAR
from app.places.models import CountyCode
from app.places.register import county_named
from app.practices.definitions import practice_asked
from app.practices.models import PRACTICE_LENGTH, PRACTICE_PATTERN
from app.releases import examples
from app.releases.about import about, changes
from app.releases.diff import differences
from app.releases.edition import edition_read
from app.releases.figures import said
from app.releases.headers import RELEASED, public_headers
from app.releases.models import (
    DifferenceRow,
    FigureRow,
    Origin,
    ReleaseDifferences,
    ReleaseFigures,
    ReleasePublic,
    ReleaseRecord,
    Releases,
    ReleaseWithChanges,
    State,
)
from app.releases.naming import AREA_PATTERN, names_of
from app.releases.reading import content_of, release_with, releases
from app.web.answers import Accepted, FormatAsked, documented, documented_table, json_answer, table_answer, wants_csv
from app.web.at_hand import lasting
from app.web.dependencies import AsOfMoment, ReadDb
from app.web.paging import DEFAULT_ROWS, Limit, next_page
from app.web.strict import StrictRoute

router = APIRouter(prefix="/v1", tags=["Releases"], route_class=StrictRoute)

Number = Annotated[
    int,
    Path(
        ge=1,
        le=LARGEST_ID,
        description="Number of the release, as `GET /v1/releases` gives it",
        openapi_examples={"first": {"summary": "The release that ships", "value": 1}},
    ),
]


@router.get(
    "/releases",
    operation_id="listReleases",
    summary="What was made public",
    response_model=Releases,
    responses={
        **documented_table(
            "A page of releases, newest first", ReleasePublic, examples.RELEASES, paged=True, headers=RELEASED
        ),
        **problems(InvalidParameter, Unavailable),
    },
)
def list_releases(
    request: Request,
    db: ReadDb,
    as_of: AsOfMoment,
    practice: Annotated[
        str | None,
        Query(
            pattern=PRACTICE_PATTERN,
            max_length=PRACTICE_LENGTH,
            description="Only those about this practice",
            examples=["yhdessa-aika"],
        ),
    ] = None,
    county: Annotated[CountyCode | None, Query(description="Only those of this county", examples=["13"])] = None,
    state: Annotated[State | None, Query(description="Only preliminary or only final ones")] = None,
    origin: Annotated[Origin | None, Query(description="Only those made here, or only imported ones")] = None,
    limit: Limit = None,
    cursor: Annotated[
        int | None, Query(ge=1, le=LARGEST_ID, description="`next` of the page before; same filters")
    ] = None,
    format: FormatAsked = None,
    accept: Accepted = None,
) -> Response:
    """Releases published up to the day that is read, newest first.

    `GET /v1/releases/{id}/figures` says what one of them says, and `GET /v1/trends` reads the latest.
    """
    if practice is not None:
        practice_asked(db, practice, as_of.moment)
    if county is not None:
        county_named(db, county, as_of.moment)
    as_csv = wants_csv(format, accept)
    most = limit or (None if as_csv else DEFAULT_ROWS)
    found = releases(
        db,
        on=as_of.day,
        practice=practice,
        county=county,
        state=state,
        origin=origin,
        after=None if cursor is None else _last_of_page(db, cursor, as_of),
        limit=None if most is None else most + 1,
    )
    rows = about(db, found[:most])
    following = str(rows[-1].id) if len(found) > len(rows) else None
    answer = Releases(as_of=as_of.asked, rows=rows, next=following)
    _lasting(request, db, as_of)
    return table_answer(
        answer,
        ReleasePublic,
        rows,
        as_csv=as_csv,
        next_page=next_page(request, following),
        headers=public_headers((row.id for row in rows), named=False),
    )


@router.get(
    "/releases/{id}",
    operation_id="getRelease",
    summary="One release",
    response_model=ReleaseWithChanges,
    responses={
        200: documented("The release", examples.RELEASE_WITH_CHANGES, RELEASED),
        **problems(InvalidParameter, NotFound, Unavailable),
    },
)
def get_release(request: Request, db: ReadDb, as_of: AsOfMoment, id: Number) -> Response:
    """A release with its source, and every year of which it says something else than the release before it."""
    record = release_with(db, id, on=as_of.day)
    [public] = about(db, [record])
    _lasting(request, db, as_of)
    answer = ReleaseWithChanges(**public.model_dump(), changes=changes(db, record))
    return json_answer(answer, headers=public_headers([id], named=True))


@router.get(
    "/releases/{id}/figures",
    operation_id="listReleaseFigures",
    summary="What one release says",
    response_model=ReleaseFigures,
    responses={
        **documented_table(
            "Its figures; as CSV its rows alone. An excerpt", FigureRow, examples.FIGURES, headers=RELEASED
        ),
        **problems(InvalidParameter, NotFound, Unavailable),
    },
)
def list_release_figures(
    request: Request,
    db: ReadDb,
    as_of: AsOfMoment,
    id: Number,
    area: Annotated[
        str | None,
        Query(
            pattern=AREA_PATTERN,
            description="Only this area: the release's county by its two digits, or one municipality by its three",
            examples=["13"],
        ),
    ] = None,
    year: Annotated[
        int | None, Query(ge=FIRST_YEAR, le=LAST_YEAR, description="Only this year and its quarters", examples=[2023])
    ] = None,
    format: FormatAsked = None,
    accept: Accepted = None,
) -> Response:
    """How many sessions, of each area and period that the release speaks of: years, and quarters if it has them.

    The county first, then municipalities by code if it has them, each by period. What is `withheld` was counted, but to
    tell would give a small municipality away; whether that one or another is never told.
    """
    record = release_with(db, id, on=as_of.day)
    names = names_of(db, record.county, as_of.moment)
    asked = None if area is None else names.asked(area)
    rows = [
        FigureRow(
            release_id=record.id,
            practice=record.practice,
            **names.of(one.area),
            period=one.period,
            sessions=one.numbers["sessions"],
            sessions_missing=one.sessions_missing,
            through=one.through,
            partial=one.partial,
            municipalities=one.numbers.get("municipalities"),
            reporting=one.numbers["reporting"],
        )
        for one in said(content_of(db, record))
        if asked in (None, one.area or record.county) and (year is None or one.period.startswith(str(year)))
    ]
    [public] = about(db, [record])
    answer = ReleaseFigures(release=public, rows=rows)
    _lasting(request, db, as_of)
    return table_answer(
        answer, FigureRow, rows, as_csv=wants_csv(format, accept), headers=public_headers([id], named=True)
    )


@router.get(
    "/releases/{id}/diff/{other}",
    operation_id="getReleaseDifferences",
    summary="What changed between two releases",
    response_model=ReleaseDifferences,
    responses={
        **documented_table(
            "What differs; as CSV its rows alone", DifferenceRow, examples.DIFFERENCES, headers=RELEASED
        ),
        **problems(InvalidParameter, NotFound, Unavailable),
    },
)
def get_release_differences(
    request: Request,
    db: ReadDb,
    as_of: AsOfMoment,
    id: Number,
    other: Annotated[
        int,
        Path(
            ge=1,
            le=LARGEST_ID,
            description="Number of another release of the same practice and county",
            openapi_examples={"itself": {"summary": "Nothing differs from itself", "value": 1}},
        ),
    ],
    format: FormatAsked = None,
    accept: Accepted = None,
) -> Response:
    """Every field that differs, from the release `id` to the release `other`; withheld in both is no difference."""
    before, after = (release_with(db, number, on=as_of.day) for number in (id, other))
    if (before.practice, before.county) != (after.practice, after.county):
        raise parameter_problem(
            "other",
            f"{other} is about {after.practice} in county {after.county}, and {id} about {before.practice} in county"
            f" {before.county}; only releases of the same practice and county are held against each other",
        )
    names = names_of(db, before.county, as_of.moment)
    rows = [
        DifferenceRow(
            practice=before.practice,
            **names.of(one.area),
            period=one.period,
            field=one.field,
            before=one.before,
            after=one.after,
            before_missing=one.before_missing,
            after_missing=one.after_missing,
            before_through=one.before_through,
            after_through=one.after_through,
        )
        for one in differences(content_of(db, before), content_of(db, after))
    ]
    public, public_other = about(db, [before, after])
    answer = ReleaseDifferences(before=public, after=public_other, rows=rows)
    _lasting(request, db, as_of)
    headers = public_headers([id, other], named=True)
    return table_answer(answer, DifferenceRow, rows, as_csv=wants_csv(format, accept), headers=headers)


def _last_of_page(db: Session, cursor: int, as_of: AsOf) -> ReleaseRecord:
    """The release that ended the page before."""
    try:
        return release_with(db, cursor, on=as_of.day)
    except NotFound as error:
        detail = "is not a cursor; take it from `next` of the page before, with the same filters"
        raise parameter_problem("cursor", detail) from error


def _lasting(request: Request, db: Session, as_of: AsOf) -> None:
    """Let the answer be given again while there is no new release, unless a past moment was asked for."""
    if as_of.moment is None:
        lasting(request, edition_read(db, as_of.day))
