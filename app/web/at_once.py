"""Answers that are given to the server in one step: it writes head and body together, for half of the time."""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

AT_ONCE = "yhdessa.answer_at_once"
"""The extension of ASGI by which a server takes a whole answer: a function of the status code, the lines of the headers
and the body; if it answers False, they have to be sent in the ordinary way."""

AtOnce = Callable[[int, bytes, bytes], bool]

_LENGTH, _CONNECTION = b"content-length", b"connection"


class AnswersAtOnce:
    """Holds back the head of an answer until its body comes, and gives the server both if that is all of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        at_once: AtOnce | None = scope.get("extensions", {}).get(AT_ONCE)
        if at_once is None or scope["method"] == "HEAD":
            await self.app(scope, receive, send)
            return
        head: Message | None = None

        async def send_at_once(message: Message) -> None:
            nonlocal head
            if message["type"] == "http.response.start":
                head = message
                return
            if head is not None:
                begun, head = head, None
                if not message.get("more_body", False) and _given(at_once, begun, message.get("body", b"")):
                    return
                await send(begun)
            await send(message)

        await self.app(scope, receive, send_at_once)


def _given(at_once: AtOnce, head: Message, body: bytes) -> bool:
    """Whether the server took the answer; one of unknown length, or that ends the connection, it is not offered."""
    headers = head["headers"]
    names = [name for name, _ in headers]
    if _LENGTH not in names or _CONNECTION in names:
        return False
    return at_once(head["status"], b"".join([b"%b: %b\r\n" % header for header in headers]), body)
