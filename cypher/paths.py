"""The paths behind recommended items."""

from collections.abc import Sequence
from dataclasses import dataclass

from cypher.walk import NEIGHBOURS, TRIGGERS
from graph.driver import Database
from graph.statements import statement


@dataclass(frozen=True)
class Path:
    """user -> trigger -> item: `path` = log(1 + `trigger_weight` * `similar_weight`).

    `trigger_weight` is e^t, where the item is the trigger itself to the generation's `repeat_power`.
    """

    trigger: str
    trigger_title: str | None
    trigger_weight: float
    similar_weight: float
    path: float


def paths(
    database: Database,
    user: str,
    items: Sequence[str],
    m: int = TRIGGERS,
    k: int = NEIGHBOURS,
    generation: int | None = None,
    bucket: int | None = None,
) -> dict[str, list[Path]]:
    """The paths of each of `items`, the strongest first; an item that none reaches, or that is unknown, has none.

    `m`, `k`, `bucket` as in `recommend`. With a `generation` the paths are those of an earlier answer.
    """
    given = {"user": user, "items": list(items), "m": m, "k": k, "generation": generation, "bucket": bucket}
    found: dict[str, list[Path]] = {item: [] for item in items}
    for row in database.read(statement("paths", "cypher"), given):
        found[row.pop("item")].append(Path(**row))
    return found
