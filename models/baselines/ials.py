"""Matrix factorisation by alternating least squares, of the library implicit."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy import sparse
from threadpoolctl import threadpool_limits

from graph.progress import step
from models.baselines.contract import Options, Recommender
from models.baselines.extra import extra
from models.baselines.histories import user_item
from models.interactions import Floats, Interactions, Ints

if TYPE_CHECKING:
    from optuna import Trial
    from torch_geometric.data import HeteroData


@dataclass(frozen=True)
class IALSOptions(Options):
    """Sizes of the factorisation.

    Attributes:
        factors: size of p_u and q_i.
        regularization: λ, the weight of ‖p_u‖² and ‖q_i‖².
        alpha: confidence of an observed pair; what was not observed has 1.
        iterations: rounds over users and items.
        seed: of the vectors' start.
    """

    factors: int = 64
    regularization: float = 1.0
    alpha: float = 10.0
    iterations: int = 15
    seed: int = 0


class IALS(Recommender[IALSOptions]):
    """Implicit-feedback ALS (Hu, Koren, Volinsky, ICDM 2008, https://doi.org/10.1109/ICDM.2008.22).

        min Σ_ui c_ui (x_ui − p_u · q_i)² + λ (Σ_u ‖p_u‖² + Σ_i ‖q_i‖²),   c_ui = α where x_ui = 1, else 1

    A strong opponent when it is tuned (Rendle et al., RecSys 2022, https://doi.org/10.1145/3523227.3548486).
    """

    name = "ials"
    options_class = IALSOptions

    @staticmethod
    def space(trial: "Trial") -> IALSOptions:
        return IALSOptions(
            factors=trial.suggest_categorical("factors", [32, 64, 128, 256]),
            regularization=trial.suggest_float("regularization", 0.01, 300.0, log=True),
            alpha=trial.suggest_float("alpha", 1.0, 100.0, log=True),
            iterations=trial.suggest_int("iterations", 5, 30),
        )

    def learn(self, events: Interactions, data: "HeteroData | None") -> None:  # noqa: ARG002
        options = self.options
        # Its threads each solve small systems: with a threaded BLAS below them they would wait for each other.
        with step("iALS of implicit"), threadpool_limits(1, "blas"):
            model = extra("implicit.cpu.als").AlternatingLeastSquares(
                factors=options.factors,
                regularization=options.regularization,
                alpha=options.alpha,
                iterations=options.iterations,
                random_state=options.seed,
                num_threads=torch.get_num_threads(),
            )
            model.fit(sparse.csr_matrix(user_item(events)), show_progress=False)
        self.user, self.item = model.user_factors, model.item_factors

    def score(self, users: Ints) -> Floats:
        return (self.user[users] @ self.item.T).astype(np.float32)

    def item_vectors(self) -> Floats:
        return self.item
