"""Tables as the rows that both writers store: checked nodes, and one edge a pair with its events as aligned lists."""

import re
from typing import Any

import polars as pl

from graph.errors import SourceError
from graph.moments import EDGE_COLUMNS, EVENT_LISTS, UNKNOWN
from graph.schema import BROWSE_NODE, INTERACTION, ITEM, USER, Tables

PROPERTY_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PAIR = ("user", "item")
EVENT_KEY = ("position", "time", "session")  # events of one pair that agree in these are the same moment
LIST_TYPE = {column: pl.List(INTERACTION[column]) for column in EVENT_LISTS}


def collect_edges(events: pl.DataFrame) -> pl.DataFrame:
    """One row a (user, item) pair, sorted by it, with the columns `EDGE_COLUMNS`.

    Events stand in order of (position, time, session) and then of their other columns, so the rows do not depend on
    the order in which `events` came. A list is null where its column is unknown for the whole pair; else the
    sentinels of `moments.UNKNOWN` fill its gaps.
    """
    events = _plain_events(events)
    others = [name for name in INTERACTION if name not in (*PAIR, *EVENT_KEY, "kind")]
    order = [*PAIR, *EVENT_KEY, *others, "kind"]  # kind last: an edge keeps one, so it must not order its events
    lists = [pl.col(column).fill_null(UNKNOWN[column]).alias(name) for column, name in EVENT_LISTS.items()]
    known = [pl.col(column).is_not_null().any().alias(f"{name} known") for column, name in EVENT_LISTS.items()]
    return (
        events.sort(order)
        .group_by(PAIR, maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("count"),
            pl.col("kind").last(),
            pl.col("time").max().alias("last_time"),
            pl.col("position").max().alias("last_position"),
            *lists,
            *known,
        )
        .with_columns(pl.when(pl.col(f"{name} known")).then(pl.col(name)) for name in EVENT_LISTS.values())
        .select(EDGE_COLUMNS)
    )


def spread_events(edges: pl.DataFrame) -> pl.DataFrame:
    """One row an event with the columns of `schema.INTERACTION`: what `collect_edges` was given, but for its order.

    An edge has one kind, that of its last event, and all its events come back with it.
    """
    filled = [
        pl.col(name).fill_null(pl.lit(UNKNOWN[column], INTERACTION[column]).repeat_by("count")).alias(column)
        for column, name in EVENT_LISTS.items()
    ]
    events = edges.select(*PAIR, "kind", *filled).explode(list(EVENT_LISTS), empty_as_null=True)
    return _plain_events(events)


