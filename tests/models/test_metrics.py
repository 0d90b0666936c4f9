"""The metrics against plain loops written from their definitions, and against PyG's."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.metrics import LinkPredHitRatio, LinkPredMRR, LinkPredNDCG, LinkPredRecall

from models.metrics import (
    Lists,
    accuracy,
    category_diversity,
    coverage,
    list_ranks,
    popularity_bias,
    score_ranks,
    top_items,
)

ITEMS = 12
K = 4
items = st.integers(0, ITEMS - 1)
# Few different scores: many ties. -inf is an item that must not be recommended.
score_rows = st.lists(st.sampled_from([-math.inf, 0.0, 0.5, 1.0, 2.0]), min_size=ITEMS, max_size=ITEMS)
users = st.lists(st.tuples(score_rows, st.lists(items, max_size=6)), min_size=1, max_size=6)
tops = st.lists(st.lists(items, max_size=K, unique=True), min_size=1, max_size=6)


def filled(lists: list[list[int]]) -> np.ndarray:
    return np.array([(row + [-1] * K)[:K] for row in lists])


def naive_rank(scores: list[float], wanted: list[int], item: int) -> float:
    """One place behind each unwanted item of the same or a higher score, and each wanted one that stands before."""
    if scores[item] == -math.inf:
        return math.inf
    rank = 1.0
    for other, score in enumerate(scores):
        if other not in wanted:
            rank += score >= scores[item]
        elif other != item:
            rank += score > scores[item] or (score == scores[item] and wanted.index(other) < wanted.index(item))
    return rank


def naive_accuracy(ranks: list[float], k: int) -> dict[str, float]:
    if not ranks:
        return dict.fromkeys((f"hr@{k}", f"ndcg@{k}", f"recall@{k}", f"mrr@{k}"), math.nan)
    hits = [rank for rank in ranks if rank <= k]
    gain = ideal = 0.0
    for rank in hits:
        gain += 1 / math.log2(1 + rank)
    for place in range(1, min(k, len(ranks)) + 1):
        ideal += 1 / math.log2(1 + place)
    return {
        f"hr@{k}": float(bool(hits)),
        f"ndcg@{k}": gain / ideal,
        f"recall@{k}": len(hits) / len(ranks),
        f"mrr@{k}": 1 / min(hits) if hits else 0.0,
    }


def assert_same(found: dict[str, np.ndarray], expected: list[dict[str, float]]) -> None:
    for name, values in found.items():
        assert values == pytest.approx([one[name] for one in expected], nan_ok=True), name


@given(users)
def test_ranks_by_scores_against_loops(given_users: list[tuple[list[float], list[int]]]) -> None:
    """Also users that want nothing, and items that are wanted twice."""
    truth = [list(dict.fromkeys(wanted)) for _, wanted in given_users]
    pairs = zip(given_users, truth, strict=True)
    ranks = [[naive_rank(scores, wanted, item) for item in wanted] for (scores, _), wanted in pairs]
    lists = Lists.of([wanted for _, wanted in given_users])
    found = score_ranks(np.array([scores for scores, _ in given_users]), lists)
    assert found.tolist() == [rank for row in ranks for rank in row]
    assert_same(accuracy(found, lists, K), [naive_accuracy(row, K) for row in ranks])


@given(st.lists(st.tuples(st.lists(items, max_size=K), st.lists(items, max_size=6)), min_size=1, max_size=6))
def test_ranks_in_lists_against_loops(given_users: list[tuple[list[int], list[int]]]) -> None:
    """Also short lists, and lists with an item twice: its first place counts."""
    lists = Lists.of([wanted for _, wanted in given_users])
    found = list_ranks(filled([top for top, _ in given_users]), lists)
    ranks = [
        [float(top.index(item) + 1) if item in top else math.inf for item in dict.fromkeys(wanted)]
        for top, wanted in given_users
    ]
    assert found.tolist() == [rank for row in ranks for rank in row]
    assert_same(accuracy(found, lists, K), [naive_accuracy(row, K) for row in ranks])


@given(st.lists(st.tuples(st.permutations(range(ITEMS)), st.sets(items, min_size=1)), min_size=1, max_size=6))
def test_as_pyg_has_it(given_users: list[tuple[list[int], set[int]]]) -> None:
    top = np.array([order[:K] for order, _ in given_users])
    lists = Lists.of([wanted for _, wanted in given_users])
    found = accuracy(list_ranks(top, lists), lists, K)
    wanted = torch.from_numpy(np.stack([lists.row, lists.item]))
    theirs = {"hr": LinkPredHitRatio(K), "ndcg": LinkPredNDCG(K), "recall": LinkPredRecall(K), "mrr": LinkPredMRR(K)}
    for name, metric in theirs.items():
        metric.update(torch.from_numpy(top), wanted)
        assert found[f"{name}@{K}"].mean() == pytest.approx(float(metric.compute()), abs=1e-5), name


@given(st.lists(score_rows, min_size=1, max_size=5), st.integers(1, ITEMS + 3))
def test_top_items_against_sorting(rows: list[list[float]], k: int) -> None:
    for scores, top in zip(rows, top_items(np.array(rows), k)[0], strict=True):
        kept = [item for item in top.tolist() if item >= 0]
        best = sorted((score for score in scores if score > -math.inf), reverse=True)[:k]
        assert [scores[item] for item in kept] == best
        assert len(set(kept)) == len(kept)
        assert top[len(kept) :].tolist() == [-1] * (k - len(kept))


def test_ties_go_to_the_lower_item() -> None:
    items, scores = top_items(np.array([[1, 2, 2, 0, 2], [0, 0, 0, 0, 0], [3, 3, 1, 3, 9]], dtype=np.float32), 3)
    assert items.tolist() == [[1, 2, 4], [0, 1, 2], [4, 0, 1]]
    assert scores.tolist() == [[2, 2, 2], [0, 0, 0], [9, 3, 3]]


def test_top_items_against_a_stable_sort() -> None:
    scores = np.random.default_rng(0).integers(0, 6, (50, 23)).astype(np.float32)
    scores[scores == 0] = -np.inf
    for k in (0, 1, 5, 23, 30):
        items, values = top_items(scores, k)
        for row, found, value in zip(scores, items, values, strict=True):
            best = [one for one in np.argsort(-row, kind="stable").tolist() if row[one] > -np.inf][:k]
            assert found.tolist() == best + [-1] * (k - len(best))
            assert value[: len(best)].tolist() == row[best].tolist()


def test_a_constant_scorer_hits_nothing() -> None:
    lists = Lists.of([[3], [0, 5], [11]])
    found = accuracy(score_ranks(np.ones((3, ITEMS)), lists), lists, K)
    assert {name: values.tolist() for name, values in found.items()} == {
        f"{name}@{K}": [0.0] * 3 for name in ("hr", "ndcg", "recall", "mrr")
    }


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        score_ranks(np.array([[1.0, math.nan]]), Lists.of([[1]]))


@given(tops)
def test_coverage_against_loops(lists: list[list[int]]) -> None:
    """The mean is the metric, the spread is the jackknife's: every row left out once."""

    def share(rows: list[list[int]]) -> float:
        return len({item for row in rows for item in row}) / ITEMS

    found, rows = coverage(filled(lists), ITEMS), len(lists)
    assert found.mean() == pytest.approx(share(lists))
    without = [share(lists[:row] + lists[row + 1 :]) for row in range(rows)]
    if rows > 1:
        jackknife = (rows - 1) / rows * sum((one - sum(without) / rows) ** 2 for one in without)
        assert found.var(ddof=1) / rows == pytest.approx(jackknife)


