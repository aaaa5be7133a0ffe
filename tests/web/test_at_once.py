"""Whole answers in one step: what the client gets is what uvicorn's two steps would have given it."""

import asyncio
import re
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import pytest
from starlette.types import Message, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from app.settings import Settings
from app.web.at_once import AT_ONCE
from app.web.connections import GuardedConnection, patience_of
from tests.conftest import UNHURRIED

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
TEN = b"ten bytes."
LARGE = b"x" * 3_000_000


class Answering:
    """An application with one answer, given at once where that goes unless `slowly`; knows how often it went."""

    def __init__(self, body: bytes = TEN, *, slowly: bool = False, after: asyncio.Event | None = None) -> None:
        self.body = body
        self.slowly = slowly
        self.after = after
        self.asked = asyncio.Event()
        self.at_once: list[bool] = []

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer."""
        self.asked.set()
        if self.after:
            await self.after.wait()
        length = str(len(self.body)).encode()
        if not self.slowly:
            line = b"content-length: %b\r\n" % length
            self.at_once.append(scope["extensions"][AT_ONCE](200, line, self.body))
        if self.slowly or not self.at_once[-1]:
            start: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]}
            await send(start)
            await send({"type": "http.response.body", "body": self.body})


Client = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]


async def served(app: Answering, client: Client) -> bytes:
    """What `client` says of its connection to `app`."""
    config = Config(app, log_config=None, access_log=False, ws="none", lifespan="off")
    config.load()
    state = ServerState()
    state.default_headers = [(b"date", b"today")]
    patience = replace(patience_of(Settings(**UNHURRIED)), idle_seconds=60)
    protocol = partial(GuardedConnection, config, state, {}, patience=patience)
    async with await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        said = await client(reader, writer)
        writer.close()
        await asyncio.gather(*state.tasks)
    return said


def heard(sent: bytes, app: Answering) -> bytes:
    """All that `app` answers to what is `sent`."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(sent)
        writer.write_eof()
        # A connection that is to end does so before anybody's patience ends.
        async with asyncio.timeout(20):
            return await reader.read()

    return asyncio.run(served(app, client))


@pytest.mark.parametrize(
    "sent",
    [
        GET,
        GET * 3,
        b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + GET,
        b"GET / HTTP/1.0\r\n\r\n",
        GET + b"garbage\r\n\r\n",
    ],
)
def test_a_client_gets_the_same_in_one_step_as_in_two(sent: bytes) -> None:
    in_one, in_two = Answering(b"" if b"HEAD" in sent else TEN), Answering(slowly=True)

    one, two = (re.sub(rb"X-Request-Id: \w+|content-length: \d+", b"", heard(sent, app)) for app in (in_one, in_two))

    assert one == two
    assert one.startswith(b"HTTP/1.1 200 OK\r\ndate: today\r\n")
    assert set(in_one.at_once) == {True}


def test_a_client_that_does_not_take_its_answer_is_waited_for() -> None:
    app = Answering(LARGE)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(GET * 2)
        while len(app.at_once) < 2:
            await asyncio.sleep(0)
        writer.write_eof()
        return await reader.read()

    answers = asyncio.run(served(app, client))

    assert app.at_once == [True, False]
    assert answers.count(LARGE) == 2


def test_who_has_gone_is_not_answered() -> None:
    async def gone() -> list[bool]:
        app = Answering(after=asyncio.Event())

        async def client(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
            writer.write(GET)
            await app.asked.wait()
            # Else it only says that it sends no more.
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            await asyncio.sleep(0.05)
            assert app.after
            app.after.set()
            return b""

        await served(app, client)
        return app.at_once

    assert asyncio.run(gone()) == [False]
