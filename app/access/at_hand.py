"""Answers to holders of keys that are kept, and given again as long as nothing was recorded that they say.

As app.web.at_hand does for everybody: a route says by `lasting_for` whose answer it is and what it was read from, and
it is given again only if a look into the database, begun after it was asked for, finds that this still holds.
"""

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.limits import count_request, tell_expiry
from app.access.scope import Caller
from app.clock import Clock
from app.measures.counting import Measures
from app.web.admission import Admission
from app.web.answers import WHOLE, WholeAnswer
from app.web.kept import Kept
from app.web.looks import Sight
from app.web.rates import TooManyRequests
from app.web.underway import Underway

MOST_BYTES = 8_388_608
"""How much is kept; then the oldest goes."""

AROUND_BYTES = 2_048
"""What stands around the body of an answer, roughly, so that many small ones are not too many."""

_LASTING_FOR = "lasting_for"

Key = tuple[str, bytes, tuple[bytes, ...], bytes]
"""Path, query, Accept, and the digest of the Authorization header: who asks, and all that is asked for."""


class Lasting(Protocol):
    """The state of the database that an answer was read from."""

    def holds(self, now: Any) -> bool:
        """True if the answer is still right `now`, which is what a look found."""


def lasting_for(request: Request, caller: Caller, edition: Lasting) -> None:
    """Say that the answer to `request` is the same for `caller` for as long as `edition` holds."""
    request.scope["state"][_LASTING_FOR] = caller, edition


@dataclass(frozen=True, slots=True)
class _Answer:
    caller: Caller
    edition: Lasting
    answer: WholeAnswer
    route: Any

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.answer.body) + AROUND_BYTES


class AnswersToHolders:
    """Gives a holder of a key what is at hand for it, ahead of routing; limited, counted and logged as ever."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        glance: Callable[[], Hashable | None],
        look: Callable[[], Hashable | None],
        clock: Clock,
        measures: Measures,
    ) -> None:
        self.app = app
        self.clock = clock
        self.measures = measures
        self._sight = Sight(glance, look)
        self._kept: Kept[Key, _Answer] = Kept()
        self._underway: Underway[Key, _Answer] = Underway()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is at hand, or pass the request on and keep its answer if it lasts."""
        key = _key(scope)
        if key is None:
            await self.app(scope, receive, send)
            return
        kept = self._kept.get(key)
        admission: Admission = scope["app"].state.admission
        # What is waited here, the request cannot wait again.
        with admission.allowance(scope["state"]).spending():
            if kept is not None and not await self._still(kept.edition):
                kept = await self._underway.of_another(key, lambda one: self._still(one.edition))
        if kept is None or not self._let_in(kept.caller, scope):
            await self._answer_anew(key, scope, receive, send)
            return
        scope["route"], scope["state"]["key_id"] = kept.route, kept.caller.key_id
        head = scope["method"] == "HEAD"
        status_code, headers, body = kept.answer.given(Headers(scope=scope), head=head)
        await send({"type": "http.response.start", "status": status_code, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self.measures.at_hand_given_to_holder()

    async def _answer_anew(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and keep what is answered, if it lasts, for others too who wait for it."""
        with self._underway.making(key) as made:

            async def send_kept(message: Message) -> None:
                # All of the answer is known, and who takes it slowly keeps nobody waiting.
                if message["type"] == "http.response.start":
                    made(self._keep(key, scope))
                await send(message)

            await self.app(scope, receive, send_kept)

    async def _still(self, edition: Lasting) -> bool:
        """Whether `edition` holds now; if nobody can tell soon, nothing is kept, so that nobody else waits for it."""
        now = await self._sight.now()
        if now is None:
            self._kept.clear()
        return now is not None and edition.holds(now)

    def _let_in(self, caller: Caller, scope: Scope) -> bool:
        """Whether the key of `caller` is valid now and has not asked too often; it is counted if so."""
        at = self.clock()
        if caller.expires_at <= at:
            return False
        request = Request(scope)
        tell_expiry(request, caller, at=at)
        try:
            count_request(request, caller)
        except TooManyRequests:
            return False
        return True

    def _keep(self, key: Key, scope: Scope) -> _Answer | None:
        """Keep what was answered to the request of `scope`; None if it does not last."""
        state = scope["state"]
        if _LASTING_FOR not in state or WHOLE not in state:
            return None
        caller, edition = state[_LASTING_FOR]
        answer = _Answer(caller, edition, state[WHOLE], scope["route"])
        if self._kept.keep(key, answer, most_bytes=MOST_BYTES):
            self.measures.at_hand_kept_for_holders(self._kept.bytes)
        return answer


def _key(scope: Scope) -> Key | None:
    """What the request of `scope` is kept under; None if it is no reading with a key."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return None
    shown: list[bytes] = []
    accepted: list[bytes] = []
    for name, value in scope["headers"]:
        if name == b"authorization":
            shown.append(value)
        elif name == b"accept":
            accepted.append(value)
    if len(shown) != 1:
        return None
    # The secret itself is not kept.
    return scope["path"], scope["query_string"], tuple(accepted), hashlib.sha256(shown[0]).digest()
