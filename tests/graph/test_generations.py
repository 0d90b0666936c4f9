"""Generations: written beside the live one, whole or not at all, switched at once, dropped without a trace."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cypher.rank import rank
from cypher.recommend import recommend
from graph import weights as batches
from graph.driver import Database, Parameters, Row, connect
from graph.errors import ArtefactError, Conflict, DatabaseError, Invalid, NotFound, StoreError
from graph.experiment import Experiment, running_experiment, start_experiment, stop_experiment
from graph.generations import (
    drop,
    list_generations,
    live_generation,
    prune,
    rollback,
    switch,
    write_generation,
)
from graph.schema import direct_property, length_property, weight_property
from graph.settings import Settings
from graph.weights import Weights
from tests.weighted_graph import star

TRACES = """
MATCH (n) WHERE n[$direct] IS NOT NULL RETURN 'vector' AS kind
UNION ALL MATCH (n) WHERE n[$length] IS NOT NULL RETURN 'length' AS kind
UNION ALL MATCH ()-[r:INTERACTED]->() WHERE r[$weight] IS NOT NULL RETURN 'weight' AS kind
UNION ALL MATCH ()-[s:SIMILAR {generation: $id}]->() RETURN 'similar' AS kind
"""
KILLED_AFTER = range(7)  # of the seven writes of a small generation


def traces(database: Database, generation: int) -> dict[str, int]:
    names = {
        "direct": direct_property(generation),
        "length": length_property(generation),
        "weight": weight_property(generation),
        "id": generation,
    }
    kinds = [row["kind"] for row in database.read(TRACES, names)]
    return {kind: kinds.count(kind) for kind in set(kinds)}


def write(database: Database, weight: float, artefact: str | None = None, **changed: Any) -> int:
    weights = replace(star(weight).weights(), **changed)
    return write_generation(
        database, weights, model="pdn", data="tests", artefact=artefact or f"sha {weight}", metrics={"ndcg@10": 0.5}
    )


@pytest.fixture
def graph(constrained_database: Database) -> Database:
    star(1.0).write(constrained_database)
    return constrained_database


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "EDGES", 1)
    monkeypatch.setattr(batches, "NODES", 2)


class Cut(Database):
    """A connection that breaks after some more writes."""

    def __init__(self, whole: Database, writes: int) -> None:
        super().__init__(whole.driver, whole.name, whole.address)
        self.left = writes

    def write(self, query: str, parameters: Parameters | None = None, timeout: float | None = None) -> list[Row]:
        if "Generation {" in query:
            self.left -= 1
        if self.left < 0:
            self.driver.close()
        return super().write(query, parameters, timeout)


class Repeating(Database):
    """Every transaction is committed, its answer lost, and the transaction tried again."""

    def write(self, query: str, parameters: Parameters | None = None, timeout: float | None = None) -> list[Row]:
        super().write(query, parameters, timeout)
        return super().write(query, parameters, timeout)


def test_a_written_generation_is_stored_and_not_live(graph: Database) -> None:
    first = write(graph, 2.0)
    [stored] = list_generations(graph)
    assert (stored.id, stored.state, stored.live, stored.model, stored.artefact) == (
        first,
        "ready",
        False,
        "pdn",
        "sha 2.0",
    )
    assert (stored.users, stored.items, stored.interactions, stored.similar) == (2, 4, 1, 3)
    assert stored.metrics == {"ndcg@10": 0.5}
    assert (stored.weight_property, stored.direct_property) == (weight_property(first), direct_property(first))
    assert traces(graph, first) == {"vector": 6, "length": 4, "weight": 1, "similar": 3}
    assert live_generation(graph) is None
    rows = graph.read("MATCH (:Item {id: 'a'})-[s:SIMILAR]->(i) RETURN i.id AS id, s.weight AS weight, s.rank AS rank")
    assert sorted(map(tuple, (row.values() for row in rows))) == [("b", 2.0, 1), ("c", 1.0, 2), ("d", 2.0 / 3, 3)]
    assert graph.read("MATCH (u:User {id: 'u'}) RETURN u[$key] AS p", {"key": direct_property(first)}) == [{"p": [2.0]}]


def test_switch_and_rollback(graph: Database) -> None:
    first, second = write(graph, 1.0), write(graph, 2.0)
    with pytest.raises(Conflict, match="no earlier generation"):
        rollback(graph)
    switch(graph, first)
    switch(graph, second)
    switch(graph, second)
    assert live_generation(graph).id == second
    assert rollback(graph) == first
    assert live_generation(graph).id == first
    assert rollback(graph) == second
    assert [stored.live for stored in list_generations(graph)] == [True, False]


def test_switch_refuses_what_is_not_there_or_not_ready(graph: Database, settings: Settings) -> None:
    first = write(graph, 1.0)
    switch(graph, first)
    with pytest.raises(NotFound, match="generation 99 does not exist"):
        switch(graph, 99)
    with pytest.raises(DatabaseError), connect(settings) as own:
        write(Cut(own, 2), 2.0)
    with pytest.raises(Conflict, match="is writing, not ready"):
        switch(graph, first + 1)
    assert live_generation(graph).id == first


@pytest.mark.parametrize("writes", KILLED_AFTER)
@pytest.mark.usefixtures("small_batches")
def test_an_interrupted_write_leaves_the_live_one_and_goes_on(graph: Database, settings: Settings, writes: int) -> None:
    first = write(graph, 1.0)
    switch(graph, first)
    before = recommend(graph, "u")
    with pytest.raises(DatabaseError), connect(settings) as own:
        write(Cut(own, writes), 2.0)
    assert recommend(graph, "u") == before
    assert live_generation(graph).id == first
    second = write(graph, 2.0)
    assert second == first + 1
    assert traces(graph, second) == {"vector": 6, "length": 4, "weight": 1, "similar": 3}
    switch(graph, second)
    assert recommend(graph, "u").items[0].score == pytest.approx(star(2.0).score("u", "b", 50, 200))


def test_an_unfinished_write_of_other_weights_is_dropped(graph: Database, settings: Settings) -> None:
    for change in ({"artefact": "another"}, {"trigger_weight": np.array([9.0])}):
        with pytest.raises(DatabaseError), connect(settings) as own:
            write(Cut(own, 3), 2.0)
        [unfinished] = [stored.id for stored in list_generations(graph) if stored.state == "writing"]
        assert traces(graph, unfinished)
        later = write(graph, 2.0, **change)
        assert later > unfinished
        assert traces(graph, unfinished) == {}
        assert {stored.state for stored in list_generations(graph)} == {"ready"}


@pytest.mark.usefixtures("small_batches")
def test_a_transaction_that_is_tried_again_changes_nothing(graph: Database) -> None:
    twice = write(Repeating(graph.driver, graph.name, graph.address), 2.0)
    assert traces(graph, twice) == {"vector": 6, "length": 4, "weight": 1, "similar": 3}
    assert [stored.id for stored in list_generations(graph)] == [twice]


@pytest.mark.usefixtures("small_batches")
def test_two_processes_may_write_the_same(graph: Database) -> None:
    written: list[int] = []
    writers = [threading.Thread(target=lambda: written.append(write(graph, 2.0))) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    for generation in {*written}:
        assert traces(graph, generation) == {"vector": 6, "length": 4, "weight": 1, "similar": 3}
    assert {stored.state for stored in list_generations(graph)} == {"ready"}
    assert len(written) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"users": ["u", "stranger"]},
        {"items": ["a", "b", "c", "stranger"]},
        {"trigger_item": np.array([1])},
    ],
)
def test_weights_of_another_graph_are_refused(graph: Database, change: dict[str, Any]) -> None:
    first = write(graph, 1.0)
    switch(graph, first)
    with pytest.raises(StoreError, match="weights name 1 users, items or interactions that the graph has not"):
        write(graph, 2.0, **change)
    assert [stored.id for stored in list_generations(graph)] == [first]
    assert traces(graph, first + 1) == {}
    assert live_generation(graph).id == first


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"trigger_weight": np.array([np.nan])}, "1 values of trigger_weight are not finite"),
        ({"trigger_weight": np.array([0.0])}, "trigger_weight has values of 0 or below"),
        ({"similar_rank": np.array([1, 0, 1])}, "similar_rank is 1 or above, and 0 of an item with itself"),
        ({"trigger_weight": np.array([1.0, 2.0])}, r"trigger_weight has the shape \(2,\), not \(1,\)"),
        ({"item_direct": np.ones((4, 2))}, r"item_direct has the shape \(4, 2\), not \(4, 1\)"),
        ({"trigger_user": np.array([2])}, "trigger_user names a place outside of the 2 ids"),
        ({"similar_target": np.array([1, 2, -1])}, "similar_target names a place outside of the 4 ids"),
        ({"similar_target": np.array([1, 2, 2])}, "a pair of similar_source and similar_target is there twice"),
        ({"items": ["a", "b", "c", "c"]}, "items has an id twice"),
        ({"repeat_power": 0.0}, "repeat_power is 0, not a number of 1 or more"),
    ],
)
def test_impossible_weights_are_refused_before_anything_is_written(
    graph: Database, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(ArtefactError, match=said):
        write(graph, 2.0, **change)
    assert list_generations(graph) == []


def test_a_dropped_generation_leaves_no_trace_and_its_id_never_comes_back(graph: Database) -> None:
    first, second = write(graph, 1.0), write(graph, 2.0)
    switch(graph, first)
    with pytest.raises(Conflict, match=f"generation {first} is live"):
        drop(graph, first)
    drop(graph, second)
    assert traces(graph, second) == {}
    assert traces(graph, first) == {"vector": 6, "length": 4, "weight": 1, "similar": 3}
    assert [stored.id for stored in list_generations(graph)] == [first]
    with pytest.raises(NotFound):
        drop(graph, second)
    assert write(graph, 2.0) == second + 1


@pytest.mark.parametrize("finish", [drop, lambda graph, _: write(graph, 3.0)])
def test_an_interrupted_drop_is_finished_later(
    graph: Database, settings: Settings, finish: Callable[[Database, int], object]
) -> None:
    class CutDrop(Cut):
        def write(self, query: str, parameters: Parameters | None = None, timeout: float | None = None) -> list[Row]:
            if "MATCH (u:User)" in query:
                self.driver.close()
            return super().write(query, parameters, timeout)

    old = write(graph, 1.0)
    with pytest.raises(DatabaseError), connect(settings) as own:
        drop(CutDrop(own, 99), old)
    assert traces(graph, old)
    with pytest.raises(Conflict, match="is dropping, not ready"):
        switch(graph, old)
    finish(graph, old)
    assert traces(graph, old) == {}


def test_prune_keeps_the_live_one_and_the_one_before(graph: Database) -> None:
    ids = [write(graph, weight) for weight in (1.0, 2.0, 3.0, 4.0)]
    for generation in ids[:3]:
        switch(graph, generation)
    assert prune(graph, keep=3) == [ids[0]]  # 3 is live, 4 is new, 2 was live before
    switch(graph, ids[3])
    assert prune(graph) == [ids[1]]
    assert rollback(graph) == ids[2]
    with pytest.raises(StoreError, match="keep 1 or more"):
        prune(graph, keep=0)


def test_an_experiment_serves_two_generations_until_it_is_stopped(graph: Database) -> None:
    first, second = write(graph, 1.0), write(graph, 2.0)
    switch(graph, first)
    with pytest.raises(NotFound, match="no experiment is running"):
        running_experiment(graph)
    begun = start_experiment(graph, second, 0.1)
    assert begun == running_experiment(graph) == Experiment(first, second, 0.1, begun.began)
    assert [(one.id, one.live, one.challenger) for one in list_generations(graph)] == [
        (second, False, True),
        (first, True, False),
    ]
    stop_experiment(graph)
    for missing in (running_experiment, stop_experiment):
        with pytest.raises(NotFound, match="no experiment is running"):
            missing(graph)
    assert not any(one.challenger for one in list_generations(graph))
    serving = graph.read("MATCH (s:Serving {id: 'weights'}) RETURN keys(s) AS keys")[0]["keys"]
    assert not {"challenger", "share", "experiment_began"} & set(serving)


def test_the_same_experiment_goes_on_and_another_share_begins_anew(graph: Database) -> None:
    first, second = write(graph, 1.0), write(graph, 2.0)
    switch(graph, first)
    start_experiment(graph, second, 0.1)
    graph.write("MATCH (s:Serving {id: 'weights'}) SET s.experiment_began = datetime('2020-01-01T00:00:00Z')")
    assert start_experiment(graph, second, 0.1).began.year == 2020
    assert start_experiment(graph, second, 0.2).began.year > 2020


def test_experiments_that_cannot_be(graph: Database, settings: Settings) -> None:
    first = write(graph, 1.0)
    with pytest.raises(StoreError, match="no live weights"):
        start_experiment(graph, first, 0.5)
    switch(graph, first)
    with pytest.raises(Conflict, match=f"generation {first} is live: an experiment needs another one"):
        start_experiment(graph, first, 0.5)
    with pytest.raises(NotFound, match="generation 99 does not exist"):
        start_experiment(graph, 99, 0.5)
    with pytest.raises(DatabaseError), connect(settings) as own:
        write(Cut(own, 2), 2.0)
    with pytest.raises(Conflict, match=f"generation {first + 1} is writing, not ready"):
        start_experiment(graph, first + 1, 0.5)
    second = write(graph, 2.0)
    for share in (0.0, 1.0, -0.5, 1e-6, 0.99999, 7.0):
        with pytest.raises(Invalid, match=f"share {share:g} of the users"):
            start_experiment(graph, second, share)
    with pytest.raises(NotFound, match="no experiment is running"):
        running_experiment(graph)


def test_what_is_in_an_experiment_is_not_dropped(graph: Database) -> None:
    ids = [write(graph, weight) for weight in (1.0, 2.0, 3.0)]
    switch(graph, ids[0])
    start_experiment(graph, ids[1], 0.5)
    with pytest.raises(Conflict, match=rf"generation {ids[1]} is in an experiment: end that first \(twohop"):
        drop(graph, ids[1])
    assert prune(graph, keep=1) == [ids[2]]
    assert traces(graph, ids[1]) == {"vector": 6, "length": 4, "weight": 1, "similar": 3}
    assert running_experiment(graph).challenger == ids[1]
    stop_experiment(graph)
    drop(graph, ids[1])
    assert traces(graph, ids[1]) == {}


@pytest.mark.parametrize("place", [1, 2])
def test_another_live_generation_ends_the_experiment(graph: Database, place: int) -> None:
    ids = [write(graph, weight) for weight in (1.0, 2.0, 3.0)]
    switch(graph, ids[0])
    start_experiment(graph, ids[1], 0.5)
    switch(graph, ids[0])  # is live already
    assert running_experiment(graph).challenger == ids[1]
    switch(graph, ids[place])
    assert live_generation(graph).id == ids[place]
    with pytest.raises(NotFound, match="no experiment is running"):
        running_experiment(graph)
    start_experiment(graph, ids[0], 0.5)
    assert rollback(graph) == ids[0]
    with pytest.raises(NotFound, match="no experiment is running"):
        running_experiment(graph)


def test_what_is_read_in_the_midst_of_a_switch_is_no_experiment(graph: Database) -> None:
    """A reader may see the live generation after its challenger went live, and the challenger before."""
    first, second = write(graph, 1.0), write(graph, 2.0)
    switch(graph, first)
    start_experiment(graph, second, 0.1)
    graph.write("MATCH (s:Serving {id: 'weights'}) SET s.generation = s.challenger")
    with pytest.raises(NotFound, match="no experiment is running"):
        running_experiment(graph)


def test_a_challenger_is_never_live_while_others_switch_and_start(graph: Database) -> None:
    """Threads start, stop and switch at once; whoever looks sees two different ready generations, or no experiment."""
    first, second = write(graph, 1.0), write(graph, 2.0)
    switch(graph, first)
    done = threading.Event()
    wrong: list[object] = []

    def guarded(work: Callable[[], object]) -> None:
        while not done.is_set():
            try:
                work()
            except (Conflict, NotFound):
                pass
            except BaseException as error:  # a thread's failure must reach the test
                wrong.append(error)
                return

    def look() -> None:
        found = running_experiment(graph)
        if {found.control, found.challenger} != {first, second} or found.share not in (0.1, 0.9):
            wrong.append(found)

    def restart() -> None:
        for generation, share in ((first, 0.1), (second, 0.9)):
            try:
                start_experiment(graph, generation, share)
            except Conflict:
                stop_experiment(graph)

    works = (look, look, restart, restart)
    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for turn in range(100):
        switch(graph, (second, first)[turn % 2])
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_reader_sees_one_generation_or_the_other_never_a_mix(graph: Database) -> None:
    """Readers check every answer against the generation that it names while a writer switches back and forth."""
    expected = {write(graph, weight): star(weight) for weight in (1.0, 50.0)}
    first, second = expected
    switch(graph, first)
    done = threading.Event()
    wrong: list[object] = []
    answers = dict.fromkeys(expected, 0)

    def reader() -> None:
        while not done.is_set():
            answer = recommend(graph, "u", explain=True)
            truth = expected[answer.generation]
            right = [pytest.approx(truth.score("u", item, 50, 200)) for item in ("b", "c", "d")]
            split = [item.direct + sum(path.path for path in item.paths) for item in answer.items]
            ranked = rank(graph, "u", ["d", "b"])
            truth_ranked = [expected[ranked[0].generation].score("u", item, 50, 200) for item in ("b", "d")]
            if not ([item.score for item in answer.items] == right == split):
                wrong.append(answer)
            if [item.score for item in ranked] != [pytest.approx(score) for score in truth_ranked]:
                wrong.append(ranked)
            answers[answer.generation] += 1

    def guarded() -> None:
        try:
            reader()
        except BaseException as error:  # a thread's failure must reach the test
            wrong.append(error)

    readers = [threading.Thread(target=guarded) for _ in range(3)]
    for thread in readers:
        thread.start()
    turn, until = 0, time.monotonic() + 60
    while (turn < 150 or min(answers.values()) <= 5) and not wrong and time.monotonic() < until:
        switch(graph, (second, first)[turn % 2])
        turn += 1
    done.set()
    for thread in readers:
        thread.join()
    assert wrong == []
    assert min(answers.values()) > 5


def test_batches_hold_every_edge_once(small_batches: None) -> None:
    rng = np.random.default_rng(0)
    users, items = rng.integers(0, 7, 40), rng.permutation(40)
    weights = Weights(
        users=[f"u{n}" for n in range(7)],
        items=[f"i{n}" for n in range(40)],
        user_direct=np.zeros((7, 2)),
        item_direct=np.zeros((40, 2)),
        trigger_user=users,
        trigger_item=items,
        trigger_weight=rng.random(40) + 1,
        similar_source=users,
        similar_target=items,
        similar_weight=rng.random(40) + 1,
        similar_rank=np.arange(1, 41),
    )
    weights.check()
    for kind in ("interactions", "similar"):
        found, end = set(), 0
        for batch in batches.BATCHES[kind](weights, 0):
            assert batch.start == end
            end = batch.end
            for row in batch.parameters["rows"]:
                if kind == "interactions":
                    found |= {(row["user"], item, weight) for item, weight in row["weights"].items()}
                else:
                    names = [batch.parameters["targets"][place] for place in row["targets"]]
                    found |= {("u" + row["source"][1:], *pair) for pair in zip(names, row["weights"], strict=True)}
            later = list(batches.BATCHES[kind](weights, end))
            assert (later[0].start if later else 40) == end
        values = weights.trigger_weight if kind == "interactions" else weights.similar_weight
        assert found == {(f"u{u}", f"i{i}", w) for u, i, w in zip(users, items, values.tolist(), strict=True)}
        assert end == 40
