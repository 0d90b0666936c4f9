"""What a model run computed, checked, and cut into the batches that a generation is written in."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.errors import ArtefactError

EDGES = 20_000  # written in one transaction, up to the last one of a user or an item
NODES = 2_000

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Weights:
    """What a model run computed, all of it.

    Attributes:
        users, items: ids, U and I of them.
        user_direct, item_direct: p_u [U, d] and q_i [I, d].
        trigger_user, trigger_item, trigger_weight: [E] places in `users` and `items`, and e^t, one an interaction.
        similar_source, similar_target, similar_weight, similar_rank: [S] places in `items`, e^s, and the rank among
            the edges of the source, 1 = the strongest; 0 = to the source itself, where repeats are learnt.
        repeat_power: of e^t on the path of a trigger to itself, which is log(1 + e^t ^ repeat_power * e^s).
    """

    users: list[str]
    items: list[str]
    user_direct: Floats
    item_direct: Floats
    trigger_user: Integers
    trigger_item: Integers
    trigger_weight: Floats
    similar_source: Integers
    similar_target: Integers
    similar_weight: Floats
    similar_rank: Integers
    repeat_power: float = 1.0

    def check(self) -> None:
        """Raises `ArtefactError` where lengths, places or values are impossible."""
        edges, similar = len(self.trigger_user), len(self.similar_source)
        shapes = {
            "user_direct": (len(self.users), self.user_direct.shape[-1]),
            "item_direct": (len(self.items), self.user_direct.shape[-1]),
            **dict.fromkeys(("trigger_user", "trigger_item", "trigger_weight"), (edges,)),
            **dict.fromkeys(("similar_source", "similar_target", "similar_weight", "similar_rank"), (similar,)),
        }
        for name, shape in shapes.items():
            values = getattr(self, name)
            if values.shape != shape:
                raise ArtefactError(f"weights: {name} has the shape {values.shape}, not {shape}")
            if (wrong := int((~np.isfinite(values)).sum())) > 0:
                raise ArtefactError(f"weights: {wrong} values of {name} are not finite; train the model again")
        for name in ("trigger_weight", "similar_weight"):
            if getattr(self, name).size and getattr(self, name).min() <= 0:
                raise ArtefactError(f"weights: {name} has values of 0 or below; e^t and e^s are above 0")
        if not 1 <= self.repeat_power < np.inf:
            raise ArtefactError(f"weights: repeat_power is {self.repeat_power:g}, not a number of 1 or more")
        if ((self.similar_rank < 1) != (self.similar_source == self.similar_target)).any():
            raise ArtefactError("weights: similar_rank is 1 or above, and 0 of an item with itself")
        self._check_places()

    def _check_places(self) -> None:
        for name in ("trigger_user", "trigger_item", "similar_source", "similar_target"):
            places, known = getattr(self, name), len(self.users if name == "trigger_user" else self.items)
            if places.size and not 0 <= places.min() <= places.max() < known:
                raise ArtefactError(f"weights: {name} names a place outside of the {known} ids")
        for places, others in (("trigger_user", "trigger_item"), ("similar_source", "similar_target")):
            pairs = getattr(self, places).astype(np.int64) * len(self.items) + getattr(self, others)
            if len(np.unique(pairs)) < len(pairs):
                raise ArtefactError(f"weights: a pair of {places} and {others} is there twice")
        for name in ("users", "items"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ArtefactError(f"weights: {name} has an id twice")

    def digest(self) -> str:
        """SHA-256 of all of it: an interrupted write goes on only with the very same weights."""
        sha = hashlib.sha256(json.dumps([self.users, self.items]).encode())
        for field in fields(self)[2:]:
            values = np.ascontiguousarray(getattr(self, field.name))
            sha.update(f"{field.name} {values.dtype} {values.shape}".encode())
            sha.update(values.tobytes())
        return sha.hexdigest()


@dataclass(frozen=True)
class Batch:
    """Rows `start` to `end` of a statement, which writes end - start nodes or edges."""

    start: int
    end: int
    parameters: dict[str, Any]


def user_batches(weights: Weights, start: int) -> Iterator[Batch]:
    return _direct_batches(weights.users, weights.user_direct, start)


def item_batches(weights: Weights, start: int) -> Iterator[Batch]:
    return _direct_batches(weights.items, weights.item_direct, start)


def _direct_batches(ids: list[str], direct: Floats, start: int) -> Iterator[Batch]:
    for first in range(start, len(ids), NODES):
        chosen = slice(first, min(first + NODES, len(ids)))
        pairs = zip(ids[chosen], direct[chosen].tolist(), strict=True)
        yield Batch(first, chosen.stop, {"rows": [{"id": key, "direct": vector} for key, vector in pairs]})


def interaction_batches(weights: Weights, start: int) -> Iterator[Batch]:
    """Whole users a batch, in the order of their places."""
    order = np.argsort(weights.trigger_user, kind="stable")
    for first, end, groups in _grouped(weights.trigger_user[order], start):
        rows = []
        for a, b in groups:
            chosen = order[a:b]
            names = (weights.items[place] for place in weights.trigger_item[chosen].tolist())
            values = weights.trigger_weight[chosen].tolist()
            user = weights.users[int(weights.trigger_user[chosen[0]])]
            rows.append({"user": user, "weights": dict(zip(names, values, strict=True))})
        yield Batch(first, end, {"rows": rows})


def similar_batches(weights: Weights, start: int) -> Iterator[Batch]:
    """Whole source items a batch. Target ids are sent once a batch, so each is looked up once."""
    order = np.lexsort((weights.similar_rank, weights.similar_source))
    for first, end, groups in _grouped(weights.similar_source[order], start):
        targets, places = np.unique(weights.similar_target[order[first:end]], return_inverse=True)
        rows = [
            {
                "source": weights.items[int(weights.similar_source[order[a]])],
                "targets": places[a - first : b - first].tolist(),
                "weights": weights.similar_weight[order[a:b]].tolist(),
                "ranks": weights.similar_rank[order[a:b]].tolist(),
            }
            for a, b in groups
        ]
        yield Batch(first, end, {"rows": rows, "targets": [weights.items[place] for place in targets.tolist()]})


def _grouped(keys: Integers, start: int) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Runs of equal `keys` from the edge `start` on, gathered until they hold `EDGES` edges: start, end, the runs."""
    ends = [*(np.flatnonzero(np.diff(keys)) + 1).tolist(), len(keys)]
    first, before, groups = start, start, list[tuple[int, int]]()
    for end in ends:
        if end <= start:
            continue
        groups.append((before, end))
        before = end
        if end - first >= EDGES or end == len(keys):
            yield first, end, groups
            first, groups = end, []


BATCHES: dict[str, Callable[[Weights, int], Iterator[Batch]]] = {
    "users": user_batches,
    "items": item_batches,
    "interactions": interaction_batches,
    "similar": similar_batches,
}
