"""Transformers over padded histories and sets, by PyTorch's own layers."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def causal_mask(padding: Tensor, heads: int) -> Tensor:
    """[B · heads, L, L] True where a position must not look: later positions, and padding [B, L].

    Each position may look at itself, so that no row of the attention is empty.
    """
    length = padding.shape[1]
    later = torch.ones(length, length, dtype=torch.bool, device=padding.device).triu(1)
    own = torch.eye(length, dtype=torch.bool, device=padding.device)
    return ((later | padding[:, None, :]) & ~own).repeat_interleave(heads, dim=0)


class CausalTransformer(nn.Module):
    """Item embeddings in their order → what each position knows of itself and those before.

    Arguments:
        width: d; length: L; layers, heads, dropout: as usual.
        activation: of the feed-forward nets, whose hidden width is 4 d.
        norm_first: normalise before each part, and once at the end (pre-norm), or after it (post-norm).
        relative: order is a number for each distance, learnt by each head of each layer and added to its attention
            (Raffel et al., JMLR 2020, section 2.1, https://jmlr.org/papers/v21/20-074.html), else a learnt vector for
            each of the L places, added to the items. All that is served stands at the last place, and of the vectors
            only one window in L trains that; a distance means the same at every place.
    """

    def __init__(
        self,
        width: int,
        length: int,
        layers: int,
        heads: int,
        dropout: float,
        activation: Callable[[Tensor], Tensor],
        norm_first: bool,
        relative: bool = False,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.position = None if relative else nn.Parameter(torch.randn(length, width) * 0.05)
        self.distance = nn.Parameter(torch.zeros(layers, heads, length)) if relative else None
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout, activation, batch_first=True, norm_first=norm_first
        )
        # Left on what each part adds: half of a step's time on a CPU went into drawing it for attention weights and
        # hidden layers as well.
        layer.self_attn.dropout = 0.0
        layer.dropout = nn.Identity()
        if relative:  # PyTorch's short cut for inference takes every number of a mask for "must not look"
            layer.activation_relu_or_gelu = 0
        last = nn.LayerNorm(width) if norm_first else None
        self.layers = nn.TransformerEncoder(layer, layers, last, enable_nested_tensor=False)

    def forward(self, embedded: Tensor, padding: Tensor, last: bool = False) -> Tensor:
        """[B, L, d] embedded histories, [B, L] where they are padding → [B, L, d], or [B, 1, d] the last position.

        The last layer then works for this position alone (pre-norm only).
        """
        x = self.dropout(embedded if self.position is None else embedded + self.position)
        masks = self._masks(padding)
        *before, final = self.layers.layers
        for layer, mask in zip(before, masks, strict=False):
            x = layer(x, src_mask=mask)
        if not last:
            x = final(x, src_mask=masks[-1])
            return x if self.layers.norm is None else self.layers.norm(x)
        seen = final.norm1(x)
        looked, _ = final.self_attn(seen[:, -1:], seen, seen, attn_mask=masks[-1][:, -1:], need_weights=False)
        x = x[:, -1:] + final.dropout1(looked)
        hidden = final.activation(final.linear1(final.norm2(x)))
        return self.layers.norm(x + final.dropout2(final.linear2(hidden)))

    def _masks(self, padding: Tensor) -> list[Tensor]:
        """For each layer [B · heads, L, L] what is added to its attention, or True where that must not look."""
        unseen = causal_mask(padding, self.heads)
        if self.distance is None:
            return [unseen] * len(self.layers.layers)
        place = torch.arange(padding.shape[1], device=padding.device)
        back = (place[:, None] - place).clamp_min(0)
        return [
            number[:, back].repeat(padding.shape[0], 1, 1).masked_fill(unseen, -torch.inf) for number in self.distance
        ]


class SetTransformer(nn.Module):
    """Vectors of the members of a set → what each says among the others, whatever order they come in.

    Arguments:
        width: d; layers, heads, dropout: as usual. Pre-norm, and not normalised at the end.
    """

    def __init__(self, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        layer = nn.TransformerEncoderLayer(width, heads, 4 * width, dropout, F.gelu, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, vectors: Tensor, groups: Tensor) -> Tensor:
        """[T, d] from [T, d]; groups [B, L]: the rows that make one set each, padded with T."""
        count = vectors.shape[0]
        padding = groups >= count
        own = torch.eye(groups.shape[1], dtype=torch.bool, device=groups.device)
        mask = (padding[:, None, :] & ~own).repeat_interleave(self.heads, dim=0)
        nothing = vectors.new_zeros(1, vectors.shape[1])
        said = self.layers(F.embedding(groups, torch.cat([vectors, nothing])), mask=mask)
        back = torch.cat([vectors, nothing]).index_put((groups.flatten(),), said.flatten(0, 1))
        return back[:count]
