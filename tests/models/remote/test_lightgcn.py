"""LightGCN from mini-batches out of Neo4j is LightGCN from memory."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch_geometric.data import HeteroData
from torch_geometric.loader import LinkLoader

from graph.driver import Database
from graph.hops import reversed_hop
from graph.snapshot import read_snapshot
from models.baselines.lightgcn import GraphOptions, LightGCNNetwork, adjacency
from models.interactions import Interactions
from models.remote import Neo4jNeighborSampler, open_backend
from models.remote.graph_store import INTERACTED
from tests.models.remote.conftest import ITEMS

OPTIONS = GraphOptions(width=8, layers=2)
BATCH, STEPS, RATE = 24, 5, 0.02


@pytest.fixture(scope="module")
def snapshot(shop: Database) -> HeteroData:
    return read_snapshot(shop)


def make_loader(shop: Database, neighbours: int, seed: int = 0) -> LinkLoader:
    degrees = {"user": ["activity"], "item": ["popularity"]}
    features, graph = open_backend(shop, degrees, (INTERACTED, reversed_hop(INTERACTED)))
    order = torch.Generator().manual_seed(seed)
    sampler = Neo4jNeighborSampler(graph, [neighbours] * OPTIONS.layers, seed)
    return LinkLoader(
        (features, graph), sampler, INTERACTED, neg_sampling="triplet", batch_size=BATCH, shuffle=True, generator=order
    )


def make_network(graph: Tensor | None) -> tuple[LightGCNNetwork, torch.optim.Optimizer]:
    torch.manual_seed(3)
    network = LightGCNNetwork(30, ITEMS, OPTIONS, graph).double()
    return network, torch.optim.Adam(network.parameters(), RATE)


def bpr(user: Tensor, found: Tensor, other: Tensor) -> Tensor:
    """−ln σ(e_u · e_i − e_u · e_j), mean over triples [P, d]; LightGCN's own loss."""
    return -F.logsigmoid((user * (found - other)).sum(-1)).mean()


def take(optimizer: torch.optim.Optimizer, loss: Tensor) -> float:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def train_remote(loader: LinkLoader, network: LightGCNNetwork, optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """Some steps; the triples (user, item, other item) [3, P] of each, by their numbers in the graph."""
    triples = []
    for batch, _ in zip(loader, range(STEPS), strict=False):
        places = batch["user"].src_index, batch["item"].dst_pos_index, batch["item"].dst_neg_index
        user, item = network.embed(batch)
        take(optimizer, bpr(user[places[0]], item[places[1]], item[places[2]]))
        ids = batch["user"].n_id, batch["item"].n_id, batch["item"].n_id
        triples.append(torch.stack([one[place] for one, place in zip(ids, places, strict=True)]))
    return triples


def train_in_memory(triples: list[Tensor], network: LightGCNNetwork, optimizer: torch.optim.Optimizer) -> None:
    everybody = torch.arange(30)
    for users, items, others in triples:
        user, item = network.vectors(everybody, torch.zeros(30, 0))
        take(optimizer, bpr(user[users, 0], item[items], item[others]))


def test_the_same_triples_train_the_same_parameters(shop: Database, snapshot: HeteroData) -> None:
    remote, remote_optimizer = make_network(None)
    start = remote.propagation.embedding.weight.detach().clone()
    triples = train_remote(make_loader(shop, -1), remote, remote_optimizer)
    assert [one.shape[1] for one in triples[:-1]] == [BATCH] * (len(triples) - 1)
    assert len(triples) == STEPS
    memory, memory_optimizer = make_network(adjacency(Interactions.of(snapshot)).double())
    train_in_memory(triples, memory, memory_optimizer)
    learnt = memory.propagation.embedding.weight.detach()
    assert float((learnt - start).abs().max()) > RATE
    torch.testing.assert_close(remote.propagation.embedding.weight.detach(), learnt, rtol=0, atol=1e-6)


def test_the_triples_are_the_interactions(shop: Database, snapshot: HeteroData) -> None:
    edges = {tuple(pair) for pair in snapshot[INTERACTED].edge_index.T.tolist()}
    for users, items, others in train_remote(make_loader(shop, -1), *make_network(None)):
        assert {*zip(users.tolist(), items.tolist(), strict=True)} <= edges
        assert not torch.equal(items, others)


def test_few_neighbours_learn_too(shop: Database, snapshot: HeteroData) -> None:
    """With 2 neighbours a hop the vectors are an estimate; who was trained so ranks what users had above the rest."""
    network, optimizer = make_network(adjacency(Interactions.of(snapshot)).double())

    def had_above_others() -> float:
        user, item = network.vectors(torch.arange(30), torch.zeros(30, 0))
        scores = (user[:, 0] @ item.T).detach().numpy()
        had = np.zeros((30, ITEMS), dtype=bool)
        had[tuple(snapshot[INTERACTED].edge_index.numpy())] = True
        return float((scores[had][:, None] > scores[~had]).mean())

    before = had_above_others()
    for epoch in range(4):
        train_remote(make_loader(shop, 2, epoch), network, optimizer)
    assert had_above_others() > before + 0.05
