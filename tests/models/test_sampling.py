"""No example sees its own pair, no statistic sees validation rows, and batches repeat from a seed."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.data import HeteroData

from graph.errors import SourceError
from models.candidates import candidate_pairs
from models.features import Encoder
from models.interactions import Interactions, Ints, spans
from models.pairs import PairOptions, Pairs, Part
from models.sampling import Sampler, SamplingOptions

OPTIONS = PairOptions(candidates=50, window=3, profile_share=0.4)


def make_sampler(
    data: HeteroData, pair_options: PairOptions = OPTIONS, **changed: Any
) -> tuple[Sampler, Interactions, Pairs]:
    events = Interactions.of(data)
    pairs = candidate_pairs(events, data, pair_options)
    encoder = Encoder.fit(data, events, pairs, None, 1)
    options = SamplingOptions(**({"triggers": 20, "negatives": 6, "batch": 16} | changed))
    return Sampler(events, pairs, encoder, np.ones(len(events), dtype=bool), options), events, pairs


def test_a_positives_counts_leave_its_own_buyer_out(clustered: HeteroData) -> None:
    """For each example: its codes are those of a world in which the shopper never bought the item."""
    sampler, events, _ = make_sampler(clustered)
    checked = 0
    for example in range(0, len(sampler), 4):
        batch = sampler.batch(np.array([example]), np.random.default_rng(0))
        user = int(events.user[sampler._begin[example]])
        candidate = batch["user", "candidate", "item"]
        found = int(sampler.events.item[sampler._positive[sampler._first[example]]])
        without = events.where(~((events.user == user) & (events.item == found)))
        world = candidate_pairs(without, clustered, OPTIONS)
        positive = int(candidate.y.argmax())
        rows = torch.nonzero(batch.path_candidate == positive).flatten()
        triggers = sorted_items(sampler, example)
        reached = {}
        for row in rows.tolist():
            # Find the trigger's item again through the batch's local numbering.
            reached[int(batch["user", "trigger", "item"].edge_index[1, batch.path_trigger[row]])] = batch.c[row]
        local = {int(place): item for item, place in zip(triggers, local_places(batch, triggers), strict=True)}
        for place, codes in reached.items():
            number = world.find(np.array([local[place]]), np.array([found]))
            assert number[0] >= 0  # the pair is there without this shopper
            expected = sampler.encoder.pair_codes(world, number)[0]
            np.testing.assert_array_equal(codes.numpy(), expected)
            checked += 1
        there = [item for item in triggers if world.find(np.array([item]), np.array([found]))[0] >= 0]
        assert sorted(local[place] for place in reached) == there
        buyers = sampler.encoder.item_codes(world.buyers)[found]
        np.testing.assert_array_equal(batch["item"].x[candidate.edge_index[1, positive]].numpy(), buyers)
    assert checked > 50


def test_groups_are_each_examples_triggers(clustered: HeteroData) -> None:
    sampler, _, _ = make_sampler(clustered)
    for batch in sampler.batches(0):
        trigger = batch["user", "trigger", "item"]
        users, count = len(batch["user"].z), trigger.edge_index.size(1)
        assert trigger.groups.size(1) == max(1, int(trigger.edge_index[0].bincount().max()))
        for user in range(users):
            mine = trigger.groups[user][trigger.groups[user] < count]
            assert mine.tolist() == torch.nonzero(trigger.edge_index[0] == user).flatten().tolist()


def sorted_items(sampler: Sampler, example: int) -> list[int]:
    """Items of the example's triggers, ascending, as the batch orders them."""
    begin = sampler._begin[example]
    start = sampler.events.start[sampler.events.user[begin]]
    return sorted({int(item) for item in sampler.events.item[start:begin]})


def local_places(batch: HeteroData, triggers: list[int]) -> list[int]:
    places = batch["user", "trigger", "item"].edge_index[1].tolist()
    assert len(places) == len(triggers)
    return places


def test_an_items_codes_do_not_tell_whether_it_was_found(clustered: HeteroData) -> None:
    """Else a count of one less than the item's own would give positives away, to a network that knows its number."""
    sampler, _, _ = make_sampler(clustered, negatives=20)
    seen: dict[int, dict[bool, set[tuple[int, ...]]]] = {}
    for batch in sampler.batches(0):
        candidate = batch["user", "candidate", "item"]
        for place, found in zip(candidate.edge_index[1].tolist(), candidate.y.bool().tolist(), strict=True):
            codes = tuple(batch["item"].x[place].tolist())
            seen.setdefault(codes[0], {True: set(), False: set()})[found].add(codes)
    assert len(seen) == 24
    assert all(one[True] == one[False] and len(one[True]) == 1 for one in seen.values())


