"""Deep Structured Semantic Model: two towers over users and items, without the user's history."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor
from torch_geometric.nn import MLP

from models.baselines.embeddings import item_profile, user_profile
from models.baselines.towers import TwoTowers
from models.baselines.training import NeuralOptions, NeuralRecommender
from models.interactions import Interactions

if TYPE_CHECKING:
    from optuna import Trial
    from torch_geometric.data import HeteroData


@dataclass(frozen=True)
class DSSMOptions(NeuralOptions):
    """temperature: 1 / γ of the smoothed softmax."""

    batch: int = 2048
    epochs: int = 20
    temperature: float = 0.1


class DSSMNetwork(TwoTowers):
    """DSSM (Huang et al., CIKM 2013, https://doi.org/10.1145/2505515.2505665), as PDN's section 6.1.2 uses it.

        p_u = MLP(E(u)), q_i = MLP(E(i));   ŷ_ui = γ cos(p_u, q_i)

    where E sums the embeddings of number and profile fields. Tanh layers as in the paper; its letter trigrams are of
    text and have no place here.
    """

    def __init__(self, events: Interactions, data: "HeteroData | None", options: DSSMOptions) -> None:
        super().__init__(options.temperature)
        d = options.width
        self.user, self.item = user_profile(events.users, data, d, True), item_profile(events.items, data, d)
        self.user_tower = MLP([d, 2 * d, d], act="tanh", norm=None, dropout=options.dropout)
        self.item_tower = MLP([d, 2 * d, d], act="tanh", norm=None, dropout=options.dropout)

    def vectors(self, users: Tensor, history: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        return self.user_tower(self.user(users))[:, None], self.item_tower(self.item())


class DSSM(NeuralRecommender[DSSMOptions]):
    name = "dssm"
    options_class = DSSMOptions
    by_pairs = True

    @staticmethod
    def space(trial: "Trial") -> DSSMOptions:
        return DSSMOptions(
            width=trial.suggest_categorical("width", [32, 64, 128]),
            epochs=trial.suggest_int("epochs", 5, 40),
            batch=trial.suggest_categorical("batch", [512, 2048, 8192]),
            rate=trial.suggest_float("rate", 5e-4, 1e-2, log=True),
            dropout=trial.suggest_float("dropout", 0.0, 0.5),
            temperature=trial.suggest_float("temperature", 0.03, 0.3, log=True),
            profile=trial.suggest_categorical("profile", [True, False]),
        )

    def build(self, events: Interactions, data: "HeteroData | None") -> DSSMNetwork:
        return DSSMNetwork(events, data, self.options)
