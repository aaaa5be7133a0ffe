"""The client for municipal systems, against a real server over real HTTP."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from app.access.keys import issue_key
from app.access.models import Action
from app.client import Client, Patience, Refused, Unanswered
from app.clock import system_clock
from app.database import Database
from app.settings import Settings
from tests.conftest import count, running_server, sqlite_copy, status
from tests.flaky_network import (
    Fault,
    FlakyNetwork,
    Hold,
    answer_cut,
    answer_lost,
    flaky_network,
    request_lost,
    turned_away,
)


class Service(NamedTuple):
    """Where a server is, a key that reports and reads for Kuopio, and one that does all in the county."""

    url: str
    key: str
    county_key: str


@pytest.fixture(scope="module")
def service(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    url = sqlite_copy(migrated_sqlite, tmp_path_factory.mktemp("client"))
    database = Database(Settings(database_url=url))
    with database.writing() as db:
        key, county_key = (
            issue_key(
                db,
                name=f"{organisation}'s system",
                organisation=organisation,
                actions=actions,
                areas=[area],
                at=system_clock(),
            )
            for organisation, area, actions in (
                ("Kuopio", "municipality:297", [Action.REPORT, Action.READ]),
                ("North Savo", "county:13", list(Action)),
            )
        )
    database.dispose()
    with running_server(url) as address:
        yield Service(address, key, county_key)


@pytest.fixture
def kuopio(service: Service) -> Iterator[Client]:
    with Client(service.url, service.key) as client:
        yield client


@pytest.fixture
def county(service: Service) -> Iterator[Client]:
    """A client that may publish in the county, which has something to publish."""
    with Client(service.url, service.county_key) as client:
        client.submit(
            counts=[count(code, "2024", sessions) for code, sessions in (("140", 31), ("749", 24), ("915", 3))],
            statuses=[status(code, "2021", "in_use") for code in ("140", "749", "915")],
        )
        yield client


@pytest.fixture
def network(service: Service) -> Iterator[FlakyNetwork]:
    with flaky_network(service.url) as network:
        yield network


class Waits:
    """The patience of a client that never sleeps: `slept` says how long it would have, always the most it may draw."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def patience(
        self,
        *,
        attempts: int = 8,
        total_seconds: float = 120.0,
        first_wait_seconds: float = 0.5,
        longest_wait_seconds: float = 30.0,
    ) -> Patience:
        return Patience(
            attempts=attempts,
            total_seconds=total_seconds,
            first_wait_seconds=first_wait_seconds,
            longest_wait_seconds=longest_wait_seconds,
            sleep=self.sleep,
            monotonic=lambda: self.now,
            uniform=lambda _least, most: most,
        )

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def anyone(service: Service) -> Iterator[Client]:
    with Client(service.url) as client:
        yield client


def test_what_is_submitted_is_in_the_trend_and_is_unchanged_the_next_time(kuopio: Client) -> None:
    counts, statuses = [count("297", "2017-03", 7)], [status("297", "2017-02", "pilot")]

    receipt = kuopio.submit(counts=counts, statuses=statuses)
    again = kuopio.submit(counts=counts, statuses=statuses)
    trend = kuopio.trend(municipality="297", from_year=2017, to_year=2017)

    assert (receipt["organisation"], receipt["created"], receipt["unchanged"]) == ("Kuopio", 2, 0)
    assert (again["created"], again["unchanged"]) == (0, 2)
    assert (trend["read"], [(row["year"], row["sessions"]) for row in trend["years"]]) == ("live", [(2017, 7)])


def test_a_dry_run_stores_nothing(kuopio: Client) -> None:
    receipt = kuopio.submit(counts=[count("297", "2016-03", 7)], dry_run=True)
    trend = kuopio.trend(municipality="297", from_year=2016, to_year=2016)

    assert (receipt["id"], receipt["created"]) == (None, 1)
    assert trend["years"] == []


def test_an_invalid_row_makes_all_be_refused_unless_it_may_be_skipped(kuopio: Client) -> None:
    counts = [count("297", "2018-03", 7), count("297", "2018-04", 7, through="2018-05-01")]

    with pytest.raises(Refused) as refused:
        kuopio.submit(counts=counts)
    receipt = kuopio.submit(counts=counts, skip_invalid=True)

    assert refused.value.problem["status"] == 422
    assert [row["outcome"] for row in receipt["rows"]] == ["created", "rejected"]


