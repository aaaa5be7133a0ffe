"""Public answers that are kept as they were given, and given again as long as nothing they say can have changed.

A route says by `lasting` which edition an answer to everybody was read from; the answer is given again only if a look
into the database, begun after it was asked for, finds that edition still. So none is ever stale, whoever published.
"""

import os
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.measures.counting import Measures
from app.web.admission import Admission
from app.web.answers import WHOLE, WholeAnswer
from app.web.at_once import AT_ONCE
from app.web.kept import Kept
from app.web.looks import Sight

MOST_BYTES = 16_777_216
"""How much is kept; then the oldest goes."""

_EDITION = "edition"
# Who says who they are is answered personally, and who gives the request an id finds it in the log.
_PERSONAL = {b"authorization", b"x-request-id"}
_CONDITIONS = {b"if-none-match", b"range"}

Key = tuple[str, bytes, bytes, bytes]
"""Path, query, Accept and Accept-Language: all of a request that such an answer depends on."""


def lasting(request: Request, edition: Hashable) -> None:
    """Say that the answer to `request` is the same for everybody for as long as `edition` is read."""
    request.scope["state"][_EDITION] = edition


class _Given:
    """An answer but for its id, and the lines of its headers."""

    __slots__ = ("body", "headers", "lines", "status_code")

    def __init__(self, status_code: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status_code = status_code
        self.headers = headers
        self.body = body
        self.lines = b"".join([b"%b: %b\r\n" % header for header in headers])

    async def send(self, scope: Scope, send: Send) -> None:
        """Send it, in one step if the server of the request of `scope` can."""
        request_id = os.urandom(16).hex().encode()
        at_once = scope.get("extensions", {}).get(AT_ONCE)
        if at_once and at_once(self.status_code, b"%bx-request-id: %b\r\n" % (self.lines, request_id), self.body):
            return
        headers = [*self.headers, (b"x-request-id", request_id)]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


@dataclass(frozen=True, slots=True)
class _Answer:
    edition: Hashable
    route: str
    answer: WholeAnswer
    etag: bytes
    whole: _Given
    not_modified: _Given

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.answer.body)

    def given(self, scope: Scope, asked: dict[bytes, bytes]) -> _Given:
        """What of it the request of `scope`, with the headers `asked`, is given."""
        if asked.get(b"if-none-match") == self.etag:
            return self.not_modified
        head = scope["method"] == "HEAD"
        if head or not _CONDITIONS.isdisjoint(asked):
            return _Given(*self.answer.given(Headers(scope=scope), head=head))
        return self.whole


class AnswersAtHand:
    """Gives what is at hand, ahead of everything else; it is counted, and not logged."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        glance: Callable[[], Hashable | None],
        look: Callable[[], Hashable | None],
        measures: Measures,
    ) -> None:
        self.app = app
        self.measures = measures
        self._sight = Sight(glance, look)
        self._kept: Kept[Key, _Answer] = Kept()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is at hand, or pass the request on and keep its answer if it lasts."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        asked = dict(scope["headers"])
        # Of a header that is sent twice it would hold the last, and others read the first.
        if not _PERSONAL.isdisjoint(asked) or len(asked) < len(scope["headers"]):
            await self.app(scope, receive, send)
            return
        kinds, languages = asked.get(b"accept", b""), asked.get(b"accept-language", b"")
        key = (scope["path"], scope["query_string"], kinds, languages)
        kept = self._kept.get(key)
        if kept is None or not await self._still(kept.edition):
            # What was waited here, the request cannot wait again.
            admission: Admission = scope["app"].state.admission
            admission.allowance(scope.setdefault("state", {})).seconds -= time.perf_counter() - began
            await self.app(scope, receive, send)
            self._keep(key, scope)
            return
        given = kept.given(scope, asked)
        await given.send(scope, send)
        seconds = time.perf_counter() - began
        self.measures.at_hand_given(scope["method"], kept.route, given.status_code, seconds=seconds)

    async def _still(self, edition: Hashable) -> bool:
        """Whether `edition` is read now; if nobody can tell soon, nothing is kept, so that nobody else waits for it."""
        now = await self._sight.now()
        if now is None:
            self._kept.clear()
        return now == edition

    def _keep(self, key: Key, scope: Scope) -> None:
        """Keep what was answered to the request of `scope`, if it lasts."""
        state = scope["state"]
        if _EDITION not in state or WHOLE not in state:
            return
        answer: WholeAnswer = state[WHOLE]
        kept = _Answer(
            edition=state[_EDITION],
            route=scope["route"].path,
            answer=answer,
            etag=answer.etag.encode(),
            whole=_Given(200, answer.headers, answer.body),
            not_modified=_Given(304, answer.not_modified(), b""),
        )
        if self._kept.keep(key, kept, most_bytes=MOST_BYTES):
            self.measures.at_hand_kept(self._kept.bytes)
