"""How a page is answered, and how a person is told what was wrong with an address."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError

from app.errors import Problem, note_problem, validation_problem
from app.pages.language import Language, language_for
from app.pages.view import View
from app.web.strict import StrictRoute

SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""Nothing but our own files may run on a page, and nobody else is asked for anything."""

ASKED_EACH_TIME = {"Cache-Control": "no-cache"}
"""For what changes with the product alone: the ETag makes asking a 304."""


def language_of(request: Request) -> Language:
    """The language that a page is asked for in, by its address or by the browser."""
    return language_for(request.query_params.get("lang"), accepted=request.headers.get("accept-language", ""))


def page(request: Request, template: str, view: View, *, headers: dict[str, str], **told: Any) -> Response:
    """The page that `template` makes of what it is `told`."""
    # The engine of the templates costs a tenth of the start, and many servers are asked for no page.
    from app.pages.rendering import rendered

    html = rendered(template, view.language, view=view, **told)
    spoken = {"Content-Language": view.language, "Vary": "Accept-Language, Authorization"}
    return Response(html, media_type="text/html", headers={**SECURITY, **spoken, **headers})


class PageRoute(StrictRoute):
    """Tells who asks for HTML on a page what programs are told in a problem document."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, whose problems become pages."""
        handler = super().get_route_handler()

        async def page_handler(request: Request) -> Response:
            try:
                return await handler(request)
            except (Problem, RequestValidationError) as error:
                if "text/html" not in request.headers.get("accept", ""):
                    raise
                problem = error if isinstance(error, Problem) else validation_problem(error)
                return _problem_page(request, problem)

        return page_handler


def _problem_page(request: Request, problem: Problem) -> Response:
    note_problem(request, problem)
    headers = {"Cache-Control": "no-store", **problem.headers}
    view = View(page=request.scope["route"].path.removeprefix("/"), language=language_of(request))
    answer = page(request, "problem.html", view, headers=headers, problem=problem)
    answer.status_code = problem.status_code
    return answer
