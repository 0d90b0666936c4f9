"""What users were held out with."""

from dataclasses import dataclass

from graph.driver import Database
from graph.statements import statement


@dataclass(frozen=True)
class HeldOut:
    """Items of a user's held-out rows: `new` ones, and those that the user had `again`. `had`: of the training rows."""

    user: str
    new: tuple[str, ...]
    again: tuple[str, ...]
    had: tuple[str, ...]


def held_out(database: Database, min_buyers: int = 1) -> list[HeldOut]:
    """All users with held-out items that have `min_buyers` buyers or more in the training rows."""
    rows = database.read(statement("held_out", "cypher"), {"min_buyers": min_buyers})
    return [HeldOut(row["user"], *(tuple(row[which]) for which in ("new", "again", "had"))) for row in rows]