def draw(sampler: Sampler, example: Ints) -> tuple[Ints, Ints, Ints]:
    """Shopper, the number of the example and the item of each negative of these examples; positives are all items."""
    events, begin = sampler.events, sampler._begin[example]
    user = events.user[begin]
    triggers = spans(events.start[user], begin)
    row, item = sampler._negatives(user, triggers, events.item[sampler._positive], np.random.default_rng(1))
    return user[row], row, item


@pytest.mark.parametrize("share", ["popular", "in_batch", "hard"])
def test_negatives_are_never_the_shoppers_own(clustered: HeteroData, share: str) -> None:
    sampler, events, _ = make_sampler(clustered, **({"negatives": 40, "popular": 0.0} | {share: 0.7}))
    user, _, item = draw(sampler, np.arange(10))
    mine = {(int(user), int(item)) for user, item in zip(events.user, events.item, strict=True)}
    assert len(item) > 100
    assert not mine & {(int(user), int(one)) for user, one in zip(user, item, strict=True)}


def test_hard_negatives_are_candidates_of_the_examples_triggers(clustered: HeteroData) -> None:
    """Profiles bring pairs of both halves; here each shopper's triggers have candidates in the own half only."""
    options = PairOptions(candidates=6, window=3, profile_share=0.0)
    sampler, events, pairs = make_sampler(clustered, options, negatives=40, popular=0.0, hard=1.0)
    _, row, item = draw(sampler, np.arange(len(sampler)))
    reached = set()
    for example in range(len(sampler)):
        begin = sampler._begin[example]
        for trigger in events.item[events.start[events.user[begin]] : begin]:
            reached |= {(example, int(one)) for one in pairs.target[pairs.start[trigger] : pairs.start[trigger + 1]]}
    drawn = set(zip(row.tolist(), item.tolist(), strict=True))
    assert len(drawn) > 100
    assert drawn <= reached
    half = make_sampler(clustered, options, negatives=40, popular=0.0, hard=0.5)[0]
    assert not set(zip(*(column.tolist() for column in draw(half, np.arange(len(half)))[1:]), strict=True)) <= reached


def test_hard_negatives_are_uniform_where_no_trigger_has_candidates(snapshot) -> None:  # type: ignore[no-untyped-def]
    events = [(0, 0, 0), (0, 1, 1), (1, 0, 0), (1, 2, 1)]
    sampler, _, pairs = make_sampler(snapshot(events, users=2, items=4), popular=0.0, hard=1.0)
    sampler.pairs = dataclasses.replace(pairs, start=np.zeros_like(pairs.start))
    _, _, item = draw(sampler, np.arange(len(sampler)))
    assert len(item)


def test_in_batch_negatives_are_positives_of_the_batch(clustered: HeteroData) -> None:
    sampler, events, _ = make_sampler(clustered, negatives=20, popular=0.0, in_batch=1.0)
    few = events.item[[0, 1, 2]]
    user = np.arange(4)
    _, item = sampler._negatives(user, (np.zeros(0, int),) * 2, few, np.random.default_rng(0))
    assert len(item)
    assert set(item.tolist()) <= set(few.tolist())


@pytest.mark.parametrize("shares", [{"hard": 1.5}, {"popular": -0.1}, {"popular": 0.5, "in_batch": 0.4, "hard": 0.2}])
def test_shares_of_negatives_are_shares(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="shares of the negatives"):
        SamplingOptions(**shares)


def test_triggers_lie_before_the_moment(clustered: HeteroData) -> None:
    sampler, events, _ = make_sampler(clustered, triggers=3)
    for example in range(len(sampler)):
        batch = sampler.batch(np.array([example]), np.random.default_rng(0))
        begin = sampler._begin[example]
        history = min(3, begin - events.start[events.user[begin]])
        assert batch["user", "trigger", "item"].edge_index.size(1) == history


def test_batches_repeat_from_the_seed_and_after_a_skip(clustered: HeteroData) -> None:
    sampler, _, _ = make_sampler(clustered)
    once, again = list(sampler.batches(0)), list(sampler.batches(0, skip=2))
    assert len(once) > 3
    for one, other in zip(once[2:], again, strict=True):
        assert torch.equal(one.c, other.c)
        assert torch.equal(one["user", "candidate", "item"].edge_index, other["user", "candidate", "item"].edge_index)
    other_epoch = next(sampler.batches(1))
    assert not torch.equal(once[0]["user"].z, other_epoch["user"].z)


