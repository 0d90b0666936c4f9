"""Eq. 2 and 3 and the segmentation of section IV.D, against the paper's formulas in a naive form."""

import math
import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graph.errors import SettingsError
from models.intents.clusters import (
    DAY,
    Cluster,
    Engagement,
    RankerOptions,
    log_score,
    nearest_linked,
    pursued,
    rank,
    recency,
    segment,
)

NOW = 1_500_000_000.0
PLAIN = RankerOptions()
INTENTS = {"tent": ["camp", "hike"], "stove": ["camp"], "boots": ["hike"], "cake": ["party", "camp"], "nail": []}

options = st.builds(
    lambda recency_power, activeness_power, leniency: RankerOptions(
        recency_power=recency_power, activeness_power=activeness_power, leniency=leniency
    ),
    st.floats(0, 5),
    st.floats(0, 5),
    st.floats(0.5, 2.7),
)
ages = st.floats(0, 300)


@given(options, ages, st.integers(1, 10_000))
@example(RankerOptions(leniency=0.5), 300.0, 1)
def test_against_the_paper(options: RankerOptions, age: float, activeness: int) -> None:
    reward = 1 / (1 + (math.e / options.leniency) ** (age - 10))
    assert recency(age, options) == pytest.approx(reward, rel=1e-9)
    score = reward**options.recency_power * activeness**options.activeness_power
    ranked = rank([Cluster("camp", activeness, last=NOW - age * DAY)], NOW, options)
    assert ranked[0].score == pytest.approx(score, rel=1e-6)
    assert math.exp(log_score(age, activeness, options)) == pytest.approx(score, rel=1e-6)


@given(options)
def test_half_of_the_reward_after_ten_days(options: RankerOptions) -> None:
    assert recency(10, options) == pytest.approx(0.5, rel=1e-12)


@given(options, ages, ages)
def test_older_is_never_better(options: RankerOptions, one: float, other: float) -> None:
    old, young = max(one, other), min(one, other)
    assert recency(old, options) <= recency(young, options)
    assert log_score(old, 3, options) <= log_score(young, 3, options)


@given(ages, st.floats(0.1, 2.6), st.floats(0.01, 0.1))
def test_a_greater_alpha_decays_slower(age: float, leniency: float, more: float) -> None:
    """As the formula says, not the words beside it."""
    strict, lenient = (recency(age, RankerOptions(leniency=alpha)) for alpha in (leniency, leniency + more))
    assert lenient >= strict if age >= 10 else lenient <= strict


@pytest.mark.parametrize("age", [10_000.0, 1e9])
def test_years_ago_is_zero_and_still_ordered(age: float) -> None:
    assert recency(age, PLAIN) == 0.0
    scores = [log_score(age + days, 3, PLAIN) for days in (0, 1, 2)]
    assert all(math.isfinite(score) for score in scores)
    assert all(young > old for young, old in pairwise(scores))
    assert log_score(age, 4, PLAIN) > log_score(age, 3, PLAIN)


@given(
    st.floats(0, 1e12),
    st.integers(1, 10**12),
    st.floats(0, 100),
    st.floats(0, 100),
    st.floats(0, math.e, exclude_min=True, exclude_max=True),
)
@example(10.0, 1, 0.0, 0.0, 5e-324)
@example(0.0, 10**12, 0.0, 100.0, 2.0)
def test_no_parameters_overflow(age: float, activeness: int, recent: float, active: float, leniency: float) -> None:
    options = RankerOptions(recency_power=recent, activeness_power=active, leniency=leniency)
    assert 0 <= recency(age, options) <= 1
    (cluster,) = rank([Cluster("camp", activeness, last=-age * DAY)], 0, options)
    assert math.isfinite(cluster.log_score)
    assert math.isfinite(cluster.score)


@pytest.mark.parametrize("ask", [lambda: recency(-0.5, PLAIN), lambda: log_score(-0.5, 1, PLAIN)])
def test_the_future_is_refused(ask: Any) -> None:
    with pytest.raises(SettingsError, match=r"^an engagement lies 0.5 days in the future: .*--now$"):
        ask()


def test_rank_refuses_what_lies_after_now() -> None:
    clusters = segment([Engagement("tent", NOW + 1)], INTENTS)
    with pytest.raises(SettingsError, match=r"^an engagement lies .* days in the future"):
        rank(clusters, NOW, PLAIN)


