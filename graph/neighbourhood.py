"""Parts of the graph as networkx graphs: what stands around a node, and whether the browse tree is one."""

from typing import Any

import networkx as nx

from graph.driver import Database
from graph.errors import NotFound, SettingsError, StoreError
from graph.statements import statement

LABELS = ("User", "Item", "BrowseNode", "Intent", "Generation", "Source")
Key = tuple[str, str | int]


def read_neighbourhood(
    database: Database, label: str, id: str | int, hops: int = 2, limit: int = 1000
) -> "nx.MultiDiGraph[Key]":
    """All edges within `hops` of a node, `limit` of them at most, those nearest to it first.

    Nodes are keyed by (label, id) and carry their properties; edges are keyed by Neo4j's element id and carry `type`
    and their properties. At each hop edges come by type, then by the ids of their ends, so the same graph
    gives the same cut. Raises `NotFound` where no such node is and `SettingsError` for an unknown label.
    """
    if label not in LABELS:
        raise SettingsError(f"label {label!r} is not known: use one of {', '.join(LABELS)}")
    found = database.read(statement("neighbourhood_start"), {"label": label, "id": id})
    if not found:
        raise NotFound(f"{label} {id!r} does not exist")
    graph: nx.MultiDiGraph[Key] = nx.MultiDiGraph()
    frontier = [_add_node(graph, found[0])]
    seen = set(frontier)
    for _ in range(hops):
        left = limit - graph.number_of_edges()
        if not frontier or left <= 0:
            break
        known = [edge for _, _, edge in graph.edges(keys=True)]
        rows = database.read(statement("neighbourhood_hop"), {"nodes": frontier, "edges": known, "limit": left})
        frontier = []
        for row in rows:
            for end in (row["start"], row["end"]):
                element = _add_node(graph, end)
                if element not in seen:
                    seen.add(element)
                    frontier.append(element)
            _add_edge(graph, row)
    return graph


def check_tree(database: Database) -> "nx.DiGraph[str]":
    """All browse trees, edges from child to parent. Raises `StoreError` that names the nodes of a cycle."""
    tree: nx.DiGraph[str] = nx.DiGraph()
    every = {"tree": None}
    tree.add_nodes_from(row["id"] for row in database.stream(statement("snapshot_browse_nodes"), every))
    tree.add_edges_from((row["start"], row["end"]) for row in database.stream(statement("snapshot_child_of"), every))
    if not nx.is_directed_acyclic_graph(tree):
        cycle = [child for child, _ in nx.find_cycle(tree)]
        raise StoreError(f"the browse tree has a cycle: {' → '.join([*cycle, cycle[0]])}")
    return tree


def _add_node(graph: "nx.MultiDiGraph[Key]", node: dict[str, Any]) -> str:
    key = _key(node)
    if key not in graph:
        graph.add_node(key)
        graph.nodes[key].update(_plain(node["properties"]))
    return str(node["element"])


def _add_edge(graph: "nx.MultiDiGraph[Key]", row: dict[str, Any]) -> None:
    start, end = _key(row["start"]), _key(row["end"])
    graph.add_edge(start, end, key=row["element"])
    graph.edges[start, end, row["element"]].update(_plain(row["properties"]), type=row["type"])


def _key(node: dict[str, Any]) -> Key:
    label = next((name for name in LABELS if name in node["labels"]), node["labels"][0])
    return label, node["properties"].get("id", node["element"])


def _plain(properties: dict[str, Any]) -> dict[str, Any]:
    """Neo4j's times as Python's."""
    return {name: value.to_native() if hasattr(value, "to_native") else value for name, value in properties.items()}
