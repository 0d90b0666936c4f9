"""Items like an item."""

from dataclasses import dataclass

from cypher.filters import NO_FILTERS, Filters
from cypher.live import live
from graph.driver import Database
from graph.errors import NotFound
from graph.statements import statement


@dataclass(frozen=True)
class SimilarItem:
    """`weight` = e^s; `rank` among all neighbours, unavailable ones too, 1 = the strongest."""

    id: str
    title: str | None
    weight: float
    rank: int
    generation: int


def similar(
    database: Database, item: str, n: int = 10, filters: Filters = NO_FILTERS, generation: int | None = None
) -> list[SimilarItem]:
    """The `n` strongest available neighbours of `item` that pass `filters`; `generation` None is the live one.

    Raises `NotFound` for an unknown item or category and `StoreError` where no generation is live.
    """
    given = {"item": item, "n": n, "generation": generation, **filters.parameters()}
    rows = database.read(statement("similar", "cypher"), given)
    if not rows:
        live(database)
        raise NotFound(f"item {item!r} is not in the graph")
    found = [SimilarItem(**row) for row in rows if row["id"] is not None]
    if not found:
        filters.check(database)
    return found
