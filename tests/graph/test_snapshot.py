"""The snapshot: everything that was written comes out again, in an order that depends on the content alone."""

import math
import subprocess
import sys
from typing import Any

import polars as pl
import pytest
import torch
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from torch_geometric.data import HeteroData

from graph.driver import Database
from graph.errors import StoreEmpty, StoreError
from graph.incremental import write_incremental
from graph.schema import BROWSE_NODE, CHILD_OF, IN_CATEGORY, INTERACTION, Source, Tables
from graph.settings import Settings
from graph.snapshot import read_snapshot
from graph.source import begin_load
from tests.graph.conftest import events, make_tables

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
MAYBE_TEXT = st.none() | TEXT
NUMBER = st.none() | st.integers(-1000, 1000).map(float)
MAKES = {
    "kind": TEXT,
    "position": st.none() | st.integers(0, 5),
    "time": st.none() | st.integers(0, 2**33),
    "session": MAYBE_TEXT,
    "quantity": NUMBER,
    "value": NUMBER,
    "place": MAYBE_TEXT,
}
ORDER = ("position", "time", "session", "quantity", "value", "place", "kind")


@st.composite
def random_tables(draw: st.DrawFn) -> Tables:
    users, items, nodes = (draw(st.lists(TEXT, min_size=1, max_size=4, unique=True)) for _ in range(3))
    ends = {"user": st.sampled_from(users), "item": st.sampled_from(items)}
    rows = st.lists(st.fixed_dictionaries({**ends, **MAKES}), max_size=12)
    column = lambda values, of: draw(st.lists(values, min_size=len(of), max_size=len(of)))  # noqa: E731
    return Tables(
        Source("random", ("city", "age"), ("size",), "last", 3, None, draw(st.text(max_size=5))),
        pl.DataFrame(
            {"id": users, "city": column(MAYBE_TEXT, users), "age": column(st.none() | st.integers(0, 99), users)},
            schema={"id": pl.String, "city": pl.String, "age": pl.Int64},
        ),
        pl.DataFrame(
            {
                "id": items,
                "title": column(MAYBE_TEXT, items),
                "brand": column(MAYBE_TEXT, items),
                "price": column(NUMBER, items),
                "available": column(st.none() | st.booleans(), items),
                "size": column(st.none() | st.lists(TEXT, min_size=1, max_size=3), items),
            },
            schema_overrides={
                "title": pl.String,
                "brand": pl.String,
                "price": pl.Float64,
                "available": pl.Boolean,
                "size": pl.List(pl.String),
            },
        ),
        events(*draw(rows)),
        pl.DataFrame(
            {"id": nodes, "name": column(TEXT, nodes), "level": column(st.integers(1, 5), nodes)}, schema=BROWSE_NODE
        ),
        pl.DataFrame([(item, draw(st.sampled_from(nodes))) for item in items], schema=IN_CATEGORY, orient="row"),
        pl.DataFrame([(child, nodes[0]) for child in nodes[1:]], schema=CHILD_OF, orient="row"),
        events(*draw(rows)),
    )


@given(tables=random_tables())
@hypothesis_settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_tables_come_out_as_they_went_in(tables: Tables, settings: Settings, empty_database: Database) -> None:
    empty_database.write("MATCH (n) DETACH DELETE n")
    write_incremental(tables, settings, empty_database)
    check_content(read_snapshot(empty_database), tables)


def test_odd_tables_come_out_as_they_went_in(odd_tables: Tables, settings: Settings, empty_database: Database) -> None:
    write_incremental(odd_tables, settings, empty_database)
    data = read_snapshot(empty_database)
    assert data.source == odd_tables.source
    assert data["user"].id == sorted(odd_tables.users["id"])
    assert len(data["user", "interacted", "item"].event_edge) == len(odd_tables.interactions)
    empty, one_empty = (data["item"].id.index(odd_tables.items["id"][row]) for row in (1, 2))
    assert data["item"].profile["genres"][empty] is data["item"].profile["genres"][one_empty] is None


