"""The graph of a part of the browse tree, to draw."""

from neo4j.graph import Graph

from graph.driver import Database
from graph.errors import NotFound
from graph.statements import statement


def browse_picture(database: Database, node: str, levels: int = 2, n: int = 40) -> Graph:
    """The browse node with what stands up to `levels` below it, `n` nodes at most. Raises `NotFound`."""
    found = database.read_graph(statement("browse_picture", "cypher"), {"node": node, "levels": levels, "n": n})
    if not found.nodes:
        raise NotFound(f"browse node {node!r} is not in the graph")
    return found