def merge_edges(stored: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Edges that hold the events of both.

    Where both know a moment of a pair (same position, time and session), the new events of that moment stand for
    the stored ones: merging the same edges again changes nothing, and a corrected quantity replaces the wrong one.
    """
    new_events = spread_events(new)
    key = [*PAIR, *EVENT_KEY]
    kept = spread_events(stored).join(new_events.select(key).unique(), on=key, how="anti", nulls_equal=True)
    return collect_edges(pl.concat([kept, new_events]))


def changed_edges(stored: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """Those of `edges` that are not stored, or otherwise."""
    values = [name for name in edges.columns if name not in PAIR]
    both = edges.join(stored, on=PAIR, how="left", suffix=" stored", maintain_order="left")
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name} stored")) for name in values)
    return both.filter(~same).select(edges.columns)


def count_buyers(items: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """`items` with `popularity`: the number of users with an edge to each."""
    buyers = edges.group_by("item").agg(pl.len().cast(pl.Int64).alias("popularity"))
    return items.join(buyers, left_on="id", right_on="item", how="left", maintain_order="left").with_columns(
        pl.col("popularity").fill_null(0)
    )


def date_items(items: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """`items` with `created`: the time of the first interaction, in seconds since 1970 UTC; null where none has one."""
    times = edges.select("item", "times").explode("times", empty_as_null=True)
    known = times.filter(pl.col("times") != UNKNOWN["time"])
    first = known.group_by("item").agg(pl.col("times").min().alias("created"))
    return items.join(first, left_on="id", right_on="item", how="left", maintain_order="left")


def user_rows(tables: Tables) -> pl.DataFrame:
    return _node_rows("users", tables.users, (*USER, *tables.source.user_profile))


def item_rows(tables: Tables) -> pl.DataFrame:
    return _node_rows("items", tables.items, (*ITEM, *tables.source.item_profile))


def browse_node_rows(tables: Tables) -> pl.DataFrame:
    """With `tree`: the store's own tree is named after its source, and stands beside trees of no store."""
    rows = _node_rows("browse nodes", tables.browse_nodes, tuple(BROWSE_NODE))
    return rows.with_columns(tree=pl.lit(tables.source.id))


def pair_rows(frame: pl.DataFrame, start: str, end: str) -> pl.DataFrame:
    """Distinct edges without properties, with the columns `start` and `end`."""
    return frame.select(pl.col(start).alias("start"), pl.col(end).alias("end")).unique().sort("start", "end")


def check_references(tables: Tables) -> None:
    """Raise `SourceError` where an edge names a node that is not in the tables."""
    users, items, nodes = (frame["id"] for frame in (tables.users, tables.items, tables.browse_nodes))
    for name, frame, column, known in (
        ("interactions", tables.interactions, "user", users),
        ("interactions", tables.interactions, "item", items),
        ("held-out interactions", tables.held_out, "user", users),
        ("held-out interactions", tables.held_out, "item", items),
        ("categories of items", tables.in_category, "item", items),
        ("categories of items", tables.in_category, "browse_node", nodes),
        ("browse tree", tables.child_of, "child", nodes),
        ("browse tree", tables.child_of, "parent", nodes),
    ):
        strange = frame.filter(~pl.col(column).is_in(known.implode()))[column]
        if len(strange):
            raise SourceError(
                f"{name}: {len(strange)} rows name a {column.replace('_', ' ')} that is not in the tables, "
                f"first {strange[0]!r}; nothing was written"
            )


def _plain_events(events: pl.DataFrame) -> pl.DataFrame:
    """The columns of `INTERACTION` with null for everything unknown, the sentinels included."""
    unknown = [
        pl.when(pl.col(column).is_nan() if isinstance(value, float) else pl.col(column) == value)
        .then(None)
        .otherwise(pl.col(column))
        .alias(column)
        for column, value in UNKNOWN.items()
    ]
    return events.select(pl.col(name).cast(kind) for name, kind in INTERACTION.items()).with_columns(unknown)


def _node_rows(name: str, frame: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    """These columns sorted by id, each as a type that Neo4j has. Raises `SourceError` where one cannot be stored."""
    for column in columns:
        if not PROPERTY_NAME.fullmatch(column):
            raise SourceError(f"{name}: {column!r} is no property name; use letters, digits and _")
        if column not in frame.columns:
            raise SourceError(f"{name}: column {column!r} is missing")
    double = frame["id"].filter(frame["id"].is_duplicated())
    if len(double):
        raise SourceError(f"{name}: id {double[0]!r} stands there more than once; nothing was written")
    return frame.select(_stored(name, column, frame.schema[column]) for column in columns).sort("id")


def _stored(name: str, column: str, kind: Any) -> pl.Expr:
    value = pl.col(column)
    if kind == pl.Null:
        return value.cast(pl.String)
    if kind.is_integer():
        return value.cast(pl.Int64)
    if kind.is_float():
        return value.cast(pl.Float64).fill_nan(None)
    if kind in (pl.String, pl.Boolean):
        return value
    if isinstance(kind, pl.Enum | pl.Categorical):
        return value.cast(pl.String)
    if kind == pl.List(pl.String):  # an empty list is an absent property: CSV cannot tell "" from [""]
        full = value.list.eval(pl.element().filter(pl.element().is_not_null() & (pl.element() != "")))
        return pl.when(full.list.len() > 0).then(full).alias(column)
    raise SourceError(f"{name}: column {column!r} has the type {kind}, which a node cannot hold")
