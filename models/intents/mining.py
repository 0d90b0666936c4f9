"""Which assortments are shopping intents (section IV.B), each rewritten into a sentence, no two of one meaning."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from graph.errors import ArtefactError
from graph.trees import BrowseTree
from models.intents.classes import NodeFeatures
from models.intents.encoder import Encoder, Floats, similarity
from models.intents.sentences import LONGEST, Assortment, SentenceEngine
from models.intents.texts import lemmas

SEED = 0
CONFIDENT = 0.5  # an assortment with this probability and above is an intent
SURE = 4  # digits of a probability that decide which of two comes first
SAME_MEANING = 0.86  # cosine of two sentences from which on they are one intent
CHILDREN = 12
# Words that describe products rather than a goal: a node named by them alone is an attribute, not an intent.
ATTRIBUTES = {
    *(
        "small",
        "large",
        "big",
        "mini",
        "size",
        "sized",
        "color",
        "colour",
        "colored",
        "red",
        "blue",
        "green",
        "black",
        "white",
    ),
    *("new", "used", "cheap", "premium", "luxury", "sale", "organic", "natural", "wood", "wooden", "metal", "plastic"),
    *("leather", "cotton", "electric", "cordless", "man", "woman", "boy", "girl", "unisex", "adult", "kid", "infant"),
    *("gluten", "free"),
}


class IntentEngine(Protocol):
    """What a classifier sees of N assortments: [N, f]."""

    name: str

    def columns(self, features: NodeFeatures) -> Floats: ...


class MiniLMEngine:
    """The default: vectors of the name and of what stands above it, place and heterogeneity."""

    name = "minilm"

    def __init__(self) -> None:
        self.scaler: StandardScaler | None = None

    def columns(self, features: NodeFeatures) -> Floats:
        if self.scaler is None:  # fitted on the first nodes that it sees: those it is trained on
            self.scaler = StandardScaler().fit(features.dense)
        two = features.vectors.shape[1] * 2 // 3
        return np.hstack([self.scaler.transform(features.dense), 3 * features.vectors[:, :two]]).astype(np.float32)


class LukeEngine:
    """LUKE, as in the paper: its entity types (event, object, …) of the name in a sentence a shopper might say.

    Any `transformers` model for entity classification by name or folder.
    """

    name = "luke"
    TEMPLATE = "I want to go shopping for {}."
    WORDS = 40

    def __init__(self, model: str = "studio-ousia/luke-large-finetuned-open-entity", at_once: int = 16) -> None:
        from transformers import AutoTokenizer, LukeForEntityClassification  # noqa: PLC0415  only where asked for

        self.at_once = at_once
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(model)
            self.model = LukeForEntityClassification.from_pretrained(model).eval()
        except (OSError, ValueError) as error:
            raise ArtefactError(
                f"model {model} cannot be loaded ({str(error).splitlines()[0]}): give the name or the folder of a LUKE "
                "model for entity classification, or use --engine minilm"
            ) from None

    def columns(self, features: NodeFeatures) -> Floats:
        """[N, types]: the logits of each entity type, and [N, f] place and heterogeneity."""
        import torch  # noqa: PLC0415

        parts = []
        for start in range(0, len(features.names), self.at_once):
            names = features.names[start : start + self.at_once]
            names = [" ".join(name.split()[: self.WORDS]) for name in names]  # a longer one loses its span
            texts = [self.TEMPLATE.format(name) for name in names]
            at = self.TEMPLATE.index("{")
            spans = [[(at, at + len(name))] for name in names]
            tokens = self.tokenizer(texts, entity_spans=spans, return_tensors="pt", padding=True, truncation=True)
            with torch.no_grad():
                parts.append(self.model(**tokens).logits.numpy())
        return np.hstack([np.concatenate(parts), features.dense]).astype(np.float32)


class IntentClassifier:
    """The probability that an assortment is an intent: a support vector machine over an engine's columns."""

    def __init__(self, engine: IntentEngine) -> None:
        self.engine = engine
        machine = SVC(C=3.0, class_weight="balanced", random_state=SEED)
        self.head = CalibratedClassifierCV(machine, ensemble=False)

    def fit(self, features: NodeFeatures, intent: Sequence[bool]) -> "IntentClassifier":
        self.head.fit(self.engine.columns(features), list(intent))
        return self

    def chances(self, features: NodeFeatures) -> Floats:
        """[N]"""
        if not features.ids:
            return np.zeros(0, dtype=np.float32)
        return self.head.predict_proba(self.engine.columns(features))[:, 1]


