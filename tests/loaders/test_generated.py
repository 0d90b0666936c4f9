"""A generated shop has the counts and the power law that were asked for, the same by seed, and tastes to be learnt."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import sparse
from scipy.stats import pareto
from typer.testing import CliRunner

import loaders
from api.command import app
from graph.driver import Database
from graph.errors import SourceError, StoreNotEmpty
from graph.server import ManagedServer
from graph.settings import Settings
from graph.statements import statement
from graph.writers import write
from loaders import Loaded, Shape, generated
from loaders.generated import Shop

SMALL = Shape(items=400, users=300, interactions=3000)


def load(settings: Settings, shape: Shape = SMALL, hold_out: str = "none") -> Loaded:
    return loaders.load("generated", settings, shape=shape, hold_out=hold_out)


@pytest.mark.parametrize(
    "shape",
    [
        SMALL,
        Shape(items=20, users=1, interactions=5),
        Shape(items=60, users=40, interactions=600, exponent=1.6, seed=3),  # a quarter of the items each
        Shape(items=100, users=90, interactions=90, exponent=4.0),
        Shape(items=3000, users=40_001, interactions=90_000, exponent=2.5),  # three parts
    ],
    ids=["small", "one user", "dense", "one each", "parts"],
)
def test_counts_are_what_was_asked_for(own_settings: Settings, shape: Shape) -> None:
    loaded = load(own_settings, shape)
    tables = loaded.tables
    assert (tables.items.height, tables.users.height) == (shape.items, shape.users)
    assert tables.interactions.height == shape.interactions
    assert tables.interactions.n_unique(["user", "item"]) == shape.interactions
    assert loaded.quarantine is None


def test_the_seed_decides(own_settings: Settings) -> None:
    first, again, other = (load(own_settings, Shape(400, 300, 3000, seed=seed)).tables for seed in (5, 5, 6))
    for name in ("users", "items", "interactions", "browse_nodes", "in_category", "child_of"):
        assert getattr(first, name).equals(getattr(again, name)), name
    assert not first.interactions.equals(other.interactions)


@pytest.mark.parametrize("exponent", [1.8, 2.2, 3.0])
def test_the_power_law_is_found_again(exponent: float) -> None:
    """By maximum likelihood over items with 10 buyers or more (Clauset et al., 2009, eq. 3.7): (k − ½) is Pareto."""
    shop = Shop(Shape(items=10_000, users=10_000, interactions=100_000, exponent=exponent))
    rows = pl.concat(shop.interactions())
    buyers = rows.group_by("item").len()["len"].to_numpy()
    tail = buyers[buyers >= 10]
    assert len(tail) > 500
    shape, _, _ = pareto.fit(tail, floc=0, fscale=9.5)
    assert abs(shape + 1 - exponent) < 0.05


def test_activity_has_a_long_tail() -> None:
    activity = Shop(Shape()).activity
    assert activity.min() >= 1
    assert activity.max() > 15 * np.median(activity)


def test_every_item_has_a_title_a_brand_a_price_and_a_path(own_settings: Settings) -> None:
    tables = load(own_settings, Shape(items=10_000, users=300, interactions=3000)).tables
    assert tables.items.select("title", "brand", "price").null_count().row(0) == (0, 0, 0)
    assert tables.items["price"].min() > 0
    assert tables.items["brand"].n_unique() > 100
    assert sorted(tables.browse_nodes["level"].unique()) == [0, 1, 2]
    assert tables.in_category["item"].n_unique() == 10_000
    leaves = tables.browse_nodes.filter(pl.col("level") == 2)
    assert leaves.height == 200
    assert set(tables.in_category["browse_node"]) == set(leaves["id"])


def test_moments_are_in_order_and_differ(own_settings: Settings) -> None:
    rows = load(own_settings).tables.interactions
    assert rows["time"].is_between(generated.BEGIN, generated.BEGIN + generated.SPAN).all()
    assert rows["time"].n_unique() > 0.9 * rows.height


def hit_rates(settings: Settings) -> tuple[float, float]:
    """HR@10 of each user's last item among all that the user had not: by cosine of co-occurrence, and by buyers."""
    tables = load(settings, Shape(items=1000, users=2000, interactions=20_000), hold_out="last").tables
    users, items = tables.users["id"].sort(), tables.items["id"].sort()
    user, item = users.search_sorted(tables.interactions["user"]), items.search_sorted(tables.interactions["item"])
    had = sparse.csr_array((np.ones(len(user)), (user, item)), shape=(len(users), len(items)))
    buyers = np.maximum(had.sum(axis=0), 1)
    together = (had.T @ had).toarray()
    np.fill_diagonal(together, 0)
    two_hop = had @ (together / np.sqrt(np.outer(buyers, buyers)))
    who, wanted = users.search_sorted(tables.held_out["user"]), items.search_sorted(tables.held_out["item"])

    def hit_rate(scores: np.ndarray) -> float:
        scores = np.where(had.toarray() > 0, -np.inf, scores)
        better = (scores[who] >= scores[who, wanted][:, None]).sum(axis=1)
        return float((better <= 10).mean())

    return hit_rate(two_hop), hit_rate(np.broadcast_to(buyers, had.shape))


