"""The incremental writer: batches of `UNWIND … MERGE`, into any Neo4j and beside whatever the graph holds already."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import repeat, zip_longest
from typing import Any

import polars as pl

from graph.batches import BATCH, write_rows
from graph.constraints import create_constraints
from graph.driver import Database, Run
from graph.moments import EDGE_COLUMNS, EVENT_LISTS, edge_parameters
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

LANES = 3  # of users, and of items: so many that each turn's cells have neither lane of the last one of the turn before
EVENTS = 50_000  # events a transaction at most, but for one edge that alone has more
TYPES: dict[str, Any] = {
    **dict.fromkeys((*PAIR, "kind"), pl.String),
    **dict.fromkeys(("count", "last_time", "last_position"), pl.Int64),
    **{name: pl.List(INTERACTION[column]) for column, name in EVENT_LISTS.items()},
}
STORED_SCHEMA = {name: TYPES[name] for name in EDGE_COLUMNS}
Cell = tuple[int, int]  # lane of the users, lane of the items


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

    `name`: interacted or held_out. A batch's statement runs while the one before commits, where they share no node. No
    two commit at once: a commit locks old edges beside the new ones too, which may lead to nodes of the other batch.
    Of two that wait for each other Neo4j ends one, which the driver tries again a second later.
    """
    fresh = database.read(statement("count_edges"))[0][name] == 0

    def write_batch(batch: pl.DataFrame, before: Future[int] | None) -> int:
        rows = batch.rows() if fresh else _changed(name, batch, database)
        parameters = edge_parameters(rows)

        def merge(run: Run) -> None:
            if rows:
                run(statement(f"merge_{name}"), parameters)
            if before is not None:
                before.result()

        database.transact(merge)
        return len(batch)

    with step(f"Writing {name.replace('_', ' ')} edges", len(edges)) as shown, ThreadPoolExecutor(2) as pool:
        before, last = None, None
        for cell, batch in cells(edges):
            if before is not None and last is not None and not apart(last, cell):
                wait([before])
            writing = pool.submit(write_batch, batch, before)
            if before is not None:
                shown.advance(before.result())
            before, last = writing, cell
        if before is not None:
            shown.advance(before.result())


def cells(edges: pl.DataFrame) -> Iterator[tuple[Cell, pl.DataFrame]]:
    """Batches in the order in which they are written: one shares no node with the one before, but for few of them.

    Users and items are dealt to lanes, and a cell is a lane of the one with a lane of the other. Cells take turns that
    have neither lane in common.
    """
    if len(edges) <= BATCH:
        yield from (((0, 0), batch) for batch in _batches(edges))
        return
    user, item = (pl.col(name).hash() % LANES for name in PAIR)
    dealt = edges.with_columns(shift=(item + LANES - user) % LANES, lane=user)
    for (shift,), part in dealt.partition_by("shift", include_key=False, as_dict=True).items():
        lanes = part.partition_by("lane", include_key=False, as_dict=True)
        named = (zip(repeat((lane, (lane + shift) % LANES)), _batches(own)) for (lane,), own in lanes.items())
        for turn in zip_longest(*named):
            yield from (batch for batch in turn if batch is not None)


def apart(one: Cell, other: Cell) -> bool:
    """Whether two cells have no node in common."""
    return one[0] != other[0] and one[1] != other[1]


def _changed(name: str, batch: pl.DataFrame, database: Database) -> list[tuple[Any, ...]]:
    """Those edges of the batch that are not stored, and those that hold other events once they are merged."""
    [found] = database.read(statement(f"stored_{name}"), {"pairs": batch.select(PAIR).rows()})
    stored = {tuple(edge[:2]): tuple(edge) for edge in found["edges"]}
    edges = [edge for edge in batch.iter_rows() if edge != stored.get(edge[:2])]
    new = [edge for edge in edges if edge[:2] not in stored]
    if len(new) == len(edges):
        return new
    others = _frame(edge for edge in edges if edge[:2] in stored)
    before = _frame(stored[pair] for pair in others.select(PAIR).iter_rows())
    return new + changed_edges(before, merge_edges(before, others)).rows()


def _frame(edges: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(list(edges), schema=STORED_SCHEMA, orient="row")


def _batches(edges: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Slices of at most `BATCH` edges and, where they have more than one edge, about `EVENTS` events."""
    number = (edges["count"].cum_sum() // EVENTS).alias("number")
    for part in edges.with_columns(number).partition_by("number", include_key=False, maintain_order=True):
        yield from part.iter_slices(BATCH)


def _count_popularity(database: Database) -> None:
    """Over all items and at the end, so that it is right after a load that was killed and taken up again."""
    last = ""
    with step("Counting buyers of items"):
        while True:
            row = database.write(statement("count_popularity"), {"after": last, "limit": BATCH})[0]
            if row["items"] < BATCH:
                return
            last = row["last"]
