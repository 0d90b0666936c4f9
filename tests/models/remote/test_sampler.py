"""Batches come from Neo4j: true edges, evenly drawn, the same by seed, and no more of them than were asked for."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from scipy.stats import chisquare
from torch_geometric.data import HeteroData
from torch_geometric.loader import LinkLoader, NodeLoader
from torch_geometric.sampler import NodeSamplerInput

from graph.driver import Database
from graph.errors import Invalid, SettingsError
from graph.hops import read_sources, reversed_hop
from graph.snapshot import read_snapshot
from models.remote import Neo4jGraphStore, Neo4jNeighborSampler, open_backend
from models.remote.graph_store import EDGE_TYPES, INTERACTED
from tests.models.remote.conftest import ITEMS

BACK = reversed_hop(INTERACTED)


@pytest.fixture(scope="module")
def graph(shop: Database) -> Neo4jGraphStore:
    return Neo4jGraphStore(shop)


@pytest.fixture(scope="module")
def snapshot(shop: Database) -> HeteroData:
    return read_snapshot(shop)


def true_edges(data: HeteroData, hop: tuple[str, str, str]) -> set[tuple[int, int]]:
    """(source, target) numbers of the whole graph."""
    if hop not in data.edge_types:
        return {(end, start) for start, end in true_edges(data, reversed_hop(hop))}
    return {(start, end) for start, end in data[hop].edge_index.T.tolist()}


def drawn_edges(batch: HeteroData, hop: tuple[str, str, str]) -> list[tuple[int, int]]:
    row, col = batch[hop].edge_index
    return [*zip(batch[hop[0]].n_id[row].tolist(), batch[hop[2]].n_id[col].tolist(), strict=True)]


def test_all_neighbours_are_the_whole_neighbourhood(shop: Database, snapshot: HeteroData) -> None:
    """Two hops with all neighbours, against the snapshot's edges walked by hand."""
    backend = open_backend(shop, {"user": ["activity"], "item": ["price"], "browse_node": ["level"]})
    loader = NodeLoader(backend, Neo4jNeighborSampler(backend[1], [-1, -1]), ("user", [3, 1]), batch_size=2)
    [batch] = loader
    assert batch["user"].n_id[:2].tolist() == [3, 1]
    assert batch["user"].batch_size == 2
    assert torch.equal(batch["item"].price.nan_to_num(-1), snapshot["item"].price[batch["item"].n_id].nan_to_num(-1))
    reached: dict[str, set[int]] = {"user": {3, 1}, "item": set(), "browse_node": set()}
    frontier, found = dict(reached), {hop: set[tuple[int, int]]() for hop in EDGE_TYPES}
    for _ in range(2):
        met: dict[str, set[int]] = {kind: set() for kind in reached}
        for hop in EDGE_TYPES:
            into = {(start, end) for start, end in true_edges(snapshot, hop) if end in frontier[hop[2]]}
            found[hop] |= into
            met[hop[0]] |= {start for start, _ in into}
        frontier = {kind: met[kind] - reached[kind] for kind in met}
        reached = {kind: reached[kind] | met[kind] for kind in met}
    for hop in EDGE_TYPES:
        drawn = drawn_edges(batch, hop)
        assert len(set(drawn)) == len(drawn)
        assert set(drawn) == found[hop], hop
    for kind, numbers in reached.items():
        assert sorted(batch[kind].n_id.tolist()) == sorted(numbers)
        assert sum(batch[kind].num_sampled_nodes) == len(numbers)


def test_few_neighbours_are_true_edges_and_no_more_than_asked(shop: Database, snapshot: HeteroData) -> None:
    backend = open_backend(shop)
    counts = {hop: [0, 0] for hop in EDGE_TYPES} | {INTERACTED: [4, 2], BACK: [3, 1]}
    for batch in NodeLoader(backend, Neo4jNeighborSampler(backend[1], counts), "item", batch_size=5):
        for hop in (INTERACTED, BACK):
            drawn = drawn_edges(batch, hop)
            assert drawn
            assert set(drawn) <= true_edges(snapshot, hop)
            assert len(set(drawn)) == len(drawn)
            into = Counter(end for _, end in drawn)
            degree = Counter(end for _, end in true_edges(snapshot, hop))
            assert all(into[end] <= min(degree[end], max(counts[hop])) for end in into)
        seeds = batch["item"].n_id[: batch["item"].batch_size].tolist()
        first = Counter(end for _, end in drawn_edges(batch, INTERACTED))
        assert all(first[seed] == min(4, int(snapshot["item"].popularity[seed])) for seed in seeds)
        assert "edge_index" not in batch["item", "in_category", "browse_node"] or not drawn_edges(
            batch, ("item", "in_category", "browse_node")
        )


def batches(graph: Neo4jGraphStore, seed: int) -> list[Any]:
    sampler = Neo4jNeighborSampler(graph, [2, 2], seed)
    samples = [
        sampler.sample_from_nodes(NodeSamplerInput(None, torch.tensor([0, one]), None, "item")) for one in (3, 5)
    ]
    return [(one.node["user"].tolist(), one.row[INTERACTED].tolist()) for one in samples]


