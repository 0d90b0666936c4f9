"""What a sample of users tells: intervals, and whether two rankers differ. docs/evaluation.md says why so."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 9_999
DRAWN = 1 << 22  # signs drawn at a time


@dataclass(frozen=True)
class Estimate:
    """A metric and its interval; `low` and `high` are None where one user tells nothing about the others."""

    mean: float
    low: float | None
    high: float | None
    users: int


@dataclass(frozen=True)
class Comparison:
    """How much higher one ranker is than another on the same users, and how likely that much is by chance alone."""

    difference: float
    low: float | None
    high: float | None
    p: float
    users: int


def estimate(values: Floats, least: float = -np.inf, most: float = np.inf) -> Estimate | None:
    """Mean and 95% interval of one value for each user, within `least` and `most`; None without any. NaN is no value.

    Values that are all 0 or 1 are a share, for which Wilson's interval holds even with no hit at all. Else Student's:
    the mean of hundreds of independent users is near enough to normal, and a bootstrap would give the same at a cost.
    """
    values = values[~np.isnan(values)]
    if not len(values):
        return None
    mean = float(values.mean())
    if np.isin(values, (0, 1)).all():
        found = stats.binomtest(int(values.sum()), len(values)).proportion_ci(CONFIDENCE, method="wilson")
        return Estimate(mean, float(found.low), float(found.high), len(values))
    margin = _margin(values)
    if margin is None:
        return Estimate(mean, None, None, len(values))
    return Estimate(mean, max(least, mean - margin), min(most, mean + margin), len(values))


def compare(ours: Floats, theirs: Floats, seed: int = 0) -> Comparison | None:
    """`ours` minus `theirs`, user by user; None without a user that both have a value for.

    The p-value, two-sided, is that of the paired permutation test: were the two rankers alike, each user's difference
    could as well have the other sign. It tests the difference of means, which is what is reported, and supposes no
    distribution, where most differences are 0. Wilcoxon's test would test another thing (Smucker et al. 2007). The
    interval is Student's, of the differences.
    """
    difference = ours - theirs
    difference = difference[~np.isnan(difference)]
    if not len(difference):
        return None
    mean, margin = float(difference.mean()), _margin(difference)
    low, high = (None, None) if margin is None else (mean - margin, mean + margin)
    return Comparison(mean, low, high, sign_flip_test(difference, seed), len(difference))


def sign_flip_test(difference: Floats, seed: int = 0) -> float:
    """Two-sided p-value of a sum of differences under random signs; never below 1 / (RESAMPLES + 1).

    Of few differences scipy tries all signs instead of drawing some.
    """
    difference = difference[difference != 0]  # a 0 is the same with either sign
    if len(difference) < 2:
        return 1.0
    found = stats.permutation_test(
        (difference,),
        lambda values, axis: np.abs(values.sum(axis)),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=max(1, DRAWN // len(difference)),
        alternative="greater",
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def _margin(values: Floats) -> float | None:
    """Half the width of Student's interval of a mean."""
    if len(values) < 2:
        return None
    quantile = stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)
    return float(quantile * values.std(ddof=1) / np.sqrt(len(values)))
