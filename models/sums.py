"""Sums of rows of a table: what the first layer over an edge's embedded features comes to."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy import sparse
from torch import Tensor


def row_sums(table: Tensor, rows: Tensor) -> Tensor:
    """The sum of the rows that each edge names: table [V, h], rows [R, F] int → [R, h]."""
    if torch.compiler.is_exporting():  # ONNX has no operator for it
        total = F.embedding(rows[:, 0], table)
        for column in rows.unbind(1)[1:]:
            total = total + F.embedding(column, table)
        return total
    if not rows.numel():
        return table.new_zeros(len(rows), table.shape[1])
    summed: Tensor = _RowSums.apply(table, rows.int())
    return summed


class _RowSums(torch.autograd.Function):
    """Forward in one pass over the edges, without a tensor for each feature.

    PyTorch's own backward of `embedding_bag` takes thirty times as long on a CPU; on a GPU it sorts all rows first.
    """

    @staticmethod
    def forward(ctx: Any, table: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.size = len(table)
        return F.embedding_bag(rows, table, mode="sum")

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        [rows] = ctx.saved_tensors
        count, features = rows.shape
        if gradient.is_cuda:
            total = gradient.new_zeros(ctx.size, gradient.shape[1])
            return total.index_add_(0, rows.flatten(), gradient.repeat_interleave(features, dim=0)), None
        ones = np.ones(count * features, dtype=gradient.numpy().dtype)
        begin = np.arange(0, count * features + 1, features, dtype=np.int32)
        edges = sparse.csc_array((ones, rows.flatten().numpy(), begin), shape=(ctx.size, count))
        return torch.from_numpy(edges @ gradient.contiguous().numpy()), None
