"""What a user had last."""

from dataclasses import dataclass
from datetime import datetime

from cypher.user import user as find_user
from graph.driver import Database
from graph.statements import statement


@dataclass(frozen=True)
class HistoryItem:
    """An item that the user had `count` times; time or position is None where the source has none."""

    id: str
    title: str | None
    kind: str | None
    count: int | None
    last_time: datetime | None
    last_position: int | None


def history(database: Database, user: str, n: int = 10) -> list[HistoryItem]:
    """The `n` items that `user` had last, the newest first. Raises `NotFound`."""
    rows = database.read(statement("history", "cypher"), {"user": user, "n": n})
    if not rows:
        find_user(database, user)
    for row in rows:
        row["last_time"] = row["last_time"] and row["last_time"].to_native()
    return [HistoryItem(**row) for row in rows]
