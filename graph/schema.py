"""The graph's labels, relationship types and properties: Python spells them here, and those of events in `moments`."""

from dataclasses import dataclass, field
from typing import Any, Self

import polars as pl

# What a table row must carry, column by column. Ids are strings everywhere.
USER = {"id": pl.String}
ITEM = {"id": pl.String, "title": pl.String, "brand": pl.String, "price": pl.Float64, "available": pl.Boolean}
BROWSE_NODE = {"id": pl.String, "name": pl.String, "level": pl.Int64}
# What a node of a browse tree that belongs to no store carries beside: `class` as an ontologist gave it, or null.
TREE_NODE = {**BROWSE_NODE, "parent": pl.String, "class": pl.String}
IN_CATEGORY = {"item": pl.String, "browse_node": pl.String}
CHILD_OF = {"child": pl.String, "parent": pl.String}
INTERACTION = {
    "user": pl.String,
    "item": pl.String,
    "kind": pl.String,  # "purchase", "rating", "review", ...
    "position": pl.Int64,  # place in the user's own order, 0 first; null where `time` orders the events
    "time": pl.Int64,  # seconds since 1970 UTC; null where only the order is known
    "session": pl.String,  # basket or session; null where unknown
    "quantity": pl.Float64,  # pieces; null where unknown
    "value": pl.Float64,  # spend or rating; null where unknown
    "place": pl.String,  # shop; null where unknown
}
EXPOSURE = {
    "item": pl.String,
    "place": pl.String,
    "week": pl.Int64,  # 1 = the week that starts at `Source.first_week`
    "display": pl.String,  # where in the shop
    "mailer": pl.String,  # where in the mailer
}

# Classes of browse nodes, and the label that each becomes (shopping intents, section IV.A).
BROWSE_CLASSES = {"category": "ProductCategory", "assortment": "ProductAssortment", "alias": "Alias"}
WEEK = 7 * 24 * 3600  # seconds


@dataclass(frozen=True)
class Source:
    """What a store was loaded from: the `(:Source)` node.

    Attributes:
        id: name of the source, such as `complete-journey`.
        user_profile, item_profile: node properties that are features z_u and x_i beside the fixed ones.
        protocol: how interactions were held out: `none`, `last` (each user's last event), `marked` (rows that
            the source marks) or `days:N` (the last N days).
        min_buyers: an item with fewer buyers in the training rows is no candidate.
        first_week: start of week 1 of the exposures, seconds since 1970 UTC; None without exposures.
        note: one line that is shown wherever results are.
    """

    id: str
    user_profile: tuple[str, ...] = ()
    item_profile: tuple[str, ...] = ()
    protocol: str = "none"
    min_buyers: int = 1
    first_week: int | None = None
    note: str = ""

    def properties(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "user_profile": list(self.user_profile),
            "item_profile": list(self.item_profile),
            "protocol": self.protocol,
            "min_buyers": self.min_buyers,
            "first_week": self.first_week,
            "note": self.note,
        }

    @classmethod
    def of(cls, properties: dict[str, Any]) -> Self:
        known = {name: properties[name] for name in cls.__dataclass_fields__ if properties.get(name) is not None}
        for name in ("user_profile", "item_profile"):
            known[name] = tuple(known.get(name, ()))
        return cls(**known)


def empty(columns: dict[str, Any]) -> pl.DataFrame:
    """A frame without rows that has these columns."""
    return pl.DataFrame(schema=columns)


@dataclass(frozen=True)
class Tables:
    """One data set as checked frames: what loaders give and writers take.

    `users` and `items` carry the columns of `USER` and `ITEM` and one more for each profile field. `held_out` has
    the columns of `INTERACTION` and becomes `HELD_OUT` edges, which no model and no statistic reads.
    """

    source: Source
    users: pl.DataFrame
    items: pl.DataFrame
    interactions: pl.DataFrame
    browse_nodes: pl.DataFrame = field(default_factory=lambda: empty(BROWSE_NODE))
    in_category: pl.DataFrame = field(default_factory=lambda: empty(IN_CATEGORY))
    child_of: pl.DataFrame = field(default_factory=lambda: empty(CHILD_OF))
    held_out: pl.DataFrame = field(default_factory=lambda: empty(INTERACTION))
    exposures: pl.DataFrame | None = None


def weight_property(generation: int) -> str:
    """Property of `INTERACTED` that holds e^t of one generation."""
    return f"weight_{generation}"


def direct_property(generation: int) -> str:
    """Property of `User` and `Item` that holds p_u or q_i of one generation."""
    return f"direct_{generation}"


def length_property(generation: int) -> str:
    """Property of `Item` that holds |q_i| of one generation: with it a cosine becomes a product."""
    return f"direct_length_{generation}"


def locale_property(locale: str) -> str:
    """Property of `BrowseNode` that holds its name in one locale: `name_pt_br` of `pt-BR`."""
    return f"name_{locale.lower().replace('-', '_')}"