def test_held_out_edges_change_nothing(snapshot) -> None:  # type: ignore[no-untyped-def]
    events = [(user, (user + place) % 9, place) for user in range(6) for place in range(4)]
    plain = snapshot(events, users=6, items=12)
    held = snapshot(events, users=6, items=12, held_out=[(user, 10, 9) for user in range(6)])
    one, other = (candidate_pairs(Interactions.of(data), data, OPTIONS) for data in (plain, held))
    np.testing.assert_array_equal(one.target, other.target)
    np.testing.assert_array_equal(one.together, other.together)
    assert not Interactions.of(held).buyers[10]


def test_weighted_negatives_stand_for_all_items(clustered: HeteroData) -> None:
    """However they are drawn, the weights of those of one item add up to 1 on average."""
    sampler, events, _ = make_sampler(clustered, negatives=200, popular=0.5, weighted=True)
    batch = sampler.batch(np.arange(8), np.random.default_rng(0))
    candidate = batch["user", "candidate", "item"]
    example = candidate.edge_index[0]
    other = candidate.y == 0
    assert (candidate.weight[~other] == 1).all()
    total = torch.bincount(example[other], candidate.weight[other], minlength=8).numpy()
    had = np.array([len(np.unique(events.item[events.user == user])) for user in events.user[sampler._begin[:8]]])
    np.testing.assert_allclose(total, len(sampler.eligible) - had, rtol=0.2)


def test_weights_want_chances_that_are_known() -> None:
    with pytest.raises(ValueError, match="weighted negatives are drawn uniformly or by popularity"):
        SamplingOptions(weighted=True, hard=0.1)


@pytest.fixture
def returning(snapshot) -> HeteroData:  # type: ignore[no-untyped-def]
    """Baskets of three among twelve items: much is bought again."""
    rng = np.random.default_rng(3)
    baskets = [(user, place, rng.choice(12, 3, replace=False)) for user in range(8) for place in range(6)]
    return snapshot([(user, int(item), place) for user, place, items in baskets for item in items], users=8, items=12)


REPEATS = dataclasses.replace(OPTIONS, repeats=True)


@pytest.mark.parametrize("weighted", [True, False])
def test_what_a_shopper_had_is_a_positive_when_it_comes_again_and_else_a_negative(
    returning: HeteroData, weighted: bool
) -> None:
    """Own negatives count as often as all own items would, or as at the rate of the others, 6 of 12."""
    options = {"negatives": 6, "own": 4, "positives": 9, "popular": 0.0, "weighted": weighted}
    sampler, events, _ = make_sampler(returning, REPEATS, **options)
    for example in range(len(sampler)):
        batch = sampler.batch(np.array([example]), np.random.default_rng(0))
        begin = sampler._begin[example]
        user = events.user[begin]
        now = (events.user == user) & (events.moment == events.moment[begin])
        before = set(events.item[events.start[user] : begin].tolist())
        candidate = batch["user", "candidate", "item"]
        # Items by their codes: the first is the item's number.
        item = batch["item"].x[candidate.edge_index[1]][:, 0].numpy() - 1
        positive = candidate.y.numpy() == 1
        assert set(item[positive].tolist()) == set(events.item[now].tolist())
        own = ~positive & np.isin(item, list(before))
        left = before - set(events.item[now].tolist())
        assert set(item[own].tolist()) <= left
        assert own.sum() == min(4, len(left))
        assert candidate.weight[own].sum() == pytest.approx(len(left) * (1 if weighted else 0.5))


def test_repeats_are_seen_without_all_that_the_shopper_did(returning: HeteroData) -> None:
    """The codes of an item with itself are those of a world without the shopper, found again or not."""
    sampler, events, _ = make_sampler(returning, REPEATS, negatives=6, weighted=True, popular=0.0)
    seen = {True: 0, False: 0}
    for example in range(len(sampler)):
        batch = sampler.batch(np.array([example]), np.random.default_rng(0))
        user = events.user[sampler._begin[example]]
        world = candidate_pairs(events.where(events.user != user), returning, REPEATS)
        candidate, trigger = batch["user", "candidate", "item"], batch["user", "trigger", "item"]
        number = batch["item"].x[:, 0].numpy() - 1
        source = number[trigger.edge_index[1][batch.path_trigger]]
        target = number[candidate.edge_index[1][batch.path_candidate]]
        np.testing.assert_array_equal(batch.path_itself, source == target)
        for path in np.flatnonzero(source == target):
            own = dataclasses.replace(world, buyers=world.buyers + (np.arange(12) == source[path]))
            less = Part(*(np.zeros(1, np.float32),) * 3, np.ones(1, int))
            pair = world.find(source[path : path + 1], target[path : path + 1])
            np.testing.assert_array_equal(batch.c[path], sampler.encoder.pair_codes(own, pair, less)[0])
            seen[bool(candidate.y[batch.path_candidate[path]])] += 1
    assert min(seen.values()) > 20


