"""Headers that are said during a request and that its answer carries, whatever the answer turns out to be.

What an answer is, is decided late and by others: a 304 or a HEAD, a problem, a reply that was remembered, a fault.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def tell(scope: Scope, name: str, value: str) -> None:
    """Have the answer to the request of `scope` carry the header `name`; the last `value` said counts."""
    scope["state"]["told"][name] = value


class ToldHeaders:
    """Adds to each answer what was told; stands around everything that tells.

    A fault of ours is answered further out, by app.errors, which adds the same.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with a place for what is told."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        told: dict[str, str] = {}
        scope.setdefault("state", {})["told"] = told

        async def send_with_told(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(told)
            await send(message)

        await self.app(scope, receive, send_with_told)
