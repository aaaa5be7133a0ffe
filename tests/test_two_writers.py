"""Two writers at once, as processes of their own and through two workers of a real server, on both databases."""

import multiprocessing
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import httpx
import pytest
from sqlmodel import col, select
from starlette.testclient import TestClient

from app.access.chain import EMPTY_HASH
from app.access.keys import issue_key
from app.access.models import Action
from app.clock import written
from app.database import Database
from app.main import create_app
from app.reports.tables import CountEntry, Submission
from app.settings import Settings
from tests.conftest import Caller, count, running_server

DEADLINE = 60

NORTH_SAVO = ("140", "171", "204", "239", "263", "297", "402", "420", "595", "686")
ROUNDS = len(NORTH_SAVO)

Row = dict[str, Any]
Rounds = Sequence[tuple[Row, Row]]
Answer = tuple[int, dict[str, Any]]

# What each of two rivals posts in each round, both at the same moment.
SAME_KEY = [(count(code, "2021", 10), count(code, "2021", 20)) for code in NORTH_SAVO]
SAME_FIGURE = [(count(code, "2020", 5), count(code, "2020", 5)) for code in NORTH_SAVO]
NESTED = [(count(code, "2022", 12), count(code, "2022-03", 1)) for code in NORTH_SAVO]
REPLACING = [(count(code, "2023", 12, replace=True), count(code, "2023-Q2", 3, replace=True)) for code in NORTH_SAVO]
ALL_ROUNDS = [*SAME_KEY, *SAME_FIGURE, *NESTED, *REPLACING]


@dataclass(frozen=True)
class Outcome:
    """What the rivals were told, round by round, and what the database holds at the end.

    `asked` are questions about moments when the rivals were posting, each with its answer then and at the end.
    """

    told: Sequence[tuple[Answer, Answer]]
    asked: Mapping[str, tuple[bytes, bytes]]
    submissions: Sequence[Submission]
    entries: Sequence[CountEntry]
    in_force: Sequence[Row]

    def entries_of(self, row: Row) -> list[CountEntry]:
        """The entries about the municipality and the year of `row`, oldest first."""
        year = row["period"][:4]
        return [
            entry
            for entry in self.entries
            if entry.municipality == row["municipality"] and entry.period.startswith(year)
        ]

    def told_of(self, rounds: Rounds) -> Iterator[tuple[tuple[Row, Row], tuple[Answer, Answer]]]:
        """`rounds` with what the rivals were told in them."""
        first = ALL_ROUNDS.index(rounds[0])
        return zip(rounds, self.told[first : first + len(rounds)], strict=True)


@pytest.fixture(params=["processes", "workers"])
def outcome(request: pytest.FixtureRequest, database_url: str) -> Outcome:
    """All rounds, posted by two processes, or by two callers of a server with two workers."""
    key = new_key(database_url)
    asked: Mapping[str, tuple[bytes, bytes]] = {}
    if request.param == "processes":
        told = by_two_processes(database_url, key, ALL_ROUNDS)
    else:
        with running_server(database_url, "--workers", "2") as url, asking(url, key) as answers:
            told = by_two_callers(url, key, ALL_ROUNDS)
            asked = asked_again(url, key, answers)
    app = create_app(Settings(database_url=database_url))
    in_force = Caller(TestClient(app), key).get("/v1/session-counts").json()["rows"]
    app.state.database.dispose()
    return Outcome(told, asked, *stored(database_url), in_force)


def test_two_writers_at_once_lose_double_and_nest_nothing(outcome: Outcome) -> None:
    """One test of many claims, since its rounds are costly to play."""
    same_key_gives_two_entries_in_order(outcome)
    same_figure_gives_one_entry(outcome)
    nested_periods_never_both_hold(outcome)
    the_later_of_two_that_replace_holds(outcome)
    ids_and_moments_are_without_gap_and_in_order(outcome)
    receipts_are_one_chain(outcome)
    the_same_question_about_the_past_gives_the_same_bytes(outcome)


def same_key_gives_two_entries_in_order(outcome: Outcome) -> None:
    for rows, answers in outcome.told_of(SAME_KEY):
        entries = outcome.entries_of(rows[0])
        by_outcome = {said["rows"][0]["outcome"]: (row, said) for row, (_, said) in zip(rows, answers, strict=True)}

        assert [code for code, _ in answers] == [201, 201]
        assert by_outcome.keys() == {"created", "corrected"}
        assert [(entry.outcome, entry.sessions, entry.submission_id, entry.id) for entry in entries] == [
            (name, row["sessions"], said["id"], said["rows"][0]["entry"])
            for name, (row, said) in sorted(by_outcome.items(), reverse=True)
        ]


def same_figure_gives_one_entry(outcome: Outcome) -> None:
    for rows, answers in outcome.told_of(SAME_FIGURE):
        entries = outcome.entries_of(rows[0])

        assert [code for code, _ in answers] == [201, 201]
        assert sorted(said["rows"][0]["outcome"] for _, said in answers) == ["created", "unchanged"]
        assert [said["rows"][0]["entry"] for _, said in answers] == [entries[0].id] * 2
        assert len(entries) == 1


def nested_periods_never_both_hold(outcome: Outcome) -> None:
    for rows, answers in outcome.told_of(NESTED):
        won = 0 if answers[0][0] == 201 else 1

        assert sorted(code for code, _ in answers) == [201, 409]
        assert [entry.period for entry in outcome.entries_of(rows[0])] == [rows[won]["period"]]


