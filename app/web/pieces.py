"""Answers too long to be held in memory: read from the database and sent a piece at a time.

Between two pieces neither a connection to the database nor a place among those who read is held, so that whoever takes
an answer slowly, or goes away, keeps nobody else waiting.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import NamedTuple, Protocol

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlmodel import Session

from app.web.admission import Admission
from app.web.dependencies import available, snapshot_for

PIECES = "pieces_of_the_answer"
"""Where in the state of a request `Pieces` stand, if its successful answer is too long to be held."""

Pieces = Callable[[], AsyncIterator[bytes]]
"""Begins to read an answer; each call begins anew and gives the same bytes."""


class Piece(NamedTuple):
    """A part of an answer, and where the next one begins; None after the last."""

    content: bytes
    following: object | None


class InPieces(Protocol):
    """What is read a piece at a time, each in a snapshot of its own, and is the same however often it is read."""

    @property
    def identity(self) -> bytes:
        """All that tells it from others of the same form."""

    def piece(self, db: Session, begin: object | None) -> Piece:
        """The piece that begins there; None is the beginning of the first."""


def answer_in_pieces(
    request: Request, db: Session, whole: InPieces, *, media_type: str, headers: Mapping[str, str]
) -> Response:
    """The answer if one piece holds it; else one that is sent in pieces under an ETag known before the first is sent.

    The ETag of a long answer is that of its identity and first piece, which has the form.
    """
    first = whole.piece(db, None)
    if first.following is None:
        return Response(first.content, media_type=media_type, headers=dict(headers))

    async def pieces() -> AsyncIterator[bytes]:
        piece = first
        yield piece.content
        while piece.following is not None:
            piece = await _read(request, whole, piece.following)
            yield piece.content

    request.scope["state"][PIECES] = pieces
    etag = hashlib.sha256(whole.identity + first.content).hexdigest()[:32]
    answer = Response(media_type=media_type, headers={**headers, "ETag": f'"{etag}"'})
    del answer.headers["Content-Length"]
    return answer


async def part_of(pieces: Pieces, part: range) -> AsyncIterator[bytes]:
    """The bytes of an answer at the places in `part`."""
    first, last = part.start, part.stop
    async for piece in pieces():  # pragma: no branch  # the part ends within the answer
        if first < len(piece):
            yield piece[max(first, 0) : last]
        first, last = first - len(piece), last - len(piece)
        if last <= 0:
            return


async def length_of(pieces: Pieces) -> int:
    """How many bytes the answer has, which takes as long as reading all of it."""
    return sum([len(piece) async for piece in pieces()])


async def _read(request: Request, whole: InPieces, begin: object) -> Piece:
    """The piece that begins there, read in a place and with an allowance of its own.

    Raises:
        Unavailable: there was no place in time, or the database did not answer.
    """
    admission: Admission = request.app.state.admission

    def read() -> Piece:
        with available(), snapshot_for(request) as db:
            return whole.piece(db, begin)

    async with admission.place("reading", {}):
        return await run_in_threadpool(read)
