"""The item-item models against naive loops written from the papers."""

import numpy as np
import pytest
from scipy import optimize

from models.baselines.ease import EASE, EASEOptions
from models.baselines.floor import Floor, FloorOptions
from models.baselines.neighbours import Cosine, NeighbourOptions, Pearson
from models.baselines.slim import SLIM, SLIMOptions
from models.interactions import Interactions
from tests.models.conftest import make_snapshot

USERS, ITEMS = 25, 9


@pytest.fixture
def events() -> Interactions:
    rng, rows = np.random.default_rng(3), []
    for user in range(USERS):
        count = int(rng.integers(1, 6))
        rows += [(user, int(item), place) for place, item in enumerate(rng.integers(0, ITEMS, count))]
    return Interactions.of(make_snapshot(rows, USERS, ITEMS))


@pytest.fixture
def table(events: Interactions) -> np.ndarray:
    """[U, N] zeros and ones."""
    table = np.zeros((USERS, ITEMS))
    table[events.user, events.item] = 1
    return table


EVERYBODY = np.arange(USERS)


def test_pearson(events: Interactions, table: np.ndarray) -> None:
    similarity = np.zeros((ITEMS, ITEMS))
    for j in range(ITEMS):
        for i in range(ITEMS):
            if i != j:
                similarity[j, i] = max(0, np.corrcoef(table[:, j], table[:, i])[0, 1])
    model = Pearson(NeighbourOptions(ITEMS)).fit(events)
    np.testing.assert_allclose(model.similarity.toarray(), similarity, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.score(EVERYBODY), table @ similarity, rtol=1e-4, atol=1e-5)


def test_pearson_keeps_the_nearest(events: Interactions) -> None:
    every, two = (Pearson(NeighbourOptions(k)).fit(events).similarity.toarray() for k in (ITEMS, 2))
    for one, other in zip(every, two, strict=True):
        assert sorted(other[other > 0]) == sorted(np.sort(one)[-2:][np.sort(one)[-2:] > 0])


def test_an_item_that_everybody_or_nobody_had_correlates_with_nothing() -> None:
    rows = [(user, 0, 0) for user in range(4)] + [(0, 1, 1), (1, 1, 1)]
    similarity = Pearson().fit(Interactions.of(make_snapshot(rows, 4, 3))).similarity.toarray()
    assert not similarity.any()


def test_cosine(events: Interactions, table: np.ndarray) -> None:
    similarity = np.zeros((ITEMS, ITEMS))
    for j in range(ITEMS):
        for i in range(ITEMS):
            similarity[j, i] = table[:, j] @ table[:, i] / np.sqrt(table[:, j].sum() * table[:, i].sum())
    model = Cosine(NeighbourOptions(ITEMS)).fit(events)
    np.testing.assert_allclose(model.score(EVERYBODY), table @ similarity, rtol=1e-5, atol=1e-5)


def test_ease_solves_its_problem(events: Interactions, table: np.ndarray) -> None:
    """Each column of B is a ridge regression of the item on the others."""
    weights = np.zeros((ITEMS, ITEMS))
    for item in range(ITEMS):
        rest = np.delete(np.arange(ITEMS), item)
        gram = table[:, rest].T @ table[:, rest] + 3.0 * np.eye(len(rest))
        weights[rest, item] = np.linalg.solve(gram, table[:, rest].T @ table[:, item])
    model = EASE(EASEOptions(3.0)).fit(events)
    np.testing.assert_allclose(model.score(EVERYBODY), table @ weights, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("users", "items"), [(12, 30), (30, 12)])
def test_ease_by_its_smaller_side(users: int, items: int) -> None:
    table = np.random.default_rng(0).random((users, items)) < 0.3
    rows = [(user, item, moment) for user in range(users) for moment, item in enumerate(np.flatnonzero(table[user]))]
    inverse = np.linalg.inv(table.T.astype(float) @ table + 3.0 * np.eye(items))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    model = EASE(EASEOptions(3.0)).fit(Interactions.of(make_snapshot(rows, users, items)))
    assert model.dual == (users < items)
    np.testing.assert_allclose(model.score(np.arange(users)), table @ weights, rtol=1e-4, atol=1e-5)


def test_ease_of_the_most_bought_items_only(events: Interactions) -> None:
    model = EASE(EASEOptions(3.0, most_items=4)).fit(events)
    kept = np.argsort(-events.buyers, kind="stable")[:4]
    assert sorted(np.flatnonzero(model.score(EVERYBODY).any(axis=0))) == sorted(kept)


def test_slim_solves_its_problem(events: Interactions, table: np.ndarray) -> None:
    """A general bounded minimiser finds the same weights: with w ≥ 0 the l1 norm is a sum."""
    weights = np.zeros((ITEMS, ITEMS))
    for item in range(ITEMS):
        rest = np.delete(np.arange(ITEMS), item)

        def cost(w: np.ndarray, rest: np.ndarray = rest, item: int = item) -> float:
            return 0.5 * ((table[:, item] - table[:, rest] @ w) ** 2).sum() + 0.5 * 2.0 * (w**2).sum() + 0.3 * w.sum()

        found = optimize.minimize(cost, np.zeros(len(rest)), bounds=[(0, None)] * len(rest), method="L-BFGS-B")
        weights[rest, item] = found.x
    model = SLIM(SLIMOptions(l1=0.3, l2=2.0)).fit(events)
    np.testing.assert_allclose(model.similarity.toarray(), weights, atol=2e-3)


def test_floor_against_a_loop(events: Interactions) -> None:
    half, window, backward = 2.0, 2, 0.5
    first: dict[tuple[int, int], int] = {}
    latest: dict[tuple[int, int], int] = {}
    end: dict[int, int] = {}
    for user, item, moment in zip(events.user.tolist(), events.item.tolist(), events.moment.tolist(), strict=True):
        first.setdefault((user, item), moment)
        latest[user, item] = end[user] = moment
    forward = np.zeros((ITEMS, ITEMS))
    for (user, j), start in first.items():
        for (other, i), then in first.items():
            if user == other and 0 < then - start <= window:
                forward[j, i] += 1 / (then - start)
    expected = np.zeros((USERS, ITEMS))
    for (user, j), moment in latest.items():
        for i in range(ITEMS):
            root = np.sqrt(max(1, events.buyers[j]) * max(1, events.buyers[i]))
            similarity = (forward[j, i] + backward * forward[i, j]) / root
            expected[user, i] += 0.5 ** ((end[user] - moment) / half) * similarity
    most = expected.max(axis=1, keepdims=True)
    scores = Floor(FloorOptions(half=half, window=window, backward=backward)).fit(events).score(EVERYBODY)
    np.testing.assert_allclose(scores, expected / np.where(most > 0, most, 1), rtol=1e-4, atol=1e-6)
