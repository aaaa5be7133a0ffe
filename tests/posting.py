"""Planned posts for a real server: what is sent, what is answered, and whether each had exactly one effect.

What has to be recorded is worked out from the plan alone.
"""

import csv
import json
import select
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count as numbers, product
from random import Random
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
from sqlmodel import Session, col, select as find

from app.access.chain import EMPTY_HASH
from app.access.keys import issue_key
from app.access.models import Action, Organisation, RememberedReply
from app.database import Database
from app.reports.submissions import content_hash
from app.reports.tables import CountEntry, StatusEntry, Submission
from app.settings import Settings
from tests.conftest import ROOT, count, status

MOST_COPIES = 5
MATTERS_AT_ONCE = 4
DEADLINE = 60
ORGANISATIONS = ("North", "South")
PRACTICE = "yhdessa-aika"
with (ROOT / "app/places/data/municipalities.csv").open(encoding="utf-8", newline="") as register:
    CODES = [line["code"] for line in csv.DictReader(register) if not line["valid_to"]]
MONTHS = [f"{year}-{month:02}" for year in range(2015, 2024) for month in range(1, 13)]

Effect = tuple[str, str, str, str, int | str | None]
"""What an entry says: its list, municipality, period or day, outcome, and sessions or status."""

Way = Literal["read", "unread", "cut"]
"""The answer is read; or lost after it has come; or the connection is closed as soon as the request is sent."""


@dataclass(frozen=True)
class Content:
    """One request, and the entries that it has to add."""

    method: str
    path: str
    body: Mapping[str, Any] | None
    effects: Sequence[Effect]


@dataclass(frozen=True)
class Sending:
    """One of the times a post is sent: with which of the organisation's keys, and what becomes of the answer."""

    key: int
    way: Way


@dataclass(frozen=True)
class Post:
    """A logical post: what is sent, under which Idempotency-Key, and how often.

    First all of `at_once`, then `one_by_one`; `late` are sent when the later posts about the same figures are done.
    """

    number: int
    organisation: str
    retry: str | None
    content: Content
    at_once: Sequence[Sending]
    one_by_one: Sequence[Sending]
    late: Sequence[Sending]

    @property
    def sendings(self) -> Sequence[Sending]:
        return [*self.at_once, *self.one_by_one, *self.late]


Matter = Sequence[Post]
"""Posts about the same figures, each correcting or retracting the one before."""


@dataclass(frozen=True)
class Answer:
    """What was answered, and whether it was said to be a replay."""

    status_code: int
    content: bytes
    headers: tuple[str | None, str | None]
    replayed: str | None


@dataclass(frozen=True)
class Outcome:
    """What was planned, what was answered by number of the post, and what the database holds at the end."""

    posts: Sequence[Post]
    answers: Mapping[int, Sequence[Answer]]
    unknown: Mapping[int, int]
    """By number of the post: how often it was sent again, because a connection broke or the database was busy."""
    effects: Mapping[int, Sequence[Effect]]
    """By number of the receipt that added them."""
    histories: Mapping[tuple[str, str, str], Sequence[tuple[str, Effect]]]
    """By figure: every entry, in order, with its organisation."""
    receipts: Sequence[Submission]
    remembered: Mapping[tuple[str, str], bytes]
    broken: Sequence[int]
    """Receipts whose hash does not follow from their content and the receipt before."""


def no_post_is_refused(outcome: Outcome) -> None:
    answers = [answer for answers in outcome.answers.values() for answer in answers]

    assert [answer.content for answer in answers if answer.status_code not in (200, 201)] == []


def each_post_is_recorded_under_one_receipt(outcome: Outcome) -> None:
    recorded = Counter(tuple(effects) for effects in outcome.effects.values())
    receipts = {json.loads(one.content)["id"]: post for post in outcome.posts for one in outcome.answers[post.number]}

    assert len(outcome.effects) == len(outcome.posts)
    assert recorded == Counter(tuple(post.content.effects) for post in outcome.posts)
    assert [
        post.number
        for receipt, post in receipts.items()
        if list(outcome.effects.get(receipt, post.content.effects)) != list(post.content.effects)
    ] == []


def each_figure_went_through_what_was_planned_and_nothing_else(outcome: Outcome) -> None:
    expected = defaultdict(list)
    for post in outcome.posts:
        for effect in post.content.effects:
            expected[effect[:3]].append((post.organisation, effect))

    assert outcome.histories == expected


