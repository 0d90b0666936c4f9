"""The benchmark of quality on the small shop: one row for each protocol, engine and seed, and on from where it was."""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from benchmarks import quality, report
from graph.driver import Database
from graph.generations import drop, list_generations, live_generation, prune, switch
from models.recipe import Recipe, read_recipe
from tests.api.conftest import Line, answer
from tests.api.web.conftest import kept


@pytest.fixture
def results(shop: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(quality, "RESULTS", tmp_path / "quality.json")
    monkeypatch.setattr(quality, "TRIALS", tmp_path / "trials.json")
    monkeypatch.setattr(report, "FOLDER", tmp_path)
    monkeypatch.setenv("TWOHOP_HOME", str(tmp_path / "home"))  # its model is none of the shop's
    return tmp_path


@pytest.fixture
def _same_generation(shop: Line, database: Database) -> Iterator[None]:
    live = live_generation(database)
    assert live
    prune(database, 1)  # what other tests left: measuring prunes too, and would drop some of it
    known = {one.id for one in list_generations(database)}
    with kept(database):
        yield
        switch(database, live.id)
        for one in list_generations(database):
            if one.id not in known:
                drop(database, one.id)


def rows(results: Path) -> list[dict[str, Any]]:
    return list(json.loads((results / "quality.json").read_text()))


def test_each_variation_is_one_change_of_a_recipe_that_stands() -> None:
    recipe = Recipe()
    assert len(quality.VARIATIONS) > 10
    for changes in quality.VARIATIONS.values():
        found = quality.varied(recipe, changes)
        assert found != recipe
        assert quality.varied(found, recipe.model_dump()) == recipe
        for store in quality.STORES:
            quality.varied(read_recipe(store), changes)  # stands with every recipe


def test_models_are_tuned_and_measured_once(results: Path) -> None:
    arguments = ["small-shop", "--models", "popularity", "ials", "--trials", "2", "--seeds", "2"]
    quality.main([*arguments[:2], "popularity"])
    first = rows(results)
    quality.main(arguments)
    found = rows(results)
    assert [(row["model"], row["engine"], row["seed"]) for row in found] == [
        ("ials", "scores", 0), ("ials", "scores", 1), ("popularity", "scores", 0)
    ]  # fmt: skip
    assert [row for row in found if row["model"] == "popularity"] == first
    assert found[0]["options"]["seed"] == 0
    assert found[0]["metrics"]["ndcg@10"] > found[2]["metrics"]["ndcg@10"] > 0  # the shop has groups
    trials = json.loads((results / "trials.json").read_text())
    assert [len(trials[f"small-shop {name}"]["trials"]) for name in ("popularity", "ials")] == [1, 2]
    pages = "\n".join(report.quality())
    middle = mean(row["metrics"]["ndcg@10"] for row in found[:2])
    assert f"| ials | scores | {middle:.3f} (" in pages
    assert pages.index("| ials |") < pages.index("| popularity |")  # best first
    assert "| small-shop ials | 2 |" in pages
    before = (results / "quality.json").stat().st_mtime_ns
    quality.main(arguments)
    assert (results / "quality.json").stat().st_mtime_ns == before


@pytest.mark.usefixtures("_same_generation")
def test_pdn_is_measured_as_served_and_as_computed(results: Path) -> None:
    quality.main(["small-shop", "--models", "pdn", "pdn:no-direct", "--seeds", "1"])
    served, computed, varied = rows(results)
    assert (varied["model"], varied["engine"]) == ("pdn:no-direct", "network")
    assert (computed["options"]["network"]["direct_net"], varied["options"]["network"]["direct_net"]) == (True, False)
    assert (served["engine"], computed["engine"]) == ("cypher", "network")
    assert served["artefact"] == computed["artefact"]
    assert served["train_seconds"] > 0
    told = answer("evaluate", "--json", "-m", str(quality.M), "-k", str(quality.K))
    assert told["metrics"] == served["metrics"]
