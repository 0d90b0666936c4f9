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
    """Item embeddings plus learnt positions → what each position knows of itself and those before.

    Arguments:
        width: d; length: L; layers, heads, dropout: as usual.
        activation: of the feed-forward nets, whose hidden width is 4 d.
        norm_first: normalise before each part, and once at the end (pre-norm), or after it (post-norm).
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
    ) -> None:
        super().__init__()
        self.heads = heads
        self.position = nn.Parameter(torch.randn(length, width) * 0.05)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout, activation, batch_first=True, norm_first=norm_first
        )
        # Left on what each part adds: half of a step's time on a CPU went into drawing it for attention weights and
        # hidden layers as well.
        layer.self_attn.dropout = 0.0
        layer.dropout = nn.Identity()
        last = nn.LayerNorm(width) if norm_first else None
        self.layers = nn.TransformerEncoder(layer, layers, last, enable_nested_tensor=False)

    def forward(self, embedded: Tensor, padding: Tensor, last: bool = False) -> Tensor:
        """[B, L, d] embedded histories, [B, L] where they are padding → [B, L, d], or [B, 1, d] the last position.

        The last layer then works for this position alone (pre-norm only).
        """
        x, mask = self.dropout(embedded + self.position), causal_mask(padding, self.heads)
        if not last:
            return self.layers(x, mask=mask)
        *before, final = self.layers.layers
        for layer in before:
            x = layer(x, src_mask=mask)
        seen = final.norm1(x)
        looked, _ = final.self_attn(seen[:, -1:], seen, seen, attn_mask=mask[:, -1:], need_weights=False)
        x = x[:, -1:] + final.dropout1(looked)
        hidden = final.activation(final.linear1(final.norm2(x)))
        return self.layers.norm(x + final.dropout2(final.linear2(hidden)))


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
