"""LightGCN, by torch_geometric's own model."""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch_geometric.nn import LightGCN as Propagation

from models.baselines.histories import user_item
from models.baselines.towers import TwoTowers
from models.baselines.training import NeuralOptions, NeuralRecommender
from models.interactions import Interactions

if TYPE_CHECKING:
    from optuna import Trial
    from torch_geometric.data import HeteroData


@dataclass(frozen=True)
class GraphOptions(NeuralOptions):
    """Of LightGCN and NGCF: each step propagates over the whole graph, so batches are large.

    Attributes:
        layers: hops.
        temperature: a score is the cosine of the final embeddings divided by it.
    """

    batch: int = 32_768
    rate: float = 0.02
    weight_decay: float = 1e-4
    epochs: int = 20
    negatives: int = 256
    layers: int = 2
    temperature: float = 0.15


def adjacency(events: Interactions) -> Tensor:
    """[U + N, U + N] D^(-1/2) A D^(-1/2) of the graph of users and items, sparse; 0 for a node without edges."""
    mine = user_item(events)
    both = sparse.block_array([[None, mine], [mine.T, None]], format="csr")
    root = sparse.diags_array(1 / np.sqrt(np.maximum(both.sum(axis=1), 1)))
    scaled = (root @ both @ root).tocsr()
    parts = (torch.from_numpy(one.astype(np.int32)) for one in (scaled.indptr, scaled.indices))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support", UserWarning)
        values = torch.from_numpy(scaled.data.astype(np.float32))
        return torch.sparse_csr_tensor(*parts, values, scaled.shape, check_invariants=True)


class LightGCNNetwork(TwoTowers):
    """LightGCN (He et al., SIGIR 2020, https://doi.org/10.1145/3397271.3401063).

        e^(l+1) = D^(-1/2) A D^(-1/2) e^(l);   e = 1 / (layers + 1) Σ_l e^(l);   ŷ_ui = cos(e_u, e_i) / τ

    The loss is a sampled softmax instead of BPR, with which it converges in a tenth of the epochs and ends better
    (Wu et al., TOIS 2024, https://doi.org/10.1145/3637061).

    Arguments:
        users, items: U and N.
        graph: `adjacency` of all events; None where mini-batches bring their parts of it (`embed`).
    """

    graph: Tensor | None

    def __init__(self, users: int, items: int, options: GraphOptions, graph: Tensor | None = None) -> None:
        super().__init__(options.temperature)
        self.counts = [users, items]
        self.register_buffer("graph", graph, persistent=False)
        # The graph comes normalised: torch_geometric would do it again in each step.
        self.propagation = Propagation(sum(self.counts), options.width, options.layers, normalize=False)

    def vectors(self, users: Tensor, history: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        user, item = self.propagation.get_embedding(self.graph).split(self.counts)
        return user[users][:, None], item

    def embed(self, batch: "HeteroData") -> tuple[Tensor, Tensor]:
        """e of the users and the items of a mini-batch, in its order: [u, d] and [i, d].

        The batch has `n_id` of both, `edge_index` of (user, interacted, item) and of its reverse, and the degrees that
        they have in the whole graph, `activity` and `popularity`. What has all its neighbours in the batch up to
        `layers` hops away, such as seeds that were sampled with all, gets the same vector as from the whole graph.
        """
        users = len(batch["user"].n_id)
        degree = torch.cat((batch["user"].activity, batch["item"].popularity))
        forward = batch["user", "interacted", "item"].edge_index + torch.tensor([[0], [users]])
        backward = batch["item", "rev_interacted", "user"].edge_index + torch.tensor([[users], [0]])
        edges = torch.cat((forward, backward), dim=1)
        part = self.propagation
        here = part.embedding.weight[torch.cat((batch["user"].n_id, batch["item"].n_id + self.counts[0]))]
        weight = degree.to(here.dtype).clamp(min=1).rsqrt()[edges].prod(dim=0)
        total = here * part.alpha[0]
        for layer, convolve in enumerate(part.convs, start=1):
            here = convolve(here, edges, weight)
            total = total + here * part.alpha[layer]
        return total[:users], total[users:]


class LightGCN(NeuralRecommender[GraphOptions]):
    name = "lightgcn"
    options_class = GraphOptions
    by_pairs = True

    @staticmethod
    def space(trial: "Trial") -> GraphOptions:
        return GraphOptions(
            width=trial.suggest_categorical("width", [32, 64, 128]),
            epochs=trial.suggest_int("epochs", 10, 80),
            batch=trial.suggest_categorical("batch", [8192, 32_768]),
            rate=trial.suggest_float("rate", 3e-3, 0.1, log=True),
            layers=trial.suggest_int("layers", 1, 3),
            temperature=trial.suggest_float("temperature", 0.05, 0.4, log=True),
        )

    def build(self, events: Interactions, data: "HeteroData | None") -> LightGCNNetwork:  # noqa: ARG002
        return LightGCNNetwork(events.users, events.items, self.options, adjacency(events))
