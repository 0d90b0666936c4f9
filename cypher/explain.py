"""Why an item for a user."""

from dataclasses import dataclass

from cypher.live import live
from cypher.user import user as find_user
from cypher.variants import VariantName
from cypher.walk import NEIGHBOURS, TRIGGERS
from graph.driver import Database
from graph.errors import NotFound
from graph.statements import statement


@dataclass(frozen=True)
class ExplainedPath:
    """A stored path; `trigger_weight` as in `cypher.paths.Path`.

    `share` of the score is 0 where it is not `served`: beyond m triggers or k neighbours.
    """

    trigger: str
    trigger_title: str | None
    trigger_weight: float
    similar_weight: float
    path: float
    served: bool
    share: float
    trigger_rank: int
    similar_rank: int


@dataclass(frozen=True)
class Explanation:
    """`score` = `direct` + the sum of the served `paths`, which come first, the strongest first.

    `repeat_power` is what the `trigger_weight` of a path from the item to itself was raised to.
    """

    user: str
    item: str
    title: str | None
    generation: int
    variant: VariantName
    repeat_power: float
    score: float
    direct: float
    paths: tuple[ExplainedPath, ...]


def explain(
    database: Database, user: str, item: str, m: int = TRIGGERS, k: int = NEIGHBOURS, bucket: int | None = None
) -> Explanation:
    """All paths from `user` to `item`; `m`, `k`, `bucket` as in `recommend`.

    Raises `NotFound` for an unknown user or item and `StoreError` where no generation is live.
    """
    given = {"user": user, "item": item, "m": m, "k": k, "bucket": bucket}
    rows = database.read(statement("explain", "cypher"), given)
    if not rows:
        find_user(database, user)
        live(database)
        raise NotFound(f"item {item!r} is not in the graph")
    head = {name: rows[0][name] for name in ("title", "generation", "variant", "repeat_power", "score", "direct")}
    paths = tuple(
        ExplainedPath(**{name: row[name] for name in ExplainedPath.__dataclass_fields__})
        for row in rows
        if row["trigger"] is not None
    )
    return Explanation(user=user, item=item, **head, paths=paths)
