"""What an item is."""

from dataclasses import dataclass

from graph.driver import Database
from graph.errors import NotFound
from graph.statements import statement


@dataclass(frozen=True)
class Item:
    """`popularity` counts the users who had the item in the training rows."""

    id: str
    title: str | None
    brand: str | None
    price: float | None
    available: bool
    popularity: int | None


def item(database: Database, item: str) -> Item:
    """Raises `NotFound`."""
    rows = database.read(statement("item", "cypher"), {"item": item})
    if not rows:
        raise NotFound(f"item {item!r} is not in the graph")
    return Item(**rows[0])
