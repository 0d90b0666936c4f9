"""Tables into the graph: two writers with one contract, and the choice between them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Protocol

import polars as pl
from filelock import FileLock, Timeout

from graph.bulk import write_bulk
from graph.driver import Database
from graph.errors import SettingsError, StoreBusy, StoreError, StoreNotEmpty
from graph.files import replacing
from graph.incremental import write_incremental
from graph.progress import step
from graph.rows import check_references
from graph.schema import Source, Tables
from graph.settings import Settings
from graph.source import stored_source
from graph.statements import statement


class Writer(Protocol):
    """What every writer does: afterwards the graph holds these tables, whatever of them it held before.

    The same tables again change nothing. A writer that is killed can be called again with the same tables. It sets
    `Source.loading` first and removes it last, so readers know an unfinished load.
    """

    def __call__(self, tables: Tables, settings: Settings, database: Database) -> None: ...


WRITERS: dict[str, Writer] = {"bulk": write_bulk, "incremental": write_incremental}


def write(
    tables: Tables,
    settings: Settings,
    database: Database,
    writer: Literal["auto", "bulk", "incremental"] = "auto",
) -> str:
    """Write `tables` into the graph, their exposures into `settings.exposures_file`. Returns the writer's name.

    `auto` takes the bulk writer for an empty managed database and the incremental one for every other.

    Raises `SourceError` where the tables contradict themselves, `StoreNotEmpty` where the store holds another source,
    `StoreBusy` while another process loads into it, `StoreError` where the disk refuses, and `DatabaseError`.
    """
    if writer not in ("auto", *WRITERS):
        raise SettingsError(f"writer {writer!r} does not exist: use auto, bulk or incremental")
    with _alone(settings):
        check_references(tables)
        _check_source(tables.source, database)
        if writer == "auto":
            empty = settings.managed and is_empty(database)
            writer = "bulk" if empty else "incremental"
        if tables.exposures is not None:
            _write_exposures(tables.exposures, settings)
        WRITERS[writer](tables, settings, database)
    return writer


def is_empty(database: Database) -> bool:
    return bool(database.read(statement("count_nodes"))[0]["nodes"] == 0)


def _check_source(source: Source, database: Database) -> None:
    """One store is one source: data of two, or held out in two ways, would leak into each other."""
    stored = stored_source(database)
    if stored and (stored.id, stored.protocol) != (source.id, source.protocol):
        raise StoreNotEmpty(
            f"the store holds {stored.id} (held out: {stored.protocol}), not {source.id} "
            f"(held out: {source.protocol}): load into another store, named by TWOHOP_STORE"
        )


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    settings.store_folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.store_folder / "load.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StoreBusy(f"another process loads into store {settings.store}: wait for it or end it") from None
    try:
        yield
    finally:
        lock.release()


def _write_exposures(exposures: pl.DataFrame, settings: Settings) -> None:
    try:
        with step(f"Writing {len(exposures):,} exposures"), replacing(settings.exposures_file) as part:
            exposures.sort("item", "week", "place").write_parquet(part)
    except OSError as error:
        raise StoreError(f"cannot write {settings.exposures_file}: {error.strerror or error}") from None
