"""The bulk writer: CSV files and Neo4j's own import tool, for an empty managed database."""

import shutil
from pathlib import Path

import polars as pl

from graph.constraints import create_constraints
from graph.driver import Database, translate
from graph.errors import SettingsError, SourceError, StoreError, StoreNotEmpty
from graph.progress import step
from graph.rows import (
    browse_node_rows,
    check_references,
    collect_edges,
    count_buyers,
    date_items,
    item_rows,
    pair_rows,
    user_rows,
)
from graph.schema import Tables
from graph.server import ManagedServer
from graph.settings import Settings
from graph.source import end_load
from graph.statements import statement
from graph.swap import announce_swap, finish_swap, import_folder

SEPARATORS = "\x1f\x1e\x1d\x1c"  # ASCII's own for lists; one that no text of the data holds is taken
TYPES = {pl.String: "string", pl.Int64: "long", pl.Float64: "double", pl.Boolean: "boolean", pl.Datetime: "datetime"}
MOMENTS = ("last_time", "created")  # columns in seconds that are stored as moments
ENDS = {  # relationship type: its columns of ids and the labels they belong to, the start first
    "INTERACTED": {"user": "User", "item": "Item"},
    "HELD_OUT": {"user": "User", "item": "Item"},
    "IN_CATEGORY": {"start": "Item", "end": "BrowseNode"},
    "CHILD_OF": {"start": "BrowseNode", "end": "BrowseNode"},
}
NUMBER, END_NUMBERS = ":ID", (":START_ID", ":END_ID")  # the tool's own columns


def write_bulk(tables: Tables, settings: Settings, database: Database) -> None:
    """Import `tables` into the empty managed database behind `database`: see `graph.writers.Writer`.

    The server is stopped meanwhile and answers at the same address afterwards. Killed at any moment, the store is
    empty or has the whole graph. Raises `SettingsError` with a server of your own, `StoreNotEmpty`, `SourceError`,
    `StoreError` where the disk refuses, `ServerError` and `DatabaseError`.
    """
    if not settings.managed:
        raise SettingsError("the bulk writer wants a managed server: unset NEO4J_URI, or use the incremental writer")
    if database.read(statement("count_nodes"))[0]["nodes"]:
        raise StoreNotEmpty("the bulk writer wants an empty store: use the incremental writer, or another store")
    check_references(tables)
    server = ManagedServer(settings)
    folder = server.folder
    made = import_folder(folder)
    try:
        with step("Writing files for the import"):
            words = _write_files(_frames(tables), made)
    except OSError as error:
        shutil.rmtree(made, ignore_errors=True)
        raise StoreError(f"cannot write {made}: {error.strerror or error}; the store is as it was") from None
    server.stop()
    try:
        with step("Importing into Neo4j"):
            server.run_admin(["database", "import", "full", database.name, *_options(made), *words])
        announce_swap(folder)
    finally:
        finish_swap(folder, database.name)
        shutil.rmtree(made, ignore_errors=True)
        server.start()
    _forget_bookmarks(database)
    create_constraints(database)
    end_load(tables.source, database)


def _forget_bookmarks(database: Database) -> None:
    """The new store counts its transactions from the beginning: the old ones that the driver waits for never come."""
    bookmarks = database.driver.execute_query_bookmark_manager
    with translate(database.address), database.driver.session(database=database.name) as session:
        session.execute_read(lambda transaction: transaction.run(statement("count_nodes")).consume())
        bookmarks.update_bookmarks(set(bookmarks.get_bookmarks()), session.last_bookmarks().raw_values)


def _frames(tables: Tables) -> dict[str, pl.DataFrame]:
    """Rows of each label and relationship type as they are stored."""
    interacted = collect_edges(tables.interactions)
    return {
        "Source": pl.DataFrame([{"id": tables.source.id, "protocol": tables.source.protocol, "loading": True}]),
        "User": user_rows(tables),
        "Item": date_items(count_buyers(item_rows(tables), interacted), interacted),
        "BrowseNode": browse_node_rows(tables),
        "INTERACTED": interacted,
        "HELD_OUT": collect_edges(tables.held_out),
        "IN_CATEGORY": pair_rows(tables.in_category, "item", "browse_node"),
        "CHILD_OF": pair_rows(tables.child_of, "child", "parent"),
    }


