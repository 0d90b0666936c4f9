"""Items that came last."""

from cypher.filters import NO_FILTERS, Filters
from cypher.popular import ListedItem
from graph.driver import Database
from graph.statements import statement


def newest(database: Database, n: int = 10, filters: Filters = NO_FILTERS) -> list[ListedItem]:
    """The `n` available items that were put into the catalogue, or had first, last.

    Items of which neither time is known are left out. Raises `NotFound` for an unknown category.
    """
    rows = database.read(statement("newest", "cypher"), {"n": n, **filters.parameters()})
    if not rows:
        filters.check(database)
    return [ListedItem.of(row) for row in rows]
