"""Hold-out: which events are kept from training."""

import polars as pl
import pytest

from graph.errors import SourceError
from graph.schema import INTERACTION
from loaders.split import DAY, hold_out

EVENTS = {"file": "e.csv", "columns": {"user": "u", "item": "i", "time": {"column": "t", "format": "seconds"}}}


def events(rows: list[tuple[str, int | None, int | None]]) -> pl.DataFrame:
    """(user, position, time); the item is the row's number."""
    full = [
        (user, str(at), "purchase", position, time, None, None, None, None)
        for at, (user, position, time) in enumerate(rows)
    ]
    return pl.DataFrame(full, schema=INTERACTION, orient="row")


def items(frames: tuple[pl.DataFrame, pl.DataFrame]) -> tuple[list[str], list[str]]:
    return frames[0]["item"].to_list(), frames[1]["item"].to_list()


def test_none_holds_nothing_out():
    assert items(hold_out(events([("a", 0, None)]), "none", None)) == (["0"], [])


def test_last_goes_by_time_and_equal_times_by_row():
    rows = events([("a", None, 9), ("a", None, 5), ("b", None, 1), ("a", None, 9), ("b", None, 2), ("a", None, 8)])
    assert items(hold_out(rows, "last", None)) == (["0", "1", "2", "4", "5"], ["3"])


def test_last_goes_by_position_where_there_is_one():
    rows = events([("a", 2, 1), ("a", 0, 3), ("a", 1, 2), ("b", 0, None), ("b", 2, None), ("b", 1, None)])
    assert items(hold_out(rows, "last", None)) == (["1", "2", "3", "5"], ["0", "4"])


def test_days_count_back_from_the_last_event():
    rows = events([("a", None, 10 * DAY), ("b", None, 8 * DAY), ("b", None, 8 * DAY + 1), ("a", 0, None)])
    assert items(hold_out(rows, "days:2", None)) == (["1", "3"], ["0", "2"])


def test_marked_rows_are_held_out(load_tables):
    columns = {"user": "u", "item": "i", "held_out": "test"}
    raw = "u,i,test\n1,a,0\n1,b,1\n1,c,\n1,d,TRUE\n1,e,maybe\n"
    loaded = load_tables(
        {"source": {"id": "shop", "hold_out": "marked"}, "interactions": {"file": "e.csv", "columns": columns}},
        {"e.csv": raw},
    )
    assert loaded.tables.source.protocol == "marked"
    assert items((loaded.tables.interactions, loaded.tables.held_out)) == (["a", "c"], ["b", "d"])
    assert loaded.counts["interactions"].stored == 4


def test_the_hold_out_of_a_load_wins(load_tables):
    raw = "u,i,t\n1,a,86400\n1,b,172801\n1,c,172800\n"
    loaded = load_tables({"interactions": EVENTS}, {"e.csv": raw}, hold_out="days:1")
    assert loaded.tables.source.protocol == "days:1"
    assert items((loaded.tables.interactions, loaded.tables.held_out)) == (["a"], ["b", "c"])


@pytest.mark.parametrize("wrong", ["first", "days:0", "days:", "marked", "last "])
def test_a_wrong_hold_out_is_one_line(load_tables, wrong):
    with pytest.raises(SourceError, match="source shop: hold_out"):
        load_tables({"interactions": EVENTS}, {"e.csv": "u,i,t\n1,a,1\n"}, hold_out=wrong)


def test_the_price_is_the_median_of_the_training_rows(load_tables):
    mapping = {
        "source": {"id": "shop", "hold_out": "last"},
        "items": {"file": "i.csv", "columns": {"id": "i"}, "price_from_interactions": True},
        "interactions": {
            "file": "e.csv",
            "columns": {"user": "u", "item": "i", "quantity": "n", "value": "v"},
        },
    }
    raw = "u,i,n,v\n1,a,1,2\n1,a,2,8\n1,a,4,12\n1,a,0,5\n1,a,,5\n1,b,1,1\n"
    loaded = load_tables(mapping, {"i.csv": "i\na\nb\n", "e.csv": raw})
    assert loaded.tables.items.select("id", "price").rows() == [("a", 3.0), ("b", None)]
