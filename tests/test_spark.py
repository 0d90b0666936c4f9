"""Spark makes the edges that one machine makes, also where a worker is killed, and writes them once."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import psutil
import pytest
from pyspark.sql import Row, SparkSession
from torch_geometric.data import HeteroData

from graph.driver import Database, Endpoint, find_endpoint
from graph.errors import ArtefactError, DatabaseUnavailable, StoreError
from graph.generations import list_generations, write_generation
from graph.server import ManagedServer
from graph.spread import SpreadEdges, open_spark
from models.artefacts import Artefact
from models.cluster import EDGES, spread_index
from models.index import build_index
from tests.models.conftest import clustered_events, make_snapshot
from tests.models.test_training import RETURNING, run
from tests.weighted_graph import star

Edges = dict[tuple[str, str], tuple[int, float]]
SIMILAR = """
MATCH (j)-[s:SIMILAR {generation: $generation}]->(i)
RETURN j.id AS source, i.id AS target, s.rank AS rank, s.weight AS weight
"""


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    with open_spark("local[2,4]") as session:
        session.conf.set("spark.sql.shuffle.partitions", "3")
        session.conf.set("spark.sql.adaptive.enabled", "false")  # else so few rows become one partition
        session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "50")  # triggers go on from batch to batch
        yield session


@pytest.fixture
def clustered() -> HeteroData:
    return make_snapshot(clustered_events(), users=30, items=24)


@pytest.fixture
def endpoint(server: ManagedServer, constrained_database: Database) -> Endpoint:
    """Of a small graph in which only the weights are missing."""
    star(1.0).write(constrained_database)
    return find_endpoint(server.settings)


@pytest.fixture
def saved(clustered: HeteroData, tmp_path) -> Artefact:  # type: ignore[no-untyped-def]
    # 12 of 24 items stay out, by a cap that binds and buyers that differ.
    pairs = {"candidates": 14, "window": 3, "repeats": True, "hottest": 9, "min_buyers": 8}
    return run(clustered, tmp_path, RETURNING.model_validate(RETURNING.model_dump() | {"pairs": pairs, "epochs": 1}))


def local_edges(saved: Artefact, data: HeteroData) -> Edges:
    weights, ids = build_index(saved, data), data["item"].id
    columns = (weights.similar_source, weights.similar_target, weights.similar_rank, weights.similar_weight)
    return {(ids[j], ids[i]): (int(rank), weight) for j, i, rank, weight in zip(*columns, strict=True)}


def check_same(rows: list[Row], expected: Edges) -> None:
    found = {(row.source, row.target): (row["rank"], row.weight) for row in rows}
    assert len(found) == len(rows)
    assert found.keys() == expected.keys()
    for pair, (rank, weight) in expected.items():
        assert found[pair][0] == rank
        assert found[pair][1] == pytest.approx(weight, rel=1e-5)


def test_the_same_edges_as_on_one_machine(spark, clustered: HeteroData, saved: Artefact) -> None:  # type: ignore[no-untyped-def]
    expected = local_edges(saved, clustered)
    assert 0 < len({source for source, _ in expected}) < 24
    weights, rows = spread_index(spark, saved, clustered)
    assert rows.rdd.getNumPartitions() == 3
    check_same(rows.collect(), expected)
    whole = build_index(saved, clustered)
    assert len(weights.similar_source) == 0
    for name in ("trigger_user", "trigger_item", "trigger_weight", "user_direct", "item_direct"):
        np.testing.assert_array_equal(getattr(weights, name), getattr(whole, name))


@pytest.mark.faults
def test_a_killed_worker_changes_nothing(spark, clustered: HeteroData, saved: Artefact) -> None:  # type: ignore[no-untyped-def]
    """A Python process that makes edges dies in the midst of it; Spark has another one do its task again."""
    expected, over = local_edges(saved, clustered), threading.Event()
    _, rows = spread_index(spark, saved, clustered)
    before = failed_tasks(spark)

    def kill() -> None:
        killed = 0  # a task has four tries, and what is killed may have been idle
        while not over.is_set() and killed < 3 and failed_tasks(spark) == before:
            for worker in psutil.Process().children(recursive=True):
                try:
                    above = worker.parent()
                    if above and all("pyspark.daemon" in " ".join(one.cmdline()) for one in (worker, above)):
                        worker.kill()
                        killed += 1
                        over.wait(1.0)
                        break
                except psutil.NoSuchProcess:
                    continue
            over.wait(0.01)

    killer = threading.Thread(target=kill)
    killer.start()
    found = rows.collect()
    over.set()
    killer.join()
    assert failed_tasks(spark) > before
    check_same(found, expected)


def failed_tasks(spark) -> int:  # type: ignore[no-untyped-def]
    """Of all stages that Spark remembers."""
    tracker = spark.sparkContext.statusTracker()
    jobs = (tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup())
    found = (tracker.getStageInfo(number) for job in jobs if job for number in job.stageIds)
    return sum(stage.numFailedTasks for stage in found if stage)


STAR = [("a", "b", 1.0, 1), ("a", "c", 0.5, 2), ("a", "d", 1 / 3, 3)]


def spread_of(spark, rows: list[tuple[str, str, float, int]]) -> SpreadEdges:  # type: ignore[no-untyped-def]
    return SpreadEdges.of(spark.createDataFrame(rows, EDGES).repartition(3))


def write(database: Database, endpoint: Endpoint, spread: SpreadEdges) -> int:
    weights, nothing = star(1.0).weights(), np.zeros(0, dtype=np.int64)
    arrays = {f"similar_{name}": nothing for name in ("source", "target", "rank")}
    weights = replace(weights, **arrays, similar_weight=nothing.astype(float))
    about = {"model": "pdn", "data": "tests", "artefact": "sha", "metrics": {}}
    return write_generation(database, weights, spread=spread, endpoint=endpoint, **about)


def edges(database: Database, generation: int) -> list[tuple[str, str, float, int]]:
    rows = database.read(SIMILAR, {"generation": generation})
    return sorted((row["source"], row["target"], row["weight"], row["rank"]) for row in rows)


def test_partitions_are_written_as_a_generation(spark, endpoint: Endpoint, database: Database) -> None:  # type: ignore[no-untyped-def]
    generation = write(database, endpoint, spread_of(spark, STAR))
    assert edges(database, generation) == STAR
    [stored] = list_generations(database)
    assert (stored.state, stored.similar, stored.interactions) == ("ready", 3, 1)


@pytest.mark.faults
def test_an_interrupted_write_goes_on(spark, endpoint: Endpoint, database: Database) -> None:  # type: ignore[no-untyped-def]
    """Another one of the same model that says something else begins anew."""
    spread = spread_of(spark, STAR)
    nobody = replace(endpoint, address="bolt://127.0.0.1:1")
    said = r"127\.0\.0\.1:1: Spark could not write: .*run twohop index again"
    with pytest.raises(DatabaseUnavailable, match=said) as told:
        write(database, nobody, spread)
    assert endpoint.auth is not None
    assert endpoint.auth[1] not in str(told.value)
    [begun] = list_generations(database)
    assert begun.state == "writing"
    SpreadEdges(spread.rows.where("rank < 3"), 2, spread.digest).write(
        endpoint, begun.id, {}
    )  # some partitions were done
    assert len(edges(database, begun.id)) == 2
    assert write(database, endpoint, spread_of(spark, STAR[::-1])) == begun.id
    assert edges(database, begun.id) == STAR
    with pytest.raises(DatabaseUnavailable):
        write(database, nobody, spread_of(spark, STAR[:2]))
    other = write(database, endpoint, spread)
    assert edges(database, other) == STAR
    assert {one.id for one in list_generations(database)} == {begun.id, other}


@pytest.mark.faults
def test_what_was_written_is_not_written_again(spark, endpoint: Endpoint, database: Database) -> None:  # type: ignore[no-untyped-def]
    """All edges of b are there, and say something else meanwhile; of those of a there is one."""
    spread = spread_of(spark, [*STAR, ("b", "a", 0.5, 1), ("b", "c", 0.25, 2)])
    with pytest.raises(DatabaseUnavailable):
        write(database, replace(endpoint, address="bolt://127.0.0.1:1"), spread)
    [begun] = list_generations(database)
    some = spread.rows.where("source = 'b' or rank = 1")
    SpreadEdges(some, 3, spread.digest).write(endpoint, begun.id, {})
    database.write("MATCH ()-[s:SIMILAR]->() SET s.weight = 9.0")
    assert write(database, endpoint, spread) == begun.id
    assert edges(database, begun.id) == [*STAR, ("b", "a", 9.0, 1), ("b", "c", 9.0, 2)]


def test_edges_of_other_data_are_refused(spark, endpoint: Endpoint, database: Database) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(StoreError, match="name 1 users, items or interactions that the graph has not"):
        write(database, endpoint, spread_of(spark, [*STAR, ("a", "nobody's", 0.1, 4)]))
    assert list_generations(database) == []


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_weights_are_refused(spark, weight: float) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ArtefactError, match="1 of 4 are not finite or not above 0"):
        spread_of(spark, [*STAR, ("b", "c", weight, 1)])
