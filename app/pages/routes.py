"""What a person opens in a browser: the front page, Swagger UI, and the files these need."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from app.clock import helsinki_day
from app.database import LARGEST_ID
from app.errors import NotFound
from app.pages.answering import ASKED_EACH_TIME, SECURITY, PageRoute, language_of, page
from app.pages.files import media_type, static_files
from app.pages.reading.overview import overview
from app.pages.reading.sides import WHOLE_COUNTRY, ComparisonView, compared
from app.pages.view import View
from app.places.models import CountyCode
from app.practices.definitions import DEFAULT_PRACTICE, practices
from app.releases.edition import edition_read
from app.releases.headers import public_headers
from app.reports.columns import COLUMNS
from app.reports.models import PracticeSlug
from app.settings import Settings
from app.web.at_hand import lasting
from app.web.dependencies import AsOfMoment, ReadDb, TheClock
from app.web.strict import StrictRoute

router = APIRouter(include_in_schema=False, route_class=PageRoute)
files = APIRouter(include_in_schema=False, route_class=StrictRoute)
"""What pages are made of: what is wrong with an address of one is no matter for a page."""

MOST_NAMED = 50
"""Of a kind, in one address."""

STATEMENT_WRITTEN_ON = date(2026, 11, 23)
"""When the accessibility statement was last held against the pages."""

Lang = Annotated[str | None, Query(alias="lang", max_length=20)]
CountyAsked = Annotated[CountyCode | Literal["country"] | None, Query()]
Sort = Annotated[str | None, Query(pattern="^-?[a-z_0-9]{1,40}$")]


@router.get("/")
def read_home(
    request: Request,
    db: ReadDb,
    as_of: AsOfMoment,
    _lang: Lang = None,
    practice: PracticeSlug = DEFAULT_PRACTICE,
    county: CountyAsked = None,
    release: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
    sort: Sort = None,
    sort_years: Sort = None,
) -> Response:
    """How a practice spreads in a county or the country, out of releases and statuses."""
    view = View(
        page="",
        language=language_of(request),
        practice=practice,
        county=None if county == WHOLE_COUNTRY else county,
        release=release,
        as_of=None if as_of.moment is None else as_of.asked,
        sort=sort,
        sort_years=sort_years,
    )
    shown = overview(db, view, as_of=as_of)
    if as_of.moment is None:
        lasting(request, edition_read(db, as_of.day))
    # The statuses are those of now unless a moment is named too.
    settled = release is not None and as_of.moment is not None
    headers = public_headers([used.id for used in shown.releases], named=settled)
    return page(request, "home.html", view, headers=headers, shown=shown, settings=_settings(request))


@router.get("/compare")
def read_comparison(
    request: Request,
    db: ReadDb,
    as_of: AsOfMoment,
    _lang: Lang = None,
    practice: Annotated[list[PracticeSlug], Query(max_length=MOST_NAMED)] = [],  # noqa: B006  # FastAPI copies it
    county: Annotated[list[CountyCode | Literal["country"]], Query(max_length=MOST_NAMED)] = [],  # noqa: B006
    sort: Sort = None,
) -> Response:
    """Counties or practices side by side, out of releases."""
    view = ComparisonView(
        page="compare",
        language=language_of(request),
        practices=tuple(practice),
        counties=tuple(county),
        as_of=None if as_of.moment is None else as_of.asked,
        sort=sort,
    )
    shown = compared(db, view, as_of=as_of)
    if as_of.moment is None:
        lasting(request, edition_read(db, as_of.day))
    used = dict.fromkeys(release.id for side in shown.sides for release in side.releases)
    headers = public_headers(used, named=False)
    return page(request, "compare.html", view, headers=headers, compared=shown, settings=_settings(request))


@router.get("/definitions")
def read_definitions(request: Request, db: ReadDb, clock: TheClock, _lang: Lang = None) -> Response:
    """What the words and figures of the pages mean."""
    view = View(page="definitions", language=language_of(request))
    known = list(practices(db).values())
    lasting(request, edition_read(db, helsinki_day(clock())))
    return page(request, "definitions.html", view, headers=ASKED_EACH_TIME, practices=known)


@router.get("/guide")
def read_guide(request: Request, _lang: Lang = None) -> Response:
    """How to report: the key, the posts, the receipt, and what becomes public."""
    view = View(page="guide", language=language_of(request))
    headings = {field: column.heading(view.language) for field, column in COLUMNS.items()}
    told = {"settings": _settings(request), "columns": headings}
    return page(request, "guide.html", view, headers=ASKED_EACH_TIME, **told)


@router.get("/accessibility")
def read_accessibility(request: Request, _lang: Lang = None) -> Response:
    """The accessibility statement."""
    view = View(page="accessibility", language=language_of(request))
    told = {"settings": _settings(request), "written_on": STATEMENT_WRITTEN_ON}
    return page(request, "accessibility.html", view, headers=ASKED_EACH_TIME, **told)


@router.get("/docs")
def read_docs(request: Request, _lang: Lang = None) -> Response:
    """Swagger UI, out of files that ship with the product; it speaks English under a header of any language."""
    return page(request, "docs.html", View(page="docs", language=language_of(request)), headers=ASKED_EACH_TIME)


@files.get("/favicon.ico")
async def read_favicon() -> Response:
    """The icon that browsers ask for by themselves."""
    return _shipped("swagger-ui/favicon-32x32.png")


@files.get("/static/{path:path}")
async def read_static_file(path: str) -> Response:
    """One of the shipped files."""
    if path not in static_files():
        raise NotFound("there is no such file; what there is, the pages name")
    return _shipped(path)


def _shipped(path: str) -> Response:
    return Response(static_files()[path], media_type=media_type(path), headers={**SECURITY, **ASKED_EACH_TIME})


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings
