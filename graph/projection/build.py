"""A projection out of Neo4j: streamed in parts into files, so that memory does not grow with the edges."""

import json
import shutil
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from graph.driver import Database
from graph.progress import Step, step
from graph.projection.columns import DESCRIPTION, DTYPES, FORMAT, Array, key_of, texts
from graph.projection.rows import EdgeRow, ItemRow, read_items, read_similar, read_users
from graph.projection.served import Served
from graph.source import read_source
from graph.statements import statement

ROOM = 0.05  # of what is there, for what comes later
LEAST_ROOM = 1_024  # rows of nodes
EDGES_A_ROW = 100  # that room is kept for
CONVERTED = 1 << 20  # numbers at a time


def build(database: Database, folder: Path, served: Served, now: int) -> None:
    """Write the projection of a generation into `folder`, all of it or nothing.

    `now`: the server's clock (ms) before the first row is read; what changes from then on has to be read again.
    Raises `DatabaseError`, and `StoreError` in the middle of a load.
    """
    source = read_source(database)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    items = sorted(_ids(database, "item"))
    users = sorted(_ids(database, "user"), key=key_of)
    sizes = database.read(statement("projected_size"), {"direct_property": served.direct_property})
    files = _Files(partial, sizes[0]["size"] if sizes else 0)
    with step(f"Projection of generation {served.generation}", 2 * len(items) + len(users)) as shown:
        found, number = _items(files, _shown(read_items(database, served, items), shown))
        similar = read_similar(database, served, found, number, named=False)
        _edges(files, "item", ("similar_item", "similar_weight", "similar_rank"), found, _shown(similar, shown))
        order = np.arange(len(found))
        rows = read_users(database, served, users, number, order, named=False)
        kept = _users(files, _shown(rows, shown))
    tree = [[row["start"], row["end"]] for row in database.stream(statement("snapshot_child_of"), {"tree": source.id})]
    described = {
        "format": FORMAT,
        "served": vars(served),
        "now": now,
        "users": kept,
        "items": len(found),
        "direct": files.direct,
        "dtypes": files.dtypes,
        "nodes": files.nodes,
        "child_of": tree,
    }
    (partial / DESCRIPTION).write_text(json.dumps(described), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    partial.replace(folder)


def _ids(database: Database, kind: str) -> Iterator[str]:
    return (row["id"] for row in database.stream(statement(f"node_ids_{kind}")))


def _shown(rows: Iterable[Any], shown: Step) -> Iterator[Any]:
    for row in rows:
        yield row
        shown.advance()


class _Files:
    """The columns in the making."""

    def __init__(self, folder: Path, direct: int) -> None:
        self.folder, self.direct = folder, direct
        self.dtypes, self.nodes = dict(DTYPES), list[str]()

    def write(self, name: str, values: Any, room: int = 0) -> None:
        """A whole column, and zeros for `room` more rows."""
        column = np.asarray(values, DTYPES[name])
        with (self.folder / name).open("wb") as file:
            column.tofile(file)
            file.truncate(file.tell() + room * column.itemsize)

    def open(self, name: str) -> BinaryIO:
        return (self.folder / name).open("wb")

    def narrow(self, name: str) -> None:
        """In half the bytes where nothing is lost, as with what a network of float32 said."""
        file = self.folder / name
        if not file.stat().st_size:
            return
        wide = np.memmap(file, "<f8", mode="r")
        parts = range(0, len(wide), CONVERTED)
        if any((wide[b : b + CONVERTED] != wide[b : b + CONVERTED].astype("<f4")).any() for b in parts):
            self.dtypes[name] = "<f8"
            return
        with (self.folder / f"{name}.narrow").open("wb") as narrow:
            for begin in parts:
                wide[begin : begin + CONVERTED].astype("<f4").tofile(narrow)
        (self.folder / f"{name}.narrow").replace(file)


class _Vectors:
    """One kind's vectors as they come, and which rows have one."""

    def __init__(self, files: _Files, kind: str) -> None:
        self._files, self._kind, self._known = files, kind, bytearray()
        self._file = files.open(f"{kind}_direct")

    def add(self, vector: list[float] | None) -> None:
        known = vector is not None and len(vector) == self._files.direct > 0
        np.array(vector if known else np.zeros(self._files.direct), np.float64).tofile(self._file)
        self._known.append(known)

    def close(self, room: int) -> None:
        self._file.truncate(self._file.tell() + room * self._files.direct * 8)
        self._file.close()
        self._files.write(f"{self._kind}_known", np.frombuffer(self._known, np.int8), room)
        self._files.narrow(f"{self._kind}_direct")


def _items(files: _Files, rows: Iterable[ItemRow]) -> tuple[list[str], Callable[[Iterable[int]], Array]]:
    """Columns of the items; their ids, and what gives their numbers by Neo4j's."""
    vectors, found, nodes, titles = _Vectors(files, "item"), list[str](), list[int](), list[str | None]()
    prices, states, names, lengths = array("d"), bytearray(), dict[str, int](), array("q", [0])
    categories = array("i")
    for row in rows:
        found.append(row.id)
        nodes.append(row.node)
        titles.append(row.title)
        prices.append(row.price)
        states.append(row.state)
        categories.extend(names.setdefault(name, len(names)) for name in row.categories)
        lengths.append(len(categories))
        vectors.add(row.direct)
    room = _room(len(found))
    vectors.close(room)
    files.write("item_order", np.arange(len(found)), room)
    files.write("item_price", np.frombuffer(prices, np.float64), room)
    files.write("item_state", np.frombuffer(states, np.int8), room)
    files.write("category_first", np.frombuffer(lengths, np.int64))
    files.write("category_node", np.frombuffer(categories, np.int32))
    files.nodes = list(names)
    for name, values in (("id", found), ("title", titles)):
        first, text = texts(values)
        files.write(f"{name}_first", first)
        files.write(f"{name}_text", text)
    number = np.full(max(nodes, default=-1) + 1, -1, np.int32)
    number[nodes] = np.arange(len(nodes))

    def numbers(ends: Iterable[int]) -> Array:
        at = np.array(ends, np.int64)
        return np.where(at < len(number), number[np.minimum(at, len(number) - 1)], -1)

    return found, numbers


def _users(files: _Files, rows: Iterable[EdgeRow]) -> int:
    """Columns of the users, who come in the order of their keys; how many there are."""
    vectors, keys = _Vectors(files, "user"), array("q")

    def told() -> Iterator[EdgeRow]:
        for row in rows:
            keys.extend(key_of(row.id))
            vectors.add(row.direct)
            yield row

    _edges(files, "user", ("had_item", "had_weight"), None, told())
    table = np.frombuffer(keys, np.int64).reshape(-1, 2)
    files.write("user_key", table[:, 0])
    files.write("user_check", table[:, 1])
    vectors.close(_room(len(table)))
    return len(table)


def _edges(files: _Files, kind: str, names: tuple[str, ...], ids: list[str] | None, rows: Iterable[EdgeRow]) -> None:
    """Columns of what leads on from each node: of `ids`, those without a row have none; None: of every row."""
    counts = array("i")
    with ExitStack() as stack:
        opened = {name: stack.enter_context(files.open(name)) for name in names}
        for row in rows:
            while ids is not None and ids[len(counts)] != row.id:
                counts.append(0)
            counts.append(len(row.end))
            for name, values in zip(names, (row.end, row.weight, row.rank), strict=False):
                values.astype(DTYPES[name]).tofile(opened[name])
        if ids is not None:
            counts.extend([0] * (len(ids) - len(counts)))
        room = _room(len(counts)) * EDGES_A_ROW
        for name, file in opened.items():
            file.truncate(file.tell() + room * np.dtype(DTYPES[name]).itemsize)
    count = np.frombuffer(counts, np.int32)
    room = _room(len(count))
    files.write(f"{kind}_first", np.concatenate([[0], np.cumsum(count[:-1], dtype=np.int64)])[: len(count)], room)
    files.write(f"{kind}_count", count, room)
    files.write(f"{kind}_room", count, room)


def _room(rows: int) -> int:
    return max(LEAST_ROOM, int(rows * ROOM))