def _write_files(frames: dict[str, pl.DataFrame], folder: Path) -> list[str]:
    """Write one CSV file a frame; returns the import tool's arguments that name them, relative to Neo4j's home.

    Relative and plain, for the tool reads a comma or a bracket in a path as a list or a pattern.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    frames = _numbered(frames)
    separator = _free_separator(frames)
    words, many_lines = ["--id-type=actual", f"--array-delimiter=U+{ord(separator):04X}"], []
    for name, frame in frames.items():
        file = f"{folder.name}/{name}.csv"
        _csv(frame, separator).write_csv(folder / f"{name}.csv", quote_style="necessary")
        words.append(f"--{'relationships' if name in ENDS else 'nodes'}={name}={file}")
        if _holds(frame, "[\r\n]", literal=False):
            many_lines.append(file)
    if many_lines:  # slower to read, so only where needed
        words += [f"--multiline-fields={','.join(many_lines)}", "--multiline-fields-format=v2"]
    return words


def _numbered(frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Nodes with the numbers that they get in the store, and edges that name those: the tool looks up no ids then."""
    numbers: dict[str, pl.DataFrame] = {}
    first = 0
    for label in (name for name in frames if name not in ENDS):
        numbers[label] = frames[label].select("id", pl.int_range(first, first + pl.len(), dtype=pl.Int64).alias(NUMBER))
        first += len(frames[label])
    found = {label: frames[label].with_columns(numbers[label][NUMBER]) for label in numbers}
    for kind, ends in ENDS.items():
        edges = frames[kind]
        for (column, label), number in zip(ends.items(), END_NUMBERS, strict=True):
            known = numbers[label].rename({"id": column, NUMBER: number})
            edges = edges.join(known, on=column, how="left", maintain_order="left").drop(column)
        found[kind] = edges
    return found


def _options(folder: Path) -> list[str]:
    conf = folder / "import.conf"
    conf.write_text(f"server.directories.data={(folder / 'data').as_posix()}\n", encoding="utf-8")
    return [
        f"--additional-config={folder.name}/{conf.name}",
        f"--report-file={folder.name}/report.txt",
        "--overwrite-destination=true",
        "--bad-tolerance=0",  # the tables were checked: what the tool does not like is a fault, not a row to skip
    ]


def _csv(frame: pl.DataFrame, separator: str) -> pl.DataFrame:
    """The frame under the tool's typed headers, its lists joined, without columns that nothing has a value in."""
    frame = frame.select(
        column for column in frame.columns if not len(frame) or frame[column].null_count() < len(frame)
    )
    moments = [name for name in MOMENTS if name in frame.columns]
    frame = frame.with_columns(pl.from_epoch(name, time_unit="s") for name in moments)
    return frame.select(
        _text(column, kind, separator).alias(_header(column, kind)) for column, kind in frame.schema.items()
    )


def _header(column: str, kind: pl.DataType) -> str:
    if column in (NUMBER, *END_NUMBERS):
        return column
    if isinstance(kind, pl.List):
        return f"{column}:{TYPES[type(kind.inner)]}[]"  # type: ignore[index]
    return f"{column}:{TYPES[type(kind)]}"


def _text(column: str, kind: pl.DataType, separator: str) -> pl.Expr:
    value = pl.col(column)
    if isinstance(kind, pl.Datetime):
        return value.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(kind, pl.List):
        element = _java(pl.element()) if kind.inner == pl.Float64 else pl.element().cast(pl.String)
        return value.list.eval(element).list.join(separator)
    return _java(value) if kind == pl.Float64 else value


def _java(number: pl.Expr) -> pl.Expr:
    """Floats as Java reads them."""
    return number.cast(pl.String).str.replace("inf", "Infinity", literal=True)


def _free_separator(frames: dict[str, pl.DataFrame]) -> str:
    for separator in SEPARATORS:
        if not any(_holds(frame, separator, literal=True) for frame in frames.values()):
            return separator
    raise SourceError("texts of the data hold all four ASCII separators (U+001C to U+001F): use the incremental writer")


def _holds(frame: pl.DataFrame, pattern: str, literal: bool) -> bool:
    """Whether any text of the frame contains the pattern."""
    for column, kind in frame.schema.items():
        if kind in (pl.String, pl.List(pl.String)):
            texts = frame[column].explode() if kind == pl.List(pl.String) else frame[column]
            if texts.str.contains(pattern, literal=literal).any():
                return True
    return False
