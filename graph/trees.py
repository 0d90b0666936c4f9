"""Browse trees in the graph: those of no store come in here, and all of them go out to the models."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from graph.batches import drain, write_rows
from graph.constraints import create_constraints
from graph.driver import Database
from graph.errors import NotFound, StoreError
from graph.paths import SEPARATOR
from graph.progress import step
from graph.source import stored_source
from graph.statements import statement

Floats = NDArray[np.floating[Any]]
VECTORS = 1_000  # nodes with their vectors in one transaction


@dataclass(frozen=True)
class BrowseNode:
    """`node_class`: category, assortment, alias or None; `items` are those directly in it."""

    id: str
    name: str
    parent: str | None
    level: int
    node_class: str | None = None
    class_source: str | None = None
    class_confidence: float | None = None
    items: int = 0


@dataclass(frozen=True)
class BrowseTree:
    """One tree, its nodes by id, parents before children."""

    tree: str
    nodes: dict[str, BrowseNode]

    @cached_property
    def children(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for node in self.nodes.values():
            if node.parent is not None:
                found[node.parent].append(node.id)
        return dict(found)

    def path(self, node: str) -> list[BrowseNode]:
        """From the top down to the node itself."""
        found: list[BrowseNode] = []
        key: str | None = node
        while key is not None and len(found) <= len(self.nodes):
            found.append(self.nodes[key])
            key = self.nodes[key].parent
        return found[::-1]

    def path_text(self, node: str) -> str:
        return SEPARATOR.join(one.name for one in self.path(node))

    @cached_property
    def items_below(self) -> Counter[str]:
        """Items at or below each node; one in several nodes counts for each."""
        total = Counter({key: node.items for key, node in self.nodes.items()})
        for key in reversed(self.nodes):
            if (parent := self.nodes[key].parent) is not None:
                total[parent] += total[key]
        return total


def write_tree(database: Database, tree: str, version: str, nodes: pl.DataFrame) -> None:
    """Make the graph hold exactly this tree under its name, beside all others.

    Args:
        nodes: the columns of `graph.schema.TREE_NODE` and names in further locales, checked; parents stand before
            their children.

    A tree whose write was cut off is known by its `loading` and is refused by readers; the same call goes on. What a
    classifier said of a node stays until it runs again.

    Raises `StoreError` for the name of the store's own tree.
    """
    source = stored_source(database)
    if source and source.id == tree:
        raise StoreError(f"{tree} is the store's own tree: give this one another name (--tree)")
    create_constraints(database)
    database.write(statement("begin_tree"), {"tree": tree, "version": version})
    before = {row["name"]: None for row in database.read(statement("tree_locales"), {"tree": tree})}
    rows = [{**before, **row, "tree": tree} for row in nodes.drop("parent", "class").to_dicts()]
    edges = nodes.select("id", "parent").to_dicts()
    declared = [
        {"id": key, "class": node_class, "source": "source", "confidence": 1.0}
        for key, node_class in nodes.select("id", "class").drop_nulls().iter_rows()
    ]
    with step(f"Writing the tree {tree}", len(rows) + len(edges) + len(declared)) as shown:
        write_rows(database, "merge_browse_nodes", rows, shown)
        write_rows(database, "merge_tree_edges", edges, shown)
        write_rows(database, "write_classes", declared, shown)
    drain(database, "drop_declared_classes", tree=tree, ids=[row["id"] for row in declared])
    drain(database, "drop_tree_nodes", tree=tree, ids=nodes["id"].to_list())
    database.write(statement("end_tree"), {"tree": tree, "nodes": len(rows)})


def tree_names(database: Database) -> list[str]:
    """The trees that are stored: the store's own first, if it has one, then those of no store."""
    source = stored_source(database)
    own = [source.id] if source and _has_nodes(database, source.id) else []
    return own + [row["id"] for row in database.read(statement("trees")) if not row["loading"]]


def _has_nodes(database: Database, tree: str) -> bool:
    return bool(database.read(statement("has_tree"), {"tree": tree})[0]["found"])


