"""The studies against loops over items, triggers and paths."""

from statistics import mean

import numpy as np
import pytest
from scipy import sparse
from torch_geometric.data import HeteroData

from models import studies
from models.metrics import Lists
from models.scoring import Scores

MEMBER = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]], dtype=np.float64)


def test_categories_are_the_first_level_with_two_nodes(clustered: HeteroData) -> None:
    bought = np.ones(24, dtype=bool)
    bought[1:9:2] = False  # four items of y, which has the items of odd number
    found = studies.categories(clustered, bought, 5)
    assert found.names == ("x", "y")  # `all` stands alone on its level
    member = found.member.toarray()
    assert member[:, 0].tolist() == [n % 2 == 0 for n in range(24)]
    assert member[:, 1].tolist() == [n % 2 == 1 and n > 8 for n in range(24)]
    assert studies.categories(clustered, bought, 1).names == ("x",)
    assert studies.categories(clustered, np.arange(24) % 2 == 0, 5).names == ()


def test_similarity_of_categories() -> None:
    rng = np.random.default_rng(2)
    table = rng.random((6, 6)) * (rng.random((6, 6)) < 0.6)
    np.fill_diagonal(table, 0)
    inside = range(5)  # the last item is in no category
    usual = mean(table[j, i] for j in inside for i in inside if i != j)
    found = studies.category_similarity(sparse.csr_array(table), sparse.csr_array(MEMBER))
    for one in range(3):
        for other in range(3):
            pairs = [(j, i) for j in range(6) for i in range(6) if i != j and MEMBER[j, one] and MEMBER[i, other]]
            if pairs:
                assert found[one, other] == pytest.approx(mean(table[pair] for pair in pairs) / usual)
            else:
                assert np.isnan(found[one, other])
    assert np.isnan(found[2, 2])  # one item alone
    assert np.isfinite(found[0, 1])


def test_weights_of_triggers_that_lead_to_targets(drawn_scores: Scores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies, "PART", 4)
    scores, similarity = drawn_scores, drawn_scores.similarity(4)
    users, targets = np.array([9, 2, 5, 0, 7]), [[3, 20], [1], [], [2, 3, 23], [15, 4]]
    found = studies.weights_by_target(scores, similarity, users, Lists.of(targets))
    table, expected = similarity.toarray(), []
    for user, wanted in zip(users, targets, strict=True):
        paths = [
            float(np.exp(t))
            for event, t in zip(scores.trigger, scores.t, strict=True)
            for i in wanted
            if scores.events.user[event] == user and table[scores.events.item[event], i] > 0
        ]
        expected.append(mean(paths) if paths else np.nan)
    assert np.isnan(expected[2])
    assert np.isfinite(expected).sum() >= 3
    assert found == pytest.approx(expected, nan_ok=True)


def test_weights_of_groups(drawn_scores: Scores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies, "FEWEST", 10)
    scores, users = drawn_scores, 30
    group = np.array([-1 if n % 7 == 0 else n % 3 for n in range(users)])
    group[:2] = 3  # a group of two, who have too few triggers in a category
    member = np.array([[n % 2 == 0, n % 4 == 1, n > 11] for n in range(24)])
    triggers = [
        (int(scores.events.user[event]), int(scores.events.item[event]), float(np.exp(t)))
        for event, t in zip(scores.trigger, scores.t, strict=True)
    ]
    own = {user: mean(w for u, _, w in triggers if u == user) for user in range(users)}
    found = studies.weights_by_group(scores, group, 4, sparse.csr_array(member.astype(np.float64)))
    for category in range(3):
        usual = mean(w / own[u] for u, i, w in triggers if member[i, category] and group[u] >= 0)
        for number in range(4):
            mine = [w / own[u] for u, i, w in triggers if member[i, category] and group[u] == number]
            if len(mine) >= 10:
                assert found[number, category] == pytest.approx(mean(mine) / usual)
            else:
                assert np.isnan(found[number, category])
    assert np.isnan(found[3]).any()
    assert np.isfinite(found[:3]).sum() == 8


def test_neighbours_are_others_and_the_strongest_first() -> None:
    row = [0.3, 0.9, 0.5, 0.0, 0.5]
    similarity = sparse.csr_array(np.array([[0.0] * 5, row, *[[0.0] * 5] * 3]))
    found = studies.neighbours(similarity, 1, 3)
    assert found.items.tolist() == [2, 4, 0]
    assert found.similarity.tolist() == [0.5, 0.5, 0.3]
    assert studies.neighbours(similarity, 1, 2).items.tolist() == [2, 4]
    assert studies.neighbours(similarity, 0, 3).items.tolist() == []


def test_buyers_of_neighbours() -> None:
    table = np.array([[0.0, 0.2, 0.9, 0.8], [0.5, 0.9, 0.0, 0.0], [0.0] * 4, [0.1, 0.0, 0.0, 0.0]])
    buyers = np.array([100, 10, 20, 40])
    found = studies.neighbour_buyers(sparse.csr_array(table), buyers, 2)
    assert found == pytest.approx(mean([mean([20, 40]), 100, 100]))  # one has none; nobody is a neighbour of itself
    assert np.isnan(studies.neighbour_buyers(sparse.csr_array((4, 4)), buyers, 2))


def test_groups_of_about_the_same_size() -> None:
    assert studies.history_edges(np.arange(1, 101)) == [25, 50, 75]
    assert studies.history_edges(np.array([8, 8, 8, 9])) == [8]
    assert studies.history_edges(np.zeros(0, dtype=np.int64)) == []
