"""Classes of browse nodes: the labels, what classifiers see of a node, and what they learn from half of the labels."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from graph.schema import BROWSE_CLASSES
from graph.trees import BrowseNode, BrowseTree
from models.intents.classes import CHILDREN, Card, NodeClassifier, NodeFeatures, cards, node_features
from models.intents.encoder import Encoder
from models.intents.labelled import Label, read_labels
from models.intents.mining import IntentClassifier, MiniLMEngine
from tests.models.intents.conftest import make_tree

READ = 4  # children whose names the tests read of a node: a third of the time, nearly the same features


@pytest.fixture(scope="module")
def labels() -> list[Label]:
    return read_labels()


@pytest.fixture(scope="module")
def features(labels: list[Label], encoder: Encoder) -> NodeFeatures:
    short = [replace(label.card, children=label.card.children[:READ]) for label in labels]
    return node_features(short, encoder, "the labels")


def halves(labels: Sequence[Label]) -> tuple[list[int], list[int]]:
    """Places of what is trained on, and of what is held out."""
    held_out = [place for place, label in enumerate(labels) if label.held_out]
    return [place for place in range(len(labels)) if place not in set(held_out)], held_out


def test_enough_nodes_are_labelled(labels: list[Label]) -> None:
    assert len(labels) >= 400
    assert len({label.node for label in labels}) == len(labels)
    assert {label.node_class for label in labels} == set(BROWSE_CLASSES)
    assert len({label.tree for label in labels}) >= 3


def test_every_class_is_in_both_halves(labels: list[Label]) -> None:
    for half in halves(labels):
        assert len(half) > len(labels) / 3
        found = Counter(labels[place].node_class for place in half)
        assert min(found[name] for name in BROWSE_CLASSES) >= 10


def test_only_assortments_are_intents(labels: list[Label]) -> None:
    assert {label.node_class for label in labels if label.intent} == {"assortment"}
    assert Counter(label.intent for label in labels if label.node_class == "assortment")[False] > 50


def test_the_half_depends_on_the_node_alone(labels: list[Label]) -> None:
    one = labels[0]
    assert replace(one, node_class="alias", intent=False).held_out == one.held_out
    assert replace(one, card=replace(one.card, path=("x",), items=9)).held_out == one.held_out
    assert {replace(one, card=replace(one.card, id=str(n))).held_out for n in range(20)} == {True, False}


def test_ids_of_taxonomies_carry_their_tree(labels: list[Label]) -> None:
    card = labels[0].card
    assert Label("google", "alias", False, card).node == f"google:{card.id}"
    assert Label("amazon-beauty", "alias", False, card).node == card.id


def accuracy(found: Sequence[object], truth: Sequence[object]) -> float:
    return sum(one == other for one, other in zip(found, truth, strict=True)) / len(truth)


def test_the_classifier_beats_the_majority_by_twenty_points(labels: list[Label], features: NodeFeatures) -> None:
    learned, held_out = halves(labels)
    classifier = NodeClassifier().fit(features.at(learned), [labels[place].node_class for place in learned])
    found, chances = classifier.predict(features.at(held_out))
    truth = [labels[place].node_class for place in held_out]
    majority = max(Counter(truth).values()) / len(truth)
    assert accuracy(found, truth) > majority + 0.2
    assert set(found) == set(BROWSE_CLASSES)
    assert chances.shape == (len(held_out),)
    assert (chances > 1 / 3 - 1e-9).all()
    assert (chances <= 1 + 1e-9).all()
    again, _ = NodeClassifier().fit(features.at(learned), [labels[n].node_class for n in learned]).predict(features)
    assert [again[place] for place in held_out] == found  # nothing is drawn


def test_intents_are_told_from_other_assortments(labels: list[Label], features: NodeFeatures) -> None:
    learned, held_out = (
        [place for place in half if labels[place].node_class == "assortment"] for half in halves(labels)
    )
    head = IntentClassifier(MiniLMEngine()).fit(features.at(learned), [labels[place].intent for place in learned])
    chances = head.chances(features.at(held_out))
    truth = np.array([labels[place].intent for place in held_out])
    assert ((chances >= 0) & (chances <= 1)).all()
    right = ((chances[truth] >= 0.5).mean() + (chances[~truth] < 0.5).mean()) / 2
    assert right > 0.6
    # An intent has a greater chance than another assortment, for most pairs of both.
    assert (chances[truth][:, None] > chances[~truth][None]).mean() > 0.7
    assert len(head.chances(features.at([]))) == 0


TREE = make_tree("Camping", "Camping > Tents", "Camping > Tents > Family Tents", "Camping > Stoves", "Books")


def test_cards_say_where_a_node_stands(encoder: Encoder) -> None:
    items = {"Camping/Tents/FamilyTents": 3, "Camping/Stoves": 2, "Camping": 1}
    nodes = {key: replace(node, items=items.get(key, 0)) for key, node in TREE.nodes.items()}
    titles = {"Camping/Tents/FamilyTents": ["six person tent", "six person tent"], "Camping/Stoves": ["gas stove"]}
    found = {card.id: card for card in cards(BrowseTree("small", nodes), titles, encoder)}
    assert list(found) == list(TREE.nodes)
    top = found["Camping"]
    assert (top.path, top.children, top.count, top.depth, top.items) == (("Camping",), ("Tents", "Stoves"), 2, 2, 6)
    leaf = found["Camping/Tents/FamilyTents"]
    assert (leaf.path, leaf.children, leaf.depth) == (("Camping", "Tents", "Family Tents"), (), 0)
    assert leaf.spread == pytest.approx(0, abs=1e-6)  # the same title twice
    assert found["Camping/Stoves"].spread == 0.0  # one product has no spread
    assert 0.05 < top.spread < 0.6
    assert found["Books"] == Card("Books", ("Books",), (), 0, 0, 0, 0.0)


def test_a_card_names_the_first_children(encoder: Encoder) -> None:
    nodes = {"top": BrowseNode("top", "Top", None, 0)}
    nodes |= {f"c{n:02}": BrowseNode(f"c{n:02}", f"Child {n}", "top", 1) for n in range(CHILDREN + 3)}
    top = cards(BrowseTree("wide", nodes), {}, encoder)[0]
    assert top.children == tuple(f"Child {n}" for n in range(CHILDREN))
    assert top.count == CHILDREN + 3


def test_features_of_a_node(encoder: Encoder) -> None:
    alike = Card("a", ("Beds",), ("Baby Beds", "Baby Beds"), 2, 1, 0, 0.0)
    mixed = Card("b", ("Outdoor", "CAMPING GEAR"), ("Tents", "Gas Stoves", "Shoes"), 3, 2, 5, 0.4)
    leaf = Card("c", ("Outdoor", "Tents"), (), 0, 0, 0, 0.0)
    found = node_features([alike, mixed, leaf], encoder, "three nodes")
    assert (found.ids, found.names) == (["a", "b", "c"], ["Beds", "camping gear", "Tents"])
    size = encoder.encode(["x"]).shape[1]
    assert found.vectors.shape == (3, 3 * size)
    own, above, below = np.split(found.vectors, 3, axis=1)
    np.testing.assert_allclose(own, encoder.encode(["Beds", "camping gear", "Tents"]), atol=1e-6)
    np.testing.assert_allclose(above, encoder.encode(["", "Outdoor", "Outdoor"]), atol=1e-6)
    kinds = encoder.encode(["Tents", "Gas Stoves", "Shoes"])
    np.testing.assert_allclose(below[1], kinds.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(below[2], own[2], atol=1e-6)  # a leaf's own
    assert found.dense.shape[0] == 3
    assert np.isfinite(found.dense).all()
    heterogeneity = 1 - float(np.linalg.norm(kinds.mean(axis=0)))
    assert np.isclose(found.dense[1], heterogeneity, atol=1e-6).sum() == 1
    assert np.isclose(found.dense[1], own[1] @ above[1]).any()
    part = found.at([2, 0])
    assert (part.ids, part.dense.tolist()) == (["c", "a"], [found.dense[2].tolist(), found.dense[0].tolist()])
