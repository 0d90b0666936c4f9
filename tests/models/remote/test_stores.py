"""The stores keep PyG's contract, and hold what a snapshot of the same graph holds."""

import pytest
import torch
from torch import Tensor
from torch_geometric.data import EdgeAttr, HeteroData, TensorAttr
from torch_geometric.index import ptr2index
from torch_geometric.transforms import ToUndirected

from graph.driver import Database
from graph.errors import Invalid, StoreError
from graph.schema import direct_property
from graph.snapshot import read_snapshot
from models.fields import Category
from models.remote import Neo4jFeatureStore, Neo4jGraphStore, open_backend
from models.remote.graph_store import EDGE_TYPES, HELD_OUT, INTERACTED
from tests.models.remote.conftest import ITEMS, WIDTH, write_direct


@pytest.fixture(scope="module")
def generation(shop: Database) -> int:
    return write_direct(shop)


@pytest.fixture(scope="module")
def snapshot(shop: Database, generation: int) -> HeteroData:
    return read_snapshot(shop)


@pytest.fixture(scope="module")
def backend(shop: Database, generation: int) -> tuple[Neo4jFeatureStore, Neo4jGraphStore]:
    return open_backend(shop)


@pytest.fixture
def features(backend: tuple[Neo4jFeatureStore, Neo4jGraphStore]) -> Neo4jFeatureStore:
    return backend[0]


@pytest.fixture
def graph(backend: tuple[Neo4jFeatureStore, Neo4jGraphStore]) -> Neo4jGraphStore:
    return backend[1]


def edges(graph: Neo4jGraphStore, edge_type: tuple[str, str, str], layout: str = "coo") -> Tensor:
    return torch.stack(graph.get_edge_index(edge_type, layout))


def test_edges_are_those_of_the_snapshot_both_ways(graph: Neo4jGraphStore, snapshot: HeteroData) -> None:
    both = ToUndirected(merge=False)(snapshot.clone())
    for edge_type in EDGE_TYPES:
        assert torch.equal(edges(graph, edge_type), both[edge_type].edge_index), edge_type


def test_every_edge_type_is_listed_with_its_size_and_what_is_held_out_is_not(graph: Neo4jGraphStore) -> None:
    attrs = {attr.edge_type: attr for attr in graph.get_all_edge_attrs()}
    assert tuple(attrs) == EDGE_TYPES
    assert HELD_OUT not in attrs
    assert attrs[INTERACTED].size == (30, ITEMS)
    assert attrs["item", "rev_interacted", "user"].size == (ITEMS, 30)
    assert edges(graph, HELD_OUT).tolist() == [[0], [1]]


def test_layouts_are_the_same_edges(graph: Neo4jGraphStore) -> None:
    coo = {tuple(pair) for pair in edges(graph, INTERACTED).T.tolist()}
    row, col = graph.get_edge_index(INTERACTED, "csr")
    assert {*zip(ptr2index(row).tolist(), col.tolist(), strict=True)} == coo
    row, col = graph.get_edge_index(INTERACTED, "csc")
    assert len(col) == ITEMS + 1
    assert {*zip(row.tolist(), ptr2index(col).tolist(), strict=True)} == coo
    rows, cols, _ = graph.csc([INTERACTED])
    assert torch.equal(rows[INTERACTED], row)
    assert torch.equal(cols[INTERACTED], col)
    rows, cols, _ = graph.coo([INTERACTED])
    assert {*zip(rows[INTERACTED].tolist(), cols[INTERACTED].tolist(), strict=True)} == coo


def test_unknown_edges_are_a_key_error(graph: Neo4jGraphStore) -> None:
    with pytest.raises(KeyError, match="not found"):
        graph.get_edge_index(("user", "likes", "item"), "coo")
    with pytest.raises(ValueError, match="was not found in the graph store"):
        graph.coo([("user", "likes", "item")])
    with pytest.raises(Invalid, match=r"likes.*the graph has .*interacted"):
        Neo4jGraphStore(graph.database, graph.numbering, (("user", "likes", "item"),))


def codes(name: str, values: list[str | None]) -> Tensor:
    return torch.from_numpy(Category.fit(name, values).encode(values))


def expected(data: HeteroData) -> dict[tuple[str, str], Tensor]:
    """The tensors of a snapshot."""
    user, item = data["user"], data["item"]
    activity = torch.bincount(data[INTERACTED].edge_index[0], minlength=user.num_nodes)
    return {
        ("user", "activity"): activity,
        ("user", "profile_age"): codes("profile_age", user.profile["age"]),
        ("item", "popularity"): item.popularity,
        ("item", "price"): item.price,
        ("item", "available"): item.available,
        ("item", "brand"): codes("brand", item.brand),
        ("item", "profile_size"): codes("profile_size", item.profile["size"]),
        ("browse_node", "level"): torch.tensor(data["browse_node"].level),
    }


