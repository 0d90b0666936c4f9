"""A model from the graph and its weights back into it, as the commands and the demo do it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from torch_geometric.data import HeteroData

from graph.driver import Database, find_endpoint
from graph.generations import write_generation
from graph.networks import artefacts_without_network, write_network
from graph.progress import step
from graph.settings import Settings
from graph.snapshot import read_snapshot
from graph.spread import SpreadEdges, open_spark
from models.artefacts import Artefact, load
from models.index import build_index, build_network
from models.recipe import Recipe, read_recipe
from models.training import train


def choose_recipe(
    source: str, file: Path | None, epochs: int | None = None, seed: int | None = None, most_examples: int | None = None
) -> Recipe:
    """The recipe of the file, or the one kept for the source, with these numbers instead of its own."""
    recipe = read_recipe(source, file)
    if most_examples is not None and not 0 < recipe.sampling.examples <= most_examples:
        recipe = recipe.model_copy(update={"sampling": replace(recipe.sampling, examples=most_examples)})
    if epochs is not None:
        recipe = recipe.model_copy(update={"epochs": epochs})
    if seed is not None:
        recipe = recipe.model_copy(update={"sampling": replace(recipe.sampling, seed=seed)})
    return recipe


def train_pdn(settings: Settings, data: HeteroData, recipe: Recipe) -> Artefact:
    """Train PDN on a snapshot and keep its artefact in the store's folder."""
    return train(data, settings.exposures_file, settings.artefacts_folder, recipe)


def write_index(database: Database, artefact: Artefact, data: HeteroData, k: int | None = None) -> int:
    """Build the index of a model and write it as a generation, ready but not live. Gives the generation's id."""
    return write_generation(
        database, build_index(artefact, data, k), network=build_network(artefact, data), **_described(artefact)
    )


def spread_index(
    database: Database, settings: Settings, artefact: Artefact, data: HeteroData, k: int | None, master: str
) -> int:
    """`write_index` by the Spark cluster `master`."""
    from models import cluster  # noqa: PLC0415  pandas is slow to import

    with open_spark(master, settings.maven_url) as spark:
        weights, rows = cluster.spread_index(spark, artefact, data, k)
        with step("edges to similar items, by Spark"):
            spread = SpreadEdges.of(rows)
        return write_generation(
            database,
            weights,
            network=build_network(artefact, data),
            spread=spread,
            endpoint=find_endpoint(settings),
            **_described(artefact),
        )


def _described(artefact: Artefact) -> dict[str, Any]:
    manifest = artefact.manifest
    return {"model": manifest["model"], "data": manifest["source"]["id"], "artefact": artefact.id} | {
        "metrics": manifest["metrics"]
    }


def write_networks(database: Database, settings: Settings) -> list[str]:
    """Store the networks that generations of an older version lack; gives the artefacts' ids.

    Raises `ArtefactError` where a model's file is not there any more.
    """
    models = [load(settings.artefacts_folder, artefact[:12]) for artefact in artefacts_without_network(database)]
    if models:
        data = read_snapshot(database)
        for model in models:
            write_network(database, build_network(model, data))
    return [model.id for model in models]
