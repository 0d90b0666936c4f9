"""Behavior Sequence Transformer, as a two-tower model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor
from torch_geometric.nn import MLP

from models.baselines.embeddings import item_profile, look_up, user_profile
from models.baselines.towers import TwoTowers
from models.baselines.training import NeuralOptions, NeuralRecommender
from models.interactions import Interactions
from models.transformer import CausalTransformer

if TYPE_CHECKING:
    from optuna import Trial
    from torch_geometric.data import HeteroData


@dataclass(frozen=True)
class BSTOptions(NeuralOptions):
    """layers, heads: of the transformer; the paper has one layer."""

    layers: int = 1
    heads: int = 4


class BSTNetwork(TwoTowers):
    """BST (Chen et al., DLP-KDD 2019, https://doi.org/10.1145/3326937.3341261).

        h = Transformer(q_1 + pos_1, …, q_t + pos_t);   p_ut = MLP(h_t ‖ E(z_u));   ŷ_ut,i = p_ut · q_i

    As in PDN's section 6.1.2 the score is an inner product instead of an MLP over the candidate. Two more changes:
    attention is causal, so that each event of a window is a target, and positions are numbered instead of timed.
    """

    def __init__(self, events: Interactions, data: "HeteroData | None", options: BSTOptions) -> None:
        super().__init__()
        d, drop = options.width, options.dropout
        self.item, self.user = item_profile(events.items, data, d), user_profile(events.users, data, d, False)
        self.transformer = CausalTransformer(
            d, options.length, options.layers, options.heads, drop, F.leaky_relu, norm_first=False
        )
        self.tower = MLP([2 * d, 4 * d, d], act="leaky_relu", norm=None)

    def vectors(self, users: Tensor, history: Tensor) -> tuple[Tensor, Tensor]:
        items = self.item()
        hidden = self.transformer(look_up(items, history), history >= len(items))
        profile = self.user(users)[:, None].expand_as(hidden)
        return self.tower(torch.cat([hidden, profile], dim=-1)), items


class BST(NeuralRecommender[BSTOptions]):
    name = "bst"
    options_class = BSTOptions

    @staticmethod
    def space(trial: "Trial") -> BSTOptions:
        return BSTOptions(
            width=trial.suggest_categorical("width", [32, 64, 128]),
            epochs=trial.suggest_int("epochs", 3, 20),
            batch=trial.suggest_categorical("batch", [16, 64, 256]),
            rate=trial.suggest_float("rate", 5e-4, 5e-3, log=True),
            dropout=trial.suggest_float("dropout", 0.0, 0.5),
            length=trial.suggest_categorical("length", [20, 50, 100]),
            layers=trial.suggest_int("layers", 1, 2),
            profile=trial.suggest_categorical("profile", [True, False]),
        )

    def build(self, events: Interactions, data: "HeteroData | None") -> BSTNetwork:
        return BSTNetwork(events, data, self.options)
