"""Flat event arrays against loops."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import HeteroData

from models.candidates import candidate_pairs, transitions
from models.features import behaviour_columns
from models.interactions import DAY, HALF_LIVES, Interactions, spans
from models.pairs import PairOptions, repeated

rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 4)), max_size=30)


def interactions(rows: list[tuple[int, int, int]]) -> Interactions:
    """(user, item, moment) rows, put into each user's order, with moments renumbered from 0."""
    ordered = sorted(rows, key=lambda row: (row[0], row[2]))
    numbers: dict[int, dict[int, int]] = {}
    moment = [numbers.setdefault(u, {}).setdefault(m, len(numbers.get(u, {}))) for u, _, m in ordered]
    user, item = ([row[place] for row in ordered] for place in (0, 1))
    size = len(ordered)
    unknown = np.full(size, np.nan, dtype=np.float32)
    ints = (np.array(column, dtype=np.int64) for column in (user, item, moment))
    return Interactions(4, 6, *ints, np.full(size, -1), unknown, unknown, np.full(size, -1))


@given(rows)
def test_properties_against_loops(rows: list[tuple[int, int, int]]) -> None:
    events = interactions(rows)
    keys = list(zip(events.user.tolist(), events.item.tolist(), strict=True))
    for place, key in enumerate(keys):
        earlier = [other for other in range(place) if keys[other] == key]
        later = [other for other in range(place + 1, len(keys)) if keys[other] == key]
        assert events.first[place] == (not earlier)
        assert events.occurrence[place] == len(earlier) + 1
        assert events.next_same[place] == (later[0] if later else len(keys))
        assert events.first_event[place] == (earlier[0] if earlier else place)
        assert events.gap_before[place] == (events.moment[place] - events.moment[earlier[-1]] if earlier else -1)
        same = [
            o
            for o in range(len(keys))
            if (events.user[o], events.moment[o]) == (events.user[place], events.moment[place])
        ]
        assert events.moment_start[place] == same[0]
    for item in range(6):
        assert events.buyers[item] == len({u for u, i in keys if i == item})
    for user in range(4):
        assert events.start[user] == sum(u < user for u, _ in keys)


@given(rows, st.integers(1, 3))
def test_transitions_against_loops(rows: list[tuple[int, int, int]], window: int) -> None:
    events = interactions(rows)
    expected = np.zeros((6, 6))
    first = np.flatnonzero(events.first)
    for a in first:
        for b in first:
            gap = events.moment[b] - events.moment[a]
            if a != b and events.user[a] == events.user[b] and 0 <= gap <= window:
                expected[events.item[a], events.item[b]] += 1 / max(gap, 1)
    np.testing.assert_allclose(transitions(events, window).toarray(), expected, rtol=1e-6)


@given(rows, st.integers(1, 3))
def test_repeats_against_loops(rows: list[tuple[int, int, int]], window: int) -> None:
    events = interactions(rows)
    several, moved = repeated(events, window)
    for place in range(len(events)):
        same = (events.user == events.user[place]) & (events.item == events.item[place])
        moments = np.unique(events.moment[same])
        assert several[place] == (len(moments) > 1)
        gaps = np.diff(moments)
        assert moved[place] == pytest.approx((1 / gaps[gaps <= window]).sum())


@given(rows, st.lists(st.integers(-1, 400), min_size=40, max_size=40))
def test_fading_counts_against_loops(rows: list[tuple[int, int, int]], days: list[int]) -> None:
    events = interactions(rows)
    times = np.array(days)[np.arange(len(events)) % 40] * DAY
    for user in range(events.users):
        times[events.user == user] = np.sort(times[events.user == user])
    times[times < 0] = -1
    events = dataclasses.replace(events, time=times)
    for place in range(len(events)):
        same = (events.user == events.user[place]) & (events.item == events.item[place])
        same[place + 1 :] = False
        for column, half_life in enumerate(HALF_LIVES):
            count, last = 0.0, -1
            for time in times[same].tolist():
                gap = (time - last) / DAY if min(time, last) >= 0 else 0
                count, last = 1 + count * 2 ** (-gap / half_life), time
            assert events.fading[place, column] == pytest.approx(count)
            end = events.start[events.user[place] + 1]
            gap = (times[end - 1] - last) / DAY if min(times[end - 1], last) >= 0 else 0
            seen = behaviour_columns(events, np.array([place]), np.array([end]))[f"count_{half_life}"]
            assert seen == pytest.approx([count * 2 ** (-gap / half_life)])


