"""One question at a time, asked without wrk: for comparing answers, and for what takes long."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from benchmarks.workload import YearTotal

SECONDS_TO_ANSWER = 3_600
_AT_ONCE = 1 << 18


class Refused(Exception):
    """A contender answered with an error."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how long after the question began its first byte came, and its last."""

    status_code: int
    headers: list[tuple[str, str]]
    content: bytes
    first_byte_seconds: float
    seconds: float

    def json(self) -> Any:
        """The content, read as JSON."""
        return json.loads(self.content)


def asked(
    url: str, *, body: Any = None, headers: Mapping[str, str] | None = None, content_type: str = "application/json"
) -> Answer:
    """The answer to a GET of `url`, or to a POST of `body`: bytes as they are, anything else as JSON.

    Raises:
        Refused: it is an error.
    """
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    sent = dict(headers or {}) | ({} if content is None else {"Content-Type": content_type})
    with _connection(url) as (connection, path):
        began = time.perf_counter()
        connection.request("GET" if content is None else "POST", path, content, sent)
        response = connection.getresponse()
        first = response.read(1)
        first_byte_seconds = time.perf_counter() - began
        rest = list(iter(lambda: response.read(_AT_ONCE), b""))
        seconds = time.perf_counter() - began
        received = b"".join([first, *rest])
    if response.status >= 400:
        raise Refused(f"{url}: {response.status} {received[:1_000].decode(errors='replace')}")
    return Answer(response.status, response.getheaders(), received, first_byte_seconds, seconds)


def plain_totals(answer: Answer) -> list[YearTotal]:
    """The totals in a list of objects, as the tutorial and Datasette answer it, and PocketBase in `items`."""
    said = answer.json()
    rows = said["items"] if isinstance(said, dict) else said
    return [YearTotal(int(row["year"]), int(row["sessions"]), int(row["municipalities"])) for row in rows]


def our_totals(answer: Answer) -> list[YearTotal]:
    """The totals in our answer, of the years for which there are counts."""
    return [_our_total(row) for row in answer.json()["years"] if row["sessions"] is not None]


def _our_total(row: Mapping[str, Any]) -> YearTotal:
    """A release says only how many municipalities were active; all of these reported, as the workload has it."""
    reporting = row["reporting"] if row["basis"] == "reports" else row["municipalities"]
    return YearTotal(row["year"], row["sessions"], reporting)


@contextmanager
def _connection(url: str) -> Iterator[tuple[http.client.HTTPConnection, str]]:
    """A connection of its own to the server of `url`, and what to ask it for."""
    parts = urlsplit(url)
    assert parts.hostname, url
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=SECONDS_TO_ANSWER)
    try:
        yield connection, f"{parts.path}?{parts.query}" if parts.query else parts.path
    finally:
        connection.close()
