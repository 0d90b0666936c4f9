"""The graph around an item, to draw."""

from neo4j.graph import Graph

from cypher.live import live
from graph.driver import Database
from graph.errors import NotFound
from graph.statements import statement


def item_picture(database: Database, item: str, n: int = 8) -> Graph:
    """The item, its `n` strongest available neighbours, and the browse nodes where they all stand.

    Raises `NotFound` for an unknown item and `StoreError` where no generation is live.
    """
    found = database.read_graph(statement("item_picture", "cypher"), {"item": item, "n": n})
    if not found.nodes:
        live(database)
        raise NotFound(f"item {item!r} is not in the graph")
    return found