@given(tops, st.lists(st.sets(st.integers(0, 4), max_size=3), min_size=ITEMS, max_size=ITEMS))
def test_category_diversity_against_loops(lists: list[list[int]], categories: list[set[int]]) -> None:
    found = category_diversity(filled(lists), Lists.of(categories), 5)
    assert found.tolist() == pytest.approx([len({c for item in row for c in categories[item]}) / 5 for row in lists])


@given(st.lists(st.tuples(st.lists(items, max_size=K, unique=True), st.lists(items, max_size=5)), min_size=1))
def test_popularity_bias_against_loops(given_users: list[tuple[list[int], list[int]]]) -> None:
    popularity = [1.0 + item**2 for item in range(ITEMS)]
    found = popularity_bias(
        filled([top for top, _ in given_users]), Lists.of([had for _, had in given_users]), np.array(popularity)
    )
    listed, usual = [], []
    for top, had in given_users:
        if top and had:
            listed.append(sum(popularity[item] for item in top) / len(top))
            usual.append(sum(popularity[item] for item in set(had)) / len(set(had)))
    assert np.isnan(found).tolist() == [not (top and had) for top, had in given_users]
    if listed:
        assert np.nanmean(found) == pytest.approx(sum(listed) / sum(usual) - 1)


def test_popularity_bias_has_the_jackknifes_spread() -> None:
    draw = np.random.default_rng(3)
    top = np.stack([draw.choice(50, K, replace=False) for _ in range(400)])
    had = Lists.of(draw.integers(0, 50, 5) for _ in range(400))
    popularity = draw.exponential(10, 50)
    found = popularity_bias(top, had, popularity)
    without = []
    for row in range(400):
        keep = np.arange(400) != row
        without.append(popularity_bias(top[keep], had.where(keep), popularity).mean())
    jackknife = 399 / 400 * ((np.array(without) - np.mean(without)) ** 2).sum()
    assert found.var(ddof=1) / 400 == pytest.approx(jackknife, rel=0.02)
