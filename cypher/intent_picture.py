"""The graph around an intent, to draw."""

from neo4j.graph import Graph

from graph.driver import Database
from graph.errors import NotFound
from graph.statements import statement


def intent_picture(database: Database, intent: str, n: int = 8) -> Graph:
    """The intent with `n` categories of the store's own tree that it needs, and `n` that serve it.

    Raises `NotFound` where the graph has no such intent, or no links between it and the store's tree.
    """
    found = database.read_graph(statement("intent_picture", "cypher"), {"intent": intent, "n": n})
    if not found.nodes:
        raise NotFound(f"intent {intent!r} is not in the graph, or nothing is linked to it")
    return found
