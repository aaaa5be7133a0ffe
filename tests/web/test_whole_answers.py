"""Answers that the application sends in two steps, and that the server is given in one where that goes."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.web.at_once import AT_ONCE, AnswersAtOnce

LENGTH = (b"content-length", b"4")
HEAD: Message = {"type": "http.response.start", "status": 201, "headers": [LENGTH, (b"etag", b'"1"')]}
BODY: Message = {"type": "http.response.body", "body": b"done"}
PART: Message = {"type": "http.response.body", "body": b"do", "more_body": True}
REST: Message = {"type": "http.response.body", "body": b"ne", "more_body": False}
OF_UNKNOWN_LENGTH = {**HEAD, "headers": [(b"etag", b'"1"')]}
THE_LAST = {**HEAD, "headers": [LENGTH, (b"connection", b"close")]}
GIVEN = (201, b'content-length: 4\r\netag: "1"\r\n', b"done")


def sent_and_given(*messages: Message, method: str = "POST", takes: bool = True, able: bool = True) -> tuple[Any, Any]:
    """What the server is sent in steps, and what it is given at once, of an answer in `messages`."""
    sent: list[Message] = []
    given: list[Any] = []

    def at_once(*answer: Any) -> bool:
        given.append(answer)
        return takes

    async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    async def note(message: Message) -> None:
        sent.append(message)

    async def nothing() -> Message:
        raise AssertionError

    scope = {"type": "http", "method": method, "extensions": {AT_ONCE: at_once} if able else {}}
    asyncio.run(AnswersAtOnce(answer)(scope, nothing, note))
    return sent, given


def test_a_whole_answer_is_given_at_once() -> None:
    assert sent_and_given(HEAD, BODY) == ([], [GIVEN])


def test_an_answer_that_the_server_does_not_take_is_sent() -> None:
    assert sent_and_given(HEAD, BODY, takes=False) == ([HEAD, BODY], [GIVEN])


@pytest.mark.parametrize(
    "messages",
    [(HEAD, PART, REST), (OF_UNKNOWN_LENGTH, BODY), (THE_LAST, BODY)],
    ids=["in parts", "of unknown length", "the last on its connection"],
)
def test_any_other_answer_is_sent(messages: tuple[Message, ...]) -> None:
    assert sent_and_given(*messages) == ([*messages], [])


@pytest.mark.parametrize("how", [{"method": "HEAD"}, {"able": False}], ids=["to HEAD", "by another server"])
def test_nothing_is_held_back_where_it_cannot_be_given(how: dict[str, Any]) -> None:
    assert sent_and_given(HEAD, BODY, **how) == ([HEAD, BODY], [])
