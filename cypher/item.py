"""What an item is."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from graph.driver import Database
from graph.errors import NotFound
from graph.paths import SEPARATOR
from graph.statements import statement


@dataclass(frozen=True)
class ItemCategory:
    """A browse node that the item is in; `path` has the names from the top of the tree down to it."""

    id: str
    name: str | None
    path: str


@dataclass(frozen=True)
class Item:
    """`popularity` counts the users who had the item in the training rows.

    `created`: when it was put into the catalogue, or had first; `profile`: the item's features.
    """

    id: str
    title: str | None
    brand: str | None
    price: float | None
    available: bool
    popularity: int | None
    created: datetime | None = None
    profile: dict[str, Any] = field(default_factory=dict)
    categories: tuple[ItemCategory, ...] = ()


def item(database: Database, item: str) -> Item:
    """Raises `NotFound`."""
    rows = database.read(statement("item", "cypher"), {"item": item})
    if not rows:
        raise NotFound(f"item {item!r} is not in the graph")
    row = rows[0]
    row["created"] = row["created"] and row["created"].to_native()
    row["profile"] = dict(row["profile"])
    row["categories"] = tuple(
        ItemCategory(one["id"], one["name"], SEPARATOR.join(name or "" for name in one["path"]))
        for one in row["categories"]
    )
    return Item(**row)
