"""The one contract of everything that PDN is compared with: fit on events, score all items, recommend the best."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import numpy as np

from models.baselines.histories import had
from models.interactions import Floats, Interactions, Ints
from models.metrics import top_items

if TYPE_CHECKING:
    from optuna import Trial
    from torch_geometric.data import HeteroData

PART = 512  # users whose scores are held at a time: bounds the memory


@dataclass(frozen=True)
class Options:
    """What can be set of a model. Each model has its own; the defaults are what it starts from."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, row: Mapping[str, Any]) -> Self:
        return cls(**row)


AnyOptions = TypeVar("AnyOptions", bound=Options)


class Recommender(ABC, Generic[AnyOptions]):
    """A model that scores all items for users whose histories it was given.

    Attributes:
        name: its key in `models.baselines.RECOMMENDERS`.
        options_class: the class of its options.
        events: the histories given to `fit`.
    """

    name: ClassVar[str]
    options_class: ClassVar[type[Options]]
    events: Interactions

    def __init__(self, options: AnyOptions | None = None) -> None:
        self.options: AnyOptions = options or self.options_class()  # type: ignore[assignment]

    @staticmethod
    @abstractmethod
    def space(trial: "Trial") -> Options:
        """The options that tuning tries: the model's whole search space, and nowhere else."""

    @classmethod
    def starts(cls) -> Sequence[Options]:
        """What a search tries first: the defaults, so that the best is never worse, and what else is known as good."""
        return [cls.options_class()]

    @abstractmethod
    def learn(self, events: Interactions, data: "HeteroData | None") -> None:
        """Whatever the model does with training events; `data` has the profiles of items and users."""

    @abstractmethod
    def score(self, users: Ints) -> Floats:
        """[B, N] finite scores of all items for the histories of users [B], higher is better."""

    def item_vectors(self) -> Floats | None:
        """[N, d] vectors of items, whose inner products say how alike two items are; None where the model has none."""
        return None

    def fit(self, events: Interactions, data: "HeteroData | None" = None) -> Self:
        """Learn from these events and keep them as the users' histories. The same seed gives the same model."""
        self.events = events
        self.learn(events, data)
        return self

    def recommend(self, users: Ints, k: int, repeats: bool = False) -> tuple[Ints, Floats]:
        """The k best items [B, k] of users [B] and their scores [B, k], best first.

        What a user had is left out unless `repeats`. At equal scores the lower item number comes first. A row with
        fewer than k items ends in -1, with the score -inf.
        """
        items, values = [np.zeros((0, k), dtype=np.int64)], [np.zeros((0, k), dtype=np.float32)]
        for begin in range(0, len(users), PART):
            part = users[begin : begin + PART]
            scores = np.array(self.score(part), dtype=np.float32)
            if not repeats:
                scores[had(self.events, part)] = -np.inf
            best, value = top_items(scores, k)
            items.append(best)
            values.append(value)
        return np.concatenate(items), np.concatenate(values)
