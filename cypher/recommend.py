"""Items for a user, with their reasons."""

from dataclasses import dataclass
from typing import Literal, TypedDict

from cypher.filters import NO_FILTERS, Filters
from cypher.live import live
from cypher.paths import Path, paths
from cypher.popular import popular
from cypher.user import user as find_user
from cypher.variants import VariantName
from cypher.walk import NEIGHBOURS, TRIGGERS, shortlist_for
from graph.driver import Database
from graph.statements import statement


@dataclass(frozen=True)
class RecommendedItem:
    """`score` = `direct` (softplus of the direct product) + the sum of its paths. `paths` is empty unless asked for.

    An item whose `source` is `popular` fills the list: no path leads to it, and both are 0.
    """

    id: str
    title: str | None
    score: float
    direct: float
    source: Literal["paths", "popular"] = "paths"
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Recommendations:
    """`items` best first, by the weights of `generation`; those of source `popular` come last.

    `fallback` is set for a user without triggers: then all items are popular ones.
    """

    user: str
    generation: int
    variant: VariantName
    items: tuple[RecommendedItem, ...]
    fallback: Literal["popular"] | None = None


class Asked(TypedDict, total=False):
    """What may be asked of `recommend` by name."""

    m: int
    k: int
    shortlist: int | None
    repeats: bool
    explain: bool
    filters: Filters
    bucket: int | None
    fill: bool


def recommend(
    database: Database,
    user: str,
    n: int = 10,
    *,
    m: int = TRIGGERS,
    k: int = NEIGHBOURS,
    shortlist: int | None = None,
    repeats: bool = False,
    explain: bool = False,
    filters: Filters = NO_FILTERS,
    bucket: int | None = None,
    fill: bool = True,
) -> Recommendations:
    """The best `n` available items for `user` (PDN eq. 14), and after them popular ones where there are fewer.

    Args:
        m: triggers, the user's interactions with the greatest weights.
        k: neighbours of each trigger.
        shortlist: candidates, the best by their paths, that get their direct path; None: 50 + 10 n.
        repeats: recommend also what the user had already.
        explain: with every item its paths.
        filters: what all items must fulfil.
        bucket: 0 to 9999, chooses between the live weights and a challenger's; None: the live ones.
        fill: False leaves a short list short; a user without triggers gets popular items all the same.

    Raises `NotFound` for an unknown user or category and `StoreError` where no generation is live.
    """
    given = {
        "user": user, "m": m, "k": k, "n": n, "shortlist": shortlist_for(n, shortlist), "repeats": repeats,
        "bucket": bucket,
    }  # fmt: skip
    rows = database.read(statement("recommend", "cypher"), given | filters.parameters())
    fallback: Literal["popular"] | None = None
    if rows:
        generation, variant = rows[0]["generation"], rows[0]["variant"]
    else:
        known = find_user(database, user, bucket)
        generation, variant = known.generation or live(database).id, known.variant or "control"
        fallback = None if known.triggers else "popular"
    reasons: dict[str, list[Path]] = {}
    if explain and rows:  # by the same generation, whatever has gone live meanwhile
        reasons = paths(database, user, [row["id"] for row in rows], m=m, k=k, generation=generation)
    items = [
        RecommendedItem(row["id"], row["title"], row["score"], row["direct"], paths=tuple(reasons.get(row["id"], ())))
        for row in rows
    ]
    if fill or fallback:
        items += popular_items(database, n, items, None if repeats else user, filters)
    elif not items:
        filters.check(database)
    return Recommendations(user, generation, variant, tuple(items), fallback)


def popular_items(
    database: Database, n: int, items: list[RecommendedItem], user: str | None, filters: Filters
) -> list[RecommendedItem]:
    """What fills `items` up to `n`: popular ones that are not among them and that `user` had not."""
    if len(items) >= n:
        return []
    found = popular(database, n - len(items), user, filters.without(*(item.id for item in items)))
    return [RecommendedItem(item.id, item.title, score=0.0, direct=0.0, source="popular") for item in found]
