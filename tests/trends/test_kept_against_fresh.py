"""The live trend of a server that keeps what it read, against that of one that just began, while two others write."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.conftest import Caller, StandingClock, count, status

CODES = ("297", "140", "402", "507")
PERIODS = [f"{year}-{month:02}" for year in (2022, 2023) for month in (1, 2, 3)]
QUESTIONS: list[dict[str, Any]] = [
    {"county": "13"},
    {"municipality": ["297", "507"]},
    {"by": "county"},
    {"county": "13", "by": "municipality"},
]
DEADLINE = 60


@pytest.fixture
def beginning(settings: Settings, clock: StandingClock) -> Iterator[Callable[[str | None], Caller]]:
    """Makes a holder of the key who talks to a server of its own on the database, which has read nothing yet."""
    with ExitStack() as stack:
        yield lambda key: Caller(stack.enter_context(TestClient(create_app(settings, clock))), key)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(2, 12))])
def test_what_is_kept_gives_what_a_fresh_server_gives_whoever_writes(
    seed: int, nation: Caller, beginning: Callable[[str | None], Caller]
) -> None:
    chance = random.Random(seed)
    writers = [beginning(nation.key) for _ in range(2)]

    for _ in range(3):
        writes = [[some_write(chance) for _ in range(4)] for _ in writers]
        over = Event()
        with ThreadPoolExecutor(3) as threads:
            reading = threads.submit(read_on, nation, over)
            writing = [threads.submit(do_all, *pair) for pair in zip(writers, writes, strict=True)]
            try:
                for one in writing:
                    one.result(DEADLINE)
            finally:
                over.set()
            reading.result(DEADLINE)
        fresh = beginning(nation.key)

        for question in QUESTIONS:
            assert (question, trend(nation, question)) == (question, trend(fresh, question))


def some_write(chance: random.Random) -> Callable[[Caller], Any]:
    """Posts, corrects, withdraws or takes back something about one of a few municipalities."""
    code, period, number = chance.choice(CODES), chance.choice(PERIODS), chance.randrange(1_000)
    figure = f"/v1/session-counts/yhdessa-aika/{code}/{period}"
    day = f"{period}-0{chance.randint(1, 9)}"
    stands = chance.choice(("pilot", "in_use", "paused", "ended"))
    receipt = chance.randint(1, 30)
    return chance.choice(
        [
            lambda by: by.post([count(code, period, number)], [status(code, day, stands)]),
            lambda by: by.post([count(code, one, number) for one in PERIODS]),
            lambda by: by.put(f"/v1/statuses/yhdessa-aika/{code}/{day}", {"status": stands}),
            lambda by: by.post([], [status(code, day, stands)]),
            lambda by: by.delete(figure, reason="Wrong"),
            lambda by: by.http.post(f"/v1/submissions/{receipt}/retraction", json={"reason": "No"}, headers=by.headers),
        ]
    )


def do_all(writer: Caller, writes: list[Callable[[Caller], Any]]) -> None:
    for write in writes:
        # What is not there cannot be taken back.
        assert write(writer).status_code in (200, 201, 404, 409)


def read_on(reader: Caller, over: Event) -> None:
    """Read at once with others, which keep what they read as well."""
    while not over.is_set():
        for question in QUESTIONS:
            trend(reader, question)


def trend(reader: Caller, question: dict[str, Any]) -> Any:
    answer = reader.get("/v1/trends", **question)
    assert answer.status_code == 200, answer.text
    return answer.json()
