"""Browse nodes that were labelled by hand: what the classifiers learn from and are measured on."""

import csv
import hashlib
from dataclasses import dataclass
from importlib.resources import files

from graph.errors import SourceError
from graph.schema import BROWSE_CLASSES


@dataclass(frozen=True)
class Label:
    """`intent`: an assortment that is something to pursue."""

    tree: str
    id: str
    path: str
    node_class: str
    intent: bool

    @property
    def held_out(self) -> bool:
        """Half of the labels, by their ids alone, so that later labels move none of them."""
        return hashlib.sha256(f"{self.tree} {self.id}".encode()).digest()[0] % 2 == 1


def read_labels() -> list[Label]:
    """The labels of `browse_nodes.csv beside this module`; its README has the rules. Raises `SourceError`."""
    file = files("models.intents").joinpath("labels", "browse_nodes.csv")
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    for row in rows:
        if row["class"] not in BROWSE_CLASSES or row["intent"] not in ("yes", "no"):
            raise SourceError(f"{file.name}: {row['tree']} {row['id']}: no such class or intent: see README.md beside it")
    return [Label(row["tree"], row["id"], row["path"], row["class"], row["intent"] == "yes") for row in rows]
