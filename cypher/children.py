"""What is right below a browse node."""

from dataclasses import dataclass
from typing import Any, Self

from graph.driver import Database
from graph.errors import NotFound
from graph.statements import statement


@dataclass(frozen=True)
class ListedNode:
    """`children`: browse nodes right below it; `node_class`: category, assortment or alias, None where nobody said."""

    id: str
    name: str | None
    level: int | None
    node_class: str | None
    children: int

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        return cls(row["id"], row["name"], row["level"], row["class"], row["children"])


def children(database: Database, node: str, k: int = 100, after: str = "") -> list[ListedNode]:
    """The next `k` by their ids, after the id `after`. Raises `NotFound`."""
    rows = database.read(statement("children", "cypher"), {"node": node, "k": k, "after": after})
    if not rows and not database.read(statement("browse_node", "cypher"), {"node": node}):
        raise NotFound(f"browse node {node!r} is not in the graph")
    return [ListedNode.of(row) for row in rows]
