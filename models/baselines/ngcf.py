"""Neural Graph Collaborative Filtering: graph convolution with weights and an interaction term in each layer."""

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.baselines.lightgcn import GraphOptions, adjacency
from models.baselines.towers import TwoTowers
from models.baselines.training import NeuralRecommender
from models.interactions import Interactions

if TYPE_CHECKING:
    from optuna import Trial
    from torch_geometric.data import HeteroData


class NGCFNetwork(TwoTowers):
    """NGCF (Wang et al., SIGIR 2019, https://doi.org/10.1145/3331184.3331267).

        E^(l+1) = LeakyReLU((L + I) E^(l) W_1 + (L E^(l)) ∘ E^(l) W_2),   L = D^(-1/2) A D^(-1/2)
        e = e^(0) ‖ … ‖ e^(layers), each of layer 1 and above of unit length;   ŷ_ui = cos(e_u, e_i) / τ

    The scale is the same as for LightGCN, and so is the loss: a sampled softmax instead of BPR.
    """

    graph: Tensor

    def __init__(self, events: Interactions, options: GraphOptions) -> None:
        super().__init__(options.temperature)
        self.counts, d = [events.users, events.items], options.width
        self.register_buffer("graph", adjacency(events), persistent=False)
        self.embedding = nn.Parameter(nn.init.xavier_uniform_(torch.empty(sum(self.counts), d)))
        self.plain = nn.ModuleList(nn.Linear(d, d) for _ in range(options.layers))
        self.product = nn.ModuleList(nn.Linear(d, d) for _ in range(options.layers))
        self.dropout = nn.Dropout(options.dropout)

    def embeddings(self) -> Tensor:
        """[U + N, (layers + 1) d] of all users, then all items."""
        here, found = self.embedding, [self.embedding]
        for plain, product in zip(self.plain, self.product, strict=True):
            around = self.graph @ here
            here = self.dropout(F.leaky_relu(plain(around + here) + product(around * here), 0.2))
            found.append(F.normalize(here, dim=-1))
        return torch.cat(found, dim=-1)

    def vectors(self, users: Tensor, history: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        user, item = self.embeddings().split(self.counts)
        return user[users][:, None], item


class NGCF(NeuralRecommender[GraphOptions]):
    name = "ngcf"
    options_class = GraphOptions
    by_pairs = True

    @staticmethod
    def space(trial: "Trial") -> GraphOptions:
        return GraphOptions(
            width=trial.suggest_categorical("width", [32, 64]),
            epochs=trial.suggest_int("epochs", 10, 80),
            batch=trial.suggest_categorical("batch", [8192, 32_768]),
            rate=trial.suggest_float("rate", 1e-3, 0.05, log=True),
            dropout=trial.suggest_float("dropout", 0.0, 0.5),
            layers=trial.suggest_int("layers", 1, 3),
            temperature=trial.suggest_float("temperature", 0.05, 0.4, log=True),
        )

    def build(self, events: Interactions, data: "HeteroData | None") -> NGCFNetwork:  # noqa: ARG002
        return NGCFNetwork(events, self.options)
