"""Shopping intents against behaviour that was never used for linking: `python -m benchmarks.intents`.

Three questions, each with 95% confidence intervals (bootstrap over baskets, users or items) and a paired difference:

- baskets: do the complements of one half of a held-out basket name the categories of its other half?
- next week: do a household's intents name the categories that it turns to in the week after the training data?
- beauty: are complements among what `also_bought` and `bought_together` list, by category and by item?

and the paper's A/B on content ranking, repeated offline: do intent-aware embeddings rank shelves better than untuned
ones? Wants the stores complete-journey and amazon-beauty, loaded and linked. Writes `benchmarks/results/intents.json`.
"""

import gzip
import json
import platform
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.runs import command
from cypher.contents import contents, mean_vector, node_vectors
from graph.driver import Database, connect
from graph.errors import TwohopError
from graph.progress import track
from graph.settings import load_settings
from graph.snapshot import read_snapshot
from graph.trees import BrowseTree, read_tree

RESULTS = Path(__file__).parent / "results" / "intents.json"
SEED, K, DRAWS = 0, 10, 1_000
LEVEL = 1  # of The Complete Journey's tree: product categories such as GROCERY/SOFT DRINKS
WEEK, FOUR_WEEKS = 7 * 86_400, 28 * 86_400
MOST = 3_000  # baskets, drawn at random
Scores = Mapping[str, float]

COMPLEMENTS = """
MATCH (a:BrowseNode {tree: $tree})-[r:COMPLEMENTS]->(b:BrowseNode)
RETURN a.id AS start, b.id AS end, r.score AS score
"""
PURSUES = """
MATCH (u:User)-[p:PURSUES]->(i:Intent)-[n:NEEDS]->(c:BrowseNode {tree: $tree})
WHERE p.rank <= 5
RETURN u.id AS user, c.id AS node, sum(n.score / p.rank) AS score
"""


def main(arguments: Sequence[str] | None = None) -> None:
    command(__doc__).parse_args(arguments)
    results: dict[str, Any] = {"machine": {"system": platform.platform(), "python": platform.python_version()}}
    try:
        with connect(load_settings("complete-journey")) as database:
            results["complete-journey"] = complete_journey(database)
        settings = load_settings("amazon-beauty")
        with connect(settings) as database:
            results["amazon-beauty"] = amazon_beauty(database, settings.data)
    except TwohopError as error:
        sys.exit(f"benchmarks.intents: {error}")
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=1))


# Figures.


def precision_recall(scores: Scores, wanted: set[str], left_out: set[str]) -> tuple[float, float]:
    """precision@10 and NDCG@10 of the ranking by `scores` without what is left out; ties by name."""
    ranked = sorted((key for key in scores if key not in left_out), key=lambda key: (-scores[key], key))[:K]
    hits = [key in wanted for key in ranked]
    gain = sum(hit / np.log2(place + 2) for place, hit in enumerate(hits))
    best = sum(1 / np.log2(place + 2) for place in range(min(K, len(wanted))))
    return sum(hits) / K, float(gain / best)


def summary(found: Mapping[str, Sequence[tuple[float, float]]], own: str) -> dict[str, Any]:
    """Means with their intervals, and the paired differences between `own` and each other."""
    draw = np.random.default_rng(SEED)
    names = ("precision@10", "ndcg@10")
    values = {model: np.array(rows) for model, rows in found.items()}
    size = len(values[own])
    chosen = draw.integers(0, size, (DRAWS, size))
    told: dict[str, Any] = {"cases": size}
    for model, rows in values.items():
        told[model] = {name: _interval(rows[:, n], chosen) for n, name in enumerate(names)}
        if model != own:
            difference = values[own] - rows
            told[model] |= {
                f"{own} minus it, {name}": _interval(difference[:, n], chosen) for n, name in enumerate(names)
            }
    return told


def _interval(values: Any, chosen: Any) -> list[float]:
    """Mean, and the bounds of its 95% interval."""
    means = np.array([values[rows].mean() for rows in chosen])
    return [round(float(x), 4) for x in (values.mean(), *np.quantile(means, [0.025, 0.975]))]


# The Complete Journey.


