"""A node of a browse tree."""

from dataclasses import dataclass

from graph.driver import Database
from graph.errors import NotFound
from graph.paths import SEPARATOR
from graph.statements import statement


@dataclass(frozen=True)
class ServedIntent:
    """`source` says who linked it: hand, table, queries or model; rank 1 is the most confident."""

    id: str
    sentence: str
    confidence: float
    rank: int
    source: str


@dataclass(frozen=True)
class ShownNode:
    """`node_class`: category, assortment or alias, as `class_source` gave it; `children`: nodes right below it;
    `items` in it and below it; `path` as "A > B > C".
    """

    id: str
    name: str
    tree: str | None
    level: int | None
    node_class: str | None
    class_source: str | None
    class_confidence: float | None
    parent: str | None
    children: int
    items: int
    path: str
    serves: tuple[ServedIntent, ...]


def browse_node(database: Database, node: str) -> ShownNode:
    """Raises `NotFound`."""
    rows = database.read(statement("browse_node", "cypher"), {"node": node})
    if not rows:
        raise NotFound(f"browse node {node!r} is not in the graph")
    row = rows[0]
    row["node_class"], row["path"] = row.pop("class"), SEPARATOR.join(row["path"])
    row["serves"] = tuple(ServedIntent(**one) for one in row["serves"])
    return ShownNode(**row)