def the_later_of_two_that_replace_holds(outcome: Outcome) -> None:
    for rows, answers in outcome.told_of(REPLACING):
        earlier, later = sorted(zip(rows, answers, strict=True), key=lambda told: told[1][1]["id"])
        replaced = earlier[1][1]["rows"][0]["entry"]
        held = [row for row in outcome.in_force if row["municipality"] == rows[0]["municipality"]]

        assert [code for code, _ in answers] == [201, 201]
        assert later[1][1]["rows"][0]["superseded"] == [replaced]
        assert [entry.outcome for entry in outcome.entries_of(rows[0])] == ["created", "superseded", "created"]
        assert [row["period"] for row in held if row["period"].startswith("2023")] == [later[0]["period"]]


def ids_and_moments_are_without_gap_and_in_order(outcome: Outcome) -> None:
    accepted = [said["id"] for answers in outcome.told for code, said in answers if code == 201]
    moments = [submission.recorded_at for submission in outcome.submissions]

    assert sorted(accepted) == [submission.id for submission in outcome.submissions] == list(range(1, 7 * ROUNDS + 1))
    assert moments == sorted(set(moments))
    assert [entry.id for entry in outcome.entries] == list(range(1, 7 * ROUNDS + 1))
    assert [entry.submission_id for entry in outcome.entries] == sorted(
        entry.submission_id for entry in outcome.entries
    )
    assert {entry.submission_id: entry.recorded_at for entry in outcome.entries}.items() <= {
        submission.id: submission.recorded_at for submission in outcome.submissions
    }.items()


def receipts_are_one_chain(outcome: Outcome) -> None:
    assert outcome.submissions[0].previous_hash == EMPTY_HASH
    assert all(later.previous_hash == earlier.hash for earlier, later in pairwise(outcome.submissions))
    assert len({submission.hash for submission in outcome.submissions}) == len(outcome.submissions)


def the_same_question_about_the_past_gives_the_same_bytes(outcome: Outcome) -> None:
    assert [question for question, (first, again) in outcome.asked.items() if first != again] == []


def new_key(url: str) -> str:
    """A key for North Savo by the real clock, which the rivals have."""
    database = Database(Settings(database_url=url))
    actions, areas = [Action.REPORT, Action.READ], ["county:13"]
    with database.writing() as db:
        key = issue_key(db, name="test", organisation="North Savo", actions=actions, areas=areas, at=datetime.now(UTC))
    database.dispose()
    return key


def stored(url: str) -> tuple[Sequence[Submission], Sequence[CountEntry]]:
    """All receipts and all entries, in the order of their numbers."""
    database = Database(Settings(database_url=url))
    with database.reading() as db:
        submissions = db.exec(select(Submission).order_by(col(Submission.id))).all()
        entries = db.exec(select(CountEntry).order_by(col(CountEntry.id))).all()
    database.dispose()
    return submissions, entries


def http(url: str, key: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=DEADLINE)


@contextmanager
def asking(url: str, key: str) -> Iterator[dict[str, bytes]]:
    """Keep asking about the present moment; the answers so far."""
    answers: dict[str, bytes] = {}
    enough = threading.Event()

    def ask() -> None:
        with http(url, key) as client:
            while not enough.wait(0.01):
                for path in ("/v1/session-counts", "/v1/trends"):
                    question = f"{path}?county=13&as_of={written(datetime.now(UTC))}"
                    answers[question] = client.get(question).raise_for_status().content

    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(ask)
        try:
            yield answers
        finally:
            enough.set()
        asking.result(DEADLINE)


def asked_again(url: str, key: str, answers: Mapping[str, bytes]) -> Mapping[str, tuple[bytes, bytes]]:
    """The questions in `answers`, each with its answer then and its answer now."""
    asked = dict(answers)
    with http(url, key) as client:
        return {question: (first, client.get(question).content) for question, first in asked.items()}


# The rivals.


def by_two_processes(url: str, key: str, rounds: Rounds) -> Sequence[tuple[Answer, Answer]]:
    spawning = multiprocessing.get_context("spawn")
    barrier = spawning.Barrier(2)
    with ProcessPoolExecutor(2, spawning, initializer=_inherit, initargs=(barrier,)) as processes:
        rivals = [processes.submit(_rival_process, url, key, [rows[number] for rows in rounds]) for number in (0, 1)]
        return list(zip(*(rival.result(DEADLINE) for rival in rivals), strict=True))


def by_two_callers(url: str, key: str, rounds: Rounds) -> Sequence[tuple[Answer, Answer]]:
    barrier = threading.Barrier(2)
    with http(url, key) as one, http(url, key) as other, ThreadPoolExecutor(2) as threads:
        rivals = [
            threads.submit(_play, client, [rows[number] for rows in rounds], barrier)
            for number, client in enumerate((one, other))
        ]
        return list(zip(*(rival.result(DEADLINE) for rival in rivals), strict=True))


_inherited: Any = None
"""The barrier of a rival process: it can be inherited, not sent."""


def _inherit(barrier: Any) -> None:
    global _inherited
    _inherited = barrier


def _rival_process(url: str, key: str, rows: Sequence[Row]) -> list[Answer]:
    app = create_app(Settings(database_url=url))
    client = TestClient(app, headers={"Authorization": f"Bearer {key}"})
    told = _play(client, rows, _inherited)
    app.state.database.dispose()
    return told


def _play(client: Any, rows: Sequence[Row], barrier: Any) -> list[Answer]:
    """Post each of `rows` when the rival posts its own; what was answered."""
    told = []
    for row in rows:
        barrier.wait(DEADLINE)
        answer = client.post("/v1/submissions", json={"counts": [row]})
        told.append((answer.status_code, answer.json()))
    return told
