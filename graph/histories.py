"""What users did, from lists on edges to events in order: the one place that says which event comes first."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.errors import StoreError

Array = NDArray[Any]
UNKNOWN_CODE = -1


@dataclass(frozen=True)
class Events:
    """E edges sorted by user and item, and their V events sorted by user and order, then by item.

    Attributes:
        edge_index: [2, E] numbers of user and item.
        edge: [V] row of each event's edge.
        position, time, session, place: [V] as the edges know them, -1 = unknown; sessions are 0, 1, … in the user's
            order.
        quantity, value: [V] float, nan = unknown.
    """

    edge_index: Array
    edge: Array
    position: Array
    time: Array
    session: Array
    place: Array
    quantity: Array
    value: Array


class Histories:
    """Edges and events as they come, in compact arrays: 8 or 4 bytes a value. Each user comes once."""

    def __init__(self) -> None:
        self.user, self.item, self.count = array("q"), array("q"), array("q")
        self.position, self.time, self.session, self.place = array("q"), array("q"), array("q"), array("q")
        self.quantity, self.value = array("f"), array("f")

    def add(self, user: int, items: Iterable[int], row: dict[str, Any], places: dict[str, int]) -> None:
        """A user's edges as aligned lists: `items`, and from `row` counts, positions, times, sessions, quantities,
        values and places. `places` numbers the places by name and grows."""
        counts = row["counts"]
        self.item.extend(items)
        self.user.extend([user] * len(counts))
        self.count.extend(counts)
        self.position.extend(_spread(row["positions"], counts, UNKNOWN_CODE))
        self.time.extend(_spread(row["times"], counts, UNKNOWN_CODE))
        self.quantity.extend(_spread(row["quantities"], counts, float("nan")))
        self.value.extend(_spread(row["values"], counts, float("nan")))
        sessions: dict[str, int] = {}
        self.session.extend(_codes(_spread(row["sessions"], counts, ""), sessions))
        self.place.extend(_codes(_spread(row["places"], counts, ""), places))

    def sort(self) -> Events:
        """Raises `StoreError` where the lists of an edge are longer or shorter than its count."""
        user, item = (np.frombuffer(ids, np.int64) for ids in (self.user, self.item))
        count = np.frombuffer(self.count, np.int64)
        edges = np.lexsort((item, user))
        row_of = np.empty(len(edges), np.int64)
        row_of[edges] = np.arange(len(edges))
        edge = np.repeat(row_of, count)
        position, time = (np.frombuffer(values, np.int64) for values in (self.position, self.time))
        if len(edge) != len(position):
            raise StoreError("an edge from a user to an item has lists that are longer or shorter than its count")
        moment = np.where(position >= 0, position, time)
        place_in_edge = np.arange(len(edge))  # events of one edge keep the order that they have there
        events = np.lexsort((place_in_edge, np.repeat(item, count), moment, np.repeat(user, count)))
        return Events(
            edge_index=np.stack((user[edges], item[edges])),
            edge=edge[events],
            position=position[events],
            time=time[events],
            session=_renumber(np.repeat(user, count)[events], np.frombuffer(self.session, np.int64)[events]),
            place=np.frombuffer(self.place, np.int64)[events],
            quantity=np.frombuffer(self.quantity, np.float32)[events],
            value=np.frombuffer(self.value, np.float32)[events],
        )


def _spread(lists: list[list[Any]], counts: list[int], unknown: Any) -> Iterable[Any]:
    """The events of one user in a row; an edge with an empty list knows nothing of this column."""
    return chain.from_iterable(values or [unknown] * count for values, count in zip(lists, counts, strict=True))


def _codes(names: Iterable[str], codes: dict[str, int]) -> Iterable[int]:
    return (codes.setdefault(name, len(codes)) if name else UNKNOWN_CODE for name in names)


def _renumber(user: Array, code: Array) -> Array:
    """Session codes of each user in the order in which the sessions begin, so they depend on the content alone."""
    known = np.flatnonzero(code != UNKNOWN_CODE)
    result = np.full(len(code), UNKNOWN_CODE, np.int64)
    if not len(known):
        return result
    keys = user[known] * (int(code.max()) + 1) + code[known]
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)  # sessions by their first event: users come one after the other
    rank = np.empty(len(first), np.int64)
    rank[order] = np.arange(len(first))
    users = user[known][first[order]]
    begin = np.searchsorted(users, users)  # rank of the user's first session
    result[known] = (rank - begin[rank])[which]
    return result
