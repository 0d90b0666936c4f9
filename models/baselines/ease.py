"""A linear autoencoder with a closed form."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

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
    most_items: where there are more users and more items than this, only so many items, those with the most buyers, get
        weights: memory grows with the square (8 bytes a cell, twice), time with the cube.
    """

    regularization: float = 500.0
    most_items: int = 15_000


class EASE(Recommender[EASEOptions]):
    """Embarrassingly shallow autoencoder (Steck, WWW 2019, https://doi.org/10.1145/3308558.3313710).

        min_B ‖X − X B‖² + λ ‖B‖²,   diag(B) = 0

    With P = (XᵀX + λI)⁻¹: B_ji = −P_ji / P_ii, and score_u = x_u B = x_u − P x_u / diag(P). The inverse is that of the
    smaller side: with fewer users than items P = (I − XᵀH) / λ and P Xᵀ = Hᵀ, where H = (XXᵀ + λI)⁻¹ X.

    Attributes:
        inverse: P [N, N] of the items that are kept, or H [U, N] where `dual`; diagonal: [N] P_ii.
    """

    name = "ease"
    options_class = EASEOptions

    @staticmethod
    def space(trial: "Trial") -> EASEOptions:
        return EASEOptions(trial.suggest_float("regularization", 1.0, 5000.0, log=True))

    def learn(self, events: Interactions, data: "HeteroData | None") -> None:  # noqa: ARG002
        every = events.items if events.users <= self.options.most_items else self.options.most_items
        self.kept = np.sort(np.argsort(-events.buyers, kind="stable")[:every])
        self.history = user_item(events)[:, self.kept].tocsr()
        self.dual = events.users < len(self.kept)
        with step("EASE"):
            self._invert(self.options.regularization)

    def _invert(self, regularization: float) -> None:
        one, other = (self.history, self.history.T) if self.dual else (self.history.T, self.history)
        gram = (one @ other).toarray().astype(np.float64)
        np.fill_diagonal(gram, gram.diagonal() + regularization)
        inverse = linalg.inv(gram, overwrite_a=True, check_finite=False, assume_a="pos").astype(np.float32)
        if self.dual:
            self.inverse: Floats = np.ascontiguousarray((self.history.T.tocsr() @ inverse).T)
            explained = np.asarray(self.history.multiply(self.inverse).sum(axis=0)).ravel()
            self.diagonal: Floats = (1 - explained) / regularization
        else:
            self.inverse, self.diagonal = inverse, inverse.diagonal()

    def score(self, users: Ints) -> Floats:
        history = self.history[users]
        response = self.inverse[users] if self.dual else history @ self.inverse
        scores = np.zeros((len(users), self.events.items), dtype=np.float32)
        scores[:, self.kept] = history.toarray() - response / self.diagonal
        return scores