@pytest.mark.parametrize(
    "given",
    [
        {"leniency": math.e},
        {"leniency": 3.0},
        {"leniency": 0.0},
        {"leniency": -1.0},
        {"leniency": math.nan},
        {"leniency": math.inf},
        {"leniency": 2.0, "base": 2.0},
        {"leniency": 2.0, "base": 1.5},
        {"base": 0.0},
        {"base": -1.0},
        {"base": math.nan},
        {"base": math.inf},
        {"recency_power": -0.1},
        {"recency_power": math.nan},
        {"recency_power": math.inf},
        {"activeness_power": -0.1},
        {"activeness_power": math.nan},
        {"activeness_power": math.inf},
        {"epsilon": 2.0},
    ],
)
def test_parameters_that_cannot_be(given: dict[str, float]) -> None:
    with pytest.raises(SettingsError) as refused:
        RankerOptions.of(**given)
    assert "\n" not in str(refused.value)
    assert any(word in str(refused.value) for word in given)


def test_parameters_left_out_are_the_defaults() -> None:
    assert RankerOptions.of(leniency=None, base=None) == RankerOptions()
    assert RankerOptions.of(recency_power=2.0, leniency=None).recency_power == 2.0


def by_intent(engagements: list[Engagement]) -> dict[str, Cluster]:
    return {cluster.intent: cluster for cluster in segment(engagements, INTENTS)}


def test_intents_interleave_and_overlap() -> None:
    events = [("tent", 1), ("boots", 2), ("stove", 3), ("cake", 4), ("boots", 5), ("tent", 6), ("cake", 9)]
    found = by_intent([Engagement(category, time) for category, time in events])
    told = {key: (one.activeness, one.first, one.last, one.categories) for key, one in found.items()}
    assert told == {
        "camp": (3, 1, 6, ["tent", "stove"]),
        "hike": (2, 2, 5, ["boots"]),
        "party": (2, 4, 9, ["cake"]),
    }


def test_a_single_event_is_a_cluster() -> None:
    (cluster,) = segment([Engagement("stove", NOW, 4)], INTENTS)
    assert (cluster.intent, cluster.activeness, cluster.first, cluster.last) == ("camp", 4, NOW, NOW)


def test_what_serves_no_intent_is_in_no_cluster() -> None:
    assert segment([Engagement("nail", 1), Engagement("unheard of", 2)], INTENTS) == []
    assert segment([], INTENTS) == []


def test_equal_times_are_ordered_by_id() -> None:
    events = [Engagement(category, NOW) for category in ("cake", "boots", "stove", "tent", "tent", "cake", "boots")]
    found = rank(segment(events, INTENTS), NOW, PLAIN)
    assert [cluster.intent for cluster in found] == ["camp", "hike", "party"]
    assert found[0].categories == ["stove", "tent"]
    found = rank(segment(events[:2], INTENTS), NOW, PLAIN)
    assert [cluster.intent for cluster in found] == ["hike", "party"]


def test_at_equal_scores_the_one_engaged_with_last_comes_first() -> None:
    events = [Engagement("stove", NOW - DAY), Engagement("tent", NOW - 2 * DAY), Engagement("cake", NOW)]
    still = RankerOptions(recency_power=0, activeness_power=0)
    assert [cluster.intent for cluster in rank(segment(events, INTENTS), NOW, still)] == ["party", "camp"]


events = st.lists(
    st.builds(Engagement, st.sampled_from(sorted(INTENTS)), st.integers(0, 30).map(float), st.integers(1, 3))
)


@given(events, st.randoms())
def test_the_order_of_events_does_not_matter(events: list[Engagement], rng: random.Random) -> None:
    shuffled = rng.sample(events, len(events))
    assert rank(segment(shuffled, INTENTS), 30, PLAIN) == rank(segment(events, INTENTS), 30, PLAIN)


@given(events)
def test_segments_against_a_naive_loop(events: list[Engagement]) -> None:
    found = {cluster.intent: cluster for cluster in rank(segment(events, INTENTS), 30, PLAIN)}
    served = {event: INTENTS[event.category][0] for event in events if INTENTS[event.category]}
    assert set(found) == set(served.values())
    for intent, cluster in found.items():
        mine = [event for event in events if served.get(event) == intent]
        assert cluster.activeness == sum(event.count for event in mine)
        assert (cluster.first, cluster.last) == (min(one.time for one in mine), max(one.time for one in mine))
        assert set(cluster.categories) == {event.category for event in mine}
        newest = [max(one.time for one in mine if one.category == category) for category in cluster.categories]
        assert newest == sorted(newest, reverse=True)


