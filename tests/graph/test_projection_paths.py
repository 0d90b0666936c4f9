"""The compiled walk beside a naive one, on columns that are drawn: many more items than a list keeps, and many ties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.projection import paths
from graph.projection.columns import AVAILABLE, UNAVAILABLE
from graph.projection.projection import EVERYTHING, NOTHING

USER, TRIGGERS, EACH, DIRECT = 0, 12, 40, 4
ANY_PRICE = (False, -np.inf, np.inf)


def draw(seed: int, items: int, ties: bool) -> paths.Tables:
    """One user's columns. With `ties` every 1 + e^t e^s is 2 or 4, so that many products are the same to the bit."""
    rng = np.random.default_rng(seed)
    similar = 2.0 ** rng.integers(1, 3, items * EACH) - 1 if ties else rng.random(items * EACH)
    weights = np.ones(TRIGGERS) if ties else -np.sort(-rng.random(TRIGGERS))
    triggers = rng.permutation(items)[:TRIGGERS].astype(np.int32)
    known = rng.random(items) < 0.5
    return paths.Tables(
        user_first=np.zeros(1, np.int64),
        user_count=np.full(1, TRIGGERS, np.int32),
        user_known=np.ones(1, np.int8),
        user_direct=rng.integers(-1, 2, (1, DIRECT)).astype(np.float32),
        had_item=triggers,
        had_weight=weights,
        item_order=rng.permutation(items).astype(np.int32),
        item_state=np.where(rng.random(items) < 0.9, AVAILABLE, UNAVAILABLE).astype(np.int8),
        item_price=rng.integers(1, 10, items).astype(float),
        item_known=known.astype(np.int8),
        item_direct=(rng.integers(-1, 2, (items, DIRECT)) * known[:, None]).astype(np.float32),
        item_first=np.arange(items) * EACH,
        item_count=np.full(items, EACH, np.int32),
        similar_item=np.concatenate([rng.permutation(items)[:EACH] for _ in range(items)]).astype(np.int32),
        similar_weight=similar,
        similar_rank=np.tile(np.arange(1, EACH + 1), items).astype(np.uint16),
        product=np.full(items, paths.UNTOUCHED),
        touched=np.empty(items + 1, np.int32),
    )


def naive(tables: paths.Tables, shortlist: int, n: int, most: float) -> list[tuple[int, float]]:
    """PDN eq. 14 over all paths, in plain Python: items and scores, best first."""
    sums: dict[int, float] = {}
    for trigger, weight in zip(tables.had_item.tolist(), tables.had_weight.tolist(), strict=True):
        edges = slice(tables.item_first[trigger], tables.item_first[trigger] + tables.item_count[trigger])
        for item, similar in zip(tables.similar_item[edges].tolist(), tables.similar_weight[edges], strict=True):
            sums[item] = sums.get(item, 0.0) + np.log1p(weight * similar)
    had = set(tables.had_item.tolist())
    rows = [(item, path) for item, path in sums.items() if item not in had and tables.item_state[item] == AVAILABLE]
    order = tables.item_order
    rows = sorted(rows, key=lambda row: (-round(row[1], 9), order[row[0]]))
    rows = [row for row in rows if tables.item_price[row[0]] <= most][:shortlist]
    dots = tables.item_direct.astype(float) @ tables.user_direct[USER]
    direct = np.where(tables.item_known, np.logaddexp(0, dots), 0)
    scored = [(item, path + direct[item]) for item, path in rows]
    return sorted(scored, key=lambda row: (-round(row[1], 9), order[row[0]]))[:n]


@given(
    seed=st.integers(0, 10_000),
    items=st.sampled_from([60, 400]),
    ties=st.booleans(),
    shortlist=st.sampled_from([10, 25, 500]),
    most=st.sampled_from([5.0, np.inf]),
)
def test_the_best_are_those_of_a_naive_walk(seed: int, items: int, ties: bool, shortlist: int, most: float) -> None:
    tables = draw(seed, items, ties)
    limits = (most < np.inf, -np.inf, most)
    found, scores, _ = paths.recommend(
        USER, 1.0, TRIGGERS, EACH, shortlist, 10, False, limits, EVERYTHING, NOTHING, *tables
    )
    expected = naive(tables, shortlist, 10, most)
    assert found.tolist() == [item for item, _ in expected]
    assert scores.tolist() == pytest.approx([score for _, score in expected], rel=1e-12)
    assert (tables.product == paths.UNTOUCHED).all()


def test_products_that_grow_too_large_are_sums_of_logarithms() -> None:
    tables = draw(1, 60, ties=True)
    tables.had_weight[:] = tables.similar_weight[:] = 1e120
    found, scores, _ = paths.recommend(
        USER, 1.0, TRIGGERS, EACH, 60, 60, False, ANY_PRICE, EVERYTHING, NOTHING, *tables
    )
    expected = naive(tables, 60, 60, np.inf)
    assert found.tolist() == [item for item, _ in expected]
    assert scores.tolist() == pytest.approx([score for _, score in expected], rel=1e-12)
    assert max(scores) > np.log(np.finfo(float).max)
