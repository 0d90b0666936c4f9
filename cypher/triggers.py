"""What a user's recommendations start from."""

from dataclasses import dataclass
from datetime import datetime

from cypher.live import live
from cypher.user import user as find_user
from graph.driver import Database
from graph.statements import statement


@dataclass(frozen=True)
class Trigger:
    """An interaction by its `weight` = e^t: how often, and when or at which place in the user's order last."""

    id: str
    title: str | None
    weight: float
    count: int | None
    last_time: datetime | None
    last_position: int | None
    generation: int


def triggers(database: Database, user: str, m: int = 300) -> list[Trigger]:
    """The `m` interactions with the greatest weights; none for a user who came after the live generation.

    Raises `NotFound` for an unknown user and `StoreError` where no generation is live.
    """
    rows = database.read(statement("triggers", "cypher"), {"user": user, "m": m})
    if not rows:
        find_user(database, user)
        live(database)
    for row in rows:
        row["last_time"] = row["last_time"] and row["last_time"].to_native()
    return [Trigger(**row) for row in rows]
