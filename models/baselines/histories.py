"""Histories as the baselines read them: a matrix of users and items, recency weights, and padded sequences."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

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


@dataclass(frozen=True)
class Batch:
    """Examples of the neural models: what comes next after each position.

    Attributes:
        users: [B]; history: [B, L] items, padded on the left with N.
        target: [B, L] the item after each position, N where there is none. Models that read no history have L = 1
            and a history without columns.
    """

    users: Ints
    history: Ints
    target: Ints


def last_items(events: Interactions, users: Ints, length: int) -> Ints:
    """[B, L] the latest items of users [B] in their order, padded on the left with N."""
    stop = events.start[users + 1]
    return _padded(events, np.maximum(events.start[users], stop - length), stop, length)


def _padded(events: Interactions, start: Ints, stop: Ints, length: int) -> Ints:
    """[R, length] the items of the events start..stop of each row, at the right end of it."""
    row, event = spans(start, stop)
    items = np.full((len(start), length), events.items, dtype=np.int64)
    items[row, length - (stop[row] - event)] = events.item[event]
    return items


def windows(events: Interactions, length: int, size: int, rng: np.random.Generator) -> Iterator[Batch]:
    """Every event but a user's first as a target once, in batches of `size` windows of at most `length` targets.

    Longer histories are cut at places that are drawn anew each time, so that a model sees many lengths of context.
    """
    start, stop = events.start[:-1], events.start[1:]
    targets = np.maximum(stop - start - 1, 0)
    shift = np.where(targets > length, rng.integers(0, length, events.users), 0)
    user, number = spans(np.zeros_like(targets), -(-(targets + shift) // length) * (targets > 0))
    end = stop[user] + shift[user] - number * length
    begin = np.maximum(end - length - 1, start[user])
    end = np.minimum(end, stop[user])
    for rows in _parts(rng.permutation(len(user)), size):
        items = _padded(events, begin[rows], end[rows], length + 1)
        history, target = items[:, :-1], items[:, 1:].copy()
        target[history == events.items] = events.items  # the item that opens a window is no target
        yield Batch(user[rows], history, target)


def pairs(events: Interactions, size: int, rng: np.random.Generator) -> Iterator[Batch]:
    """Every user and item of `events` once, in batches of `size` pairs."""
    first = np.flatnonzero(events.first)
    for rows in _parts(rng.permutation(first), size):
        yield Batch(events.user[rows], np.zeros((len(rows), 0), dtype=np.int64), events.item[rows, None])


def _parts(order: Ints, size: int) -> Iterator[Ints]:
    for begin, end in pairwise([*range(0, len(order), size), len(order)]):
        yield order[begin:end]
