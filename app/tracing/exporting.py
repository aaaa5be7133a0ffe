"""Spans that are sent, without what a caller wrote; imported only if traces are switched on."""

from typing import Any

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Sampler, SamplingResult

TIMEOUT_SECONDS = 3
"""How long a collector may take; the end of the server waits for the last spans no longer than that."""

WITHHELD = "REDACTED"

# An address holds reasons and, by mistake, keys; http.route says the same without them.
_WRITTEN_BY_CALLERS = ("url.path", "url.query", "server.address", "http.request.method_original")


class _WithoutCallersWords(SpanProcessor):
    """Takes out of each span what a caller wrote, before anything else sees it."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        for name in _WRITTEN_BY_CALLERS:
            if name in (span.attributes or {}):
                span.set_attribute(name, WITHHELD)


class _WithoutCallersState(Sampler):
    """Decides as `sampler` does, and leaves out the text that a caller's own tracing sends along (tracestate)."""

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler

    def should_sample(self, *about: Any, **more: Any) -> SamplingResult:
        """Whether a span is recorded; whatever it is about is for `sampler` alone to know."""
        decided = self.sampler.should_sample(*about, **more)
        return SamplingResult(decided.decision, decided.attributes)

    def get_description(self) -> str:
        """That of `sampler`."""
        return self.sampler.get_description()


def exporting_provider(endpoint: str, *, name: str, version: str) -> TracerProvider:
    """What makes spans that are sent to `endpoint` in the background; a collector that is away holds up no request."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": name, "service.version": version}), shutdown_on_exit=False
    )
    provider.sampler = _WithoutCallersState(provider.sampler)
    provider.add_span_processor(_WithoutCallersWords())
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=TIMEOUT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter, export_timeout_millis=TIMEOUT_SECONDS * 1000))
    return provider
