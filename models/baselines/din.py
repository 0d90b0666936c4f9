"""Deep Interest Network: the history is weighed anew for each candidate."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from models.baselines.embeddings import item_profile, look_up, user_profile
from models.baselines.training import Network, NeuralOptions, NeuralRecommender
from models.interactions import Interactions
from models.softmax import Negatives, sampled_loss

if TYPE_CHECKING:
    from optuna import Trial
    from torch_geometric.data import HeteroData

CELLS = 16_000_000  # activations held at a time when all items are scored


@dataclass(frozen=True)
class DINOptions(NeuralOptions):
    """hidden: width of the attention's hidden layer. Negatives cost more than elsewhere, so there are fewer."""

    width: int = 32
    hidden: int = 16
    length: int = 30
    negatives: int = 32
    rate: float = 4e-3
    epochs: int = 5
    dropout: float = 0.1


class DINNetwork(Network):
    """DIN (Zhou et al., KDD 2018, https://doi.org/10.1145/3219819.3219823).

        a_si = MLP(q_s ‖ q_s ∘ q_i ‖ q_i),   v_ti = LayerNorm(Σ_{s ≤ t} a_si q_s)
        ŷ_ti = MLP(v_ti ‖ v_ti ∘ q_i ‖ q_i ‖ E(z_u)) + b_i

    As in the paper the weights a are not normalised, so they do not depend on the other items of the history: sums
    over prefixes give every position of a window at once. Both first layers are applied block by block. Activations are
    PReLU, the loss a sampled softmax instead of the paper's cross-entropy of clicks.
    """

    def __init__(self, events: Interactions, data: "HeteroData | None", options: DINOptions) -> None:
        super().__init__()
        d, hidden = options.width, options.hidden
        self.item, self.user = item_profile(events.items, data, d), user_profile(events.users, data, d, False)
        self.of_history, self.of_candidate = nn.Linear(d, hidden), nn.Linear(d, hidden, bias=False)
        self.of_product = nn.Parameter(torch.randn(hidden, d) / d**0.5)
        self.attention = nn.Sequential(nn.PReLU(), nn.Linear(hidden, 1))
        # A history starts as roughly its mean, not as nothing: else the attention has no gradient to start from.
        nn.init.constant_(self.attention[1].bias, 0.2)
        self.norm = nn.LayerNorm(d)
        self.of_pooled, self.to_tower, self.of_user = nn.Linear(2 * d, d), nn.Linear(d, d), nn.Linear(d, d)
        self.dropout = nn.Dropout(options.dropout)
        self.tower = nn.Sequential(nn.PReLU(), nn.Linear(d, 1))
        self.popular = nn.Parameter(torch.zeros(events.items))

    def weights(self, history: Tensor, candidates: Tensor, known: Tensor) -> Tensor:
        """a [B, L, C] of embedded histories [B, L, d] for candidates [C, d] or [B, C, d]; 0 where not known [B, L]."""
        hidden = self.of_history(history)[:, :, None] + self.of_candidate(candidates).unsqueeze(-3)
        # (q_s ∘ q_i) W is q_s against each row of W times q_i: one product of matrices, no [B, L, C, d].
        rows = candidates[..., None, :] * self.of_product
        equation = "bld,chd->blch" if candidates.dim() == 2 else "bld,bchd->blch"
        hidden = hidden + torch.einsum(equation, history, rows)
        return self.attention(hidden).squeeze(-1) * known[..., None]

    def rate(self, pooled: Tensor, candidates: Tensor, profile: Tensor) -> Tensor:
        """ŷ [...] without b of pooled histories, candidates and profiles, each [..., d] once they are broadcast."""
        pooled = self.norm(pooled)
        hidden = self.of_pooled(torch.cat([pooled, pooled * candidates], dim=-1))
        return self.tower(hidden + self.to_tower(candidates) + self.of_user(profile)).squeeze(-1)

    def item_vectors(self, users: Tensor, history: Tensor) -> Tensor:  # noqa: ARG002
        return self.item()

    def loss(self, users: Tensor, history: Tensor, target: Tensor, negatives: Negatives) -> Tensor:
        items = self.item()
        embedded, known = self.dropout(look_up(items, history)), history < len(items)
        wanted, profile = look_up(items, target), self.user(users)[:, None]
        drawn, expected = self._drawn(negatives, len(items), items.device)
        # The targets: weights of each pair of positions, and only what stands before the target counts.
        mine = self.weights(embedded, wanted, known).triu()
        hit = self.rate(mine.transpose(1, 2) @ embedded, wanted, profile)
        others = self.weights(embedded, items[drawn], known)
        pooled = (others[..., None] * embedded[:, :, None]).cumsum(1)
        miss = self.rate(pooled, items[drawn], profile[:, None]) + self.popular[drawn] - expected
        real = target < len(items)
        found = target[real]
        return sampled_loss(hit[real] + self.popular[found], miss[real], drawn == found[:, None])

    def _drawn(self, negatives: Negatives, items: int, device: torch.device) -> tuple[Tensor, Tensor]:
        if negatives.share is None:
            return torch.arange(items, device=device), torch.zeros(items, device=device)
        return negatives.draw()

    def scores(self, users: Tensor, history: Tensor) -> Tensor:
        items = self.item()
        embedded, known = look_up(items, history), history < len(items)
        profile = self.user(users)[:, None]
        size = max(1, CELLS // max(1, history.numel() * len(self.of_product)))
        parts = []
        for candidates in items.split(size):
            pooled = self.weights(embedded, candidates, known).transpose(1, 2) @ embedded
            parts.append(self.rate(pooled, candidates, profile))
        return torch.cat(parts, dim=1) + self.popular


class DIN(NeuralRecommender[DINOptions]):
    name = "din"
    options_class = DINOptions

    @staticmethod
    def space(trial: "Trial") -> DINOptions:
        return DINOptions(
            width=trial.suggest_categorical("width", [16, 32, 64]),
            epochs=trial.suggest_int("epochs", 2, 10),
            batch=trial.suggest_categorical("batch", [16, 64, 256]),
            rate=trial.suggest_float("rate", 5e-4, 1e-2, log=True),
            dropout=trial.suggest_float("dropout", 0.0, 0.5),
            length=trial.suggest_categorical("length", [10, 20, 30, 50]),
            negatives=trial.suggest_categorical("negatives", [16, 32, 64]),
            profile=trial.suggest_categorical("profile", [True, False]),
        )

    def build(self, events: Interactions, data: "HeteroData | None") -> DINNetwork:
        return DINNetwork(events, data, self.options)
