"""Users to look at."""

from dataclasses import dataclass

from graph.driver import Database
from graph.statements import statement


@dataclass(frozen=True)
class SampledUser:
    id: str
    items: int


def sample(database: Database, n: int = 10, items: int = 5) -> list[SampledUser]:
    """The first `n` users, in the order of their ids, who had `items` items or more."""
    rows = database.read(statement("sample", "cypher"), {"n": n, "items": items})
    return [SampledUser(**row) for row in rows]
