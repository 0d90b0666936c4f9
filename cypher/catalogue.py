"""What can be recommended at all."""

from dataclasses import dataclass

from graph.driver import Database
from graph.statements import statement


@dataclass(frozen=True)
class CatalogueItem:
    """`popularity`: its buyers in the training rows. `categories`: ids of the browse nodes that it is in."""

    id: str
    popularity: int
    categories: tuple[str, ...]


def catalogue(database: Database, min_buyers: int = 1) -> list[CatalogueItem]:
    """All items with `min_buyers` buyers or more in the training rows."""
    rows = database.read(statement("catalogue", "cypher"), {"min_buyers": min_buyers})
    return [CatalogueItem(row["id"], row["popularity"], tuple(row["categories"])) for row in rows]
