"""What an older version stored otherwise, brought up to date at the first connection."""

from typing import TYPE_CHECKING

from graph.progress import step
from graph.statements import statement

if TYPE_CHECKING:
    from graph.driver import Database

EDGES_OF = 50  # items whose edges change in one transaction: up to 200 neighbours each in every generation
VECTORS_OF = 2_000  # items whose vectors are measured in one


def update_older(database: "Database") -> None:
    """Have `SIMILAR` edges of an older version name their `trigger`, and items have the lengths of their vectors.

    The index that finds neighbours wants the one, the query that takes products the other. One small query where
    nothing is older. An interrupted update is finished by the next connection. Raises `DatabaseError`.
    """
    older = database.read(statement("older_generations"))
    if any(one["unnamed"] for one in older):
        _update(database, "neighbours by index", "name_triggers", EDGES_OF)
        database.write(statement("index_similar"))
        database.read(statement("await_indexes"), {"timeout": 600})
        database.write(statement("triggers_named"))
    if any(one["unmeasured"] for one in older):
        _update(database, "lengths of vectors", "measure_vectors", VECTORS_OF)
        database.write(statement("vectors_measured"))


def _update(database: "Database", what: str, name: str, items: int) -> None:
    """Run the statement `name` over all items, so many in a transaction."""
    with step(f"Updating a store of an older version: {what}") as shown:
        last: str | None = ""
        while last is not None:
            row = database.write(statement(name), {"after": last, "limit": items})[0]
            last = row["last"]
            shown.advance(row["items"])
