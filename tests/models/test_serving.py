"""The network without torch says what the network says."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from torch_geometric.data import HeteroData

from graph.excerpt import LISTS, Excerpt
from models.candidates import candidate_pairs
from models.features import Encoder
from models.interactions import Interactions
from models.onnx_export import export
from models.pairs import PairOptions, Pairs
from models.pdn import PDN, PDNOptions
from models.profiles import PathKinds, Terms, browse_paths, profile_words
from models.scoring import Scores, score
from models.serving import ServedNetwork, edge_weights, open_graph, unmet_pairs
from models.windows import grouped
from tests.models.conftest import clustered_events, make_snapshot

SIZES = {"user": [7, 3, 5], "item": [9, 4, 6], "behaviour": [5, 4, 6, 3], "pair": [6, 3, 4, 5, 2], "bias": []}
TOLERANCE = 1e-5
READING = 2e-4  # of a transformer in float32, whose weights are four times too large here


def network(seed: int = 0, sizes: dict[str, list[int]] | None = None, **changed: Any) -> PDN:
    """With weights far from the small ones that training starts from."""
    torch.manual_seed(seed)
    options = PDNOptions(**{"embedding": 3, "hidden": 6, "direct": 4} | changed)
    made = PDN(sizes or SIZES, options).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(2 if options.trig_net == "transformer" else 4)  # else its weights leave what is stored
    return made


@pytest.fixture(scope="module", params=[{}, {"history": 7}, {"trig_net": "transformer"}], ids=str)
def exported(request: pytest.FixtureRequest) -> tuple[PDN, dict[str, bytes]]:
    made = network(**request.param)
    return made, export(made)


@settings(max_examples=40)
@given(users=st.integers(1, 4), items=st.integers(1, 9), edges=st.integers(0, 12), seed=st.integers(0, 2**31))
def test_graphs_equal_torch_for_any_number_of_rows(
    exported: tuple[PDN, dict[str, bytes]], users: int, items: int, edges: int, seed: int
) -> None:
    model, graphs = exported
    draw = np.random.default_rng(seed)

    def codes(group: str, rows: int) -> np.ndarray:
        return np.stack([draw.integers(0, size, rows) for size in SIZES[group]], axis=1)

    z, x, a, c = codes("user", users), codes("item", items), codes("behaviour", edges), codes("pair", edges)
    source, target = draw.integers(0, items, edges), draw.integers(0, items, edges)
    user = draw.integers(0, users, edges)
    asked = {
        "triggers": {"z": z, "x": x, "edge_index": np.stack([user, target]), "a": a},
        "similarities": {"x": x, "source": source, "target": target, "c": c},
        "item_vectors": {"x": x},
    }
    contextual = model.options.trig_net == "transformer"
    if contextual:
        asked["triggers"]["groups"] = grouped(user, users)
    if length := model.options.history:
        latest = draw.integers(0, items, (users, length))
        latest[np.arange(length) < draw.integers(0, length + 1, (users, 1))] = items
        asked["history_vectors"] = {"x": x, "history": latest}
    else:
        asked["user_vectors"] = {"z": z}
    assert set(graphs) == set(asked)
    for name, inputs in asked.items():
        with torch.no_grad():
            wanted = getattr(model, name)(*map(torch.from_numpy, inputs.values())).numpy()
        [found] = open_graph(graphs[name]).run(None, inputs)
        assert found.shape == wanted.shape
        near = READING if name == "history_vectors" or (contextual and name == "triggers") else TOLERANCE
        np.testing.assert_allclose(found, wanted, rtol=near, atol=near)


def test_graphs_tell_nothing_of_the_code(exported: tuple[PDN, dict[str, bytes]]) -> None:
    assert not [name for name, graph in exported[1].items() if b".py" in graph or b"models.pdn" in graph]


def excerpt_of(data: HeteroData, users: Sequence[int], items: Sequence[int] | None = None) -> Excerpt:
    """What the web server reads of these users, or of these items, from the rows that its statements give."""
    edges = data["user", "interacted", "item"]
    events = Interactions.of(data)
    order = edges.event_edge.numpy()
    chosen = sorted({int(i) for u in users for i in events.item[events.user == u]} if items is None else set(items))
    nodes_of: dict[int, list[str]] = {item: [] for item in chosen}
    for item, node in data["item", "in_category", "browse_node"].edge_index.t().tolist():
        if item in nodes_of:
            nodes_of[item].append(data["browse_node"].id[node])
    parents: dict[int, list[str]] = {}
    for child, parent in data["browse_node", "child_of", "browse_node"].edge_index.t().tolist():
        parents.setdefault(child, []).append(data["browse_node"].id[parent])
    rows = [
        {
            "id": data["item"].id[item],
            "title": data["item"].title[item],
            "brand": data["item"].brand[item],
            "price": float(data["item"].price[item]),
            "popularity": int(events.buyers[item]),
            "profile": [],
            "nodes": nodes_of[item],
        }
        for item in reversed(chosen)
    ]
    nodes = [
        {"id": name, "level": level, "parents": parents.get(number, []), "intents": []}
        for number, (name, level) in enumerate(zip(data["browse_node"].id, data["browse_node"].level, strict=True))
    ]
    found = Excerpt(rows, nodes)
    histories = []
    for user in users:
        mine = np.flatnonzero(events.user == user)
        own = [np.flatnonzero((order == edge) & (events.user == user)) for edge in dict.fromkeys(order[mine].tolist())]
        histories.append(
            {
                "id": data["user"].id[user],
                "profile": [data["user"].profile["age"][user]],
                "items": [data["item"].id[events.item[places[0]]] for places in own],
                "counts": [len(places) for places in own],
                "positions": [edges.event_position[places].tolist() for places in own],
                "times": [edges.event_time[places].tolist() for places in own],
                "sessions": [[f"s{code}" for code in edges.event_session[places].tolist()] for places in own],
                "quantities": [edges.event_quantity[places].tolist() for places in own],
                "values": [[] for _ in own],
                "places": [[] for _ in own],
            }
        )
    found.add_users(histories, ["age"])
    return found


@pytest.fixture(
    scope="module",
    params=[
        ((), {}, {}),
        (("item.id", "item.buyers", "user.activity", "behaviour.steps", "pair.text"), {}, {}),
        ((), {"history": 6}, {}),
        ((), {"trig_net": "transformer"}, {}),
        ((), {}, {"trend": 0.5, "trend_days": 3}),
    ],
    ids=["whole", "without", "history", "contextual", "trended"],
)
def trained(request: pytest.FixtureRequest) -> tuple[HeteroData, Scores, ServedNetwork]:
    """Shoppers who come back to what they had, all edges by torch, and the same network served."""
    again = [(user, item, place + 20) for user, item, place in clustered_events() if (user + item) % 3 == 0]
    data = make_snapshot(clustered_events() + again, users=30, items=24)
    events = Interactions.of(data)
    without, changed, trended = request.param
    pairs = candidate_pairs(events, data, PairOptions(candidates=20, window=3, profile_share=0.5, **trended))
    encoder = Encoder.fit(data, events, pairs, None, 1, without)
    model = network(1, sizes=encoder.features.sizes, **changed)
    terms = Terms.fit(profile_words(data, browse_paths(data)), PairOptions().hottest)
    served = ServedNetwork(export(model), encoder.features, terms, similar=5, min_buyers=1, trended=bool(trended))
    return data, score(model, encoder, events, [pairs]), served


def test_users_get_the_weights_of_the_index(trained: tuple[HeteroData, Scores, ServedNetwork]) -> None:
    data, scores, served = trained
    near = READING if "groups" in [one.name for one in served._graphs["triggers"].get_inputs()] else TOLERANCE
    for users in ([0], [3, 4, 17], range(30)):
        excerpt = excerpt_of(data, list(users))
        found = served.user_weights(excerpt)
        told = {
            (data["user"].id[scores.events.user[event]], data["item"].id[scores.events.item[event]]): weight
            for event, weight in zip(scores.trigger, edge_weights(scores.t), strict=True)
        }
        wanted = {pair: weight for pair, weight in told.items() if pair[0] in excerpt["user"].id}
        names = zip(found.user, found.item, strict=True)
        mine = [(excerpt["user"].id[user], excerpt["item"].id[item]) for user, item in names]
        assert sorted(mine) == sorted(wanted)
        np.testing.assert_allclose(found.weight, [wanted[pair] for pair in mine], rtol=near)
        np.testing.assert_allclose(found.direct, scores.p[list(users)], rtol=READING, atol=READING)


def test_items_get_the_vectors_of_the_index(trained: tuple[HeteroData, Scores, ServedNetwork]) -> None:
    data, scores, served = trained
    found = served.item_vectors(excerpt_of(data, [], items=[2, 9, 23]), scores.pairs.trend[[2, 9, 23]])
    np.testing.assert_allclose(found, scores.q[[2, 9, 23]], rtol=TOLERANCE, atol=TOLERANCE)


def test_a_pair_that_nobody_met_is_the_same_in_the_index(trained: tuple[HeteroData, Scores, ServedNetwork]) -> None:
    """The index has such pairs too, those that the profile alone brought in."""
    data, scores, served = trained
    pairs = scores.pairs
    unmet = np.flatnonzero((pairs.together == 0) & (pairs.forward == 0) & (pairs.backward == 0))
    assert len(unmet) > 10
    source, target = pairs.source[unmet], pairs.target[unmet]
    excerpt = excerpt_of(data, [], items=range(24))
    alone: Pairs = unmet_pairs(excerpt, served.terms, source, target)
    np.testing.assert_allclose(alone.text, pairs.text[unmet], atol=1e-6)
    assert (alone.brand == pairs.brand[unmet]).all()
    assert (alone.depth == pairs.depth[unmet]).all()
    found = served.similarities(excerpt, source, target, pairs.trend)
    np.testing.assert_allclose(found, edge_weights(scores.s[unmet]), rtol=TOLERANCE)


def test_somebody_without_events_has_a_vector_only(trained: tuple[HeteroData, Scores, ServedNetwork]) -> None:
    data, _, served = trained
    excerpt = excerpt_of(data, [], items=[])
    empty: dict[str, list[object]] = {name: [] for name in ("items", *LISTS)}
    excerpt.add_users([{"id": "nobody", "profile": [None], **empty}], ["age"])
    found = served.user_weights(excerpt)
    assert len(found.weight) == 0
    assert found.direct.shape == (1, 4 + served.trended)


def test_without_direct_net_vectors_are_empty() -> None:
    graphs = export(network(direct_net=False))
    assert set(graphs) == {"triggers", "similarities"}


words = st.lists(st.lists(st.sampled_from([f"w{n}" for n in range(9)]), max_size=6), min_size=1, max_size=30)


@given(words.filter(any))
def test_terms_are_those_of_scikit_learn(found: list[list[str]]) -> None:
    terms = Terms.fit(found, 1000)
    vectors = np.zeros((len(found), len(terms.names)))
    row, term, value = terms.vectors(found)
    vectors[row, term] = value
    known = TfidfVectorizer(analyzer=list)
    np.testing.assert_allclose(vectors, known.fit_transform(found).toarray(), atol=1e-6)
    assert tuple(known.get_feature_names_out()) == terms.names


def test_a_term_of_many_items_says_nothing() -> None:
    found = [["all", f"own{number}"] for number in range(300)]
    assert "all" not in Terms.fit(found, 1000).names
    assert "own7" in Terms.fit(found, 1000).names


paths = st.lists(st.lists(st.integers(0, 12), unique=True, max_size=11), min_size=1, max_size=8)


@given(paths, st.data())
def test_shared_depth_counts_common_nodes(found: list[list[int]], data: st.DataObject) -> None:
    place = st.lists(st.integers(0, len(found) - 1), min_size=5, max_size=5)
    source, target = np.array(data.draw(place)), np.array(data.draw(place))
    wanted = [min(7, len({*found[a]} & {*found[b]})) for a, b in zip(source, target, strict=True)]
    assert PathKinds.of(found).shared_depth(source, target).tolist() == wanted
