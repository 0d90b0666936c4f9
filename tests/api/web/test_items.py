"""The reading routes of items on the small shop, and items that are not available on every route that lists any."""

import csv
from collections.abc import Iterator
from datetime import datetime

import pytest
from fastapi.testclient import TestClient

from cypher.item_complements import item_complements
from cypher.user_complements import user_complements
from graph.driver import Database
from tests.api.conftest import ITEMS, Line, answer

# An item of the very top of every list, and a user and an item that lead to it in every way.
OFFERED = """
MATCH (s:Serving {id: 'weights'})
MATCH (u:User {id: 'u01'})-[:INTERACTED]->(had:Item)
MATCH (group:BrowseNode {id: 'Baking'})
WITH s, group, collect(had) AS all
CREATE (zz:Item {id: 'zz-offered', title: 'zzword', available: true, price: 1.0, popularity: 1000000,
                 created: datetime('2999-01-01')})-[:IN_CATEGORY]->(group)
WITH s, group, all, zz
UNWIND all AS had
CREATE (had)-[:SIMILAR {trigger: had.id, generation: s.generation, rank: 1, weight: 1000.0}]->(zz)
WITH DISTINCT zz, group
MERGE (state:Serving {id: 'intents'})
  ON CREATE SET state.zz = true, state.tree = 'small-shop', state.now = 0, state.covered_days = 28, state.lambda = 1.0,
                state.tau = 1.0, state.alpha = 2.0, state.epsilon = 2.7
CREATE (node:BrowseNode {id: 'zz-node', name: 'zz', tree: state.tree}), (zz)-[:IN_CATEGORY]->(node)
CREATE (intent:Intent {id: 'zz-intent', sentence: 'buy zz'})-[:NEEDS {rank: 1, score: 1.0}]->(node)
CREATE (group)-[:COMPLEMENTS {intent: 'zz-intent', score: 9.0, rank: 1}]->(node)
WITH intent
CREATE (:User {id: 'zz-user'})-[:PURSUES {rank: 1, categories: [], activeness: 1, first_time: datetime(),
                                           last_time: datetime({epochSeconds: 0})}]->(intent)
"""
TAKEN_AWAY = """
MATCH (n) WHERE n.id STARTS WITH 'zz-' OR n.zz DETACH DELETE n
"""
LISTS = {
    "/users/u01/recommendations?k=3": ("items",),
    "/users/zz-user/recommendations?k=3": ("items",),
    "/users/zz-user/complements": ("items",),
    "/items": ("items",),
    "/items?category=Baking": ("items",),
    "/items?order=newest": ("items",),
    "/items?q=zzword": ("items",),
}


def ids(document: dict[str, list[dict[str, str]]]) -> list[str]:
    return [one["id"] for one in document["items"]]


@pytest.fixture
def offered(client: TestClient, database: Database) -> Iterator[TestClient]:
    database.write(OFFERED)
    try:
        yield client
    finally:
        database.write(TAKEN_AWAY)


def test_unavailable_items_are_in_no_list(offered: TestClient, database: Database) -> None:
    [row] = database.read("MATCH (:User {id: 'u01'})-[:INTERACTED]->(i) RETURN i.id AS id ORDER BY id LIMIT 1")
    paths = [*LISTS, f"/items/{row['id']}/similar", "/items/g16/complements"]
    sessions = ({"items": [row["id"]]}, {"items": []})

    # Plans are made once, which takes longer than a request may where much else runs.
    user_complements(database, "zz-user")
    item_complements(database, "g16")

    def listed() -> list[str]:
        found = [path for path in paths if "zz-offered" in ids(offered.get(path).json())]
        return found + [
            str(body) for body in sessions
            if "zz-offered" in ids(offered.post("/sessions/recommendations", json=body).json())
        ]  # fmt: skip

    assert listed() == [*paths, *map(str, sessions)]
    database.write("MATCH (i:Item {id: 'zz-offered'}) SET i.available = false")
    assert listed() == []
    assert offered.get("/items/zz-offered").json()["available"] is False


