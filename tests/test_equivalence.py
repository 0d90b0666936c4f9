"""The promise: what Cypher answers is what the network computes. Real Neo4j, random graphs, random networks."""

import math

import numpy as np
import polars as pl
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch_geometric.data import HeteroData

from cypher.explain import explain
from cypher.recommend import recommend
from cypher.similar import similar
from graph.driver import Database
from graph.generations import switch, write_generation
from graph.incremental import write_incremental
from graph.schema import INTERACTION, ITEM, USER, Source, Tables
from graph.settings import Settings
from graph.snapshot import read_snapshot
from models.candidates import candidate_pairs
from models.features import Encoder
from models.index import index_weights
from models.interactions import Interactions
from models.pairs import PairOptions
from models.pdn import PDN, PDNOptions
from models.scoring import Scores, score

USERS, ITEMS = 4, 9


def tables(pairs: list[tuple[int, int]], unavailable: set[int]) -> Tables:
    users = pl.DataFrame({"id": [f"u{n}" for n in range(USERS)]}, schema=USER)
    items = pl.DataFrame(
        {
            "id": [f"i{n}" for n in range(ITEMS)],
            "title": [f"word{n % 3} common" for n in range(ITEMS)],
            "brand": [None] * ITEMS,
            "price": [1.0] * ITEMS,
            "available": [n not in unavailable for n in range(ITEMS)],
        },
        schema=ITEM,
    )
    rows = [
        {"user": f"u{u}", "item": f"i{i}", "kind": "purchase", "position": place}
        for place, (u, i) in enumerate(dict.fromkeys(pairs))
    ]
    interactions = pl.DataFrame(rows, schema_overrides=INTERACTION).with_columns(
        pl.lit(None, dtype=kind).alias(name)
        for name, kind in INTERACTION.items()
        if name not in ("user", "item", "kind", "position")
    )
    return Tables(Source("random"), users, items, interactions.select(*INTERACTION))


def forward(model: PDN, encoder: Encoder, scores: Scores, user: int, m: int, k: int) -> torch.Tensor:
    """ŷ of all items by `PDN.forward` over a user's m best triggers and each one's k best pairs."""
    events, pairs = scores.events, scores.pairs
    mine = [place for place, event in enumerate(scores.trigger) if events.user[event] == user]
    mine = sorted(mine, key=lambda place: -scores.t[place])[:m]
    event = scores.trigger[mine]
    activity = np.array([len(set(events.item[events.user == user]))])
    batch = HeteroData()
    batch["user"].z = torch.from_numpy(encoder.user_codes(np.array([user]), activity))
    batch["item"].x = torch.from_numpy(encoder.item_codes(pairs.buyers))
    trigger = batch["user", "trigger", "item"]
    trigger.edge_index = torch.from_numpy(np.stack([np.zeros(len(mine), dtype=np.int64), events.item[event]]))
    trigger.a = torch.from_numpy(encoder.behaviour_codes(events, event, events.start[events.user[event] + 1]))
    candidate = batch["user", "candidate", "item"]
    candidate.edge_index = torch.stack([torch.zeros(ITEMS, dtype=torch.long), torch.arange(ITEMS)])
    paths = [
        (row, int(pairs.target[pair]), pair)
        for row, item in enumerate(events.item[event])
        for pair in range(pairs.start[item], pairs.start[item + 1])
        if scores.rank[pair] <= k
    ]
    table = np.array(paths, dtype=np.int64).reshape(-1, 3)
    batch.path_trigger, batch.path_candidate = torch.from_numpy(table[:, 0]), torch.from_numpy(table[:, 1])
    batch.path_itself = torch.from_numpy(events.item[event[table[:, 0]]] == table[:, 1])
    batch.c = torch.from_numpy(encoder.pair_codes(pairs, table[:, 2]))
    with torch.no_grad():
        return model(batch)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pairs=st.lists(st.tuples(st.integers(0, USERS - 1), st.integers(0, ITEMS - 1)), min_size=4, max_size=24),
    unavailable=st.sets(st.integers(0, ITEMS - 1), max_size=2),
    m=st.integers(1, 4),
    k=st.integers(1, 6),
    seed=st.integers(0, 2**31),
    direct=st.booleans(),
    repeats=st.booleans(),
    power=st.sampled_from([1.0, 2.0, 2.5]),
)
def test_cypher_is_the_network(
    settings: Settings,
    empty_database: Database,
    pairs: list[tuple[int, int]],
    unavailable: set[int],
    m: int,
    k: int,
    seed: int,
    direct: bool,
    repeats: bool,
    power: float,
) -> None:
    database = empty_database
    database.write("MATCH (n) DETACH DELETE n")
    write_incremental(tables(pairs, unavailable), settings, database)
    data = read_snapshot(database)
    events = Interactions.of(data)
    found = candidate_pairs(events, data, PairOptions(candidates=30, window=2, repeats=repeats))
    encoder = Encoder.fit(data, events, found, None, 1)
    torch.manual_seed(seed)
    options = PDNOptions(embedding=4, hidden=5, direct=3, direct_net=direct, repeat_power=power)
    model = PDN(encoder.features.sizes, options)
    model = model.double()  # so that only the way of computing differs, not the precision
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # far from the small values that training starts from
    scores = score(model, encoder, events, [found])
    generation = write_generation(
        database, index_weights(scores, data, k), model="pdn", data="random", artefact=str(seed), metrics={}
    )
    switch(database, generation)
    for item in data["item"].id:
        assert item not in {one.id for one in similar(database, item, n=ITEMS)}
    for user in sorted(set(events.user.tolist())):
        network = forward(model, encoder, scores, user, m, k)
        seen = {data["item"].id[item] for item in events.item[events.user == user]}
        answer = recommend(database, data["user"].id[user], n=ITEMS, m=m, k=k, explain=True, fill=False)
        for one in answer.items:
            place = data["item"].id.index(one.id)
            assert place not in unavailable
            assert one.id not in seen
            assert math.isclose(one.score, one.direct + sum(path.path for path in one.paths), rel_tol=1e-9)
            assert math.isclose(one.score, float(network[place]), rel_tol=1e-5, abs_tol=1e-5)
        for item in range(ITEMS):
            told = explain(database, data["user"].id[user], data["item"].id[item], m=m, k=k)
            assert math.isclose(told.score, float(network[item]), rel_tol=1e-5, abs_tol=1e-5)
        again = recommend(database, data["user"].id[user], n=ITEMS, m=m, k=k, repeats=True, fill=False)
        for one in again.items:
            assert math.isclose(one.score, float(network[data["item"].id.index(one.id)]), rel_tol=1e-5, abs_tol=1e-5)
        best = [one.score for one in answer.items]
        assert best == sorted(best, reverse=True)
