"""The files of a projection: one column a file, mapped copy-on-write, with room at the end for what comes later."""

import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from graph.errors import ArtefactError

Array = NDArray[Any]
FORMAT = 2
DESCRIPTION = "projection.json"  # written last: without it a folder is no projection
GONE, UNAVAILABLE, AVAILABLE = 0, 1, 2  # states of an item
UNKNOWN = b"\xff"  # no text in UTF-8 has this byte
KEY = struct.Struct("<qq")

DTYPES = {
    "user_key": "<i8",
    "user_check": "<i8",
    "user_first": "<i8",
    "user_count": "<i4",
    "user_room": "<i4",
    "user_known": "<i1",
    "user_direct": "<f4",
    "had_item": "<i4",
    "had_weight": "<f8",
    "item_order": "<i4",
    "item_first": "<i8",
    "item_count": "<i4",
    "item_room": "<i4",
    "item_state": "<i1",
    "item_price": "<f8",
    "item_known": "<i1",
    "item_direct": "<f4",
    "similar_item": "<i4",
    "similar_weight": "<f8",
    "similar_rank": "<u2",
    "id_first": "<i8",
    "id_text": "<u1",
    "title_first": "<i8",
    "title_text": "<u1",
    "category_first": "<i8",
    "category_node": "<i4",
}
WIDE = ("user_direct", "item_direct")  # [rows, d]
GREATEST_RANK = np.iinfo(np.uint16).max


def key_of(name: str) -> tuple[int, int]:
    """128 bits that stand for a user's id: no file has the id itself."""
    first, second = KEY.unpack(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest())
    return first, second


def removed_key(name: str) -> str:
    """`key_of` as a text: what is left in the graph of a user who was deleted, for a day."""
    return "{}:{}".format(*key_of(name))


@dataclass
class Columns:
    """Arrays by the names of their files. U users and N items are there; rows after them are room.

    Attributes:
        user_key, user_check: [U] the two halves of `key_of` each user; keys ascend.
        user_first, user_count, user_room: [≥ U] where what a user had begins in `had_*`, its length, and how long it
            may get there.
        user_known: [≥ U] 1 where the user has a p_u; user_direct: [≥ U, d].
        had_item, had_weight: numbers of items and e^t, each user's strongest first, then what has no weight (-1).
        item_order: [≥ N] place of each item in the order of the ids, which breaks ties.
        item_first, item_count, item_room, item_known, item_direct: the same for an item's neighbours and q_i.
        item_state: [≥ N] `GONE`, `UNAVAILABLE` or `AVAILABLE`; item_price: [≥ N], nan = unknown.
        similar_item, similar_weight, similar_rank: candidates, e^s and ranks, ascending.
        id_first, id_text, title_first, title_text: [N + 1] offsets into UTF-8 text; `UNKNOWN` where there is none.
        category_first, category_node: [N + 1] offsets, and numbers of browse nodes (`nodes` of the description).
    """

    user_key: Array
    user_check: Array
    user_first: Array
    user_count: Array
    user_room: Array
    user_known: Array
    user_direct: Array
    had_item: Array
    had_weight: Array
    item_order: Array
    item_first: Array
    item_count: Array
    item_room: Array
    item_state: Array
    item_price: Array
    item_known: Array
    item_direct: Array
    similar_item: Array
    similar_weight: Array
    similar_rank: Array
    id_first: Array
    id_text: Array
    title_first: Array
    title_text: Array
    category_first: Array
    category_node: Array

    @classmethod
    def open(cls, folder: Path) -> tuple[Self, dict[str, Any]]:
        """The columns of a folder and its description. Raises `ArtefactError` where it is damaged.

        What is written into the arrays stays in this process.
        """
        try:
            described = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
            if described["format"] != FORMAT:
                raise ValueError(f"format {described['format']}, not {FORMAT}")
            columns = cls(**{name: _map(folder / name, dtype) for name, dtype in described["dtypes"].items()})
            for name in WIDE:
                rows = len(getattr(columns, name.replace("direct", "first")))
                setattr(columns, name, getattr(columns, name).reshape(rows, described["direct"]))
            return columns, described
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArtefactError(f"{folder}: no projection ({error}): delete it; it is built anew") from None

    def bytes(self) -> int:
        return int(sum(getattr(self, one.name).nbytes for one in fields(self)))


def _map(file: Path, dtype: str) -> Array:
    if not file.stat().st_size:
        return np.zeros(0, dtype)
    return np.memmap(file, dtype, mode="c").view(np.ndarray)


def texts(values: Sequence[str | None]) -> tuple[Array, Array]:
    """Offsets [n + 1] and the UTF-8 of all of them, `UNKNOWN` for None."""
    encoded = [UNKNOWN if value is None else value.encode("utf-8") for value in values]
    first = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(one) for one in encoded], out=first[1:])
    return first, np.frombuffer(b"".join(encoded), np.uint8)


def erase_user(folder: Path, row: int) -> None:
    """Leave nothing of a user in the files, for whoever opens them later; a row that is not in them is passed over."""
    described = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    if not 0 <= row < described["users"]:
        return

    def column(name: str) -> Array:
        return np.memmap(folder / name, described["dtypes"][name], mode="r+")

    begin = int(column("user_first")[row])
    end = begin + int(column("user_room")[row])
    if end > begin:
        for name in ("had_item", "had_weight"):
            column(name)[begin:end] = 0
    if wide := described["direct"]:
        column("user_direct")[row * wide : (row + 1) * wide] = 0
    column("user_count")[row] = column("user_known")[row] = 0
    keys = column("user_key")
    keys[row] = keys[row - 1] if row else np.iinfo(np.int64).min  # so that they still ascend
    column("user_check")[row] = 0
