"""Power cuts on SQLite: all that the real server did to its folder is recorded, and cut off at every point.

Nobody cuts the power of the machine: the disk is built again from what the server wrote and synced until then, and the
application opens what is left. Only Linux has strace, which records it.
"""

import json
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import sqlite_copy
from tests.durability.crash_images import Acknowledged, Recording, nothing_unsynced, random_halves
from tests.durability.disk import Answered, Disk, Image, Made, Removed, Renamed, Synced, Truncated, Written
from tests.durability.processes import CARELESS, SERVE
from tests.durability.recording import MEMORY, events_of, recorded_server
from tests.posting import keys_of_organisations, planned, sent, sent_once

pytestmark = pytest.mark.durability

SOAK = bool(os.environ.get("YHDESSA_TEST_SOAK"))

POSTS = 400 if SOAK else 250
"""So many that SQLite moves its log into the database while there are posts, which it does every 1,000 pages.

Posts that share a commit share most of their pages."""

FEW_POSTS = 12

SEEDS = range(6 if SOAK else 1)

EVERY = 1 if SOAK else 2
"""At each so many-th event the unsynced sectors are halved."""


@pytest.fixture(autouse=True)
def only_ours_is_told(caplog: pytest.LogCaptureFixture) -> None:
    for wordy in ("alembic", "httpx"):
        caplog.set_level(logging.WARNING, wordy)


def test_every_figure_acknowledged_before_a_power_cut_is_there_after_it(migrated_sqlite: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    recording = recorded(migrated_sqlite, tmp_path, POSTS)
    recorded_by = time.monotonic()
    worst = nothing_unsynced(recording)
    worst_by = time.monotonic()
    halved = [random_halves(recording, seed, EVERY) for seed in SEEDS]

    logging.getLogger(__name__).info(
        "%d posts acknowledged in %.0f s: %d events; %d images without what was unsynced in %.0f s, "
        "%d with half of it in %.0f s",
        len(recording.acknowledged),
        recorded_by - began,
        len(recording.events),
        worst.images,
        worst_by - recorded_by,
        sum(one.images for one in halved),
        time.monotonic() - worst_by,
    )
    the_recording_is_worth_its_name(recording, POSTS)
    assert nothing_unsynced(without_syncs_of_the_database(recording)).wrong, "it makes no difference what is synced"
    assert worst.wrong == []
    assert [wrong for one in halved for wrong in one.wrong] == []


def test_without_a_sync_at_every_commit_figures_are_lost(
    migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YHDESSA_TEST_FAULT", "synchronous_normal")
    recording = recorded(migrated_sqlite, tmp_path, FEW_POSTS, CARELESS)

    found = nothing_unsynced(recording)

    assert {one.receipt for one in recording.acknowledged} == set(range(1, FEW_POSTS + 1))
    for receipt in range(1, FEW_POSTS + 1):
        assert any(f"lost: receipt {receipt} " in wrong for wrong in found.wrong)
    assert all("lost: " in wrong for wrong in found.wrong), "what is left is whole"


def test_a_cut_takes_what_was_not_synced() -> None:
    """The disk itself, by hand: a cut that took nothing would prove nothing."""
    disk = Disk({"/d/a": b"old"})
    for event in (
        Written("/d/a", 0, b"new"),
        Made("/d/b"),
        Written("/d/b", 2, b"x"),
        Synced("/d/b", since=3),
        Removed("/d/a"),
    ):
        disk.happened(event)

    assert disk.image() == {"/d/a": b"old"}, "neither the bytes, nor the name of a file, nor that one was removed"
    assert disk.image(lambda: True) == {"/d/b": b"\0\0x"}
    disk.happened(Synced("/d", since=4))
    assert disk.image() == {"/d/a": b"old", "/d/b": b"\0\0x"}, "what came after the sync began is not synced"
    disk.happened(Synced("/d", since=6))
    disk.happened(Renamed("/d/b", "/d/c"))
    disk.happened(Truncated("/d/c", 1))
    assert disk.image() == {"/d/b": b"\0\0x"}
    assert disk.image(lambda: True) == {"/d/c": b"\0"}


def recorded(migrated: Path, folder: Path, posts: int, program: Sequence[str] = SERVE) -> Recording:
    """What a server did in `folder` while `posts` planned posts were sent to it, and until it was stopped."""
    place = folder / "data"
    place.mkdir()
    database_url = sqlite_copy(migrated, place)
    keys = keys_of_organisations(database_url)
    files = contents(place)
    matters = sent_once(planned(posts))
    with recorded_server(database_url, folder / "trace", program) as url:
        answers, _ = sent(url, keys, matters)
    told = {answer.content: post for matter in matters for post in matter for answer in answers[post.number]}

    events = events_of(folder / "trace", place)
    acknowledged = []
    for number, event in enumerate(events):
        if isinstance(event, Answered) and event.content in told:
            receipt, post = json.loads(event.content), told[event.content]
            remembered = event.content.decode() if post.retry else None
            acknowledged.append(
                Acknowledged(number + 1, receipt["id"], receipt["hash"], list(post.content.effects), remembered)
            )
    assert len(acknowledged) == len(told), "an answer was read that the recording does not know"
    disk = Disk(files)
    for event in events:
        disk.happened(event)
    assert disk.image(lambda: True) == contents(place), "something was done that the recording does not know"
    return Recording(files, events, acknowledged)


def contents(folder: Path) -> Image:
    """The files of `folder` that are on the disk."""
    return {f"{path}": path.read_bytes() for path in folder.iterdir() if not path.name.endswith(MEMORY)}


def the_recording_is_worth_its_name(recording: Recording, posts: int) -> None:
    """It knows of every post, and SQLite's log was moved into the database while there were posts."""
    (database,) = recording.files
    last = recording.acknowledged[-1].after

    assert len(recording.acknowledged) == posts
    assert any(isinstance(event, Written) and event.path == database for event in recording.events[:last])


def without_syncs_of_the_database(recording: Recording) -> Recording:
    """`recording` on a disk that says of SQLite's database, but not of its log, that it is synced when it is not."""
    (database,) = recording.files
    lies = [isinstance(event, Synced) and event.path == database for event in recording.events]
    # What is left out becomes what does nothing, so that the events keep their numbers.
    told = [Made(database) if lie else event for event, lie in zip(recording.events, lies, strict=True)]
    return replace(recording, events=told)
