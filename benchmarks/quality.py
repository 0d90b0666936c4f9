"""How well everything ranks on the same split: `python -m benchmarks.quality STORE`.

STORE is loaded with something held out, such as amazon-beauty (`twohop load amazon-beauty`); where its managed server
does not run it is started meanwhile. Every model of `models.baselines` is tuned on training rows that are left out as
the test rows were (each user's last moment, or the last days), all with the same budget of trials and minutes, then
fitted on all training rows and evaluated on the test rows: once for each seed, where a seed changes anything. PDN is
trained by the recipe of its source, indexed and ranked by the Cypher query (engine cypher) and by the network alone
(engine network); its last generation stays live. PDN, and each model that has vectors of items, also ranks by the items
alone (engine item-to-item). The test rows are read after the options of a model are chosen, and change nothing.

`--variations` measures PDN's instead: the recipe changed in one thing, as `benchmarks/variations.yaml` says (model
pdn:NAME), and ranked by the network alone, so that nothing is written into the store.

Each fit has a process of its own, so that its memory can be told. What is measured stays in
`benchmarks/results/quality.json`, and the trials in `benchmarks/results/trials.json`: interrupted, the same command
goes on where it was. `--again` measures anew, `--served-again` what the query gives of PDN's models that are there.
"""

import argparse
import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import torch
import yaml
from torch_geometric.data import HeteroData

from api.engines import CypherEngine
from api.evaluation import as_served, store_protocols
from api.training import choose_recipe, train_pdn, write_index
from benchmarks.runs import RECIPE, STORE, alone, command, keep, kept, results, running, sized
from cypher.catalogue import catalogue
from graph import generations
from graph.driver import Database, connect
from graph.settings import Settings, load_settings
from graph.snapshot import read_snapshot
from graph.source import read_source
from models.artefacts import Artefact, load
from models.baselines import RECOMMENDERS
from models.baselines.tuning import tune
from models.engines import matrix_engine, network_engine
from models.evaluation import Catalogue, Engine, Evaluation, evaluate
from models.index import network_scores
from models.interactions import Interactions
from models.item_to_item import item_engine, vector_engine
from models.machine import device
from models.recipe import Recipe

RESULTS = results("quality")
TRIALS = results("trials")
SEEDS, BUDGET, MINUTES = sized((3, 10, 10.0), (1, 1, 0.2))
M, K = 1000, 200  # triggers and neighbours that the Cypher query walks
PDN, CYPHER = "pdn", "cypher"
VARIATIONS = {
    f"{PDN}:{name}": changes
    for name, changes in yaml.safe_load(Path(__file__).with_name("variations.yaml").read_text(encoding="utf-8")).items()
}
KEY = ("data", "protocol", "model", "engine", "seed")
STORES = sized(("movielens-1m", "amazon-beauty", "complete-journey"), (STORE,))
SMALLER = sized({}, RECIPE)
Row = dict[str, Any]


@cache
def read(store: str) -> tuple[Settings, HeteroData]:
    settings = load_settings(store)
    with connect(settings) as database:
        return settings, read_snapshot(database)


def search(store: str, name: str, trials: int, minutes: float) -> Row:
    """The trials of one model, and the options of the best."""
    _, data = read(store)
    every = Interactions.of(data)
    held = every.validation(data.source.protocol)
    found = tune(name, every.where(~held), every.where(held), trials, data=data, seconds=60 * minutes)
    return {"options": found.options.to_json(), "trials": found.trials}


def measure(store: str, name: str, options: Row, seed: int) -> list[Row]:
    """Fit one model and evaluate it by every protocol of the store."""
    settings, data = read(store)
    model = RECOMMENDERS[name]
    begun = time.monotonic()
    fitted = model(model.options_class.of_json(options)).fit(Interactions.of(data), data)
    seconds = time.monotonic() - begun
    users, items = list(data["user"].id), list(data["item"].id)
    engines = {"scores": matrix_engine(fitted.score, users, items)}
    if (vectors := fitted.item_vectors()) is not None:
        engines["item-to-item"] = vector_engine(fitted.events, vectors, users, items)
    with connect(settings) as database:
        return ranked(database, settings, engines, _about(name, seed, seconds) | {"options": options})


def measure_pdn(store: str, name: str, seed: int) -> list[Row]:
    """Train PDN, or this variation of it, and evaluate the network; PDN itself also indexed, by the query.

    Its generation becomes live.
    """
    settings, data = read(store)
    with connect(settings) as database:
        recipe = varied(
            choose_recipe(read_source(database).id, None, seed=seed), {**VARIATIONS.get(name, {}), **SMALLER}
        )
        begun = time.monotonic()
        artefact = train_pdn(settings, data, recipe)
        about = _about(name, seed, time.monotonic() - begun) | {"options": recipe.model_dump(), "artefact": artefact.id}
        about["seconds"] = artefact.manifest["seconds"]
        served = serve(database, settings, data, artefact, about) if name == PDN else []
        scores = network_scores(artefact, data)
        users, items = list(data["user"].id), list(data["item"].id)
        engines = {
            "network": network_engine(scores, users, items),
            "item-to-item": item_engine(scores.events, scores.similarity(K), users, items),
        }
        return served + ranked(database, settings, engines, about)