def complete_journey(database: Database) -> dict[str, Any]:
    data = read_snapshot(database)
    tree = read_tree(database, data.source.id)
    upper = {key: next((one.id for one in tree.path(key) if one.level == LEVEL), "") for key in tree.nodes}
    category = item_categories(data, upper)
    complements = complement_scores(database, data.source.id, upper)
    trained = baskets(data, ("user", "interacted", "item"), category)
    later = baskets(data, ("user", "held_out", "item"), category)
    together = co_purchase(basket for _, _, basket in trained)
    popular = Counter(key for _, _, basket in trained for key in basket)
    return {
        "second half of a basket": second_halves(later, complements, together, popular),
        "new categories of the next week": next_week(database, data, trained, later, together, popular, upper),
        "contents, A/B offline": content_ranking(database, data, later, tree),
    }


def item_categories(data: Any, upper: Mapping[str, str]) -> list[str]:
    """The category of each item; empty where it has none."""
    nodes = data["browse_node"].id
    found = [""] * data["item"].num_nodes
    for item, node in data["item", "in_category", "browse_node"].edge_index.t().tolist():
        found[item] = upper.get(nodes[node], "")
    return found


def baskets(data: Any, hop: tuple[str, str, str], category: Sequence[str]) -> list[tuple[int, int, set[str]]]:
    """(user, time, categories) of each basket."""
    edges = data[hop]
    users, items = edges.edge_index[0][edges.event_edge].tolist(), edges.edge_index[1][edges.event_edge].tolist()
    found: dict[tuple[int, int], set[str]] = defaultdict(set)
    when: dict[tuple[int, int], int] = {}
    rows = zip(users, items, edges.event_session.tolist(), edges.event_time.tolist(), strict=True)
    for user, item, session, time in rows:
        if category[item] and session >= 0:
            found[user, session].add(category[item])
            when[user, session] = max(time, when.get((user, session), 0))
    return [(user, when[user, session], basket) for (user, session), basket in sorted(found.items())]