def read_tree(database: Database, tree: str) -> BrowseTree:
    """Raises `NotFound` for a tree that is not stored, `StoreError` where its load was not finished or it loops."""
    stored = {row["id"]: row for row in database.read(statement("trees"))}
    if tree in stored and stored[tree]["loading"]:
        raise StoreError(f"the load of the tree {tree} was not finished: run it again (twohop browse load {tree})")
    rows = database.read(statement("tree_nodes"), {"tree": tree})
    if not rows:
        known = ", ".join(tree_names(database)) or "none"
        raise NotFound(f"no browse tree {tree} in this store (there: {known}): load it (twohop browse load)")
    return BrowseTree(tree, _ordered(tree, rows))


def _ordered(tree: str, rows: list[dict[str, Any]]) -> dict[str, BrowseNode]:
    """Parents before children; a parent in another tree is none."""
    ids = {row["id"] for row in rows}
    for row in rows:
        row["parent"] = row["parent"] if row["parent"] in ids else None
    nodes = {row["id"]: BrowseNode(node_class=row.pop("class"), **row) for row in rows}
    found: dict[str, BrowseNode] = {}
    waiting: dict[str, list[str]] = defaultdict(list)
    ready = []
    for key, node in nodes.items():
        if node.parent is None:
            ready.append(key)
        else:
            waiting[node.parent].append(key)
    while ready:
        key = ready.pop()
        found[key] = nodes[key]
        ready.extend(reversed(waiting.get(key, [])))
    if len(found) < len(nodes):
        lost = next(key for key in nodes if key not in found)
        raise StoreError(f"the browse tree {tree} has a cycle at {lost}: load it again")
    return found


def read_titles(database: Database, tree: str, limit: int = 20) -> dict[str, list[str]]:
    """Titles of the most popular items directly in each node."""
    rows = database.read(statement("tree_titles"), {"tree": tree, "limit": limit})
    return {row["id"]: row["titles"] for row in rows}


def write_classes(database: Database, rows: list[dict[str, Any]]) -> None:
    """Rows {id, class, source, confidence}."""
    with step("Writing the classes of browse nodes", len(rows)) as shown:
        write_rows(database, "write_classes", rows, shown)


def write_node_embeddings(
    database: Database, ids: list[str], model: str, tuned: Floats, baseline: Floats | None
) -> None:
    """Vectors [N, d] of N nodes by the encoder `model`, and where they are wanted by the one that it was tuned from."""
    with step("Writing the embeddings of browse nodes", len(ids)) as shown:
        for start in range(0, len(ids), VECTORS):
            part = slice(start, start + VECTORS)
            other = [None] * len(ids[part]) if baseline is None else baseline[part].tolist()
            vectors = zip(ids[part], tuned[part].tolist(), other, strict=True)
            rows = [{"id": key, "embedding": one, "baseline": other} for key, one, other in vectors]
            write_rows(database, "write_node_embeddings", rows, shown, model=model)


def read_node_embeddings(database: Database, ids: list[str], tree: str, model: str) -> Floats | None:
    """Vectors [N, d] of the tree's nodes by the encoder `model`; None where one of them has none."""
    rows = database.stream(statement("node_embeddings"), {"tree": tree, "model": model}, fetch_size=VECTORS)
    found = {row["id"]: np.array(row["embedding"], dtype=np.float32) for row in rows}
    return np.array([found[key] for key in ids]) if ids and all(key in found for key in ids) else None


def write_crosswalk(database: Database, tree: str, rows: list[dict[str, Any]]) -> int:
    """Put {id, google, intents, optional_for, not_for} in the place of all that was said of the tree's nodes; gives how
    many it names."""
    database.write(statement("drop_crosswalk"), {"tree": tree})
    return int(database.write(statement("write_crosswalk"), {"rows": rows})[0]["nodes"]) if rows else 0


def read_crosswalk(database: Database, tree: str) -> list[dict[str, Any]]:
    return database.read(statement("crosswalk"), {"tree": tree})
