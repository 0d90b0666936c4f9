"""Engines: the Cypher query as served, the network alone, or any matrix of scores, ranking for an evaluation."""

import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from graph.progress import track
from models.evaluation import Catalogue, Engine, Rankings
from models.interactions import Ints
from models.metrics import Floats, Lists, list_ranks, score_ranks, top_items
from models.protocols import Protocol

if typing.TYPE_CHECKING:
    from models.scoring import Scores

THREADS = 2  # requests under way at once
HELD = 1 << 22  # scores held at a time

Recommend = Callable[[str, int, bool], Sequence[str]]
"""(user, n, repeats) → the n best items."""
Rank = Callable[[str, Sequence[str]], Mapping[str, float]]
"""(user, items) → their scores."""
ScoreRows = Callable[[Ints], npt.NDArray[np.floating]]
"""[B] numbers of users → [B, N] scores of all items; -inf where an item must not be recommended."""


def served_engine(recommend: Recommend, rank: Rank) -> Engine:
    """An engine that gives lists, and scores of given items only: hits are what stands in the list, in its order."""

    def rankings(protocol: Protocol, catalogue: Catalogue, k: int) -> Rankings:
        wanted = catalogue.lists(protocol.truth.values())
        if protocol.among is None:
            top = np.full((wanted.rows, k), -1, dtype=np.int64)
            for row, items in enumerate(_each_user(lambda user: recommend(user, k, protocol.repeats), protocol)):
                listed = [catalogue.number.get(item, -1) for item in items[:k]]
                top[row, : len(listed)] = listed
            return Rankings(wanted, list_ranks(top, wanted), top)
        truth, among = protocol.truth, protocol.among
        ranks = _each_user(lambda user: sampled_ranks(user, truth[user], among.get(user, ()), rank), protocol)
        return Rankings(wanted, np.concatenate([np.zeros(0), *ranks]), None)

    return rankings


T = typing.TypeVar("T")


def _each_user(ask: Callable[[str], T], protocol: Protocol) -> Iterable[T]:
    with ThreadPoolExecutor(THREADS) as pool:
        yield from track(pool.map(ask, protocol.truth), f"evaluate: {protocol.name}", total=len(protocol.truth))


def sampled_ranks(user: str, wanted: Sequence[str], among: Sequence[str], rank: Rank) -> Floats:
    """Ranks of the wanted items among their negatives; a wanted item that is also a negative is ranked once."""
    items = list(dict.fromkeys((*wanted, *among)))
    scores = rank(user, items)
    row = np.array([[scores.get(item, -np.inf) for item in items]], dtype=np.float64)
    return score_ranks(row, Lists.of([range(len(wanted))]))


def matrix_engine(scores: ScoreRows, users: Sequence[str], items: Sequence[str]) -> Engine:
    """An engine that scores all items: what the users had and what is outside of the catalogue is masked here.

    `users` and `items` name the rows and columns of what `scores` gives. Raises `KeyError` for a user or an item of the
    catalogue that they lack.
    """
    user_number = {user: place for place, user in enumerate(users)}
    item_number = {item: place for place, item in enumerate(items)}

    def rankings(protocol: Protocol, catalogue: Catalogue, k: int) -> Rankings:
        rows = np.array([user_number[user] for user in protocol.truth], dtype=np.int64)
        columns = np.array([item_number[item] for item in catalogue.items], dtype=np.int64)
        wanted = catalogue.lists(protocol.truth.values())
        had = catalogue.lists(protocol.had.get(user, ()) for user in protocol.truth)
        among = None
        if protocol.among is not None:
            among = catalogue.lists(protocol.among.get(user, ()) for user in protocol.truth)
        ranks, tops = [np.zeros(0)], [np.zeros((0, k), dtype=np.int64)]
        step = max(1, HELD // max(1, len(items)))
        begins = range(0, len(rows), step)
        for begin in track(begins, f"evaluate: {protocol.name}", total=len(begins)):
            stop = min(begin + step, len(rows))
            block = np.array(scores(rows[begin:stop])[:, columns], dtype=np.float64)
            mine = wanted.part(begin, stop)
            if among is not None:
                _keep_only(block, mine, among.part(begin, stop))
            elif not protocol.repeats:
                seen = had.part(begin, stop)
                block[seen.row, seen.item] = -np.inf
            ranks.append(score_ranks(block, mine))
            if among is None:
                tops.append(top_items(block, k)[0])
        return Rankings(wanted, np.concatenate(ranks), np.concatenate(tops) if among is None else None)

    return rankings


def _keep_only(block: Floats, *lists: Lists) -> None:
    out = np.ones(block.shape, dtype=bool)
    for kept in lists:
        out[kept.row, kept.item] = False
    block[out] = -np.inf


def network_engine(scores: "Scores", users: Sequence[str], items: Sequence[str]) -> Engine:
    """Ranks by the network over all triggers and all candidate pairs, without truncation: what serving cuts from."""
    return matrix_engine(scores.of_users, users, items)