@dataclass(frozen=True)
class MinedIntent:
    """`nodes`: the assortments that it stands for, the one it was mined from first."""

    id: str
    sentence: str
    term: str
    department: str
    confidence: float
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Mined:
    intents: list[MinedIntent]
    dropped: dict[str, int]  # why: how many


def assortments(tree: BrowseTree) -> list[str]:
    """Ids of the nodes of class assortment."""
    return [key for key, node in tree.nodes.items() if node.node_class == "assortment"]


def mine(
    found: Sequence[tuple[BrowseTree, str, float]],
    rewriter: SentenceEngine,
    encoder: Encoder,
    taken: Mapping[str, str],
    brands: Collection[str] = (),
) -> Mined:
    """Make intents of assortments, the most confident first.

    Args:
        found: tree, node and probability of each.
        taken: id → sentence of intents that are there already: none of theirs is said again.
        brands: names that are no intents.

    Left out are brands, attributes, what is no goal (an empty sentence), sentences that are too long, and what means
    the same as an intent that is there already (cosine of the sentences at or above `SAME_MEANING`).
    """
    dropped = dict.fromkeys(
        ("below the threshold", "a brand", "an attribute", "no goal", "too long", "same meaning"), 0
    )
    lowered = {brand.lower() for brand in brands}
    kept: list[tuple[BrowseTree, str, float]] = []
    # The same node of two trees has the same probability up to the last digits: those are not to name the intent.
    for tree, key, chance in sorted(found, key=lambda one: (-round(one[2], SURE), one[1])):
        name = tree.nodes[key].name
        if chance < CONFIDENT:
            dropped["below the threshold"] += 1
        elif name.lower() in lowered:
            dropped["a brand"] += 1
        elif lemmas(name) and lemmas(name) <= ATTRIBUTES:
            dropped["an attribute"] += 1
        else:
            kept.append((tree, key, chance))
    sentences = rewriter.rewrite([describe(tree, key) for tree, key, _ in kept])
    vectors = encoder.encode([*sentences, *taken.values()], "Comparing the meanings of sentences")
    intents: list[MinedIntent] = []
    rows: list[int] = list(range(len(sentences), len(sentences) + len(taken)))
    owner: dict[int, int] = {}
    merged: dict[int, list[str]] = {}
    for number, (tree, key, chance) in enumerate(kept):
        if not sentences[number]:
            dropped["no goal"] += 1
            continue
        if len(sentences[number]) > LONGEST:
            dropped["too long"] += 1
            continue
        near = similarity(vectors[number : number + 1], vectors[rows])[0] if rows else np.zeros(0)
        if len(near) and near.max() >= SAME_MEANING:
            dropped["same meaning"] += 1
            nearest = rows[int(near.argmax())]
            if nearest in owner:
                merged[owner[nearest]].append(key)
            continue
        owner[number], merged[len(intents)] = len(intents), [key]
        rows.append(number)
        path = tree.path(key)
        intents.append(MinedIntent(f"mined:{key}", sentences[number], path[-1].name, path[0].name, chance, ()))
    made = [
        MinedIntent(one.id, one.sentence, one.term, one.department, one.confidence, tuple(merged[place]))
        for place, one in enumerate(intents)
    ]
    return Mined(made, dropped)


def describe(tree: BrowseTree, key: str) -> Assortment:
    children = tuple(tree.nodes[child].name for child in tree.children.get(key, ())[:CHILDREN])
    return Assortment(tuple(node.name for node in tree.path(key)), children)
