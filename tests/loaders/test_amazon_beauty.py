"""Amazon Beauty: the data folder's files, and none."""

import polars as pl
import pytest

import loaders
from graph.errors import SourceError


@pytest.mark.data
def test_amazon_beauty(data_settings):
    loaded = loaders.load("amazon-beauty", data_settings)
    tables = loaded.tables
    assert loaded.counts == {
        "items": loaders.Count(read=12_101, stored=12_101),
        "interactions": loaders.Count(read=198_502, stored=198_502),
        "users": loaders.Count(stored=22_363, made=22_363),
    }
    assert loaded.quarantine is None
    assert tables.source.protocol == "last"
    assert tables.held_out.height == tables.held_out["user"].n_unique() == 22_363
    last = tables.held_out.filter(pl.col("user") == "A1YJEY40YUW4SE").row(0, named=True)
    assert (last["item"], last["position"], last["kind"], last["time"]) == ("B002WLWX82", 4, "review", None)
    item = tables.items.filter(pl.col("id") == "B003QLRO7W").row(0, named=True)
    assert (item["brand"], item["price"]) == ("Conair", None)
    assert ("B003QLRO7W", "Beauty/Hair Care/Styling Tools/Irons/Curling Irons") in tables.in_category.rows()
    assert tables.browse_nodes.filter(pl.col("level") == 0)["id"].to_list() == ["Beauty"]
    assert tables.child_of.height == tables.browse_nodes.height - 1


def test_without_its_files_it_says_where_it_looked_and_where_they_come_from(own_settings):
    with pytest.raises(SourceError) as raised:
        loaders.load("amazon-beauty", own_settings)
    told_line = str(raised.value)
    assert str(own_settings.home / "downloads" / "amazon-beauty") in told_line
    assert "https://jmcauley.ucsd.edu/data/amazon/" in told_line
    assert "\n" not in told_line
