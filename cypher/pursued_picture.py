"""The graph of what a user is up to, to draw."""

from neo4j.graph import Graph

from cypher.user import user as find_user
from graph.driver import Database
from graph.statements import statement


def pursued_picture(database: Database, user: str, intents: int = 4, needs: int = 4) -> Graph:
    """The user, the user's `intents` best intents, and the first `needs` categories that each of them needs.

    Empty for a user without intents. Raises `NotFound` for an unknown user.
    """
    given = {"user": user, "intents": intents, "needs": needs}
    found = database.read_graph(statement("pursued_picture", "cypher"), given)
    if not found.nodes:
        find_user(database, user)
    return found
