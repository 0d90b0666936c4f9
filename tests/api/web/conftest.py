"""Clients of the app in this process, with a key of the role that they ask for."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient

from api.web.app import create_app
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


@pytest.fixture
def client(shop: Line) -> Iterator[TestClient]:
    with open_client() as opened:
        yield opened
