"""PyG's `FeatureStore` over Neo4j: what nodes carry, as tensors, for the nodes that are asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import FeatureStore, TensorAttr

from graph.driver import Database
from graph.errors import Invalid, StoreError
from graph.generations import list_generations
from graph.hops import read_any_value, read_distinct, read_values
from graph.schema import direct_property
from models.features import PROFILE
from models.fields import Category
from models.interactions import Ints
from models.remote.numbering import READ_ONLY, Numbering

ACTIVITY = "activity"  # counted, not a property


@dataclass(frozen=True)
class Column:
    """A tensor of one kind of node: the property that it is made of, how, and the size of a row."""

    property: str
    make: Callable[[list[Any]], Tensor]
    row: tuple[int, ...] = ()


class Neo4jFeatureStore(FeatureStore):
    """Tensors of U users, I items and B browse nodes, in the order of `Numbering`.

    - user: `activity` (long [U], items that the user had), `profile_…` (long [U] codes).
    - item: `popularity` (long [I]), `price` (float [I], nan = unknown), `available` (bool [I]), `brand` and
      `profile_…` (long [I] codes).
    - browse_node: `level` (long [B]).
    - user and item: `direct` (float [U, d] and [I, d]), p_u and q_i of the generation that is live when the store is
      opened, so a switch meanwhile does not mix two; not there where none is live; zeros for a node without it.

    Codes are places among the sorted values, 0 = unknown: what `models.fields.Category` makes of a whole snapshot.
    `categories` has them, for the sizes of embeddings.

    It only reads, so putting, updating and removing raise `Invalid`: weights and vectors are written a generation at a
    time and as a whole, and a profile is what the source says.

    Arguments:
        database: where the graph is.
        tensors: names by kind of node; loaders fetch all that a store has, so name what the model reads. None: all.
        numbering: shared with a graph store; None reads it.
    """

    def __init__(
        self,
        database: Database,
        tensors: Mapping[str, Sequence[str]] | None = None,
        numbering: Numbering | None = None,
    ) -> None:
        super().__init__()
        self.database = database
        self.numbering = numbering or Numbering.read(database)
        self.categories: dict[tuple[str, str], Category] = {}
        made = {(kind, name): column for kind, name, column in self._every()}
        wanted = made if tensors is None else [(kind, name) for kind, names in tensors.items() for name in names]
        if unknown := [key for key in wanted if key not in made]:
            raise Invalid(f"tensor {'.'.join(unknown[0])}: the graph has {', '.join(map('.'.join, made))}")
        self._columns = {key: made[key]() for key in wanted}

    def _every(self) -> list[tuple[str, str, Callable[[], Column]]]:
        """Kind and name of all tensors there can be, with what prepares each: vocabularies are read if wanted."""
        source = self.numbering.source
        every: list[tuple[str, str, Callable[[], Column]]] = [
            ("user", ACTIVITY, lambda: Column(ACTIVITY, _counts)),
            ("item", "popularity", lambda: Column("popularity", _counts)),
            ("item", "price", lambda: Column("price", _prices)),
            ("item", "available", lambda: Column("available", _available)),
            ("item", "brand", lambda: self._codes("item", "brand", "brand")),
            ("browse_node", "level", lambda: Column("level", _counts)),
        ]
        for kind, names in (("user", source.user_profile), ("item", source.item_profile)):
            every += [
                (kind, f"{PROFILE}{name}", lambda kind=kind, name=name: self._codes(kind, f"{PROFILE}{name}", name))
                for name in names
            ]
        if live := next((one for one in list_generations(self.database) if one.live), None):
            name = direct_property(live.id)
            every += [(kind, "direct", lambda kind=kind: self._vectors(kind, name)) for kind in ("user", "item")]
        return every

    def _codes(self, kind: str, name: str, property: str) -> Column:
        category = Category.fit(name, read_distinct(self.database, kind, property))
        self.categories[kind, name] = category
        return Column(property, lambda values: torch.from_numpy(category.encode(values)))

    def _vectors(self, kind: str, property: str) -> Column:
        width = len(read_any_value(self.database, kind, property) or ())
        nothing = [0.0] * width
        return Column(
            property, lambda values: torch.tensor([one or nothing for one in values]).view(-1, width), (width,)
        )

    def get_all_tensor_attrs(self) -> list[TensorAttr]:
        return [TensorAttr(kind, name) for kind, name in self._columns]

    def _get_tensor_size(self, attr: TensorAttr) -> tuple[int, ...] | None:
        column = self._columns.get((attr.group_name, attr.attr_name))
        return None if column is None else (len(self._rows(attr)), *column.row)

    def _get_tensor(self, attr: TensorAttr) -> Tensor:
        return self._read([attr])[0]

    def _multi_get_tensor(self, attrs: list[TensorAttr]) -> list[Tensor]:
        """All tensors of the same nodes by one statement."""
        order = sorted(range(len(attrs)), key=lambda place: _same_nodes(attrs[place]))
        found: dict[int, Tensor] = {}
        for _, group in groupby(order, key=lambda place: _same_nodes(attrs[place])):
            places = list(group)
            found |= dict(zip(places, self._read([attrs[place] for place in places]), strict=True))
        return [found[place] for place in range(len(attrs))]

    def _read(self, attrs: list[TensorAttr]) -> list[Tensor]:
        """Tensors of the same nodes. Raises `KeyError` for an unknown one, as PyG's stores do."""
        kind, columns = attrs[0].group_name, []
        for attr in attrs:
            if (column := self._columns.get((attr.group_name, attr.attr_name))) is None:
                raise KeyError(f"no tensor {attr.group_name}.{attr.attr_name}: see get_all_tensor_attrs")
            columns.append(column)
        rows = self._rows(attrs[0])
        names = [column.property for column in columns]
        ids = self.numbering.ids(kind, rows)
        found = read_values(self.database, kind, ids, names)
        if len(found) < len(ids):
            gone = ids[min(set(range(len(ids))) - {row["place"] for row in found})]
            raise StoreError(f"{kind} {gone!r} left the graph meanwhile: open the stores anew")
        found.sort(key=lambda row: row["place"])
        return [
            column.make([row[ACTIVITY] if name == ACTIVITY else row["values"][place] for row in found])
            for place, (name, column) in enumerate(zip(names, columns, strict=True))
        ]

    def _rows(self, attr: TensorAttr) -> Ints:
        """Numbers of the nodes of an index: None or a slice, numbers, a mask, or one number."""
        every, index = np.arange(self.numbering.count(attr.group_name)), attr.index
        if index is None:
            return every
        return np.atleast_1d(every[index.cpu().numpy() if isinstance(index, Tensor) else index])

    def _put_tensor(self, tensor: Tensor, attr: TensorAttr) -> bool:  # noqa: ARG002
        raise Invalid(f"{attr.group_name}.{attr.attr_name} cannot be put: {READ_ONLY}")

    def _remove_tensor(self, attr: TensorAttr) -> bool:
        raise Invalid(f"{attr.group_name}.{attr.attr_name} cannot be removed: {READ_ONLY}")


def _same_nodes(attr: TensorAttr) -> tuple[str, int]:
    return attr.group_name, id(attr.index)


def _counts(values: list[Any]) -> Tensor:
    return torch.tensor([value or 0 for value in values], dtype=torch.long)


def _prices(values: list[Any]) -> Tensor:
    return torch.tensor([float("nan") if value is None else value for value in values], dtype=torch.float)


def _available(values: list[Any]) -> Tensor:
    return torch.tensor([value is not False for value in values], dtype=torch.bool)