def test_a_refusal_says_what_is_wrong_and_where(kuopio: Client) -> None:
    with pytest.raises(Refused) as in_body:
        kuopio.submit(counts=[count("140", "2019-03", 7)])
    with pytest.raises(Refused) as in_query:
        kuopio.trend(county="99")

    assert in_body.value.problem["status"] == 403
    assert str(in_body.value).startswith("403 The key does not cover this area: ")
    assert str(in_body.value).endswith("\n  /counts/0/municipality: the key does not cover 140 Iisalmi")
    assert in_query.value.problem["status"] == 422
    assert "\n  county: there is no county 99" in str(in_query.value)


def test_a_key_can_be_asked_what_it_may_do(kuopio: Client) -> None:
    key = kuopio.key()

    assert (key["name"], key["actions"], key["areas"]) == ("Kuopio's system", ["read", "report"], ["municipality:297"])


def test_without_a_key_one_reads_what_is_public_and_posts_nothing(anyone: Client) -> None:
    trend = anyone.trend(county="13")

    assert (trend["read"], [row["sessions"] for row in trend["years"]]) == ("release", [94, 105, 23])
    with pytest.raises(Refused, match=r"^401 A valid key is needed: send a valid key"):
        anyone.submit(counts=[count("297", "2019-03", 7)])
    with pytest.raises(Refused, match=r"^401 "):
        anyone.key()


RELEASE = {"county": "13", "state": "final", "title": "A year", "source": "Municipalities' reports"}


def test_a_draft_is_followed_until_it_is_done(county: Client) -> None:
    draft = county.publish({**RELEASE, "municipalities": True}, dry_run=True, idempotency_key="once")

    assert (draft["state"], draft["release"]) == ("ready", None)
    assert ("915", "2024", "small") in [(one["area"], one["period"], one["why"]) for one in draft["report"]["hidden"]]
    assert county.draft(draft["id"]) == draft
    again = county.publish({**RELEASE, "municipalities": True}, dry_run=True, idempotency_key="once")
    assert again == draft


def test_who_does_not_want_to_wait_for_a_release_can_look_later(county: Client) -> None:
    with pytest.raises(Unanswered, match=r"^draft \d+ is still being prepared after 0 seconds$"):
        county.publish(RELEASE, dry_run=True, seconds=0.0)


def test_who_may_not_publish_is_refused(kuopio: Client) -> None:
    with pytest.raises(Refused, match="403 The key may not do this"):
        kuopio.publish(RELEASE)


def test_a_server_that_is_not_there_is_no_refusal() -> None:
    with Client("http://127.0.0.1:1", patience=Patience(attempts=1)) as client, pytest.raises(Unanswered) as unanswered:
        client.submit()

    assert re.fullmatch(r"no answer from 127\.0\.0\.1: .*Connection refused \(tried once\)", str(unanswered.value))
    assert isinstance(unanswered.value.__cause__, httpx.ConnectError)


def test_after_its_block_the_connection_is_closed(service: Service) -> None:
    with Client(service.url) as client:
        client.trend()

    with pytest.raises(RuntimeError, match="closed"):
        client.trend()


# Retries.


@pytest.mark.parametrize(
    ("period", "fault", "replayed"),
    [
        ("2018-12", turned_away("507 Insufficient Storage", "Retry-After: 0"), False),
        ("2019-01", request_lost, False),
        ("2019-02", answer_lost, True),
        ("2019-03", answer_cut, True),
        ("2019-04", turned_away("429 Too Many Requests"), False),
        ("2019-05", turned_away("502 Bad Gateway", body="<h1>Updating</h1>"), False),
        ("2019-06", turned_away("503 Service Unavailable", "Content-Type: application/problem+json", body="{"), False),
        ("2019-07", turned_away("504 Gateway Timeout"), False),
        ("2019-08", turned_away("200 OK", "Content-Encoding: gzip", body="not gzip"), False),
    ],
)
def test_a_post_is_recorded_once_whatever_happens_to_it_on_the_way(
    service: Service, network: FlakyNetwork, waits: Waits, period: str, fault: Fault, replayed: bool
) -> None:
    network.faults += [fault] * 3

    with Client(network.url, service.key, patience=waits.patience()) as client:
        receipt = client.submit(counts=[count("297", period, 7)])

        assert (receipt["created"], receipt.replayed) == (1, replayed)
        history = client.read(f"/v1/session-counts/yhdessa-aika/297/{period}/history")
        assert [(row["outcome"], row["submission"]) for row in history["rows"]] == [("created", receipt["id"])]
        assert client.receipt(receipt["id"]) == receipt
    posts = [sent.partition(b"\r\n\r\n")[2] for sent in network.requests if sent.startswith(b"POST")]
    assert (len(posts), len(set(posts)), len(set(network.keys_sent()))) == (4, 1, 1)
    assert waits.slept == [0.5, 1.0, 2.0]


