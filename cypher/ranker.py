"""How the intents of users are ranked."""

from dataclasses import dataclass

from graph.driver import Database
from graph.errors import StoreError
from graph.statements import statement


@dataclass(frozen=True)
class Ranker:
    """λ, τ, α and ε of eq. 2 and 3 as they were stored: see `pursued`."""

    recency_power: float
    activeness_power: float
    leniency: float
    base: float


def ranker(database: Database) -> Ranker:
    """Raises `StoreError` where intents were never linked."""
    rows = database.read(statement("ranker", "cypher"))
    if not rows:
        raise StoreError("the intents of users are not worked out: run twohop intents link")
    row = rows[0]
    return Ranker(row["lambda"], row["tau"], row["alpha"], row["epsilon"])
