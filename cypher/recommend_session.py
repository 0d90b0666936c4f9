"""Items for somebody whom the graph does not know, from what they did in a session."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cypher.filters import NO_FILTERS, Filters
from cypher.live import live
from cypher.paths import Path
from cypher.recommend import RecommendedItem, popular_items
from cypher.session_paths import session_paths
from cypher.walk import NEIGHBOURS, TRIGGERS, shortlist_for
from graph.driver import Database
from graph.statements import statement


@dataclass(frozen=True)
class SessionRecommendations:
    """As `Recommendations`: `fallback` is set where the session has no triggers."""

    generation: int
    items: tuple[RecommendedItem, ...]
    fallback: Literal["popular"] | None = None


def recommend_session(
    database: Database,
    triggers: Mapping[str, float],
    direct: Sequence[float] = (),
    n: int = 10,
    *,
    m: int = TRIGGERS,
    k: int = NEIGHBOURS,
    shortlist: int | None = None,
    explain: bool = False,
    filters: Filters = NO_FILTERS,
    generation: int | None = None,
) -> SessionRecommendations:
    """The best `n` available items, and after them popular ones where there are fewer.

    Args:
        triggers: {item: e^t}, weights above 0; items that the graph has not are passed over.
        direct: p of the session; empty for none.
        m, k, shortlist, explain, filters: as in `recommend`. What is in the session comes again unless `filters`
            leave it out.
        generation: the one that weighed the triggers; None: the live one.

    Raises `NotFound` for an unknown category and `StoreError` where no generation is live.
    """
    weighed = [{"id": item, "weight": weight} for item, weight in triggers.items()]
    given = {
        "triggers": weighed, "direct": list(direct), "n": n, "m": m, "k": k, "shortlist": shortlist_for(n, shortlist),
        "generation": generation,
    }  # fmt: skip
    rows = database.read(statement("recommend_session", "cypher"), given | filters.parameters())
    chosen = rows[0]["generation"] if rows else generation or live(database).id
    reasons: dict[str, list[Path]] = {}
    if explain and rows:
        reasons = session_paths(database, triggers, [row["id"] for row in rows], m=m, k=k, generation=chosen)
    items = [
        RecommendedItem(row["id"], row["title"], row["score"], row["direct"], paths=tuple(reasons.get(row["id"], ())))
        for row in rows
    ]
    items += popular_items(database, n, items, None, filters)
    return SessionRecommendations(chosen, tuple(items), None if triggers else "popular")
