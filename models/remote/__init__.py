"""The graph as a remote backend of PyTorch Geometric: mini-batches straight from Neo4j (docs/pyg.md)."""

from collections.abc import Mapping, Sequence

from graph.driver import Database
from graph.hops import Hop
from models.remote.feature_store import Neo4jFeatureStore
from models.remote.graph_store import EDGE_TYPES, Neo4jGraphStore
from models.remote.numbering import Numbering
from models.remote.sampler import Neo4jNeighborSampler

__all__ = ["Neo4jFeatureStore", "Neo4jGraphStore", "Neo4jNeighborSampler", "Numbering", "open_backend"]


def open_backend(
    database: Database,
    tensors: Mapping[str, Sequence[str]] | None = None,
    edge_types: Sequence[Hop] = EDGE_TYPES,
) -> tuple[Neo4jFeatureStore, Neo4jGraphStore]:
    """What PyG's loaders take as `data`: two stores of one graph with the same numbering, whose ids are read once.

    `tensors` as in `Neo4jFeatureStore`, `edge_types` as in `Neo4jGraphStore`. Raises `StoreEmpty`, `StoreError` where a
    load is unfinished, and `DatabaseError`.
    """
    numbering = Numbering.read(database)
    return Neo4jFeatureStore(database, tensors, numbering), Neo4jGraphStore(database, numbering, edge_types)
