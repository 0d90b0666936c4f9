"""Sparse linear methods: each item's column is reconstructed from other items' columns."""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet

from graph.progress import step
from models.baselines.contract import Options
from models.baselines.histories import strongest, together, user_item
from models.baselines.neighbours import ItemItem
from models.interactions import Interactions

if TYPE_CHECKING:
    from optuna import Trial
    from torch_geometric.data import HeteroData


@dataclass(frozen=True)
class SLIMOptions(Options):
    """Weights of the two norms.

    Attributes:
        l1, l2: λ and β.
        candidates: only an item's nearest neighbours by cosine, this many, may have a weight. The paper calls this
            fsSLIM: nearly as good, and many times faster.
    """

    l1: float = 2.0
    l2: float = 50.0
    candidates: int = 150


class SLIM(ItemItem[SLIMOptions]):
    """SLIM (Ning and Karypis, ICDM 2011, https://doi.org/10.1109/ICDM.2011.134).

        min_w ½ ‖x_i − X w_i‖² + ½ β ‖w_i‖² + λ ‖w_i‖₁,   w_i ≥ 0, w_ii = 0

    for each item i, by the coordinate descent of scikit-learn; score_u = x_u W.
    """

    name = "slim"
    options_class = SLIMOptions

    @staticmethod
    def space(trial: "Trial") -> SLIMOptions:
        return SLIMOptions(
            l1=trial.suggest_float("l1", 0.05, 50.0, log=True), l2=trial.suggest_float("l2", 1.0, 1000.0, log=True)
        )

    def learn(self, events: Interactions, data: "HeteroData | None") -> None:  # noqa: ARG002
        self.history, options = user_item(events), self.options
        columns, count = self.history.astype(np.float64).tocsc(), np.maximum(events.buyers, 1)
        # scikit-learn divides the squared error by the number of rows, so both norms are divided too.
        alpha, share = (options.l1 + options.l2) / max(1, events.users), options.l1 / (options.l1 + options.l2)
        solver = ElasticNet(alpha=alpha, l1_ratio=share, fit_intercept=False, positive=True, max_iter=200, tol=1e-3)
        source, target, weight = ([np.zeros(0, kind)] for kind in (np.int64, np.int64, np.float64))
        with step("SLIM", total=events.items) as shown, warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for begin, both in together(self.history):
                cosine = both / np.sqrt(count[begin : begin + len(both), None] * count)
                near = strongest(cosine, begin, options.candidates)
                for row in range(len(both)):
                    may = np.sort(near.indices[near.indptr[row] : near.indptr[row + 1]])
                    shown.advance()
                    if not len(may):
                        continue
                    found = solver.fit(columns[:, may], columns[:, [begin + row]].toarray().ravel()).coef_
                    kept = np.flatnonzero(found)
                    source.append(may[kept].astype(np.int64))
                    target.append(np.full(len(kept), begin + row))
                    weight.append(found[kept])
        index = (np.concatenate(source), np.concatenate(target))
        self.similarity = sparse.csr_array((np.concatenate(weight), index), shape=(events.items, events.items))
