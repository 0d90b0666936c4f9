"""Items that complete an item."""

from dataclasses import dataclass

from cypher.filters import NO_FILTERS, Filters
from cypher.item import item as find_item
from graph.driver import Database
from graph.statements import statement


@dataclass(frozen=True)
class ComplementaryItem:
    """`sentence` says for what, `category_name` as what; `score` is the strength of the link between the categories."""

    id: str
    title: str | None
    category: str
    category_name: str
    intent: str
    sentence: str
    score: float


def item_complements(
    database: Database, item: str, n: int = 10, each: int = 2, filters: Filters = NO_FILTERS
) -> list[ComplementaryItem]:
    """At most `n` items, `each` of one category at most; none where the item's categories serve no intent.

    Raises `NotFound` for an unknown item or category.
    """
    given = {"item": item, "n": n, "each": each, **filters.parameters()}
    rows = database.read(statement("item_complements", "cypher"), given)
    if not rows:
        find_item(database, item)
        filters.check(database)
    return [ComplementaryItem(**row) for row in rows]
