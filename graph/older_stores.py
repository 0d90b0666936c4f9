"""What an older version stored otherwise, brought up to date at the first connection."""

from typing import TYPE_CHECKING

from graph.progress import step
from graph.statements import statement

if TYPE_CHECKING:
    from graph.driver import Database

ITEMS = 50  # whose edges change in one transaction: up to 200 neighbours each in every generation


def update_older(database: "Database") -> None:
    """Have `SIMILAR` edges of an older version name their `trigger`, as the index that finds neighbours wants it.

    One small query where nothing is older. An interrupted update is finished by the next connection. Raises
    `DatabaseError`.
    """
    if not database.read(statement("older_generations")):
        return
    with step("Updating a store of an older version: neighbours by index") as shown:
        last: str | None = ""
        while last is not None:
            row = database.write(statement("name_triggers"), {"after": last, "limit": ITEMS})[0]
            last = row["last"]
            shown.advance(row["items"])
        database.write(statement("index_similar"))
        database.read(statement("await_indexes"), {"timeout": 600})
        database.write(statement("triggers_named"))
