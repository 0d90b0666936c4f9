"""Candidate pairs against loops, and in blocks of any size."""

from collections import defaultdict
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from torch_geometric.data import HeteroData

from models import candidates
from models.candidates import candidate_pairs
from models.features import Encoder
from models.index import build_index, index_weights, network_scores
from models.interactions import DAY, Interactions
from models.pairs import COLUMNS, PairOptions, counted, normalised, trends
from models.sampling import Sampler, SamplingOptions
from models.training import restore
from tests.models.test_training import RECIPE, RETURNING, run

Counts = dict[tuple[int, int], float]


def drawn_buyers(events: Interactions, hottest: int) -> dict[int, set[int]]:
    """Of each item the users that count, found as the docstring says it: those with the smallest numbers."""
    buyers: dict[int, set[int]] = defaultdict(set)
    for user, item in zip(events.user.tolist(), events.item.tolist(), strict=True):
        buyers[item].add(user)
    number = {user: user * 0x9E3779B97F4A7C15 % 2**64 >> 2 for user in range(events.users)}
    return {item: set(sorted(users, key=number.__getitem__)[:hottest]) for item, users in buyers.items()}


@pytest.mark.parametrize("hottest", [4, 100])
def test_statistics_against_loops(clustered: HeteroData, hottest: int) -> None:
    events = Interactions.of(clustered)
    pairs = candidate_pairs(events, clustered, PairOptions(candidates=12, window=3, profile_share=0, hottest=hottest))
    drawn = drawn_buyers(events, hottest)
    assert max(map(len, drawn.values())) == min(hottest, events.buyers.max())
    together, forward = defaultdict(float), defaultdict(float)
    rows = list(zip(events.user.tolist(), events.item.tolist(), events.moment.tolist(), strict=True))
    for user, j, before in rows:
        for other, i, after in rows:
            if user == other and user in drawn[j] and user in drawn[i]:
                together[j, i] += 1
                if j != i and 0 <= after - before <= 3:
                    forward[j, i] += 1 / max(after - before, 1)
    found = list(zip(pairs.source.tolist(), pairs.target.tolist(), strict=True))
    assert pairs.together.tolist() == [together[pair] for pair in found]
    np.testing.assert_allclose(pairs.forward, [forward[pair] for pair in found], rtol=1e-6)
    np.testing.assert_allclose(pairs.backward, [forward[i, j] for j, i in found], rtol=1e-6)
    nothing = np.float32(0)
    single = {pair: np.float32(value) for pair, value in forward.items()}
    both: Counts = {
        (j, i): single.get((j, i), nothing) + single.get((i, j), nothing) for j in range(24) for i in range(24)
    }
    assert set(found) == above_floors(both, events.buyers) | above_floors(together, events.buyers)


def above_floors(value: Counts, buyers: np.ndarray) -> set[tuple[int, int]]:
    """Pairs of two items whose score is above the one after the six best of the trigger, itself among them."""
    found = set()
    for j in range(24):
        score = {i: normalised(np.float32(value.get((j, i), 0)), buyers[j], buyers[i], 5.0) for i in range(24)}
        floor = sorted(score.values(), reverse=True)[6]
        found |= {(j, i) for i, one in score.items() if one > floor and i != j}
    return found


def test_the_cap_keeps_the_same_users_of_all_hot_items(snapshot) -> None:  # type: ignore[no-untyped-def]
    events = Interactions.of(
        snapshot([(u, i, i) for u in range(20) for i in (0, 1, 2) if i < 2 or u < 3], users=20, items=3)
    )
    kept = counted(events, 5)
    assert np.bincount(events.item[kept]).tolist() == [5, 5, 3]
    assert set(events.user[kept & (events.item == 0)]) == set(events.user[kept & (events.item == 1)])
    assert set(events.user[kept & (events.item == 0)]) != set(range(5))


def test_what_a_shopper_did_not_count_in_is_not_taken_off(clustered: HeteroData) -> None:
    """Else a positive would show fewer meetings than there are without it: of a hot item, none."""
    events = Interactions.of(clustered)
    pairs = candidate_pairs(events, clustered, PairOptions(candidates=60, window=3, hottest=1))
    encoder = Encoder.fit(clustered, events, pairs, None, 1)
    seen = []

    def codes(pairs, pair, less):  # type: ignore[no-untyped-def]
        seen.append((pairs.together[pair] - less.together, pairs.forward[pair] - less.forward))
        return Encoder.pair_codes(encoder, pairs, pair, less)

    sampler = Sampler(events, pairs, encoder, np.ones(len(events), dtype=bool), SamplingOptions(negatives=4))
    encoder.pair_codes = codes  # type: ignore[method-assign, assignment]
    assert len(list(sampler.batches(epoch=0))) == len(seen) > 0
    for together, forward in seen:
        assert together.min() >= 0
        assert forward.min() >= -1e-6


