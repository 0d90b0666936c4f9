"""PyG's `GraphStore` over Neo4j: which edges there are, and whole relations for who can hold them."""

from collections.abc import Sequence
from itertools import islice

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import EdgeAttr, GraphStore
from torch_geometric.data.graph_store import EdgeLayout

from graph.driver import Database
from graph.errors import Invalid
from graph.hops import EVENT_HOPS, PAIR_HOPS, REVERSE, Hop, reversed_hop, stream_edges
from graph.progress import step
from models.remote.numbering import READ_ONLY, Numbering

INTERACTED, HELD_OUT = EVENT_HOPS
STARTS_AT_ONCE = 1000  # nodes whose edges are held as ids
EDGE_TYPES = tuple(one for hop in (INTERACTED, *PAIR_HOPS) for one in (hop, reversed_hop(hop)))


class Neo4jGraphStore(GraphStore):
    """The hops of a snapshot (`graph.snapshot`), and each the other way round as a relation `rev_…`.

    Edges are sorted as there. `HELD_OUT` comes when it is asked for, but is not listed: a loader would
    pass messages along what is kept for the evaluation.

    It only reads: an edge of the graph is more than two numbers (times, sessions, counts that depend on it), so putting
    and removing raise `Invalid`.

    Arguments:
        database: where the graph is.
        numbering: shared with a feature store; None reads it.
        edge_types: those that it lists, and that a sampler follows.
    """

    def __init__(
        self, database: Database, numbering: Numbering | None = None, edge_types: Sequence[Hop] = EDGE_TYPES
    ) -> None:
        super().__init__()
        if unknown := [one for one in edge_types if one not in EDGE_TYPES]:
            raise Invalid(f"edge type {unknown[0]}: the graph has {', '.join(map(str, EDGE_TYPES))}")
        self.database, self.edge_types = database, tuple(edge_types)
        self.numbering = numbering or Numbering.read(database)

    def get_all_edge_attrs(self) -> list[EdgeAttr]:
        return [self._coo(one) for one in self.edge_types]

    def _coo(self, hop: Hop) -> EdgeAttr:
        size = (self.numbering.count(hop[0]), self.numbering.count(hop[2]))
        return EdgeAttr(hop, EdgeLayout.COO, is_sorted=False, size=size)

    def _get_edge_index(self, edge_attr: EdgeAttr) -> tuple[Tensor, Tensor] | None:
        """All edges of a type, 16 bytes each, read anew each time; None where the graph has no such type."""
        if edge_attr.edge_type not in (*EDGE_TYPES, HELD_OUT):
            return None
        if edge_attr.layout != EdgeLayout.COO:
            row, col, _ = self._edge_to_layout(self._coo(edge_attr.edge_type), edge_attr.layout)
            return row, col
        start, end = self._read(edge_attr.edge_type)
        return start, end

    def _read(self, hop: Hop) -> tuple[Tensor, Tensor]:
        if hop[1].startswith(REVERSE):
            end, start = self._read(reversed_hop(hop))
            return start, end
        kind, relation, other = hop
        found = [np.zeros((2, 0), np.int64)]
        with step(f"Reading {relation.replace('_', ' ')} edges") as shown:
            stream = stream_edges(self.database, hop, self.numbering.source)
            while part := list(islice(stream, STARTS_AT_ONCE)):
                ends = [one for _, several in part for one in several]
                rows, start_known = self.numbering.numbers(kind, [start for start, _ in part])
                cols, end_known = self.numbering.numbers(other, ends)
                place = np.repeat(np.arange(len(part)), [len(several) for _, several in part])
                known = start_known[place] & end_known
                found.append(np.stack((rows[place][known], cols[known])))
                shown.advance(len(ends))
        edges = np.concatenate(found, axis=1)
        row, col = torch.from_numpy(edges[:, np.lexsort((edges[1], edges[0]))])
        return row, col

    def _put_edge_index(self, edge_index: tuple[Tensor, Tensor], edge_attr: EdgeAttr) -> bool:  # noqa: ARG002
        raise Invalid(f"edges {edge_attr.edge_type} cannot be put: {READ_ONLY}")

    def _remove_edge_index(self, edge_attr: EdgeAttr) -> bool:
        raise Invalid(f"edges {edge_attr.edge_type} cannot be removed: {READ_ONLY}")
