"""The client for municipal systems, against a real server over real HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from app.access.keys import issue_key
from app.access.models import Action
from app.client import Client, Refused
from app.clock import system_clock
from app.database import Database
from app.settings import Settings
from tests.conftest import count, running_server, sqlite_copy, status


class Service(NamedTuple):
    """Where a server is, and a key that reports and reads for Kuopio."""

    url: str
    key: str


@pytest.fixture(scope="module")
def service(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    url = sqlite_copy(migrated_sqlite, tmp_path_factory.mktemp("client"))
    database = Database(Settings(database_url=url))
    with database.writing() as db:
        key = issue_key(
            db,
            name="Kuopio's system",
            organisation="Kuopio",
            actions=[Action.REPORT, Action.READ],
            areas=["municipality:297"],
            at=system_clock(),
        )
    database.dispose()
    with running_server(url) as address:
        yield Service(address, key)


@pytest.fixture
def kuopio(service: Service) -> Iterator[Client]:
    with Client(*service) as client:
        yield client


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


def test_an_answer_of_something_in_between_is_a_refusal_in_its_words() -> None:
    def gateway(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(502, html="<h1>The server is being updated</h1>")

    with (
        Client("https://yhdessa.example", transport=httpx.MockTransport(gateway)) as client,
        pytest.raises(Refused, match=r"^502 Bad Gateway: <h1>The server is being updated</h1>$"),
    ):
        client.trend()


def test_a_server_that_is_not_there_is_no_refusal() -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(httpx.ConnectError):
        client.submit()


def test_after_its_block_the_connection_is_closed(service: Service) -> None:
    with Client(service.url) as client:
        client.trend()

    with pytest.raises(RuntimeError, match="closed"):
        client.trend()
