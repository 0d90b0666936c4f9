"""Links between categories and intents, and from them the intent-aware PR-graph (section IV.C.2), in its two stages.

`SERVES`: the intents of a category, at most 3, the most confident first. `NEEDS`: the categories of an intent.
`COMPLEMENTS`: from a category through an intent that it serves to another category that the intent needs, unless a
business rule drops it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from graph.intents import Intent, Links
from graph.progress import step
from graph.trees import BrowseTree
from models.intents.encoder import Encoder, Floats
from models.intents.rules import Category, Check, Rule, checks
from models.intents.texts import category_text, plain_name

FEW = 3  # intents of a category at most, as in the paper
FORGOTTEN = 0.75  # score of what people forget at most, beside 0.8 to 1 for what everybody thinks of
WIDE = 3  # of Google's categories
SLOPE = 0.2  # how much the last category of an intent's list counts less than its first


class LinkOptions(BaseModel):
    """How links are made.

    Attributes:
        needs: K, categories of an intent at most.
        complements: complements of a category at most.
        confident: cosine from which on the model alone links a category to an intent.
        near: cosine from which on the model alone says that an intent needs a category.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    needs: int = Field(default=20, ge=1)
    complements: int = Field(default=20, ge=1)
    confident: float = Field(default=0.45, gt=0, le=1)
    near: float = Field(default=0.45, gt=0, le=1)


@dataclass(frozen=True)
class Known:
    """What people said of a tree's nodes.

    Attributes:
        google: paths of Google's taxonomy that a node stands for.
        intents: the intents that a node serves, the most typical first.
        support: how often queries led from an intent to a node, by (node, intent).
        optional_for, not_for: intents that need a path which the node stands for, but can do without what the node
            holds, or mean another kind of it.
    """

    google: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    intents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    support: Mapping[tuple[str, str], float] = field(default_factory=dict)
    optional_for: Mapping[str, frozenset[str]] = field(default_factory=dict)
    not_for: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def paths(self, tree: BrowseTree, key: str) -> tuple[str, ...]:
        """A node's own path, and those that it stands for in Google's words."""
        return tuple(dict.fromkeys((tree.path_text(key), *self.google.get(key, ()))))


@dataclass(frozen=True)
class Vectors:
    """Unit vectors by the tuned encoder of one tree's nodes [N, d] and of all intents [I, d]; by the untuned one of the
    names [N, d]."""

    nodes: Floats
    intents: Floats
    names: Floats


def intent_vectors(intents: Sequence[Intent], encoder: Encoder) -> Floats:
    """[I, d]: the mean of the vectors of all ways to say it, of unit length."""
    texts = [text for intent in intents for text in intent.texts]
    encoded = encoder.encode(texts, "Encoding the intents")
    found = np.zeros((len(intents), encoded.shape[1]), dtype=np.float32)
    start = 0
    for number, intent in enumerate(intents):
        found[number] = encoded[start : start + len(intent.texts)].mean(axis=0)
        start += len(intent.texts)
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


def node_vectors(tree: BrowseTree, encoder: Encoder) -> Floats:
    """[N, d] in the order of the tree's nodes."""
    texts = [category_text([node.name for node in tree.path(key)]) for key in tree.nodes]
    return encoder.encode(texts, f"Encoding the categories of {tree.tree}")


def name_vectors(tree: BrowseTree, encoder: Encoder) -> Floats:
    return encoder.encode([plain_name(node.name) for node in tree.nodes.values()], f"Encoding the names of {tree.tree}")


def needed(tree: BrowseTree, intents: Sequence[Intent], known: Known) -> dict[str, dict[str, float]]:
    """{intent: {node: score}} that people said: by the table, through the crosswalk; for a mined intent what its
    assortments hold."""
    by_path = _by_path(tree, known)
    found: dict[str, dict[str, float]] = {}
    for intent in intents:
        scores: dict[str, float] = {}
        listed = [(path, 1.0) for path in intent.needs] + [(path, FORGOTTEN) for path in intent.forgotten]
        for place, (path, weight) in enumerate(listed):
            key = by_path.get(path)
            if key is None or intent.id in known.not_for.get(key, ()):
                continue
            share = FORGOTTEN if intent.id in known.optional_for.get(key, ()) else weight
            score = share * (1 - SLOPE * place / len(listed))
            scores[key] = max(scores.get(key, 0.0), score)
        for node in intent.nodes:
            for key in _categories_below(tree, node):
                scores.setdefault(key, FORGOTTEN)
        found[intent.id] = scores
    return found