def test_a_post_that_hangs_is_given_up_after_the_timeout_and_tried_again(
    service: Service, network: FlakyNetwork, waits: Waits
) -> None:
    hanging = Hold()
    network.faults.append(hanging)
    impatient = httpx.Timeout(10, read=0.5)

    with Client(network.url, service.key, patience=waits.patience(), timeout=impatient) as client:
        receipt = client.submit(counts=[count("297", "2019-09", 7)])

    hanging.go_on.set()
    assert (receipt["created"], receipt.replayed, len(network.requests)) == (1, True, 2)


def test_each_post_has_an_idempotency_key_of_its_own_unless_it_is_given_one(
    service: Service, network: FlakyNetwork
) -> None:
    with Client(network.url, service.key) as client:
        first, second = (client.submit(counts=[count("297", "2019-10", 7)]) for _ in range(2))
        third, fourth = (
            client.submit(counts=[count("297", "2019-11", 7)], idempotency_key="November") for _ in range(2)
        )

    keys = network.keys_sent()
    assert (len(set(keys)), keys[2:]) == (3, ["November", "November"])
    assert (second["unchanged"], second.replayed, first["id"] != second["id"]) == (1, False, True)
    assert (fourth, third.replayed, fourth.replayed) == (third, False, True)


def test_reading_is_tried_again_too(service: Service, network: FlakyNetwork, waits: Waits) -> None:
    network.faults += [request_lost, turned_away("503 Service Unavailable")]

    with Client(network.url, service.key, patience=waits.patience()) as client:
        key = client.key()

    assert (key["name"], len(network.requests), key.replayed) == ("Kuopio's system", 3, False)


def test_a_refusal_is_final_at_once(service: Service, network: FlakyNetwork, waits: Waits) -> None:
    with Client(network.url, service.key, patience=waits.patience()) as client:
        for rows, status_code in (
            ([count("140", "2019-12", 7)], 403),
            ([count("297", "2019-13", 7)], 422),
            ([count("297", "2019", 7)], 409),
        ):
            client.submit(counts=[count("297", "2019-12", 7)])
            with pytest.raises(Refused) as refused:
                client.submit(counts=rows)
            assert refused.value.problem["status"] == status_code

    assert (len(network.requests), waits.slept) == (6, [])


def test_a_fault_of_the_server_is_no_refusal_and_not_tried_again(network: FlakyNetwork, waits: Waits) -> None:
    network.faults += [turned_away("500 Internal Server Error", body="oh")]

    with (
        Client(network.url, patience=waits.patience()) as client,
        pytest.raises(Unanswered, match=r"^500 Internal Server Error: oh$"),
    ):
        client.trend()

    assert len(network.requests) == 1


@pytest.mark.parametrize("body", ["<h1>Sign in to the guest network</h1>", "[1]", "7"])
def test_an_answer_of_something_in_between_is_none(network: FlakyNetwork, waits: Waits, body: str) -> None:
    network.faults += [turned_away("200 OK", body=body)]

    with Client(network.url, patience=waits.patience()) as client, pytest.raises(Unanswered) as unanswered:
        client.submit()

    assert (str(unanswered.value), len(network.requests)) == (f"200, but not from the service: {body}", 1)


def test_a_redirection_is_told_and_not_followed(network: FlakyNetwork) -> None:
    network.faults += [turned_away("301 Moved Permanently", "Location: https://yhdessa.example/")]

    with (
        Client(network.url) as client,
        pytest.raises(Refused, match=r"^301 Moved Permanently: the service is at https://yhdessa.example/$"),
    ):
        client.submit()


def test_the_waits_double_up_to_the_longest_until_the_attempts_are_used_up(network: FlakyNetwork, waits: Waits) -> None:
    network.faults += [turned_away("503 Service Unavailable", body="busy")] * 9
    patience = waits.patience(attempts=6, first_wait_seconds=1.5, longest_wait_seconds=10)

    with (
        Client(network.url, patience=patience) as client,
        pytest.raises(Unanswered, match=r"^503 Service Unavailable: busy \(tried 6 times\)$"),
    ):
        client.trend()

    assert (len(network.requests), waits.slept) == (6, [1.5, 3, 6, 10, 10])


