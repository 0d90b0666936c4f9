"""Rows of the graph as the numbers that a projection holds, to build it and to follow what changes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.batches import cut
from graph.driver import Database, Row
from graph.projection.columns import AVAILABLE, GREATEST_RANK, UNAVAILABLE
from graph.projection.served import Served
from graph.statements import statement

Array = NDArray[Any]
PART = 1_000  # users or items of one statement


@dataclass(frozen=True)
class ItemRow:
    """An item but for its edges. `node`: Neo4j's number of it; `direct`: q_i, None where it has none."""

    id: str
    node: int
    title: str | None
    price: float
    state: int
    direct: list[float] | None
    categories: list[str]


@dataclass(frozen=True)
class EdgeRow:
    """What leads on from a user or a trigger: numbers `end` [e], `weight` [e], and `rank` [e], 0 of a user's.

    `direct`: p_u of a user, None where there is none.
    """

    id: str
    end: Array
    weight: Array
    rank: Array
    direct: list[float] | None = None


Number = Callable[[Iterable[Any]], Array]
"""What edges call items by (ids, or Neo4j's numbers) → their numbers, -1 where one is unknown."""


def read_items(database: Database, served: Served, ids: Sequence[str]) -> Iterator[ItemRow]:
    """In the order of `ids`; those that are not there are left out."""
    for row in _rows(database, "projected_items", "items", ids, direct_property=served.direct_property):
        state = AVAILABLE if row.pop("available") else UNAVAILABLE
        price = np.nan if row["price"] is None else float(row["price"])
        yield ItemRow(**row | {"state": state, "price": price})


def read_similar(
    database: Database, served: Served, ids: Sequence[str], number: Number, *, named: bool
) -> Iterator[EdgeRow]:
    """The neighbours of items by rank. `named`: `number` takes ids, else Neo4j's numbers."""
    for row in _rows(database, "projected_similar", "items", ids, generation=served.generation, named=named):
        end, weight = number(row["ends"]), np.array(row["weights"], np.float64)
        rank = np.minimum(np.array(row["ranks"], np.int64), GREATEST_RANK)
        known = end >= 0
        yield EdgeRow(row["id"], end[known], weight[known], rank[known])


def read_users(
    database: Database, served: Served, ids: Sequence[str], number: Number, order: Array, *, named: bool
) -> Iterator[EdgeRow]:
    """What users had, the strongest first, then by the `order` of the items; what has no weight (-1) last."""
    properties = {"weight_property": served.weight_property, "direct_property": served.direct_property}
    for row in _rows(database, "projected_users", "users", ids, named=named, **properties):
        end, weight = number(row["ends"]), np.array(row["weights"], np.float64)
        end, weight = end[end >= 0], weight[end >= 0]
        best = np.lexsort((order[end], -weight))
        yield EdgeRow(row["id"], end[best], weight[best], np.zeros(len(end), np.int64), row["direct"])


def _rows(database: Database, name: str, kind: str, ids: Sequence[str], **given: Any) -> Iterator[Row]:
    for part in cut(ids, PART):
        found = {row["id"]: row for row in database.read(statement(name), {kind: list(part), **given})}
        yield from (found[one] for one in part if one in found)
