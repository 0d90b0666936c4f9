"""Items like an item."""

from dataclasses import dataclass

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


def similar(database: Database, item: str, n: int = 10) -> list[SimilarItem]:
    """The `n` strongest available neighbours of `item`.

    Raises `NotFound` for an unknown item and `StoreError` where no generation is live.
    """
    rows = database.read(statement("similar", "cypher"), {"item": item, "n": n})
    if not rows:
        live(database)
        raise NotFound(f"item {item!r} is not in the graph")
    return [SimilarItem(**row) for row in rows if row["id"] is not None]
