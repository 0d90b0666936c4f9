"""Shopping intents as the commands and the demo make them: mine, tune, link, and work out what users pursue."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cypher.intent_categories import FoundCategory, intent_categories
from graph import intents as stored
from graph.driver import Database
from graph.errors import NotFound, SettingsError, StoreError
from graph.intents import Intent
from graph.progress import step
from graph.settings import Settings
from graph.source import stored_source
from graph.statements import statement
from graph.trees import (
    BrowseNode,
    BrowseTree,
    read_crosswalk,
    read_node_embeddings,
    read_titles,
    read_tree,
    tree_names,
    write_classes,
    write_crosswalk,
    write_node_embeddings,
)
from loaders.intents.crosswalk import read_crosswalk as crosswalk_of
from loaders.intents.table import ShoppingIntent, read_table
from models.intents.classes import NodeClassifier, cards, node_features
from models.intents.clusters import DAY, MOST, RankerOptions, links_state, nearest_linked, pursued
from models.intents.encoder import Encoder, Floats, best_encoder, untuned
from models.intents.labelled import read_labels
from models.intents.links import Known, LinkOptions, Vectors, intent_vectors, link, name_vectors, node_vectors
from models.intents.mining import (
    IntentClassifier,
    IntentEngine,
    LukeEngine,
    MinedIntent,
    MiniLMEngine,
    assortments,
    mine,
)
from models.intents.onnx_export import write_light
from models.intents.rules import read_rules
from models.intents.sentences import Grammar, Instructed, SentenceEngine
from models.intents.supervision import match, trace

COVERED_DAYS = 28
TITLES = 5  # products that stand for a node's


@dataclass(frozen=True)
class MiningReport:
    """`classes`: nodes by tree and class; `departments`: intents by department; `dropped`: why assortments are none."""

    classes: dict[str, dict[str, int]]
    table: int
    mined: int
    departments: dict[str, int]
    dropped: dict[str, int]


@dataclass(frozen=True)
class LinkReport:
    """Counts of links by tree."""

    model: str
    trees: dict[str, dict[str, int]]
    dropped: dict[str, int]


def classify(database: Database, trees: Sequence[str] = ()) -> dict[str, dict[str, int]]:
    """Give every node of the trees (all of them, if none is named) its class; counts by tree and class.

    The word of the source comes first, then the labels made by hand, then the classifier that learned from those.
    """
    return _Nodes(database, trees).write_classes()


class _Nodes:
    """The nodes of some trees and what the classifiers see of them."""

    def __init__(self, database: Database, trees: Sequence[str]) -> None:
        _name_own_tree(database)
        self.database = database
        self.encoder = untuned()
        self.trees = {name: read_tree(database, name) for name in _chosen(database, trees)}
        self.features = {
            name: node_features(cards(tree, read_titles(database, name, TITLES), self.encoder), self.encoder, name)
            for name, tree in self.trees.items()
        }
        self.labels = read_labels()
        self.learned = node_features([label.card for label in self.labels], self.encoder, "the labels")

    def write_classes(self) -> dict[str, dict[str, int]]:
        classifier = NodeClassifier().fit(self.learned, [label.node_class for label in self.labels])
        by_hand = {(label.tree, label.node): label.node_class for label in self.labels}
        counts: dict[str, dict[str, int]] = {}
        for name, tree in self.trees.items():
            classes, chances = classifier.predict(self.features[name])
            rows = [
                _class(node, by_hand.get((name, key)), one, float(chance))
                for (key, node), one, chance in zip(tree.nodes.items(), classes, chances, strict=True)
            ]
            write_classes(self.database, rows)
            counts[name] = dict(Counter(str(row["class"]) for row in rows))
            self.trees[name] = read_tree(self.database, name)
        return counts

    def intent_chances(self, engine: IntentEngine, names: Iterable[str]) -> list[tuple[BrowseTree, str, float]]:
        """(tree, node, probability) of all assortments of these trees."""
        places = [place for place, label in enumerate(self.labels) if label.node_class == "assortment"]
        head = IntentClassifier(engine).fit(self.learned.at(places), [self.labels[place].intent for place in places])
        by_hand = {(label.tree, label.node): float(label.intent) for label in self.labels}
        found = []
        for name in names:
            tree, features = self.trees[name], self.features[name]
            keys = assortments(tree)
            place = {key: number for number, key in enumerate(features.ids)}
            chances = head.chances(features.at([place[key] for key in keys]))
            found += [
                (tree, key, by_hand.get((name, key), float(chance))) for key, chance in zip(keys, chances, strict=True)
            ]
        return found


def _class(node: BrowseNode, by_hand: str | None, classified: str, chance: float) -> dict[str, Any]:
    if node.class_source == "source":
        return {"id": node.id, "class": node.node_class, "source": "source", "confidence": 1.0}
    if by_hand:
        return {"id": node.id, "class": by_hand, "source": "hand", "confidence": 1.0}
    return {"id": node.id, "class": classified, "source": "classifier", "confidence": chance}


def _name_own_tree(database: Database) -> None:
    """Nodes that an older version wrote name no tree: they are the store's own."""
    source = stored_source(database)
    if source:
        database.write(statement("name_tree"), {"tree": source.id})