def test_the_seed_decides(graph: Neo4jGraphStore) -> None:
    assert batches(graph, 1) == batches(graph, 1)
    assert batches(graph, 1) != batches(graph, 2)


def test_a_worker_of_its_own_process_is_refused(shop: Database) -> None:
    """Two processes on one socket would hang or read each other's answers."""
    backend = open_backend(shop, {"user": [], "item": ["popularity"]})
    loader = NodeLoader(backend, Neo4jNeighborSampler(backend[1], [2]), "item", batch_size=3, num_workers=1)
    with pytest.raises(SettingsError, match="num_workers=0"):
        next(iter(loader))
    assert shop.read("RETURN 1 AS one") == [{"one": 1}]


def test_every_edge_has_the_same_chance(graph: Neo4jGraphStore) -> None:
    """Item 0 has all 30 users: 4 of them are drawn 300 times."""
    sampler, drawn = (
        Neo4jNeighborSampler(graph, {one: [4 if one == INTERACTED else 0] for one in EDGE_TYPES}, 7),
        Counter(),
    )
    for _ in range(300):
        sample = sampler.sample_from_nodes(NodeSamplerInput(None, torch.tensor([0]), None, "item"))
        drawn.update(sample.node["user"].tolist())
    assert len(drawn) == 30
    assert chisquare([drawn[user] for user in range(30)]).pvalue > 0.001


def test_links_with_negatives(shop: Database, snapshot: HeteroData) -> None:
    def load(seed: int) -> list[HeteroData]:
        backend = open_backend(shop, {"user": [], "item": ["popularity"]})
        sampler = Neo4jNeighborSampler(backend[1], [3], seed)
        return [*LinkLoader(backend, sampler, INTERACTED, neg_sampling="triplet", batch_size=16)]

    found = load(0)
    pairs = [
        (user, item)
        for batch in found
        for user, item in zip(
            batch["user"].n_id[batch["user"].src_index].tolist(),
            batch["item"].n_id[batch["item"].dst_pos_index].tolist(),
            strict=True,
        )
    ]
    assert pairs == sorted(true_edges(snapshot, INTERACTED))
    negatives = [batch["item"].n_id[batch["item"].dst_neg_index] for batch in found]
    assert all(((drawn >= 0) & (drawn < ITEMS)).all() for drawn in negatives)
    torch.manual_seed(5)  # of somebody else: the sampler's own seed decides
    again = [batch["item"].n_id[batch["item"].dst_neg_index] for batch in load(0)]
    assert all(torch.equal(one, other) for one, other in zip(negatives, again, strict=True))


def test_what_it_cannot_do_is_said(graph: Neo4jGraphStore) -> None:
    sampler, seed = Neo4jNeighborSampler(graph, [1]), torch.tensor([0])
    with pytest.raises(Invalid, match="several kinds"):
        sampler.sample_from_nodes(NodeSamplerInput(None, seed))
    with pytest.raises(Invalid, match="by time"):
        sampler.sample_from_nodes(NodeSamplerInput(None, seed, seed, "user"))
    with pytest.raises(Invalid, match="numbers 0 to 29"):
        sampler.sample_from_nodes(NodeSamplerInput(None, torch.tensor([30]), None, "user"))
    with pytest.raises(ValueError, match="edge types"):
        Neo4jNeighborSampler(graph, {("user", "likes", "item"): [1]})


class Counting(Database):
    """The same database, which counts the ids and values that come out of it."""

    values = 0

    def read(self, *arguments: Any, **named: Any) -> Any:
        rows = super().read(*arguments, **named)
        self.values += sum(len(one) if isinstance(one, list) else 1 for row in rows for one in row.values())
        return rows


def most_values(database: Database) -> int:
    """Values that one batch of 4 items reads at most, over all items; the hub, item 0, is one of them."""
    backend = open_backend(database, {"user": ["activity"], "item": ["popularity"]})
    counting = Counting(database.driver, database.name, database.address)
    for store in backend:
        store.database = counting
    counts = {hop: [0, 0] for hop in EDGE_TYPES} | {INTERACTED: [5, 5], BACK: [2, 2]}
    most = 0
    for batch in NodeLoader(backend, Neo4jNeighborSampler(backend[1], counts), "item", batch_size=4):
        most, counting.values = max(most, counting.values), 0
        assert batch["item"].n_id.numel()
    return most


def test_a_batch_reads_no_more_from_a_graph_that_is_larger(make_shop: Callable[[int], Database]) -> None:
    """From 4 items 5 users each, from those 2 items each: 4 + 20 + 40 rows of edges, and one row a node."""
    sizes = (60, 600)
    read = {}
    for users in sizes:
        database = make_shop(users)
        read[users] = most_values(database)
        [[_, everybody]] = read_sources(database, INTERACTED, ["0"], -1, 1, 0)
        assert len(everybody) == users  # what a batch with the hub would read if nothing held it back
    first, second = 4 + 4 * 5, 4 * 5 + 4 * 5 * 2
    rows_of_nodes = 3 * (first + 4 * 5 + second)
    assert max(read.values()) <= 2 * (first + second) + rows_of_nodes
    assert read[600] <= 2 * read[60]  # of ten times the users; of few some are drawn twice
