"""Connections that nobody can hold for long: deadlines and bounds for what a client sends and takes, before the app.

Uvicorn has a deadline between requests alone, and any byte puts it off. What is refused here has not reached the app.
"""

import asyncio
import socket
import time
import uuid
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from urllib.parse import quote

import httptools
import structlog
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from app.errors import MEDIA_TYPE, Problem, ProblemDocument, Unavailable
from app.settings import Settings
from app.web.at_once import AT_ONCE
from app.web.deadlines import Deadline
from app.web.rates import TooManyRequests
from app.web.taking import Taking

MOST_URL_BYTES = 8_192
MOST_HEAD_BYTES = 16_384
MOST_PIPELINED = 16
"""Requests that may wait on one connection for the answer to one before them."""

# What the kernel keeps of an answer that nobody takes; with more of it, a slow reader would look like none.
_SEND_BUFFER_BYTES = 65_536
# Time to read a refusal before the connection ends: closing over unread bytes would take the refusal back.
_LINGER_SECONDS = 1.0
# Uvicorn would cancel the request and answer 500, though the database may still be at it.
_BEFORE_UVICORN_SECONDS = 0.5

log = structlog.get_logger()


class MalformedRequest(Problem):
    """What arrived is no HTTP request."""

    status_code = 400
    title = "This is not HTTP"


class RequestTooSlow(Problem):
    """The request did not arrive whole in time; nothing was stored."""

    status_code = 408
    title = "The request took too long to arrive"


class AddressTooLong(Problem):
    """The address of the request is longer than the server takes."""

    status_code = 414
    title = "The address is too long"