def serve(database: Database, settings: Settings, data: HeteroData, artefact: Artefact, about: Row) -> list[Row]:
    """Index a model and evaluate it by the query. Its generation becomes live."""
    begun = time.monotonic()
    generations.switch(database, write_index(database, artefact, data))
    about = about | {"index_seconds": round(time.monotonic() - begun, 1), "m": M, "k": K}
    generations.prune(database, 2)  # as many as `twohop index` keeps
    return ranked(database, settings, {CYPHER: as_served(CypherEngine(database), M, K)}, about)


def serve_again(store: str, row: Row) -> list[Row]:
    """Rows by the query of the model that an earlier one names, which is not trained anew.

    Raises `ArtefactError` where its files have gone.
    """
    settings, data = read(store)
    about = {name: value for name, value in row.items() if name not in Evaluation.__dataclass_fields__}
    artefact = load(settings.artefacts_folder, row["artefact"][:12])
    with connect(settings) as database:
        return serve(database, settings, data, artefact, about)


def varied(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """The recipe with these of its values, section by section."""
    whole = recipe.model_dump()
    for name, value in changes.items():
        whole[name] = whole[name] | value if isinstance(value, dict) else value
    return Recipe.model_validate(whole)


def ranked(database: Database, settings: Settings, engines: dict[str, Engine], about: Row) -> list[Row]:
    source = read_source(database)
    shop = Catalogue.of(catalogue(database, source.min_buyers))
    rows = []
    for name, engine in engines.items():
        for protocol in store_protocols(database, source, settings, shop.items):
            found = Evaluation.of(source.id, protocol.name, name, evaluate(protocol, engine, shop))
            row = {key: value for key, value in asdict(found).items() if key != "note"}
            rows.append(row | {"data": settings.store} | about)  # one source may be split in several ways
    return rows


def _about(model: str, seed: int, seconds: float) -> Row:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB
    about = {"model": model, "seed": seed, "train_seconds": round(seconds, 1), "peak_mib": round(peak)}
    about |= {"threads": torch.get_num_threads()}  # fewer than cores where OMP_NUM_THREADS says so
    return about | ({"device": torch.cuda.get_device_name()} if device().type == "cuda" else {})


def seeded(options: Row, seeds: int) -> list[tuple[int, Row]]:
    """The options with each seed; once where the model has no seed."""
    return [(seed, options | {"seed": seed}) for seed in range(seeds)] if "seed" in options else [(0, options)]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command(__doc__, STORES)
    every = [PDN, *RECOMMENDERS, *VARIATIONS]
    parser.add_argument("--models", nargs="+", choices=every, metavar="MODEL", help=", ".join(every))
    parser.add_argument("--variations", action="store_true", help="all variations of PDN, where no models are given")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--trials", type=int, default=BUDGET, help="fits on validation, at most, for each model")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of these fits, for each model; the last ends")
    parser.add_argument("--again", action="store_true", help="measure these models anew")
    parser.add_argument(
        "--served-again",
        action="store_true",
        help="rank anew by the query what PDN's models that are there have learnt; nothing is trained",
    )
    asked = parser.parse_args(arguments)
    for store in asked.stores:
        with running(store) as database:
            if asked.served_again:
                rank_again(store)
                continue
            source = read_source(database).id
            for name in asked.models or (VARIATIONS if asked.variations else [PDN, *RECOMMENDERS]):
                if asked.again:
                    keep(RESULTS, [row for row in kept(RESULTS, []) if (row["data"], row["model"]) != (store, name)])
                run(store, source, name, asked)


def run(store: str, source: str, name: str, asked: argparse.Namespace) -> None:
    """Measure one model on one store, seed by seed; what is there already is passed over."""
    done = {row["seed"] for row in kept(RESULTS, []) if (row["data"], row["model"]) == (store, name)}
    if name in VARIATIONS and varied(recipe := choose_recipe(source, None), VARIATIONS[name]) == recipe:
        print(f"{name}: the recipe of {source} has it already", flush=True)
        return
    if name == PDN or name in VARIATIONS:
        work = [(seed, measure_pdn, (store, name, seed)) for seed in range(asked.seeds)]
    else:
        trials: dict[str, Row] = kept(TRIALS, {})
        if asked.again or f"{store} {name}" not in trials:
            trials[f"{store} {name}"] = alone(search, store, name, asked.trials, asked.minutes)
            keep(TRIALS, trials)
        chosen = seeded(trials[f"{store} {name}"]["options"], asked.seeds)
        work = [(seed, measure, (store, name, options, seed)) for seed, options in chosen]
    for seed, job, given in work:
        if seed not in done:
            add(alone(job, *given))


def rank_again(store: str) -> None:
    """Measure anew what PDN's kept models give as served. Exits with a line where none was measured."""
    mine = [row for row in kept(RESULTS, []) if (row["data"], row["model"], row["engine"]) == (store, PDN, CYPHER)]
    if not mine:
        raise SystemExit(f"benchmarks.quality: {RESULTS.name} has no PDN on {store} yet: leave --served-again out")
    for row in {row["seed"]: row for row in mine}.values():
        add(alone(serve_again, store, row))


def add(found: Sequence[Row]) -> None:
    """Keep rows, in place of those with the same key, and print them."""
    rows = {_key(row): row for row in [*kept(RESULTS, []), *found]}
    keep(RESULTS, [rows[key] for key in sorted(rows)])
    for row in found:
        shown = " ".join(f"{metric} {value:.4f}" for metric, value in row["metrics"].items())
        about = f"{row['model']} seed {row['seed']} {row['engine']}, {row['data']}, {row['protocol']}"
        print(f"{about}: {shown}", flush=True)


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row[part] for part in KEY)


if __name__ == "__main__":
    main()
