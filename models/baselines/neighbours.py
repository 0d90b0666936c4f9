"""Item-based collaborative filtering: a user's items vote for their nearest neighbours.

    score_ui = Σ_{j in history of u} sim(j, i),   i among the k nearest neighbours of j

`Pearson` is the PCF of PDN's table 2 (Sarwar et al., WWW 2001, https://doi.org/10.1145/371920.372071). `Cosine` and
`BM25` are those of the library implicit.
"""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from graph.progress import step
from models.baselines.contract import AnyOptions, Options, Recommender
from models.baselines.extra import extra
from models.baselines.histories import strongest, together, user_item
from models.interactions import Floats, Interactions, Ints

if TYPE_CHECKING:
    from optuna import Trial
    from torch_geometric.data import HeteroData


@dataclass(frozen=True)
class NeighbourOptions(Options):
    """neighbours: k, how many neighbours an item votes for."""

    neighbours: int = 100


@dataclass(frozen=True)
class BM25Options(NeighbourOptions):
    """k1, b: of BM25, where an item is the document and its buyers are the words."""

    k1: float = 1.2
    b: float = 0.75


class ItemItem(Recommender[AnyOptions]):
    """Votes through `similarity`, a sparse matrix [N, N] whose row is the item that votes."""

    history: sparse.csr_array
    similarity: sparse.csr_array

    def score(self, users: Ints) -> Floats:
        return (self.history[users] @ self.similarity).toarray().astype(np.float32)


class Pearson(ItemItem[NeighbourOptions]):
    """PCF: sim(j, i) is Pearson's correlation of two columns of the user-item matrix of zeros and ones.

    With n users, c_j and c_i buyers and c_ji who have both, it is

        (n c_ji − c_j c_i) / √(c_j (n − c_j) c_i (n − c_i))

    and only positive correlations vote.
    """

    name = "pcf"
    options_class = NeighbourOptions

    @staticmethod
    def space(trial: "Trial") -> NeighbourOptions:
        return NeighbourOptions(trial.suggest_int("neighbours", 10, 1000, log=True))

    def learn(self, events: Interactions, data: "HeteroData | None") -> None:  # noqa: ARG002
        self.history = user_item(events)
        count, users = events.buyers.astype(np.float64), float(events.users)
        spread = np.sqrt(count * (users - count))
        blocks = [sparse.csr_array((0, events.items), dtype=np.float32)]
        with step("Pearson correlations", total=events.items) as shown:
            for begin, both in together(self.history):
                mine = slice(begin, begin + len(both))
                product = spread[mine, None] * spread
                above = users * both - count[mine, None] * count
                rows = np.divide(above, product, out=np.zeros_like(product), where=product > 0)
                blocks.append(strongest(rows, begin, self.options.neighbours))
                shown.advance(len(both))
        self.similarity = sparse.vstack(blocks, format="csr")


class _Implicit(ItemItem[AnyOptions]):
    """A nearest-neighbour model of implicit. An item is among its own neighbours there, which matters for repeats."""

    def fit_with(self, events: Interactions, name: str, settings: dict[str, float]) -> None:
        self.history = user_item(events)
        model = getattr(extra("implicit.nearest_neighbours"), name)(num_threads=1, **settings)
        with step(f"{self.name} of implicit"), threadpool_limits(1, "blas"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Method expects CSR input")  # its own weighting makes another format
            model.fit(sparse.csr_matrix(self.history, dtype=np.float64), show_progress=False)
        self.similarity = sparse.csr_array(model.similarity)


class Cosine(_Implicit[NeighbourOptions]):
    """sim(j, i) = c_ji / √(c_j c_i)."""

    name = "cosine"
    options_class = NeighbourOptions

    @staticmethod
    def space(trial: "Trial") -> NeighbourOptions:
        return NeighbourOptions(trial.suggest_int("neighbours", 10, 1000, log=True))

    def learn(self, events: Interactions, data: "HeteroData | None") -> None:  # noqa: ARG002
        self.fit_with(events, "CosineRecommender", {"K": self.options.neighbours})


class BM25(_Implicit[BM25Options]):
    """sim(j, i) is the product of two items' BM25 weighted columns of buyers."""

    name = "bm25"
    options_class = BM25Options

    @staticmethod
    def space(trial: "Trial") -> BM25Options:
        return BM25Options(
            neighbours=trial.suggest_int("neighbours", 10, 1000, log=True),
            k1=trial.suggest_float("k1", 0.3, 100.0, log=True),
            b=trial.suggest_float("b", 0.0, 1.0),
        )

    def learn(self, events: Interactions, data: "HeteroData | None") -> None:  # noqa: ARG002
        options = self.options
        self.fit_with(events, "BM25Recommender", {"K": options.neighbours, "K1": options.k1, "B": options.b})
