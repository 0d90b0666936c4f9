"""Personal top frequency: what a user had most often and lately, then the most bought items.

Counting is hard to beat where people buy the same again: GP-TopFreq in Li et al., A Next Basket Recommendation Reality
Check, TOIS 2023 (https://doi.org/10.1145/3587153), here with times that fade.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from models.baselines.contract import Options, Recommender
from models.interactions import DAY, Floats, Interactions, Ints

if TYPE_CHECKING:
    from optuna import Trial
    from torch_geometric.data import HeteroData


@dataclass(frozen=True)
class FrequencyOptions(Options):
    """`half_life`: days after which a time that the user had an item counts half."""

    half_life: float = 112.0


class Frequency(Recommender[FrequencyOptions]):
    """An own item's score is 1 and its times, counted from the latest event of all; another's the share of buyers.

    Times that are unknown count in full.
    """

    name = "frequency"
    options_class = FrequencyOptions

    @staticmethod
    def space(trial: "Trial") -> FrequencyOptions:
        return FrequencyOptions(half_life=trial.suggest_float("half_life", 7.0, 365.0, log=True))

    def learn(self, events: Interactions, data: "HeteroData | None") -> None:  # noqa: ARG002
        ago = np.where(events.time >= 0, events.time.max(initial=0) - events.time, 0) / DAY
        counts = np.exp2(-ago / self.options.half_life)
        self.times = sparse.csr_array((counts, (events.user, events.item)), shape=(events.users, events.items))
        self.share = events.buyers / (events.users + 1)

    def score(self, users: Ints) -> Floats:
        times = self.times[users].toarray()
        scores: Floats = np.where(times > 0, 1 + times, self.share).astype(np.float32)
        return scores
