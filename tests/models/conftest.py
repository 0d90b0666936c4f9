"""Small snapshots made in memory, as `graph.snapshot` gives them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch_geometric.data import HeteroData

from graph.schema import Source
from models.candidates import candidate_pairs
from models.interactions import Interactions
from models.pairs import PairOptions
from models.scoring import Scores


@dataclass(frozen=True)
class Item:
    """A row of the catalogue (`models.evaluation.CatalogueItem`)."""

    id: str
    popularity: int
    categories: tuple[str, ...]


Events = list[tuple[int, int, int]]  # (user, item, session), in each user's order


def make_snapshot(events: Events, users: int, items: int, held_out: Events = ()) -> HeteroData:
    """`items` in two brands and a browse tree root → two departments; one event after the other, an hour apart."""
    data = HeteroData()
    data["user"].num_nodes, data["user"].id = users, [f"u{n:03}" for n in range(users)]
    data["user"].profile = {"age": ["old" if n % 2 else "young" for n in range(users)]}
    data["item"].num_nodes, data["item"].id = items, [f"i{n:03}" for n in range(items)]
    data["item"].title = [f"thing {n} kind{n % 3}" for n in range(items)]
    data["item"].brand = ["A" if n % 2 else "B" for n in range(items)]
    data["item"].price = torch.arange(items, dtype=torch.float32)
    data["item"].available = torch.ones(items, dtype=torch.bool)
    data["item"].profile = {}
    data["browse_node"].num_nodes, data["browse_node"].id = 3, ["all", "all/x", "all/y"]
    data["browse_node"].name, data["browse_node"].level = ["all", "x", "y"], [0, 1, 1]
    data["item", "in_category", "browse_node"].edge_index = torch.tensor([[n, 1 + n % 2] for n in range(items)]).t()
    data["browse_node", "child_of", "browse_node"].edge_index = torch.tensor([[1, 0], [2, 0]]).t()
    for relation, rows in (("interacted", events), ("held_out", held_out)):
        table = np.array(rows, dtype=np.int64).reshape(-1, 3)
        order = np.argsort(table[:, 0], kind="stable")
        user, item, session = table[order].T
        keys, edge = np.unique(user * items + item, return_inverse=True)
        store = data["user", relation, "item"]
        store.edge_index = torch.from_numpy(np.stack(np.divmod(keys, items)))
        count = len(user)
        store.event_edge = torch.from_numpy(edge)
        store.event_time = torch.arange(count) * 3600
        store.event_session = torch.from_numpy(session.copy())
        store.event_position = torch.arange(count)
        store.event_value = torch.full((count,), float("nan"))
        store.event_quantity = torch.ones(count)
        store.event_place = torch.full((count,), -1)
    data.places = []
    data.source = Source("small", user_profile=("age",))
    return data


def clustered_events(users: int = 30, items: int = 24, length: int = 8, seed: int = 0) -> Events:
    """Shoppers of even number walk among the first half of the items, the others among the second half."""
    rng, events = np.random.default_rng(seed), []
    for user in range(users):
        half = np.arange(items // 2) + (items // 2) * (user % 2)
        events += [(user, int(item), place) for place, item in enumerate(rng.permutation(half)[:length])]
    return events


@pytest.fixture
def snapshot() -> Callable[..., HeteroData]:
    return make_snapshot


@pytest.fixture
def clustered() -> HeteroData:
    return make_snapshot(clustered_events(), users=30, items=24)


@pytest.fixture
def drawn_scores(clustered: HeteroData) -> Scores:
    return draw_scores(clustered)


def draw_scores(data: HeteroData) -> Scores:
    """Edge weights of a snapshot drawn by chance, as a network might give them."""
    rng, events = np.random.default_rng(5), Interactions.of(data)
    pairs = candidate_pairs(events, data, PairOptions(candidates=40, window=3))
    drawn = (rng.normal(size=size).astype(np.float32) for size in (len(events.triggers), len(pairs)))
    vectors = (rng.normal(size=(count, 3)).astype(np.float32) for count in (events.users, events.items))
    return Scores(events, pairs, events.triggers, *drawn, *vectors)
