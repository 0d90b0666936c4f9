"""A neighbour sampler that draws in Neo4j, for PyG's `NodeLoader` and `LinkLoader`."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch_geometric.sampler import (
    BaseSampler,
    EdgeSamplerInput,
    HeteroSamplerOutput,
    NegativeSampling,
    NodeSamplerInput,
    NumNeighbors,
)
from torch_geometric.sampler.neighbor_sampler import edge_sample, node_sample

from graph.errors import Invalid
from graph.hops import PRIME, Hop, read_sources
from models.interactions import Ints
from models.remote.graph_store import Neo4jGraphStore

Neighbors = Sequence[int] | dict[Hop, list[int]]


class _Nodes:
    """The nodes of one kind in a batch: seeds first, then each once in the order in which it is met."""

    def __init__(self, seeds: Iterable[int]) -> None:
        self.numbers = list(seeds)
        self._places: dict[int, int] = {}
        for place, number in enumerate(self.numbers):
            self._places.setdefault(number, place)

    def add(self, numbers: Ints) -> list[int]:
        """Places of these nodes in the batch."""
        places = []
        for number in numbers.tolist():
            place = self._places.setdefault(number, len(self.numbers))
            if place == len(self.numbers):
                self.numbers.append(number)
            places.append(place)
        return places


class Neo4jNeighborSampler(BaseSampler):
    """Samples as PyG's `NeighborSampler` does (directional, without replacement), by one statement a hop and edge type.

    Each seed gets at most as many edges as `num_neighbors` says, whatever the graph's size; no edge list is held here.
    The same seed gives the same batches in the same order of calls, as long as the graph stays as it is.
    Negatives of `sample_from_edges` come from the same seed.

    Arguments:
        graph: whose edge types it follows.
        num_neighbors: of each node at each hop, such as [10, 5], for all edge types or by edge type; -1 = all.
        seed: of the draws.
    """

    def __init__(self, graph: Neo4jGraphStore, num_neighbors: Neighbors, seed: int = 0) -> None:
        super().__init__()
        values = num_neighbors if isinstance(num_neighbors, dict) else list(num_neighbors)
        self.graph = graph
        self.num_neighbors: dict[Hop, list[int]] = NumNeighbors(values).get_values(list(graph.edge_types))
        self.hops = max((len(counts) for counts in self.num_neighbors.values()), default=0)
        self._draws = np.random.default_rng(seed)

    def sample_from_nodes(self, index: NodeSamplerInput, **_: object) -> HeteroSamplerOutput:
        _check(index.input_type)
        return node_sample(index, self._sample)

    def sample_from_edges(
        self, index: EdgeSamplerInput, neg_sampling: NegativeSampling | None = None
    ) -> HeteroSamplerOutput:
        _check(index.input_type)
        counts = {kind: self.graph.numbering.count(kind) for kind in (index.input_type[0], index.input_type[-1])}
        if index.time is not None:
            raise _no_times()
        with torch.random.fork_rng(devices=[]):  # PyG draws negatives from the global generator
            torch.manual_seed(int(self._draws.integers(2**62)))
            return edge_sample(index, self._sample, counts, disjoint=False, neg_sampling=neg_sampling)

    def _sample(self, seeds: dict[str, Tensor], times: dict[str, Tensor] | None) -> HeteroSamplerOutput:
        if times is not None:
            raise _no_times()
        types = self.graph.edge_types
        kinds = dict.fromkeys([*seeds, *(kind for start, _, end in types for kind in (start, end))])
        nodes = {kind: _Nodes(seeds[kind].tolist() if kind in seeds else ()) for kind in kinds}
        edges: dict[Hop, tuple[list[int], list[int]]] = {one: ([], []) for one in types}
        node_counts = {kind: [len(found.numbers)] for kind, found in nodes.items()}
        edge_counts: dict[Hop, list[int]] = {one: [] for one in types}
        begin = dict.fromkeys(kinds, 0)
        for hop in range(self.hops):
            end = {kind: len(found.numbers) for kind, found in nodes.items()}
            for one in types:
                rows, cols = edges[one]
                before = len(rows)
                self._follow(one, self.num_neighbors[one][hop], nodes, (begin[one[2]], end[one[2]]), rows, cols)
                edge_counts[one].append(len(rows) - before)
            for kind, found in nodes.items():
                node_counts[kind].append(len(found.numbers) - end[kind])
            begin = end
        return HeteroSamplerOutput(
            node={kind: torch.tensor(found.numbers, dtype=torch.long) for kind, found in nodes.items()},
            row={one: torch.tensor(rows, dtype=torch.long) for one, (rows, _) in edges.items()},
            col={one: torch.tensor(cols, dtype=torch.long) for one, (_, cols) in edges.items()},
            edge=None,
            num_sampled_nodes=node_counts,
            num_sampled_edges=edge_counts,
        )

    def _follow(
        self,
        hop: Hop,
        limit: int,
        nodes: dict[str, _Nodes],
        frontier: tuple[int, int],
        rows: list[int],
        cols: list[int],
    ) -> None:
        """Add edges of one type to the nodes at these places in the batch, and where they come from."""
        begin, end = frontier
        if not limit or begin == end:
            return
        start, _, kind = hop
        numbering = self.graph.numbering
        ids = numbering.ids(kind, nodes[kind].numbers[begin:end])
        factor, shift = self._draws.integers(1, PRIME), self._draws.integers(PRIME)
        for place, sources in read_sources(self.graph.database, hop, ids, limit, int(factor), int(shift)):
            numbers, known = numbering.numbers(start, sources)
            found = nodes[start].add(numbers[known])
            rows += found
            cols += [begin + place] * len(found)


def _check(kind: object) -> None:
    if kind is None:
        raise Invalid('the graph has several kinds of nodes: give the loader a kind too, such as ("user", seeds)')


def _no_times() -> Invalid:
    return Invalid("Neo4jNeighborSampler does not sample by time: leave out input_time and edge_label_time")
