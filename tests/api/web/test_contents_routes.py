"""Contents over HTTP: ranked as the command ranks them, and what is refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from graph.driver import Database
from tests.api.conftest import Line, answer
from tests.api.shop_intents import linked_intents

GIVEN = {"grill": ["g00", "g01"], "office": ["g59"], "nothing": []}


@pytest.fixture(scope="module", autouse=True)
def linked(line: Line, database: Database) -> Iterator[Database]:
    with linked_intents(line, database) as opened:
        opened.write("CREATE (:User {id: 'zz-new'})")
        yield opened
        opened.write("MATCH (u:User {id: 'zz-new'}) DETACH DELETE u")


def test_shelves_are_ranked_as_by_the_command(client: TestClient) -> None:
    for embedding in ("intent", "baseline"):
        told = client.post("/contents/rank", json={"user": "u00", "embedding": embedding, "k": 3})
        assert told.status_code == 200
        assert told.json() == answer("contents", "rank", "u00", "--embedding", embedding, "-n", "3")
    assert told.json()["contents"][0]["id"] == "Grill"


def test_contents_of_ones_own(client: TestClient, tmp_path: Path) -> None:
    told = client.post("/contents/rank", json={"user": "u00", "contents": GIVEN}).json()
    assert [(one["id"], one["items"]) for one in told["contents"]] == [("grill", 2), ("office", 1)]
    assert told["contents"][0]["score"] > told["contents"][1]["score"]
    file = tmp_path / "contents.json"
    file.write_text(json.dumps(GIVEN))
    assert told == answer("contents", "rank", "u00", "--contents", str(file))
    one = client.post("/contents/rank", json={"user": "u00", "contents": GIVEN, "k": 1}).json()["contents"]
    assert one == told["contents"][:1]


def test_a_user_who_had_nothing(client: TestClient) -> None:
    told = client.post("/contents/rank", json={"user": "zz-new"}).json()
    assert told == {"user": "zz-new", "embedding": "intent", "contents": []}


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({"user": "nobody"}, 404, "user 'nobody' is not in the graph"),
        (
            {"user": "u00", "contents": {"a": ["g00", "x"], "b": ["y", "x"]}},
            422,
            "not in the graph: item 'x', 'y'",
        ),
        (
            {"user": "u00", "contents": {"a": [f"x{number}" for number in range(9)]}},
            422,
            "not in the graph: item 'x0', 'x1', 'x2', 'x3', 'x4' and 4 more",
        ),
        ({}, 422, "user: Field required"),
        ({"user": ""}, 422, "user: String should have at least 1 character"),
        ({"user": "a\0"}, 422, "user: control characters are not allowed"),
        ({"user": 7}, 422, "user: Input should be a valid string"),
        ({"user": "u00", "k": "7"}, 422, "k: Input should be a valid integer"),
        ({"user": "u00", "k": 0}, 422, "k: Input should be greater than or equal to 1"),
        ({"user": "u00", "embedding": "best"}, 422, "embedding: Input should be 'intent' or 'baseline'"),
        ({"user": "u00", "contents": {}}, 422, "contents: Dictionary should have at least 1 item"),
        ({"user": "u00", "shelves": {}}, 422, "shelves: Extra inputs are not permitted"),
        ({"user": "u00", "contents": {"a": ["g00"] * 1001}}, 422, "a: List should have at most 1000 items"),
    ],
)
def test_problems(client: TestClient, body: dict[str, Any], status: int, detail: str) -> None:
    response = client.post("/contents/rank", json=body)
    assert response.status_code == status
    assert response.json()["detail"].startswith(detail)


def test_too_many_items_in_all(client: TestClient) -> None:
    contents = {f"c{number}": ["g00"] * 1000 for number in range(11)}
    response = client.post("/contents/rank", json={"user": "u00", "contents": contents})
    assert response.status_code == 422
    assert "more than 10,000 items in all: send fewer at a time" in response.json()["detail"]


def test_without_embeddings(client: TestClient, linked: Database) -> None:
    linked.write("MATCH (n:BrowseNode) WHERE n.embedding IS NOT NULL SET n.away = n.embedding REMOVE n.embedding")
    try:
        response = client.post("/contents/rank", json={"user": "u00"})
    finally:
        linked.write("MATCH (n:BrowseNode) WHERE n.away IS NOT NULL SET n.embedding = n.away REMOVE n.away")
    assert response.status_code == 503
    assert response.json()["detail"] == "no browse node has an embedding: run twohop intents link"
