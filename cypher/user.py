"""Who a user is to the model."""

from dataclasses import dataclass

from graph.driver import Database
from graph.errors import NotFound
from graph.statements import statement


@dataclass(frozen=True)
class User:
    """`items` that the user had, `triggers` of them with a weight in the live `generation` (None: none is live)."""

    id: str
    items: int
    triggers: int
    generation: int | None


def user(database: Database, user: str) -> User:
    """Raises `NotFound`."""
    rows = database.read(statement("user", "cypher"), {"user": user})
    if not rows:
        raise NotFound(f"user {user!r} is not in the graph")
    return User(**rows[0])
