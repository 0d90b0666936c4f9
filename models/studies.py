"""What a trained PDN's weights say: the studies of section 6.3 of the paper, of arrays alone.

Table 4 and figure 7 are groups of an evaluation (`models.evaluation.Outcome.by_history`).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from models.interactions import Flags, Ints
from models.metrics import Floats, Lists
from models.profiles import browse_paths
from models.scoring import Scores
from models.serving import edge_weights

if TYPE_CHECKING:
    from torch_geometric.data import HeteroData

GROUPS = 4  # of users by the length of their history
PART = 512  # users whose paths to all items are held at a time
FEWEST = 500  # triggers that a mean stands on


@dataclass(frozen=True)
class Categories:
    """G categories of items: their names, and [N, G] 1 where an item is in one. An item may be in several."""

    names: tuple[str, ...]
    member: sparse.csr_array


def categories(data: "HeteroData", among: Flags, most: int) -> Categories:
    """The `most` largest browse nodes of the level nearest to the root that has two or more with items; largest first.

    A node has the items in it and below it; only items under the mask `among` [N] count and are members.
    """
    nodes, paths = data["browse_node"], browse_paths(data)
    item = np.repeat(np.arange(len(paths)), [len(path) for path in paths])
    node = np.array([one for path in paths for one in path], dtype=np.int64)
    item, node = item[among[item]], node[among[item]]
    member = sparse.csr_array((np.ones(len(item)), (item, node)), shape=(len(paths), len(nodes.id)))
    size, level = member.sum(axis=0), np.array(nodes.level)
    for depth in sorted(set(nodes.level)):
        here = np.flatnonzero((level == depth) & (size > 0))
        if len(here) > 1:
            kept = here[np.argsort(-size[here], kind="stable")][:most]
            return Categories(tuple(nodes.name[one] or nodes.id[one] for one in kept), member[:, kept].tocsr())
    return Categories((), member[:, :0].tocsr())


def category_similarity(similarity: sparse.csr_array, member: sparse.csr_array) -> Floats:
    """Figure 8a: [G, G] mean similarity j → i of a category's items (row) to another's (column), by that of all pairs.

    1 is as similar as any two items of these categories. All pairs of two different items count, where the paper draws
    1,000: its mean is this one, but for chance. A pair that `similarity` [N, N] does not store counts 0. NaN where two
    categories, `member` [N, G], have no such pair.
    """
    inside = (member.sum(axis=1) > 0).astype(np.float64)
    pairs = inside.sum() * (inside.sum() - 1)
    usual = inside @ (similarity @ inside) / pairs if pairs else 0.0
    size = member.sum(axis=0)
    total = (member.T @ similarity @ member).toarray()
    count = np.outer(size, size) - (member.T @ member).toarray()
    return np.divide(total, count * usual, out=np.full(total.shape, np.nan), where=count * usual > 0)


def weights_by_target(scores: Scores, similarity: sparse.csr_array, users: Ints, targets: Lists) -> Floats:
    """Figure 8b: [R] mean TrigNet weight e^t of the paths from each of `users` [R] to the user's `targets`.

    There is a path from a trigger to each item that `similarity` [N, N] stores for it. NaN where none leads to any.
    """
    path = similarity.copy()
    path.data[:] = 1
    event = scores.trigger
    index, shape = (scores.events.user[event], scores.events.item[event]), (scores.events.users, scores.events.items)
    weight = sparse.csr_array((edge_weights(scores.t), index), shape=shape)
    found = np.full(len(users), np.nan)
    for begin in range(0, len(users), PART):
        stop = min(begin + PART, len(users))
        mine, wanted = weight[users[begin:stop]], targets.part(begin, stop)
        total, count = (
            np.bincount(wanted.row, (one @ path).toarray()[wanted.row, wanted.item], minlength=stop - begin)
            for one in (mine, mine.astype(bool).astype(np.float64))
        )
        np.divide(total, count, out=found[begin:stop], where=count > 0)
    return found


def weights_by_group(scores: Scores, group: Ints, groups: int, member: sparse.csr_array) -> Floats:
    """Figure 8c: [K, G] how much more a category's triggers weigh for a group of users than for all users; 1: as much.

    A trigger's weight e^t is taken relative to the mean of its user's own, so that a group with longer histories, whose
    single triggers weigh less, is not lower throughout. NaN where a mean would stand on fewer than 500 triggers.

    Args:
        group: [U] 0 to `groups` - 1 (= K - 1); -1 for users of no group. member: [N, G].
    """
    event, events = scores.trigger, scores.events
    user, item, weight = events.user[event], events.item[event], edge_weights(scores.t)
    count = np.bincount(user, minlength=events.users)
    weight *= count[user] / np.bincount(user, weight, minlength=events.users)[user]
    known = group[user] >= 0
    index, shape = (group[user][known], item[known]), (groups, events.items)
    total, triggers = (
        (sparse.csr_array((values, index), shape=shape) @ member).toarray()
        for values in (weight[known], np.ones(known.sum()))
    )
    usual = total.sum(axis=0) / np.maximum(triggers.sum(axis=0), 1)
    return np.divide(total, triggers * usual, out=np.full(total.shape, np.nan), where=triggers >= FEWEST)


@dataclass(frozen=True)
class Neighbours:
    """Figure 9: the items [n] most similar to one, the strongest first, and how similar."""

    items: Ints
    similarity: Floats


def neighbours(similarity: sparse.csr_array, item: int, n: int) -> Neighbours:
    """The at most `n` others with the greatest `similarity` [N, N] in the item's row; ties by number."""
    begin, stop = similarity.indptr[item], similarity.indptr[item + 1]
    found, values = similarity.indices[begin:stop].astype(np.int64), similarity.data[begin:stop].astype(np.float64)
    order = np.lexsort((found, -values))
    order = order[found[order] != item][:n]
    return Neighbours(found[order], values[order])


def neighbour_buyers(similarity: sparse.csr_array, buyers: Ints, n: int) -> float:
    """Mean buyers, of `buyers` [N], of an item's `n` nearest neighbours, over all items that have any; NaN without."""
    found = [neighbours(similarity, item, n).items for item in range(len(buyers))]
    means = [buyers[items].mean() for items in found if len(items)]
    return float(np.mean(means)) if means else float("nan")


def history_edges(history: Ints, groups: int = GROUPS) -> list[int]:
    """Lengths that cut users into `groups` of about the same number, by the length [R] of their history."""
    cuts = np.quantile(history, np.arange(1, groups) / groups, method="lower") if len(history) else []
    return sorted({int(cut) for cut in cuts})
