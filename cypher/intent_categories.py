"""From a text, as a vector, to the categories that it takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from graph.driver import Database
from graph.errors import NotFound
from graph.paths import SEPARATOR
from graph.statements import statement

REACH, FARTHEST = 500, 50_000  # categories of all trees compared at first, and at the most


@dataclass(frozen=True)
class FoundCategory:
    """`score` = `cosine` + share * `hop`; `path` from the top of the tree down, as "A > B > C"."""

    id: str
    name: str
    path: str
    score: float
    cosine: float
    hop: float


def intent_categories(
    database: Database,
    vector: Sequence[float],
    tree: str,
    k: int = 10,
    *,
    near: int = 20,
    share: float = 0.5,
    temperature: float = 0.05,
) -> list[FoundCategory]:
    """The `k` categories of `tree` that a text takes; fewer only where the tree has no more.

    Args:
        vector: the text, by the encoder of the store (`models.intents.encoder`).
        near: intents that the second hop leads through; 0 leaves it out.

    Raises `NotFound` for a tree that has no vectors.
    """
    reach = max(REACH, k)
    while True:
        given = {
            "vector": list(vector), "tree": tree, "k": k, "near": near, "share": share, "temperature": temperature,
            "reach": reach,
        }  # fmt: skip
        rows = database.read(statement("intent_categories", "cypher"), given)
        if len(rows) >= k or reach >= FARTHEST:
            break
        reach *= 10  # other trees' categories may have filled the first ones
    if not rows:
        raise NotFound(f"the browse tree {tree!r} has no vectors in this store: run twohop intents link --tree {tree}")
    return [FoundCategory(**row | {"path": SEPARATOR.join(row["path"])}) for row in rows]
