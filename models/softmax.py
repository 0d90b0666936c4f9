"""Cross-entropy over all items, whole or sampled."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from models.interactions import Ints


@dataclass(frozen=True)
class Negatives:
    """What a target is compared with.

    Half of the draws are uniform and half follow the number of buyers: few rare items alone would be too easy.

    Attributes:
        share: [N] probability q of each draw; None compares with all items.
        count: K draws, with replacement; N without `share`.
    """

    share: Tensor | None
    count: int
    device: torch.device

    @classmethod
    def of(cls, buyers: Ints, count: int, device: torch.device) -> Self:
        """K draws among the items with these buyers [N]; all items where K is 0 or at least N."""
        if not 0 < count < len(buyers):
            return cls(None, len(buyers), device)
        share = 0.5 / len(buyers) + 0.5 * buyers / max(1, buyers.sum())
        share = share / share.sum()
        return cls(torch.from_numpy(share.astype(np.float32)).to(device), count, device)

    def draw(self) -> tuple[Tensor, Tensor]:
        """Items [K] and ln(K q) of each [K], to be taken off its score: so the sum of e^score stays unbiased.

        Where targets are compared with all items these are all N, and 0 each.
        """
        if self.share is None:
            return torch.arange(self.count, device=self.device), torch.zeros(self.count, device=self.device)
        items = torch.multinomial(self.share, self.count, replacement=True)
        return items, torch.log(self.count * self.share[items])


def softmax_loss(
    vectors: Tensor, items: Tensor, target: Tensor, negatives: Negatives, calibration: float = 0.0
) -> Tensor:
    """−ln (e^{v·q_target} / Σ_i e^{v·q_i}), mean over P examples.

    vectors [P, d], item vectors q [N, d], target [P]. Sampled, the sum runs over the target and K draws, each divided
    by its expected number (Bengio and Senécal, 2008, https://doi.org/10.1109/TNN.2007.912312).
    """
    hit = (vectors * items[target]).sum(-1)
    if negatives.share is None:
        log_p = F.log_softmax(vectors @ items.T, dim=1).gather(1, target[:, None]).squeeze(1)
        return _cross_entropy(log_p, hit, calibration)
    drawn, expected = negatives.draw()
    others = vectors @ items[drawn].T - expected
    return sampled_loss(hit, others, drawn == target[:, None], calibration)


def sampled_loss(hit: Tensor, others: Tensor, same: Tensor, calibration: float = 0.0) -> Tensor:
    """Cross-entropy of targets' scores [P] among corrected scores of draws [P, K]; a draw of the target is out."""
    logits = torch.cat([hit[:, None], others.masked_fill(same, -torch.inf)], dim=1)
    return _cross_entropy(F.log_softmax(logits, dim=1)[:, 0], hit, calibration)


def _cross_entropy(log_p: Tensor, hit: Tensor, calibration: float) -> Tensor:
    """Mean of −ln p of targets [P], whose scores are `hit` [P].

    `calibration` weighs the square of ln Σ e^score, so that e^score itself comes near the probability (as in PaLM;
    Chowdhery et al., 2022, section 5, https://arxiv.org/abs/2204.02311). By log_softmax, which is one pass over the
    scores each way; with logsumexp a step took twice as long.
    """
    return -log_p.mean() + calibration * ((hit - log_p) ** 2).mean()