def a_repeat_with_an_idempotency_key_is_the_first_answer_to_the_byte(outcome: Outcome) -> None:
    for post in outcome.posts:
        if post.retry:
            answers = outcome.answers[post.number]
            first = [answer for answer in answers if answer.replayed is None]

            assert len({(answer.status_code, answer.content, answer.headers) for answer in answers}) == 1, post
            assert _outcomes(answers[0]) == [effect[3] for effect in post.content.effects], post
            assert {answer.replayed for answer in answers} <= {None, "true"}, post
            assert len(first) <= 1, post
            assert first or lost(post) or outcome.unknown[post.number], post


def a_repeat_without_one_changes_nothing_and_says_so(outcome: Outcome) -> None:
    for post in outcome.posts:
        if not post.retry:
            planned_outcomes = [effect[3] for effect in post.content.effects]
            said = [_outcomes(answer) for answer in outcome.answers[post.number]]
            first = [outcomes for outcomes in said if outcomes == planned_outcomes]
            repeats = [outcomes for outcomes in said if set(outcomes) == {"unchanged"}]

            assert len(first) <= 1, post
            assert first or lost(post) or outcome.unknown[post.number], post
            assert len(first) + len(repeats) == len(said), post
    sent_again = [len(post.sendings) - 1 + outcome.unknown[post.number] for post in outcome.posts if not post.retry]
    assert len(outcome.receipts) - len(outcome.effects) <= sum(sent_again), "nothing else gives a receipt of no entry"


def exactly_the_answers_to_keyed_posts_are_remembered(outcome: Outcome) -> None:
    assert outcome.remembered == {
        (post.organisation, post.retry): outcome.answers[post.number][0].content for post in outcome.posts if post.retry
    }


def lost(post: Post) -> list[Sending]:
    """The times when the answer was not read, so that it may have been the first."""
    return [sending for sending in post.sendings if sending.way != "read"]


def _outcomes(answer: Answer) -> list[str]:
    return [row["outcome"] for row in json.loads(answer.content)["rows"]]


# What is planned.


def planned(posts: int) -> list[Matter]:
    """So many posts of two organisations in turn, always the same; no two matters are about the same figure."""
    chance = Random(posts)
    places = {name: iter(list(product(MONTHS, CODES))[side::2]) for side, name in enumerate(ORGANISATIONS)}
    words = {name: (f"post-{number}" for number in numbers()) for name in ORGANISATIONS}
    matters: list[Matter] = []
    made = 0
    while made < posts:
        name = ORGANISATIONS[len(matters) % 2]
        kind = chance.choice((submissions, single_counts, single_statuses))
        contents = list(kind(chance, places[name], made))[: min(chance.randint(1, 3), posts - made)]
        matters.append([posted(chance, made + place, name, one, words[name]) for place, one in enumerate(contents)])
        made += len(contents)
    return matters


def posted(chance: Random, number: int, organisation: str, content: Content, words: Iterator[str]) -> Post:
    """When and how often `content` is sent, every third time at once; a retraction needs an Idempotency-Key."""
    retry = next(words) if content.body is None or chance.random() < 0.75 else None
    copies = chance.randint(2 if number % 3 == 0 else 1, MOST_COPIES)
    # Without an Idempotency-Key a post that is still under way could undo a later one, so its answer is waited for.
    ways: list[Way] = ["read", "read", "unread", "cut"] if retry else ["read", "unread"]
    sendings = [Sending(chance.randrange(2), chance.choice(ways)) for _ in range(copies)]
    answered = chance.randrange(copies)
    sendings[answered] = Sending(sendings[answered].key, "read")
    if number % 3 == 0:
        return Post(number, organisation, retry, content, sendings, (), ())
    early = answered + 1 if retry else copies
    return Post(number, organisation, retry, content, (), sendings[:early], sendings[early:])


