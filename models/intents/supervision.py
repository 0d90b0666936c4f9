"""Weak supervision (section IV.C.1): intent terms match queries, and those lead to categories."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from graph.intents import Intent
from graph.progress import step
from models.intents.encoder import Encoder
from models.intents.links import FEW
from models.intents.texts import lemmas

WEIGHTS = {"exact": 1.0, "lemmas": 0.9, "overlap": 0.6, "meaning": 0.5}
OVERLAP = 0.6  # of the words of both, from which on a query matches by words
MEANING = 0.75  # cosine from which on it matches by meaning
TITLES = 0.35  # cosine below which a product's category stays unknown
PRODUCTS, WORDS = 3, 12
CHUNK = 2_048


@dataclass(frozen=True)
class Match:
    """How a query matches an intent: exactly, by its lemmas, by word overlap or by meaning; `weight` of the match."""

    query: str
    intent: str
    kind: str

    @property
    def weight(self) -> float:
        return WEIGHTS[self.kind]


def match(queries: Sequence[str], intents: Sequence[Intent], encoder: Encoder | None) -> list[Match]:
    """The best match of each query with each intent that it matches; without an encoder by words only."""
    said: dict[str, set[str]] = defaultdict(set)
    by_lemmas: dict[frozenset[str], set[str]] = defaultdict(set)
    words: dict[str, list[tuple[str, frozenset[str]]]] = defaultdict(list)
    for intent in intents:
        for text in {intent.term, *intent.texts}:
            said[_plain(text)].add(intent.id)
            found = lemmas(text)
            by_lemmas[found].add(intent.id)
            for word in found:
                words[word].append((intent.id, found))
    best: dict[tuple[str, str], str] = {}

    def keep(query: str, intent: str, kind: str) -> None:
        if WEIGHTS[kind] > WEIGHTS.get(best.get((query, intent), ""), 0.0):
            best[query, intent] = kind

    for query in queries:
        for intent_id in said.get(_plain(query), ()):
            keep(query, intent_id, "exact")
        found = lemmas(query)
        for intent_id in by_lemmas.get(found, ()) if found else ():
            keep(query, intent_id, "lemmas")
        for intent_id, other in {one for word in found for one in words.get(word, ())}:
            if len(found & other) / len(found | other) >= OVERLAP:
                keep(query, intent_id, "overlap")
    if encoder is not None and queries:
        for query, intent_id in _by_meaning(queries, intents, encoder):
            keep(query, intent_id, "meaning")
    return [Match(query, intent_id, kind) for (query, intent_id), kind in sorted(best.items())]


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _by_meaning(queries: Sequence[str], intents: Sequence[Intent], encoder: Encoder) -> Iterable[tuple[str, str]]:
    texts = [(intent.id, text) for intent in intents for text in dict.fromkeys((intent.term, *intent.texts))]
    known = encoder.encode([text for _, text in texts])
    asked = encoder.encode(queries, "Comparing queries with intents")
    for start in range(0, len(queries), CHUNK):
        for row, column in np.argwhere(asked[start : start + CHUNK] @ known.T >= MEANING):
            yield queries[start + int(row)], texts[int(column)][0]


def trace(
    matches: Iterable[Match], table: Iterable[Mapping[str, object]], parts: Mapping[str, str] | None = None
) -> dict[tuple[str, str], float]:
    """Matched queries back to categories: {(category, intent): support}, at most 3 intents a category.

    Args:
        table: rows {query, node, count}.
        parts: keeps apart intents that are trained on and those that are held out; None takes all.
    """
    of_query: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for row in table:
        of_query[str(row["query"])].append((str(row["node"]), float(row["count"])))  # type: ignore[arg-type]
    support: Counter[tuple[str, str]] = Counter()
    for one in matches:
        if parts is not None and one.intent not in parts:
            continue
        for node, count in of_query.get(one.query, ()):
            support[node, one.intent] += one.weight * count  # type: ignore[assignment]
    by_node: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for (node, intent), total in support.items():
        by_node[node].append((total, intent))
    return {
        (node, intent): total
        for node, found in by_node.items()
        for total, intent in sorted(found, key=lambda one: (-one[0], one[1]))[:FEW]
    }


def _first(judged: Iterable[tuple[str, str, float]]) -> list[tuple[str, str, float]]:
    found: dict[str, list[tuple[str, str, float]]] = defaultdict(list)
    for query, title, weight in judged:
        found[query].append((query, " ".join(title.split()[:WORDS]), weight))
    return [row for rows in found.values() for row in sorted(rows, key=lambda row: -row[2])[:PRODUCTS]]


def place_products(
    judged: Iterable[tuple[str, str, float]], ids: Sequence[str], texts: Sequence[str], encoder: Encoder
) -> list[dict[str, object]]:
    """A query table from judged pairs: each product goes to the category that its title is nearest to.

    Args:
        judged: (query, title, weight).
        ids, texts: the categories.

    Of each query the `PRODUCTS` products with the greatest weights count, of each title the first `WORDS` words, which
    name the product; a title that is near to no category (cosine below `TITLES`) is left out. Counts are sums.
    """
    rows = _first(judged)
    titles = list(dict.fromkeys(title for _, title, _ in rows))
    known = encoder.encode(texts, "Encoding the categories")
    place: dict[str, str] = {}
    with step("Placing products into categories", len(titles)) as shown:
        for start in range(0, len(titles), CHUNK):
            part = titles[start : start + CHUNK]
            near = encoder.encode(part) @ known.T
            for title, best, number in zip(part, near.max(axis=1), near.argmax(axis=1), strict=True):
                if best >= TITLES:
                    place[title] = ids[int(number)]
            shown.advance(len(part))
    counts: Counter[tuple[str, str]] = Counter()
    for query, title, weight in rows:
        if title in place:
            counts[_plain(query), place[title]] += weight  # type: ignore[assignment]
    return [{"query": query, "node": node, "count": count} for (query, node), count in sorted(counts.items())]
