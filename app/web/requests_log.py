"""One structured log line per request, under an id that goes back to the caller; never a key, a body or a query."""

import json
import logging
import re
import sys
import time
import traceback
from contextvars import ContextVar
from random import getrandbits
from types import TracebackType
from typing import Any, TextIO

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.told import tell

_Raised = tuple[type[BaseException], BaseException, TracebackType | None]
_BEGINS = "yhdessa_"
_KEY = re.compile(rf"({_BEGINS}[a-z0-9]{{8}}_)[A-Za-z0-9]+")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

_LINES = json.JSONEncoder(ensure_ascii=False, default=repr)

_REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)

log = structlog.get_logger()


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Write every log record of this process to `stream`, standard error, as one line of JSON.

    Our own lines do not go through the standard library's logging, which takes longer than making them.
    """
    stream = stream or sys.stderr
    told: list[Any] = [
        _of_request,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_without_words),
    ]
    written: list[Any] = [_as_json, _without_keys]
    structlog.configure(
        processors=[_named, *told, *written],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *told],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *written],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Else every /readyz adds two lines about how Alembic looks at the schema.
    logging.getLogger("alembic").setLevel(logging.WARNING)


class RequestLog:
    """Gives each request an id, the caller's own if it sent a plain one, and logs how it ended."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with its id in the log's context and in the answer's X-Request-Id."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope).get("x-request-id"))
        tell(scope, "X-Request-Id", request_id)
        began = time.perf_counter()
        status_code = 500

        async def send_seen(message: Message) -> None:
            nonlocal status_code
            if message["type"] == "http.response.start":
                status_code = message["status"]
            await send(message)

        within = _REQUEST_ID.set(request_id)
        failure = None
        try:
            await self.app(scope, receive, send_seen)
        except Exception as error:
            failure = error
            raise
        finally:
            log.log(
                logging.ERROR if failure else logging.INFO,
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status_code,
                milliseconds=round((time.perf_counter() - began) * 1000, 1),
                key_id=scope["state"].get("key_id"),
                cause=scope["state"].get("cause"),
                exc_info=failure,
            )
            _REQUEST_ID.reset(within)


def _of_request(_logger: Any, _name: str, line: Any) -> Any:
    """The `line` with the id of the request that it is about, if it is about one."""
    request_id = _REQUEST_ID.get()
    if request_id is not None:
        line["request_id"] = request_id
    return line


def _named(_logger: Any, _name: str, line: Any) -> Any:
    """The `line` with what it is known by among those of libraries."""
    line["logger"] = "yhdessa"
    return line


def _as_json(_logger: Any, _name: str, line: Any) -> str:
    """The `line` as JSON; what that cannot tell as Python would write it."""
    return _LINES.encode(line)


def _without_keys(_logger: Any, _name: str, line: Any) -> str:
    """The finished `line` without the secret part of a key, which callers put into paths and ids by mistake."""
    return _KEY.sub(r"\1...", line) if _BEGINS in line else line


def _request_id(sent: str | None) -> str:
    # Not uuid4, which asks the system for each: nobody gains by guessing one.
    return sent if sent and _ID.fullmatch(sent) else f"{getrandbits(128):032x}"


def _without_words(exc_info: _Raised) -> str:
    """Of which kinds an exception and its causes are and where they rose; their words may quote what was sent."""
    error: BaseException | None = exc_info[1]
    told: list[str] = []
    while error is not None:
        kind = type(error)
        told += [f"{kind.__module__}.{kind.__qualname__}\n", *traceback.format_tb(error.__traceback__)]
        error = error.__cause__ or error.__context__
    return "".join(told)
