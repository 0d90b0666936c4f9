"""How well intents and categories find each other: both ways, on intents that were never trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bm25s
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from graph.intents import Intent
from models.intents.encoder import Encoder, Floats
from models.intents.links import FORGOTTEN, SLOPE, intent_vectors
from models.intents.retrieval import Retrieval
from models.intents.texts import lemmas

Scores = NDArray[np.floating[Any]]
DEPTHS = (5, 10, 20)


@dataclass(frozen=True)
class Task:
    """What is to be found.

    Attributes:
        queries: texts, or names of categories.
        candidates: texts of what is ranked.
        relevant: for each query the places of the right candidates.
    """

    name: str
    queries: list[str]
    candidates: list[str]
    relevant: list[set[int]]


def intent_task(intents: Sequence[Intent], paths: Sequence[str], texts: Sequence[str]) -> Task:
    """An intent's sentence → its categories, among all."""
    place = {path: number for number, path in enumerate(paths)}
    relevant = [{place[path] for path in (*one.needs, *one.forgotten) if path in place} for one in intents]
    kept = [number for number, found in enumerate(relevant) if found]
    return Task("intent to categories", [intents[n].sentence for n in kept], list(texts), [relevant[n] for n in kept])


def category_task(intents: Sequence[Intent], paths: Sequence[str], texts: Sequence[str]) -> Task:
    """A category → an intent that needs it, among these; an intent is all that is said of it."""
    wanted: dict[int, set[int]] = {}
    place = {path: number for number, path in enumerate(paths)}
    for number, intent in enumerate(intents):
        for path in (*intent.needs, *intent.forgotten):
            if path in place:
                wanted.setdefault(place[path], set()).add(number)
    order = sorted(wanted)
    candidates = [". ".join(one.texts) for one in intents]
    return Task("category to intent", [texts[n] for n in order], candidates, [wanted[n] for n in order])


def metrics(scores: Scores, relevant: Sequence[set[int]]) -> dict[str, float]:
    """accuracy@1, recall@K and MRR, averaged over the queries; ties count against what is right.

    scores [Q, C]; recall@K is of min(K, right ones).
    """
    found: dict[str, list[float]] = {name: [] for name in ("accuracy@1", *(f"recall@{k}" for k in DEPTHS), "mrr")}
    for row, right in zip(scores, relevant, strict=True):
        places = np.fromiter(right, dtype=int)
        wrong = np.ones(len(row), dtype=bool)
        wrong[places] = False
        # The rank of each right one: all above it, and the wrong ones that are level with it.
        ordered = np.sort(row[places])[::-1]
        ranks = [1 + before + int((row[wrong] >= score).sum()) for before, score in enumerate(ordered)]
        found["accuracy@1"].append(float(ranks[0] == 1))
        found["mrr"].append(1 / ranks[0])
        for k in DEPTHS:
            found[f"recall@{k}"].append(sum(rank <= k for rank in ranks) / min(k, len(ranks)))
    return {name: float(np.mean(values)) for name, values in found.items()}


def bm25_scores(task: Task) -> Scores:
    """[Q, C] by BM25 over lemmas (the library bm25s)."""
    index = bm25s.BM25()
    index.index([sorted(lemmas(text)) for text in task.candidates], show_progress=False)
    known = set(index.vocab_dict)
    rows = []
    for query in task.queries:
        words = [word for word in sorted(lemmas(query)) if word in known]
        rows.append(index.get_scores(words) if words else np.zeros(len(task.candidates)))
    return np.array(rows)


def needs_matrix(intents: Sequence[Intent], paths: Sequence[str]) -> csr_matrix:
    """[I, N]: `NEEDS.score` of the table, as linking writes it."""
    place = {path: number for number, path in enumerate(paths)}
    rows, columns, values = [], [], []
    for number, intent in enumerate(intents):
        listed = [(path, 1.0) for path in intent.needs] + [(path, FORGOTTEN) for path in intent.forgotten]
        for at, (path, weight) in enumerate(listed):
            if path in place:
                rows.append(number)
                columns.append(place[path])
                values.append(weight * (1 - SLOPE * at / len(listed)))
    return csr_matrix((values, (rows, columns)), shape=(len(intents), len(paths)), dtype=np.float32)


def evaluate(
    encoder: Encoder,
    intents: Sequence[Intent],
    known: Sequence[Intent],
    paths: Sequence[str],
    texts: Sequence[str],
    nodes: Floats | None = None,
) -> dict[str, dict[str, float]]:
    """Metrics of one encoder, by task.

    Args:
        intents: those that are held out.
        known: those that the second hop may lead through; none of the held-out ones.
        paths, texts: of all categories that are ranked.
        nodes: vectors of `texts`, where they are at hand.
    """
    nodes = encoder.encode(texts) if nodes is None else nodes
    asked = encoder.encode([one.sentence for one in intents])
    there, back = intent_task(intents, paths, texts), category_task(intents, paths, texts)
    if len(there.queries) < len(intents):
        asked = encoder.encode(there.queries)
    vectors = intent_vectors(intents, encoder)
    at = {text: number for number, text in enumerate(texts)}
    found = {
        there.name: metrics(Retrieval(near=0).scores(asked, nodes, vectors[:0], csr_matrix((0, 0))), there.relevant),
        back.name: metrics(nodes[[at[text] for text in back.queries]] @ vectors.T, back.relevant),
    }
    if known:
        hop = Retrieval().scores(asked, nodes, intent_vectors(known, encoder), needs_matrix(known, paths))
        found[f"{there.name}, by two hops"] = metrics(hop, there.relevant)
    return found


def evaluate_bm25(intents: Sequence[Intent], paths: Sequence[str]) -> dict[str, dict[str, float]]:
    """The same tasks by words alone; categories by their full paths."""
    found = {}
    for make in (intent_task, category_task):
        task = make(intents, paths, [path.replace(" > ", " ") for path in paths])
        found[task.name] = metrics(bm25_scores(task), task.relevant)
    return found
