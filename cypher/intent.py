"""One intent."""

from dataclasses import dataclass

from graph.driver import Database
from graph.errors import NotFound
from graph.statements import statement


@dataclass(frozen=True)
class Need:
    """`source` says who named it: table, tree or model."""

    id: str
    name: str
    score: float
    source: str


@dataclass(frozen=True)
class ShownIntent:
    """`source`: table or mined; `served_by`: categories of the tree that serve it."""

    id: str
    sentence: str
    says: tuple[str, ...]
    source: str
    department: str
    season: tuple[str, ...]
    audience: tuple[str, ...]
    needs: tuple[Need, ...]
    served_by: int


def intent(database: Database, intent: str, tree: str) -> ShownIntent:
    """With what it needs of `tree`. Raises `NotFound`."""
    rows = database.read(statement("intent", "cypher"), {"intent": intent, "tree": tree})
    if not rows:
        raise NotFound(f"intent {intent!r} is not in the graph")
    row = rows[0]
    for name in ("says", "season", "audience"):
        row[name] = tuple(row[name] or ())
    row["needs"] = tuple(Need(**one) for one in row["needs"])
    return ShownIntent(**row)
