"""How many items can be recommended at all."""

from graph.driver import Database
from graph.statements import statement


def catalogue(database: Database, min_buyers: int = 1) -> int:
    """Number of items with `min_buyers` buyers or more in the training rows."""
    return int(database.read(statement("catalogue", "cypher"), {"min_buyers": min_buyers})[0]["items"])
