"""The neural baselines: one propagation against a loop, causality, windows, and the losses."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models import softmax
from models.baselines.bst import BSTNetwork, BSTOptions
from models.baselines.din import DINNetwork, DINOptions
from models.baselines.lightgcn import GraphOptions, LightGCNNetwork, adjacency
from models.baselines.ngcf import NGCFNetwork
from models.baselines.sasrec import SASRecNetwork, SASRecOptions
from models.baselines.towers import TwoTowers
from models.baselines.training import NeuralOptions, schedule
from models.baselines.youtube_dnn import YouTubeDNNNetwork
from models.interactions import Interactions
from models.softmax import Negatives, softmax_loss
from models.windows import last_items, pairs, windows
from tests.models.conftest import clustered_events, make_snapshot

ITEMS = 24
SEQUENCES = {
    "sasrec": (SASRecNetwork, SASRecOptions(width=16, length=8)),
    "bst": (BSTNetwork, BSTOptions(width=16, length=8)),
    "youtube-dnn": (YouTubeDNNNetwork, NeuralOptions(width=16, length=8)),
}


@pytest.fixture
def events() -> Interactions:
    return Interactions.of(make_snapshot(clustered_events(), users=30, items=ITEMS))


def degrees(events: Interactions) -> tuple[dict[int, list[int]], np.ndarray]:
    """Neighbours and degrees of each node; items are numbered after users."""
    around: dict[int, list[int]] = {node: [] for node in range(events.users + events.items)}
    for user, item in {*zip(events.user.tolist(), (events.item + events.users).tolist(), strict=True)}:
        around[user].append(item)
        around[item].append(user)
    return around, np.array([len(around[node]) for node in around])


def propagated(x: Tensor, events: Interactions) -> Tensor:
    """Σ_j x_j / √(deg_i deg_j) over the neighbours j of each node i."""
    around, degree = degrees(events)
    rows = []
    for node, others in around.items():
        total = torch.zeros_like(x[0])
        for other in others:
            total = total + x[other] / float(np.sqrt(degree[node] * degree[other]))
        rows.append(total)
    return torch.stack(rows)


def test_lightgcn_propagates_as_its_formula(events: Interactions) -> None:
    torch.manual_seed(0)
    network = LightGCNNetwork(events.users, events.items, GraphOptions(width=8, layers=2), adjacency(events))
    zero = network.propagation.embedding.weight
    one = propagated(zero, events)
    expected = (zero + one + propagated(one, events)) / 3
    user, item = network.vectors(torch.arange(events.users), torch.zeros(events.users, 0))
    torch.testing.assert_close(torch.cat([user[:, 0], item]), expected, rtol=1e-4, atol=1e-6)


def test_ngcf_propagates_as_its_formula(events: Interactions) -> None:
    torch.manual_seed(0)
    network = NGCFNetwork(events, GraphOptions(width=8, layers=1)).eval()
    zero, plain, product = network.embedding, network.plain[0], network.product[0]
    around = propagated(zero, events)
    rows = []
    for here, there in zip(zero, around, strict=True):
        row = plain.weight @ (there + here) + plain.bias + product.weight @ (there * here) + product.bias
        rows.append(torch.where(row > 0, row, 0.2 * row))
    expected = torch.cat([zero, F.normalize(torch.stack(rows), dim=-1)], dim=1)
    torch.testing.assert_close(network.embeddings(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", SEQUENCES)
@pytest.mark.parametrize("padding", [0, 3])
def test_later_items_change_nothing_before_them(name: str, padding: int, events: Interactions) -> None:
    torch.manual_seed(0)
    kind, options = SEQUENCES[name]
    network: TwoTowers = kind(events, None, options).eval()
    history = torch.arange(8)[None].repeat(2, 1)
    history[:, :padding] = ITEMS
    history[1, 5:] = torch.tensor([20, 21, 22])
    with torch.no_grad():
        first, second = network.vectors(torch.zeros(2, dtype=torch.long), history)[0]
    torch.testing.assert_close(first[padding:5], second[padding:5])
    assert not torch.allclose(first[5:], second[5:], atol=1e-4)


@pytest.mark.parametrize("name", ["sasrec", "bst"])
def test_padding_is_not_looked_at(name: str, events: Interactions) -> None:
    torch.manual_seed(0)
    kind, options = SEQUENCES[name]
    network: TwoTowers = kind(events, None, options).eval()
    history = torch.tensor([[ITEMS] * 4 + [1, 2, 3, 4]])
    with torch.no_grad():
        before = network.vectors(torch.zeros(1, dtype=torch.long), history)[0][0, 4:]
        network.transformer.position[:4] += 5
        after = network.vectors(torch.zeros(1, dtype=torch.long), history)[0][0, 4:]
    torch.testing.assert_close(before, after)


def test_din_weighs_each_history_for_each_candidate(events: Interactions) -> None:
    """All items at once against one pair of a history and a candidate at a time, as the paper has it."""
    torch.manual_seed(0)
    network = DINNetwork(events, None, DINOptions(width=8, hidden=4)).eval()
    history = torch.tensor([[ITEMS, 3, 5, 7], [2, 4, 6, 8]])
    items = network.item()
    first = torch.cat([network.of_history.weight, network.of_product, network.of_candidate.weight], dim=1)
    with torch.no_grad():
        scores = network.scores(torch.tensor([0, 1]), history)
        for row, candidate in itertools.product(range(2), range(ITEMS)):
            q, pooled = items[candidate], torch.zeros(8)
            for number in history[row].tolist():
                if number < ITEMS:
                    one = items[number]
                    hidden = first @ torch.cat([one, one * q, q]) + network.of_history.bias
                    pooled = pooled + network.attention(hidden[None])[0] * one
            pooled = network.norm(pooled)
            hidden = network.of_pooled(torch.cat([pooled, pooled * q])) + network.to_tower(q)
            expected = network.tower((hidden + network.of_user.bias)[None])[0, 0] + network.popular[candidate]
            torch.testing.assert_close(scores[row, candidate], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("length", [1, 3, 50])
def test_windows_hold_each_target_once_after_what_came_before(length: int) -> None:
    rng, rows = np.random.default_rng(1), []
    for user in range(12):
        rows += [(user, int(item), place) for place, item in enumerate(rng.integers(0, ITEMS, user))]
    events = Interactions.of(make_snapshot(rows, 12, ITEMS))
    expected = [(u, [i for v, i, _ in rows if v == u]) for u in range(12)]
    found = []
    for batch in windows(events, length, 4, np.random.default_rng(0)):
        assert batch.history.shape == batch.target.shape == (len(batch.users), length)
        for user, history, target in zip(batch.users.tolist(), batch.history, batch.target, strict=True):
            found += [(user, int(a), int(b)) for a, b in zip(history, target, strict=True) if b < ITEMS]
            assert (np.diff((history < ITEMS).astype(int)) >= 0).all()
    assert sorted(found) == sorted((u, a, b) for u, items in expected for a, b in itertools.pairwise(items))


def test_pairs_hold_each_user_and_item_once(events: Interactions) -> None:
    batches = [*pairs(events, 7, np.random.default_rng(0))]
    found = [pair for one in batches for pair in zip(one.users.tolist(), one.target[:, 0].tolist(), strict=True)]
    assert sorted(found) == sorted({*zip(events.user.tolist(), events.item.tolist(), strict=True)})


def test_last_items_are_padded_on_the_left(events: Interactions) -> None:
    mine = events.item[events.user == 4]
    assert last_items(events, np.array([4]), 3).tolist() == [mine[-3:].tolist()]
    assert last_items(events, np.array([4]), 10).tolist() == [[ITEMS, ITEMS, *mine.tolist()]]


def test_the_sampled_softmax_estimates_the_whole_one() -> None:
    torch.manual_seed(0)
    vectors, items, target = torch.randn(6, 4) / 2, torch.randn(200, 4), torch.arange(6)
    buyers = np.random.default_rng(0).integers(1, 50, 200)
    whole = softmax_loss(vectors, items, target, Negatives.of(buyers, 0, torch.device("cpu")))
    negatives = Negatives.of(buyers, 150, torch.device("cpu"))
    sampled = torch.stack([softmax_loss(vectors, items, target, negatives) for _ in range(300)]).mean()
    assert abs(float(sampled - whole)) < 0.02


@pytest.mark.parametrize("block", [1, 800, 10_000], ids=["the least", "40 rows", "all"])
def test_the_softmax_by_blocks_is_the_whole_one(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """In value and gradient, with scores whose exponentials would overflow, and with calibration."""
    monkeypatch.setattr(softmax, "BLOCK", block)
    torch.manual_seed(0)
    vectors, items = (torch.randn(rows, 4, dtype=torch.double).requires_grad_() for rows in (70, 20))
    target, negatives = torch.arange(70) % 20, Negatives.of(np.ones(20, dtype=np.int64), 0, torch.device("cpu"))
    log_p = torch.log_softmax(600 * vectors @ items.T, dim=1)[torch.arange(70), target]
    z = torch.logsumexp(600 * vectors @ items.T, dim=1)
    whole = -log_p.mean() + 0.01 * (z**2).mean()
    found = softmax_loss(600 * vectors, items, target, negatives, 0.01)
    torch.testing.assert_close(found, whole)
    ours, expected = (torch.autograd.grad(2 * loss, (vectors, items)) for loss in (found, whole))
    torch.testing.assert_close(ours, expected)
    with torch.no_grad():
        torch.testing.assert_close(softmax_loss(600 * vectors, items, target, negatives, 0.01), whole)


def test_as_many_negatives_as_items_compare_with_all() -> None:
    negatives = Negatives.of(np.ones(5, dtype=np.int64), 5, torch.device("cpu"))
    assert negatives.share is None
    items, expected = negatives.draw()
    assert (items.tolist(), expected.tolist()) == ([0, 1, 2, 3, 4], [0.0] * 5)


def test_the_learning_rate_rises_and_falls() -> None:
    rates = [schedule(done / 100) for done in range(101)]
    assert max(rates) == pytest.approx(1)
    assert rates[0] == 0
    assert rates[-1] == pytest.approx(0)
