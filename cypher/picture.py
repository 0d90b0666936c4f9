"""The graph behind a user's best items, to draw."""

from neo4j.graph import Graph

from cypher.live import live
from cypher.user import user as find_user
from cypher.walk import NEIGHBOURS, TRIGGERS
from graph.driver import Database
from graph.statements import statement


def picture(
    database: Database, user: str, n: int = 5, *, m: int = TRIGGERS, k: int = NEIGHBOURS, paths: int = 3
) -> Graph:
    """Nodes and relationships of the `paths` strongest paths of the `n` items with the greatest sums of paths.

    `m`, `k` as in `recommend`. Raises `NotFound` for an unknown user and `StoreError` where no generation is live.
    """
    given = {"user": user, "n": n, "m": m, "k": k, "paths": paths}
    found = database.read_graph(statement("picture", "cypher"), given)
    if not found.nodes:
        find_user(database, user)
        live(database)
    return found
