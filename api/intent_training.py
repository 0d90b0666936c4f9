"""Training of the intent encoder as the commands run it: its query table, its pairs, and what it is measured on."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.intents import query_support
from graph import intents as stored
from graph.driver import Database
from graph.errors import SourceError
from graph.intents import Intent
from graph.progress import step
from graph.settings import Settings
from graph.trees import read_tree, tree_names
from loaders.queries import read_queries
from models.intents.encoder import Encoder, best_encoder, save_encoder, untuned
from models.intents.evaluation import evaluate, evaluate_bm25
from models.intents.onnx_export import write_light
from models.intents.supervision import place_products
from models.intents.texts import category_text
from models.intents.training import Pair, TrainingOptions, part, table_pairs, tune

GOOGLE = "google"


@dataclass(frozen=True)
class TrainingReport:
    """Metrics on held-out intents, {model: {task: {metric: value}}}; the model was trained on none of them."""

    model: str
    base: str
    pairs: dict[str, int]
    intents: dict[str, int]
    metrics: dict[str, dict[str, dict[str, float]]]
    seconds: float


def load_queries(database: Database, settings: Settings, file: Path, tree: str) -> tuple[int, int]:
    """A query table into the graph; categories of judged products are found by the encoder. Gives queries and rows."""
    table = read_queries(file)
    nodes = read_tree(database, tree)
    if table.rows:
        known = {key: key for key in nodes.nodes} | {nodes.path_text(key): key for key in nodes.nodes}
        known |= {key.partition(":")[2]: key for key in nodes.nodes if ":" in key}
        lost = next((category for _, category, _ in table.rows if category not in known), None)
        if lost is not None:
            raise SourceError(f"{file}: category {lost!r} is no id and no path of the tree {tree}; nothing was written")
        rows = [{"query": query, "node": known[category], "count": count} for query, category, count in table.rows]
    else:
        chosen = [key for key, node in nodes.nodes.items() if node.node_class in (None, "category")]
        texts = [category_text([one.name for one in nodes.path(key)]) for key in chosen]
        rows = place_products(table.judged, chosen, texts, best_encoder(settings.intents_folder))
    stored.write_queries(database, rows)
    return len({row["query"] for row in rows}), len(rows)


def train_intents(
    settings: Settings,
    database: Database,
    options: TrainingOptions,
    source: str = "both",
    *,
    measure: bool = True,
    final: bool = True,
) -> TrainingReport:
    """Tune the encoder on the intents of `train`, measure it on those of `test`, and keep it.

    Args:
        source: pairs of the open table, of the query table, or of both.
        measure: tune on the intents of `train` and measure on those of `test`.
        final: tune on all intents and keep that one; what was measured is the first.
    """
    start = time.monotonic()
    intents = [one for one in stored.read_intents(database) if one.source == "table"]
    paths = _google_paths(database, intents)
    texts = {path: category_text(path.split(" > ")) for path in paths}
    parts = {one.id: part(one.id) for one in intents}
    found: dict[str, dict[str, dict[str, float]]] = {}
    pairs: list[Pair] = []
    tuned: Encoder | None = None
    told: dict[str, Any] = {}
    if measure:
        training = [one for one in intents if parts[one.id] == "train"]
        held_out = [one for one in intents if parts[one.id] == "test"]
        pairs = _pairs(database, training, texts, source)
        tuned, told = tune(pairs, options, settings.intents_folder / "work")
        order = list(texts)
        with step("Measuring on held-out intents"):
            found = {
                "tuned": evaluate(tuned, held_out, training, order, list(texts.values())),
                "untuned": evaluate(untuned(options.base), held_out, training, order, list(texts.values())),
                "bm25": evaluate_bm25(held_out, order),
            }
    if final or tuned is None:
        pairs = _pairs(database, intents, texts, source)
        tuned, told = tune(pairs, options, settings.intents_folder / "work")
    told_pairs, told_intents = dict(Counter(pair.source for pair in pairs)), dict(Counter(parts.values()))
    manifest = {
        "options": options.model_dump(),
        "pairs": told_pairs,
        "intents": told_intents,
        "metrics": found,
        "trained_on": "all intents" if final else "training intents",
        "run": told,
    }
    kept = save_encoder(settings.intents_folder, tuned, manifest)
    write_light(settings.intents_folder, kept)
    return TrainingReport(kept.identity, kept.base, told_pairs, told_intents, found, time.monotonic() - start)


def _google_paths(database: Database, intents: Sequence[Intent]) -> list[str]:
    """All categories of Google's taxonomy, or where it is not loaded those that the table names."""
    if GOOGLE in tree_names(database):
        tree = read_tree(database, GOOGLE)
        return [tree.path_text(key) for key in tree.nodes]
    return sorted({path for one in intents for path in (*one.needs, *one.forgotten, *one.excludes)})


def _pairs(database: Database, intents: Sequence[Intent], texts: dict[str, str], source: str) -> list[Pair]:
    found = table_pairs(intents, texts) if source in ("table", "both") else []
    if source in ("queries", "both"):
        found += _query_pairs(database, intents)
    return found


def _query_pairs(database: Database, intents: Sequence[Intent]) -> list[Pair]:
    """[category, intent] pairs that the query table supports, mined once for these intents only."""
    support, trees = query_support(database, intents)
    by_id = {one.id: one for one in intents}
    found = []
    for node, intent in support:
        tree = next((tree for tree in trees.values() if node in tree.nodes), None)
        if tree is not None:
            names = [one.name for one in tree.path(node)]
            found.append(Pair(intent, " > ".join(names), by_id[intent].texts, category_text(names), "queries"))
    return found