class HeadTooLarge(Problem):
    """The fields before or behind the body of the request are larger than the server takes."""

    status_code = 431
    title = "The head of the request is too large"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a connection waits for its client, and how many connections there may be in one process."""

    head_seconds: float
    body_seconds: float
    idle_seconds: float
    answer_seconds: float
    stopping_seconds: float
    most_connections: int


def patience_of(settings: Settings) -> Patience:
    """The patience that the operator set."""
    return Patience(
        head_seconds=settings.head_timeout_seconds,
        body_seconds=settings.body_timeout_seconds,
        idle_seconds=settings.idle_timeout_seconds,
        answer_seconds=settings.answer_timeout_seconds,
        stopping_seconds=settings.shutdown_seconds - _BEFORE_UVICORN_SECONDS,
        most_connections=settings.max_connections,
    )


class _Reading(Enum):
    """What of a request has arrived last."""

    NOTHING = auto()
    HEAD = auto()
    BODY = auto()
    LEFT = auto()  # Nothing is read any more.


class GuardedConnection(HttpToolsProtocol):
    """One connection of uvicorn, with deadlines for head, body, the time between requests, and the taking of answers.

    A refusal waits for the answers to the requests before it. Beyond `most_connections` the one that has waited longest
    for its client ends, so that slow clients do not keep others out, and nobody is counted by address.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        patience: Patience,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.patience = patience
        self._to_send_since: float | None = None
        self._reading = _Reading.NOTHING
        self._running: RequestResponseCycle | None = None
        # The same for every request: one that held its own cycle would be garbage that only the collector finds.
        self._extensions: dict[str, Any] = {AT_ONCE: self._answer_at_once}
        self._refusal: Problem | None = None
        self._last = False
        self._heads = 0
        self._head_bytes = 0
        self._unfinished_bytes = 0
        self._body_came = False
        self._offered = False
        self._deadline = Deadline(self.loop, self._waited_enough)
        self._stopping: asyncio.TimerHandle | None = None

    @property
    def waiting_since(self) -> float | None:
        """Since when the client is to send something, or to take more of an answer; None while it is our turn."""
        return min((since for since in (self._to_send_since, self._taking.since) if since is not None), default=None)

    @property
    def left(self) -> bool:
        """True once the client was told that no more is coming."""
        return self._reading is _Reading.LEFT

    # What asyncio calls.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        self._answers = _Closing(self)
        self._taking = Taking(transport, self.loop, seconds=self.patience.answer_seconds)
        self._wait(self.patience.head_seconds)
        self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget every deadline."""
        self._wait_no_more()
        self._deadline.end()
        self._taking.stop()
        if self._stopping is not None:
            self._stopping.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what the client sent, unless it was refused already."""
        if self._refusal is not None or self._reading is _Reading.LEFT:
            return
        before, heads = self._reading, self._heads
        self._body_came = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as end_of_head:
            behind_head = data[end_of_head.args[0] :]
        except httptools.HttpParserError as error:
            ours = error.__context__
            self._refuse(ours if isinstance(ours, Problem) else MalformedRequest("what arrived is no HTTP/1.1 request"))
            return
        else:
            self._bound_fields(before, heads, len(data))
            return
        if self._offered:
            # Upgrades are optional. The parser takes all that follows for another protocol, also the body of a request
            # that offers one, as those of Java do unless they are told not to; so another reads the head without that.
            self._offered = False
            head = self._head_without_offer()
            self.parser = httptools.HttpRequestParser(self)
            # As uvicorn has it.
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            self.data_received(head + behind_head)

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn's ends the connection always
        """Answer what has arrived whole, then end; whoever ended in the midst of a body is not answered.

        True, since it is we who close, and not asyncio, which would wait for ever for the answer to be taken.
        """
        in_work = self.cycle is not None and not self.cycle.response_complete
        if not in_work or self._reading in (_Reading.BODY, _Reading.LEFT):
            self._close()
            return True
        self._wait_no_more()
        self.cycle.keep_alive = False
        return True

    def pause_writing(self) -> None:
        """The client does not take the answer as fast as it comes."""
        super().pause_writing()
        self._taking.watch()

    def resume_writing(self) -> None:
        """The client has taken nearly all."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._taking.stop()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """The first byte of a head."""
        super().on_message_begin()
        self._reading = _Reading.HEAD
        self._heads += 1
        self._head_bytes = self._unfinished_bytes = 0
        if self._heads > 1:
            self._wait(self.patience.head_seconds)

    def on_url(self, url: bytes) -> None:
        """A part of the address.

        Raises:
            AddressTooLong: it is too long.
        """
        super().on_url(url)
        if len(self.url) > MOST_URL_BYTES:
            raise AddressTooLong(f"an address may have {MOST_URL_BYTES} bytes")
        self._head_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole field of the head; one behind the body is dropped, where it would pass for one of the head.

        Raises:
            HeadTooLarge: it is one too many.
        """
        if self._reading is not _Reading.HEAD:
            return
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > MOST_HEAD_BYTES:
            raise _head_too_large()
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """A whole head: the app begins, or the request waits for the answer to the one before.

        Raises:
            TooManyRequests: too many wait.
        """
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._offered = True
            return
        if len(self.pipeline) >= MOST_PIPELINED:
            detail = f"{MOST_PIPELINED} requests may wait on one connection; wait for an answer"
            raise TooManyRequests(detail, headers={"Retry-After": "1"})
        super().on_headers_complete()
        self._reading = _Reading.BODY
        self._wait_no_more()
        if self.cycle is self._running:
            self._wait(self.patience.body_seconds)
        self.cycle.transport = self._answers
        if self._last or getattr(self.app_state.get("stopping"), "asked", False):
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        super().on_body(body)
        self._body_came = True
        self._unfinished_bytes = 0

    def on_message_complete(self) -> None:
        """A whole request."""
        if self._offered:
            return
        super().on_message_complete()
        self._reading = _Reading.NOTHING
        self._wait_no_more()
        if self.cycle.response_complete:
            self._wait(self.patience.idle_seconds)

    def _bound_fields(self, before: _Reading, heads: int, arrived: int) -> None:
        """Refuse fields that never end, which the parser tells nobody of: what arrives of them is counted.

        Nothing else is in the bytes that `arrived`, if they are of one head, or of a body and no part of it is in them;
        `before` is what was read, and `heads` how many heads had begun, when they came.
        """
        if self._reading is _Reading.BODY:
            only_fields = before is _Reading.BODY and heads == self._heads and not self._body_came
        else:
            only_head = before is _Reading.HEAD if heads == self._heads else before is _Reading.NOTHING
            only_fields = self._reading is _Reading.HEAD and only_head and self._heads - heads <= 1
        if only_fields:
            self._unfinished_bytes += arrived
            if self._unfinished_bytes > MOST_HEAD_BYTES:
                self._refuse(_head_too_large() if self._reading is _Reading.HEAD else _ends_too_large())

    def _head_without_offer(self) -> bytes:
        """The head that has arrived, without the field that offers another protocol."""
        line = b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        return b"".join([line, *[b"%b: %b\r\n" % field for field in self.headers if field[0] != b"upgrade"], b"\r\n"])

    # What uvicorn calls.

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        cycle.scope["extensions"] = self._extensions
        super()._start_asgi_task(cycle, app)
        self._running = cycle
        if cycle is self.cycle and self._reading is _Reading.BODY:
            self._wait(self.patience.body_seconds)

    def on_response_complete(self) -> None:
        """One answer is on its way: on to the next request, or to what is refused, or wait."""
        if self._reading is _Reading.LEFT:
            return
        # As uvicorn has it, but for a timer of its own for the time between requests.
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._refusal is not None:
            self._say(self._refusal)
        elif self._reading is _Reading.NOTHING:
            self._wait(self.patience.idle_seconds)

    def shutdown(self) -> None:
        """End once what has begun to arrive is answered, or cannot be waited for; the deadlines hold on."""
        self._last = True
        self._stopping = self.loop.call_later(self.patience.stopping_seconds, self._give_up)
        if self._reading is not _Reading.HEAD:
            super().shutdown()

    def end(self) -> None:
        """Close once the answer is taken, or nobody takes it; whoever still sends a body may read the answer first."""
        if self._reading is _Reading.BODY and not self.transport.is_closing():
            self._leave()
        else:
            self._close()

    def _give_up(self) -> None:
        """Say that the answer will not be known, unless it or a refusal is on its way."""
        if self._running is None or self._running.response_started or self._reading is _Reading.LEFT:
            return
        self.pipeline.clear()
        self.cycle = self._running
        self._say(
            Unavailable(
                "the server stops and could not wait; whether anything was stored is unknown, so ask again",
                headers={"Retry-After": "2"},
            )
        )

    # What the app calls.

    def _answer_at_once(self, status_code: int, head: bytes, body: bytes) -> bool:
        """Do what uvicorn does with an answer that is sent to it in two steps; False if there is more to do.

        `head` is the lines of the headers. It takes a third of the time, most of which goes into writing twice.
        """
        cycle = self._running
        assert cycle is not None, "it answers a request"
        if self.flow.write_paused or cycle.disconnected:
            return False
        fields = [b"%b: %b\r\n" % field for field in self.server_state.default_headers]
        end = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        self._answers.write(b"".join([STATUS_LINE[status_code], *fields, head, end, body]))
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self._answers.close()
        cycle.on_response()
        return True

    # Waiting for the client.

    def _wait(self, seconds: float) -> None:
        """Give the client so many `seconds` from now for what it sends next."""
        # Not the time of the loop, at which all stand that came in one turn of it.
        now = time.monotonic()
        if self._to_send_since is None:
            self._to_send_since = now
        self._deadline.set(now + seconds)

    def _wait_no_more(self) -> None:
        self._to_send_since = None
        self._deadline.lift()

    def _waited_enough(self) -> None:
        if self._reading in (_Reading.NOTHING, _Reading.LEFT):
            self._close()
            return
        seconds = self.patience.head_seconds if self._reading is _Reading.HEAD else self.patience.body_seconds
        what = "head" if self._reading is _Reading.HEAD else "body"
        self._refuse(RequestTooSlow(f"the {what} of a request has to arrive within {seconds:g} seconds"))

    def _make_room(self) -> None:
        """End the connection that has waited longest for its client, if there are too many."""
        if len(self.connections) <= self.patience.most_connections:
            return
        waiting = [
            (other.waiting_since, other)
            for other in self.connections
            if isinstance(other, GuardedConnection) and other.waiting_since is not None
        ]
        _since, longest = min(waiting, key=lambda one: one[0])
        longest.transport.abort()

    # Refusing.

    def _refuse(self, problem: Problem) -> None:
        """Take nothing more, and say `problem` once what came before is answered."""
        self._wait_no_more()
        if self._reading is _Reading.BODY and self.cycle is self._running:
            if self.cycle.response_started:
                self._leave()
            else:
                self._say(problem)
            return
        if self._reading is _Reading.BODY:
            # It waits for the answers to others, the last of which is the last to be given now.
            self.pipeline.popleft()
            self.cycle = self.pipeline[0][0] if self.pipeline else self._running  # type: ignore[assignment]  # runs
        if self.cycle is not None and not self.cycle.response_complete:
            self._refusal = problem
            self.flow.pause_reading()
            return
        self._say(problem)

    def _say(self, problem: Problem) -> None:
        """Answer `problem` in the app's stead, and end."""
        document = ProblemDocument(
            type=problem.type_uri(),
            title=problem.title,
            status=problem.status_code,
            detail=problem.detail,
            instance=self._path() or "/",
        )
        body = document.model_dump_json(exclude_none=True).encode()
        fields = {
            "Content-Type": MEDIA_TYPE,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "X-Request-Id": uuid.uuid4().hex,
            "Connection": "close",
            **problem.headers,
        }
        head = [b"%b: %b\r\n" % field for field in self.server_state.default_headers]
        head += [f"{name}: {value}\r\n".encode() for name, value in fields.items()]
        self.transport.write(b"".join([STATUS_LINE[problem.status_code], *head, b"\r\n", body]))
        log.info("refused", status=problem.status_code, request_id=fields["X-Request-Id"])
        self._leave()

    def _path(self) -> str:
        """What is known of the path that was asked for, unless it is too long to repeat."""
        known = self.url.partition(b"?")[0] if self._heads else b""
        return quote(known) if len(known) <= MOST_URL_BYTES else ""

    def _leave(self) -> None:
        """Say that no more is coming, and give the client a moment to read what did, whatever it still sends."""
        self._reading = _Reading.LEFT
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.flow.resume_reading()
        self.transport.write_eof()
        self._wait(_LINGER_SECONDS)

    # Being read.

    def _close(self) -> None:
        """Close the connection once the client has taken what waits for it, as long as it does take it."""
        self._wait_no_more()
        self.transport.close()
        self._taking.watch()


class _Closing(asyncio.Transport):
    """What an answer is written to: the connection's transport, but closed in the connection's own way."""

    def __init__(self, connection: GuardedConnection) -> None:
        super().__init__()
        self.connection = connection
        self.transport = connection.transport

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send `data`, unless nothing more is sent; uvicorn does not tell the first of several that the client left."""
        if not self.is_closing():
            self.transport.write(data)

    def is_closing(self) -> bool:
        """True once nothing more is sent."""
        return self.transport.is_closing() or self.connection.left

    def close(self) -> None:
        """End the connection, gently."""
        self.connection.end()


def _head_too_large() -> HeadTooLarge:
    return HeadTooLarge(f"the head of a request, its address included, may have {MOST_HEAD_BYTES} bytes")


def _ends_too_large() -> HeadTooLarge:
    return HeadTooLarge(f"what stands between chunks of a body or behind it may have {MOST_HEAD_BYTES} bytes")
