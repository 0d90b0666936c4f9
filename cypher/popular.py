"""Items for nobody in particular."""

from dataclasses import dataclass

from graph.driver import Database
from graph.statements import statement


@dataclass(frozen=True)
class PopularItem:
    """`popularity` counts the users who had the item."""

    id: str
    title: str | None
    popularity: int


def popular(database: Database, n: int = 10, user: str | None = None) -> list[PopularItem]:
    """The `n` available items with the most buyers, without those that `user` had."""
    rows = database.read(statement("popular", "cypher"), {"n": n, "user": user})
    return [PopularItem(**row) for row in rows]