def test_two_hops_tell_more_than_popularity(own_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    two_hop, popular = hit_rates(own_settings)
    assert two_hop > 1.2 * popular
    monkeypatch.setattr(generated, "FAITHFUL", 0.0)  # the same shop without tastes: nothing is to be learnt
    two_hop, popular = hit_rates(own_settings)
    assert two_hop < popular


def test_it_loads_into_neo4j_and_another_shape_is_another_source(
    empty_database: Database, settings: Settings, own_settings: Settings
) -> None:
    loaded = load(own_settings, hold_out="last")
    write(loaded.tables, settings, empty_database, "incremental")
    [edges] = empty_database.read(statement("count_edges"))
    assert edges["interacted"] + edges["held_out"] == SMALL.interactions
    assert edges["held_out"] == loaded.tables.held_out.height > 250
    [counts] = empty_database.read("MATCH (i:Item) RETURN count(i) AS items, sum(i.popularity) AS buyers")
    assert counts == {"items": SMALL.items, "buyers": edges["interacted"]}
    with pytest.raises(StoreNotEmpty, match="generated-400-300-3001"):
        write(load(own_settings, Shape(400, 300, 3001), "last").tables, settings, empty_database)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (Shape(items=19), "at least 20 items"),
        (Shape(users=0), "1 user"),
        (Shape(seed=-1), "seed of 0 or more"),
        (Shape(users=10, interactions=9), "from 10"),
        (Shape(items=20, users=10, interactions=51), "to 50"),
        (Shape(exponent=1.4), "from 1.5 to 4"),
    ],
)
def test_an_impossible_shape_is_said(own_settings: Settings, shape: Shape, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        load(own_settings, shape)


def test_no_file_stays(own_settings: Settings) -> None:
    load(own_settings)
    assert list(own_settings.store_folder.rglob("*.parquet")) == []


def test_a_file_in_the_way_is_said(own_settings: Settings) -> None:
    own_settings.store_folder.parent.mkdir(parents=True)
    own_settings.store_folder.write_text("a file in the place of the folder")
    with pytest.raises(SourceError, match="cannot write"):
        load(own_settings)


@pytest.mark.parametrize("option", ["--items", "--users", "--interactions", "--exponent", "--seed"])
def test_sizes_are_for_generated_only(option: str) -> None:
    shown = CliRunner().invoke(app, ["load", "amazon-beauty", option, "3"])
    assert shown.exit_code == 2
    assert option in shown.output


def test_the_command_hands_its_options_on(
    empty_database: Database, server: ManagedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWOHOP_HOME", str(tmp_path))
    monkeypatch.setenv("NEO4J_URI", empty_database.address)
    monkeypatch.setenv("NEO4J_PASSWORD", server.password())
    sizes = ["--items", "200", "--users", "50", "--interactions", "400", "--exponent", "2.5", "--seed", "9"]
    shown = CliRunner().invoke(app, ["load", "generated", *sizes])
    assert shown.exit_code == 0, shown.output
    assert empty_database.read("MATCH (s:Source) RETURN s.id AS id") == [{"id": "generated-200-50-400-2.5-9"}]
    assert empty_database.read("MATCH (u:User) RETURN count(u) AS users") == [{"users": 50}]
