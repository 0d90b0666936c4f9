"""The catalogue's writes: what they change, what they refuse, and that a deletion leaves no trace."""

import json
from typing import Any

import pytest

from graph.catalogue import (
    StoredItem,
    StoredNode,
    StoredUser,
    delete_item,
    delete_node,
    delete_user,
    patch_item,
    patch_node,
    patch_user,
    put_item,
    put_node,
    put_user,
    set_placed,
)
from graph.driver import Database
from graph.errors import Conflict, Invalid, NotFound, StoreEmpty
from graph.events import Event, write_events
from graph.schema import Source
from graph.source import end_load
from graph.trees import read_tree
from tests.graph.conftest import dump

SOURCE = Source("shop", user_profile=("age", "income"), item_profile=("size", "genres", "weight"))
CONTENT = {
    "title": "Tea",
    "brand": "b",
    "price": 2.5,
    "available": True,
    "categories": ["drinks", "food"],
    "profile": {"size": "1 gal", "genres": ["x", "y"]},
}
NOW = 1_700_000_000


@pytest.fixture
def shop(constrained_database: Database) -> Database:
    """A store with the browse nodes food > drinks > tea and toys, and a node of another tree."""
    end_load(SOURCE, constrained_database)
    for node, parent in (("food", None), ("drinks", "food"), ("tea", "drinks"), ("toys", None)):
        put_node(constrained_database, node, node.title(), parent)
    constrained_database.write("CREATE (:BrowseNode {id: 'google/1', name: 'Animals', tree: 'google', level: 0})")
    return constrained_database


def properties(database: Database, label: str, key: str) -> dict[str, Any]:
    [row] = database.read(f"MATCH (n:{label} {{id: $key}}) RETURN properties(n) AS properties", {"key": key})
    return dict(row["properties"])


def categories(database: Database, item: str) -> list[str]:
    query = "MATCH (:Item {id: $item})-[:IN_CATEGORY]->(n) RETURN n.id AS id ORDER BY id"
    return [row["id"] for row in database.read(query, {"item": item})]


def buy(database: Database, user: str, item: str, key: str | None = None) -> None:
    write_events(database, [Event(key or f"{user}/{item}", "digest", user, item, "purchase")], NOW)


# Items


def test_put_makes_an_item_and_then_replaces_it(shop: Database) -> None:
    made = put_item(shop, "i", CONTENT)
    assert made == StoredItem("i", **CONTENT, made=True, unplaced=True)
    first = properties(shop, "Item", "i")
    assert first.pop("created").to_native().year > 2020
    assert first.pop("changed") > 1_600_000_000_000
    assert first == {
        "id": "i",
        "title": "Tea",
        "brand": "b",
        "price": 2.5,
        "available": True,
        "popularity": 0,
        "size": "1 gal",
        "genres": ["x", "y"],
        "unplaced": True,
    }
    assert categories(shop, "i") == ["drinks", "food"]
    before = dump(shop)
    assert put_item(shop, "i", CONTENT) == StoredItem("i", **CONTENT, unplaced=True)
    assert dump(shop) == before
    buy(shop, "u", "i")
    assert put_item(shop, "i", {"categories": ["toys"]}) == StoredItem("i", categories=["toys"], unplaced=True)
    last = properties(shop, "Item", "i")
    assert (last.keys(), last["popularity"]) == ({"id", "created", "changed", "available", "popularity", "unplaced"}, 1)
    assert categories(shop, "i") == ["toys"]


def test_patch_changes_what_it_names(shop: Database) -> None:
    put_item(shop, "i", CONTENT)
    set_placed(shop, "i")
    cheap = patch_item(shop, "i", {"price": 1.0, "available": False})
    assert cheap == StoredItem("i", **CONTENT | {"price": 1.0, "available": False})
    assert patch_item(shop, "i", {}) == cheap
    changed = patch_item(shop, "i", {"brand": None, "profile": {"size": None, "weight": 3}})
    assert (changed.brand, changed.profile, changed.title) == (None, {"genres": ["x", "y"], "weight": 3}, "Tea")
    assert not properties(shop, "Item", "i").keys() & {"brand", "size"}
    with pytest.raises(NotFound, match="item 'j' is not in the graph"):
        patch_item(shop, "j", {"price": 1.0})


