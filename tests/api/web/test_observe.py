"""Request ids, the log, metrics and traces."""

import json
import logging
import logging.config
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families

from api.web import observe
from api.web.app import create_app
from graph.keys import new_key
from graph.settings import Settings
from tests.api.conftest import Line
from tests.api.web.conftest import open_client

REPOSITORY = Path(__file__).parents[3]
ROUTE = "/users/{user}/recommendations"


def alone() -> TestClient:
    """An app whose database is not there."""
    app = create_app(Settings(_env_file=None, neo4j_uri="bolt://127.0.0.1:9"))
    return TestClient(app, headers={"X-API-Key": app.state.keys.make_own("read")})


# Request ids


@pytest.mark.parametrize("given", ["a", "order-17.retry_2", "x" * 64])
def test_a_safe_request_id_comes_back(given: str) -> None:
    assert alone().get("/health/live", headers={"X-Request-ID": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\x1b[2J", "{}", "a,b"])
def test_any_other_one_is_replaced(given: str) -> None:
    told = alone().get("/health/live", headers={"X-Request-ID": given}).headers["x-request-id"]
    assert observe.REQUEST_ID.fullmatch(told)
    assert told != given


def test_each_request_has_its_own_id_also_when_it_fails() -> None:
    client = alone()
    ids = [client.get(path).headers["x-request-id"] for path in ("/health/live", "/nowhere", "/users", "/health/ready")]
    assert len(set(ids)) == 4


# The log


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    """What the log has got so far, as `twohop serve` writes it."""
    config = observe.log_config()
    arguments = dict(config["formatters"]["json"])
    arguments.pop("()")
    from pythonjsonlogger.json import JsonFormatter

    formatter = JsonFormatter(arguments.pop("fmt"), **arguments)
    caplog.set_level(logging.INFO)
    return lambda: [formatter.format(record) for record in caplog.records if record.name.startswith("api.")]


def test_one_line_a_request(lines: Any, client: TestClient) -> None:
    before = len(lines())
    response = client.get("/users/u01/recommendations", params={"k": 3}, headers={"X-Request-ID": "mine"})
    assert response.status_code == 200
    (line,) = [json.loads(line) for line in lines()[before:]]
    assert line["logger"] == "api.web.observe"
    told = {name: line[name] for name in ("method", "route", "status", "request_id")}
    assert told == {"method": "GET", "route": ROUTE, "status": 200, "request_id": "mine"}
    assert 0 < line["database_ms"] < line["ms"]
    assert line["statements"] >= 1
    assert line["key"] in client.app.state.keys._own  # type: ignore[attr-defined]
    assert {"time", "level", "message"} <= set(line)


def test_the_log_has_no_key_wherever_somebody_put_it(lines: Any) -> None:
    client, (_, other) = alone(), new_key()
    own = client.headers["X-API-Key"]
    for key in (own, other):
        client.get("/users/1/recommendations", headers={"X-API-Key": key})
        client.get(f"/users/{key}/recommendations?key={key}")
        client.get(f"/{key}?key={key}", headers={"X-Request-ID": key, "Cookie": key, "Authorization": key})
        client.post("/events", json={"key": key}, headers={"X-API-Key": key})
    text = "\n".join(lines())
    assert "request" in text
    for key in (own, other):
        assert key.split("_", 2)[2] not in text


def test_a_bug_is_one_problem_and_one_line_with_its_traceback(lines: Any) -> None:
    client = alone()

    async def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    client.app.state.rates.count = broken  # type: ignore[attr-defined]
    response = client.get("/users/1/recommendations")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"]
    assert "bug" not in response.text
    failed = [json.loads(line) for line in lines() if "exc_info" in line]
    assert len(failed) == 1
    assert "ZeroDivisionError: a bug" in failed[0]["exc_info"]
    assert failed[0]["request_id"] == response.headers["x-request-id"]


# Metrics


def samples(client: TestClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(response.text)
        for one in family.samples
    }


def test_metrics_tell_of_requests_and_of_the_database(client: TestClient) -> None:
    def counts() -> list[float]:
        found = samples(client)
        labels = ("method", "GET"), ("route", ROUTE), ("status", "200")
        stages = [("twohop_request_seconds_count", (("route", ROUTE), ("stage", stage))) for stage in STAGES]
        return [found.get(key, 0) for key in [("twohop_requests_total", labels), *stages]]

    before = counts()
    for _ in range(3):
        assert client.get("/users/u01/recommendations").status_code == 200
    assert client.get("/users/nobody/recommendations").status_code == 404
    assert [after - earlier for after, earlier in zip(counts(), before, strict=True)] == [3, 4, 4]
    found = samples(client)
    assert found["twohop_database_up", ()] == 1
    assert found["twohop_live_generation", ()] >= 1
    assert found["twohop_database_statements", ()] == 0
    assert found["twohop_requests_in_flight", ()] == 1  # this one
    of_database, whole = (
        found["twohop_request_seconds_sum", (("route", ROUTE), ("stage", stage))] for stage in ("database", "total")
    )
    assert 0 < of_database < whole


STAGES = ("total", "database")


def test_metrics_without_a_database() -> None:
    found = samples(alone())
    assert found["twohop_database_up", ()] == 0
    assert found["twohop_live_generation", ()] == 0


def test_freshness_paths_and_variants_are_counted() -> None:
    client = alone()
    names = (
        ("twohop_freshness_seconds_count", ()),
        ("twohop_paths_sum", ()),
        ("twohop_variants_total", (("variant", "x"),)),
    )
    before = [samples(client).get(name, 0.0) for name in names]
    observe.freshness(0.2)
    observe.served("x", 7)
    observe.served()
    after = [samples(client)[name] for name in names]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 7, 1]


def test_routes_in_metrics_are_templates() -> None:
    client = alone()
    for number in range(5):
        client.get(f"/users/secret-{number}/history")
        client.get(f"/secret-{number}")
        client.request(f"SECRET{number}", "/users")
    text = client.get("/metrics").text
    assert "secret" not in text.lower()


def test_server_timing(client: TestClient) -> None:
    told = client.get("/users/u01/recommendations").headers["server-timing"]
    names, times = zip(*(part.split(";dur=") for part in told.split(", ")), strict=True)
    assert names == ("database", "total")
    assert 0 < float(times[0]) < float(times[1])


# Traces


class Collector(HTTPServer):
    """Takes OTLP by HTTP, as a collector does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Take)
        self.spans: list[Span] = []
        self.services: set[str] = set()


class Take(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
        for resource in sent.resource_spans:
            self.server.services |= {
                one.value.string_value for one in resource.resource.attributes if one.key == "service.name"
            }
            self.server.spans += [span for scope in resource.scope_spans for span in scope.spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        yield server
        server.shutdown()


def test_traces_go_to_the_collector(collector: Collector, shop: Line) -> None:
    (_, key), parent = new_key(), "0af7651916cd43dd8448eb211c80319c"
    with open_client("read") as client:
        response = client.get(
            f"/users/u01/recommendations?key={key}", headers={"traceparent": f"00-{parent}-b7ad6b7169203331-01"}
        )
        assert response.status_code in (200, 422)  # an unknown parameter may be refused
        client.get("/users/u01/recommendations", headers={"traceparent": f"00-{parent}-b7ad6b7169203331-01"})
    assert collector.services == {"twohop"}
    ours = [span for span in collector.spans if span.trace_id.hex() == parent]
    names = [span.name for span in ours]
    assert names.count(f"GET {ROUTE}") == 2
    statements = [span for span in ours if span.name == "statement"]
    assert statements
    by_id = {span.span_id: span for span in ours}
    for span in statements:
        assert {one.key: one.value.string_value for one in span.attributes}["db.system.name"] == "neo4j"
        assert by_id[span.parent_span_id].name == "fastapi.endpoint"
    assert key.split("_", 2)[2] not in str(collector.spans)


def test_without_the_extra_one_line_says_what_to_install() -> None:
    code = """
import logging, sys
for name in ("opentelemetry.sdk", "opentelemetry.exporter"):
    sys.modules[name] = None
logging.basicConfig(format="%(message)s")
from api.web.app import create_app
from graph.settings import Settings
create_app(Settings(_env_file=None, neo4j_uri="bolt://127.0.0.1:9"))
"""
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert done.stderr == (
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, but no traces are sent: "
        "install the extra first (pip install 'twohop[traces]')\n"
    )


def test_without_a_collector_nothing_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    code = "import sys, api.web.app; print('opentelemetry.sdk' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
