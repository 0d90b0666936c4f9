"""Categories that complete a category."""

from dataclasses import dataclass

from graph.driver import Database
from graph.errors import NotFound
from graph.paths import SEPARATOR
from graph.statements import statement


@dataclass(frozen=True)
class ComplementaryCategory:
    """`sentence` says for what: the `intent` that both serve. `path` as "A > B > C"."""

    id: str
    name: str
    path: str
    score: float
    intent: str
    sentence: str


def category_complements(database: Database, category: str, n: int = 10) -> list[ComplementaryCategory]:
    """The `n` best complements of a browse node; none where it serves no intent. Raises `NotFound`."""
    rows = database.read(statement("category_complements", "cypher"), {"category": category, "n": n})
    if not rows and not database.read(statement("browse_node", "cypher"), {"node": category}):
        raise NotFound(f"browse node {category!r} is not in the graph")
    return [ComplementaryCategory(**row | {"path": SEPARATOR.join(row["path"])}) for row in rows]
