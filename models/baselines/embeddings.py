"""Embeddings of items and users: of their number and, where a snapshot is at hand, of their profile."""

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.features import LEVELS, item_columns, user_columns
from models.fields import Category
from models.layers import FieldEmbedding

if TYPE_CHECKING:
    from torch_geometric.data import HeteroData


class Profile(nn.Module):
    """The sum of the embeddings of each field of R rows: their number, and the categories of their profile.

    Arguments:
        rows: R; columns: [R] values of each field; width: d of the embeddings.
        numbered: the row's own number is a field too.
    """

    codes: Tensor

    def __init__(self, rows: int, columns: dict[str, list[str | None]], width: int, numbered: bool = True) -> None:
        super().__init__()
        fields = [Category.fit(name, values) for name, values in columns.items()]
        codes = [torch.from_numpy(one.encode(columns[one.name])) for one in fields]
        sizes = [one.size for one in fields]
        if numbered:
            codes, sizes = [torch.arange(rows), *codes], [rows, *sizes]
        self.register_buffer("codes", torch.stack(codes, 1) if codes else torch.zeros((rows, 0), dtype=torch.long))
        self.fields = FieldEmbedding(sizes, width)
        # Sums start with a length of about 1: from much shorter ones the means of histories learn slowly.
        nn.init.normal_(self.fields.table, std=(width * max(1, len(sizes))) ** -0.5)

    def forward(self, rows: Tensor | None = None) -> Tensor:
        """[R, d] of all rows, or [B, d] of these."""
        codes = self.codes if rows is None else self.codes[rows]
        return self.fields.total(codes)


def item_profile(items: int, data: "HeteroData | None", width: int) -> Profile:
    """Embeddings of all items: number, brand, browse nodes and profile fields; only the number without a snapshot."""
    columns: dict[str, Any] = {}
    if data is not None:
        levels = min(LEVELS, max(data["browse_node"].level, default=-1) + 1)
        columns = {name: values for name, values in item_columns(data, levels).items() if name not in ("id", "price")}
    return Profile(items, columns, width)


def user_profile(users: int, data: "HeteroData | None", width: int, numbered: bool) -> Profile:
    """Embeddings of users: profile fields, and the number where `numbered`."""
    columns = {} if data is None else {name: one for name, one in user_columns(data).items() if name != "id"}
    return Profile(users, columns, width, numbered)


def look_up(items: Tensor, numbers: Tensor) -> Tensor:
    """Rows of the item embeddings [N, d] for padded sequences [B, L]; padding (N) gives zeros: [B, L, d]."""
    return F.embedding(numbers, F.pad(items, (0, 0, 0, 1)))