@pytest.mark.parametrize(
    ("changes", "anew"),
    [
        ({"title": "Green tea"}, True),
        ({"brand": "c"}, True),
        ({"categories": ["tea"]}, True),
        ({"profile": {"genres": ["x"]}}, True),
        ({"categories": ["food", "drinks", "food"], "title": "Tea"}, False),
        ({"price": 7.0, "available": False}, False),
    ],
)
def test_an_item_wants_new_neighbours_where_it_is_described_anew(
    changes: dict[str, Any], anew: bool, shop: Database
) -> None:
    put_item(shop, "i", CONTENT)
    set_placed(shop, "i")
    assert patch_item(shop, "i", changes).unplaced is anew
    assert patch_item(shop, "i", {}).unplaced is anew  # until it has them


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"categories": ["food", "none"]}, "categories: browse node 'none' is not in the store's tree shop"),
        ({"categories": ["google/1"]}, "categories: browse node 'google/1' is not in the store's tree shop"),
        ({"profile": {"id": "j"}}, r"profile: this store's items have no field 'id' \(there: genres, size, weight\)"),
        ({"profile": {"weight": "heavy"}}, "profile.weight: this store keeps numbers there, such as 0.5"),
        ({"profile": {"weight": True}}, "profile.weight: this store keeps numbers there"),
        ({"profile": {"genres": "x"}}, "profile.genres: this store keeps lists there"),
    ],
)
def test_what_an_item_cannot_be(content: dict[str, Any], why: str, shop: Database) -> None:
    put_item(shop, "other", CONTENT | {"profile": {"weight": 0.5, "genres": ["x"]}})
    before = dump(shop)
    for item in ("i", "other"):
        with pytest.raises(Invalid, match=why):
            put_item(shop, item, content)
    assert dump(shop) == before
    assert put_item(shop, "i", {"profile": {"weight": 3, "genres": []}}).profile == {"weight": 3.0}


def test_a_deleted_item_leaves_histories_too(shop: Database) -> None:
    for item in ("i", "j"):
        put_item(shop, item, CONTENT)
        buy(shop, "u", item)
    shop.write("MATCH (i:Item {id: 'i'}), (j:Item {id: 'j'}) CREATE (i)-[:SIMILAR]->(j), (j)-[:SIMILAR]->(i)")
    shop.write("MATCH (u:User {id: 'u'}) REMOVE u.stale")
    delete_item(shop, "i")
    assert shop.read("MATCH (u:User)-[:INTERACTED]->(i) RETURN i.id AS id, u.stale AS stale") == [
        {"id": "j", "stale": True}
    ]
    assert shop.read("MATCH ()-[s:SIMILAR]->() RETURN count(s) AS edges") == [{"edges": 0}]
    assert shop.read("MATCH (e:Event) RETURN count(e) AS events") == [{"events": 2}]
    with pytest.raises(NotFound):
        delete_item(shop, "i")


# Users


def test_put_and_patch_of_users(shop: Database) -> None:
    assert put_user(shop, "u", {"profile": {"age": "35-44"}}) == StoredUser("u", {"age": "35-44"}, made=True)
    first = properties(shop, "User", "u")
    assert first == {"id": "u", "age": "35-44", "stale": True, "changed": first["changed"]}
    shop.write("MATCH (u:User) REMOVE u.stale")
    assert put_user(shop, "u", {"profile": {"age": "35-44"}}) == StoredUser("u", {"age": "35-44"})
    del first["stale"]
    assert properties(shop, "User", "u") == first  # nothing changed: nothing to work out anew
    assert patch_user(shop, "u", {"profile": {"income": "50K"}}).profile == {"age": "35-44", "income": "50K"}
    assert properties(shop, "User", "u")["stale"] is True
    assert put_user(shop, "u", {}).profile == {}
    with pytest.raises(NotFound):
        patch_user(shop, "v", {})
    with pytest.raises(Invalid, match="this store's users have no field 'size'"):
        put_user(shop, "v", {"profile": {"size": "1"}})


