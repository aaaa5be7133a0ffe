"""Routes that take exactly what their contract names: strict JSON, known parameters, each once."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute

from app.errors import FieldError, InvalidParameter, InvalidRequest, UnsupportedContent

MAX_DEPTH = 32
"""How deep a body may nest; ours nest three deep."""


class StrictRoute(APIRoute):
    """Refuses unknown and repeated query parameters, other content than JSON, and JSON that readers disagree about."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler behind our checks of parameters and body."""
        handler = super().get_route_handler()
        parameters = {
            field.alias: "list[" in str(field.field_info.annotation)
            for field in get_flat_params(self.dependant)
            if isinstance(field.field_info, params.Query)
        }

        async def strict_handler(request: Request) -> Response:
            _refuse_unknown_parameters(request, parameters)
            if self.body_field:
                refuse_loose_json(request.headers.get("content-type"), await request.body())
            return await handler(request)

        return strict_handler


def refuse_loose_json(content_type: str | None, body: bytes) -> None:
    """Do nothing if `body` is JSON that every reader reads alike.

    Raises:
        UnsupportedContent: the content type is not application/json.
        InvalidRequest: not UTF-8, not JSON, a name twice in one object, NaN or Infinity, a lone surrogate or NUL.
    """
    if (content_type or "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedContent(f"send application/json; this came as {content_type or 'nothing named'!r}")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"the body is not UTF-8 (byte {error.start})") from error
    try:
        value = json.loads(text, object_pairs_hook=_unique_names, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise InvalidRequest(
            f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        ) from error
    except RecursionError as error:
        raise InvalidRequest(f"the body nests deeper than {MAX_DEPTH} levels") from error
    except ValueError as error:
        raise InvalidRequest("the body holds a number of more than 4,300 digits") from error
    _refuse_odd_text(value, "", MAX_DEPTH)


def _refuse_unknown_parameters(request: Request, parameters: dict[str, bool]) -> None:
    """Refuse a parameter that the route does not name, or one given twice that may be given once."""
    given = [name for name, _ in request.query_params.multi_items()]
    for name in dict.fromkeys(given):
        if name not in parameters:
            known = ", ".join(sorted(parameters)) or "none"
            raise _parameter_problem(name, f"there is no such parameter here; there are: {known}")
        if given.count(name) > 1 and not parameters[name]:
            raise _parameter_problem(name, "may be given once")
        if any("\0" in value for value in request.query_params.getlist(name)):
            raise _parameter_problem(name, "holds a NUL, which is no text")


def _parameter_problem(name: str, detail: str) -> InvalidParameter:
    return InvalidParameter(f"{name}: {detail}", errors=[FieldError(parameter=name, detail=detail)])


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise InvalidRequest(f"the name {twice!a} stands twice in one object; which value counts?")
    return names


def _refuse_constant(name: str) -> None:
    raise InvalidRequest(f"{name} is not a JSON number")


def _refuse_odd_text(value: Any, pointer: str, depth: int) -> None:
    """Refuse NUL and lone surrogates, which no database text can hold, and nesting below `depth` more levels."""
    if isinstance(value, str) and ("\0" in value or (not value.isascii() and not _encodable(value))):
        detail = "holds a NUL or half a surrogate pair, which is no text"
        where = pointer if _encodable(pointer) else ""
        raise InvalidRequest(f"{where or 'the body'}: {detail}", errors=[FieldError(pointer=where, detail=detail)])
    if not isinstance(value, dict | list):
        return
    if not depth:
        raise InvalidRequest(f"the body nests deeper than {MAX_DEPTH} levels")
    for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(step, str):
            _refuse_odd_text(step, pointer, depth)
        _refuse_odd_text(inner, f"{pointer}/{step}", depth - 1)


def _encodable(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
