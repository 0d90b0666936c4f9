"""Cypher's scores are the sums of PDN's eq. 14, on random graphs and in the cases that sums alone do not show."""

import math
import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cypher.explain import explain
from cypher.paths import paths
from cypher.rank import rank
from cypher.recommend import recommend
from cypher.walk import shortlist_for
from graph.constraints import create_constraints
from graph.driver import Database
from graph.errors import NotFound, StoreError
from graph.generations import switch, write_generation
from tests.weighted_graph import WeightedGraph, star

EXAMPLES = int(os.environ.get("TWOHOP_EXAMPLES", "25"))  # random graphs; make faults sets more
EXPONENT = st.floats(-6, 6).map(lambda x: math.exp(round(x, 2)))  # rounded, so that equal weights come up


def near(value: float) -> object:
    return pytest.approx(value, abs=1e-5, rel=1e-5)


@pytest.fixture(scope="module")
def graph(database: Database) -> Database:
    create_constraints(database)
    return database


@pytest.fixture(scope="module")
def serve(graph: Database) -> Callable[[WeightedGraph], int]:
    """Make a graph with its weights the whole database, live."""

    def serve(small: WeightedGraph) -> int:
        small.write(graph)
        generation = write_generation(graph, small.weights(), model="pdn", data="tests", artefact="sha", metrics={})
        switch(graph, generation)
        return generation

    return serve


@st.composite
def weighted_graphs(draw: st.DrawFn) -> WeightedGraph:
    items = [f"i{place}" for place in range(draw(st.integers(1, 9)))]
    size = draw(st.integers(1, 4))
    vectors = st.lists(st.floats(-20, 20, width=32), min_size=size, max_size=size)
    some = st.lists(st.sampled_from(items), unique=True)
    users = ["u0", "u1"]
    return WeightedGraph(
        triggers={user: {item: draw(EXPONENT) for item in draw(some)} for user in users},
        similar={j: {i: draw(EXPONENT) for i in draw(some)} for j in items},
        available={item: draw(st.sampled_from([True, True, None, False])) for item in items},
        user_direct={user: draw(vectors) for user in users},
        item_direct={item: draw(vectors) for item in items},
        repeat_power=draw(st.sampled_from([1.0, 2.0, 2.5])),
    )


@hypothesis_settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    small=weighted_graphs(),
    m=st.integers(1, 6),
    k=st.integers(1, 6),
    n=st.integers(1, 10),
    repeats=st.booleans(),
    new=st.integers(0, 8),
)
def test_cypher_is_the_plain_sum(
    graph: Database,
    serve: Callable[[WeightedGraph], int],
    small: WeightedGraph,
    m: int,
    k: int,
    n: int,
    repeats: bool,
    new: int,
) -> None:
    newer = f"i{new}"
    if newer in small.available and newer not in small.triggers["u0"]:
        small.unweighted = {("u0", newer)}
    generation = serve(small)

    answer = recommend(graph, "u0", n, m=m, k=k, shortlist=1000, repeats=repeats, explain=True, fill=False)
    assert answer.generation == generation
    if not small.triggers["u0"]:
        assert answer.fallback == "popular"
    else:
        expected = small.candidates("u0", m, k, repeats)
        assert len(answer.items) == min(n, len(expected))
        assert [item.score for item in answer.items] == [near(s) for s in sorted(expected.values(), reverse=True)[:n]]
        assert [(-item.score, item.id) for item in answer.items] == sorted((-i.score, i.id) for i in answer.items)
        for item in answer.items:
            assert item.score == near(expected[item.id])
            assert item.direct == near(small.direct("u0", item.id))
            truth = small.paths("u0", m, k)[item.id]
            assert {path.trigger: path.path for path in item.paths} == {j: near(value) for j, value in truth.items()}
            assert [path.path for path in item.paths] == sorted((path.path for path in item.paths), reverse=True)

    ranked = rank(graph, "u0", list(small.available), m=m, k=k)
    assert {item.id: item.score for item in ranked} == {
        item: near(small.score("u0", item, m, k)) for item in small.available
    }
    assert [(-item.score, item.id) for item in ranked] == sorted((-item.score, item.id) for item in ranked)

    item = ranked[0].id
    why = explain(graph, "u0", item, m=m, k=k)
    assert why.score == near(small.score("u0", item, m, k))
    assert why.direct == near(small.direct("u0", item))
    served = small.paths("u0", m, k).get(item, {})
    stored = small.paths("u0", 1000, 1000).get(item, {})
    assert {path.trigger: path.path for path in why.paths} == {j: near(value) for j, value in stored.items()}
    assert {path.trigger for path in why.paths if path.served} == set(served)
    assert sum(path.share for path in why.paths) * why.score == near(why.score - why.direct)


