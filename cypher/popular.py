"""Items for nobody in particular."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from cypher.filters import NO_FILTERS, Filters
from graph.driver import Database, Row
from graph.statements import statement


@dataclass(frozen=True)
class ListedItem:
    """`popularity` counts the users who had the item; `created`: when it was put into the catalogue, or had first."""

    id: str
    title: str | None
    brand: str | None
    price: float | None
    popularity: int | None
    created: datetime | None

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(**row | {"created": row["created"] and row["created"].to_native()})


def popular(
    database: Database, n: int = 10, user: str | None = None, filters: Filters = NO_FILTERS
) -> list[ListedItem]:
    """The `n` available items with the most buyers, without those that `user` had.

    Raises `NotFound` for an unknown category.
    """
    rows = database.read(statement("popular", "cypher"), {"n": n, "user": user, **filters.parameters()})
    if not rows:
        filters.check(database)
    return [ListedItem.of(row) for row in rows]
