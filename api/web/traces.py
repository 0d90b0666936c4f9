"""Traces by OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT names a collector and the extra `traces` is there."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

log = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
MISSING = "%s is set, but no traces are sent: install the extra first (pip install 'twohop[traces]')"


class Traces:
    """The spans of one app: FastAPI's own of each request, and one of each statement within it."""

    def __init__(self) -> None:
        self._provider = _provider()
        self._tracer = self._provider.get_tracer("twohop") if self._provider else None

    @property
    def on(self) -> bool:
        return self._provider is not None

    @property
    def config(self) -> TelemetryConfig:
        """What FastAPI is to trace. Its metrics and logs stay off: `api.web.observe` has them."""
        config = TelemetryConfig(tracing=self.on, metrics=False, logs=False, auto_configure=False)
        if self._provider is not None:
            config["tracer_provider"] = self._provider
        return config

    @contextmanager
    def statement(self) -> Iterator[None]:
        """A span around one statement of a request that is traced."""
        if self._tracer is None or not trace.get_current_span().is_recording():
            yield
            return
        attributes = {"db.system.name": "neo4j"}
        with self._tracer.start_as_current_span("statement", kind=trace.SpanKind.CLIENT, attributes=attributes):
            yield

    def close(self) -> None:
        """Send what is left; waits as long as the exporter's own time-out."""
        if self._provider is not None:
            self._provider.shutdown()


def _provider() -> "TracerProvider | None":
    named = next((name for name in ENDPOINTS if os.environ.get(name)), None)
    if named is None:
        return None
    try:
        from api.web.collector import make_provider  # noqa: PLC0415  its imports are optional
    except ImportError:
        log.warning(MISSING, named)
        return None
    return make_provider()
