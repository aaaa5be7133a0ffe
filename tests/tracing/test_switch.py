"""Traces go to a collector if one is named, with nothing in them that a caller wrote."""

import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from fastapi import FastAPI
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.__main__ import app as yhdessa
from app.main import create_app
from app.settings import Settings
from app.tracing.exporting import exporting_provider
from tests.conftest import UNHURRIED, Caller, StandingClock, count

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector:
    """A real receiver of OTLP over HTTP: what it was sent so far."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.resources: list[dict[str, str]] = []
        self.paths: set[str] = set()

    def take(self, path: str, body: bytes) -> None:
        sent = ExportTraceServiceRequest.FromString(body)
        self.paths.add(path)
        for of_resource in sent.resource_spans:
            self.resources.append(_attributes(of_resource.resource))
            self.spans += [span for of_scope in of_resource.scope_spans for span in of_scope.spans]

    def named(self, name: str) -> Any:
        [span] = [span for span in self.spans if span.name == name]
        return span


def _attributes(carrier: Any) -> dict[str, str]:
    return {one.key: one.value.string_value or str(one.value.int_value) for one in carrier.attributes}


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def endpoint(collector: Collector) -> Iterator[str]:
    """Where `collector` listens."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _traced(endpoint: str, database_url: str, clock: StandingClock) -> FastAPI:
    return create_app(Settings(database_url=database_url, otlp_endpoint=endpoint, **UNHURRIED), clock)


def test_a_request_and_its_transaction_are_spans_of_one_trace(
    endpoint: str, collector: Collector, database_url: str, clock: StandingClock, new_key: Callable[..., str]
) -> None:
    key = new_key("county:13")
    with TestClient(_traced(endpoint, database_url, clock)) as http:
        answer = http.post(
            "/v1/submissions",
            json={"counts": [count("297", "2022", 5)]},
            headers={"Authorization": f"Bearer {key}", "traceparent": f"00-{TRACE}-{PARENT}-01"},
        )
        assert answer.status_code == 201
    # The end of the server sent what was left.
    request, transaction = collector.named("POST /v1/submissions"), collector.named("transaction writing")

    assert collector.paths == {"/v1/traces"}
    assert collector.resources[0]["service.name"] == "yhdessa"
    assert request.trace_id.hex() == transaction.trace_id.hex() == TRACE
    assert request.parent_span_id.hex() == PARENT
    assert transaction.parent_span_id == request.span_id
    assert _attributes(request)["http.response.status_code"] == "201"
    assert _attributes(transaction) == {"db.system.name": database_url.partition(":")[0].partition("+")[0]}
    assert request.start_time_unix_nano <= transaction.start_time_unix_nano
    assert transaction.end_time_unix_nano <= request.end_time_unix_nano


def test_a_refused_request_says_what_kind_of_thing_undid_its_transaction_and_quotes_nobody(
    endpoint: str, collector: Collector, database_url: str, clock: StandingClock, new_key: Callable[..., str]
) -> None:
    key = new_key("county:13")
    with TestClient(_traced(endpoint, database_url, clock)) as http:
        answer = http.request(
            "DELETE",
            f"/v1/session-counts/{key}/297/2022?reason=Meikalainen",
            headers={
                "Authorization": f"Bearer {key}",
                "Host": "meikalainen.example",
                "traceparent": f"00-{TRACE}-{PARENT}-01",
                "tracestate": "their=meikalainen",
            },
        )
        http.request("MEIKALAINEN", "/v1/trends")
        foreign = Caller(http, key).delete("/v1/statuses/yhdessa-aika/091/2022-01-01", reason="Meikalainen")
        assert (answer.status_code, foreign.status_code) == (422, 403)
    request = collector.named("DELETE /v1/session-counts/{practice}/{municipality}/{period}")

    undone = {_attributes(span).get("error.type") for span in collector.spans if span.name == "transaction writing"}

    # The line in the audit log about it is a transaction of its own.
    assert undone == {"NotCovered", None}
    assert {name: value for name, value in _attributes(request).items() if value == "REDACTED"}.keys() == {
        "url.path",
        "url.query",
        "server.address",
    }
    told = str(collector.spans).lower()
    assert "meikalainen" not in told
    assert key.split("_")[2].lower() not in told


def test_a_collector_that_is_away_holds_up_nobody(
    database_url: str, clock: StandingClock, new_key: Callable[..., str]
) -> None:
    key = new_key("county:13")
    # Nothing listens on the port of discard.
    with TestClient(_traced("http://127.0.0.1:9", database_url, clock)) as http:
        answer = Caller(http, key).post([count("297", "2022", 5)])

    assert answer.status_code == 201


def test_without_the_setting_nothing_is_recorded_whatever_opentelemetry_s_own_variables_say(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, collector: Collector, database_url: str, clock: StandingClock
) -> None:
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)

    with TestClient(create_app(Settings(database_url=database_url), clock)) as http:
        http.get("/v1/trends?county=13")

    assert collector.spans == []


def test_traces_without_what_sends_them_stop_the_command_and_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("YHDESSA_OTLP_ENDPOINT", "http://collector.example:4318")
    # As it is where the extra was not installed.
    monkeypatch.setitem(sys.modules, "app.tracing.exporting", None)

    ended = CliRunner().invoke(yhdessa, ["serve"])

    assert ended.exit_code == 1
    assert "install yhdessa-aika[otel]" in ended.stderr


def test_the_share_that_is_recorded_is_that_of_opentelemetry_s_own_variable(
    monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")

    provider = exporting_provider(endpoint, name="test", version="1.2.3")

    assert provider.sampler.get_description() == "AlwaysOffSampler"
    assert not provider.get_tracer("test").start_span("not recorded").is_recording()
    provider.shutdown()
