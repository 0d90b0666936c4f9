"""The live generation."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graph.driver import Database
from graph.errors import StoreError
from graph.statements import statement


@dataclass(frozen=True)
class Live:
    """The weights that all queries read, and how many nodes and edges carry them."""

    id: int
    model: str
    data: str
    metrics: dict[str, Any]
    created: datetime
    users: int
    items: int
    interactions: int
    similar: int


def live(database: Database) -> Live:
    """Raises `StoreError` before the first generation is switched to."""
    rows = database.read(statement("live", "cypher"))
    if not rows:
        raise StoreError("the graph has no live weights: run twohop train pdn, then twohop index")
    row = rows[0]
    return Live(**row | {"metrics": json.loads(row["metrics"]), "created": row["created"].to_native()})