@pytest.fixture
def popular_graph(graph: Database, serve: Callable[[WeightedGraph], int]) -> WeightedGraph:
    small = star(2.0)
    small.triggers["v"] = {"c": 1.0, "d": 1.0}
    small.triggers["w"] = {"d": 1.0}
    small.user_direct |= {"v": [0.0], "w": [0.0]}
    serve(small)
    return small


def test_a_user_without_triggers_gets_popular_items(graph: Database, popular_graph: WeightedGraph) -> None:
    answer = recommend(graph, "new", 3)
    assert answer.fallback == "popular"
    assert [item.id for item in answer.items] == ["d", "a", "c"]
    assert {item.score for item in answer.items} == {0.0}


def test_interactions_newer_than_the_weights_are_seen_and_no_triggers(
    graph: Database, serve: Callable[[WeightedGraph], int]
) -> None:
    small = star(2.0)
    small.unweighted = {("u", "b"), ("new", "d")}
    serve(small)
    assert [item.id for item in recommend(graph, "u", fill=False).items] == ["c", "d"]
    assert [item.id for item in recommend(graph, "u", repeats=True, fill=False).items] == ["b", "c", "d"]
    assert [item.id for item in recommend(graph, "new").items] == ["a", "b"]
    assert recommend(graph, "new").fallback == "popular"


def test_a_generation_of_an_older_version_has_no_power(graph: Database, serve: Callable[[WeightedGraph], int]) -> None:
    small = star(2.0)
    small.similar["a"]["a"] = 3.0
    small.repeat_power = 2.0
    serve(small)
    [best, *_] = recommend(graph, "u", repeats=True, explain=True).items
    assert (best.id, best.paths[0].trigger_weight, best.paths[0].path) == ("a", near(4.0), near(math.log(13)))
    graph.write("MATCH (g:Generation) REMOVE g.repeat_power")
    [best, *_] = recommend(graph, "u", repeats=True, explain=True).items
    assert (best.id, best.paths[0].trigger_weight, best.paths[0].path) == ("a", near(2.0), near(math.log(7)))


def test_the_shortlist_cuts_by_paths_and_never_shortens_the_list(
    graph: Database, serve: Callable[[WeightedGraph], int]
) -> None:
    small = star(2.0, [f"i{place:02}" for place in range(30)])
    small.item_direct["i29"] = [100.0]  # the worst by its path, the best by its score
    small.available |= {f"i{place:02}": False for place in range(10)}
    small.unweighted = {("u", f"i{place:02}") for place in range(10, 20)}
    serve(small)
    assert recommend(graph, "u", 3).items[0].id == "i29"
    assert [item.id for item in recommend(graph, "u", 3, shortlist=5).items] == ["i20", "i21", "i22"]
    assert len(recommend(graph, "u", 10, shortlist=1).items) == 10
    assert (shortlist_for(10), shortlist_for(50), shortlist_for(10, 5)) == (150, 550, 10)


