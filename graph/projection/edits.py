"""Changes of the graph, carried into the columns of a projection: rows are written over, or put into the room."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from graph.errors import StoreError
from graph.projection.columns import GONE, UNKNOWN, Array, Columns, key_of
from graph.projection.paths import find_user
from graph.projection.rows import EdgeRow, ItemRow

SLACK = 8  # edges more than a row that has to move, so that the next one finds it room


class RoomSpent(StoreError):
    """More came than the files have room for: the projection is to be built anew."""


class Texts(Sequence[Any]):
    """Texts by number: those of the files, and in their place those that came later; None where one is unknown."""

    def __init__(self, first: Array, text: Array) -> None:
        self._first, self._text = first.data, text.data  # of which single numbers are read faster than of arrays
        self._later: dict[int, str | None] = {}

    def __len__(self) -> int:
        """Of the files alone."""
        return len(self._first) - 1

    def __getitem__(self, number: Any) -> Any:
        if number in self._later:
            return self._later[number]
        return self.of([number])[0]

    def __setitem__(self, number: int, text: str | None) -> None:
        self._later[number] = text

    def of(self, numbers: Iterable[int]) -> list[str | None]:
        """Those of several numbers, faster than one by one."""
        first, text, later = self._first, self._text, self._later
        return [
            later[number] if number in later else _decoded(text[first[number] : first[number + 1]].tobytes())
            for number in numbers
        ]


def _decoded(text: bytes) -> str | None:
    return None if text == UNKNOWN else text.decode()


class Edges:
    """What leads on from each row, in columns that share one numbering of edges.

    Args:
        first, count, room: [rows] where a row's edges are, how many, and how many it has place for.
        columns: of the edges, with room at the end.
        rows: that are there.
    """

    def __init__(self, first: Array, count: Array, room: Array, columns: Sequence[Array], rows: int) -> None:
        self._first, self._count, self._room, self._columns = first, count, room, columns
        self._end = int((first[:rows] + room[:rows]).max(initial=0))

    def put(self, row: int, *values: Array) -> None:
        """Raises `RoomSpent`; the row is then as it was."""
        size = len(values[0])
        if size > self._room[row]:
            room = size + SLACK
            if self._end + room > len(self._columns[0]):
                raise RoomSpent("no room is left for edges")
            self._first[row], self._room[row] = self._end, room
            self._end += room
        begin = self._first[row]
        for column, part in zip(self._columns, values, strict=True):
            column[begin : begin + size] = part
        self._count[row] = size

    def wipe(self, row: int) -> None:
        """Leave nothing of a row."""
        begin = self._first[row]
        for column in self._columns:
            column[begin : begin + self._room[row]] = 0
        self._count[row] = 0


class Edits:
    """The changes, and the names and numbers of users and items. Hold the projection's lock.

    Attributes:
        ids, titles: of items, by their numbers.
    """

    def __init__(self, columns: Columns, described: dict[str, Any]) -> None:
        c = self._columns = columns
        self._user_rows, self._item_rows = int(described["users"]), int(described["items"])
        self._new_users, self._gone = dict[tuple[int, int], int](), set[int]()
        self._new_items: dict[str, int] = {}
        self.ids, self.titles = Texts(c.id_first, c.id_text), Texts(c.title_first, c.title_text)
        self._had = Edges(c.user_first, c.user_count, c.user_room, (c.had_item, c.had_weight), self._user_rows)
        similar = (c.similar_item, c.similar_weight, c.similar_rank)
        self._similar = Edges(c.item_first, c.item_count, c.item_room, similar, self._item_rows)
        self._categories = _Categories(columns, described)

    def user(self, name: str) -> int:
        """Row of a user. Raises `KeyError`."""
        row = self._find(key_of(name))
        if row < 0 or row in self._gone:
            raise KeyError(name)
        return row

    def item(self, name: str) -> int:
        """Number of an item, -1 where it was never here."""
        if name in self._new_items:
            return self._new_items[name]
        place = bisect_left(self.ids, name)
        return place if place < len(self.ids) and self.ids[place] == name else -1

    def items(self, names: Iterable[str]) -> Array:
        """The numbers of these, -1 where one was never here."""
        return np.fromiter(map(self.item, names), np.int32)

    def within(self, category: str) -> Array:
        """[N] 1 for the items in or below a browse node. Raises `KeyError` where it is not of the store's own tree."""
        return self._categories.within(category)

    def put_item(self, row: ItemRow) -> None:
        c, number = self._columns, self.item(row.id)
        if number < 0:
            number = self._add_item(row.id)
        c.item_state[number], c.item_price[number] = row.state, row.price
        _put_vector(c.item_direct, c.item_known, number, row.direct)
        self.titles[number] = row.title
        self._categories.put(number, row.categories)

    def put_similar(self, row: EdgeRow) -> None:
        if (number := self.item(row.id)) >= 0:  # one that came a moment ago is read by the next look
            self._similar.put(number, row.end, row.weight, row.rank)

    def put_user(self, row: EdgeRow) -> None:
        key, c = key_of(row.id), self._columns
        place = self._find(key)
        if place < 0:
            if self._user_rows == len(c.user_first):
                raise RoomSpent("no room is left for users")
            place = self._new_users[key] = self._user_rows
            self._user_rows += 1
        self._had.put(place, row.end, row.weight)
        _put_vector(c.user_direct, c.user_known, place, row.direct)
        self._gone.discard(place)

    def drop_user(self, key: tuple[int, int]) -> int:
        """Nothing is left of what the user had, in this process. Gives the row, -1 where there was none."""
        place = self._find(key)
        if place >= 0:
            self._had.wipe(place)
            self._columns.user_direct[place] = 0
            self._gone.add(place)
        return place

    def drop_item(self, name: str) -> None:
        number = self.item(name)
        if number >= 0:
            self._columns.item_state[number] = GONE
            self._columns.item_count[number] = 0

    def _find(self, key: tuple[int, int]) -> int:
        """-1 for a user who was never here."""
        if key in self._new_users:
            return self._new_users[key]
        return int(find_user(self._columns.user_key, self._columns.user_check, *key))

    def _add_item(self, name: str) -> int:
        """Numbers of new items come after all others; their `item_order` is what the order of the ids says."""
        c = self._columns
        if self._item_rows == len(c.item_state):
            raise RoomSpent("no room is left for items")
        number = self._new_items[name] = self._item_rows
        self._item_rows += 1
        self.ids[number] = name
        new, there = sorted(self._new_items), np.arange(len(self.ids))
        before = np.array([bisect_left(self.ids, one) for one in new])
        c.item_order[: len(there)] = there + np.searchsorted(before, there, "right")
        for place, one in enumerate(new):
            c.item_order[self._new_items[one]] = before[place] + place
        return number


