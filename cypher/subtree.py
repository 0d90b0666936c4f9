"""A part of the browse tree."""

from dataclasses import dataclass

from graph.driver import Database
from graph.errors import NotFound
from graph.statements import statement


@dataclass(frozen=True)
class Branch:
    """A browse node with the number of `items` in it and below it."""

    id: str
    name: str | None
    level: int | None
    items: int


def subtree(database: Database, node: str) -> list[Branch]:
    """The browse node and all below it, level by level. Raises `NotFound`."""
    rows = database.read(statement("subtree", "cypher"), {"node": node})
    if not rows:
        raise NotFound(f"browse node {node!r} is not in the graph")
    return [Branch(**row) for row in rows]