def _by_path(tree: BrowseTree, known: Known) -> dict[str, str]:
    """{Google's path: the node of this tree that stands for it}: the one that stands for least else, then the one with
    most items. A node that stands for much (`WIDE`) is no answer to what is missing, so it stands for nothing here."""
    found: dict[str, str] = {}
    width = {key: len(known.google.get(key, ())) for key in tree.nodes}
    for key in tree.nodes:
        for path in known.paths(tree, key):
            other = found.get(path)
            if width[key] <= WIDE and (
                other is None or (width[key], -tree.items_below[key]) < (width[other], -tree.items_below[other])
            ):
                found[path] = key
    return found


def _categories_below(tree: BrowseTree, node: str) -> list[str]:
    """The nearest categories below an assortment."""
    found, waiting = [], list(tree.children.get(node, ())) if node in tree.nodes else []
    while waiting:
        key = waiting.pop(0)
        if tree.nodes[key].node_class == "category":
            found.append(key)
        else:
            waiting.extend(tree.children.get(key, ()))
    return found


def link(
    tree: BrowseTree,
    intents: Sequence[Intent],
    vectors: Vectors,
    known: Known,
    rules: Sequence[Rule],
    options: LinkOptions,
) -> Links:
    """All links of one tree. What people said comes before what the model says."""
    return _Linking(tree, intents, vectors, known, options).links(checks(rules))


def categories(tree: BrowseTree, names: Floats, known: Known) -> dict[str, Category]:
    """What the rules see of each node."""
    found = {}
    for number, key in enumerate(tree.nodes):
        path = tree.path(key)
        above = frozenset(node.id for node in path[:-1])
        found[key] = Category(key, plain_name(path[-1].name), known.paths(tree, key), above, names[number])
    return found


@dataclass(frozen=True)
class Served:
    """An intent of a category."""

    intent: str
    confidence: float
    source: str


