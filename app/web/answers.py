"""How a table is answered, as JSON or CSV, and how every GET answers HEAD and revalidation."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal

from fastapi import Header, Query, Request, Response
from pydantic import BaseModel
from sqlmodel import Session
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import documented_headers
from app.formats.delimited import MEDIA_TYPE as CSV, csv_text
from app.formats.table import table_of
from app.web.pieces import PIECES, InPieces, Pieces, answer_in_pieces, length_of, part_of

JSON = "application/json"

WHOLE = "whole_answer"
"""Where in the state of a request its successful answer stands in full."""

PUBLIC = "public, max-age=60, must-revalidate"
"""The Cache-Control of what everybody reads and the next release changes."""

SETTLED = "public, max-age=3600, must-revalidate"
"""That of what one release says, which nothing changes but a new version of this product."""

_VARY = {"Vary": "Accept, Authorization"}
_CSV_TYPE = f"{CSV}; charset=utf-8"
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")

FormatAsked = Annotated[
    Literal["json", "csv"] | None,
    Query(description="`csv` for one table of comma-separated values; wins over the Accept header"),
]
Accepted = Annotated[str | None, Header(alias="Accept", include_in_schema=False)]


def wants_csv(asked: Literal["json", "csv"] | None, accept: str | None) -> bool:
    """True if the caller asked for CSV by `format=csv`, or by an Accept header that names it and not JSON first."""
    if asked is not None:
        return asked == "csv"
    kinds = [kind.partition(";")[0].strip().lower() for kind in (accept or "").split(",")]
    named = [kind for kind in kinds if kind in (CSV, JSON)]
    return named[:1] == [CSV]


def table_answer(
    answer: BaseModel,
    model: type[BaseModel],
    rows: Sequence[BaseModel],
    *,
    as_csv: bool,
    next_page: str | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """`answer` as JSON, or its `rows` (all of the flat `model`) as CSV; `next_page` is a URL for the Link header."""
    headers = {**_VARY, **headers}
    if next_page:
        headers["Link"] = f'<{next_page}>; rel="next"'
    if as_csv:
        return Response(csv_text(table_of(model, rows)), media_type=_CSV_TYPE, headers=headers)
    return Response(answer.model_dump_json(), media_type=JSON, headers=headers)


def whole_csv(request: Request, db: Session, lines: InPieces) -> Response:
    """All `lines` of a CSV, sent in pieces if there are many."""
    return answer_in_pieces(request, db, lines, media_type=_CSV_TYPE, headers=_VARY)


def json_answer(answer: BaseModel, *, status_code: int = 200, headers: dict[str, str] | None = None) -> Response:
    """`answer` as JSON."""
    return Response(answer.model_dump_json(), status_code=status_code, media_type=JSON, headers=headers)


def documented(description: str, example: Any, headers: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """What `responses=` says of an answer in JSON: an example of it, and what its headers tell."""
    entry: dict[str, Any] = {"description": description, "content": {JSON: {"example": example}}}
    return {**entry, "headers": documented_headers(headers)} if headers else entry


def documented_table(
    description: str,
    model: type[BaseModel],
    example: dict[str, Any],
    *,
    rows: str = "rows",
    paged: bool = False,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that answers a table: as JSON, as in `example`, and its `rows` as CSV.

    The rows are all of the flat `model`; if `paged` a Link header leads to the next page, beside other `headers`.
    """
    link = {"Link": "The address of the next page, with `rel=next`; absent on the last one"} if paged else {}
    entry = documented(description, example, {**link, **headers})
    table = table_of(model, [model.model_validate(row) for row in example[rows]])
    entry["content"][CSV] = {"schema": {"type": "string"}, "example": csv_text(table)}
    return {200: entry}


