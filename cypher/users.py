"""Users by their ids."""

from dataclasses import dataclass

from graph.driver import Database
from graph.statements import statement


@dataclass(frozen=True)
class ListedUser:
    """A user and the number of `items` that the user had."""

    id: str
    items: int


def users(database: Database, prefix: str = "", n: int = 10) -> list[ListedUser]:
    """The first `n` users whose ids begin with `prefix`, in the order of their ids."""
    rows = database.read(statement("users", "cypher"), {"prefix": prefix, "n": n})
    return [ListedUser(**row) for row in rows]
