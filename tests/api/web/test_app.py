"""The REST API on a real database."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import neo4j
import pytest
from fastapi.testclient import TestClient

from graph.driver import Database
from tests.api.conftest import answer
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


def test_the_web_process_never_imports_torch() -> None:
    heavy = {"torch", "polars", "torch_geometric", "transformers", "loaders"}
    code = f"import sys, api.web.app; print(*sorted({heavy} & set(sys.modules)))"
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


@pytest.mark.usefixtures("shop")
def test_serve_until_ctrl_c() -> None:
    process = start("serve", "--port", "0")
    assert process.stderr
    told = next(line for line in process.stderr if "running on" in line)
    address = next(word for word in told.split() if word.startswith("http://127.0.0.1:"))
    assert httpx.get(f"{address}/health/live").json() == {"status": "up"}
    assert httpx.get(f"{address}/users/u01/recommendations").json()["user"] == "u01"
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in rest