def test_an_item_has_its_categories(client: TestClient) -> None:
    told = client.get("/items/g16").json()
    assert {name: told[name] for name in ("id", "title", "brand", "price", "available", "profile", "categories")} == {
        "id": "g16", "title": "Baking [no. g16]", "brand": "b1", "price": 16.0, "available": True, "profile": {},
        "categories": [{"id": "Baking", "name": "Baking", "path": "Baking"}],
    }  # fmt: skip


def test_popular_items_have_the_most_buyers(client: TestClient) -> None:
    items = client.get("/items", params={"k": 1000}).json()["items"]
    assert len(items) == ITEMS
    assert items == sorted(items, key=lambda one: (-one["popularity"], one["id"]))
    assert client.get("/items", params={"order": "popular", "k": 3}).json()["items"] == items[:3]
    dear = client.get("/items", params={"min_price": 50, "max_price": 54, "exclude": "g51", "k": 1000}).json()
    assert sorted(ids(dear)) == ["g50", "g52", "g53", "g54"]


def test_the_newest_items_were_had_last_for_the_first_time(client: TestClient, shop: Line) -> None:
    with (shop.folder / "orders.csv").open(newline="") as stream:
        orders = [row for row in csv.DictReader(stream) if row["ordered"] != "yesterday"]
    last = {row["customer"]: row["ordered"] for row in orders}  # held out
    first: dict[str, datetime] = {}
    for row in orders:
        if row["ordered"] != last[row["customer"]]:
            time = datetime.fromisoformat(row["ordered"])
            first[row["sku"]] = min(time, first.get(row["sku"], time))
    items = client.get("/items", params={"order": "newest", "k": 1000}).json()["items"]
    assert {one["id"]: datetime.fromisoformat(one["created"]) for one in items} == first
    assert items == sorted(items, key=lambda one: one["created"], reverse=True)
    baking = client.get("/items", params={"order": "newest", "k": 4, "category": "Baking"}).json()["items"]
    assert baking == [one for one in items if one["title"].startswith("Baking")][:4]


def test_items_are_found_by_words(client: TestClient) -> None:
    assert ids(client.get("/items", params={"q": "baking g16"}).json()) == ["g16"]
    found = client.get("/items", params={"q": "bak", "order": "newest", "k": 1000}).json()
    newest = client.get("/items", params={"category": "Baking", "order": "newest", "k": 1000}).json()
    assert found == newest
    found = client.get("/items", params={"q": "bak", "order": "popular", "k": 5, "max_price": 20}).json()
    assert found == client.get("/items", params={"category": "Baking", "k": 5, "max_price": 20}).json()
    assert client.get("/items", params={"q": "nothing AND \"'\\ \x00\ud7ff*:~^"}).json() == {"items": []}
    assert client.get("/items", params={"q": "x" * 201}).status_code == 422


def test_similar_items_take_filters(client: TestClient) -> None:
    every = client.get("/items/g20/similar", params={"k": 1000}).json()
    assert every == answer("similar", "g20", "-n", "1000")
    some = client.get("/items/g20/similar", params={"k": 2, "min_price": 22, "exclude": every["items"][0]["id"]}).json()
    assert some["items"] == [one for one in every["items"][1:] if int(one["id"][1:]) >= 22][:2]
    none = client.get("/items/g20/similar", params={"min_price": 1000}).json()
    assert none == every | {"items": []}


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/items/no/thing", "item 'no/thing' is not in the graph"),
        ("/items/no/thing/similar", "item 'no/thing' is not in the graph"),
        ("/items/nothing/complements", "item 'nothing' is not in the graph"),
        ("/items?category=Nowhere", "browse node 'Nowhere' is not in the graph"),
        ("/items?category=Nowhere&order=newest", "browse node 'Nowhere' is not in the graph"),
        ("/items?category=Nowhere&q=g16", "browse node 'Nowhere' is not in the graph"),
        ("/items/g16/similar?category=Nowhere", "browse node 'Nowhere' is not in the graph"),
        ("/items/g16/complements?category=Nowhere", "browse node 'Nowhere' is not in the graph"),
    ],
)
def test_what_is_not_there_is_named(client: TestClient, path: str, detail: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.json()["detail"]) == (404, detail)
