"""One intent."""

from dataclasses import dataclass

from graph.driver import Database
from graph.errors import NotFound
from graph.statements import statement

SERVING = 20  # categories that are named


@dataclass(frozen=True)
class Need:
    """`source` says who named it: table, tree or model."""

    id: str
    name: str
    score: float
    source: str


@dataclass(frozen=True)
class ServingCategory:
    """`rank` of the intent among those of the category; `source` says who linked it: hand, table, queries or model."""

    id: str
    name: str
    confidence: float
    rank: int
    source: str


@dataclass(frozen=True)
class ShownIntent:
    """`source`: table or mined; `serving`: the best of the `served_by` categories of `tree` that serve it."""

    id: str
    sentence: str
    says: tuple[str, ...]
    source: str
    department: str
    season: tuple[str, ...]
    audience: tuple[str, ...]
    tree: str | None
    needs: tuple[Need, ...]
    serving: tuple[ServingCategory, ...]
    served_by: int


def intent(database: Database, intent: str, tree: str | None = None, k: int = SERVING) -> ShownIntent:
    """With what it needs of `tree` (None: the store's own), and `k` categories that serve it. Raises `NotFound`."""
    rows = database.read(statement("intent", "cypher"), {"intent": intent, "tree": tree, "k": k})
    if not rows:
        raise NotFound(f"intent {intent!r} is not in the graph")
    row = rows[0]
    for name in ("says", "season", "audience"):
        row[name] = tuple(row[name] or ())
    row["needs"] = tuple(Need(**one) for one in row["needs"])
    row["serving"] = tuple(ServingCategory(**one) for one in row["serving"])
    return ShownIntent(**row)