class ConditionalAnswers:
    """Gives every successful GET a strong ETag, answers 304 to who has it already, HEAD, and one range of bytes.

    Polars reads a CSV by HEAD and ranges and takes nothing else.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on everything but GET and HEAD untouched; these wait for their whole body, unless it is in pieces."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        arriving = _Arriving()
        state = scope.setdefault("state", {})
        inner = {**scope, "method": "GET"}
        try:
            await self.app(inner, receive, arriving.take)
        finally:
            # Whoever stands around us counts by it.
            scope["route"] = inner.get("route")
        asked = Headers(scope=scope)
        head = scope["method"] == "HEAD"
        if pieces := state.get(PIECES):
            long = LongAnswer(arriving.headers(personal="authorization" in asked), pieces)
            answer = await long.given(asked, head=head, http_version=scope["http_version"])
            await answer(scope, receive, send)
            return
        if arriving.start["status"] == 200:
            whole = state[WHOLE] = arriving.whole(personal="authorization" in asked)
            status_code, headers, body = whole.given(asked, head=head)
        else:
            status_code, headers, body = arriving.start["status"], arriving.start["headers"], bytes(arriving.body)
        await send({**arriving.start, "status": status_code, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head else body})


@dataclass(frozen=True, slots=True)
class WholeAnswer:
    """A successful answer in full, whatever part of it a caller wants."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    etag: str

    def not_modified(self) -> list[tuple[bytes, bytes]]:
        """The headers of the 304 for whoever has it already."""
        return [(name, value) for name, value in self.headers if name != b"content-length"]

    def given(self, asked: Headers, *, head: bool) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Status code, headers and body for a request with the headers `asked`: all, 304, or a part."""
        headers, body = MutableHeaders(raw=list(self.headers)), self.body
        part = _part_asked(asked, etag=self.etag, length=len(body))
        if _matches(", ".join(asked.getlist("if-none-match")), self.etag):
            return 304, self.not_modified(), b""
        if part and not head:
            headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(body)}"
            headers["Content-Length"] = str(len(part))
            return 206, headers.raw, body[part.start : part.stop]
        return 200, headers.raw, b"" if head else body


@dataclass(frozen=True, slots=True)
class LongAnswer:
    """A successful answer that is never held in full; its length is known only once all of it has been read."""

    headers: MutableHeaders
    pieces: Pieces

    async def given(self, asked: Headers, *, head: bool, http_version: str) -> Response:
        """What a request with the headers `asked` is answered: all, 304, or a part.

        The length is found out for those who cannot do without: it has to be told before the first byte.
        """
        headers, etag = self.headers.mutablecopy(), self.headers["ETag"]
        if _matches(", ".join(asked.getlist("if-none-match")), etag):
            return Response(status_code=304, headers=headers)
        if not head and http_version != "1.0" and _RANGE.fullmatch(asked.get("range", "")) is None:
            return StreamingResponse(self.pieces(), headers=headers)
        length = await length_of(self.pieces)
        headers["Content-Length"] = str(length)
        part = _part_asked(asked, etag=etag, length=length)
        if head:
            return Response(headers=headers)
        if part is None:
            return StreamingResponse(self.pieces(), headers=headers)
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{length}"
        headers["Content-Length"] = str(len(part))
        return StreamingResponse(part_of(self.pieces, part), status_code=206, headers=headers)


class _Arriving:
    """An answer that is collected before it is sent."""

    def __init__(self) -> None:
        self.start: Message = {}
        self.body = bytearray()

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")

    def headers(self, *, personal: bool) -> MutableHeaders:
        """What every successful answer says besides its own; one that is `personal` is for its caller alone."""
        headers = MutableHeaders(raw=list(self.start["headers"]))
        headers.setdefault("Accept-Ranges", "bytes")
        headers.setdefault("Cache-Control", "private, no-cache" if personal else "no-cache")
        return headers

    def whole(self, *, personal: bool) -> WholeAnswer:
        """The answer in full, under its own ETag or that of its body."""
        headers = self.headers(personal=personal)
        headers.setdefault("ETag", f'"{hashlib.sha256(self.body).hexdigest()[:32]}"')
        return WholeAnswer(headers.raw, bytes(self.body), headers["ETag"])


def _part_asked(asked: Headers, *, etag: str, length: int) -> range | None:
    """The bytes that a Range header asks for; None for all of them, as for several ranges."""
    found = _RANGE.fullmatch(asked.get("range", ""))
    if not found or asked.get("if-range", etag) != etag:
        return None
    first, last = found.groups()
    if first:
        part = range(int(first), min(int(last or length) + 1, length))
    else:
        part = range(max(length - int(last or 0), 0), length)
    return part or None


def _matches(known: str, etag: str) -> bool:
    """True if the If-None-Match header `known` holds `etag` (weak comparison, RFC 9110 section 13.1.2)."""
    return known.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]
