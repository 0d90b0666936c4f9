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
        self._tables = paths.Tables.of(columns)

    @property
    def order(self) -> Array:
        """[≥ N] place of each item in the order of the ids."""
        return self._tables.item_order

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
                edits.user(user), self.served.repeat_power, m, k, max(shortlist, n), n, repeats, limits,
                EVERYTHING if category is None else edits.within(category),
                _there(edits.items(exclude)) if exclude else NOTHING, *self._tables,
            )  # fmt: skip
            return self._found(*found)

    def rank(self, user: str, items: Sequence[str], *, m: int, k: int) -> list[FoundItem]:
        """As `cypher.rank.rank`: given items that are here, best first. Raises `KeyError` for an unknown user."""
        tables = self._tables
        with self.lock:
            asked = np.unique(_there(self.edits.items(items)))
            asked = asked[tables.item_state[asked] != GONE]
            scores, direct = paths.rank(self.edits.user(user), self.served.repeat_power, m, k, asked, *tables)
            best = np.lexsort((tables.item_order[asked], -scores))
            return self._found(asked[best], scores[best], direct[best])

    def reasons(self, user: str, items: Sequence[str], *, m: int, k: int) -> list[FoundPath]:
        """As `cypher.paths.paths`: the paths to given items, in no order. Raises `KeyError` for an unknown user."""
        edits, tables = self.edits, self._tables
        with self.lock:
            row, asked = edits.user(user), _there(edits.items(items))
            wanted = np.zeros(len(tables.item_state), np.int8)
            wanted[asked] = 1
            most = min(m, int(tables.user_count[row])) * len(asked)
            found = paths.reasons(row, self.served.repeat_power, m, k, wanted, most, *tables)
            ends, starts, first, second = (column.tolist() for column in found)
            names = edits.ids.of(ends), edits.ids.of(starts), edits.titles.of(starts)
            return list(map(FoundPath._make, zip(*names, first, second, strict=True)))

    def warm_up(self) -> None:
        """Have everything compiled, so that no answer waits for it."""
        tables = self._tables
        paths.recommend(-1, 1.0, 1, 1, 1, 1, False, (False, 0.0, 0.0), EVERYTHING, NOTHING, *tables)
        paths.rank(-1, 1.0, 1, 1, NOTHING, *tables)
        paths.reasons(-1, 1.0, 1, 1, EVERYTHING, 0, *tables)

    def _found(self, items: Array, scores: Array, direct: Array) -> list[FoundItem]:
        numbers = items.tolist()
        names = self.edits.ids.of(numbers), self.edits.titles.of(numbers)
        return list(map(FoundItem._make, zip(*names, scores.tolist(), direct.tolist(), strict=True)))


def _there(numbers: Array) -> Array:
    return numbers[numbers >= 0]