def engagements(items: dict[str, tuple[int, list[int], list[int]]], user: str = "u") -> dict[str, object]:
    """A row of `graph/statements/user_engagements.cypher`: {item: (count, times, positions)}."""
    counts, times, positions = zip(*items.values(), strict=True) if items else ((), (), ())
    state = ["links", "1", "2", str(len(items))]
    return {
        "user": user,
        "items": list(items),
        "counts": list(counts),
        "times": list(times),
        "positions": list(positions),
        "state": state,
    }


CATEGORY_OF = {"i1": ["tent"], "i2": ["boots"], "i3": ["cake", "stove"], "i4": ["nail"]}


def pursue(row: dict[str, object], most: int = 12) -> list[dict[str, Any]]:
    (found,) = pursued([row], CATEGORY_OF, INTENTS, NOW, PLAIN, most)
    assert (found["user"], found["state"]) == (row["user"], row["state"])
    return found["clusters"]  # type: ignore[return-value]


def days_ago(days: float) -> int:
    return int(NOW - days * DAY)


def test_pursued_by_times() -> None:
    found = pursue(
        engagements(
            {
                "i1": (2, [days_ago(40), days_ago(3)], [-1, -1]),
                "i2": (1, [days_ago(1)], [-1]),
                "i4": (1, [days_ago(0)], [-1]),
                "unknown": (1, [days_ago(0)], [-1]),
            }
        )
    )
    camp = recency(3, PLAIN)
    assert found == [
        {
            "intent": "camp",
            "score": pytest.approx(2 * camp),
            "recency": pytest.approx(camp),
            "rank": 1,
            "activeness": 2,
            "first": days_ago(40),
            "last": days_ago(3),
            "categories": ["tent"],
        },
        {
            "intent": "hike",
            "score": pytest.approx(recency(1, PLAIN)),
            "recency": pytest.approx(recency(1, PLAIN)),
            "rank": 2,
            "activeness": 1,
            "first": days_ago(1),
            "last": days_ago(1),
            "categories": ["boots"],
        },
    ]


def test_pursued_by_positions_counts_a_step_back_as_a_day() -> None:
    found = pursue(engagements({"i1": (2, [], [0, 2]), "i2": (1, [-1], [5]), "i3": (1, [], [1])}))
    told = {one["intent"]: (one["activeness"], one["first"], one["last"], one["categories"]) for one in found}
    assert told == {
        "camp": (3, days_ago(5), days_ago(3), ["tent", "stove"]),
        "hike": (1, days_ago(0), days_ago(0), ["boots"]),
        "party": (1, days_ago(4), days_ago(4), ["cake"]),
    }


@pytest.mark.parametrize("unknown", [[], [-1, -1, -1]])
def test_pursued_without_times_and_positions_is_now(unknown: list[int]) -> None:
    found = pursue(engagements({"i1": (3, unknown, unknown), "i2": (1, [], [])}))
    assert [(one["intent"], one["activeness"], one["last"]) for one in found] == [
        ("camp", 3, days_ago(0)),
        ("hike", 1, days_ago(0)),
    ]


def test_pursued_keeps_the_most_and_users_apart() -> None:
    row = engagements({"i1": (3, [], []), "i2": (2, [], []), "i3": (1, [], [])})
    assert [one["rank"] for one in pursue(row)] == [1, 2, 3]
    assert [one["intent"] for one in pursue(row, most=2)] == ["camp", "hike"]
    assert pursue(engagements({})) == []
    found = list(pursued([row, engagements({}, "v"), row], CATEGORY_OF, INTENTS, NOW, PLAIN, 1))
    assert [(one["user"], len(one["clusters"])) for one in found] == [("u", 1), ("v", 0), ("u", 1)]  # type: ignore[arg-type]


def test_pursued_refuses_an_event_after_now() -> None:
    with pytest.raises(SettingsError, match="in the future"):
        pursue(engagements({"i1": (1, [int(NOW) + DAY], [-1])}))


def test_the_nearest_linked_node() -> None:
    parents = {"top": None, "a": "top", "b": "a", "c": "b", "alone": None, "orphan": "gone"}
    assert nearest_linked(parents, ["a", "c"]) == {"a": "a", "b": "a", "c": "c"}
    assert nearest_linked(parents, []) == {}


@pytest.mark.timeout(10)
def test_a_cycle_of_parents_ends() -> None:
    parents = {"a": "b", "b": "c", "c": "a", "self": "self", "below": "a", "x": "a"}
    assert nearest_linked(parents, ["top"]) == {}
    assert nearest_linked(parents, ["c"]) == {"a": "c", "b": "c", "c": "c", "below": "c", "x": "c"}
