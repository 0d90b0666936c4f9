"""Clients of the app in this process, with a key of the role that they ask for."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient

import graph.events
from api.web import connection
from api.web.app import create_app
from graph.driver import Database
from graph.keys import Role
from tests.api.conftest import Line

PATIENCE = 60  # seconds until the app has its database


@contextmanager
def open_client(role: Role = "admin") -> Iterator[TestClient]:
    """A client of the store that the environment names, once it is ready."""
    app = create_app()
    with TestClient(app, headers={"X-API-Key": app.state.keys.make_own(role)}) as opened:
        end = time.monotonic() + PATIENCE
        while app.state.connection._database is None:
            assert time.monotonic() < end, "the app did not find its database"
            time.sleep(0.02)
        yield opened


def take_time(patch: pytest.MonkeyPatch) -> None:
    """Let no request fail because the machine is busy: for tests that ask much and are not about time."""
    patch.setenv("TWOHOP_RATE_LIMIT", "1000000/second")
    patch.setenv("TWOHOP_REQUEST_TIMEOUT", "300")
    patch.setenv("NEO4J_CONNECT_TIMEOUT", "60")
    patch.setattr(connection, "BUDGETS", {"acquire_timeout": 60.0, "retry_time": 30.0})
    patch.setattr(connection, "DEADLINE", 60.0)
    patch.setattr(connection, "STALE", 300.0)
    patch.setattr(graph.events, "PATIENCE", 300.0)


@contextmanager
def kept(database: Database) -> Iterator[None]:
    """What is there stays there, and what is written within goes away at the end."""

    def ids() -> list[str]:
        return [row["id"] for row in database.read("MATCH (n) RETURN elementId(n) AS id")]

    named = "MATCH (n) RETURN elementId(n) AS id, labels(n)[0] + ' ' + coalesce(n.id, n.key, '') AS name"
    names = {row["id"]: row["name"] for row in database.read(named)}

    before = ids()
    try:
        yield
    finally:
        made = set(ids()) - set(before)
        database.write("MATCH (n) WHERE elementId(n) IN $made DETACH DELETE n", {"made": list(made)})
        assert [names[one] for one in set(before) - set(ids())] == []  # what the small shop lost


@pytest.fixture
def client(shop: Line) -> Iterator[TestClient]:
    with open_client() as opened:
        yield opened
