"""Cross-entropy over all items, whole or sampled."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from models.interactions import Ints

BLOCK, GPU_BLOCK = 2**17, 2**27  # scores at a time: half of what a core's cache has, and what keeps a GPU busy
LEAST = 32  # examples at a time


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
    hit = (vectors * items.index_select(0, target)).sum(-1)
    if negatives.share is None:
        whole: Tensor = _Partition.apply(vectors, items, calibration)
        return whole - hit.mean()
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


class _Partition(torch.autograd.Function):
    """Mean over P examples of z + calibration · z², z = ln Σ_i e^{v·q_i}: vectors v [P, d], items q [N, d].

    Examples are taken in blocks whose scores stay in the cache, and the gradient is made in the same pass: the scores
    [P, N] of all are never in memory.
    """

    @staticmethod
    def forward(ctx: Any, vectors: Tensor, items: Tensor, calibration: float) -> Tensor:
        total = vectors.new_zeros(())
        wanted = ctx.needs_input_grad[0] or ctx.needs_input_grad[1]
        of_vectors, of_items = torch.zeros_like(vectors), torch.zeros_like(items)
        rows = max(LEAST, (GPU_BLOCK if vectors.is_cuda else BLOCK) // len(items))
        for some, gradient in zip(vectors.split(rows), of_vectors.split(rows), strict=True):
            scores = some @ items.T
            share = scores.softmax(1)
            z = scores.amax(1, keepdim=True) - share.amax(1, keepdim=True).log()
            total += (z + calibration * z**2).sum()
            if wanted:
                rate = (1 + 2 * calibration * z) / len(vectors)
                torch.mm(share, items, out=gradient).mul_(rate)
                of_items.addmm_(share.T, some * rate)
        ctx.save_for_backward(of_vectors, of_items)
        return total / len(vectors)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        of_vectors, of_items = ctx.saved_tensors
        return of_vectors * gradient, of_items * gradient, None
