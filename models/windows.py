"""Padded histories, and the windows of them that models of sequences are trained on."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models.interactions import Interactions, Ints, spans


@dataclass(frozen=True)
class Batch:
    """Examples of the models that read histories: what comes next after each position.

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
    return padded(events, np.maximum(events.start[users], stop - length), stop, length)


def padded(events: Interactions, start: Ints, stop: Ints, length: int) -> Ints:
    """[R, length] the items of the events start..stop of each row, at the right end of it."""
    row, event = spans(start, stop)
    items = np.full((len(start), length), events.items, dtype=np.int64)
    items[row, length - (stop[row] - event)] = events.item[event]
    return items


def grouped(row: Ints, rows: int) -> Ints:
    """[rows, L] the elements that each row has, from `row` [T] of each; padded with T, and L is 1 at least."""
    order, count = np.argsort(row, kind="stable"), np.bincount(row, minlength=rows)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    groups = np.full((rows, max(1, count.max(initial=0))), len(row), dtype=np.int64)
    groups[row[order], place] = order
    return groups


def windows(events: Interactions, length: int, size: int, rng: np.random.Generator) -> Iterator[Batch]:
    """Every event but a user's first as a target once, in batches of `size` windows of at most `length` targets.

    Longer histories are cut at places that are drawn anew each time, so that a model sees many lengths of context.
    """
    user, begin, end = _cuts(events, length, rng)
    for rows in _parts(rng.permutation(len(user)), size):
        items = padded(events, begin[rows], end[rows], length + 1)
        history, target = items[:, :-1], items[:, 1:].copy()
        target[history == events.items] = events.items  # the item that opens a window is no target
        yield Batch(user[rows], history, target)


def count_windows(events: Interactions, length: int, size: int, rng: np.random.Generator) -> int:
    """Batches that `windows` gives with the same generator."""
    return -(-len(_cuts(events, length, rng)[0]) // size)


def _cuts(events: Interactions, length: int, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """User, first event and end of each window, the item that opens it included."""
    start, stop = events.start[:-1], events.start[1:]
    targets = np.maximum(stop - start - 1, 0)
    shift = np.where(targets > length, rng.integers(0, length, events.users), 0)
    user, number = spans(np.zeros_like(targets), -(-(targets + shift) // length) * (targets > 0))
    end = stop[user] + shift[user] - number * length
    begin = np.maximum(end - length - 1, start[user])
    return user, begin, np.minimum(end, stop[user])


def pairs(events: Interactions, size: int, rng: np.random.Generator) -> Iterator[Batch]:
    """Every user and item of `events` once, in batches of `size` pairs."""
    first = np.flatnonzero(events.first)
    for rows in _parts(rng.permutation(first), size):
        yield Batch(events.user[rows], np.zeros((len(rows), 0), dtype=np.int64), events.item[rows, None])


def _parts(order: Ints, size: int) -> Iterator[Ints]:
    for begin, end in pairwise([*range(0, len(order), size), len(order)]):
        yield order[begin:end]
