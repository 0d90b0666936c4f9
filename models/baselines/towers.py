"""Networks of two towers: a score is the inner product of a user's and an item's vector."""

from abc import abstractmethod

import torch.nn.functional as F
from torch import Tensor

from models.baselines.training import Network
from models.softmax import Negatives, softmax_loss


class TwoTowers(Network):
    """What the two-tower models share: softmax over items as loss, inner products as scores.

    Arguments:
        temperature: None for plain inner products; else the score is the cosine divided by it.
    """

    def __init__(self, temperature: float | None = None) -> None:
        super().__init__()
        self.temperature = temperature

    @abstractmethod
    def vectors(self, users: Tensor, history: Tensor) -> tuple[Tensor, Tensor]:
        """[B, L, d] of users [B] after each position of their histories [B, L], and [N, d] of items.

        A network that reads no history gives [B, 1, d].
        """

    def forward(self, users: Tensor, history: Tensor) -> tuple[Tensor, Tensor]:
        """The vectors whose inner product is the score."""
        user, item = self.vectors(users, history)
        if self.temperature is None:
            return user, item
        return F.normalize(user, dim=-1) / self.temperature, F.normalize(item, dim=-1)

    def loss(self, users: Tensor, history: Tensor, target: Tensor, negatives: Negatives) -> Tensor:
        user, item = self(users, history)
        known = target < len(item)
        return softmax_loss(user[known], item, target[known], negatives)

    def item_vectors(self, users: Tensor, history: Tensor) -> Tensor:
        return self(users, history)[1]

    def scores(self, users: Tensor, history: Tensor) -> Tensor:
        user, item = self(users, history)
        return user[:, -1] @ item.T