def submissions(chance: Random, places: Iterator[tuple[str, str]], number: int) -> Iterator[Content]:
    """Some counts and a status in one post, then the same figures corrected."""
    about = [next(places) for _ in range(chance.randint(1, 3))]
    for step, (outcome, standing) in enumerate((("created", "pilot"), ("corrected", "in_use"))):
        sessions = 10 * number + step
        month, code = about[0]
        yield Content(
            "POST",
            "/v1/submissions",
            {
                "counts": [count(code, month, sessions, note="Sent again and again") for month, code in about],
                "statuses": [status(code, f"{month}-01", standing)],
            },
            [
                *(("counts", code, month, outcome, sessions) for month, code in about),
                ("statuses", code, f"{month}-01", outcome, standing),
            ],
        )


def single_counts(_chance: Random, places: Iterator[tuple[str, str]], number: int) -> Iterator[Content]:
    """A count, the same count corrected, and retracted."""
    month, code = next(places)
    path = f"/v1/session-counts/{PRACTICE}/{code}/{month}"
    for step, outcome in enumerate(("created", "corrected")):
        sessions = 10 * number + step
        yield Content("PUT", path, {"sessions": sessions}, [("counts", code, month, outcome, sessions)])
    yield Content("DELETE", f"{path}?reason=wrong", None, [("counts", code, month, "retracted", None)])


def single_statuses(_chance: Random, places: Iterator[tuple[str, str]], _number: int) -> Iterator[Content]:
    """A status, the same day's status corrected, and retracted."""
    month, code = next(places)
    day = f"{month}-01"
    path = f"/v1/statuses/{PRACTICE}/{code}/{day}"
    for outcome, standing in (("created", "pilot"), ("corrected", "in_use")):
        yield Content("PUT", path, {"status": standing}, [("statuses", code, day, outcome, standing)])
    yield Content("DELETE", f"{path}?reason=wrong", None, [("statuses", code, day, "retracted", None)])


def sent_once(matters: Sequence[Matter]) -> list[Matter]:
    """`matters` with each post sent once, and again only while it is not answered."""
    once = (Sending(0, "read"),)
    return [[replace(post, at_once=(), one_by_one=once, late=()) for post in matter] for matter in matters]


# How it is sent.


def keys_of_organisations(database_url: str) -> dict[str, tuple[str, str]]:
    """By organisation: its key before and its key after a change of keys, while both are valid."""
    database = Database(Settings(database_url=database_url))
    with database.writing() as db:
        keys = {name: (new_key(db, name), new_key(db, name)) for name in ORGANISATIONS}
    database.dispose()
    return keys


def new_key(db: Session, organisation: str) -> str:
    """A key by the real clock, which the server has."""
    at = datetime.now(UTC)
    return issue_key(db, name="test", organisation=organisation, actions=[Action.REPORT], areas=["country"], at=at)


