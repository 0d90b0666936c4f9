"""The incremental writer: batches of `UNWIND … MERGE`, into any Neo4j and beside whatever the graph holds already."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from typing import Any

import polars as pl

from graph.batches import BATCH, write_rows
from graph.constraints import create_constraints
from graph.driver import Database
from graph.moments import EDGE_COLUMNS, EVENT_LISTS, by_user
from graph.progress import step
from graph.rows import (
    PAIR,
    browse_node_rows,
    changed_edges,
    check_references,
    collect_edges,
    date_items,
    item_rows,
    merge_edges,
    pair_rows,
    user_rows,
)
from graph.schema import INTERACTION, Tables
from graph.settings import Settings
from graph.source import begin_load, end_load
from graph.statements import statement

LANES = 4  # transactions at a time
EVENTS = 50_000  # events a transaction at most, but for one edge that alone has more
STORED_SCHEMA: dict[str, Any] = {
    **dict.fromkeys((*PAIR, "kind"), pl.String),
    **dict.fromkeys(("count", "last_time", "last_position"), pl.Int64),
    **{name: pl.List(INTERACTION[column]) for column, name in EVENT_LISTS.items()},
}


def write_incremental(tables: Tables, settings: Settings, database: Database) -> None:  # noqa: ARG001  the contract's
    """Merge `tables` into the graph: see `graph.writers.Writer`. Every batch is one transaction that is retried.

    New events of a pair join those that its edge holds; properties that the tables do not name stay as they are.
    Raises `SourceError` and `DatabaseError`; after one of the latter, the same call goes on.
    """
    check_references(tables)
    nodes = {
        "merge_users": user_rows(tables),
        "merge_items": item_rows(tables),
        "merge_browse_nodes": browse_node_rows(tables),
        "merge_in_category": pair_rows(tables.in_category, "item", "browse_node"),
        "merge_child_of": pair_rows(tables.child_of, "child", "parent"),
    }
    create_constraints(database)
    begin_load(tables.source, database)
    with step("Writing nodes and browse tree", sum(map(len, nodes.values()))) as shown:
        for name, rows in nodes.items():
            write_rows(database, name, rows.to_dicts(), shown)
    interacted = collect_edges(tables.interactions)
    write_edges("interacted", interacted, database)
    write_edges("held_out", collect_edges(tables.held_out), database)
    _count_popularity(database)
    dated = date_items(tables.items.select("id"), interacted).drop_nulls().sort("id")
    with step("Dating items", len(dated)) as shown:
        write_rows(database, "date_items", dated.to_dicts(), shown)
    end_load(tables.source, database)


def write_edges(name: str, edges: pl.DataFrame, database: Database) -> None:
    """Merge edges, with the columns of `collect_edges`, between nodes that are there. Raises `DatabaseError`.

    `name`: interacted or held_out.
    """
    fresh = database.read(statement("count_edges"))[0][name] == 0

    def write_batch(batch: pl.DataFrame) -> int:
        rows = batch
        if not fresh:
            stored = _stored(name, batch, database)
            rows = changed_edges(stored, merge_edges(stored, batch))
        if len(rows):
            database.write(statement(f"merge_{name}"), {"users": by_user(rows.iter_rows())})
        return len(batch)

    with step(f"Writing {name.replace('_', ' ')} edges", len(edges)) as shown, ThreadPoolExecutor(LANES) as pool:
        for together in turns(edges):
            for written in pool.map(write_batch, together):
                shown.advance(written)


def turns(edges: pl.DataFrame) -> Iterator[Sequence[pl.DataFrame]]:
    """Batches that can be written at the same time, at most `LANES` of them: no user or item is in two of a turn.

    A new edge locks both its ends until the commit, so transactions that share nodes would wait for each other, or
    each for the other. Users and items are dealt to lanes; a turn takes lane n of the users with lane n + shift of the
    items.
    """
    if len(edges) <= BATCH:
        yield from ([batch] for batch in _batches(edges))
        return
    lane = {name: pl.col(name).hash() % LANES for name in PAIR}
    shift = ((lane["item"] + LANES - lane["user"]) % LANES).alias("shift")
    for part in edges.with_columns(shift, lane["user"].alias("lane")).partition_by("shift", include_key=False):
        lanes = part.partition_by("lane", include_key=False, maintain_order=True)
        for turn in zip_longest(*map(_batches, lanes)):
            yield [batch for batch in turn if batch is not None]


def _batches(edges: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Slices of at most `BATCH` edges and, where they have more than one edge, about `EVENTS` events."""
    number = (edges["count"].cum_sum() // EVENTS).alias("number")
    for part in edges.with_columns(number).partition_by("number", include_key=False, maintain_order=True):
        yield from part.iter_slices(BATCH)


def _stored(name: str, batch: pl.DataFrame, database: Database) -> pl.DataFrame:
    rows = database.read(statement(f"stored_{name}"), {"pairs": batch.select(PAIR).to_dicts()})
    return pl.DataFrame(rows, schema=STORED_SCHEMA).select(EDGE_COLUMNS)


def _count_popularity(database: Database) -> None:
    """Over all items and at the end, so that it is right after a load that was killed and taken up again."""
    last = ""
    with step("Counting buyers of items"):
        while True:
            row = database.write(statement("count_popularity"), {"after": last, "limit": BATCH})[0]
            if row["items"] < BATCH:
                return
            last = row["last"]
