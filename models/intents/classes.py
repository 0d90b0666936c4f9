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
from models.intents.labelled import Label
from models.intents.texts import plain_name

CHILDREN = 60  # names that stand for a node's children
SEED = 0


@dataclass(frozen=True)
class NodeFeatures:
    """What a classifier sees of N nodes.

    Attributes:
        ids: N ids.
        names: their names in plain words.
        vectors: [N, d] of the names, [N, d] of the names of all above.
        dense: [N, f] place and heterogeneity.
    """

    ids: list[str]
    names: list[str]
    vectors: Floats
    dense: Floats

    def of(self, ids: Sequence[str]) -> "NodeFeatures":
        place = {key: number for number, key in enumerate(self.ids)}
        rows = [place[key] for key in ids]
        return NodeFeatures(list(ids), [self.names[row] for row in rows], self.vectors[rows], self.dense[rows])


def node_features(tree: BrowseTree, titles: Mapping[str, Sequence[str]], encoder: Encoder) -> NodeFeatures:
    """Features of all nodes of a tree.

    Heterogeneity is 1 minus the length of the mean of unit vectors: 0 where children (or products) all say the same,
    near 1 where they have nothing in common.
    """
    ids = list(tree.nodes)
    names = [plain_name(tree.nodes[key].name) for key in ids]
    above = [" ".join(plain_name(one.name) for one in tree.path(key)[:-1]) for key in ids]
    products = {key: [plain_name(title) for title in titles.get(key, ())] for key in ids}
    every = [*names, *above, *(title for found in products.values() for title in found)]
    encoded = encoder.encode(every, f"Encoding the names of {tree.tree}")
    name_vectors, above_vectors = encoded[: len(ids)], encoded[len(ids) : 2 * len(ids)]
    place = {key: number for number, key in enumerate(ids)}
    product_vectors, start = {}, 2 * len(ids)
    for key, found in products.items():
        product_vectors[key] = encoded[start : start + len(found)]
        start += len(found)
    gathered = _gather(tree, product_vectors)
    depth = _depths(tree)
    rows = []
    for key, vector in zip(ids, name_vectors, strict=True):
        node = tree.nodes[key]
        children = name_vectors[[place[child] for child in tree.children.get(key, ())[:CHILDREN]]]
        rows.append(
            [
                node.level,
                depth[key],
                not len(children),
                np.log1p(len(tree.children.get(key, ()))),
                _spread(children),
                float((children @ vector).mean()) if len(children) else 1.0,
                _spread(gathered[key]),
                np.log1p(tree.items_below[key]),
                float(vector @ above_vectors[place[key]]),
                len(node.name.split()),
                "&" in node.name or "/" in node.name or "," in node.name,
            ]
        )
    return NodeFeatures(ids, names, np.hstack([name_vectors, above_vectors]), np.array(rows, dtype=np.float32))


def _spread(vectors: Floats) -> float:
    return 1 - float(np.linalg.norm(vectors.mean(axis=0))) if len(vectors) > 1 else 0.0


def _gather(tree: BrowseTree, vectors: Mapping[str, Floats]) -> dict[str, Floats]:
    """Products at or below each node, some of each child."""
    found: dict[str, Floats] = {}
    for key in reversed(tree.nodes):
        parts = [vectors[key], *(found[child][:5] for child in tree.children.get(key, ())[:CHILDREN])]
        found[key] = np.concatenate(parts)
    return found


def _depths(tree: BrowseTree) -> dict[str, int]:
    """Levels below each node."""
    found: dict[str, int] = {}
    for key in reversed(tree.nodes):
        found[key] = max((found[child] + 1 for child in tree.children.get(key, ())), default=0)
    return found


class NodeClassifier:
    """Logistic regression over a name's vector, its words, and the node's place and heterogeneity."""

    def __init__(self, weight: float = 4.0) -> None:
        self.scaler = StandardScaler()
        self.words = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=2, max_features=3_000)
        self.head = LogisticRegression(C=weight, max_iter=2_000, class_weight="balanced", random_state=SEED)

    def fit(self, features: NodeFeatures, classes: Sequence[str]) -> "NodeClassifier":
        self.scaler.fit(features.dense)
        self.words.fit(features.names)
        self.head.fit(self._columns(features), list(classes))
        return self

    def predict(self, features: NodeFeatures) -> tuple[list[str], NDArray[np.float64]]:
        """The class of each node and its probability [N]."""
        chances = self.head.predict_proba(self._columns(features))
        best = chances.argmax(axis=1)
        return [str(self.head.classes_[number]) for number in best], chances[np.arange(len(best)), best]

    def _columns(self, features: NodeFeatures) -> Floats:
        words = self.words.transform(features.names).toarray()
        return np.hstack([self.scaler.transform(features.dense), 3 * features.vectors, words]).astype(np.float32)


def stack(parts: Sequence[NodeFeatures]) -> NodeFeatures:
    """Features of nodes of several trees, one after the other."""
    return NodeFeatures(
        [key for part in parts for key in part.ids],
        [name for part in parts for name in part.names],
        np.concatenate([part.vectors for part in parts]),
        np.concatenate([part.dense for part in parts]),
    )


def labelled(features: Mapping[str, NodeFeatures], labels: Sequence[Label]) -> tuple[NodeFeatures, list[Label]]:
    """The labelled nodes that are in these trees, with their labels in the same order."""
    known = {tree: set(found.ids) for tree, found in features.items()}
    kept: dict[str, list[Label]] = {tree: [] for tree in features}
    for label in labels:
        if label.tree in known and label.id in known[label.tree]:
            kept[label.tree].append(label)
    parts = [features[tree].of([label.id for label in found]) for tree, found in kept.items() if found]
    return stack(parts), [label for found in kept.values() for label in found]