class Sender:
    """Sends what is planned, many matters at a time, and keeps what is answered."""

    def __init__(self, url: str, keys: Mapping[str, tuple[str, str]], client: httpx.Client) -> None:
        self.address = (urlsplit(url).hostname, urlsplit(url).port)
        self.keys = keys
        self.client = client
        self.answers: dict[int, list[Answer]] = defaultdict(list)
        self.unknown: Counter[int] = Counter()
        # As many threads as copies can wait for one another.
        self.threads = ThreadPoolExecutor(MATTERS_AT_ONCE * MOST_COPIES)

    def play(self, matter: Matter) -> None:
        """Send the posts of `matter` in order, at last what comes late."""
        for post in matter:
            together = threading.Barrier(max(1, len(post.at_once)))
            waited_for = [self.threads.submit(self.send, post, one, together) for one in post.at_once]
            for sending in waited_for:
                sending.result(DEADLINE)
            for one in post.one_by_one:
                self.send(post, one)
        for post in matter:
            for one in post.late:
                self.send(post, one)

    def send(self, post: Post, sending: Sending, together: threading.Barrier | None = None) -> None:
        """Send `post`; again, as every client would, while it is unknown whether it arrived."""
        body = b"" if post.content.body is None else json.dumps(post.content.body).encode()
        headers = {"Authorization": f"Bearer {self.keys[post.organisation][sending.key]}"}
        headers |= {"Content-Type": "application/json"} if body else {}
        headers |= {"Idempotency-Key": post.retry} if post.retry else {}
        if together:
            together.wait(DEADLINE)
        if sending.way != "read":
            self.send_and_hang_up(post, headers, body, wait=sending.way == "unread")
            return
        deadline = time.monotonic() + DEADLINE
        while (answer := self.answer(post, headers, body)) is None:
            assert time.monotonic() < deadline, f"no answer to {post}"
            self.unknown[post.number] += 1
            time.sleep(0.1)
        self.answers[post.number].append(answer)

    def answer(self, post: Post, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """What is answered; None if the connection broke or the database was busy."""
        try:
            said = self.client.request(post.content.method, post.content.path, headers=headers, content=body)
        except httpx.TransportError:
            return None
        if said.status_code == 503:
            return None
        kept = said.headers.get("Location"), said.headers.get("ETag")
        return Answer(said.status_code, said.content, kept, said.headers.get("Idempotency-Replayed"))

    def send_and_hang_up(self, post: Post, headers: Mapping[str, str], body: bytes, *, wait: bool) -> None:
        """Send `post` and close the connection: at once, or with `wait` when there is an answer, which is not read."""
        with self.sent_and_unread(post, headers, body) as connection:
            if wait:
                assert select.select([connection], [], [], DEADLINE)[0]

    @contextmanager
    def sent_and_unread(self, post: Post, headers: Mapping[str, str], body: bytes) -> Iterator[socket.socket]:
        """The connection on which `post` is sent and whose answer is not read; closed at the end."""
        lines = [
            f"{post.content.method} {post.content.path} HTTP/1.1",
            f"Host: {self.address[0]}",
            *(f"{name}: {value}" for name, value in headers.items()),
            f"Content-Length: {len(body)}",
            "\r\n",
        ]
        with socket.create_connection(self.address, timeout=DEADLINE) as connection:
            connection.sendall("\r\n".join(lines).encode() + body)
            yield connection


def sent(
    url: str, keys: Mapping[str, tuple[str, str]], matters: Sequence[Matter]
) -> tuple[Mapping[int, Sequence[Answer]], Mapping[int, int]]:
    """By number of the post: what was answered, and how often it was sent beyond the plan."""
    connections = httpx.Limits(max_connections=MATTERS_AT_ONCE * MOST_COPIES)
    with httpx.Client(base_url=url, timeout=DEADLINE, limits=connections) as client:
        sender = Sender(url, keys, client)
        with sender.threads, ThreadPoolExecutor(MATTERS_AT_ONCE) as players:
            list(players.map(sender.play, matters))
    return sender.answers, sender.unknown


# What is found.


def found(
    database_url: str, posts: Sequence[Post], answers: Mapping[int, Sequence[Answer]], unknown: Mapping[int, int]
) -> Outcome:
    """What the database holds, beside what was planned and answered."""
    database = Database(Settings(database_url=database_url))
    with database.reading() as db:
        names = {owner.id: owner.name for owner in db.exec(find(Organisation))}
        receipts = db.exec(find(Submission).order_by(col(Submission.id))).all()
        counts = db.exec(find(CountEntry).order_by(col(CountEntry.id))).all()
        statuses = db.exec(find(StatusEntry).order_by(col(StatusEntry.id))).all()
        replies = db.exec(find(RememberedReply)).all()
    database.dispose()
    added: list[CountEntry | StatusEntry] = [*counts, *statuses]
    entries: dict[int, list[CountEntry | StatusEntry]] = defaultdict(list)
    histories = defaultdict(list)
    for entry in added:
        entries[entry.submission_id].append(entry)
        histories[effect_of(entry)[:3]].append((names[entry.organisation_id], effect_of(entry)))
    hashes = [EMPTY_HASH, *(receipt.hash for receipt in receipts)]
    return Outcome(
        posts=posts,
        answers=answers,
        unknown=unknown,
        effects={receipt: [effect_of(entry) for entry in its] for receipt, its in entries.items()},
        histories=histories,
        receipts=receipts,
        remembered={(names[reply.organisation_id], reply.key): reply.body.encode() for reply in replies},
        broken=[
            receipt.id
            for receipt, before in zip(receipts, hashes, strict=False)
            if (receipt.previous_hash, receipt.hash) != (before, content_hash(receipt, entries[receipt.id]))
        ],
    )


def effect_of(entry: CountEntry | StatusEntry) -> Effect:
    if isinstance(entry, CountEntry):
        return "counts", entry.municipality, entry.period, entry.outcome, entry.sessions
    return "statuses", entry.municipality, f"{entry.day}", entry.outcome, entry.status
