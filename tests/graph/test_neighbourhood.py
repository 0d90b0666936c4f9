"""Neighbourhoods as networkx graphs, and the check of the browse tree."""

import polars as pl
import pytest

from graph.driver import Database
from graph.errors import NotFound, SettingsError, StoreError
from graph.incremental import write_incremental
from graph.neighbourhood import LABELS, check_tree, read_neighbourhood
from graph.schema import BROWSE_NODE, CHILD_OF, IN_CATEGORY, Tables
from graph.settings import Settings
from tests.graph.conftest import events, make_tables


def tree_of(*edges: tuple[str, str]) -> Tables:
    nodes = sorted({node for edge in edges for node in edge})
    interactions = events(
        {"user": "u", "item": "i", "time": 60}, {"user": "v", "item": "i"}, {"user": "v", "item": "j"}
    )
    return make_tables(
        interactions,
        browse_nodes=pl.DataFrame([(node, node.upper(), 1) for node in nodes], schema=BROWSE_NODE, orient="row"),
        child_of=pl.DataFrame(list(edges), schema=CHILD_OF, orient="row"),
        in_category=pl.DataFrame([("i", nodes[0])], schema=IN_CATEGORY, orient="row"),
    )


def test_hops_and_what_they_carry(settings: Settings, empty_database: Database) -> None:
    write_incremental(tree_of(("a", "b"), ("b", "c")), settings, empty_database)
    one = read_neighbourhood(empty_database, "User", "u", hops=1)
    assert set(one) == {("User", "u"), ("Item", "i")}
    assert one.nodes["Item", "i"]["popularity"] == 2
    [(start, end, edge)] = one.edges.data()
    assert (start, end, edge["type"], edge["count"]) == (("User", "u"), ("Item", "i"), "INTERACTED", 1)
    assert edge["last_time"].timestamp() == 60
    two = read_neighbourhood(empty_database, "User", "u", hops=2)
    assert set(two) == {("User", "u"), ("User", "v"), ("Item", "i"), ("BrowseNode", "a")}
    assert two.nodes["BrowseNode", "a"] == {"id": "a", "name": "A", "level": 1, "tree": "small"}
    all_of_it = read_neighbourhood(empty_database, "User", "u", hops=9)
    assert all_of_it.number_of_edges() == 6
    assert len(all_of_it) == 7
    assert set(read_neighbourhood(empty_database, "BrowseNode", "c", hops=1)) == {
        ("BrowseNode", "b"),
        ("BrowseNode", "c"),
    }


def test_parallel_edges_all_come(settings: Settings, empty_database: Database) -> None:
    write_incremental(tree_of(("a", "b")), settings, empty_database)
    empty_database.write(
        "MATCH (i:Item {id: 'i'}), (j:Item {id: 'j'}) CREATE (i)-[:SIMILAR {key: 1}]->(j)<-[:SIMILAR]-(i)"
    )
    found = read_neighbourhood(empty_database, "Item", "j", hops=1)
    assert sorted(edge["type"] for _, _, edge in found.edges.data()) == ["INTERACTED", "SIMILAR", "SIMILAR"]


def test_limit_keeps_the_nearest_edges(settings: Settings, empty_database: Database) -> None:
    write_incremental(tree_of(("a", "b"), ("b", "c")), settings, empty_database)
    found = [
        read_neighbourhood(empty_database, "User", "u", hops=9, limit=limit).number_of_edges() for limit in range(8)
    ]
    assert found == [0, 1, 2, 3, 4, 5, 6, 6]
    first = read_neighbourhood(empty_database, "User", "u", hops=9, limit=2)
    assert ("User", "u") in first
    assert set(first) == {("User", "u"), ("Item", "i"), ("User", "v")}  # INTERACTED stands before IN_CATEGORY


@pytest.mark.parametrize("label", LABELS)
def test_every_label_is_found_by_its_index(label: str, settings: Settings, empty_database: Database) -> None:
    write_incremental(tree_of(("a", "b")), settings, empty_database)
    empty_database.write("CREATE (:Intent {id: 'x'}), (:Generation {id: 'x'})")
    some = {"User": "u", "Item": "i", "BrowseNode": "a", "Source": "small"}.get(label, "x")
    assert (label, some) in read_neighbourhood(empty_database, label, some)
    with pytest.raises(NotFound, match=f"{label} 'nobody' does not exist"):
        read_neighbourhood(empty_database, label, "nobody")


def test_unknown_label_is_refused(empty_database: Database) -> None:
    with pytest.raises(SettingsError, match="use one of User, Item"):
        read_neighbourhood(empty_database, "Usr", "u")


def test_tree_without_a_cycle(settings: Settings, empty_database: Database) -> None:
    write_incremental(tree_of(("a", "c"), ("b", "c"), ("c", "d")), settings, empty_database)
    assert set(check_tree(empty_database).edges) == {("a", "c"), ("b", "c"), ("c", "d")}


def test_cycle_in_the_tree_is_named(settings: Settings, empty_database: Database) -> None:
    write_incremental(tree_of(("a", "b"), ("b", "c"), ("c", "b")), settings, empty_database)
    with pytest.raises(StoreError, match=r"cycle: (b → c → b|c → b → c)"):
        check_tree(empty_database)
