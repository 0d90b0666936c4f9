"""Contents (a shelf, a page slot: a set of items) in the order of what they mean to a user (section V.B, AHPR).

A product's embedding is that of its browse node. A content is the mean of its products, a user the mean of theirs, and
a dot product ranks: by the intent-aware embeddings, or by the untuned ones, as in the paper's A/B.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cypher.user import user as find_user
from graph.driver import Database
from graph.errors import Invalid, StoreError
from graph.statements import statement

Vector = NDArray[np.float64]
SHOWN = 5  # unknown items that an error names
PROPERTIES = {"intent": "embedding", "baseline": "embedding_baseline"}


@dataclass(frozen=True)
class Shelf:
    """`nodes`: the browse nodes of its items, one for each."""

    id: str
    name: str
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class RankedContent:
    """`items` that have an embedding; `score` = the dot product of the two means."""

    id: str
    name: str
    items: int
    score: float


def contents(database: Database, items: int = 20, levels: int = 2) -> list[Shelf]:
    """The shelves of the store's tree. Raises `StoreError` where nothing has an embedding."""
    rows = database.read(statement("contents", "cypher"), {"items": items, "levels": levels})
    if not rows:
        raise StoreError("no browse node has an embedding: run twohop intents link")
    return [Shelf(row["id"], row["name"], tuple(row["nodes"])) for row in rows]


def rank_contents(
    database: Database,
    user: str,
    given: Mapping[str, Sequence[str]] | None = None,
    n: int = 10,
    embedding: Literal["intent", "baseline"] = "intent",
) -> list[RankedContent]:
    """The `n` contents that mean most to a user.

    Args:
        given: item ids of each content by its name; None takes the shelves of the browse tree.

    Raises `NotFound` for an unknown user, `Invalid` for unknown items, `StoreError` where nothing has an embedding.
    """
    shelves = contents(database) if given is None else _given(database, given)
    had = {row["node"]: row["count"] for row in database.read(statement("user_nodes"), {"user": user})}
    if not had:
        find_user(database, user)
        return []
    vectors = node_vectors(database, {*had, *(node for shelf in shelves for node in shelf.nodes)}, embedding)
    mean = mean_vector(had, vectors)
    found = [
        RankedContent(shelf.id, shelf.name, len(shelf.nodes), float(mean_vector(_counts(shelf.nodes), vectors) @ mean))
        for shelf in shelves
        if shelf.nodes
    ]
    return sorted(found, key=lambda one: (-one.score, one.id))[:n]


def node_vectors(database: Database, ids: set[str], embedding: Literal["intent", "baseline"]) -> dict[str, Vector]:
    given = {"ids": sorted(ids), "property": PROPERTIES[embedding]}
    return {row["id"]: np.array(row["vector"]) for row in database.read(statement("node_vectors"), given)}


def mean_vector(counts: Mapping[str, int], vectors: Mapping[str, Vector]) -> Vector:
    """The mean of the products' vectors, so many at each node."""
    total = sum(counts.values())
    return np.sum([count / total * vectors[node] for node, count in counts.items()], axis=0)  # type: ignore[no-any-return]


def _counts(nodes: Sequence[str]) -> dict[str, int]:
    return {node: nodes.count(node) for node in dict.fromkeys(nodes)}


def _given(database: Database, given: Mapping[str, Sequence[str]]) -> list[Shelf]:
    asked: list[dict[str, Any]] = [{"name": name, "items": list(items)} for name, items in given.items()]
    rows = database.read(statement("content_nodes"), {"contents": asked})
    unknown = list(dict.fromkeys(item for row in rows for item in row["unknown"]))
    if unknown:
        named = ", ".join(map(repr, unknown[:SHOWN])) + (f" and {len(unknown) - SHOWN} more" if unknown[SHOWN:] else "")
        raise Invalid(f"not in the graph: item {named}")
    return [Shelf(row["name"], row["name"], tuple(row["nodes"])) for row in rows]