def test_single_precision_never_decides(graph: Database, serve: Callable[[WeightedGraph], int]) -> None:
    names = [f"i{place:02}" for place in range(15)]
    small = star(2.0, names)
    small.similar["a"] = dict.fromkeys(names, 1.0)
    # The second part of a product differs by less than a thousandth of what single precision can tell of the whole,
    # against the order of the ids.
    small.user_direct = {user: [1.0, 1e-7] for user in small.user_direct}
    small.item_direct = {"a": [1.0, 1.0]} | {name: [1.0, 1.0 + place / 1e4] for place, name in enumerate(names)}
    serve(small)
    assert [item.id for item in recommend(graph, "u", 10).items] == names[:4:-1]


@pytest.mark.parametrize("tiny", [0.0, 1e-45, 1e-30])
def test_vectors_next_to_nothing_have_a_direct_part(
    graph: Database, serve: Callable[[WeightedGraph], int], tiny: float
) -> None:
    for user, item in ((tiny, 2.0), (2.0, tiny), (tiny, tiny)):
        small = star(2.0)
        small.user_direct["u"], small.item_direct["b"] = [user], [item]
        serve(small)
        found = {one.id: one.direct for one in recommend(graph, "u").items}
        assert found["b"] == pytest.approx(math.log(2))


@pytest.mark.parametrize("d", [-800.0, -30.0, 0.0, 30.0, 800.0])
def test_the_direct_part_is_stable(graph: Database, serve: Callable[[WeightedGraph], int], d: float) -> None:
    small = star(2.0)
    small.user_direct["u"] = [d]
    serve(small)
    direct = recommend(graph, "u").items[0].direct
    assert direct == pytest.approx(max(d, 0.0) + math.log1p(math.exp(-abs(d))), abs=1e-12)


def test_what_came_after_the_weights_has_no_direct_part(graph: Database, serve: Callable[[WeightedGraph], int]) -> None:
    serve(star(2.0))
    graph.write("CREATE (:Item {id: 'late', title: 'Late', available: true}), (:User {id: 'late'})")
    [late] = rank(graph, "u", ["late"])
    assert (late.score, late.direct) == (0.0, 0.0)
    assert [item.score for item in rank(graph, "late", ["a"])] == [0.0]
    why = explain(graph, "u", "late")
    assert (why.score, why.paths) == (0.0, ())


def test_paths_of_an_earlier_generation(graph: Database, serve: Callable[[WeightedGraph], int]) -> None:
    first = serve(star(2.0))
    later = star(8.0).weights()
    switch(graph, write_generation(graph, later, model="pdn", data="tests", artefact="other", metrics={}))
    for weight, generation in ((2.0, first), (8.0, None)):
        [path] = paths(graph, "u", ["b", "nothing"], generation=generation)["b"]
        assert path.path == pytest.approx(math.log1p(weight * weight))
    assert paths(graph, "u", ["nothing"]) == {"nothing": []}


def test_unknown_users_and_items_are_named(graph: Database, serve: Callable[[WeightedGraph], int]) -> None:
    serve(star(2.0))
    for call in (
        lambda: recommend(graph, "nobody"),
        lambda: rank(graph, "nobody", ["a"]),
        lambda: explain(graph, "nobody", "a"),
    ):
        with pytest.raises(NotFound, match="user 'nobody' is not in the graph"):
            call()
    with pytest.raises(NotFound, match=r"item 'x' is not in the graph \(2 of 3 are not\)"):
        rank(graph, "u", ["a", "x", "y"])
    with pytest.raises(NotFound, match="item 'x' is not in the graph"):
        explain(graph, "u", "x")


def test_without_live_weights_it_says_so(graph: Database) -> None:
    star(2.0).write(graph)
    for call in (
        lambda: recommend(graph, "u"),
        lambda: rank(graph, "u", ["a"]),
        lambda: explain(graph, "u", "a"),
    ):
        with pytest.raises(StoreError, match="no live weights: run twohop train pdn, then twohop index"):
            call()
