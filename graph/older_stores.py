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

    The first is what neighbours are found by, with an index of today's columns, the second what products are taken by.
    One small query where nothing is older. An interrupted update is finished by the next connection. Raises
    `DatabaseError`.
    """
    older = database.read(statement("older_generations"))
    if not older:
        return
    if any(one["unnamed"] for one in older):
        _update(database, "neighbours by index", "name_triggers", EDGES_OF)
    _update(database, "lengths of vectors", "measure_vectors", VECTORS_OF)
    database.write(statement("index_similar"))
    with step("Updating a store of an older version: the index of paths"):
        database.read(statement("await_indexes"), {"timeout": 3600})
    database.write(statement("drop_older_index"))
    database.write(statement("generations_updated"))


def _update(database: "Database", what: str, name: str, items: int) -> None:
    """Run the statement `name` over all items, so many in a transaction."""
    with step(f"Updating a store of an older version: {what}") as shown:
        last: str | None = ""
        while last is not None:
            row = database.write(statement(name), {"after": last, "limit": items})[0]
            last = row["last"]
            shown.advance(row["items"])
