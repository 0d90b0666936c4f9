"""A part of the graph in the form of a snapshot (`graph.snapshot`), with numpy arrays in the place of tensors."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from threading import Lock
from types import SimpleNamespace
from typing import Any

import numpy as np
from cachetools import TTLCache
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


class Profiles:
    """What excerpts are made of: items and browse nodes, each kept for a while after it was read. Safe for threads.

    Args:
        most: items that are kept, and browse nodes; about 1 KB each.
        seconds: what another process changed is read anew after this time at most.
    """

    def __init__(self, most: int = 50_000, seconds: float = 600.0) -> None:
        self._items, self._nodes = _Kept(most, seconds), _Kept(most, seconds)

    def read(self, run: Run, items: Iterable[str], item_profile: Sequence[str] = (), links: Hashable = None) -> Excerpt:
        """The items that the graph has of these, without users.

        Args:
            run: gives the rows of a statement.
            links: what the links to intents were made from; where that is new, they are read anew. None: `served` does
                not matter.
        """

        def profiles(ids: list[str]) -> list[Row]:
            asked = {"items": ids, "profile": list(item_profile)}
            return _maps(run(statement("item_profiles"), asked), "items")

        def paths(ids: list[str]) -> list[Row]:
            return _maps(run(statement("browse_paths"), {"nodes": ids}), "nodes")

        found = self._items.get(items, (*item_profile,), profiles)
        nodes: dict[str, Row] = {}
        wanted = {node for item in found.values() for node in item["nodes"]}
        while wanted:  # what is read comes with all that is above it
            nodes |= self._nodes.get(wanted, links, paths)
            wanted = {above for node in nodes.values() for above in node["parents"]} - nodes.keys()
        return Excerpt(list(found.values()), list(nodes.values()), item_profile)

    def forget_item(self, item: str) -> None:
        self._items.forget(item)

    def forget_nodes(self) -> None:
        """All browse nodes, and the items, which name theirs."""
        self._nodes.forget()
        self._items.forget()


class _Kept:
    """Rows by id, all read with the same `asked`; None asks for any."""

    def __init__(self, most: int, seconds: float) -> None:
        self._rows: TTLCache[str, Row] = TTLCache(most, seconds)
        self._asked: Hashable = None
        self._changes = 0
        self._lock = Lock()

    def get(self, ids: Iterable[str], asked: Hashable, read: Callable[[list[str]], list[Row]]) -> dict[str, Row]:
        """The rows of these ids that exist, and whatever else `read` gave for those that are not kept."""
        ids = set(ids)
        with self._lock:
            if asked not in (None, self._asked):
                self._rows.clear()
                self._asked, self._changes = asked, self._changes + 1
            found = {one: row for one in ids if (row := self._rows.get(one)) is not None}
            changes = self._changes
        if left := sorted(ids - found.keys()):
            new = {row["id"]: row for row in read(left)}
            with self._lock:
                if changes == self._changes:  # else it may have been read before a change that is forgotten by now
                    self._rows.update(new)
            found |= new
        return found

    def forget(self, one: str | None = None) -> None:
        with self._lock:
            self._changes += 1
            if one is None:
                self._rows.clear()
            else:
                self._rows.pop(one, None)


def _maps(rows: Sequence[Row], name: str) -> list[Row]:
    return [dict(zip(row["names"], values, strict=True)) for row in rows for values in row[name]]