def test_histories_are_the_latest_items_before_the_moment(clustered: HeteroData) -> None:
    events = Interactions.of(clustered)
    pairs = candidate_pairs(events, clustered, OPTIONS)
    encoder = Encoder.fit(clustered, events, pairs, None, 1)
    sampler = Sampler(events, pairs, encoder, np.ones(len(events), bool), SamplingOptions(negatives=6), history=4)
    examples = np.arange(0, len(sampler), 5)
    batch = sampler.batch(examples, np.random.default_rng(0))
    x, codes = batch["item"].x, sampler.item_codes[: events.items]
    for row, example in zip(batch["user"].history, examples, strict=True):
        begin = sampler._begin[example]
        mine = events.item[max(events.start[events.user[begin]], begin - 4) : begin]
        assert (row[: 4 - len(mine)] == len(x)).all()
        np.testing.assert_array_equal(x[row[4 - len(mine) :]], codes[mine])


def with_days(data: HeteroData, days: list[int]) -> HeteroData:
    """The snapshot whose events happened on these days."""
    data["user", "interacted", "item"].event_time = torch.tensor(days) * 24 * 3600
    return data


def found_by_example(sampler: Sampler, events: Interactions) -> dict[tuple[int, int], set[int]]:
    """User and moment of each example → items of its positives."""
    found = {}
    for example in range(len(sampler)):
        batch = sampler.batch(np.array([example]), np.random.default_rng(0))
        candidate, begin = batch["user", "candidate", "item"], sampler._begin[example]
        items = batch["item"].x[candidate.edge_index[1][candidate.y == 1]][:, 0].numpy() - 1
        assert len(items) == len(set(items.tolist()))
        found[int(events.user[begin]), int(events.moment[begin])] = set(items.tolist())
    return found


@pytest.mark.parametrize("repeats", [False, True])
def test_what_is_found_within_the_horizon_is_a_positive(snapshot, repeats: bool) -> None:  # type: ignore[no-untyped-def]
    """Shopper 0 on days 0, 3, 9 and 12; the data ends on day 20, so a moment after day 13 has no whole week left."""
    events = [(0, 0, 0), (0, 1, 1), (0, 2, 2), (0, 1, 3), (0, 3, 3), (1, 0, 0), (1, 2, 1), (1, 4, 2), (1, 5, 3)]
    data = with_days(snapshot(events, users=2, items=6), [0, 3, 9, 12, 12, 0, 8, 15, 20])
    options = dataclasses.replace(OPTIONS, repeats=repeats)
    sampler, seen, _ = make_sampler(data, options, horizon=7, negatives=2, positives=9)
    again = {1} if repeats else set()
    assert found_by_example(sampler, seen) == {(0, 1): {1, 2}, (0, 2): {2, 3} | again, (0, 3): {3} | again, (1, 1): {2}}
    alone, _, _ = make_sampler(data, options, negatives=2, positives=9)
    assert found_by_example(alone, seen)[0, 1] == {1}


def test_a_horizon_wants_times(snapshot) -> None:  # type: ignore[no-untyped-def]
    data = with_days(snapshot([(0, 0, 0), (0, 1, 1), (0, 2, 2)], users=1, items=3), [0, 1, 2])
    data["user", "interacted", "item"].event_time[1] = -1
    with pytest.raises(SourceError, match=r"1 of 3 have none: train with sampling: \{horizon: 0\}"):
        make_sampler(data, horizon=1)


def test_drawn_positives_stand_for_all_of_the_horizon(returning: HeteroData) -> None:
    sampler, events, _ = make_sampler(returning, REPEATS, horizon=2, positives=2, negatives=6)
    every, _, _ = make_sampler(returning, REPEATS, horizon=2, positives=99, negatives=6)
    assert len(sampler) > 10
    for example in range(len(sampler)):
        some, whole = (
            one.batch(np.array([example]), np.random.default_rng(0))["user", "candidate", "item"]
            for one in (sampler, every)
        )
        assert int(some.y.sum()) == 2
        assert float((some.weight * some.y).sum()) == pytest.approx(float(whole.y.sum()))
        assert events.time[sampler._begin[example]] + 2 * 24 * 3600 <= events.time.max() + 1
