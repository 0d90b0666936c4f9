"""The browse tree: from columns, lists, labels and a table of nodes."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from loaders.browse import grow
from tests.loaders.rejected import check_counts, told

EVENTS = {"file": "e.csv", "columns": {"user": "u", "item": "i"}}
ONE = "u,i\n1,a\n"


def test_a_path_of_columns_ends_before_the_first_missing_one(load_tables):
    items = {"file": "i.csv", "columns": {"id": "i"}, "browse": {"path": ["d", "c", "t"]}}
    raw = "i,d,c,t\na,Food,Hot/Cold,50%\nb,Food,,Tea\nc,,Milk,\nd,Food,Hot/Cold,\n"
    tables = load_tables({"items": items, "interactions": EVENTS}, {"i.csv": raw, "e.csv": ONE}).tables
    assert tables.browse_nodes.rows() == [
        ("Food", "Food", 0),
        ("Food/Hot%2FCold", "Hot/Cold", 1),
        ("Food/Hot%2FCold/50%25", "50%", 2),
    ]
    assert tables.child_of.rows() == [
        ("Food/Hot%2FCold", "Food"),
        ("Food/Hot%2FCold/50%25", "Food/Hot%2FCold"),
    ]
    assert tables.in_category.rows() == [
        ("a", "Food/Hot%2FCold/50%25"),
        ("b", "Food"),
        ("d", "Food/Hot%2FCold"),
    ]
    assert tables.items.columns == ["id", "title", "brand", "price", "available"]


def test_a_path_and_labels_in_one_column_each(load_tables):
    browse = {"path": {"column": "p", "separator": ">"}, "labels": {"column": "g", "separator": "|"}}
    items = {"file": "i.csv", "columns": {"id": "i"}, "browse": browse}
    raw = "i,p,g\na,X > Y,new|X\nb,,|new|\n"
    tables = load_tables({"items": items, "interactions": EVENTS}, {"i.csv": raw, "e.csv": ONE}).tables
    assert tables.browse_nodes.rows() == [("X", "X", 0), ("X/Y", "Y", 1), ("new", "new", 0)]
    assert tables.in_category.rows() == [("a", "X/Y"), ("a", "new"), ("a", "X"), ("b", "new")]


def test_lists_of_json(load_tables):
    items = {"file": "i.jsonl", "columns": {"id": "i"}, "browse": {"path": "p"}}
    raw = '{"i": "a", "p": ["X", null, " Y "]}\n{"i": "b", "p": null}\n'
    raw += '{"i": "c", "p": {"x": 1}}\n{"i": "d", "p": [["X"]]}\n'
    loaded = load_tables({"items": items, "interactions": EVENTS}, {"i.jsonl": raw, "e.csv": ONE})
    assert loaded.tables.in_category.rows() == [("a", "X/Y")]
    assert [(line, column, reason) for line, column, _, reason in told(loaded)] == [
        (3, "p", "is no list of texts"),
        (4, "p", "is no list of texts"),
    ]


def test_a_table_of_nodes_has_levels_and_no_circle(load_tables):
    mapping = {
        "browse_nodes": {"file": "n.csv", "columns": {"id": "n", "name": "name", "parent": "up"}},
        "items": {
            "file": "i.csv",
            "columns": {"id": "i"},
            "browse": {"nodes": {"column": "n", "separator": " "}},
        },
        "interactions": EVENTS,
    }
    nodes = "n,name,up\n3,Tea,2\n1,Food,\n2,Hot,1\n4,Round,5\n5,About,4\n6,Lost,9\n7,,1\n"
    items = "i,n\na,3 1\nb,\nc,3 4\n"
    loaded = load_tables(mapping, {"n.csv": nodes, "i.csv": items, "e.csv": ONE})
    assert loaded.tables.browse_nodes.rows() == [("3", "Tea", 2), ("1", "Food", 0), ("2", "Hot", 1)]
    assert loaded.tables.child_of.rows() == [("3", "2"), ("2", "1")]
    assert loaded.tables.in_category.rows() == [("a", "3"), ("a", "1")]
    lost = "does not lead up to a top node"
    assert told(loaded) == [
        (5, "up", "5", lost),
        (6, "up", "4", lost),
        (7, "up", "9", lost),
        (8, "name", "", "is missing"),
        (4, "n", "3 4", "is not in the table it refers to"),
    ]
    check_counts(loaded)


NAMES = st.text("a/%2F", min_size=1, max_size=3)


@given(st.lists(st.lists(NAMES, max_size=4), max_size=12))
def test_ids_are_as_different_as_paths(paths):
    frame = pl.DataFrame(
        {"item": [str(at) for at in range(len(paths))], "path": paths},
        schema={"item": pl.String, "path": pl.List(pl.String)},
    )
    tree = grow(frame)
    starts = {tuple(path[: end + 1]) for path in paths for end in range(len(path))}
    assert tree.browse_nodes.height == len(starts) == tree.browse_nodes["id"].n_unique()
    assert tree.child_of.height == sum(len(start) > 1 for start in starts)
    assert tree.in_category.height == sum(bool(path) for path in paths)
    assert set(tree.in_category["browse_node"]) <= set(tree.browse_nodes["id"])
    assert set(tree.child_of["parent"]) <= set(tree.browse_nodes["id"])
