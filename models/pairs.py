"""Candidate item pairs and their co-occurrence statistics c_ji (PDN, section 5.2 step 1 and eq. 9)."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from torch_geometric.data import HeteroData

from graph.progress import step
from models.interactions import Floats, Interactions, Ints, spans

CELLS = 16_000_000  # cells of the co-occurrence matrix held at a time: bounds the memory


@dataclass(frozen=True)
class PairOptions:
    """How candidates are found.

    Attributes:
        candidates: k̂, candidate pairs a trigger, about ten times the k that is served.
        window: moments within which one item after another counts as a transition.
        shrink: added to the denominators, so that pairs seen once between rare items do not come first.
        min_buyers: an item with fewer buyers is neither trigger nor candidate in the index.
        profile_share: share of the candidates that is taken by profile alone.
    """

    candidates: int = 400
    window: int = 10
    shrink: float = 5.0
    min_buyers: int = 1
    profile_share: float = 0.15


@dataclass(frozen=True)
class Pairs:
    """E candidate pairs j → i in CSR order, with raw statistics over training rows only.

    Attributes:
        start: [N + 1] offsets by trigger j; target: [E] candidate i, ascending within j.
        together: [E] users who have both.
        forward, backward: [E] transitions j → i and i → j between first meetings, each 1 / gap in moments.
        text: [E] cosine of the TF-IDF vectors of title, brand and browse path, 0 to 1.
        brand: [E] same brand; depth: [E] shared levels of the browse tree.
        buyers: [N] distinct users of each item.
    """

    start: Ints
    target: Ints
    together: Floats
    forward: Floats
    backward: Floats
    text: Floats
    brand: npt.NDArray[np.bool_]
    depth: npt.NDArray[np.int8]
    buyers: Ints
    window: int

    def __len__(self) -> int:
        return len(self.target)

    @property
    def source(self) -> Ints:
        """[E] trigger j of each pair."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    @cached_property
    def _keys(self) -> Ints:
        return self.source * len(self.buyers) + self.target

    def find(self, source: Ints, target: Ints) -> Ints:
        """Number of each pair (source, target) [R], -1 where it is no candidate pair; fast where sources ascend."""
        wanted = source * len(self.buyers) + target
        if not len(self):
            return np.full(len(wanted), -1)
        at = np.minimum(np.searchsorted(self._keys, wanted), len(self) - 1)
        return np.where(self._keys[at] == wanted, at, -1)


def gap_weight(gap: Ints) -> Floats:
    """Weight of a transition over `gap` moments; the same basket counts as the next one."""
    return (1.0 / np.maximum(gap, 1)).astype(np.float32)


def transitions(events: Interactions, window: int) -> sparse.csr_array:
    """[N, N] sums of 1 / gap over first meetings of j and then i within `window` moments of one user."""
    first = events.where(events.first)
    key = first.user * (first.moment.max(initial=0) + window + 2) + first.moment
    stop = np.searchsorted(key, key + window, side="right")
    row, other = spans(np.arange(len(first)) + 1, stop)
    gap = first.moment[other] - first.moment[row]
    weight = gap_weight(gap)
    back = gap == 0
    j = np.concatenate([first.item[row], first.item[other[back]]])
    i = np.concatenate([first.item[other], first.item[row[back]]])
    values = np.concatenate([weight, weight[back]])
    return sparse.coo_array((values, (j, i)), shape=(events.items, events.items)).tocsr()


def browse_paths(data: HeteroData) -> list[list[int]]:
    """For each item the browse nodes from its deepest category up to the root; empty without a category."""
    parent = dict(data["browse_node", "child_of", "browse_node"].edge_index.t().tolist())
    paths: list[list[int]] = [[] for _ in range(data["item"].num_nodes)]
    for item, node in data["item", "in_category", "browse_node"].edge_index.t().tolist():
        chain, here = [], node
        while here is not None and here not in chain:
            chain.append(here)
            here = parent.get(here)
        paths[item].extend(node for node in chain if node not in paths[item])
    return paths


def profile_vectors(data: HeteroData, paths: list[list[int]]) -> sparse.csr_array:
    """[N, terms] unit-length TF-IDF vectors over the words of the title, the brand and the browse nodes."""
    words = []
    for title, brand, path in zip(data["item"].title, data["item"].brand, paths, strict=True):
        terms = (title or "").lower().split()
        terms += [f"brand={brand}"] if brand else []
        terms += [f"node={node}" for node in path]
        words.append(terms)
    if not any(words):
        return sparse.csr_array((len(words), 1), dtype=np.float32)
    # A term in more than a tenth of all items says little and would make every pair of items similar.
    most = max(0.1, 200 / len(words))
    vectorizer = TfidfVectorizer(analyzer=list, max_df=min(1.0, most), dtype=np.float32)
    try:
        return sparse.csr_array(vectorizer.fit_transform(words))
    except ValueError:  # every term is too common
        return sparse.csr_array((len(words), 1), dtype=np.float32)


def _best(rows: sparse.csr_array, score: Floats, count: int) -> tuple[Ints, Ints]:
    """Row and column of the `count` highest positive scores in each row of a CSR matrix."""
    picked = []
    for begin, end in pairwise(rows.indptr):
        here = np.arange(begin, end)
        if len(here) > count:
            here = here[np.argpartition(-score[begin:end], count)[:count]]
        picked.append(here)
    at = np.concatenate(picked)
    at = at[score[at] > 0]
    row = np.searchsorted(rows.indptr, at, side="right") - 1
    return row, rows.indices[at].astype(np.int64)


