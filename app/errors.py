"""Problems: every refusal as an RFC 9457 document, in one shape everywhere."""

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:yhdessa:problem:"
METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")


class FieldError(BaseModel):
    """One thing that is wrong, and where: a pointer into the body, a line of a file, or the name of a parameter."""

    pointer: str | None = Field(default=None, description="JSON pointer (RFC 6901) into the body")
    parameter: str | None = Field(default=None, description="Name of the path, query or header parameter")
    detail: str = Field(description="What is wrong and what would be right")
    row: int | None = Field(default=None, description="Index of the row in its list, from 0")
    line: int | None = Field(default=None, description="Line of the file, from 1, as an editor or spreadsheet shows it")
    column: str | None = Field(default=None, description="Heading of the column as the file has it")


MOST_LISTED = 100
"""How many things that are wrong in one file are listed; a program that posts JSON is told them all."""


class ProblemDocument(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(description="Names the kind of problem; stable")
    title: str
    status: int
    detail: str
    instance: str = Field(description="The path that was asked for")
    errors: list[FieldError] | None = Field(default=None, description="Each thing that is wrong, where known")


class Problem(Exception):
    """A caller's mistake, or a state the caller can wait out; each kind is a subclass beside its rule."""

    status_code: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    answers_with: ClassVar[Mapping[str, str]] = {}
    """Headers that the answer always carries, each with what it says."""

    def __init__(
        self, detail: str, *, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})

    @classmethod
    def type_uri(cls) -> str:
        """The stable name of this kind: the class name in kebab case behind a URN prefix."""
        return TYPE_PREFIX + re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()


class InvalidRequest(Problem):
    """The body, or what it says, breaks the schema or a rule; nothing was stored."""

    status_code = 422
    title = "The content of the request is not valid"


class InvalidParameter(Problem):
    """A path, query or header parameter is unknown, malformed or out of bounds."""

    status_code = 422
    title = "A parameter of the request is not valid"


class UnsupportedContent(Problem):
    """The body is of a kind that this call does not take."""

    status_code = 415
    title = "This kind of content is not taken here"


class NotFound(Problem):
    """There is nothing at this address."""

    status_code = 404
    title = "Not found"


class MethodNotAllowed(Problem):
    """There is something at this address, but not with this method."""

    status_code = 405
    title = "This method is not possible here"


class TooLarge(Problem):
    """The body is larger than the server takes."""

    status_code = 413
    title = "The body is too large"


class IncompleteBody(Problem):
    """The caller went away before the whole body had arrived; nothing was stored."""

    status_code = 400
    title = "The body did not arrive whole"


class Unavailable(Problem):
    """The database did not answer, or did not let us write, in time; whether anything was stored is unknown."""

    status_code = 503
    title = "Not available at the moment"
    answers_with: ClassVar[Mapping[str, str]] = {"Retry-After": "Seconds to wait before trying again"}


class InsufficientStorage(Problem):
    """The disk of the database is full; nothing was stored, and reading goes on."""

    status_code = 507
    title = "There is no space left to store anything"
    answers_with: ClassVar[Mapping[str, str]] = {"Retry-After": "Seconds to wait before trying again"}


def parameter_problem(name: str, detail: str) -> InvalidParameter:
    """The refusal of the parameter `name`."""
    return InvalidParameter(f"{name}: {detail}", errors=[FieldError(parameter=name, detail=detail)])


