"""The benchmark of quality on the small shop: one row for each protocol, engine and seed, and on from where it was."""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from benchmarks import quality, report
from benchmarks.pages import tables
from benchmarks.pages.quality import TABLE_2, readme
from benchmarks.pages.quality import quality as quality_page
from graph.driver import Database
from graph.generations import drop, list_generations, live_generation, prune, switch
from models.recipe import Recipe, read_recipe
from tests.api.conftest import Line, answer
from tests.api.web.conftest import kept


@pytest.fixture
def results(shop: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(quality, "RESULTS", tmp_path / "quality.json")
    monkeypatch.setattr(quality, "TRIALS", tmp_path / "trials.json")
    monkeypatch.setattr(tables, "FOLDER", tmp_path)
    monkeypatch.setenv("TWOHOP_HOME", str(tmp_path / "home"))  # its model is none of the shop's
    return tmp_path


@pytest.fixture
def same_generation(shop: Line, database: Database) -> Iterator[int]:
    """The one generation that is there and live, also afterwards."""
    live = live_generation(database)
    assert live
    prune(database, 1)  # what other tests left: measuring prunes too, and would drop some of it
    known = {one.id for one in list_generations(database)}
    with kept(database):
        yield live.id
        switch(database, live.id)
        for one in list_generations(database):
            if one.id not in known:
                drop(database, one.id)


def rows(results: Path) -> list[dict[str, Any]]:
    return list(json.loads((results / "quality.json").read_text()))


def test_pages_and_the_readme_have_the_figures_that_are_kept() -> None:
    for name, page in report.PAGES.items():
        assert (report.DOCS / f"{name}.md").read_text(encoding="utf-8") == "\n\n".join(page()) + "\n"
    text = (report.ROOT / "README.md").read_text(encoding="utf-8")
    assert readme(text) == text
    assert "| movielens-1m |" in text


def test_each_variation_is_one_change_of_a_recipe_that_stands() -> None:
    recipes = [Recipe(), *map(read_recipe, quality.STORES)]
    assert len(quality.VARIATIONS) > 10
    for changes in quality.VARIATIONS.values():
        found = [quality.varied(recipe, changes) for recipe in recipes]
        assert found != recipes  # it may be what one of them has already
        assert [quality.varied(one, recipe.model_dump()) for one, recipe in zip(found, recipes, strict=True)] == recipes


def test_models_are_tuned_and_measured_once(results: Path) -> None:
    arguments = ["small-shop", "--models", "popularity", "ials", "--trials", "2", "--seeds", "2"]
    quality.main([*arguments[:2], "popularity"])
    first = rows(results)
    quality.main(arguments)
    found = rows(results)
    assert [(row["model"], row["engine"], row["seed"]) for row in found] == [
        *[("ials", engine, seed) for engine in ("item-to-item", "scores") for seed in (0, 1)],
        ("popularity", "scores", 0),
    ]
    assert [row for row in found if row["model"] == "popularity"] == first
    assert found[2]["options"]["seed"] == 0
    assert found[2]["metrics"]["ndcg@10"] > found[4]["metrics"]["ndcg@10"] > 0  # the shop has groups
    trials = json.loads((results / "trials.json").read_text())
    assert [len(trials[f"small-shop {name}"]["trials"]) for name in ("popularity", "ials")] == [1, 2]
    pages = "\n".join(quality_page())
    middle = mean(row["metrics"]["ndcg@10"] for row in found[2:4])
    assert f"| ials | scores | {middle:.3f} (" in pages
    assert pages.index("| ials |") < pages.index("| popularity |")  # best first
    halves = [mean(row["metrics"][metric] for row in found[at : at + 2]) for at in (2, 0) for metric in TABLE_2]
    assert f"| ials | {' | '.join(f'{value:.3f}' for value in halves)} |" in pages
    assert "| small-shop ials | 2 |" in pages
    before = (results / "quality.json").stat().st_mtime_ns
    quality.main(arguments)
    assert (results / "quality.json").stat().st_mtime_ns == before


def test_both_halves_of_table_2_beside_the_paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = {"data": "movielens-1m", "protocol": "leave-one-out (NCF split), 99 negatives"}
    about |= {"seed": 0, "train_seconds": 1.0, "peak_mib": 1}
    figures = {("pdn", "network"): 0.5, ("pdn", "item-to-item"): 0.4, ("pcf", "scores"): 0.3, ("floor", "scores"): 0.2}
    rows = [
        about | {"model": model, "engine": engine, "metrics": {"hr@10": value, "ndcg@10": value / 2},
                 "intervals": {metric: {"low": 0.1, "high": 0.9} for metric in TABLE_2}}
        for (model, engine), value in figures.items()
    ]  # fmt: skip
    (tmp_path / "quality.json").write_text(json.dumps(rows))
    monkeypatch.setattr(tables, "FOLDER", tmp_path)
    table = "\n".join(quality_page()).partition("## Table 2")[2].splitlines()
    assert table[-2:] == [
        "| pdn | 0.500 | 0.250 | 0.400 | 0.200 | 0.6770 | 0.4071 | 0.5152 | 0.2859 |",
        "| pcf | – | – | 0.300 | 0.150 | – | – | 0.4033 | 0.2132 |",
    ]


def test_pdn_is_measured_as_served_and_as_computed(results: Path, database: Database, same_generation: int) -> None:
    with pytest.raises(SystemExit, match="has no PDN on small-shop yet"):
        quality.main(["small-shop", "--served-again"])
    quality.main(["small-shop", "--models", "pdn", "pdn:no-direct", "--seeds", "1"])
    served, by_items, computed, varied_by_items, varied = rows(results)
    assert (varied["model"], varied["engine"]) == ("pdn:no-direct", "network")
    assert by_items["engine"] == varied_by_items["engine"] == "item-to-item"
    assert (computed["options"]["network"]["direct_net"], varied["options"]["network"]["direct_net"]) == (True, False)
    assert (served["engine"], computed["engine"]) == ("cypher", "network")
    assert served["artefact"] == computed["artefact"]
    assert served["train_seconds"] > 0
    told = answer("evaluate", "--json", "-m", str(quality.M), "-k", str(quality.K))
    assert told["metrics"] == served["metrics"]
    file = results / "quality.json"
    file.write_text(json.dumps([served | {"metrics": {}, "m": 1}, *rows(results)[1:]]))
    [made] = {one.id for one in list_generations(database)} - {same_generation}
    switch(database, same_generation)
    drop(database, made)  # else the next one would drive the shop's own out
    quality.main(["small-shop", "--served-again"])
    again, *others = rows(results)
    assert others == [by_items, computed, varied_by_items, varied]
    assert again.pop("index_seconds") > 0
    assert again == {name: value for name, value in served.items() if name != "index_seconds"}
    *_, line = [line for line in "\n".join(quality_page()).splitlines() if line.startswith("| pdn |")]
    figures = [row["metrics"][metric] for row in (computed, by_items) for metric in TABLE_2]
    assert line == f"| pdn | {' | '.join(f'{value:.3f}' for value in figures)} |"