@dataclass(frozen=True)
class _Matrices:
    """The statistics among the eligible items only, numbered anew, before the pairs are chosen."""

    by_item: sparse.csr_array
    by_user: sparse.csr_array
    forward: sparse.csr_array
    backward: sparse.csr_array
    text: sparse.csr_array
    buyers: Ints

    @classmethod
    def of(cls, events: Interactions, text: sparse.csr_array, eligible: Ints, window: int) -> Self:
        first = events.first
        ones = np.ones(first.sum(), dtype=np.float32)
        mine = sparse.csr_array((ones, (events.user[first], events.item[first])), shape=(events.users, events.items))
        mine = mine[:, eligible].tocsr()
        forward = transitions(events, window)[eligible][:, eligible].tocsr()
        backward = forward.T.tocsr()
        return cls(mine.T.tocsr(), mine, forward, backward, text[eligible].tocsr(), events.buyers[eligible])

    def rows(self, begin: int, end: int, options: PairOptions) -> tuple[Ints | Floats, ...]:
        """Source, target and the four statistics of the pairs whose trigger is in begin..end."""
        profile = int(options.candidates * options.profile_share)
        moved_share = (options.candidates - profile) // 2
        together = (self.by_item[begin:end] @ self.by_user).tocsr()
        moves = (self.forward[begin:end] + self.backward[begin:end]).tocsr()
        alike = (self.text[begin:end] @ self.text.T).tocsr()
        found = (
            _best(moves, self._normalised(moves, begin, options.shrink), moved_share),
            _best(
                together, self._normalised(together, begin, options.shrink), options.candidates - profile - moved_share
            ),
            _best(alike, alike.data, profile),
        )
        size = len(self.buyers)
        row, column = np.divmod(np.unique(np.concatenate([r * size + c for r, c in found])), size)
        keep = row + begin != column
        row, column = row[keep], column[keep]
        values = (
            m.toarray()[row, column] for m in (together, self.forward[begin:end], self.backward[begin:end], alike)
        )
        return row + begin, column, *values

    def _normalised(self, rows: sparse.csr_array, begin: int, shrink: float) -> Floats:
        mine = np.repeat(self.buyers[begin : begin + rows.shape[0]], np.diff(rows.indptr))
        return rows.data / (np.sqrt(mine * self.buyers[rows.indices]) + shrink)


def candidate_pairs(events: Interactions, data: HeteroData, options: PairOptions) -> Pairs:
    """Find k̂ candidates for each trigger: by co-occurrence, by transition and by profile (section 5.2 step 1).

    Every statistic is over `events` alone, so give it training rows only.
    """
    eligible = np.flatnonzero(events.buyers >= options.min_buyers)
    paths = browse_paths(data)
    with step("candidate pairs", total=len(eligible)) as shown:
        matrices = _Matrices.of(events, profile_vectors(data, paths), eligible, options.window)
        blocks = []
        size = max(1, CELLS // max(1, len(eligible)))
        for begin in range(0, len(eligible), size):
            end = min(begin + size, len(eligible))
            blocks.append(matrices.rows(begin, end, options))
            shown.advance(end - begin)
    empty = (np.zeros(0, dtype=np.int64),) * 2 + (np.zeros(0, dtype=np.float32),) * 4
    source, target, together, forward, backward, text = (
        np.concatenate(column) for column in zip(*(blocks or [empty]), strict=True)
    )
    source, target = eligible[source], eligible[target]
    return Pairs(
        start=np.searchsorted(source, np.arange(events.items + 1)),
        target=target,
        together=together,
        forward=forward,
        backward=backward,
        text=np.clip(text, 0, 1),
        brand=_same_brand(data, source, target),
        depth=_shared_depth(data, paths, source, target),
        buyers=events.buyers,
        window=options.window,
    )


def _same_brand(data: HeteroData, source: Ints, target: Ints) -> npt.NDArray[np.bool_]:
    codes: dict[str, int] = {}
    code = np.array([codes.setdefault(brand, len(codes)) if brand else -1 for brand in data["item"].brand])
    return (code[source] == code[target]) & (code[source] >= 0)


def _shared_depth(data: HeteroData, paths: list[list[int]], source: Ints, target: Ints) -> npt.NDArray[np.int8]:
    """Number of browse nodes that two items share, at most 7."""
    member = sparse.csr_array(
        (
            np.ones(sum(map(len, paths)), dtype=np.int8),
            (
                np.repeat(np.arange(len(paths)), [len(path) for path in paths]),
                [node for path in paths for node in path],
            ),
        ),
        shape=(len(paths), max(1, data["browse_node"].num_nodes)),
    )
    # Items repeat their path, so compare each pair of distinct paths once.
    kinds: dict[tuple[int, ...], int] = {}
    kind = np.array([kinds.setdefault(tuple(sorted(path)), len(kinds)) for path in paths])
    _, example = np.unique(kind, return_index=True)
    key, back = np.unique(kind[source] * len(kinds) + kind[target], return_inverse=True)
    one, other = np.divmod(key, len(kinds))
    shared = np.zeros(len(key), dtype=np.int8)
    for begin in range(0, len(key), 1_000_000):
        part = slice(begin, begin + 1_000_000)
        product = member[example[one[part]]].multiply(member[example[other[part]]])
        shared[part] = np.minimum(np.asarray(product.sum(axis=1)).ravel(), 7)
    return shared[back]
