"""Networks beside their generations: stored whole, replaced, served, and gone with the last generation of a model."""

from dataclasses import replace

import pytest

from graph.driver import Database
from graph.errors import StoreError
from graph.experiment import start_experiment
from graph.generations import drop, switch, write_generation
from graph.networks import (
    Network,
    artefacts_without_network,
    read_network,
    served_generations,
    write_network,
)
from tests.weighted_graph import star

ARTEFACT = "a" * 64


def network(artefact: str = ARTEFACT, size: int = 3) -> Network:
    return Network(
        artefact=artefact,
        source="tests",
        features={"user": [{"kind": "category", "name": "id", "values": ["u", "é😀"]}], "pair": []},
        similar=7,
        min_buyers=2,
        terms=("brand=x", "w;\n\0"),
        idf=(1.5, 2.25),
        graphs={"triggers": bytes(range(256)) * size, "similarities": b"\0"},
    )


@pytest.fixture
def graph(constrained_database: Database) -> Database:
    star(1.0).write(constrained_database)
    return constrained_database


def write(database: Database, weight: float, of: Network | None = None, artefact: str = ARTEFACT) -> int:
    return write_generation(
        database, star(weight).weights(), model="pdn", data="tests", artefact=artefact, metrics={}, network=of
    )


def artefacts(database: Database) -> list[str]:
    return [row["id"] for row in database.read("MATCH (n:Network) RETURN n.artefact AS id ORDER BY id")]


def test_a_network_comes_back_as_it_was_written(graph: Database) -> None:
    large = network(size=40_000)  # 10 MB: more than one message of the driver
    write_network(graph, large)
    assert read_network(graph, ARTEFACT) == large


def test_writing_again_leaves_one_and_nothing_of_the_old_one(graph: Database) -> None:
    write_network(graph, network())
    changed = replace(network(), similar=9, graphs={"triggers": b"new"})
    write_network(graph, changed)
    assert artefacts(graph) == [ARTEFACT]
    assert read_network(graph, ARTEFACT) == changed


def test_what_is_not_stored(graph: Database) -> None:
    with pytest.raises(StoreError, match="twohop index --networks-only"):
        read_network(graph, ARTEFACT)
    with pytest.raises(StoreError, match="no live weights"):
        served_generations(graph.read)


def test_a_network_goes_with_the_last_generation_of_its_model(graph: Database) -> None:
    first, second = write(graph, 1.0, network()), write(graph, 2.0, network())
    other = write(graph, 3.0, network("b" * 64), "b" * 64)
    switch(graph, other)
    drop(graph, first)
    assert artefacts(graph) == [ARTEFACT, "b" * 64]
    drop(graph, second)
    assert artefacts(graph) == ["b" * 64]
    assert not graph.read("MATCH (g:Generation {artefact: $id}) RETURN g", {"id": ARTEFACT})


def test_a_refused_generation_leaves_no_network(graph: Database) -> None:
    graph.write("MATCH (i:Item {id: 'b'}) DETACH DELETE i")
    with pytest.raises(StoreError, match="other data"):
        write(graph, 1.0, network())
    assert artefacts(graph) == []


def test_an_unfinished_generation_takes_no_network_away(graph: Database) -> None:
    """A write of the same model that was cut off is dropped by the next one, which stores the network."""
    unfinished = write(graph, 1.0, network())
    graph.write("MATCH (g:Generation {id: $id}) SET g.state = 'writing'", {"id": unfinished})
    made = write(graph, 2.0, network())
    assert made != unfinished
    assert artefacts(graph) == [ARTEFACT]


def test_what_is_served(graph: Database) -> None:
    old, new = write(graph, 1.0, network()), write(graph, 2.0, artefact="b" * 64)
    switch(graph, new)
    [live] = served_generations(graph.read)
    assert (live.id, live.artefact, live.written) == (new, "b" * 64, None)
    assert artefacts_without_network(graph) == ["b" * 64]
    start_experiment(graph, old, 0.5)
    live, challenger = served_generations(graph.read)
    assert (live.id, challenger.id) == (new, old)
    assert challenger.written
    write_network(graph, network())
    assert served_generations(graph.read)[1].written != challenger.written
