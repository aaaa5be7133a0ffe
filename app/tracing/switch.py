"""Traces, switched on by a setting; without it nothing of OpenTelemetry's SDK is loaded."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi.telemetry import TelemetryConfig
from opentelemetry.trace import NoOpTracerProvider, Tracer, TracerProvider

NAME = "yhdessa"


class TracingNotInstalled(Exception):
    """Traces are switched on and the packages that send them are not there."""


@dataclass(frozen=True, slots=True)
class Tracing:
    """What spans are made with, and how the last ones are sent at the end."""

    provider: TracerProvider
    stop: Callable[[], None]

    @property
    def tracer(self) -> Tracer:
        """What makes the spans of our own."""
        return self.provider.get_tracer(NAME)

    @property
    def of_requests(self) -> TelemetryConfig:
        """What FastAPI is to record: a span for each request, and no more.

        Its logs would quote exceptions, which may quote what was sent; Prometheus has the metrics.
        """
        recorded = not isinstance(self.provider, NoOpTracerProvider)
        return {
            "tracer_provider": self.provider,
            "tracing": recorded,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        }


def tracing_to(endpoint: str | None, *, version: str) -> Tracing:
    """Traces that are sent to `endpoint` by OTLP over HTTP, as http://collector:4318; None sends none.

    Raises:
        TracingNotInstalled: the extra `otel` is not installed.
    """
    if endpoint is None:
        return Tracing(NoOpTracerProvider(), stop=lambda: None)
    try:
        # The extra need not be there.
        from app.tracing.exporting import exporting_provider
    except ImportError as error:
        raise TracingNotInstalled(
            "YHDESSA_OTLP_ENDPOINT is set, and what sends traces is not installed; install yhdessa-aika[otel]"
        ) from error
    provider = exporting_provider(endpoint, name=NAME, version=version)
    return Tracing(provider, stop=provider.shutdown)
