"""What a running server counts of itself, and how that is written for Prometheus."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric

from app.measures.workers import collected, process_metrics, worker_count

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

OTHER = "other"
"""The label of whatever a caller may invent: an address or a method that we do not have, an answer of no kind."""

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
OUTCOMES = ("created", "corrected", "unchanged", "retracted", "rejected")

ALARMING = (("problem", 500), ("insufficient-storage", 507), ("too-many-requests", 429))
"""Kinds of problems and their status codes that raise an alarm: counted from 0, or Prometheus would see no increase in
the first of them."""

_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_WAIT_SECONDS = (0.001, 0.01, 0.05, 0.25, 1.0, 2.5, 5.0)


# As many series again, of when each began; rate() needs none.
disable_created_metrics()  # type: ignore[no-untyped-call]  # has no types


class Measures:
    """The counters of one server process; those of the workers of one `serve` are added up when they are read.

    A label has only values that we write ourselves, so that no caller can make them grow.
    """

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        self._setting = threading.Lock()
        self._build = self._gauge("build", "The version of the product that runs; always 1", ["version"], mode="max")
        self._build.labels(version).set(1)
        self._requests = self._counter(
            "http_requests",
            "Requests answered, by the address as the contract writes it",
            ["method", "route", "status"],
        )
        self._seconds = Histogram(
            "yhdessa_http_request_duration_seconds",
            "How long requests took, from the first byte of their head to the end of the answer",
            ["method", "route"],
            buckets=_REQUEST_SECONDS,
            registry=self.registry,
        )
        self._series = cache(self._series_of)
        self._under_way = self._gauge("http_requests_in_progress", "Requests that are being answered")
        self._refusals = self._counter("refusals", "Problems answered, by kind and status code", ["kind", "status"])
        for kind, status_code in ALARMING:
            self._refusals.labels(kind, str(status_code))
        self._posts = self._counter("posts", "Posts recorded that had a row of the outcome", ["outcome"])
        self._rows = self._counter("post_rows", "Rows of posts recorded, by outcome", ["outcome"])
        self._outcomes = {outcome: (self._posts.labels(outcome), self._rows.labels(outcome)) for outcome in OUTCOMES}
        self._replays = self._counter("replays", "Retries that were answered from memory and did nothing")
        self._at_hand = self._counter("answers_at_hand", "Public answers that were given from memory")
        self._at_hand_bytes = self._gauge("answers_at_hand_bytes", "Public answers kept in memory, in bytes")
        self._to_holders = self._counter("answers_at_hand_to_holders", "Answers to keys that were given from memory")
        self._to_holders_bytes = self._gauge(
            "answers_at_hand_to_holders_bytes", "Answers to keys kept in memory, in bytes"
        )
        self._in_use = self._gauge("database_connections_in_use", "Connections to the database that are in use")
        self._most = self._gauge("database_connections_limit", "Connections to the database that may be in use at once")
        self._waits = Histogram(
            "yhdessa_database_connection_wait_seconds",
            "How long requests waited until they had a connection to the database",
            buckets=_WAIT_SECONDS,
            registry=self.registry,
        )
        self._failed_waits = self._counter(
            "database_connections_failed", "Times that no connection to the database was had"
        )

    @contextmanager
    def request_under_way(self) -> Iterator[None]:
        """Count a request as one that is being answered."""
        self._under_way.inc()
        try:
            yield
        finally:
            self._under_way.dec()

    def request_answered(
        self, method: str, route: str | None, status_code: int, *, seconds: float, problem: str | None, replayed: bool
    ) -> None:
        """Count a request that took `seconds`; `route` is None where there is none at its address.

        `problem` is the kind of problem that was answered, None if it was answered otherwise.
        """
        requests, durations = self._series(method if method in METHODS else OTHER, route or OTHER, status_code // 100)
        requests.inc()
        durations.observe(seconds)
        if status_code >= 400:
            self._refusals.labels(problem or OTHER, str(status_code)).inc()
        if replayed:
            self._replays.inc()

    def _series_of(self, method: str, route: str, status_class: int) -> tuple[Counter, Histogram]:
        """The series that a request counts in; looking them up costs more than counting."""
        return self._requests.labels(method, route, f"{status_class}xx"), self._seconds.labels(method, route)

    def at_hand_given(self, method: str, route: str, status_code: int, *, seconds: float) -> None:
        """Count a request that took `seconds` and was answered from memory."""
        requests, durations = self._series(method, route, status_code // 100)
        requests.inc()
        durations.observe(seconds)
        self._at_hand.inc()

    def at_hand_kept(self, size: int) -> None:
        """Say how many bytes of answers are kept in memory by now."""
        self._at_hand_bytes.set(size)

    def at_hand_given_to_holder(self) -> None:
        """Count an answer to a key that was given from memory."""
        self._to_holders.inc()

    def at_hand_kept_for_holders(self, size: int) -> None:
        """Say how many bytes of answers to keys are kept in memory by now."""
        self._to_holders_bytes.set(size)

    def posted(self, outcomes: Mapping[str, int]) -> None:
        """Count a post that is recorded for good; `outcomes` says how many of its rows came to each, none is none."""
        for outcome, rows in outcomes.items():
            if rows:
                posts, all_rows = self._outcomes[outcome]
                posts.inc()
                all_rows.inc(rows)

    @contextmanager
    def waiting_for_connection(self) -> Iterator[None]:
        """Measure how long a connection to the database is waited for, and count where none was had."""
        began = time.perf_counter()
        try:
            yield
        except Exception:
            self._failed_waits.inc()
            raise
        finally:
            self._waits.observe(time.perf_counter() - began)

    def connections(self, in_use: Callable[[], int], *, most: int) -> None:
        """Say how many connections are in use by now, of how many there may be."""
        # Else the number of a moment ago could be said after that of now, and stay.
        with self._setting:
            self._in_use.set(in_use())
        self._most.set(most)

    def text(self, more: Iterable[Metric] = ()) -> bytes:
        """Everything that was counted, with `more`, in Prometheus' text format."""
        return generate_latest(_Listed([*collected(self.registry), *process_metrics(), worker_count(), *more]))

    def _counter(self, name: str, what: str, labels: Iterable[str] = ()) -> Counter:
        return Counter(f"yhdessa_{name}", what, labels, registry=self.registry)

    def _gauge(self, name: str, what: str, labels: Iterable[str] = (), mode: str = "sum") -> Gauge:
        """A gauge of the workers that live: their sum, or their greatest value."""
        mode = f"live{mode}"
        return Gauge(f"yhdessa_{name}", what, labels, registry=self.registry, multiprocess_mode=mode)  # type: ignore[arg-type]  # one of its literals


class _Listed(CollectorRegistry):
    """A registry that is a list of what was collected already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        super().__init__()
        self.metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self.metrics
