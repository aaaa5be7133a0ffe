"""What a power cut leaves, opened by the application: every figure acknowledged before is there, the chain whole."""

import multiprocessing
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session, col, select

from app.access.models import RememberedReply
from app.database import Database
from app.reports.tables import CountEntry, StatusEntry, Submission
from app.reports.verifying import Altered, verify
from app.settings import Settings
from tests.durability.disk import Event, Image, halves, replayed
from tests.durability.recording import MEMORY
from tests.posting import Effect, effect_of

DATABASE = "test.db"
"""The name of the file that SQLite's database lies in."""

PROCESSES = 2


@dataclass(frozen=True)
class Acknowledged:
    """What a poster was told is stored, and how many events had happened when the server told it."""

    after: int
    receipt: int
    hash: str
    effects: Sequence[Effect]
    remembered: str | None
    """The answer that a retry has to get; None for a post without an Idempotency-Key."""


@dataclass(frozen=True)
class Recording:
    """The folder before, all that happened in it, and what was acknowledged, in order."""

    files: Image
    events: Sequence[Event]
    acknowledged: Sequence[Acknowledged]


@dataclass(frozen=True)
class Findings:
    """How many images were opened, and what was wrong with which."""

    images: int
    wrong: Sequence[str]


def nothing_unsynced(recording: Recording) -> Findings:
    """At every crash point, where nothing survives that was not synced.

    All points between two syncs leave the same; it is held against what was acknowledged at the last of them.
    """
    with Opener() as opener:
        before: Image = recording.files
        for number, disk, synced in replayed(recording.files, recording.events):
            if synced:
                opener.check(before, recording, number - 1)
                before = disk.image()
        opener.check(before, recording, len(recording.events))
        return Findings(opener.images, opener.wrong)


def random_halves(recording: Recording, seed: int, every: int) -> Findings:
    """At every crash point, or each `every`th, where every other unsynced sector survives, at random."""
    end, stride = len(recording.events) + 1, every * PROCESSES
    turns = [(recording, seed, range(turn * every, end, stride)) for turn in range(PROCESSES)]
    # Other threads may run here, so that a fork could hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as processes:
        found = list(processes.map(_random_halves, *zip(*turns, strict=True)))
    return Findings(sum(one.images for one in found), [wrong for one in found for wrong in one.wrong])


def _random_halves(recording: Recording, seed: int, points: range) -> Findings:
    with Opener() as opener:
        for number, disk, _ in replayed(recording.files, recording.events):
            if number in points:
                chance = Random(f"{seed} {number}")
                image = {**disk.image(halves(chance))}
                if chance.random() < 0.5:
                    # Whatever is found there must not be believed.
                    image |= {f"{path}{MEMORY}": chance.randbytes(32_768) for path in image if path.endswith(DATABASE)}
                opener.check(image, recording, number)
        return Findings(opener.images, opener.wrong)


class Opener:
    """Opens images in a folder of its own, in memory where there is room for that."""

    def __init__(self) -> None:
        memory = "/dev/shm"
        self.folder = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None))
        # One for all images, which saves the time to compile each query anew; none keeps a connection.
        self.database = Database(Settings(database_url=f"sqlite:///{self.folder / DATABASE}"))
        self.images = 0
        self.wrong: list[str] = []

    def __enter__(self) -> "Opener":
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder)

    def check(self, image: Image, recording: Recording, number: int) -> None:
        """Note what is wrong with `image`, which a cut after `number` events left."""
        self.images += 1
        for path in self.folder.iterdir():
            path.unlink()
        for name, content in image.items():
            (self.folder / Path(name).name).write_bytes(content)
        before = [one for one in recording.acknowledged if one.after <= number]
        try:
            with self.database.reading() as db:
                said = list(_wrong(db, before))
        except (Altered, DatabaseError) as error:
            said = [f"{error}"]
        finally:
            self.database.dispose()
        self.wrong.extend(f"cut after event {number} of {len(recording.events)}: {one}" for one in said)


def _wrong(db: Session, acknowledged: Sequence[Acknowledged]) -> Iterator[str]:
    """What the database does not hold of what was acknowledged, or holds differently."""
    if (found := db.scalar(text("PRAGMA integrity_check"))) != "ok":
        yield f"{found}"
    verify(db)
    hashes = {receipt.id: receipt.hash for receipt in db.exec(select(Submission))}
    replies = {reply.body for reply in db.exec(select(RememberedReply))}
    effects: dict[int, list[Effect]] = defaultdict(list)
    for entry in [
        *db.exec(select(CountEntry).order_by(col(CountEntry.id))),
        *db.exec(select(StatusEntry).order_by(col(StatusEntry.id))),
    ]:
        effects[entry.submission_id].append(effect_of(entry))
    for one in acknowledged:
        if hashes.get(one.receipt) != one.hash or effects[one.receipt] != one.effects:
            yield f"lost: receipt {one.receipt} with {list(one.effects)}"
        if one.remembered is not None and one.remembered not in replies:
            yield f"lost: the reply of receipt {one.receipt}"
