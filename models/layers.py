"""What PDN's networks are made of: embeddings of a field's features, and the net of an edge."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.nn import MLP

from models.sums import row_sums


class FieldEmbedding(nn.Module):
    """E(·): each feature of a field is embedded and the embeddings are concatenated (section 4.2)."""

    def __init__(self, sizes: Sequence[int], embedding: int) -> None:
        super().__init__()
        self.sizes, self.embedding = list(sizes), embedding
        self.table = nn.Parameter(torch.randn(sum(sizes), embedding) * 0.05)
        offsets = torch.tensor([0, *sizes]).cumsum(0)[:-1]
        self.register_buffer("offsets", offsets, persistent=False)

    @property
    def width(self) -> int:
        return len(self.sizes) * self.embedding

    def forward(self, codes: Tensor) -> Tensor:
        """[R, F] codes → [R, F · d]."""
        rows = (codes + self.offsets).flatten()
        return self.table.index_select(0, rows).view(codes.shape[0], self.width)

    def total(self, codes: Tensor) -> Tensor:
        """The sum of a row's embeddings: [R, F] codes → [R, d]."""
        return row_sums(self.table, codes + self.offsets)

    def projected(self, weight: Tensor) -> Tensor:
        """The table times the weight's block of each feature: [h, F · d] weight → [V, h].

        Then `forward(codes) @ weight.T` is `row_sums(projected(weight), codes + offsets)`: for edges, which are many
        and have small tables.
        """
        blocks = weight.view(len(weight), len(self.sizes), -1).unbind(1)
        return torch.cat([table @ block.T for table, block in zip(self.table.split(self.sizes), blocks, strict=True)])


class EdgeNet(nn.Module):
    """MLP(CAT(left, edge, right)) → one scalar an edge: the form of TrigNet (eq. 8) and SimNet (eq. 9).

    The first layer is stored as one matrix over the concatenation and applied block by block. With `size` K > 1 there
    are K logits an edge, [R, K] instead of [R].
    """

    def __init__(self, left: int, edge: int, right: int, hidden: int, start: float, size: int = 1) -> None:
        super().__init__()
        self.widths = (left, edge, right)
        self.first = nn.Linear(left + edge + right, hidden)
        self.rest = MLP([hidden, hidden, size], act="leaky_relu", act_kwargs={"inplace": True}, norm=None)
        self.start = start

    def blocks(self) -> tuple[Tensor, Tensor, Tensor]:
        """The first layer's weights of the left node, the edge and the right node."""
        left, edge, right = self.first.weight.split(self.widths, dim=1)
        return left, edge.contiguous(), right

    def first_layer(
        self, left: Tensor, right: Tensor, source: Tensor, target: Tensor, edge: FieldEmbedding, codes: Tensor
    ) -> Tensor:
        """[R, hidden] first layer of edges from what it makes of each node, left [M, hidden] and right [N, hidden].

        `source` [R] and `target` [R] are rows of these, `codes` [R, F] those of the edge's own field.
        """
        _, block, _ = self.blocks()
        table = torch.cat([left + self.first.bias, right, edge.projected(block)])
        lefts, rights = left.shape[0], right.shape[0]  # len() would fix them when the network is exported
        source, target, offsets = source.int()[:, None], target.int()[:, None], edge.offsets.int()
        rows = torch.cat([source, target + lefts, codes.int() + (offsets + lefts + rights)], dim=1)
        return row_sums(table, rows)

    def states(self, first: Tensor) -> Tensor:
        """[R, hidden] first layer → [R, hidden] the hidden layer, in its place."""
        return F.leaky_relu(first, 0.01, inplace=True)

    def logits(self, states: Tensor) -> Tensor:
        """[R, hidden] hidden layer → [R] logits."""
        return self.rest(states).squeeze(-1) + self.start

    def forward(self, left: Tensor, edge: Tensor, right: Tensor) -> Tensor:
        """Embedded fields [R, ·] → [R] logits, as the equations are written."""
        return self.logits(self.states(self.first(torch.cat([left, edge, right], dim=-1))))