class _Categories:
    """Which items are in or below a browse node of the store's own tree."""

    def __init__(self, columns: Columns, described: dict[str, Any]) -> None:
        self._first, self._node = columns.category_first, columns.category_node
        self._size = len(columns.item_state)
        self._number = {name: number for number, name in enumerate(described["nodes"])}
        self._below: dict[str, list[str]] = {}
        for child, parent in described["child_of"]:
            self._below.setdefault(parent, []).append(child)
        self._known = {*self._number, *chain.from_iterable(described["child_of"])}
        self._later: dict[int, list[str]] = {}
        self._masks: dict[str, Array] = {}

    def put(self, item: int, categories: list[str]) -> None:
        before = self._later.get(item)
        if before is None and item < len(self._first) - 1:
            names = list(self._number)
            before = [names[node] for node in self._node[self._first[item] : self._first[item + 1]]]
        if before is None or sorted(before) != sorted(categories):
            self._later[item] = categories
            self._masks.clear()

    def within(self, category: str) -> Array:
        if category not in self._known:
            raise KeyError(category)
        if category not in self._masks:
            self._masks[category] = self._mask(category)
        return self._masks[category]

    def _mask(self, category: str) -> Array:
        below, waiting = set[str](), [category]
        while waiting:
            node = waiting.pop()
            if node not in below:
                below.add(node)
                waiting += self._below.get(node, ())
        chosen = np.zeros(len(self._number) + 1, np.int64)
        chosen[[self._number[node] for node in below if node in self._number]] = 1
        total = np.concatenate([[0], np.cumsum(chosen[self._node])])
        mask = np.zeros(self._size, np.int8)
        mask[: len(self._first) - 1] = total[self._first[1:]] > total[self._first[:-1]]
        for item, categories in self._later.items():
            mask[item] = not below.isdisjoint(categories)
        return mask


def _put_vector(vectors: Array, known: Array, row: int, vector: list[float] | None) -> None:
    known[row] = vector is not None and len(vector) == vectors.shape[1] > 0
    vectors[row] = vector if known[row] else 0