def complement_scores(database: Database, tree: str, upper: Mapping[str, str]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for row in database.read(COMPLEMENTS, {"tree": tree}):
        start, end = upper[row["start"]], upper[row["end"]]
        if start and end and start != end:
            found[start][end] = max(found[start].get(end, 0.0), row["score"])
    return found


def co_purchase(all_baskets: Iterable[set[str]]) -> dict[str, dict[str, float]]:
    """Cosine of how often two categories stand in one basket."""
    together: Counter[tuple[str, str]] = Counter()
    alone: Counter[str] = Counter()
    for basket in all_baskets:
        alone.update(basket)
        together.update((a, b) for a in basket for b in basket if a != b)
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for (a, b), count in together.items():
        found[a][b] = count / float(np.sqrt(alone[a] * alone[b]))
    return found


def add(weights: Mapping[str, Mapping[str, float]], given: Iterable[str]) -> dict[str, float]:
    total: Counter[str] = Counter()
    for key in given:
        total.update(weights.get(key, {}))  # type: ignore[arg-type]
    return dict(total)


def scaled(scores: Mapping[str, float]) -> dict[str, float]:
    top = max(scores.values(), default=1.0) or 1.0
    return {key: value / top for key, value in scores.items()}


def both(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    left, right = scaled(one), scaled(other)
    return {key: left.get(key, 0.0) + right.get(key, 0.0) for key in {*left, *right}}


def second_halves(
    later: Sequence[tuple[int, int, set[str]]],
    complements: Mapping[str, Mapping[str, float]],
    together: Mapping[str, Mapping[str, float]],
    popular: Counter[str],
) -> dict[str, Any]:
    draw = np.random.default_rng(SEED)
    large = [sorted(basket) for _, _, basket in later if len(basket) >= 4]
    chosen = draw.permutation(len(large))[:MOST]
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for number in track(chosen.tolist(), "Second halves of baskets", len(chosen)):
        mixed = draw.permutation(large[number]).tolist()
        first, second = set(mixed[: len(mixed) // 2]), set(mixed[len(mixed) // 2 :])
        by_intent, by_count = add(complements, first), add(together, first)
        for model, scores in (
            ("intents", by_intent),
            ("co-purchase", by_count),
            ("popularity", dict(popular)),
            ("intents and co-purchase", both(by_intent, by_count)),
        ):
            found[model].append(precision_recall(scores, second, first))
    return summary(found, "intents")


def next_week(
    database: Database,
    data: Any,
    trained: Sequence[tuple[int, int, set[str]]],
    later: Sequence[tuple[int, int, set[str]]],
    together: Mapping[str, Mapping[str, float]],
    popular: Counter[str],
    upper: Mapping[str, str],
) -> dict[str, Any]:
    """Categories of the first held-out week that a household did not buy in the four weeks before."""
    cut = max(time for _, time, _ in trained)
    recent: dict[int, Counter[str]] = defaultdict(Counter)
    for user, time, basket in trained:
        if time > cut - FOUR_WEEKS:
            recent[user].update(basket)
    wanted: dict[int, set[str]] = defaultdict(set)
    for user, time, basket in later:
        if time <= cut + WEEK:
            wanted[user] |= basket - set(recent[user])
    pursued: dict[str, dict[str, float]] = defaultdict(dict)
    for row in database.read(PURSUES, {"tree": data.source.id}):
        if upper[row["node"]]:
            pursued[row["user"]][upper[row["node"]]] = row["score"]
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for user, new in sorted(wanted.items()):
        if not new or not recent[user]:
            continue
        by_intent = pursued.get(data["user"].id[user], {})
        by_count = add(together, recent[user])
        for model, scores in (
            ("intents", by_intent),
            ("co-purchase", by_count),
            ("popularity", dict(popular)),
            ("intents and co-purchase", both(by_intent, by_count)),
        ):
            found[model].append(precision_recall(scores, new, set(recent[user])))
    return summary(found, "intents")


def content_ranking(
    database: Database, data: Any, later: Sequence[tuple[int, int, set[str]]], tree: BrowseTree
) -> dict[str, Any]:
    """Shelves by the two kinds of embeddings, against the shelves that a household buys from in the held-out weeks."""
    shelves = [shelf for shelf in contents(database) if tree.nodes[shelf.id].level == LEVEL]
    bought: dict[int, set[str]] = defaultdict(set)
    for user, _, basket in later:
        bought[user] |= basket
    nodes, edges = data["browse_node"].id, data["user", "interacted", "item"]
    node_of = {item: nodes[node] for item, node in data["item", "in_category", "browse_node"].edge_index.t().tolist()}
    had: dict[int, Counter[str]] = defaultdict(Counter)
    for user, item in edges.edge_index.t().tolist():
        if item in node_of:
            had[user][node_of[item]] += 1
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    every = {*(key for counts in had.values() for key in counts), *(node for shelf in shelves for node in shelf.nodes)}
    for embedding in ("intent", "baseline"):
        vectors = node_vectors(database, every, embedding)  # type: ignore[arg-type]
        known = {key: vector for key, vector in vectors.items() if vector.size}
        means = np.array([mean_vector({n: shelf.nodes.count(n) for n in set(shelf.nodes)}, known) for shelf in shelves])
        for user in sorted(bought):
            counts = {key: count for key, count in had[user].items() if key in known}
            if not counts or not bought[user]:
                continue
            scores = dict(
                zip((shelf.id for shelf in shelves), (means @ mean_vector(counts, known)).tolist(), strict=True)
            )
            found[embedding].append(precision_recall(scores, bought[user], set()))
    return summary(found, "intent")


# Amazon Beauty.


def amazon_beauty(database: Database, folder: Path | None) -> dict[str, Any]:
    data = read_snapshot(database)
    ids = list(data["item"].id)
    place = {key: number for number, key in enumerate(ids)}
    bought = also_bought(folder, place)
    nodes = data["browse_node"].id
    node_of = {item: nodes[node] for item, node in data["item", "in_category", "browse_node"].edge_index.t().tolist()}
    tree = read_tree(database, data.source.id)
    complements: dict[str, dict[str, float]] = defaultdict(dict)
    for row in database.read(COMPLEMENTS, {"tree": data.source.id}):
        complements[row["start"]][row["end"]] = row["score"]

    def completed(node: str) -> dict[str, float]:
        """Of the node, or of the nearest one above it that is linked."""
        for one in reversed(tree.path(node)):
            if one.id in complements:
                return complements[one.id]
        return {}

    edges = data["user", "interacted", "item"].edge_index
    users = csr_matrix((np.ones(edges.shape[1]), (edges[1].numpy(), edges[0].numpy())), dtype=np.float32)
    users.resize((len(ids), data["user"].num_nodes))
    together = (users @ users.T).tocsr()
    counts = np.asarray(users.sum(axis=1)).ravel()
    texts = TfidfVectorizer(stop_words="english", min_df=2).fit_transform([title or "" for title in data["item"].title])
    by_node: dict[str, list[int]] = defaultdict(list)
    for item in np.argsort(-counts, kind="stable").tolist():
        if item in node_of:
            for one in tree.path(node_of[item]):
                by_node[one.id].append(item)
    draw = np.random.default_rng(SEED)
    cases = [item for item in sorted(bought) if item in node_of and completed(node_of[item])]
    cases = sorted(draw.permutation(cases)[:MOST].tolist())
    items: dict[str, list[tuple[float, float]]] = defaultdict(list)
    categories: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for item in track(cases, "Complements of items", len(cases)):
        own = completed(node_of[item])
        row = together.getrow(item)
        by_count = {
            int(j): float(v / np.sqrt(counts[item] * counts[j])) for j, v in zip(row.indices, row.data, strict=True)
        }
        text = (texts[item] @ texts.T).tocsr()
        by_text = {int(j): float(v) for j, v in zip(text.indices, text.data, strict=True)}
        by_intent = {
            other: score / (1 + rank) for node, score in own.items() for rank, other in enumerate(by_node[node][:3])
        }
        mixed = {j: by_count.get(j, 0.0) * (1 + own_score(own, tree, node_of.get(j))) for j in by_count}
        for model, scores in (
            ("intents", by_intent),
            ("tf-idf", by_text),
            ("co-occurrence", by_count),
            ("co-occurrence by intents", mixed),
        ):
            items[model].append(precision_recall(_named(scores), {str(j) for j in bought[item]}, {str(item)}))
        right = {_upper(tree, node_of[j]) for j in bought[item] if j in node_of} - {_upper(tree, node_of[item])}
        if right:
            for model, scores in (
                ("intents", _by_category(own, tree, str)),
                ("tf-idf", _by_category(by_text, tree, node_of.get)),
                ("co-occurrence", _by_category(by_count, tree, node_of.get)),
            ):
                categories[model].append(precision_recall(scores, right, {_upper(tree, node_of[item])}))
    return {"items": summary(items, "intents"), "categories": summary(categories, "intents")}


def own_score(own: Mapping[str, float], tree: BrowseTree, node: str | None) -> float:
    return max((own.get(one.id, 0.0) for one in tree.path(node)), default=0.0) if node else 0.0


def _named(scores: Mapping[int, float]) -> dict[str, float]:
    return {str(key): value for key, value in scores.items()}


def _upper(tree: BrowseTree, node: str) -> str:
    """The category of an item for people: two levels below the top, or as deep as it goes."""
    path = tree.path(node)
    return path[min(2, len(path) - 1)].id


def _by_category(scores: Mapping[Any, float], tree: BrowseTree, of: Callable[[Any], str | None]) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for key, value in scores.items():
        node = of(key)
        if node:
            found[_upper(tree, node)] += value
    return dict(found)


def also_bought(folder: Path | None, place: Mapping[str, int]) -> dict[int, set[int]]:
    """Items of the catalogue that others bought with each, as Amazon lists them."""
    if folder is None:
        raise SystemExit("set TWOHOP_DATA to the folder that holds amazon-beauty/items.jsonl.gz")
    found: dict[int, set[int]] = {}
    with gzip.open(folder / "amazon-beauty" / "items.jsonl.gz", "rt", encoding="utf-8") as opened:
        for line in opened:
            row = json.loads(line)
            listed = {place[key] for key in (*row["also_bought"], *row["bought_together"]) if key in place}
            if row["asin"] in place and listed - {place[row["asin"]]}:
                found[place[row["asin"]]] = listed - {place[row["asin"]]}
    return found


if __name__ == "__main__":
    main()
