"""Histories as the baselines read them: a matrix of users and items, and recency weights."""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from models.interactions import Floats, Interactions, Ints, spans

CELLS = 16_000_000  # cells of the co-occurrence matrix held at a time: bounds the memory


def user_item(events: Interactions) -> sparse.csr_array:
    """[U, N] 1 where a user had an item."""
    # scikit-learn and implicit want 32-bit indices.
    user, item = (column[events.first].astype(np.int32) for column in (events.user, events.item))
    return sparse.csr_array((np.ones(len(user), np.float32), (user, item)), shape=(events.users, events.items))


def recency(events: Interactions, half: float) -> sparse.csr_array:
    """[U, N] 0.5^(steps back / half) of each user's latest event with an item; steps are moments before the last."""
    last = np.zeros(events.users, dtype=np.int64)
    np.maximum.at(last, events.user, events.moment)
    at = events.triggers
    user, back = events.user[at], last[events.user[at]] - events.moment[at]
    weight = (0.5 ** (back / half)).astype(np.float32)
    return sparse.csr_array((weight, (user, events.item[at])), shape=(events.users, events.items))


def had(events: Interactions, users: Ints) -> tuple[Ints, Ints]:
    """Row of `users` and item of all that these users had."""
    row, event = spans(events.start[users], events.start[users + 1])
    return row, events.item[event]


def together(matrix: sparse.csr_array) -> Iterator[tuple[int, Floats]]:
    """Blocks of rows [b, N] of the co-occurrence matrix XᵀX, with the number of each block's first row."""
    by_item, size = matrix.T.tocsr(), max(1, CELLS // max(1, matrix.shape[1]))
    for begin in range(0, matrix.shape[1], size):
        yield begin, (by_item[begin : begin + size] @ matrix).toarray()


def strongest(rows: Floats, begin: int, count: int) -> sparse.csr_array:
    """[b, N] the `count` largest positive values of each row, without the diagonal (row 0 is item `begin`)."""
    rows = rows.copy()
    place = np.arange(len(rows))
    rows[place, place + begin] = 0
    count = min(count, rows.shape[1])
    column = np.argpartition(-rows, count - 1, axis=1)[:, :count]
    value = np.take_along_axis(rows, column, axis=1)
    row = np.repeat(place, count).reshape(value.shape)
    keep = value > 0
    return sparse.csr_array((value[keep], (row[keep], column[keep])), shape=rows.shape, dtype=np.float32)
