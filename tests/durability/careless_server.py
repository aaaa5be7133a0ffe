"""The server with one promise broken on purpose, for the tests that have to notice it.

`YHDESSA_TEST_FAULT=synchronous_normal python -m uvicorn --factory tests.durability.careless_server:served --workers 2`
"""

import os
import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from sqlalchemy import event
from sqlalchemy.pool import Pool

from app.access import replies
from app.cli import serving
from app.turn import Turn
from app.web import turns

BETWEEN = 0.05
"""Seconds from the answer to the commit that it tells of: long enough for a kill to fall into."""


def answers_before_it_commits() -> None:
    """Every answer is sent before what it acknowledges is committed."""
    do, keep = turns._Piece.do, Turn.keep

    def do_and_tell(piece: Any, *where: Any, alone: bool) -> None:
        do(piece, *where, alone=alone)
        piece.loop.call_soon_threadsafe(piece.tell)

    def keep_later(turn: Turn) -> None:
        time.sleep(BETWEEN)
        keep(turn)

    _put(turns._Piece, "do", do_and_tell)
    _put(Turn, "keep", keep_later)


def forgets_its_replies() -> None:
    """What was answered to an Idempotency-Key is not remembered."""
    _put(replies, "_remember", lambda *_: None)


def synchronous_normal() -> None:
    """SQLite does not wait at a commit until its log is on the disk."""
    event.listen(Pool, "checkout", lambda connection, *_: connection.execute("PRAGMA synchronous=NORMAL"))


FAULTS: dict[str, Callable[[], None]] = {
    fault.__name__: fault for fault in (answers_before_it_commits, forgets_its_replies, synchronous_normal)
}


def served() -> FastAPI:
    """The application as each worker makes it, with the fault."""
    FAULTS[os.environ["YHDESSA_TEST_FAULT"]]()
    return serving.served()


def _put(owner: Any, name: str, faulty: Callable[..., Any]) -> None:
    setattr(owner, name, faulty)
