"""Scores of given items."""

from collections.abc import Sequence
from dataclasses import dataclass

from cypher.live import live
from cypher.user import user as find_user
from cypher.walk import NEIGHBOURS, TRIGGERS
from graph.driver import Database
from graph.errors import NotFound
from graph.statements import statement


@dataclass(frozen=True)
class RankedItem:
    """`score` = `direct` + the sum of the item's paths, as in `recommend`."""

    id: str
    score: float
    direct: float
    generation: int


def rank(
    database: Database,
    user: str,
    items: Sequence[str],
    m: int = TRIGGERS,
    k: int = NEIGHBOURS,
    bucket: int | None = None,
) -> list[RankedItem]:
    """`items`, each once, by their scores for `user`, best first; seen and unavailable ones too.

    `m`, `k`, `bucket` as in `recommend`. Raises `NotFound` for an unknown user or item and `StoreError` where no
    generation is live.
    """
    given = {"user": user, "items": list(items), "m": m, "k": k, "bucket": bucket}
    ranked = [RankedItem(**row) for row in database.read(statement("rank", "cypher"), given)]
    if missing := sorted(set(items) - {item.id for item in ranked}):
        find_user(database, user)
        live(database)
        raise NotFound(f"item {missing[0]!r} is not in the graph ({len(missing)} of {len(set(items))} are not)")
    return ranked
