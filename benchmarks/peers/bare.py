"""The limit: a bare ASGI application that knows one answer by heart and sends it to everybody."""

import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

_ANSWER = json.loads(Path(os.environ["BARE_ANSWER"]).read_text(encoding="utf-8"))
_BODY = _ANSWER["body"].encode()
_HEADERS = [(name.encode(), value.encode()) for name, value in _ANSWER["headers"]]
_START = {"type": "http.response.start", "status": 200, "headers": _HEADERS}
_ABOUT_CONTENT = (b"content-length", b"content-type")
_NOT_MODIFIED = {
    "type": "http.response.start",
    "status": 304,
    "headers": [(name, value) for name, value in _HEADERS if name not in _ABOUT_CONTENT],
}
_WHOLE = {"type": "http.response.body", "body": _BODY}
_NOTHING = {"type": "http.response.body", "body": b""}


async def app(
    scope: MutableMapping[str, Any],
    _receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Send the answer, or 304 to whoever asks whether it changed."""
    assert scope["type"] == "http"
    if any(name == b"if-none-match" for name, _value in scope["headers"]):
        await send(_NOT_MODIFIED)
        await send(_NOTHING)
    else:
        await send(_START)
        await send(_WHOLE)
