"""What an item's profile says: its browse path, its words, and what it has in common with another item.

Data is a snapshot (`graph.snapshot`) or an excerpt of the graph (`graph.excerpt`), which looks the same without torch.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from models.interactions import Floats, Ints

if TYPE_CHECKING:
    from torch_geometric.data import HeteroData

    from graph.excerpt import Excerpt

    Data = HeteroData | Excerpt

DEEPEST = 7  # shared levels that are told apart
PART = 200_000  # pairs of paths compared at a time


def browse_paths(data: "Data") -> list[list[int]]:
    """For each item the browse nodes from its deepest category up to the root; empty without a category."""
    parent = dict(np.asarray(data["browse_node", "child_of", "browse_node"].edge_index).T.tolist())

    @cache  # many items share a node
    def upwards(node: int) -> list[int]:
        above: list[int] = []
        here: int | None = node
        while here is not None and here not in above:
            above.append(here)
            here = parent.get(here)
        return above

    paths: list[list[int]] = [[] for _ in range(data["item"].num_nodes)]
    for item, node in np.asarray(data["item", "in_category", "browse_node"].edge_index).T.tolist():
        path = paths[item]
        path.extend(one for one in upwards(node) if one not in path)
    return paths


def profile_words(data: "Data", paths: list[list[int]]) -> list[list[str]]:
    """The words of each item: of its title, its brand, and the browse nodes that it is in or below."""
    node_ids = data["browse_node"].id
    words = []
    for title, brand, path in zip(data["item"].title, data["item"].brand, paths, strict=True):
        found = (title or "").lower().split()
        found += [f"brand={brand}"] if brand else []
        found += [f"node={node_ids[node]}" for node in path]
        words.append(found)
    return words


@dataclass(frozen=True)
class Terms:
    """TF-IDF as scikit-learn's `TfidfVectorizer` has it, in a form that is kept beside a model.

    Attributes:
        names: the words that count; one in more than a tenth of all items says little and would make every pair of
            items similar. Nor does one that more than `most` items have.
        idf: ln((1 + items) / (1 + items that have the word)) + 1 of each.
    """

    names: tuple[str, ...]
    idf: Floats

    @classmethod
    def fit(cls, words: Sequence[Sequence[str]], most: int) -> Self:
        """The terms of all items, from the words of each; `most` is `PairOptions.hottest`."""
        most = min(max(len(words) // 10, 200), most)
        have = Counter(chain.from_iterable(map(set, words)))
        kept = sorted((name, count) for name, count in have.items() if count <= most)
        counts = np.array([count for _, count in kept], dtype=np.float64)
        return cls(tuple(name for name, _ in kept), (np.log((1 + len(words)) / (1 + counts)) + 1).astype(np.float32))

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    def vectors(self, words: Sequence[Sequence[str]]) -> tuple[Ints, Ints, Floats]:
        """Row, term and value of what is not 0 in the vectors of items, each of unit length; rows ascend."""
        found = [[self._place[word] for word in one if word in self._place] for one in words]
        size = max(1, len(self.names))
        row = np.repeat(np.arange(len(found)), [len(one) for one in found])
        cells, count = np.unique(row * size + np.array([*chain.from_iterable(found)], np.int64), return_counts=True)
        row, term = np.divmod(cells, size)
        value = count * self.idf[term].astype(np.float64)
        length = np.sqrt(np.bincount(row, value**2, minlength=len(found)))
        return row, term, (value / length[row]).astype(np.float32)


def brand_codes(data: "Data") -> Ints:
    """[N] a number for each brand, -1 where it is unknown."""
    codes: dict[str, int] = {}
    return np.array([codes.setdefault(brand, len(codes)) if brand else -1 for brand in data["item"].brand], np.int64)


def same_brand(code: Ints, source: Ints, target: Ints) -> npt.NDArray[np.bool_]:
    """[E] whether two items have the same known brand, by `brand_codes` [N]."""
    return (code[source] == code[target]) & (code[source] >= 0)


@dataclass(frozen=True)
class PathKinds:
    """The browse paths of N items, each distinct one once, because items repeat their path.

    Attributes:
        kind: [N] number of each item's path; nodes: [K, L] the browse nodes of each path, padded with -1.
    """

    kind: Ints
    nodes: Ints

    @classmethod
    def of(cls, paths: list[list[int]]) -> Self:
        kinds: dict[tuple[int, ...], int] = {}
        kind = np.array([kinds.setdefault(tuple(sorted(path)), len(kinds)) for path in paths], np.int64)
        nodes = np.full((len(kinds), max(map(len, kinds), default=0)), -1)
        for path, place in kinds.items():
            nodes[place, : len(path)] = path
        return cls(kind, nodes)

    def shared_depth(self, source: Ints, target: Ints) -> npt.NDArray[np.int8]:
        """[E] number of browse nodes that two items share, at most 7."""
        size = max(1, len(self.nodes))
        key, back = np.unique(self.kind[source] * size + self.kind[target], return_inverse=True)
        one, other = np.divmod(key, size)
        shared = np.zeros(len(key), dtype=np.int8)
        for begin in range(0, len(key), PART):
            part = slice(begin, begin + PART)
            left, right = self.nodes[one[part], :, None], self.nodes[other[part], None, :]
            shared[part] = np.minimum(((left == right) & (left >= 0)).sum(axis=(1, 2)), DEEPEST)
        return shared[back]
