"""The REST API on a real database."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import neo4j
import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from api.web.app import create_app
from api.web.routing import Route
from graph.driver import Database
from graph.keys import create_key, list_keys, revoke_key
from graph.settings import Settings
from tests.api.conftest import Line, answer, refused
from tests.api.test_command import start

REPOSITORY = Path(__file__).parents[3]


def test_recommendations_are_those_of_the_command(client: TestClient) -> None:
    plain = client.get("/users/u01/recommendations", params={"k": 5})
    assert (plain.status_code, plain.json()) == (200, answer("recommend", "u01", "-n", "5"))
    explained = client.get(
        "/users/u01/recommendations", params={"explain": True, "m": 3, "neighbours": 5, "repeats": True}
    )
    assert explained.json() == answer("recommend", "u01", "--explain", "-m", "3", "-k", "5", "--repeats")


def test_explanations_and_similar_items(client: TestClient) -> None:
    best = answer("recommend", "u01")["items"][0]["id"]
    assert client.get(f"/users/u01/explanations/{best}").json() == answer("explain", "u01", best)
    assert client.get("/items/g07/similar", params={"k": 3}).json() == answer("similar", "g07", "-n", "3")


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/users/nobody/recommendations", 404, "user 'nobody' is not in the graph"),
        ("/users/a%2Fb/recommendations", 404, "user 'a/b' is not in the graph"),
        ("/users/u01/explanations/nothing", 404, "item 'nothing' is not in the graph"),
        ("/items/nothing/similar", 404, "item 'nothing' is not in the graph"),
        ("/nowhere", 404, "Not Found"),
        ("/users/u01/recommendations?n=5", 422, "n: no such parameter here"),
        ("/health/live?n=5", 422, "n: no such parameter here"),
        ("/users/u01/recommendations?k=5&k=6", 422, "k: give it once"),
        ("/users/a%0Ab", 422, "path: control characters are not allowed"),
        ("/users/u01/recommendations?k=0", 422, "k: Input should be greater than or equal to 1"),
    ],
)
def test_problems(client: TestClient, path: str, status: int, detail: str) -> None:
    response = client.get(path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert set(told) - {"errors"} == {"type", "title", "status", "detail"}
    assert (told["status"], told["detail"]) == (status, detail)


def test_without_live_weights(client: TestClient, database: Database) -> None:
    database.write("MATCH (s:Serving {id: 'weights'}) SET s.id = 'away'")
    try:
        response = client.get("/users/u01/recommendations")
    finally:
        database.write("MATCH (s:Serving {id: 'away'}) SET s.id = 'weights'")
    assert response.status_code == 503
    assert "twohop index" in response.json()["detail"]


def test_a_database_that_went_away(client: TestClient) -> None:
    """The driver's real failure, on a port where nothing listens; the address is for the log, not for the web."""
    address = "bolt://127.0.0.1:9"
    with neo4j.GraphDatabase.driver(address, max_transaction_retry_time=0.1) as driver:
        connection = client.app.state.connection  # type: ignore[attr-defined]
        connection._database = Database(driver, "neo4j", address)
        response = client.get("/users/u01/recommendations")
        health = client.get("/health/live")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert response.json()["detail"] == "the database does not answer"
    assert (health.status_code, health.json()) == (200, {"status": "up"})


def test_it_starts_without_its_database_and_says_so() -> None:
    app = create_app(Settings(_env_file=None, neo4j_uri="bolt://127.0.0.1:9"))
    with TestClient(app, headers={"X-API-Key": app.state.keys.make_own("admin")}) as client:
        assert client.get("/health/live").json() == {"status": "up"}
        for path in ("/health/ready", "/users/u01/recommendations", "/generations"):
            begun = time.monotonic()
            response = client.get(path)
            assert time.monotonic() - begun < 1
            assert (response.status_code, response.headers["retry-after"]) == (503, "5")
            assert response.headers["content-type"] == "application/problem+json"


def test_it_is_ready_by_itself(client: TestClient) -> None:
    assert client.get("/health/ready").json() == {"status": "ready"}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/users/1/history", "GET"),
        ("DELETE", "/items/1/similar", "GET"),
        ("OPTIONS", "/users/1", "DELETE, GET, PATCH, PUT"),
        ("DELETE", "/events", "POST"),
    ],
)
def test_a_path_belongs_to_one_template(method: str, path: str, allowed: str) -> None:
    """Ids may hold slashes: a wrong method must not fall through to a user of the id `1/history`."""
    app = create_app(Settings(_env_file=None, neo4j_uri="bolt://127.0.0.1:9"))
    client = TestClient(app, headers={"X-API-Key": app.state.keys.make_own("admin")})
    response = client.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allowed)
    assert response.headers["content-type"] == "application/problem+json"


def test_every_route_has_limits_and_a_strict_body() -> None:
    app = create_app(Settings(_env_file=None, neo4j_uri="bolt://127.0.0.1:9"))
    routes = [route.original_route for route in iter_route_contexts(app.routes)]
    made_by_fastapi = {route.path for route in routes if not isinstance(route, Route)}
    assert made_by_fastapi == {"/docs", "/openapi.json"}


def test_the_web_process_never_imports_torch() -> None:
    heavy = {"torch", "polars", "torch_geometric", "transformers", "loaders"}
    code = f"import sys, api.web.app; print(*sorted({heavy} & set(sys.modules)))"
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


# twohop serve


@contextmanager
def serving(*words: str, **environment: str) -> Iterator[tuple[str, str, subprocess.Popen[str]]]:
    """(address, key, process) of `twohop serve` on a free port."""
    process = start("serve", "--port", "0", *words, **environment)
    assert process.stdout
    try:
        address, _, key = process.stdout.readline().removeprefix("Window: ").strip().partition("/#key=")
        yield address, key, process
    finally:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("shop")
def test_serve_until_ctrl_c() -> None:
    with serving() as (address, key, process):
        assert httpx.get(f"{address}/health/live").json() == {"status": "up"}
        assert httpx.get(f"{address}/users/u01/recommendations").status_code == 401
        with httpx.Client(base_url=address, headers={"X-API-Key": key}) as client:
            wait_until(lambda: client.get("/health/ready").status_code == 200)
            assert client.get("/users/u01/recommendations").json()["user"] == "u01"
            assert client.post("/generations/rollback").status_code == 403  # the key may write, no more
        process.send_signal(signal.SIGINT)
        rest, log = process.communicate(timeout=60)
    assert process.returncode == 0
    assert rest == ""
    assert key.startswith("th_")
    assert key not in log
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert "/users/{user}/recommendations" in {line.get("route") for line in lines}


def wait_until(done: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def test_serve_for_others_wants_a_stored_key(shop: Line, database: Database) -> None:
    for stored in list_keys(database):
        revoke_key(database, stored.id)
    assert "twohop keys create" in refused("serve", "--host", "0.0.0.0", "--port", "0")  # noqa: S104
    key_id, key = create_key(database, "a shop", "read")
    try:
        process = start("serve", "--host", "0.0.0.0", "--port", "0")  # noqa: S104
        assert process.stdout
        line = process.stdout.readline()
        assert "key" not in line
        address = line.removeprefix("Window: ").strip().replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        ready = {"X-API-Key": key}
        wait_until(lambda: httpx.get(f"{address}users", headers=ready).status_code == 200)
        process.kill()
        process.wait()
    finally:
        revoke_key(database, key_id)


@pytest.mark.usefixtures("shop")
def test_serve_on_a_port_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = refused("serve", "--port", str(taken.getsockname()[1]))
    assert "Address already in use" in told
    assert "--port" in told
