"""Which items there are."""

from collections.abc import Sequence

from graph.driver import Database
from graph.statements import statement


def known_items(database: Database, items: Sequence[str]) -> set[str]:
    """Those of `items` that are in the graph."""
    return {row["id"] for row in database.read(statement("known_items", "cypher"), {"items": list(items)})}
