"""Values in buckets: equal shares, a bucket for zero, and finer ones above the last quantile."""

import numpy as np
import pytest

from models.fields import LEAST, TAIL, UNKNOWN, Buckets, Category, FieldGroup


@pytest.fixture(scope="module")
def counts() -> np.ndarray:
    """Half of the pairs never met, the others by a power law, as pairs of items do."""
    rng = np.random.default_rng(0)
    return np.where(rng.random(400_000) < 0.5, 0.0, 1 + rng.pareto(1, 400_000))


def held(buckets: Buckets, values: np.ndarray) -> np.ndarray:
    """How many of the values each code has."""
    return np.bincount(buckets.encode(values), minlength=buckets.size)


def test_quantiles_hold_the_same_share_of_what_is_not_zero(counts: np.ndarray) -> None:
    found = held(Buckets.fit("forward", counts, 10), counts)
    assert found[UNKNOWN] == 0
    assert found[1] == (counts == 0).sum()
    assert found[2:] == pytest.approx(np.full(10, (counts > 0).sum() / 10), rel=0.02)


def test_a_tail_tells_the_greatest_few_apart(counts: np.ndarray) -> None:
    plain, tailed = Buckets.fit("forward", counts, 10), Buckets.fit("forward", counts, 10, tailed=True)
    assert tailed.edges[: len(plain.edges)] == plain.edges  # only what is above the last quantile is cut further
    above = [(counts > edge).sum() for edge in tailed.edges[len(plain.edges) - 1 :]]
    assert above[0] == pytest.approx((counts > 0).sum() / 10, rel=0.02)
    assert np.array(above[:-1]) / np.array(above[1:]) == pytest.approx(np.full(len(above) - 1, TAIL), rel=0.1)
    assert 0.9 * LEAST <= above[-1] < 1.1 * TAIL * LEAST


def test_a_tail_needs_values_enough(counts: np.ndarray) -> None:
    few = counts[: 10 * LEAST]
    assert Buckets.fit("forward", few, 10, tailed=True) == Buckets.fit("forward", few, 10)


def test_a_greater_value_never_has_a_smaller_code(counts: np.ndarray) -> None:
    codes = Buckets.fit("forward", counts, tailed=True).encode(np.sort(counts))
    assert (np.diff(codes) >= 0).all()


def test_what_is_missing_is_unknown_and_the_last_digits_do_not_show() -> None:
    buckets = Buckets.fit("price", np.array([1.0, 2.0, np.nan, 3.0]), 3)
    assert buckets.encode(np.array([np.nan]))[0] == UNKNOWN
    third = buckets.edges[0]
    assert buckets.encode(np.array([third, third * (1 + 1e-9), third * (1 - 1e-9)])).tolist() == [1, 1, 1]
    assert Buckets.fit("price", np.array([np.nan]), tailed=True).edges == ()


def test_fields_come_back_from_their_manifest(counts: np.ndarray) -> None:
    group = FieldGroup((Category.fit("brand", ["b", None, "a"]), Buckets.fit("forward", counts, tailed=True)))
    again = FieldGroup.of_json(group.to_json())
    assert again == group
    columns = {"brand": ["a", "c", "b"], "forward": np.array([0.0, 1e9, np.nan])}
    assert again.encode(columns, 3).tolist() == [[1, 1], [UNKNOWN, group.fields[1].size - 1], [2, UNKNOWN]]