def _chosen(database: Database, trees: Sequence[str]) -> list[str]:
    known = tree_names(database)
    for name in trees:
        if name not in known:
            raise NotFound(f"no browse tree {name} in this store (there: {', '.join(known) or 'none'})")
    if not known:
        raise StoreError("this store has no browse tree: load data, or a taxonomy (twohop browse load google)")
    return list(trees) or known


def mine_intents(
    database: Database,
    *,
    engine: str = "minilm",
    engine_model: str | None = None,
    rewriter: str = "grammar",
    rewriter_model: str | None = None,
    table: Path | None = None,
) -> MiningReport:
    """Classes for all nodes, the open table and the mined assortments of the taxonomies as `Intent` nodes, crosswalks.

    Intents come from trees of no store (google, shopify, …): a store's own tree is poor in assortments, so its
    categories are linked to those. Raises `SourceError`, `ArtefactError`, `StoreError`.
    """
    rows = read_table(table)
    say, see = _rewriter(rewriter, rewriter_model), _engine(engine, engine_model)
    nodes = _Nodes(database, ())
    counts = nodes.write_classes()
    source = stored_source(database)
    taxonomies = [name for name in nodes.trees if source is None or name != source.id]
    brands = [row["brand"] for row in database.read(statement("brands"))]
    taken = {row.id: row.sentence for row in rows}
    found = mine(nodes.intent_chances(see, taxonomies), say, nodes.encoder, taken, brands)
    stored.write_intents(database, "table", [_of_table(row) for row in rows])
    stored.write_intents(database, "mined", [_of_mined(one) for one in found.intents])
    for name in nodes.trees:
        _write_crosswalk(database, name)
    departments = Counter([row.department for row in rows] + [one.department for one in found.intents])
    return MiningReport(counts, len(rows), len(found.intents), dict(departments), found.dropped)


def _rewriter(name: str, model: str | None) -> SentenceEngine:
    if name == "grammar":
        return Grammar()
    return Instructed(model) if model else Instructed()


def _engine(name: str, model: str | None) -> IntentEngine:
    if name == "minilm":
        return MiniLMEngine()
    return LukeEngine(model) if model else LukeEngine()


def _of_table(row: ShoppingIntent) -> Intent:
    return Intent(
        id=row.id,
        sentence=row.sentence,
        source="table",
        term=min(row.say, key=len),
        department=row.department,
        says=row.say,
        needs=row.needs,
        forgotten=row.forgotten,
        excludes=row.excludes,
        season=row.season,
        audience=row.audience,
    )


def _of_mined(one: MinedIntent) -> Intent:
    return Intent(
        id=one.id,
        sentence=one.sentence,
        source="mined",
        term=one.term,
        department=one.department,
        nodes=one.nodes,
        confidence=one.confidence,
    )


def _write_crosswalk(database: Database, tree: str) -> None:
    """What people said of the tree's categories. Ids of a tree of no store carry its name."""
    found = crosswalk_of(tree)
    if found is None:
        return
    source = stored_source(database)
    prefix = "" if source and source.id == tree else f"{tree}:"
    rows = [one.model_dump(exclude={"node"}) | {"id": prefix + one.node} for one in found.categories]
    write_crosswalk(database, tree, rows)


def query_support(
    database: Database, intents: Sequence[Intent]
) -> tuple[dict[tuple[str, str], float], dict[str, BrowseTree]]:
    """What the query table says of [category, intent] pairs, and the trees that its categories are of."""
    rows = stored.read_queries(database)
    if not rows:
        return {}, {}
    matches = match(sorted({str(row["query"]) for row in rows}), intents, untuned())
    names = {str(row["node"]).partition(":")[0] for row in rows}
    known = tree_names(database)
    own = [name for name in known if name not in names][:1]
    return trace(matches, rows), {name: read_tree(database, name) for name in known if name in names or name in own}


