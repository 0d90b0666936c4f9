"""Numbers of nodes, as a snapshot gives them (`graph.snapshot`): places in the sorted ids."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import polars as pl

from graph.driver import Database
from graph.errors import Invalid
from graph.hops import read_ids
from graph.schema import Source
from graph.source import read_source
from models.interactions import Flags, Ints

KINDS = ("user", "item", "browse_node")
READ_ONLY = (
    "PyG's stores only read the graph: write nodes and edges by twohop load and by events, vectors and weights by "
    "graph.generations.write_generation"
)


class Numbering:
    """The ids of users, items and browse nodes when it was read: all that is held of a graph, some 30 bytes a node.

    Nodes that come later have no number and are left out of what is read, until it is read anew.
    """

    def __init__(self, source: Source, ids: dict[str, pl.Series]) -> None:
        self.source, self._ids = source, ids

    @classmethod
    def read(cls, database: Database) -> Self:
        """Raises `StoreEmpty`, `StoreError` where a load is unfinished, and `DatabaseError`."""
        source = read_source(database)
        return cls(source, {kind: read_ids(database, kind, source) for kind in KINDS})

    def count(self, kind: str) -> int:
        return len(self._ids[kind])

    def ids(self, kind: str, numbers: Ints | Sequence[int]) -> list[str]:
        """Ids of these numbers [R]. Raises `Invalid` where one is not there."""
        wanted, count = np.asarray(numbers, dtype=np.int64), self.count(kind)
        if len(wanted) and not 0 <= wanted.min() <= wanted.max() < count:
            raise Invalid(f"{kind} {wanted.max()}: the graph has the numbers 0 to {count - 1}")
        return self._ids[kind].gather(wanted).to_list()

    def numbers(self, kind: str, ids: Sequence[str]) -> tuple[Ints, Flags]:
        """Numbers of these ids [R], and whether each has one."""
        known = self._ids[kind]
        if not len(known) or not ids:
            return np.zeros(len(ids), np.int64), np.zeros(len(ids), bool)
        asked = pl.Series("id", ids, pl.String)
        place = known.search_sorted(asked).to_numpy().astype(np.int64)
        place = np.minimum(place, len(known) - 1)
        return place, (known.gather(place) == asked).to_numpy()
