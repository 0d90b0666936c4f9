"""Classes of browse nodes (section IV.A): category, assortment or alias, from a node's name, place and content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from graph.trees import BrowseTree
from models.intents.encoder import Encoder, Floats
from models.intents.texts import plain_name

CHILDREN = 12  # names that stand for a node's children
SEED = 0
RARE = {"alias": 1 / 3}  # of the labels of aliases two in three were searched for: in the trees they are rarer


@dataclass(frozen=True)
class NodeFeatures:
    """What a classifier sees of N nodes.

    Attributes:
        ids: N ids.
        names: their names in plain words.
        vectors: [N, 3d] of the names, of the names of all above, and the mean of the children's (a leaf's own).
        dense: [N, f] place and heterogeneity.
    """

    ids: list[str]
    names: list[str]
    vectors: Floats
    dense: Floats

    def at(self, places: Sequence[int]) -> "NodeFeatures":
        """Some of the nodes, by their places."""
        chosen = list(places)
        return NodeFeatures(
            [self.ids[place] for place in chosen],
            [self.names[place] for place in chosen],
            self.vectors[chosen],
            self.dense[chosen],
        )


@dataclass(frozen=True)
class Card:
    """A node as the classifiers see it.

    Attributes:
        path: names from the top down to its own.
        children: names of the first `CHILDREN`; `count` of all.
        depth: levels below it.
        items: products at or below it; `spread`: their heterogeneity (0 where there are none).
    """

    id: str
    path: tuple[str, ...]
    children: tuple[str, ...]
    count: int
    depth: int
    items: int
    spread: float


def cards(tree: BrowseTree, titles: Mapping[str, Sequence[str]], encoder: Encoder) -> list[Card]:
    """All nodes of a tree; `titles` of products directly in each."""
    products = {key: [plain_name(title) for title in found] for key, found in titles.items()}
    vectors = encoder.encode(
        [title for found in products.values() for title in found], f"Reading products of {tree.tree}"
    )
    below = _gather(tree, products, vectors)
    depth = _depths(tree)
    return [
        Card(
            key,
            tuple(node.name for node in tree.path(key)),
            tuple(tree.nodes[child].name for child in tree.children.get(key, ())[:CHILDREN]),
            len(tree.children.get(key, ())),
            depth[key],
            tree.items_below[key],
            _spread(below[key]),
        )
        for key in tree.nodes
    ]


def node_features(found: Sequence[Card], encoder: Encoder, name: str) -> NodeFeatures:
    """Features of N nodes; `name` of what they are, for the progress bar.

    Heterogeneity is 1 minus the length of the mean of unit vectors: 0 where children (or products) all say the same,
    near 1 where they have nothing in common.
    """
    names = [plain_name(card.path[-1]) for card in found]
    above = [" ".join(map(plain_name, card.path[:-1])) for card in found]
    children = [[plain_name(child) for child in card.children] for card in found]
    encoded = encoder.encode([*names, *above, *(one for every in children for one in every)], f"Encoding {name}")
    own, over, start = encoded[: len(found)], encoded[len(found) : 2 * len(found)], 2 * len(found)
    rows, below = [], np.empty_like(own)
    for number, card in enumerate(found):
        inner = encoded[start : start + len(children[number])]
        start += len(inner)
        below[number] = inner.mean(axis=0) if len(inner) else own[number]
        text = card.path[-1]
        rows.append(
            [
                len(card.path) - 1,
                card.depth,
                not len(inner),
                np.log1p(card.count),
                _spread(inner),
                float((inner @ own[number]).mean()) if len(inner) else 1.0,
                card.spread,
                np.log1p(card.items),
                float(own[number] @ over[number]),
                len(text.split()),
                "&" in text or "/" in text or "," in text,
            ]
        )
    vectors = np.hstack([own, over, below])
    return NodeFeatures([card.id for card in found], names, vectors, np.array(rows, dtype=np.float32))


def _spread(vectors: Floats) -> float:
    return 1 - float(np.linalg.norm(vectors.mean(axis=0))) if len(vectors) > 1 else 0.0


def _gather(tree: BrowseTree, titles: Mapping[str, Sequence[str]], vectors: Floats) -> dict[str, Floats]:
    """Vectors of products at or below each node, some of each child."""
    own, start = {}, 0
    for key, found in titles.items():
        own[key] = vectors[start : start + len(found)]
        start += len(found)
    none = vectors[:0]
    gathered: dict[str, Floats] = {}
    for key in reversed(tree.nodes):
        parts = [own.get(key, none), *(gathered[child][:5] for child in tree.children.get(key, ())[:60])]
        gathered[key] = np.concatenate(parts)
    return gathered


def _depths(tree: BrowseTree) -> dict[str, int]:
    """Levels below each node."""
    found: dict[str, int] = {}
    for key in reversed(tree.nodes):
        found[key] = max((found[child] + 1 for child in tree.children.get(key, ())), default=0)
    return found


class NodeClassifier:
    """Logistic regression over a name's vector, its words, and the node's place and heterogeneity."""

    def __init__(self) -> None:
        self.scaler = StandardScaler()
        self.words = TfidfVectorizer(tokenizer=str.split, token_pattern=None, ngram_range=(1, 2), min_df=2)
        self.head = LogisticRegression(C=0.3, max_iter=3_000, class_weight=RARE, random_state=SEED)

    def fit(self, features: NodeFeatures, classes: Sequence[str]) -> "NodeClassifier":
        self.scaler.fit(features.dense)
        self.words.fit(_ends(features.names))
        self.head.fit(self._columns(features), list(classes))
        return self

    def predict(self, features: NodeFeatures) -> tuple[list[str], NDArray[np.float64]]:
        """The class of each node and its probability [N]."""
        chances = self.head.predict_proba(self._columns(features))
        best = chances.argmax(axis=1)
        return [str(self.head.classes_[number]) for number in best], chances[np.arange(len(best)), best]

    def _columns(self, features: NodeFeatures) -> Floats:
        words = self.words.transform(_ends(features.names)).toarray()
        return np.hstack([self.scaler.transform(features.dense), 3 * features.vectors, 2 * words]).astype(np.float32)


def _ends(names: Sequence[str]) -> list[str]:
    """Names with their first and last words told apart: `Accessories` at the end says more than in the middle."""
    split = [name.lower().split() or [""] for name in names]
    return [f"first_{words[0]} last_{words[-1]} {' '.join(words)}" for words in split]
