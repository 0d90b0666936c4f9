"""Small browse trees and intents, and the packaged encoder, which a run loads once."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from graph.intents import Intent
from graph.trees import BrowseNode, BrowseTree
from models.intents.encoder import Encoder, untuned


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Small batches are slower on many threads, ten times so where the cores are busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return untuned()


def make_tree(*paths: str, tree: str = "small", assortments: tuple[str, ...] = ()) -> BrowseTree:
    """One node for each path ("A > B > C"), parents before children; its id is the path with `/`, without blanks."""
    nodes: dict[str, BrowseNode] = {}
    for path in paths:
        names = path.split(" > ")
        key, above = _key(names), _key(names[:-1]) if names[1:] else None
        kind = "assortment" if path in assortments else "category"
        nodes[key] = BrowseNode(key, names[-1], above, len(names) - 1, kind)
    return BrowseTree(tree, nodes)


def _key(names: list[str]) -> str:
    return "/".join(name.replace(" ", "") for name in names)


def make_intent(id: str, *needs: str, **more: Any) -> Intent:
    """An intent of the table, or what `more` says."""
    told = {"sentence": f"get {id} done", "source": "table", "term": id, "department": "All", **more}
    return Intent(id=id, needs=needs, **told)