def problems(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that can raise `kinds`: one entry per status code, its kinds listed."""
    documented: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        content = {"schema": {"$ref": "#/components/schemas/ProblemDocument"}, "examples": {}}
        entry = documented.setdefault(kind.status_code, {"description": "", "content": {MEDIA_TYPE: content}})
        said = f"`{kind.type_uri()}`: {_sentence(kind)}"
        entry["description"] = "\n\n".join(filter(None, (entry["description"], said)))
        entry["content"][MEDIA_TYPE]["examples"][kind.__name__] = _example(kind)
        if kind.answers_with:
            entry.setdefault("headers", {}).update(documented_headers(kind.answers_with))
    return documented


def documented_headers(said: Mapping[str, str]) -> dict[str, Any]:
    """The `headers` of a documented answer: each name with what its text says."""
    return {name: {"description": what, "schema": {"type": "string"}} for name, what in said.items()}


def install_problems(app: FastAPI) -> None:
    """Make `app` answer every error as a problem document."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(Exception, _on_our_mistake)


def pointer(steps: Iterable[int | str]) -> str:
    """The JSON pointer (RFC 6901) to what `steps` lead to: names of members and places in lists."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def validation_problem(error: RequestValidationError) -> Problem:
    """What pydantic found wrong, as a problem."""
    errors = [_field_error(item["loc"], item["msg"]) for item in error.errors()]
    in_body = any(item["loc"][0] == "body" for item in error.errors())
    kind = InvalidRequest if in_body else InvalidParameter
    where = "; ".join(f"{item.pointer or item.parameter or 'body'}: {item.detail}" for item in errors[:3])
    more = f" and {len(errors) - 3} more" if len(errors) > 3 else ""
    return kind(where + more, errors=errors)


def note_problem(request: Request, problem: Problem) -> None:
    """Have the log say which kind of problem `request` was answered, and what caused it if that was not the caller."""
    request.state.problem = problem.type_uri().removeprefix(TYPE_PREFIX)
    if problem.status_code >= 500:
        request.state.cause = _origin(problem)


def problem_response(request: Request, problem: Problem) -> Response:
    """`problem` as an answer to `request`."""
    return _response(
        request,
        problem.status_code,
        problem.type_uri(),
        problem.title,
        problem.detail,
        problem.errors,
        problem.headers,
    )


def _origin(error: BaseException) -> str:
    """The kind of the exception that `error` came from in the first place."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _sentence(kind: type[Problem]) -> str:
    return (kind.__doc__ or kind.title).strip().splitlines()[0]


def _example(kind: type[Problem]) -> dict[str, Any]:
    said = {"type": kind.type_uri(), "title": kind.title, "status": kind.status_code, "detail": _sentence(kind)}
    return {"summary": kind.title, "value": {**said, "instance": "/v1/..."}}


def _response(
    request: Request,
    status_code: int,
    type_uri: str,
    title: str,
    detail: str,
    errors: list[FieldError],
    headers: Mapping[str, str],
) -> Response:
    request.state.problem = type_uri.removeprefix(TYPE_PREFIX)
    document = ProblemDocument(
        type=type_uri,
        title=title,
        status=status_code,
        detail=detail,
        instance=quote(request.scope["path"]),
        errors=errors or None,
    )
    return Response(
        document.model_dump_json(exclude_none=True),
        status_code=status_code,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **headers},
    )


async def _on_problem(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    note_problem(request, problem)
    return problem_response(request, problem)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(request, validation_problem(error))


def _field_error(location: Sequence[int | str], message: str) -> FieldError:
    """Where pydantic's `location` is, in words of the caller; never what was sent, which may be anything."""
    place, *steps = location
    if place != "body":
        return FieldError(parameter=str(steps[0]), detail=message)
    row = next((step for step in steps if isinstance(step, int)), None)
    return FieldError(pointer=pointer(steps), detail=message, row=row)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """Starlette's and FastAPI's own refusals: unknown address, wrong method, and what else they may find."""
    assert isinstance(error, HTTPException)
    path = request.scope["path"]
    if error.status_code == NotFound.status_code:
        return problem_response(request, NotFound(f"there is nothing at {path}"))
    if error.status_code == MethodNotAllowed.status_code:
        # Starlette names the methods of the first route at the address, which may have several.
        headers = {"Allow": ", ".join(_methods_at(request))}
        return problem_response(
            request, MethodNotAllowed(f"{request.method} is not possible at {path}", headers=headers)
        )
    phrase = HTTPStatus(error.status_code).phrase
    return _response(request, error.status_code, "about:blank", phrase, error.detail, [], error.headers or {})


def _methods_at(request: Request) -> Iterable[str]:
    """The methods that the address of `request` answers, in their order; where GET is, HEAD is."""
    for method in METHODS:
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes):
            yield method
            if method == "GET":
                yield "HEAD"


async def _on_disconnect(request: Request, error: Exception) -> Response:
    """Nobody hears this answer; without it the log would tell of a fault of ours."""
    return problem_response(request, IncompleteBody("the connection ended before the body did"))


async def _on_our_mistake(request: Request, error: Exception) -> Response:
    """A fault of ours: logged where it is raised, told without its inside."""
    # This answer passes outside our middleware, which would have added what was told.
    headers: dict[str, str] = request.state.told
    return problem_response(request, Problem("the server failed to answer; the fault is logged", headers=headers))
