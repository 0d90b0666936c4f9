"""What the process tells of itself: one line of log a request, metrics, an id and the times in each reply."""

import logging
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from time import perf_counter
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.web.problems import problem
from graph.keys import LOOKS_LIKE_ONE

log = logging.getLogger(__name__)

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
GONE = 499  # the client went away before the reply; nginx's number for it
TIMES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
REGISTRY = CollectorRegistry()
for collector in (ProcessCollector, PlatformCollector, GCCollector):
    collector(registry=REGISTRY)

REQUESTS = Counter(
    "twohop_requests", "Requests by route, method and status", ("method", "route", "status"), registry=REGISTRY
)
SECONDS = Histogram(
    "twohop_request_seconds",
    "Time of requests: `total`, and `database`, what its statements took of that",
    ("route", "stage"),
    buckets=TIMES,
    registry=REGISTRY,
)
PATHS = Histogram(
    "twohop_paths",
    "Two-hop paths behind the items of one reply",
    buckets=(0, 1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000),
    registry=REGISTRY,
)
VARIANTS = Counter("twohop_variants", "Replies by the variant of the experiment", ("variant",), registry=REGISTRY)
FRESHNESS = Histogram(
    "twohop_freshness_seconds",
    "Time from an event to its effect on the weights of its user",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300),
    registry=REGISTRY,
)
IN_FLIGHT = Gauge("twohop_requests_in_flight", "Requests that have no reply yet", registry=REGISTRY)
CONNECTIONS = Gauge("twohop_connections", "Open connections of clients", registry=REGISTRY)
STATEMENTS = Gauge("twohop_database_statements", "Statements that the database works on", registry=REGISTRY)
DATABASE_UP = Gauge("twohop_database_up", "1 while the database answers", registry=REGISTRY)
GENERATION = Gauge("twohop_live_generation", "Id of the generation whose weights are served", registry=REGISTRY)


@dataclass
class Stages:
    """What one request did, in seconds where it is a time."""

    database: float = 0.0
    statements: int = 0


STAGES: ContextVar[Stages | None] = ContextVar("stages", default=None)


@contextmanager
def statement_time() -> Iterator[None]:
    """Time one statement, for the request that this thread works for, if any."""
    stages, start = STAGES.get(), perf_counter()
    STATEMENTS.inc()
    try:
        yield
    finally:
        STATEMENTS.dec()
        if stages is not None:
            stages.database += perf_counter() - start
            stages.statements += 1


def freshness(seconds: float) -> None:
    """An event took this long until it had its effect."""
    FRESHNESS.observe(seconds)


def served(variant: str | None = None, paths: int | None = None) -> None:
    """A reply came of this variant, and this many paths were behind it."""
    if variant is not None:
        VARIANTS.labels(variant).inc()
    if paths is not None:
        PATHS.observe(paths)


class Observe:
    """ASGI middleware around all others: the request's id and times in the reply, in the log and in the metrics.

    What nobody else answers, a bug, ends here as a 500 and one line with its traceback.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = _Observed(scope, send)
        token = STAGES.set(request.stages)
        IN_FLIGHT.inc()
        try:
            await self.app(scope, receive, request.send)
        except ClientDisconnect:
            pass  # nobody is there to answer
        except Exception:
            log.exception("a request failed", extra={"request_id": request.id, "route": _route(scope)})
            if request.status is not None:
                raise  # half a reply is out: the server cuts the connection
            await problem(HTTPStatus.INTERNAL_SERVER_ERROR, "the server failed; its log has the reason")(
                scope, receive, request.send
            )
        finally:
            IN_FLIGHT.dec()
            STAGES.reset(token)
            request.end()


class _Observed:
    """One request, from its first line to the end of its reply."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope, self.stages, self.start, self._send = scope, Stages(), perf_counter(), send
        self.id = _request_id(scope)
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            times = f"database;dur={self.stages.database * 1e3:.2f}, total;dur={self._seconds() * 1e3:.2f}"
            message["headers"] = [
                *message.get("headers", ()),
                (b"x-request-id", self.id.encode()),
                (b"server-timing", times.encode()),
            ]
        await self._send(message)

    def end(self) -> None:
        total, route = self._seconds(), _route(self.scope)
        status = self.status or GONE
        method = self.scope["method"] if self.scope["method"] in METHODS else "other"
        count, whole, database = _children(method, route, status)
        count.inc()
        whole.observe(total)
        database.observe(self.stages.database)
        state = self.scope.get("state") or {}
        log.info(
            "request",
            extra={
                "method": method,
                "route": route,
                "status": status,
                "ms": round(total * 1e3, 2),
                "database_ms": round(self.stages.database * 1e3, 2),
                "statements": self.stages.statements,
                "key": state.get("key"),
                "request_id": self.id,
            },
        )

    def _seconds(self) -> float:
        return perf_counter() - self.start


@cache
def _children(method: str, route: str, status: int) -> tuple[Counter, Histogram, Histogram]:
    return REQUESTS.labels(method, route, status), SECONDS.labels(route, "total"), SECONDS.labels(route, "database")


def _request_id(scope: Scope) -> str:
    """The client's, where it is safe to repeat; else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given: str = value.decode("latin-1")
            if REQUEST_ID.fullmatch(given) and not LOOKS_LIKE_ONE.search(given):
                return given
    return secrets.token_hex(8)


def _route(scope: Scope) -> str:
    """The route's template, never the path itself: there are few of them, and they hold nobody's id."""
    path: str | None = getattr(scope.get("route"), "path_format", None)
    return path or "none"


def log_config() -> dict[str, Any]:
    """Logging of the web process: JSON, one object a line, on stderr."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
                "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
                "datefmt": "%Y-%m-%dT%H:%M:%S%z",
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            "uvicorn.access": {"handlers": [], "propagate": False},  # it would tell whole addresses
            "neo4j": {"propagate": False},  # what it logs it also raises
            "httpx": {"level": "WARNING"},
        },
    }
