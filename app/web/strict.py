"""Routes that take exactly what their contract names: strict JSON, known parameters, each once, bodies of a size."""

import json
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, get_args
from urllib.parse import unquote_to_bytes

from fastapi import Request, Response, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import (
    FieldError,
    InvalidParameter,
    InvalidRequest,
    TooLarge,
    UnsupportedContent,
    parameter_problem,
    pointer,
)
from app.web.answers import JSON

MAX_DEPTH = 32
"""How deep a body may nest; ours nest three deep."""

# Pydantic also takes 5.0, 1_0 and " 5" for a number, "off" for false and 0 for the first day of 1970.
_WRITTEN: dict[type, tuple[re.Pattern[str], str]] = {
    int: (re.compile(r"-?[0-9]+"), "a whole number in digits, as 5"),
    bool: (re.compile("true|false"), "true or false"),
    date: (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), "a day, as 2022-12-31"),
}


class BodyLimit:
    """Refuses a body of more than `most` bytes once somebody has read so much of it, declared or not."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a body that ends in TooLarge where it grows too large."""
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.most:
                raise TooLarge(f"a body may have {self.most} bytes; send it in several parts")
            return message

        await self.app(scope, receive_within_limit, send)


class StrictRoute(APIRoute):
    """Refuses unknown and repeated query parameters, other content than JSON, and JSON that readers disagree about.

    A route that names the kinds of its body itself, in `openapi_extra`, also reads it itself: only other kinds are
    refused here.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler behind our checks of parameters and body."""
        handler = self.answering()
        fields = get_flat_params(self.dependant)
        once = {
            field.alias: "list[" not in str(field.field_info.annotation)
            for field in fields
            if isinstance(field.field_info, params.Query)
        }
        kinds = {
            field.alias: kind
            for field in fields
            for kind in (field.field_info.annotation, *get_args(field.field_info.annotation))
            if kind in _WRITTEN
        }
        taken = tuple((self.openapi_extra or {}).get("requestBody", {}).get("content", ()))

        async def strict_handler(request: Request) -> Response:
            _refuse_unknown_parameters(request, once)
            _refuse_loose_values([*request.path_params.items(), *request.query_params.multi_items()], kinds)
            if taken:
                kind_of_content(request.headers.get("content-type"), taken)
            # Before the handler opens a transaction, which would wait for a slow caller; also where none is asked for,
            # since one may come and be refused for how it comes, and then nothing may have been done.
            body = b"" if request.method == "GET" else await request.body()
            if self.body_field:
                strict_json(request.headers.get("content-type"), body)
            return await handler(request)

        return strict_handler

    def answering(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, behind our checks; for other kinds of routes to stand around."""
        return super().get_route_handler()


def kind_of_content(content_type: str | None, taken: Sequence[str]) -> str:
    """The media type that the header `content_type` names, one of those that are `taken`.

    Raises:
        UnsupportedContent: it is none of them.
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind not in taken:
        raise UnsupportedContent(f"send {' or '.join(taken)}; this came as {content_type or 'nothing named'!r}")
    return kind


def strict_json(content_type: str | None, body: bytes) -> Any:
    """What `body` says, if it is JSON that every reader reads alike.

    Raises:
        UnsupportedContent: the content type is not application/json.
        InvalidRequest: not UTF-8, not JSON, a name twice in one object, NaN or Infinity, a lone surrogate or NUL.
    """
    kind_of_content(content_type, [JSON])
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"the body is not UTF-8 (byte {error.start})") from error
    return strict_value(text)


def strict_value(text: str, *, first_line: int = 1) -> Any:
    """What `text` says, if it is JSON that every reader reads alike; it begins in `first_line` of the body.

    Raises:
        InvalidRequest: not JSON, a name twice in one object, NaN or Infinity, a lone surrogate or NUL.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique_names, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise InvalidRequest(f"the body is not JSON: {error.msg} (line {line}, column {error.colno})") from error
    except RecursionError as error:
        raise InvalidRequest(f"the body nests deeper than {MAX_DEPTH} levels") from error
    except ValueError as error:
        raise InvalidRequest("the body holds a number of more than 4,300 digits") from error
    if text.count("{") + text.count("[") > MAX_DEPTH and _nests_too_deep(value):
        raise InvalidRequest(f"the body nests deeper than {MAX_DEPTH} levels")
    # Only an escape can say what no text can hold, and looking for that takes longer than reading all of it.
    if "\\u" in text:
        _refuse_odd_text(value)
    return value


def _refuse_unknown_parameters(request: Request, once: Mapping[str, bool]) -> None:
    """Refuse a parameter that the route does not name, or one given twice that may be given `once`."""
    try:
        unquote_to_bytes(request.scope["query_string"]).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidParameter("the query is not UTF-8; percent-encode its bytes") from error
    given = [name for name, _ in request.query_params.multi_items()]
    for name in dict.fromkeys(given):
        if name not in once:
            known = ", ".join(sorted(once)) or "none"
            raise parameter_problem(name, f"there is no such parameter here; there are: {known}")
        if given.count(name) > 1 and once[name]:
            raise parameter_problem(name, "may be given once")


def _refuse_loose_values(given: Iterable[tuple[str, str]], kinds: Mapping[str, type]) -> None:
    """Refuse NUL, and a value that is not written as the kind of its parameter is."""
    for name, value in given:
        if "\0" in value:
            raise parameter_problem(name, "holds a NUL, which is no text")
        if name in kinds:
            written, described = _WRITTEN[kinds[name]]
            if not written.fullmatch(value):
                raise parameter_problem(name, f"write {described}")


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise InvalidRequest(f"the name {twice!a} stands twice in one object; which value counts?")
    return names


def _refuse_constant(name: str) -> None:
    raise InvalidRequest(f"{name} is not a JSON number")


def _nests_too_deep(value: Any) -> bool:
    """Whether there are objects or arrays in one another beyond MAX_DEPTH levels."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        inside = (inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer))
        level = [inner for inner in inside if isinstance(inner, dict | list)]
    return bool(level)


def _refuse_odd_text(value: Any, steps: tuple[str | int, ...] = ()) -> None:
    """Refuse NUL and lone surrogates, which no database text can hold; `steps` lead here."""
    if isinstance(value, str) and ("\0" in value or (not value.isascii() and not _encodable(value))):
        detail = "holds a NUL or half a surrogate pair, which is no text"
        where = pointer(steps)
        raise InvalidRequest(f"{where or 'the body'}: {detail}", errors=[FieldError(pointer=where, detail=detail)])
    if not isinstance(value, dict | list):
        return
    for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
        _refuse_odd_text(step, steps)
        _refuse_odd_text(inner, (*steps, step))


def _encodable(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
