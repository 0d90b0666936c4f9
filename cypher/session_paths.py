"""The paths behind items that were recommended to a session."""

from collections.abc import Mapping, Sequence

from cypher.paths import Path
from cypher.walk import NEIGHBOURS, TRIGGERS
from graph.driver import Database
from graph.statements import statement


def session_paths(
    database: Database,
    triggers: Mapping[str, float],
    items: Sequence[str],
    m: int = TRIGGERS,
    k: int = NEIGHBOURS,
    generation: int | None = None,
) -> dict[str, list[Path]]:
    """The paths of each of `items`, the strongest first; `triggers`, `m`, `k` as in `recommend_session`."""
    weighed = [{"id": item, "weight": weight} for item, weight in triggers.items()]
    given = {"triggers": weighed, "items": list(items), "m": m, "k": k, "generation": generation}
    found: dict[str, list[Path]] = {item: [] for item in items}
    for row in database.read(statement("session_paths", "cypher"), given):
        found[row.pop("item")].append(Path(**row))
    return found
