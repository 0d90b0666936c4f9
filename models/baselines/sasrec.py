"""Self-attentive sequential recommendation, with the loss that makes it strong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import Tensor

from models.baselines.embeddings import item_profile, look_up
from models.baselines.towers import TwoTowers
from models.baselines.training import NeuralOptions, NeuralRecommender
from models.interactions import Interactions
from models.transformer import CausalTransformer

if TYPE_CHECKING:
    from optuna import Trial
    from torch_geometric.data import HeteroData


@dataclass(frozen=True)
class SASRecOptions(NeuralOptions):
    """layers, heads: of the transformer. As in the paper only an item's number is embedded, unless `profile`."""

    layers: int = 2
    heads: int = 2
    profile: bool = False


class SASRecNetwork(TwoTowers):
    """SASRec (Kang and McAuley, ICDM 2018, https://doi.org/10.1109/ICDM.2018.00035).

        h = Transformer(q_1 + pos_1, …, q_t + pos_t), causal, pre-norm;   ŷ_t,i = h_t · q_i

    The published model compares each target with one negative, which makes it overconfident and weak. With
    cross-entropy over all items, or over many negatives, it is on a par with or better than what came after it
    (Klenitskiy and Vasilev, RecSys 2023, https://doi.org/10.1145/3604915.3610644; Petrov and Macdonald, gSASRec,
    RecSys 2023, https://doi.org/10.1145/3604915.3608783). That is what is trained here.
    """

    def __init__(self, events: Interactions, data: "HeteroData | None", options: SASRecOptions) -> None:
        super().__init__()
        self.item = item_profile(events.items, data, options.width)
        self.transformer = CausalTransformer(
            options.width, options.length, options.layers, options.heads, options.dropout, F.gelu, norm_first=True
        )

    def vectors(self, users: Tensor, history: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        items = self.item()
        return self.transformer(look_up(items, history), history >= len(items)), items


class SASRec(NeuralRecommender[SASRecOptions]):
    name = "sasrec"
    options_class = SASRecOptions

    @classmethod
    def starts(cls) -> Sequence[SASRecOptions]:
        """The defaults, and what PDN's own transformer has on MovieLens-1M: it must not win by its options alone."""
        return [SASRecOptions(), SASRecOptions(width=128, epochs=12, dropout=0.3, negatives=0)]

    @staticmethod
    def space(trial: "Trial") -> SASRecOptions:
        return SASRecOptions(
            width=trial.suggest_categorical("width", [32, 64, 128]),
            epochs=trial.suggest_int("epochs", 3, 20),
            batch=trial.suggest_categorical("batch", [16, 64, 256]),
            rate=trial.suggest_float("rate", 5e-4, 5e-3, log=True),
            dropout=trial.suggest_float("dropout", 0.1, 0.5),
            length=trial.suggest_categorical("length", [20, 50, 100, 200]),
            negatives=trial.suggest_categorical("negatives", [0, 512]),
            layers=trial.suggest_int("layers", 1, 3),
            profile=trial.suggest_categorical("profile", [True, False]),
        )

    def build(self, events: Interactions, data: "HeteroData | None") -> SASRecNetwork:
        return SASRecNetwork(events, data, self.options)