def link_intents(
    settings: Settings,
    database: Database,
    *,
    trees: Sequence[str] = (),
    rules: Path | None = None,
    options: LinkOptions | None = None,
    ranker: RankerOptions | None = None,
    now: float | None = None,
    covered_days: int = COVERED_DAYS,
    model: str | None = None,
) -> LinkReport:
    """Embeddings, `SERVES`, `NEEDS`, `COMPLEMENTS` of the trees, and then the intents of users.

    By the tuned encoder, or before the first training by the untuned one. Raises `ArtefactError` for a damaged one and
    `SettingsError` for rules and parameters that cannot be.
    """
    read, ranker, now = read_rules(rules), ranker or RankerOptions(), _moment(database, now)
    intents = stored.read_intents(database)
    encoder = best_encoder(settings.intents_folder, model)
    baseline = untuned(encoder.base)
    ids = [one.id for one in intents]
    vectors = stored.read_intent_embeddings(database, ids, encoder.identity)
    if vectors is None:
        vectors = intent_vectors(intents, encoder)
        stored.write_intent_embeddings(database, ids, encoder.identity, vectors)
    support, _ = query_support(database, [one for one in intents if one.source == "table"])
    counts: dict[str, dict[str, int]] = {}
    dropped: Counter[str] = Counter()
    for name in _chosen(database, trees):
        tree = read_tree(database, name)
        tuned = _node_vectors(database, tree, encoder, baseline)
        found = link(
            tree,
            intents,
            Vectors(tuned, vectors, name_vectors(tree, baseline)),
            _known(database, name, support),
            read,
            options or LinkOptions(),
        )
        stored.write_links(database, name, found)
        counts[name] = {kind: len(rows) for kind, rows in vars(found).items()}
        dropped.update(str(row["rule"]) for row in found.dropped)
    write_light(settings.intents_folder, encoder)
    source = stored_source(database)
    state = stored.read_state(database)
    stored.write_state(
        database,
        model=encoder.identity,
        links=int(state.get("links", 0)) + 1,
        tree=source.id if source else next(iter(counts)),
        covered_days=covered_days,
    )
    if source is not None:
        rank_users(database, ranker, now)
    return LinkReport(encoder.identity, counts, dict(dropped))


def _node_vectors(database: Database, tree: BrowseTree, encoder: Encoder, baseline: Encoder) -> Floats:
    """Vectors of the tree's nodes from the graph, or made and written there. Where there are items the untuned ones are
    written too: contents are ranked by either."""
    ids = list(tree.nodes)
    found = read_node_embeddings(database, ids, tree.tree, encoder.identity)
    if found is None:
        found = node_vectors(tree, encoder)
        untuned_ones = None
        if any(node.items for node in tree.nodes.values()):
            untuned_ones = node_vectors(tree, baseline) if encoder.tuned else found
        write_node_embeddings(database, ids, encoder.identity, found, untuned_ones)
    return found


def _known(database: Database, tree: str, support: Mapping[tuple[str, str], float]) -> Known:
    rows = read_crosswalk(database, tree)
    return Known(
        {row["id"]: tuple(row["google"]) for row in rows if row["google"]},
        {row["id"]: tuple(row["intents"]) for row in rows if row["intents"]},
        support,
        {row["id"]: frozenset(row["optional_for"]) for row in rows},
        {row["id"]: frozenset(row["not_for"]) for row in rows},
    )


def _moment(database: Database, now: float | None) -> float:
    """η of eq. 3 in seconds: that which is given, or the time of the newest event. Raises `SettingsError` where events
    lie after it, before anything is written."""
    newest = database.read(statement("newest_event"))[0]["time"]
    if now is None:
        return float(newest if newest is not None else time.time())
    if newest is not None and newest > now:
        days = (newest - now) / DAY
        raise SettingsError(f"an event lies {days:.1f} days in the future of that time: give a later one by --now")
    return now


def rank_users(database: Database, ranker: RankerOptions, now: float | None = None) -> int:
    """Work out the intents of all users whose events, links or parameters changed; gives how many.

    `now`: η of eq. 3 in seconds since 1970 UTC; left out: the time of the newest event.
    """
    source, state = stored_source(database), stored.read_state(database)
    if source is None or "links" not in state:
        raise StoreError("categories are not linked to intents yet: run twohop intents link")
    now = _moment(database, now)
    parameters = ranker.stored(now)
    links = links_state(state["links"], parameters)
    linked = {row["id"]: row["intents"] for row in database.read(statement("linked_nodes"), {"tree": source.id})}
    tree = read_tree(database, source.id) if source.id in tree_names(database) else BrowseTree(source.id, {})
    nearest = nearest_linked({key: node.parent for key, node in tree.nodes.items()}, linked)
    category_of = {
        row["item"]: sorted({nearest[node] for node in row["nodes"] if node in nearest})
        for row in database.stream(statement("item_nodes"), {"tree": source.id})
    }
    rows = database.stream(statement("user_engagements"), {"all": False, "links": links}, fetch_size=100)
    done = 0
    batch: list[dict[str, Any]] = []
    with step("Working out the intents of users") as shown:
        for row in pursued(rows, category_of, linked, now, ranker, MOST):
            batch.append(row)
            if len(batch) == stored.USERS:
                stored.write_pursues(database, batch)
                done += len(batch)
                shown.advance(len(batch))
                batch = []
        stored.write_pursues(database, batch)
    stored.write_state(database, **parameters)
    return done + len(batch)


def find_categories(
    settings: Settings, database: Database, texts: Sequence[str], tree: str, k: int
) -> list[list[FoundCategory]]:
    """The `k` best categories of each text. Raises `StoreError` where the graph's vectors are of another model."""
    encoder = best_encoder(settings.intents_folder)
    state = stored.read_state(database)
    if state.get("model") != encoder.identity:
        raise StoreError("the vectors in the graph are not of the latest model: run twohop intents link")
    vectors = encoder.encode(list(texts))
    return [intent_categories(database, vector.tolist(), tree, k) for vector in vectors]