@pytest.mark.parametrize("cells", [1, 24 * 5, 10_000])
def test_blocks_of_any_size_are_the_same_pairs(
    clustered: HeteroData, monkeypatch: pytest.MonkeyPatch, cells: int
) -> None:
    events, options = Interactions.of(clustered), PairOptions(candidates=20, window=3, repeats=True)
    whole = candidate_pairs(events, clustered, options)
    monkeypatch.setattr(candidates, "CELLS", cells)
    monkeypatch.setattr(candidates, "LEAST", 1)
    parts = candidate_pairs(events, clustered, options)
    for name in ("start", *COLUMNS, "floor"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name), err_msg=name)


def test_the_index_of_blocks_is_the_index_of_all(clustered: HeteroData, tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Weighed all at once, and a block at a time with only the best kept."""
    saved = run(clustered, tmp_path, RETURNING.model_copy(update={"epochs": 1}))
    scores = network_scores(saved, clustered)
    whole = index_weights(scores, clustered, RECIPE.similar)
    assert len(scores.pairs) > len(whole.similar_source)
    monkeypatch.setattr(candidates, "CELLS", 24 * 5)
    monkeypatch.setattr(candidates, "LEAST", 1)
    parts = build_index(saved, clustered)
    for name in ("source", "target", "rank"):
        np.testing.assert_array_equal(getattr(whole, f"similar_{name}"), getattr(parts, f"similar_{name}"))
    np.testing.assert_allclose(whole.similar_weight, parts.similar_weight, rtol=1e-5)
    np.testing.assert_array_equal(whole.trigger_weight, parts.trigger_weight)
    # And the first layer, split into what is of the items and what is of the pair, is the layer as it is written.
    model, features = restore(saved)
    encoder, pairs = Encoder(clustered, features), scores.pairs
    model = model.cpu()
    x = model.item(torch.from_numpy(encoder.item_codes(pairs.buyers)))
    c = model.pair(torch.from_numpy(encoder.pair_codes(pairs, np.arange(len(pairs)))))
    plain = model.sim_net(x[pairs.source], c, x[pairs.target])
    np.testing.assert_allclose(scores.s, plain.detach().numpy(), rtol=1e-5, atol=1e-5)


def test_trends_against_loops(clustered: HeteroData) -> None:
    events, options = Interactions.of(clustered), PairOptions(trend=0.5, trend_days=3)
    buyers, recent = defaultdict(set), defaultdict(set)
    for user, item, time in zip(events.user.tolist(), events.item.tolist(), events.time.tolist(), strict=True):
        buyers[item].add(user)
        if time > events.time.max() - 3 * DAY:
            recent[item].add(user)
    expected = [((len(recent[item]) + 0.5) / (len(buyers[item]) + 0.5)) ** 0.5 for item in range(events.items)]
    assert min(expected) < 0.5 < max(expected)
    np.testing.assert_allclose(np.exp(trends(events, options)), expected, rtol=1e-6)
    for others in (replace(options, trend=0.0), replace(options, trend_days=400)):
        assert not trends(events, others).any()
    assert not trends(replace(events, time=np.full(len(events), -1)), options).any()


def test_a_path_counts_less_where_few_buyers_are_recent(clustered: HeteroData, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Each edge's weight by the trend of where it leads to, and that of an item to itself as it was."""
    plain = run(clustered, tmp_path, RETURNING.model_copy(update={"epochs": 1}))
    options = replace(RETURNING.pairs, trend=0.5, trend_days=3)
    recipe = plain.manifest["recipe"] | {"pairs": asdict(options)}
    trended = replace(plain, manifest=plain.manifest | {"recipe": recipe})
    before, after = (network_scores(saved, clustered) for saved in (plain, trended))
    factor = np.exp(trends(before.events, options))[before.pairs.target]
    factor[before.pairs.source == before.pairs.target] = 1
    assert factor.min() < 0.5
    np.testing.assert_allclose(np.exp(after.s), np.exp(before.s) * factor, rtol=1e-5)
    assert (after.rank != before.rank).any()
    np.testing.assert_array_equal(after.t, before.t)
