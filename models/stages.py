"""The stages of a training: what each one minimises, over which batches, by which parameters."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any, Protocol, Self, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data, HeteroData

from models.machine import device
from models.pdn import PDN, path_loss
from models.recipe import Recipe
from models.sampling import Sampler
from models.softmax import Negatives, sampled_loss, softmax_loss
from models.windows import Batch as Windows
from models.windows import count_windows, windows

CALIBRATION = 0.01  # weight of (ln Σ e^d)², which keeps e^d a probability
LONGEST = 5.0  # norm of a gradient


class Batch(Protocol):
    """What a stage trains on: tensors that can be moved together."""

    def pin_memory(self) -> Self: ...

    def to(self, device: torch.device, *, non_blocking: bool) -> Self: ...


AnyBatch = TypeVar("AnyBatch", bound=Batch)


class Stage(Protocol[AnyBatch]):
    """A part of a training: what is minimised, over which batches, by which parameters.

    Attributes:
        name: for the progress bar; sizes: batches of each epoch.
        groups: parameter groups of AdamW, each with the peak of its one-cycle schedule as `lr`; the norm of their
            gradient is cut at `longest` where that is given.
    """

    name: str
    sizes: list[int]
    groups: list[dict[str, Any]]

    def draws(self, epoch: int, skip: int) -> Iterator[Callable[[], AnyBatch]]:
        """What makes each batch of an epoch from number `skip` on, in any thread; the same for the same seed."""
        ...

    def loss(self, batch: AnyBatch) -> Tensor: ...


class TogetherStage:
    """All parts on p of eq. 13, over shoppers at a moment (`Sampler`)."""

    name = "train PDN"

    def __init__(self, model: PDN, sampler: Sampler, recipe: Recipe) -> None:
        self.model, self.sampler = model, sampler
        self.sizes = [-(-len(sampler) // recipe.sampling.batch)] * recipe.epochs
        slow = list(model.history_net.parameters()) if recipe.network.reads_history else []
        rest = [one for one in model.parameters() if all(one is not other for other in slow)]
        rates = [(rest, recipe.learning_rate), (slow, recipe.learning_rate * recipe.history.together)]
        self.groups = [
            {"params": some, "lr": rate, "weight_decay": recipe.weight_decay} for some, rate in rates if some and rate
        ]

    def draws(self, epoch: int, skip: int) -> Iterator[Callable[[], HeteroData]]:
        return self.sampler.draws(epoch, skip)

    def loss(self, batch: HeteroData) -> Tensor:
        candidate = batch["user", "candidate", "item"]
        return path_loss(self.model(batch), candidate.y, candidate.get("weight"))


class HistoryStage:
    """The transformer alone: after each event of a history, the next one among all items.

    A batch has histories [B, L], which of their B · L positions have a target, `at` [P], and that target [P].
    """

    name = "train histories"

    def __init__(self, model: PDN, sampler: Sampler, recipe: Recipe) -> None:
        self.model, self.sampler, self.seed = model, sampler, recipe.sampling.seed
        self.options, self.length = recipe.history, recipe.network.history
        self.sizes = [
            count_windows(sampler.events, self.length, self.options.batch, self._rng(epoch))
            for epoch in range(self.options.epochs)
        ]
        self.negatives = Negatives.of(sampler.events.buyers, self.options.negatives, device())
        self.codes = sampler.item_codes[: sampler.events.items].to(device())
        self.groups = [
            {
                "params": list(model.history_net.parameters()),
                "lr": self.options.learning_rate,
                "weight_decay": self.options.weight_decay,
                "longest": LONGEST,
            }
        ]

    def draws(self, epoch: int, skip: int) -> Iterator[Callable[[], Data]]:
        every = windows(self.sampler.events, self.length, self.options.batch, self._rng(epoch))
        return (partial(self._batch, some) for some in islice(every, skip, None))

    def _batch(self, some: Windows) -> Data:
        target = some.target.ravel()
        at = np.flatnonzero(target < len(self.codes))
        parts = {"history": some.history, "at": at, "target": target[at]}
        return Data.from_dict({name: torch.from_numpy(part) for name, part in parts.items()})

    def _rng(self, epoch: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, epoch])

    def loss(self, batch: Data) -> Tensor:
        history, at, target = batch.history, batch.at, batch.target
        items, net = len(self.codes), self.model.history_net
        if self.negatives.share is None:
            vectors = net.items(self.codes)
            said = net(vectors, history).flatten(0, 1).index_select(0, at)
            return softmax_loss(said, vectors, target, self.negatives, CALIBRATION)
        # Only items that the step needs are embedded.
        drawn, expected = self.negatives.draw()
        met = torch.unique(torch.cat([history[history < items], target, drawn]))
        place = torch.full((items + 1,), len(met), device=met.device)
        place[met] = torch.arange(len(met), device=met.device)
        vectors, right, wrong = net.items(self.codes[met]), place[target], place[drawn]
        said = net(vectors, place[history]).flatten(0, 1).index_select(0, at)
        hit = (said * vectors[right]).sum(-1)
        others = said @ vectors[wrong].T - expected
        return sampled_loss(hit, others, wrong == right[:, None], CALIBRATION)
