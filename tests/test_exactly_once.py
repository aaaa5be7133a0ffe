"""Exactly once: posts sent again and again, at once, with two keys, their answers lost; each has one effect.

Each logical post is sent one to five times to a real server with two workers; a third of them several times at once,
some with the key before and the key after a change of keys, some over a connection that is closed before the answer is
read. What has to be recorded is worked out from the plan alone.
"""

import logging
import os
import time
from collections import Counter

import pytest

from tests.conftest import running_server
from tests.posting import (
    MOST_COPIES,
    ORGANISATIONS,
    Outcome,
    a_repeat_with_an_idempotency_key_is_the_first_answer_to_the_byte,
    a_repeat_without_one_changes_nothing_and_says_so,
    each_figure_went_through_what_was_planned_and_nothing_else,
    each_post_is_recorded_under_one_receipt,
    exactly_the_answers_to_keyed_posts_are_remembered,
    found,
    keys_of_organisations,
    lost,
    no_post_is_refused,
    planned,
    sent,
)

# Many cases and much arithmetic: each module's own tests are what its lines are measured by.
pytestmark = pytest.mark.no_cover

POSTS = 80
"""Logical posts of the ordinary run."""

EXHAUSTIVE_POSTS = int(os.environ.get("YHDESSA_TEST_POSTS", "250"))


@pytest.mark.parametrize("posts", [POSTS, pytest.param(EXHAUSTIVE_POSTS, marks=pytest.mark.exhaustive)])
def test_every_logical_post_has_exactly_one_effect(
    posts: int, database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One test of many claims, since its posts are costly to send.

    The whole of 10,000 posts takes ten minutes or so for each database; with figures of how it went:
    `YHDESSA_TEST_POSTS=10000 pytest tests/test_exactly_once.py -m exhaustive --log-cli-level=INFO`
    """
    monkeypatch.setenv("YHDESSA_LOG_LEVEL", "warning")
    caplog.set_level(logging.WARNING, "httpx")
    matters = planned(posts)
    keys = keys_of_organisations(database_url)

    began = time.monotonic()
    with running_server(database_url, "--workers", "2") as url:
        answers, unknown = sent(url, keys, matters)
    outcome = found(database_url, [post for matter in matters for post in matter], answers, unknown)
    told_how_it_went(outcome, time.monotonic() - began)

    the_plan_is_as_wild_as_it_should_be(outcome)
    no_post_is_refused(outcome)
    each_post_is_recorded_under_one_receipt(outcome)
    each_figure_went_through_what_was_planned_and_nothing_else(outcome)
    a_repeat_with_an_idempotency_key_is_the_first_answer_to_the_byte(outcome)
    a_repeat_without_one_changes_nothing_and_says_so(outcome)
    exactly_the_answers_to_keyed_posts_are_remembered(outcome)
    assert outcome.broken == []


def the_plan_is_as_wild_as_it_should_be(outcome: Outcome) -> None:
    ways = Counter(sending.way for post in outcome.posts for sending in post.sendings)
    across = [post for post in outcome.posts if post.retry and len({sending.key for sending in post.sendings}) == 2]
    idempotency_keys = [{post.retry for post in outcome.posts if post.organisation == name} for name in ORGANISATIONS]

    assert {len(post.sendings) for post in outcome.posts} == set(range(1, MOST_COPIES + 1))
    assert len([post for post in outcome.posts if len(post.at_once) > 1]) * 3 >= len(outcome.posts)
    assert min(ways["unread"], ways["cut"], len(across), len([post for post in outcome.posts if post.late])) > 10
    assert len(idempotency_keys[0] & idempotency_keys[1]) * 3 > len(outcome.posts)
    assert len([post for post in outcome.posts if not post.retry]) * 10 > len(outcome.posts)


def told_how_it_went(outcome: Outcome, seconds: float) -> None:
    sendings = sum(len(post.sendings) for post in outcome.posts)
    lost_answers = sum(len(lost(post)) for post in outcome.posts)
    replayed = sum(answer.replayed == "true" for answers in outcome.answers.values() for answer in answers)
    logging.getLogger(__name__).info(
        "%d posts, sent %d times in %.0f s: %d at once, %d answers lost, %d replays read, %d sent beyond the plan; "
        "%d receipts, %d of them with %d entries",
        len(outcome.posts),
        sendings,
        seconds,
        sum(len(post.at_once) for post in outcome.posts),
        lost_answers,
        replayed,
        sum(outcome.unknown.values()),
        len(outcome.receipts),
        len(outcome.effects),
        sum(map(len, outcome.effects.values())),
    )
