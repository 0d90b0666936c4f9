"""A part of the graph in the form of a snapshot (`graph.snapshot`), with numpy arrays in the place of tensors."""

from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.driver import Row, Run
from graph.histories import Histories
from graph.statements import statement

Key = str | tuple[str, str, str]
PAIRS = 2


class Excerpt:
    """Some users with all their interactions, some items, and the browse nodes at and above those.

    `excerpt["user"]`, `excerpt["item", "in_category", "browse_node"]` and so on have what a snapshot has there.
    All are numbered in the order of their ids, as there, so events of one moment come in the same order.

    Attributes:
        buyers: [I] distinct users of each item, as far as the graph has counted them.
        served: the intents of each browse node that serves some, the most confident first.
    """

    def __init__(self, items: Sequence[Row], nodes: Sequence[Row], item_profile: Sequence[str] = ()) -> None:
        """From the maps of `item_profiles` and `browse_paths`."""
        items, nodes = (sorted(rows, key=lambda row: str(row["id"])) for rows in (items, nodes))
        self._parts: dict[Key, SimpleNamespace] = {}
        self.item_at = {row["id"]: number for number, row in enumerate(items)}
        self._node_at = {row["id"]: number for number, row in enumerate(nodes)}
        self.buyers = np.array([row["popularity"] for row in items], dtype=np.int64)
        self.served: dict[str, list[str]] = {row["id"]: row["intents"] for row in nodes if row["intents"]}
        self.parents: dict[str, str | None] = {row["id"]: min(row["parents"], default=None) for row in nodes}
        self.nodes_of: dict[str, list[str]] = {row["id"]: row["nodes"] for row in items}
        self._parts["item"] = SimpleNamespace(
            num_nodes=len(items),
            id=list(self.item_at),
            title=[row["title"] for row in items],
            brand=[row["brand"] for row in items],
            price=np.array([np.nan if row["price"] is None else row["price"] for row in items], dtype=np.float32),
            profile=_profile(items, item_profile),
        )
        self._parts["browse_node"] = SimpleNamespace(
            num_nodes=len(nodes), id=list(self._node_at), level=[row["level"] for row in nodes]
        )
        self._add_pairs(("item", "in_category", "browse_node"), self.item_at, ((row, row["nodes"]) for row in items))
        self._add_pairs(
            ("browse_node", "child_of", "browse_node"), self._node_at, ((row, row["parents"]) for row in nodes)
        )

    def __getitem__(self, key: Key) -> SimpleNamespace:
        return self._parts[key]

    def add_users(self, users: Sequence[Row], profile: Sequence[str] = ()) -> None:
        """From rows of `user_history`, in the order of their ids. Edges to items that are not here are left out."""
        self._parts["user"] = SimpleNamespace(
            num_nodes=len(users), id=[row["id"] for row in users], profile=_profile(users, profile)
        )
        histories, places = Histories(), dict[str, int]()
        for number, row in enumerate(users):
            known = [place for place, item in enumerate(row["items"]) if item in self.item_at]
            lists = {name: [row[name][place] for place in known] for name in LISTS}
            histories.add(number, (self.item_at[row["items"][place]] for place in known), lists, places)
        events = vars(histories.sort())
        self._parts["user", "interacted", "item"] = SimpleNamespace(
            edge_index=events.pop("edge_index"), **{f"event_{name}": values for name, values in events.items()}
        )

    def _add_pairs(self, key: Key, start: dict[str, int], rows: Iterable[tuple[Row, Sequence[str]]]) -> None:
        pairs = [(start[row["id"]], self._node_at[end]) for row, ends in rows for end in ends if end in self._node_at]
        edges: NDArray[np.int64] = np.array(sorted(pairs), dtype=np.int64).reshape(-1, PAIRS).T
        self._parts[key] = SimpleNamespace(edge_index=edges)


LISTS = ("counts", "positions", "times", "sessions", "quantities", "values", "places")


def _profile(rows: Sequence[Row], names: Sequence[str]) -> dict[str, list[Any]]:
    return {name: [row["profile"][number] for row in rows] for number, name in enumerate(names)}


def read_excerpt(run: Run, items: Iterable[str], item_profile: Sequence[str] = ()) -> Excerpt:
    """The items that the graph has of these, without users. `run` gives the rows of a statement."""
    asked = {"items": sorted(set(items)), "profile": list(item_profile)}
    found = _maps(run(statement("item_profiles"), asked), "items")
    above = sorted({node for item in found for node in item["nodes"]})
    return Excerpt(found, _maps(run(statement("browse_paths"), {"nodes": above}), "nodes"), item_profile)


def _maps(rows: Sequence[Row], name: str) -> list[Row]:
    return [dict(zip(row["names"], values, strict=True)) for row in rows for values in row[name]]
