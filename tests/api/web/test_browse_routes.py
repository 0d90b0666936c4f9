"""The browse trees over HTTP: top nodes, children, one node, what completes it."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from graph.driver import Database
from tests.api.conftest import GROUPS, Line
from tests.api.shop_intents import linked_intents

OWN = sorted(GROUPS)
TREE = """
CREATE (:Tree {id: 'zz', version: '1', nodes: 5})
CREATE (top:BrowseNode {id: 'zz:top', name: 'Top', tree: 'zz', level: 0, class: 'assortment', class_source: 'source'})
CREATE (:BrowseNode {id: 'zz:other', name: 'Other', tree: 'zz', level: 0})
CREATE (left:BrowseNode {id: 'zz:a/b c', name: 'Left', tree: 'zz', level: 1, class: 'category', class_source: 'hand'})
CREATE (right:BrowseNode {id: 'zz:right', name: 'Right', tree: 'zz', level: 1})
CREATE (low:BrowseNode {id: 'zz:low', name: 'Low', tree: 'zz', level: 2})
CREATE (left)-[:CHILD_OF]->(top), (right)-[:CHILD_OF]->(top), (low)-[:CHILD_OF]->(left)
CREATE (one:Item {id: 'zz1'})-[:IN_CATEGORY]->(left), (one)-[:IN_CATEGORY]->(low),
       (:Item {id: 'zz2'})-[:IN_CATEGORY]->(low), (:Item {id: 'zz3'})-[:IN_CATEGORY]->(right)
"""
REMOVE = """
MATCH (n) WHERE (n:BrowseNode AND n.tree = 'zz') OR (n:Item AND n.id STARTS WITH 'zz') OR (n:Tree AND n.id = 'zz')
DETACH DELETE n
"""


@pytest.fixture(scope="module", autouse=True)
def linked(line: Line, database: Database) -> Iterator[Database]:
    with linked_intents(line, database) as opened:
        opened.write(TREE)
        yield opened
        opened.write(REMOVE)


def test_the_top_of_the_stores_own_tree(client: TestClient) -> None:
    told = client.get("/browse").json()
    assert [one["id"] for one in told["nodes"]] == OWN
    assert told["next"] is None
    assert told["nodes"][0] | {"class": None} == {
        "id": OWN[0],
        "name": OWN[0],
        "level": 0,
        "class": None,
        "children": 0,
    }
    assert client.get("/browse", params={"tree": "small-shop"}).json() == told


def test_a_tree_that_names_itself_nowhere_is_the_stores_own(client: TestClient, linked: Database) -> None:
    """A store that was written by an older version."""
    before = client.get("/browse").json()
    linked.write("MATCH (n:BrowseNode {tree: 'small-shop'}) REMOVE n.tree")
    try:
        assert client.get("/browse").json() == before
        assert client.get("/browse", params={"tree": "zz"}).json()["nodes"][0]["id"] == "zz:other"
    finally:
        linked.write("MATCH (n:BrowseNode) WHERE n.tree IS NULL SET n.tree = 'small-shop'")


def test_another_tree_and_below(client: TestClient) -> None:
    top = client.get("/browse", params={"tree": "zz"}).json()["nodes"]
    assert [(one["id"], one["class"], one["children"]) for one in top] == [
        ("zz:other", None, 0),
        ("zz:top", "assortment", 2),
    ]
    below = client.get("/browse", params={"parent": "zz:top"}).json()
    assert [(one["id"], one["children"]) for one in below["nodes"]] == [("zz:a/b c", 1), ("zz:right", 0)]
    assert client.get("/browse", params={"parent": "zz:right"}).json() == {"nodes": [], "next": None}


@pytest.mark.parametrize("asked", [{}, {"tree": "zz"}, {"parent": "zz:top"}])
def test_pages(client: TestClient, asked: dict[str, str]) -> None:
    whole = client.get("/browse", params=asked).json()["nodes"]
    found, after = [], ""
    for _ in whole:
        told = client.get("/browse", params=asked | {"k": 1, "after": after}).json()
        found += told["nodes"]
        after = told["next"]
    assert (found, after) == (whole, None)


def test_one_node(client: TestClient) -> None:
    """Its id has a slash and a space; an item that is filed twice below it counts once."""
    assert client.get("/browse/zz:a%2Fb%20c").json() == {
        "id": "zz:a/b c",
        "name": "Left",
        "level": 1,
        "class": "category",
        "children": 1,
        "tree": "zz",
        "class_source": "hand",
        "class_confidence": None,
        "parent": "zz:top",
        "path": "Top > Left",
        "items": 2,
        "serves": [],
    }
    assert client.get("/browse/zz:a/b c").json()["id"] == "zz:a/b c"
    top = client.get("/browse/zz:top").json()
    assert (top["parent"], top["children"], top["items"], top["path"]) == (None, 2, 3, "Top")


def test_the_intents_that_a_node_serves(client: TestClient) -> None:
    told = client.get("/browse/Grill").json()
    assert told["items"] == 15
    assert told["serves"] == [
        {"id": "grill-party", "sentence": "prepare for a grill party", "confidence": 0.9, "rank": 1, "source": "hand"}
    ]


def test_complements(client: TestClient) -> None:
    assert client.get("/browse/Grill/complements").json()["categories"] == [
        {
            "id": "Garden",
            "name": "Garden",
            "path": "Garden",
            "score": 0.8,
            "intent": "grill-party",
            "sentence": "prepare for a grill party",
        }
    ]
    assert client.get("/browse/zz:a%2Fb%20c/complements").json() == {"node": "zz:a/b c", "categories": []}


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/browse/nothing", 404, "browse node 'nothing' is not in the graph"),
        ("/browse/nothing/complements", 404, "browse node 'nothing' is not in the graph"),
        ("/browse?parent=nothing", 404, "browse node 'nothing' is not in the graph"),
        ("/browse?tree=nothing", 404, "browse tree 'nothing' is not in this store"),
        ("/browse?parent=Grill&tree=zz", 422, "parent and tree: give one of them, for a node is of one tree"),
        ("/browse?k=0", 422, "k: Input should be greater than or equal to 1"),
        ("/browse/Grill/complements?k=1001", 422, "k: Input should be less than or equal to 1000"),
        (f"/browse/{'x' * 257}", 422, "node: String should have at most 256 characters"),
    ],
)
def test_problems(client: TestClient, path: str, status: int, detail: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.json()["detail"]) == (status, detail)
