"""A linear autoencoder with a closed form."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg, sparse

from graph.progress import step
from models.baselines.contract import Options, Recommender
from models.baselines.histories import user_item
from models.interactions import Floats, Interactions, Ints

if TYPE_CHECKING:
    from optuna import Trial
    from torch_geometric.data import HeteroData


@dataclass(frozen=True)
class EASEOptions(Options):
    """Attributes:
    regularization: λ on the diagonal.
    most_items: only the items with the most buyers, this many, get weights: memory grows with its square (8 bytes a
        cell, twice), time with its cube.
    """

    regularization: float = 500.0
    most_items: int = 15_000


def ease_weights(matrix: sparse.csr_array, regularization: float) -> Floats:
    """B [N, N] for a user-item matrix [U, N]: P = (XᵀX + λI)⁻¹, B_ji = −P_ji / P_ii, B_ii = 0."""
    gram = (matrix.T @ matrix).toarray().astype(np.float64)
    np.fill_diagonal(gram, gram.diagonal() + regularization)
    inverse = linalg.inv(gram, overwrite_a=True, check_finite=False, assume_a="pos")
    weights = (inverse / -inverse.diagonal()).astype(np.float32)
    np.fill_diagonal(weights, 0)
    return weights


class EASE(Recommender[EASEOptions]):
    """Embarrassingly shallow autoencoder (Steck, WWW 2019, https://doi.org/10.1145/3308558.3313710).

    min_B ‖X − X B‖² + λ ‖B‖²,   diag(B) = 0;   score_u = x_u B
    """

    name = "ease"
    options_class = EASEOptions

    @staticmethod
    def space(trial: "Trial") -> EASEOptions:
        return EASEOptions(trial.suggest_float("regularization", 1.0, 5000.0, log=True))

    def learn(self, events: Interactions, data: "HeteroData | None") -> None:  # noqa: ARG002
        order = np.argsort(-events.buyers, kind="stable")
        self.kept = np.sort(order[: self.options.most_items])
        self.history = user_item(events)[:, self.kept].tocsr()
        with step("EASE"):
            self.weights = ease_weights(self.history, self.options.regularization)

    def score(self, users: Ints) -> Floats:
        scores = np.zeros((len(users), self.events.items), dtype=np.float32)
        scores[:, self.kept] = self.history[users] @ self.weights
        return scores
