"""Items for a user, with their reasons."""

from dataclasses import dataclass
from typing import Literal

from cypher.live import live
from cypher.paths import Path, paths
from cypher.popular import popular
from cypher.user import user as find_user
from graph.driver import Database
from graph.statements import statement


@dataclass(frozen=True)
class RecommendedItem:
    """`score` = `direct` (softplus of the direct product) + the sum of its paths. `paths` is empty unless asked for."""

    id: str
    title: str | None
    score: float
    direct: float
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Recommendations:
    """`items` best first, by the weights of `generation`. With `fallback` set they are not scored: score = 0."""

    user: str
    generation: int
    items: tuple[RecommendedItem, ...]
    fallback: Literal["popular"] | None = None


def recommend(
    database: Database,
    user: str,
    n: int = 10,
    *,
    m: int = 300,
    k: int = 100,
    shortlist: int = 300,
    repeats: bool = False,
    explain: bool = False,
) -> Recommendations:
    """The best `n` available items for `user` (PDN eq. 14).

    Args:
        m: triggers, the user's interactions with the greatest weights.
        k: neighbours of each trigger.
        shortlist: candidates, the best by their paths, that get their direct path.
        repeats: recommend also what the user had already.
        explain: with every item its paths.

    A user without triggers gets the most popular items. Raises `NotFound` for an unknown user and `StoreError` where
    no generation is live.
    """
    given = {"user": user, "m": m, "k": k, "n": n, "shortlist": max(shortlist, n), "repeats": repeats}
    rows = database.read(statement("recommend", "cypher"), given)
    if not rows:
        return _without_candidates(database, user, n, repeats)
    generation = rows[0]["generation"]
    reasons: dict[str, list[Path]] = {}
    if explain:  # by the same generation, whatever has gone live meanwhile
        reasons = paths(database, user, [row["id"] for row in rows], m=m, k=k, generation=generation)
    items = tuple(
        RecommendedItem(row["id"], row["title"], row["score"], row["direct"], tuple(reasons.get(row["id"], ())))
        for row in rows
    )
    return Recommendations(user, generation, items)


def _without_candidates(database: Database, user: str, n: int, repeats: bool) -> Recommendations:
    known = find_user(database, user)
    generation = live(database).id
    if known.triggers:
        return Recommendations(user, generation, ())
    items = popular(database, n, user=None if repeats else user)
    unscored = tuple(RecommendedItem(item.id, item.title, score=0.0, direct=0.0) for item in items)
    return Recommendations(user, generation, unscored, fallback="popular")
