"""The most bought items, the same for everybody."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.baselines.contract import Options, Recommender
from models.interactions import Floats, Interactions, Ints

if TYPE_CHECKING:
    from optuna import Trial
    from torch_geometric.data import HeteroData


@dataclass(frozen=True)
class PopularityOptions(Options):
    """Nothing can be set."""


class Popularity(Recommender[PopularityOptions]):
    """An item's score is the number of its buyers."""

    name = "popularity"
    options_class = PopularityOptions

    @staticmethod
    def space(trial: "Trial") -> PopularityOptions:  # noqa: ARG004
        return PopularityOptions()

    def learn(self, events: Interactions, data: "HeteroData | None") -> None:  # noqa: ARG002
        self.buyers = events.buyers.astype(np.float32)

    def score(self, users: Ints) -> Floats:
        return np.tile(self.buyers, (len(users), 1))
