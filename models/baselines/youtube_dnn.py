"""YouTube's candidate generator: the mean of the history, and a tower on it."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch_geometric.nn import MLP

from models.baselines.embeddings import item_profile, look_up, user_profile
from models.baselines.towers import TwoTowers
from models.baselines.training import NeuralOptions, NeuralRecommender
from models.interactions import Interactions

if TYPE_CHECKING:
    from optuna import Trial
    from torch_geometric.data import HeteroData


class YouTubeDNNNetwork(TwoTowers):
    """Youtube DNN (Covington et al., RecSys 2016, https://doi.org/10.1145/2959100.2959190).

        p_ut = MLP(LayerNorm(mean(q_1, …, q_t)) ‖ E(z_u));   ŷ_ut,i = p_ut · q_i

    The mean is taken after each position at once, so that each event of a window is a target. E(z_u) sums the
    embeddings of the user's profile fields.
    """

    def __init__(self, events: Interactions, data: "HeteroData | None", options: NeuralOptions) -> None:
        super().__init__()
        d = options.width
        self.item, self.user = item_profile(events.items, data, d), user_profile(events.users, data, d, False)
        self.dropout = nn.Dropout(options.dropout)
        self.norm = nn.LayerNorm(d)  # a mean is short, and shorter the longer the history
        self.tower = MLP([2 * d, 4 * d, d], act="relu", norm=None)

    def vectors(self, users: Tensor, history: Tensor) -> tuple[Tensor, Tensor]:
        items = self.item()
        known = (history < len(items)).to(items.dtype)
        mean = look_up(items, history).cumsum(1) / known.cumsum(1).clamp_min(1)[..., None]
        profile = self.user(users)[:, None].expand_as(mean)
        return self.tower(self.dropout(torch.cat([self.norm(mean), profile], dim=-1))), items


class YouTubeDNN(NeuralRecommender[NeuralOptions]):
    name = "youtube-dnn"
    options_class = NeuralOptions

    @staticmethod
    def space(trial: "Trial") -> NeuralOptions:
        return NeuralOptions(
            width=trial.suggest_categorical("width", [32, 64, 128]),
            epochs=trial.suggest_int("epochs", 3, 20),
            batch=trial.suggest_categorical("batch", [16, 64, 256]),
            rate=trial.suggest_float("rate", 5e-4, 1e-2, log=True),
            dropout=trial.suggest_float("dropout", 0.0, 0.5),
            length=trial.suggest_categorical("length", [10, 20, 50, 100]),
            profile=trial.suggest_categorical("profile", [True, False]),
        )

    def build(self, events: Interactions, data: "HeteroData | None") -> YouTubeDNNNetwork:
        return YouTubeDNNNetwork(events, data, self.options)
