"""Which items a query may give."""

from dataclasses import dataclass, field, replace
from typing import Any, Self

from cypher.browse_node import browse_node
from graph.driver import Database


@dataclass(frozen=True)
class Filters:
    """Conditions that are checked inside a query, before it limits what it gives.

    Attributes:
        category: id of a browse node: only items in it or below it.
        min_price, max_price: an item without a price is left out where one of them is given.
        exclude: ids of items that are left out.
    """

    category: str | None = None
    min_price: float | None = None
    max_price: float | None = None
    exclude: tuple[str, ...] = field(default=())

    def parameters(self) -> dict[str, Any]:
        """The parameters that every statement with filters takes."""
        return {
            "category": self.category,
            "min_price": self.min_price,
            "max_price": self.max_price,
            "exclude": list(self.exclude),
        }

    def without(self, *items: str) -> Self:
        """The same, and these items are left out too."""
        return replace(self, exclude=(*self.exclude, *items))

    def check(self, database: Database) -> None:
        """Raises `NotFound` for an unknown category: asked where a query gave nothing."""
        if self.category is not None:
            browse_node(database, self.category)


NO_FILTERS = Filters()
