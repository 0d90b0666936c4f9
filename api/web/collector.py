"""Where spans go: OpenTelemetry's SDK and its exporter by HTTP, set up by OTEL_* variables. Wants the extra."""

import os

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from graph.keys import LOOKS_LIKE_ONE

SENT = ("url.path", "url.query")  # attributes that hold what a client sent


class HideKeys(SpanProcessor):
    """Keys belong into a header, but somebody may put one into an address."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002  the SDK's
        for name in SENT:
            value = (span.attributes or {}).get(name)
            if isinstance(value, str) and LOOKS_LIKE_ONE.search(value):
                span.set_attribute(name, LOOKS_LIKE_ONE.sub("th_…", value))


def make_provider() -> TracerProvider:
    """A provider of its own, so that no other part of the process sends what it should not."""
    name = os.environ.get("OTEL_SERVICE_NAME", "twohop")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(HideKeys())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
