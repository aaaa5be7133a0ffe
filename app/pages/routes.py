"""What a person opens in a browser: the front page, Swagger UI, and the files these two need."""

from fastapi import APIRouter, Request, Response

from app.errors import NotFound
from app.pages.files import media_type, static_files, template
from app.pages.home import home_page, language_for

PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # The addresses carry no version, so a browser asks each time; the ETag makes that a 304.
    "Cache-Control": "no-cache",
}

router = APIRouter(include_in_schema=False)


@router.get("/")
async def read_home(request: Request, lang: str | None = None) -> Response:
    """The front page, in the language asked for by `lang` or by the browser."""
    language = language_for(lang, accepted=request.headers.get("accept-language", ""))
    negotiated = {"Content-Language": language, "Vary": "Accept-Language"}
    return Response(home_page(language), media_type="text/html", headers={**PAGE_HEADERS, **negotiated})


@router.get("/docs")
async def read_docs() -> Response:
    """Swagger UI, out of files that ship with the product."""
    return Response(template("docs.html"), media_type="text/html", headers=PAGE_HEADERS)


@router.get("/favicon.ico")
async def read_favicon() -> Response:
    """The icon that browsers ask for by themselves."""
    return _shipped("swagger-ui/favicon-32x32.png")


@router.get("/static/{path:path}")
async def read_static_file(path: str) -> Response:
    """One of the shipped files."""
    if path not in static_files():
        raise NotFound("there is no such file; what there is, the pages name")
    return _shipped(path)


def _shipped(path: str) -> Response:
    return Response(static_files()[path], media_type=media_type(path), headers=PAGE_HEADERS)
