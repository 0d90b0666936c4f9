"""Item to item against loops over a user's items."""

import numpy as np
import pytest
from torch_geometric.data import HeteroData

from models.baselines.neighbours import Cosine, NeighbourOptions
from models.engines import matrix_engine
from models.evaluation import Catalogue, Engine, Outcome, evaluate
from models.item_to_item import item_engine, vector_engine
from models.protocols import Protocol
from models.scoring import Scores
from tests.models.conftest import Item

K = 5


@pytest.fixture
def names(clustered: HeteroData) -> tuple[list[str], list[str]]:
    return clustered["user"].id, clustered["item"].id


def outcome(engine: Engine, scores: Scores, users: list[str], items: list[str]) -> Outcome:
    """Everybody is to find the first item that they lack."""
    had = {user: [items[n] for n in items_of(scores, place)] for place, user in enumerate(users)}
    truth = {user: (next(item for item in items if item not in mine),) for user, mine in had.items()}
    shop = Catalogue.of(Item(item, 1, ()) for item in items)
    return evaluate(Protocol("p", False, truth, had), engine, shop, K)


def items_of(scores: Scores, user: int) -> list[int]:
    events = scores.events
    return sorted(set(events.item[events.user == user].tolist()))


@pytest.mark.parametrize("k", [3, 40])
def test_simnet_alone(drawn_scores: Scores, names: tuple[list[str], list[str]], k: int) -> None:
    scores, (users, items) = drawn_scores, names
    found = outcome(item_engine(scores.events, scores.similarity(k), users, items), scores, users, items)
    neighbours: dict[int, list[tuple[float, int]]] = {}
    for j, i, s in zip(scores.pairs.source, scores.pairs.target, scores.s, strict=True):
        neighbours.setdefault(int(j), []).append((float(s), int(i)))
    for row, user in enumerate(found.users):
        mine, total = items_of(scores, users.index(user)), dict.fromkeys(range(len(items)), 0.0)
        for j in mine:
            for s, i in sorted(neighbours[j], reverse=True)[:k]:
                total[i] += np.exp(s)
        best = sorted((i for i in total if i not in mine), key=lambda i: (-total[i], i))
        assert found.rankings.top[row].tolist() == best[:K]


def test_vectors(drawn_scores: Scores, names: tuple[list[str], list[str]]) -> None:
    scores, (users, items) = drawn_scores, names
    found = outcome(vector_engine(scores.events, scores.q, users, items), scores, users, items)
    for row, user in enumerate(found.users):
        mine = items_of(scores, users.index(user))
        total = [sum(float(scores.q[j] @ scores.q[i]) for j in mine) for i in range(len(items))]
        best = sorted((i for i in range(len(items)) if i not in mine), key=lambda i: -total[i])
        assert found.rankings.top[row].tolist() == best[:K]


def test_models_of_neighbours_score_so_already(drawn_scores: Scores, names: tuple[list[str], list[str]]) -> None:
    scores, (users, items) = drawn_scores, names
    model = Cosine(NeighbourOptions(4)).fit(scores.events)
    engines = (item_engine(scores.events, model.similarity, users, items), matrix_engine(model.score, users, items))
    one, other = (outcome(engine, scores, users, items).rankings for engine in engines)
    np.testing.assert_array_equal(one.rank, other.rank)
    np.testing.assert_array_equal(one.top, other.top)
