"""Ranking metrics, by PyG's implementations."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch_geometric.metrics import (
    LinkPredHitRatio,
    LinkPredMetricCollection,
    LinkPredMRR,
    LinkPredNDCG,
    LinkPredRecall,
)

Ranking = Sequence[int] | npt.NDArray[np.int64]


def ranking_metrics(ranked: Mapping[int, Ranking], truth: Mapping[int, Ranking], k: int = 10) -> dict[str, float]:
    """HR@k, NDCG@k, recall@k and MRR@k averaged over the users of `truth`.

    A user with fewer than k ranked items loses nothing but the chance to hit; a user without any counts as a miss.
    NDCG's ideal has min(k, relevant items) hits on top.
    """
    if not truth:
        return {}
    users = list(truth)
    # A short list is filled up by an item that nobody wants: PyG would take -1 for the row before.
    nothing = 1 + max((int(np.max(items, initial=0)) for items in (*truth.values(), *ranked.values())), default=0)
    predicted = np.full((len(users), k), nothing, dtype=np.int64)
    for row, user in enumerate(users):
        top = np.asarray(ranked.get(user, []), dtype=np.int64)[:k]
        predicted[row, : len(top)] = top
    relevant = [(row, item) for row, user in enumerate(users) for item in truth[user]]
    collection = LinkPredMetricCollection(
        {
            f"hr@{k}": LinkPredHitRatio(k),
            f"ndcg@{k}": LinkPredNDCG(k),
            f"recall@{k}": LinkPredRecall(k),
            f"mrr@{k}": LinkPredMRR(k),
        }
    )
    collection.update(torch.from_numpy(predicted), torch.tensor(relevant, dtype=torch.long).t())
    return {name: round(float(value), 5) for name, value in collection.compute().items()}