@pytest.mark.parametrize("user", ["zoe", 'q"ü😀\\'])
def test_a_deleted_user_leaves_no_trace(user: str, shop: Database) -> None:
    for item in ("i", "j"):
        put_item(shop, item, {})
        buy(shop, "other", item)
    vocabulary = [{"kind": "category", "name": "id", "values": ["other", user, "z"]}]
    features = {"user": vocabulary, "item": [{"kind": "category", "name": "id", "values": [user]}]}
    for artefact, ascii_only in (("a", True), ("b", False)):
        text = json.dumps({**features, "item": []}, ensure_ascii=ascii_only)
        shop.write("CREATE (:Network {artefact: $a, features: $f})", {"a": artefact, "f": text})
    before = [line for line in dump(shop) if "Network" not in line]
    put_user(shop, user, {"profile": {"age": "1"}})
    for number in range(3):
        buy(shop, user, "i", f"k{number}")
    shop.write("MATCH (u:User {id: $u}), (i:Item {id: 'j'}) CREATE (u)-[:HELD_OUT]->(i)", {"u": user})
    shop.write("MATCH (u:User {id: $u}) CREATE (u)-[:PURSUES]->(:Intent {id: 'party'})", {"u": user})
    delete_user(shop, user)
    shop.write("MATCH (i:Intent) DELETE i")
    everything = dump(shop)
    assert [line for line in everything if "Network" not in line] == before
    everything += [repr(row) for row in shop.read("MATCH (r:Removed) RETURN properties(r) AS properties")]
    assert not [line for line in everything if "zoe" in line or "q\\" in line or "ü" in line]
    for row in shop.read("MATCH (n:Network) RETURN n.features AS features"):
        first, tombstone, last = json.loads(row["features"])["user"][0]["values"]
        assert (first, last) == ("other", "z")
        assert tombstone.startswith("deleted-")
    with pytest.raises(NotFound):
        delete_user(shop, user)


# Browse nodes


def test_nodes_are_made_renamed_and_moved_with_all_below(shop: Database) -> None:
    shop.write("MATCH (n:BrowseNode {id: 'tea'}) SET n.embedding_model = 'e'")
    assert put_node(shop, "green", "Green", "tea") == StoredNode("green", "Green", "tea", "shop", 3, made=True)
    assert properties(shop, "BrowseNode", "tea")["embedding_model"] == "e"
    assert patch_node(shop, "tea", {"name": "Teas"}) == StoredNode("tea", "Teas", "drinks", "shop", 2)
    assert "embedding_model" not in properties(shop, "BrowseNode", "tea")  # a new name has no vector yet
    assert patch_node(shop, "tea", {"parent": None}) == StoredNode("tea", "Teas", None, "shop", 0)
    tree = read_tree(shop, "shop")
    assert {key: (node.parent, node.level) for key, node in tree.nodes.items()} == {
        "food": (None, 0),
        "drinks": ("food", 1),
        "tea": (None, 0),
        "green": ("tea", 1),
        "toys": (None, 0),
    }
    before = dump(shop)
    put_node(shop, "tea", "Teas", None)
    assert dump(shop) == before


@pytest.mark.parametrize(
    ("node", "parent", "error", "why"),
    [
        ("food", "tea", Conflict, "browse node 'food' cannot be below 'tea', which is below it or itself"),
        ("food", "food", Conflict, "cannot be below 'food'"),
        ("new", "new", Conflict, "cannot be below 'new'"),
        ("tea", "none", Invalid, "parent: browse node 'none' is not in the graph"),
        ("tea", "google/1", Conflict, "'google/1' is of the tree google, not of the store's own, shop"),
        ("google/1", None, Conflict, "'google/1' is of the tree google"),
    ],
)
def test_a_tree_stays_a_tree(node: str, parent: str | None, error: type[Exception], why: str, shop: Database) -> None:
    before = dump(shop)
    with pytest.raises(error, match=why):
        put_node(shop, node, "Name", parent)
    assert dump(shop) == before


def test_nodes_in_use_are_deleted_only_with_all_below(shop: Database) -> None:
    put_item(shop, "i", {"categories": ["tea", "toys"]})
    for node, has in (("drinks", "1 children and 0 items"), ("tea", "0 children and 1 items")):
        with pytest.raises(Conflict, match=f"'{node}' has {has}: move them away, or delete it with cascade=true"):
            delete_node(shop, node)
    with pytest.raises(Conflict, match="of the tree google"):
        delete_node(shop, "google/1", cascade=True)
    delete_node(shop, "drinks", cascade=True)
    assert set(read_tree(shop, "shop").nodes) == {"food", "toys"}
    assert categories(shop, "i") == ["toys"]
    delete_node(shop, "food")
    with pytest.raises(NotFound):
        delete_node(shop, "food")
    with pytest.raises(NotFound):
        patch_node(shop, "food", {})


def test_an_empty_store_takes_nothing(empty_database: Database) -> None:
    for write in (
        lambda: put_item(empty_database, "i", {}),
        lambda: put_user(empty_database, "u", {}),
        lambda: put_node(empty_database, "n", "N", None),
    ):
        with pytest.raises(StoreEmpty, match="twohop load"):
            write()