class _Linking:
    """One tree's linking: rows for `graph.intents.Links`."""

    def __init__(
        self, tree: BrowseTree, intents: Sequence[Intent], vectors: Vectors, known: Known, options: LinkOptions
    ) -> None:
        self.tree, self.intents, self.known, self.options = tree, intents, known, options
        self.names = vectors.names
        self.cosines = vectors.nodes @ vectors.intents.T
        self.node_at = {key: number for number, key in enumerate(tree.nodes)}
        self.intent_at = {intent.id: number for number, intent in enumerate(intents)}
        self.said = needed(tree, intents, known)
        self.said_of: dict[str, dict[str, float]] = defaultdict(dict)
        for one, scores in self.said.items():
            for key, score in scores.items():
                self.said_of[key][one] = score
        self.support: dict[str, dict[str, float]] = defaultdict(dict)
        for (key, one), count in known.support.items():
            if key in self.node_at and one in self.intent_at:
                self.support[key][one] = count

    def links(self, rules: Mapping[str, Check]) -> Links:
        with step(f"Linking the categories of {self.tree.tree}"):
            serves = {key: self._serves(key) for key in self._linkable()}
            needs = {intent.id: self._needs(intent) for intent in self.intents}
        links = Links(
            serves=[
                {
                    "node": key,
                    "intent": one.intent,
                    "confidence": one.confidence,
                    "rank": rank,
                    "source": one.source,
                    "support": self.support[key].get(one.intent, 0.0),
                }
                for key, found in serves.items()
                for rank, one in enumerate(found, start=1)
            ],
            needs=[
                {"intent": intent, "node": key, "score": score, "rank": rank, "source": source}
                for intent, found in needs.items()
                for rank, (key, score, source) in enumerate(found, start=1)
            ],
        )
        cards = categories(self.tree, self.names, self.known)
        with step(f"Completing the categories of {self.tree.tree}", len(serves)) as shown:
            for key, found in serves.items():
                self._complete(key, found, needs, cards, rules, links)
                shown.advance()
        return links

    def _linkable(self) -> list[str]:
        """Nodes that serve intents: those people chose; where nobody did categories, what the table needs, and what has
        items and is no alias."""
        if self.known.intents:
            return [key for key in self.tree.nodes if self.known.intents.get(key)]
        return [
            key
            for key, node in self.tree.nodes.items()
            if node.node_class == "category" or self.said_of.get(key) or (node.items and node.node_class != "alias")
        ]

    def _cosine(self, key: str, intent: str) -> float:
        return float(self.cosines[self.node_at[key], self.intent_at[intent]])

    def _serves(self, key: str) -> list[Served]:
        """Chosen by hand; else by the table, mined assortments and queries; the model fills what is left open."""
        chosen = [one for one in self.known.intents.get(key, ()) if one in self.intent_at]
        if chosen:
            return [Served(one, max(0.0, self._cosine(key, one)), "hand") for one in chosen[:FEW]]
        said, support = self.said_of.get(key, {}), self.support.get(key, {})
        ranked = sorted({*said, *support}, key=lambda one: (-self._typical(key, one), one))[:FEW]
        found = [Served(one, max(0.0, self._cosine(key, one)), "table" if one in said else "queries") for one in ranked]
        row = self.cosines[self.node_at[key]]
        for number in np.argsort(-row, kind="stable")[: FEW if len(found) < FEW else 0]:
            intent = self.intents[int(number)].id
            if (
                len(found) < FEW
                and row[number] >= self.options.confident
                and intent not in {one.intent for one in found}
            ):
                found.append(Served(intent, float(row[number]), "model"))
        return found

    def _typical(self, key: str, intent: str) -> float:
        """How telling the category is of the intent: its place in the intent's list, the cosine, what queries say."""
        support = float(np.log1p(self.support.get(key, {}).get(intent, 0.0)))
        return self.said_of.get(key, {}).get(intent, 0.0) + self._cosine(key, intent) + 0.1 * support

    def _needs(self, intent: Intent) -> list[tuple[str, float, str]]:
        """(node, score, source). Where people mapped the tree their word is all; elsewhere the model fills up to K."""
        said = self.said[intent.id]
        scores = [(key, score, "table" if intent.source == "table" else "tree") for key, score in said.items()]
        if not self.known.intents and not (said and intent.source == "table"):
            column = np.where(self._allowed, self.cosines[:, self.intent_at[intent.id]], -1.0)
            for number in np.argsort(-column, kind="stable")[: self.options.needs]:
                key = self._ids[int(number)]
                if column[number] >= self.options.near and key not in said:
                    scores.append((key, FORGOTTEN * float(column[number]), "model"))
        scores.sort(key=lambda one: (-one[1], one[0]))
        return scores[: self.options.needs]

    @cached_property
    def _ids(self) -> list[str]:
        return list(self.tree.nodes)

    @cached_property
    def _allowed(self) -> NDArray[np.bool_]:
        return np.array([node.node_class == "category" for node in self.tree.nodes.values()])

    def _complete(
        self,
        key: str,
        found: Sequence[Served],
        needs: Mapping[str, Sequence[tuple[str, float, str]]],
        cards: Mapping[str, Category],
        rules: Mapping[str, Check],
        links: Links,
    ) -> None:
        """Both stages for one category: its intents, and what they need beside it."""
        best: dict[str, tuple[float, str]] = {}
        gone: dict[str, tuple[str, str, str]] = {}
        for rank, served in enumerate(found, start=1):
            intent = self.intents[self.intent_at[served.intent]]
            for other, score, _ in needs[served.intent]:
                if other == key:
                    continue
                total = score * (0.5 + 0.5 * served.confidence) / rank**0.5
                if why := _why(cards[key], cards[other], intent, rules):
                    gone.setdefault(other, (served.intent, *why))
                elif total > best.get(other, (0.0, ""))[0]:
                    best[other] = (total, served.intent)
        ranked = sorted(best.items(), key=lambda one: (-one[1][0], one[0]))[: self.options.complements]
        links.complements.extend(
            {"start": key, "end": other, "intent": intent, "score": total, "rank": rank}
            for rank, (other, (total, intent)) in enumerate(ranked, start=1)
        )
        links.dropped.extend(
            {"start": key, "end": other, "intent": intent, "rule": rule, "why": why}
            for other, (intent, rule, why) in sorted(gone.items())
            if other not in best
        )


def _why(
    category: Category, complement: Category, intent: Intent, rules: Mapping[str, Check]
) -> tuple[str, str] | None:
    for name, check in rules.items():
        if why := check(category, complement, intent):
            return name, why
    return None
