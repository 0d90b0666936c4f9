"""The `(:Source)` node: what the store was loaded from, and whether that load was finished."""

from graph.driver import Database
from graph.errors import StoreEmpty, StoreError
from graph.schema import Source
from graph.statements import statement


def stored_source(database: Database) -> Source | None:
    """The source of the store, its load finished or not; None for an empty store."""
    rows = database.read(statement("source"))
    return Source.of(rows[0]["properties"]) if rows else None


def read_source(database: Database) -> Source:
    """The source of a store that is ready. Raises `StoreEmpty` before a load and `StoreError` in the middle of one."""
    rows = database.read(statement("source"))
    if not rows:
        raise StoreEmpty("the store is empty: load data first (twohop load)")
    if rows[0]["loading"]:
        raise StoreError(f"the load of {rows[0]['properties']['id']} was not finished: run it again (twohop load)")
    return Source.of(rows[0]["properties"])


def begin_load(source: Source, database: Database) -> None:
    database.write(statement("begin_load"), {"id": source.id, "properties": source.properties()})


def end_load(source: Source, database: Database) -> None:
    database.write(statement("end_load"), {"id": source.id, "properties": source.properties()})
