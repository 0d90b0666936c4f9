"""What business rules kept from completing a category."""

from dataclasses import dataclass

from graph.driver import Database
from graph.statements import statement


@dataclass(frozen=True)
class DroppedComplement:
    """`rule` by its name in the file of rules, `why` in words."""

    id: str
    name: str
    rule: str
    why: str
    intent: str
    sentence: str


def dropped_complements(database: Database, category: str, n: int = 50) -> list[DroppedComplement]:
    """The first `n`, by rule and name."""
    rows = database.read(statement("dropped_complements", "cypher"), {"category": category, "n": n})
    return [DroppedComplement(**row) for row in rows]
