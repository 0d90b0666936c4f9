"""One generation in memory: recommendations, scores and their paths, the same ones as the Cypher queries give."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from graph.projection import paths
from graph.projection.columns import GONE, Array, Columns
from graph.projection.edits import Edits
from graph.projection.served import Served

NOTHING = np.zeros(0, np.int32)
EVERYTHING = np.zeros(0, np.int8)


class FoundItem(NamedTuple):
    """`score` = `direct` + the sum of its paths (PDN eq. 14)."""

    id: str
    title: str | None
    score: float
    direct: float


class FoundPath(NamedTuple):
    """A path to `item`: by its trigger, e^t and e^s."""

    item: str
    trigger: str
    trigger_title: str | None
    trigger_weight: float
    similar_weight: float


class Projection:
    """Answers as the queries of `cypher/` do. Safe for threads; one answer or one change at a time.

    Attributes:
        served: the generation, and the state of the store that this is of.
        now: the server's clock (ms) before it was read: later changes may be missing.
        edits: what takes in changes.
    """

    def __init__(self, columns: Columns, described: dict[str, Any]) -> None:
        self.served, self.now = Served(**described["served"]), int(described["now"])
        self.edits = Edits(columns, described)
        self.lock = threading.Lock()
        c = self._columns = columns
        self._items = paths.Items(
            c.item_order, c.item_state, c.item_price, c.item_known, c.item_direct, c.item_first, c.item_count
        )
        self._similar = paths.Similar(c.similar_item, c.similar_weight, c.similar_rank)
        self._table = np.full(len(c.item_state), paths.UNTOUCHED), np.empty(len(c.item_state) + 1, np.int32)

    @property
    def order(self) -> Array:
        """[≥ N] place of each item in the order of the ids."""
        return self._columns.item_order

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Map the files of `build`. Raises `ArtefactError` where they are damaged."""
        return cls(*Columns.open(folder))

    def recommend(
        self,
        user: str,
        n: int,
        *,
        m: int,
        k: int,
        shortlist: int,
        repeats: bool = False,
        category: str | None = None,
        min_price: float | None = None,
        max_price: float | None = None,
        exclude: Sequence[str] = (),
    ) -> list[FoundItem]:
        """As `cypher.recommend.recommend`, paths alone. Raises `KeyError` for a user or a category that is not here."""
        edits = self.edits
        limits = (
            min_price is not None or max_price is not None,
            -np.inf if min_price is None else float(min_price),
            np.inf if max_price is None else float(max_price),
        )
        with self.lock:
            found = paths.recommend(
                self._asker(user), m, k, max(shortlist, n), n, repeats, limits,
                EVERYTHING if category is None else edits.within(category),
                _there(edits.items(exclude)) if exclude else NOTHING, self._items, self._similar, *self._table,
            )  # fmt: skip
            return self._found(*found)

    def rank(self, user: str, items: Sequence[str], *, m: int, k: int) -> list[FoundItem]:
        """As `cypher.rank.rank`: given items that are here, best first. Raises `KeyError` for an unknown user."""
        with self.lock:
            asked = np.unique(_there(self.edits.items(items)))
            asked = asked[self._items.state[asked] != GONE]
            scores, direct = paths.rank(self._asker(user), m, k, asked, self._items, self._similar, *self._table)
            best = np.lexsort((self._items.order[asked], -scores))
            return self._found(asked[best], scores[best], direct[best])

    def reasons(self, user: str, items: Sequence[str], *, m: int, k: int) -> list[FoundPath]:
        """As `cypher.paths.paths`: the paths to given items, in no order. Raises `KeyError` for an unknown user."""
        edits = self.edits
        with self.lock:
            asker, asked = self._asker(user), _there(edits.items(items))
            wanted = np.zeros(len(self._items.state), np.int8)
            wanted[asked] = 1
            most = min(m, len(asker.triggers)) * len(asked)
            found = paths.reasons(asker, m, k, wanted, most, self._items, self._similar)
            return [
                FoundPath(edits.ids[item], edits.ids[trigger], edits.titles[trigger], t, s)
                for item, trigger, t, s in zip(*(column.tolist() for column in found), strict=True)
            ]

    def warm_up(self) -> None:
        """Have everything compiled, so that no answer waits for it."""
        c = self._columns
        nobody = paths.Asker(c.had_item[:0], c.had_weight[:0], np.zeros_like(c.user_direct[0]), False, 1.0)
        paths.recommend(
            nobody, 1, 1, 1, 1, False, (False, 0.0, 0.0), EVERYTHING, NOTHING, self._items, self._similar, *self._table
        )
        paths.rank(nobody, 1, 1, NOTHING, self._items, self._similar, *self._table)
        paths.reasons(nobody, 1, 1, EVERYTHING, 0, self._items, self._similar)

    def _asker(self, user: str) -> paths.Asker:
        """Raises `KeyError`."""
        c, row = self._columns, self.edits.user(user)
        had = slice(c.user_first[row], c.user_first[row] + c.user_count[row])
        known = bool(c.user_known[row])
        return paths.Asker(c.had_item[had], c.had_weight[had], c.user_direct[row], known, self.served.repeat_power)

    def _found(self, items: Array, scores: Array, direct: Array) -> list[FoundItem]:
        ids, titles = self.edits.ids, self.edits.titles
        return [
            FoundItem(ids[item], titles[item], score, own)
            for item, score, own in zip(items.tolist(), scores.tolist(), direct.tolist(), strict=True)
        ]


def _there(numbers: Array) -> Array:
    return numbers[numbers >= 0]