def test_tensors_are_those_of_the_snapshot(features: Neo4jFeatureStore, snapshot: HeteroData) -> None:
    tensors = expected(snapshot)
    listed = {(attr.group_name, attr.attr_name) for attr in features.get_all_tensor_attrs()}
    assert listed == {*tensors, ("user", "direct"), ("item", "direct")}
    for (kind, name), tensor in tensors.items():
        torch.testing.assert_close(features[kind, name, None], tensor, rtol=0, atol=0, equal_nan=True, msg=name)
        assert features.get_tensor_size(kind, name) == tuple(tensor.shape)


def test_direct_vectors_are_the_live_generation_s(features: Neo4jFeatureStore, shop: Database, generation: int) -> None:
    assert features.get_tensor_size("item", "direct") == (ITEMS, WIDTH)
    rows = shop.read("MATCH (i:Item) RETURN i.id AS id, i[$name] AS vector", {"name": direct_property(generation)})
    vectors = torch.tensor([row["vector"] for row in sorted(rows, key=lambda row: row["id"])])
    torch.testing.assert_close(features["item", "direct", None], vectors)


@pytest.mark.parametrize(
    "index",
    [torch.tensor([7, 0, 7]), slice(2, 9, 3), torch.arange(ITEMS) % 5 == 0, torch.tensor([], dtype=torch.long)],
    ids=["tensor", "slice", "mask", "empty"],
)
def test_an_index_takes_rows(features: Neo4jFeatureStore, index: Tensor | slice) -> None:
    for name in ("popularity", "direct"):
        whole = features["item", name, None]
        assert torch.equal(features["item", name, index], whole[index])
        assert features.get_tensor_size("item", name, index) == tuple(whole[index].shape)


def test_views_and_several_tensors_at_once(features: Neo4jFeatureStore) -> None:
    index = torch.tensor([4, 2])
    assert torch.equal(features.view("item").popularity[index], features["item", "popularity", index])
    assert torch.equal(features["item"]["available"][:], features["item", "available", None])
    asked = [
        TensorAttr("item", "brand", index),
        TensorAttr("user", "activity", index),
        TensorAttr("item", "price", index),
    ]
    for attr, tensor in zip(asked, features.multi_get_tensor(asked), strict=True):
        assert torch.equal(tensor, features.get_tensor(attr))


def test_what_is_not_there_is_an_error(features: Neo4jFeatureStore) -> None:
    with pytest.raises(KeyError, match=r"no tensor item\.colour"):
        features.get_tensor("item", "colour", None)
    with pytest.raises(ValueError, match="fully specified"):
        features.get_tensor("item", "price")
    with pytest.raises(IndexError):
        features.get_tensor("item", "price", torch.tensor([ITEMS]))
    assert features.get_tensor_size("item", "colour") is None
    with pytest.raises(Invalid, match=r"tensor item\.colour: the graph has user\.activity"):
        Neo4jFeatureStore(features.database, {"item": ["colour"]}, features.numbering)


def test_only_what_is_named_is_fetched(features: Neo4jFeatureStore) -> None:
    few = Neo4jFeatureStore(features.database, {"item": ["price"]}, features.numbering)
    assert [(attr.group_name, attr.attr_name) for attr in few.get_all_tensor_attrs()] == [("item", "price")]


def test_stores_only_read(backend: tuple[Neo4jFeatureStore, Neo4jGraphStore], shop: Database) -> None:
    features, graph = backend
    counted = (
        "MATCH (n) OPTIONAL MATCH (n)-[r]->() RETURN count(DISTINCT n) AS nodes, count(r) AS edges, sum(n.price) AS sum"
    )
    before = shop.read(counted)
    price, some = TensorAttr("item", "price", None), torch.zeros(ITEMS)
    for change in (
        lambda: features.put_tensor(some, price),
        lambda: features.update_tensor(some, price),
        lambda: features.remove_tensor(price),
        lambda: graph.put_edge_index((some, some), EdgeAttr(INTERACTED, "coo")),
        lambda: graph.remove_edge_index(EdgeAttr(INTERACTED, "coo")),
        lambda: graph.csr(store=True),
    ):
        with pytest.raises(Invalid, match=r"only read the graph.*twohop load") as raised:
            change()
        assert "\n" not in str(raised.value)
    assert shop.read(counted) == before


def test_nodes_that_come_later_are_left_out_and_those_that_left_are_said(
    shop: Database, graph: Neo4jGraphStore
) -> None:
    features = Neo4jFeatureStore(shop, {"item": ["price"]}, graph.numbering)
    before = edges(graph, INTERACTED)
    shop.write("MATCH (u:User {id: '5'}) CREATE (u)-[:INTERACTED {count: 1}]->(:Item {id: '105'})")
    shop.write("MATCH (i:Item {id: '7'}) SET i.id = 'gone'")
    try:
        kept = before[:, before[1] != graph.numbering.numbers("item", ["7"])[0][0]]
        assert torch.equal(edges(graph, INTERACTED), kept)
        with pytest.raises(StoreError, match="item '7' left the graph"):
            features.get_tensor("item", "price", None)
    finally:
        shop.write("MATCH (i:Item {id: '105'}) DETACH DELETE i")
        shop.write("MATCH (i:Item {id: 'gone'}) SET i.id = '7'")
