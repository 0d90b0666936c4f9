"""Clients of the app in this process, with a key of the role that they ask for."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient

import graph.events
from api.options import EngineName
from api.web import connection
from api.web.app import create_app
from graph.driver import Database
from graph.keys import Role
from tests.api.conftest import Line

PATIENCE = 60  # seconds until the app has its database


@contextmanager
def open_client(role: Role = "admin", engine: EngineName = "cypher") -> Iterator[TestClient]:
    """A client of the store that the environment names, once it is ready."""
    app = create_app(engine=engine)
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


NODES = "MATCH (n) RETURN elementId(n) AS id, labels(n) AS labels, properties(n) AS properties"
EDGES = """
MATCH (a)-[r]->(b) RETURN elementId(r) AS id, type(r) AS type, elementId(a) AS a, elementId(b) AS b,
                          properties(r) AS properties
"""
DROP_NODES = "UNWIND $ids AS id MATCH (n) WHERE elementId(n) = id DETACH DELETE n"
DROP_EDGES = "UNWIND $ids AS id MATCH ()-[r]->() WHERE elementId(r) = id DELETE r"
RESTORE_NODES = "UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row.id SET n = row.properties"
RESTORE_EDGES = """
UNWIND $rows AS row
MATCH (a) WHERE elementId(a) = row.a
MATCH (b) WHERE elementId(b) = row.b
CREATE (a)-[r:$(row.type)]->(b)
SET r = row.properties
"""


@contextmanager
def kept(database: Database) -> Iterator[None]:
    """At the end the graph is as it was: what was written is gone, what was changed or unlinked is put back."""
    nodes, edges = database.read(NODES), database.read(EDGES)
    try:
        yield
    finally:
        ids = {row["id"] for row in nodes}
        database.write(DROP_NODES, {"ids": [row["id"] for row in database.read(NODES) if row["id"] not in ids]})
        now = {row["id"]: row for row in database.read(NODES)}
        assert [row["properties"].get("id") for row in nodes if row["id"] not in now] == []  # what the small shop lost
        assert [row["labels"] for row in nodes if now[row["id"]]["labels"] != row["labels"]] == []
        database.write(RESTORE_NODES, {"rows": [row for row in nodes if now[row["id"]] != row]})
        now = {row["id"]: row for row in database.read(EDGES)}
        stay = {row["id"] for row in edges if now.get(row["id"]) == row}
        database.write(DROP_EDGES, {"ids": list(now.keys() - stay)})
        database.write(RESTORE_EDGES, {"rows": [row for row in edges if row["id"] not in stay]})


@pytest.fixture
def unchanged(shop: Line, database: Database) -> Iterator[None]:
    """The graph is after the test as it was before."""
    with kept(database):
        yield


@pytest.fixture
def client(shop: Line) -> Iterator[TestClient]:
    with open_client() as opened:
        yield opened
