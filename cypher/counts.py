"""How much a store holds."""

from dataclasses import dataclass

from graph.driver import Database
from graph.statements import statement


@dataclass(frozen=True)
class Counts:
    """Nodes, and edges: one for each pair of a user and an item, however often the user had it."""

    users: int
    items: int
    browse_nodes: int
    interactions: int
    held_out: int


def counts(database: Database) -> Counts:
    return Counts(**database.read(statement("counts", "cypher"))[0])
