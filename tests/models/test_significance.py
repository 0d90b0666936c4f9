"""Intervals hold as often as they say, and the paired test finds what was planted and nothing else. All seeded."""

import numpy as np
import pytest
from scipy import stats

from models.metrics import coverage
from models.significance import compare, estimate, sign_flip_test


def test_an_interval_holds_in_19_of_20_samples() -> None:
    """Reciprocal ranks as they are: most are 0."""
    draw = np.random.default_rng(1)
    held = 0
    for _ in range(1000):
        values = np.where(draw.random(200) < 0.2, 1 / draw.integers(1, 11, 200), 0)
        found = estimate(values, 0, 1)
        held += found.low <= 0.2 * np.mean(1 / np.arange(1, 11)) <= found.high
    assert 0.92 < held / 1000 < 0.98


def test_an_interval_of_a_share_holds_in_19_of_20_samples() -> None:
    draw = np.random.default_rng(2)
    found = [estimate((draw.random(100) < 0.05).astype(float)) for _ in range(1000)]
    assert 0.92 < np.mean([one.low <= 0.05 <= one.high for one in found]) < 0.98


def test_an_interval_of_coverage_holds_mostly() -> None:
    """The jackknife's error is too great rather than too small (Efron & Stein 1981)."""
    draw = np.random.default_rng(3)
    popularity = 1 / np.arange(1, 301)
    popularity /= popularity.sum()
    samples = [np.stack([draw.choice(300, 5, replace=False, p=popularity) for _ in range(60)]) for _ in range(200)]
    true = np.mean([coverage(top, 300).mean() for top in samples])
    found = [estimate(coverage(top, 300), 0, 1) for top in samples]
    assert np.mean([one.low <= true <= one.high for one in found]) > 0.93


def test_no_hit_at_all_is_no_proof_of_none() -> None:
    found = estimate(np.zeros(30))
    assert found.mean == found.low == 0
    assert found.high == pytest.approx(0.1135, abs=1e-3)  # Wilson's, z² / (n + z²)


def test_few_users() -> None:
    assert estimate(np.zeros(0)) is None
    assert estimate(np.array([np.nan])) is None
    alone = estimate(np.array([0.4, np.nan]))
    assert (alone.mean, alone.low, alone.high, alone.users) == (0.4, None, None, 1)
    assert compare(np.array([np.nan]), np.array([1.0])) is None
    assert estimate(np.array([0.0, 0.1]), 0, 1).low == 0


def pair(shift: float, seed: int, users: int = 300) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    ease = draw.random(users)  # some users are easier than others, for both rankers
    return ease + shift + draw.normal(0, 0.1, users), ease + draw.normal(0, 0.1, users)


def test_a_planted_difference_is_found() -> None:
    for seed in range(20):
        found = compare(*pair(0.04, seed))
        assert found.p < 0.01
        assert found.low > 0


def test_where_there_is_no_difference_one_is_found_in_1_of_20_samples() -> None:
    found = [compare(*pair(0.0, seed, 60)) for seed in range(400)]
    assert 0.02 < np.mean([one.p < 0.05 for one in found]) < 0.09
    assert 0.91 < np.mean([one.low <= 0 <= one.high for one in found]) < 0.98


def test_a_ranker_does_not_differ_from_itself() -> None:
    values = np.arange(10.0)
    found = compare(values, values)
    assert (found.difference, found.low, found.high, found.p, found.users) == (0, 0, 0, 1, 10)


@pytest.mark.parametrize("users", [9, 40, 500])
def test_as_scipy_has_it(users: int) -> None:
    difference = np.random.default_rng(users).normal(1 / np.sqrt(users), 1, users).round(1)
    theirs = stats.permutation_test(
        (difference,), np.sum, permutation_type="samples", vectorized=True, rng=np.random.default_rng(0)
    )
    assert sign_flip_test(difference) == pytest.approx(theirs.pvalue, abs=0.02)


def test_the_p_value_repeats_by_its_seed() -> None:
    difference = np.random.default_rng(0).normal(0.1, 1, 50)
    assert sign_flip_test(difference, 5) == sign_flip_test(difference, 5)
    assert sign_flip_test(np.ones(50)) == 1 / 10_000