def test_with_repeats_every_item_is_a_candidate_of_itself(snapshot) -> None:  # type: ignore[no-untyped-def]
    """Item 0 twice by both users, after 2 moments and after 1; item 1 twice by one, after 4, beyond the window."""
    moments = {0: [[1], [0], [2], [0], [3], [1]], 1: [[0], [0], [4]]}
    events = [
        (user, item, place) for user, all_ in moments.items() for place, items in enumerate(all_) for item in items
    ]
    data = snapshot(events, users=2, items=6)
    one, other = (
        candidate_pairs(Interactions.of(data), data, PairOptions(candidates=20, window=3, repeats=repeats))
        for repeats in (False, True)
    )
    own = other.source == other.target
    assert other.target[own].tolist() == [0, 1, 2, 3, 4]  # nobody has item 5
    assert other.together[own].tolist() == [2, 1, 0, 0, 0]
    assert other.forward[own].tolist() == other.backward[own].tolist() == [1.5, 0, 0, 0, 0]
    for name in ("source", "target", "together", "forward", "backward", "text", "brand", "depth"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name)[~own])
    assert (other.depth[own] > other.depth[~own].max()).all()
    assert other.find(np.arange(6), np.arange(6)).tolist() == [*np.flatnonzero(own), -1]


def test_pairs_are_found_by_their_items(clustered: HeteroData) -> None:
    pairs = candidate_pairs(Interactions.of(clustered), clustered, PairOptions(candidates=9))
    numbers = {(int(j), int(i)): place for place, (j, i) in enumerate(zip(pairs.source, pairs.target, strict=True))}
    assert 100 < len(numbers) < 24 * 23
    source, target = (grid.ravel() for grid in np.meshgrid(np.arange(24), np.arange(24)))
    expected = [numbers.get((int(j), int(i)), -1) for j, i in zip(source, target, strict=True)]
    assert pairs.find(source, target).tolist() == expected


@pytest.mark.parametrize("walked", [0, 1e9], ids=["looked up", "walked"])
def test_what_pairs_within_a_place(clustered: HeteroData, monkeypatch: pytest.MonkeyPatch, walked: float) -> None:
    monkeypatch.setattr("models.pairs.WALKED", walked)
    pairs = candidate_pairs(Interactions.of(clustered), clustered, PairOptions(candidates=9))
    numbers = {(int(j), int(i)): number for number, (j, i) in enumerate(zip(pairs.source, pairs.target, strict=True))}
    rng = np.random.default_rng(0)
    place, source = rng.integers(0, 5, 30), rng.integers(0, 24, 30)
    of, target = np.sort(rng.integers(1, 5, 60)), rng.integers(0, 24, 60)  # no target at place 0, some targets twice
    expected = {
        (a, b, numbers[source[a], target[b]])
        for a in range(30)
        for b in range(60)
        if place[a] == of[b] and (source[a], target[b]) in numbers
    }
    found = list(zip(*(part.tolist() for part in pairs.between(place, source, of, target)), strict=True))
    assert len(found) == len(expected) > 50
    assert set(found) == expected
    assert [part.tolist() for part in pairs.between(place, source, of[:0], target[:0])] == [[], [], []]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5)), max_size=10))
def test_spans(pairs: list[tuple[int, int]]) -> None:
    start = np.array([begin for begin, _ in pairs], dtype=np.int64)
    stop = start + np.array([size for _, size in pairs], dtype=np.int64)
    row, element = spans(start, stop)
    expected = [(place, one) for place, (begin, size) in enumerate(pairs) for one in range(begin, begin + size)]
    assert list(zip(row.tolist(), element.tolist(), strict=True)) == expected


def test_last_moments_are_each_users_last_basket() -> None:
    events = interactions([(0, 0, 0), (0, 1, 1), (0, 2, 2), (0, 3, 2), (1, 0, 0), (1, 1, 1)])
    assert events.last_moments(least=3).tolist() == [False, False, True, True, False, False]


def test_validation_is_the_last_days_where_enough_is_left(snapshot) -> None:  # type: ignore[no-untyped-def]
    """Two shoppers of four moments, an hour apart from the first of the one to the last of the other."""
    events = Interactions.of(
        snapshot([(user, place, place) for user in (0, 1) for place in range(4)], users=2, items=4)
    )
    days = dataclasses.replace(events, time=events.time * 24)
    assert days.validation("days:3").tolist() == [False] * 5 + [True] * 3
    last = [False, False, False, True] * 2
    assert [days.validation(name).tolist() for name in ("days:5", "last", "none")] == [last] * 3
