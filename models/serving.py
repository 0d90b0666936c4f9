"""The trained network without torch: weights of users, of sessions and of new items, by ONNX Runtime.

Codes come from `models.features`, as in training; only the network itself is another program (`models.onnx_export`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from models.features import Encoder, Features
from models.interactions import Interactions, Ints
from models.pairs import PairOptions, Pairs
from models.profiles import PathKinds, Terms, brand_codes, browse_paths, profile_words, same_brand
from models.windows import grouped, last_items

if TYPE_CHECKING:
    from graph.excerpt import Excerpt

Vectors = npt.NDArray[np.float32]
Weights = npt.NDArray[np.float64]
LARGEST = 60.0  # of a logit: far outside of what matters to ln(1 + e^(t + s)), so that no weight overflows


def edge_weights(logits: npt.NDArray[Any]) -> Weights:
    """e^t or e^s as an edge carries it."""
    return np.exp(np.clip(logits.astype(np.float64), -LARGEST, LARGEST))


def ended(vectors: Vectors, last: npt.NDArray[np.floating[Any]]) -> Vectors:
    """p_u or q_i [R, k] with one more number each [R]; as they are where there is no Direct Net (k = 0)."""
    return np.column_stack([vectors, last]).astype(np.float32) if vectors.shape[1] else vectors


@dataclass(frozen=True)
class UserWeights:
    """What a network says of the users of an excerpt.

    Attributes:
        user, item: [T] numbers of the trigger edges; weight: [T] e^t of each.
        direct: [U, k] p_u; k = 0 without Direct Net.
    """

    user: Ints
    item: Ints
    weight: Weights
    direct: Vectors


class ServedNetwork:
    """One model. Safe for threads.

    Args:
        graphs: ONNX by name, as `models.onnx_export.export` makes it.
        features: how raw columns become codes.
        terms: the words of profiles that count.
        similar: neighbours of an item in the index.
        min_buyers: an item with fewer buyers is neither trigger nor candidate there.
        trended: q_i ends with the item's trend, and p_u with a 1 (`models.pairs.trends`).
    """

    def __init__(
        self,
        graphs: Mapping[str, bytes],
        features: Features,
        terms: Terms,
        similar: int,
        min_buyers: int,
        trended: bool = False,
    ) -> None:
        self.features, self.terms, self.similar, self.min_buyers = features, terms, similar, min_buyers
        self.trended = trended
        self._graphs = {name: open_graph(graph) for name, graph in graphs.items()}

    def user_weights(self, data: "Excerpt") -> UserWeights:
        """e^t of every trigger and p_u of every user."""
        encoder, events = Encoder(data, self.features), Interactions.of(data)
        trigger = events.triggers
        z, x = encoder.user_codes(np.arange(events.users), events.activity), encoder.item_codes(data.buyers)
        user, item = events.user[trigger], events.item[trigger]
        inputs = {
            "z": z,
            "x": x,
            "edge_index": np.stack([user, item]),
            "a": encoder.behaviour_codes(events, trigger, events.start[user + 1]),
        }
        if "groups" in [one.name for one in self._graphs["triggers"].get_inputs()]:
            inputs["groups"] = grouped(user, events.users)
        t = self._run("triggers", **inputs)
        direct = self._user_vectors(z, x, events)
        return UserWeights(user, item, edge_weights(t), self._ended(direct, np.ones(events.users)))

    def item_vectors(self, data: "Excerpt", trend: Weights) -> Vectors:
        """q_i [I, k] of the items, whose trends are [I]; k = 0 without Direct Net."""
        x = Encoder(data, self.features).item_codes(data.buyers)
        return self._ended(self._vectors("item_vectors", len(x), x=x), trend)

    def similarities(self, data: "Excerpt", source: Ints, target: Ints, trend: Weights) -> Weights:
        """e^s [P] of pairs source [P] → target [P], sorted by both, that nobody has met together yet.

        `trend` [I]: of the excerpt's items.
        """
        encoder, pairs = Encoder(data, self.features), unmet_pairs(data, self.terms, source, target)
        s = self._run(
            "similarities",
            x=encoder.item_codes(data.buyers),
            source=source,
            target=target,
            c=encoder.pair_codes(pairs, np.arange(len(pairs))),
        )
        return edge_weights(s + trend[target])

    def _ended(self, vectors: Vectors, last: Weights) -> Vectors:
        """Vectors [R, k] with their last numbers [R], where this network's have these."""
        return ended(vectors, last) if self.trended else vectors

    def _user_vectors(self, z: Ints, x: Ints, events: Interactions) -> Vectors:
        if (reader := self._graphs.get("history_vectors")) is None:
            return self._vectors("user_vectors", events.users, z=z)
        length = next(one.shape[1] for one in reader.get_inputs() if one.name == "history")
        return self._run("history_vectors", x=x, history=last_items(events, np.arange(events.users), length))

    def _vectors(self, name: str, rows: int, **inputs: Ints) -> Vectors:
        return self._run(name, **inputs) if name in self._graphs else np.zeros((rows, 0), dtype=np.float32)

    def _run(self, name: str, **inputs: Ints) -> Vectors:
        [output] = self._graphs[name].run(None, inputs)
        return np.asarray(output, dtype=np.float32)


def unmet_pairs(data: "Excerpt", terms: Terms, source: Ints, target: Ints) -> Pairs:
    """Pairs that no user has both items of: their profiles, and nothing in every count."""
    paths, nothing = browse_paths(data), np.zeros(len(source), dtype=np.float32)
    row, term, value = terms.vectors(profile_words(data, paths))
    known, column = np.unique(term, return_inverse=True)
    vectors = np.zeros((data["item"].num_nodes, len(known)), dtype=np.float32)
    vectors[row, column] = value
    return Pairs(
        start=np.searchsorted(source, np.arange(len(vectors) + 1)),
        target=target,
        together=nothing,
        forward=nothing,
        backward=nothing,
        text=np.clip((vectors[source] * vectors[target]).sum(axis=1), 0, 1),
        brand=same_brand(brand_codes(data), source, target),
        depth=PathKinds.of(paths).shared_depth(source, target),
        buyers=data.buyers,
        floor=np.zeros((len(vectors), 3), dtype=np.float32),
        trend=np.zeros(len(vectors), dtype=np.float32),
        options=PairOptions(),
    )


def open_graph(graph: bytes) -> onnxruntime.InferenceSession:
    """A session that takes one core and leaves it when it has nothing to do."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


@dataclass(frozen=True)
class SessionEvent:
    """One event of somebody unknown. `time`: seconds since 1970 UTC; None where only the order is known."""

    item: str
    time: int | None = None
    session: str | None = None
    quantity: float | None = None
    value: float | None = None


@dataclass(frozen=True)
class Trigger:
    """An item of a session and its e^t."""

    id: str
    weight: float


@dataclass(frozen=True)
class Session:
    """What the networks of one generation say of a session: triggers, the strongest first, and p_u (maybe empty)."""

    generation: int
    triggers: list[Trigger]
    direct: list[float]