def check_content(data: HeteroData, tables: Tables) -> None:
    assert data.source == tables.source
    users, items, nodes = (frame.sort("id") for frame in (tables.users, tables.items, tables.browse_nodes))
    assert data["user"].id == sorted(users["id"])
    assert data["user"].num_nodes == len(users)
    assert data["user"].profile == {name: users[name].to_list() for name in ("city", "age")}
    assert data["item"].id == sorted(items["id"])
    assert (data["item"].title, data["item"].brand) == (items["title"].to_list(), items["brand"].to_list())
    assert repr(data["item"].price.tolist()) == repr([math.nan if price is None else price for price in items["price"]])
    assert data["item"].available.tolist() == [value is not False for value in items["available"]]
    assert data["item"].profile == {"size": items["size"].to_list()}
    buyers = tables.interactions.select("user", "item").unique()["item"].to_list()
    assert data["item"].popularity.tolist() == [buyers.count(item) for item in items["id"]]
    assert data["browse_node"].id == sorted(nodes["id"])
    assert (data["browse_node"].name, data["browse_node"].level) == (nodes["name"].to_list(), nodes["level"].to_list())
    check_pairs(data, ("item", "in_category", "browse_node"), tables.in_category)
    check_pairs(data, ("browse_node", "child_of", "browse_node"), tables.child_of)
    places = {row["place"] for frame in (tables.interactions, tables.held_out) for row in frame.to_dicts()}
    assert data.places == sorted(places - {None})
    check_events(data, "interacted", tables.interactions)
    check_events(data, "held_out", tables.held_out)


def check_pairs(data: HeteroData, hop: tuple[str, str, str], frame: pl.DataFrame) -> None:
    start, end = (data[hop[0]].id, data[hop[2]].id)
    edges = sorted((start.index(one), end.index(other)) for one, other in frame.iter_rows())
    assert list(map(tuple, data[hop].edge_index.T.tolist())) == edges


def check_events(data: HeteroData, name: str, frame: pl.DataFrame) -> None:
    """Against the rows of the table, in plain Python."""
    users, items, found = data["user"].id, data["item"].id, data["user", name, "item"]
    rows = [{**row, "user": users.index(row["user"]), "item": items.index(row["item"])} for row in frame.to_dicts()]
    edges = sorted({(row["user"], row["item"]) for row in rows})
    assert list(map(tuple, found.edge_index.T.tolist())) == edges
    rows.sort(key=in_order)
    sessions: dict[int, list[str]] = {user: [] for user in range(len(users))}
    for row in rows:
        if row["session"] is not None and row["session"] not in sessions[row["user"]]:
            sessions[row["user"]].append(row["session"])
    assert found.event_edge.tolist() == [edges.index((row["user"], row["item"])) for row in rows]
    for column in ("position", "time"):
        assert found[f"event_{column}"].tolist() == [-1 if row[column] is None else row[column] for row in rows]
    for column in ("quantity", "value"):
        expected = [math.nan if row[column] is None else row[column] for row in rows]
        assert repr(found[f"event_{column}"].tolist()) == repr(expected)
        assert found[f"event_{column}"].dtype == torch.float32
    codes = [-1 if row["session"] is None else sessions[row["user"]].index(row["session"]) for row in rows]
    assert found.event_session.tolist() == codes
    shops = [-1 if row["place"] is None else data.places.index(row["place"]) for row in rows]
    assert found.event_place.tolist() == shops


def in_order(row: dict[str, Any]) -> tuple[Any, ...]:
    moment = row["position"] if row["position"] is not None else row["time"]
    within = tuple((row[name] is not None, row[name]) if row[name] is not None else (False,) for name in ORDER)
    return (row["user"], -1 if moment is None else moment, row["item"], within)


def test_events_of_a_user_stand_in_order_across_items(settings: Settings, empty_database: Database) -> None:
    rows = [("u", "b", 3), ("u", "a", 2), ("u", "b", 1), ("t", "b", 9), ("u", "c", 2)]
    names = ("user", "item", "time")
    tables = make_tables(events(*(dict(zip(names, row, strict=True)) for row in rows)))
    write_incremental(tables, settings, empty_database)
    found = read_snapshot(empty_database)["user", "interacted", "item"]
    assert found.edge_index.tolist() == [[0, 1, 1, 1], [1, 0, 1, 2]]
    assert found.event_edge.tolist() == [0, 2, 1, 3, 2]
    assert found.event_time.tolist() == [9, 1, 2, 2, 3]
    assert set(found.event_position.tolist()) == set(found.event_session.tolist()) == {-1}


def test_a_store_that_is_not_ready(empty_database: Database) -> None:
    with pytest.raises(StoreEmpty):
        read_snapshot(empty_database)
    begin_load(Source("small"), empty_database)
    with pytest.raises(StoreError, match="not finished"):
        read_snapshot(empty_database)


def test_an_empty_source(settings: Settings, empty_database: Database) -> None:
    write_incremental(make_tables(pl.DataFrame(schema=INTERACTION)), settings, empty_database)
    data = read_snapshot(empty_database)
    assert (data["user"].num_nodes, data["item"].num_nodes, data.places) == (0, 0, [])
    assert data["user", "interacted", "item"].edge_index.shape == (2, 0)


def test_only_the_snapshot_imports_torch() -> None:
    program = "import sys, graph.writers, graph.neighbourhood; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