def test_no_attempt_begins_after_the_total_time(network: FlakyNetwork, waits: Waits) -> None:
    network.faults += [request_lost] * 9

    with Client(network.url, patience=waits.patience(total_seconds=5)) as client, pytest.raises(Unanswered):
        client.trend()

    assert (len(network.requests), waits.slept) == (5, [0.5, 1, 2, 1.5])


def test_the_waits_are_drawn_from_nothing_to_the_longest() -> None:
    slept: list[float] = []
    patience = Patience(sleep=slept.append, monotonic=lambda: 0.0, first_wait_seconds=8)

    waited = [patience.wait(failed=1, since=0.0, asked=0.0) for _ in range(200)]

    assert waited == [True] * 200
    assert 0 <= min(slept) < 1 < 7 < max(slept) <= 8
    assert len(set(slept)) > 100


def test_any_number_of_attempts_has_a_wait(waits: Waits) -> None:
    patience = waits.patience(attempts=10_000, total_seconds=1e9)

    assert patience.wait(failed=9_999, since=waits.now, asked=0.0)
    assert waits.slept == [30]


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        (["Retry-After: 7"], 7),
        (["Retry-After: Wed, 15 May 2024 09:00:20 GMT", "Date: Wed, 15 May 2024 09:00:00 GMT"], 20),
        (["Retry-After: Wed, 15 May 2024 08:59:00 GMT", "Date: Wed, 15 May 2024 09:00:00 GMT"], 0),
        (["Retry-After: soon"], 0),
        (["Retry-After: -3"], 0),
        (["Retry-After: Wed, 15 May 99999999999 09:00:00 GMT"], 0),
        ([], 0),
    ],
)
def test_what_the_server_asks_to_wait_is_the_least(
    network: FlakyNetwork, waits: Waits, headers: list[str], asked: float
) -> None:
    network.faults += [turned_away("503 Service Unavailable", *headers)]

    with Client(network.url, patience=waits.patience()) as client:
        client.trend()

    assert waits.slept == [asked + 0.5]


def test_a_moment_to_wait_for_is_held_against_our_clock_if_the_server_tells_no_time(
    network: FlakyNetwork, waits: Waits
) -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    network.faults += [turned_away("429 Too Many Requests", f"Retry-After: {in_a_minute}", "Date: today")]

    with Client(network.url, patience=waits.patience()) as client:
        client.trend()

    assert 55 < waits.slept[0] <= 60.5


def test_a_server_that_asks_for_more_time_than_there_is_is_left_alone(network: FlakyNetwork, waits: Waits) -> None:
    network.faults += [turned_away("429 Too Many Requests", "Retry-After: 121")]

    with (
        Client(network.url, patience=waits.patience()) as client,
        pytest.raises(Unanswered, match=r"\(tried once; it asks to wait 121 seconds\)$"),
    ):
        client.trend()

    assert (len(network.requests), waits.slept) == (1, [])


# What is said.


def test_a_key_that_cannot_be_one_is_not_shown() -> None:
    for wrong in ("a-secret word", "a-secret\nword", "a-secret-wörd"):
        with pytest.raises(ValueError, match="the key holds a space") as refused:
            Client("https://yhdessa.example", wrong)

        assert "secret" not in str(refused.value)


@pytest.mark.parametrize("errors", [{"sessions": ["negative"]}, ["negative"], [{"message": "negative"}], None, 7])
def test_a_problem_of_something_in_between_may_have_errors_of_another_shape(
    network: FlakyNetwork, errors: object
) -> None:
    body = json.dumps({"status": 400, "title": "Bad request", "detail": "no", "errors": errors})
    network.faults.append(turned_away("400 Bad Request", "Content-Type: application/problem+json", body=body))

    with Client(network.url) as client, pytest.raises(Refused, match=r"^400 Bad request: no$"):
        client.submit()


def test_of_many_errors_the_first_are_told_each_with_its_place() -> None:
    errors = [
        {"line": 3, "column": "istunnot", "pointer": "/counts/0/sessions", "detail": "a"},
        {"line": 4, "detail": "b"},
        {"pointer": "/counts/1", "detail": "c"},
        {"parameter": "county", "detail": "d"},
        {"detail": "e"},
    ]
    problem = {"status": 422, "title": "Not valid", "detail": "a, and 24 more", "errors": errors * 5}

    assert str(Refused(problem | {"errors": errors})) == (
        "422 Not valid: a, and 24 more\n  line 3, column istunnot: a\n  line 4: b\n  /counts/1: c\n  county: d\n"
        "  the body: e"
    )
    assert str(Refused(problem)).splitlines()[20:] == ["  the body: e", "  and 5 more"]
