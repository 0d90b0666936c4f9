"""Browse nodes that were labelled by hand: what the classifiers learn from and are measured on."""

import csv
import hashlib
from dataclasses import dataclass
from importlib.resources import files

from graph.errors import SourceError
from graph.schema import BROWSE_CLASSES
from models.intents.classes import Card

INNER = " | "  # between the names of one column


@dataclass(frozen=True)
class Label:
    """`card`: the node as it was labelled, so that its tree is not needed; `intent`: an assortment to pursue."""

    tree: str
    node_class: str
    intent: bool
    card: Card

    @property
    def node(self) -> str:
        """Id of the node in the graph: trees of no store carry their name in it."""
        return f"{self.tree}:{self.card.id}" if self.tree in ("google", "shopify") else self.card.id

    @property
    def held_out(self) -> bool:
        """Half of the labels, by their ids alone, so that later labels move none of them."""
        return hashlib.sha256(f"{self.tree} {self.card.id}".encode()).digest()[0] % 2 == 1


def read_labels() -> list[Label]:
    """The labels of labels/browse_nodes.csv beside this module; its README has the rules. Raises `SourceError`."""
    file = files("models.intents").joinpath("labels", "browse_nodes.csv")
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    for row in rows:
        if row["class"] not in BROWSE_CLASSES or row["intent"] not in ("yes", "no"):
            raise SourceError(
                f"{file.name}: {row['tree']} {row['id']}: no such class or intent: see README.md beside it"
            )
    return [
        Label(
            row["tree"],
            row["class"],
            row["intent"] == "yes",
            Card(
                row["id"],
                tuple(row["path"].split(" > ")),
                tuple(row["children"].split(INNER)) if row["children"] else (),
                int(row["count"]),
                int(row["depth"]),
                int(row["items"]),
                float(row["spread"]),
            ),
        )
        for row in rows
    ]
