"""Training of the neural baselines: one loop, one optimiser and one way to read options for all of them."""

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from graph.progress import step
from models.baselines.contract import Options, Recommender
from models.interactions import Floats, Interactions, Ints
from models.machine import device
from models.softmax import Negatives
from models.windows import Batch, last_items, pairs, windows

if TYPE_CHECKING:
    from torch_geometric.data import HeteroData

WARM = 0.05  # of all steps, in which the learning rate rises; then it falls to 0 along a cosine
LONGEST = 5.0  # norm of a gradient
PART = 256  # users scored at a time


@dataclass(frozen=True)
class NeuralOptions(Options):
    """What all neural baselines share.

    Attributes:
        width: d of the embeddings.
        epochs: how often each target is trained on.
        batch: windows of a history (or pairs, for models without history) in a step. Many small steps learn much
            faster than few large ones in the same time.
        rate, weight_decay: of AdamW.
        dropout: share of activations.
        length: L, latest items that a model reads, where it reads any.
        negatives: drawn for each step and shared by its examples; 0 compares with all items.
        profile: whether brand, browse nodes and other profile fields are embedded, where a snapshot is given.
        seed: of the start, the order and the draws.
    """

    width: int = 64
    epochs: int = 10
    batch: int = 16
    rate: float = 2e-3
    weight_decay: float = 0.01
    dropout: float = 0.2
    length: int = 50
    negatives: int = 512
    profile: bool = True
    seed: int = 0


AnyNeural = TypeVar("AnyNeural", bound=NeuralOptions)


class Network(nn.Module):
    """What the loop trains. Sequences are item numbers, padded on the left with N."""

    @abstractmethod
    def loss(self, users: Tensor, history: Tensor, target: Tensor, negatives: Negatives) -> Tensor:
        """Mean loss over the targets [B, L] that are not padding, after users [B] and histories [B, L]."""

    @abstractmethod
    def scores(self, users: Tensor, history: Tensor) -> Tensor:
        """[B, N] scores of all items for what follows after histories [B, L] of users [B]."""

    @abstractmethod
    def item_vectors(self, users: Tensor, history: Tensor) -> Tensor:
        """[N, d] vectors of the items. They are the same for all users and histories; some networks want any."""


class NeuralRecommender(Recommender[AnyNeural]):
    """A network behind the contract. A model gives `build`, and `by_pairs` where it reads no history."""

    by_pairs = False
    network: Network

    @abstractmethod
    def build(self, events: Interactions, data: "HeteroData | None") -> Network:
        """The network with its start values, drawn from torch's generator."""

    def learn(self, events: Interactions, data: "HeteroData | None") -> None:
        options, rng = self.options, np.random.default_rng(self.options.seed)

        def epoch() -> Iterator[Batch]:
            if self.by_pairs:
                return pairs(events, options.batch, rng)
            return windows(events, options.length, options.batch, rng)

        with torch.random.fork_rng():
            torch.manual_seed(options.seed)
            self.network = self.build(events, data if options.profile else None).to(device())
            negatives = Negatives.of(events.buyers, options.negatives, device())
            optimise(self.network, epoch, negatives, options, f"train {self.name}")

    @torch.no_grad()
    def score(self, users: Ints) -> Floats:
        self.network.eval()
        scores = [np.zeros((0, self.events.items), dtype=np.float32)]
        for begin in range(0, len(users), PART):
            part = users[begin : begin + PART]
            history = last_items(self.events, part, self.options.length)
            scores.append(self.network.scores(*_tensors(part, history)).float().cpu().numpy())
        return np.concatenate(scores)

    @torch.no_grad()
    def item_vectors(self) -> Floats:
        self.network.eval()
        anybody = np.zeros(1, dtype=np.int64)
        history = last_items(self.events, anybody, self.options.length)
        return self.network.item_vectors(*_tensors(anybody, history)).float().cpu().numpy()


def optimise(
    network: Network, epoch: Callable[[], Iterator[Batch]], negatives: Negatives, options: NeuralOptions, name: str
) -> None:
    """AdamW over all batches of all epochs; the last step's network stays."""
    optimizer = torch.optim.AdamW(network.parameters(), options.rate, weight_decay=options.weight_decay)
    network.train()
    with step(name, total=options.epochs) as shown:
        for number in range(options.epochs):
            batches, loss = list(epoch()), torch.zeros((), device=device())
            for place, batch in enumerate(batches):
                for group in optimizer.param_groups:
                    group["lr"] = options.rate * schedule((number + (place + 1) / len(batches)) / options.epochs)
                value = network.loss(*_tensors(batch.users, batch.history, batch.target), negatives)
                optimizer.zero_grad()
                value.backward()
                nn.utils.clip_grad_norm_(network.parameters(), LONGEST)
                optimizer.step()
                loss += value.detach() / len(batches)  # read once an epoch: a GPU's queue of work has to run dry for it
            shown.advance()
            shown.describe(f"loss {loss.item():.4f}")


def schedule(done: float) -> float:
    """Share of the learning rate when this share of all steps is done."""
    return done / WARM if done < WARM else 0.5 * (1 + math.cos(math.pi * (done - WARM) / (1 - WARM)))


def _tensors(*arrays: Ints) -> Iterator[Tensor]:
    return (torch.from_numpy(array).to(device()) for array in arrays)
