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
from models.fields import steady
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
        floor: [N, 3] what a candidate of trigger j must exceed: in transitions, in co-occurrence (both normalised)
            or in text.
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
    floor: Floats
    options: PairOptions

    def __len__(self) -> int:
        return len(self.target)

    @property
    def source(self) -> Ints:
        """[E] trigger j of each pair."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    def stands_without(self, pair: Ints, source: Ints, own: Floats) -> npt.NDArray[np.bool_]:
        """Whether pairs [R] of triggers [R] would be candidates without one buyer's part (`own` transition weight).

        A pair that is a candidate only because this shopper bought both would give the positive away.
        """
        source_buyers, target_buyers = self.buyers[source], self.buyers[self.target[pair]] - 1
        moved = np.maximum(self.forward[pair] - own, 0) + self.backward[pair]
        scores = (
            normalised(steady(moved), source_buyers, target_buyers, self.options.shrink),
            normalised(self.together[pair] - 1, source_buyers, target_buyers, self.options.shrink),
            self.text[pair],
        )
        floor = self.floor[source]
        return np.any([score > floor[:, place] + 1e-6 for place, score in enumerate(scores)], axis=0)

    @cached_property
    def _keys(self) -> Ints:
        return self.source * len(self.buyers) + self.target

    @cached_property
    def _bits(self) -> npt.NDArray[np.uint8]:
        """A Bloom filter with one hash and about 16 bits a pair: most look-ups miss, and it says so at once."""
        bits = np.zeros(1 << max(3, (len(self) * 16).bit_length()), dtype=bool)
        bits[_hash(self._keys, len(bits))] = True
        return np.packbits(bits, bitorder="little")

    def find(self, source: Ints, target: Ints) -> Ints:
        """Number of each pair (source, target) [R], -1 where it is no candidate pair; fastest where sources ascend."""
        wanted = source * len(self.buyers) + target
        found = np.full(len(wanted), -1)
        if not len(self):
            return found
        place = _hash(wanted, len(self._bits) * 8)
        maybe = np.flatnonzero((self._bits[place >> 3] >> (place & 7).astype(np.uint8)) & 1)
        at = np.minimum(np.searchsorted(self._keys, wanted[maybe]), len(self) - 1)
        found[maybe] = np.where(self._keys[at] == wanted[maybe], at, -1)
        return found


def _hash(keys: Ints, size: int) -> Ints:
    """Multiplicative (Fibonacci) hash to 0..size - 1, where size is a power of two."""
    mixed = keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(64 - (size.bit_length() - 1))).astype(np.int64)


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


def normalised(value: Floats, source: Ints, target: Ints, shrink: float) -> Floats:
    """Counts [E] over the root of both items' buyers [E], which is what candidates are chosen by."""
    return (value / (np.sqrt(source * target) + shrink)).astype(np.float32)


def _best(rows: sparse.csr_array, score: Floats, count: int) -> tuple[Ints, Ints, Floats]:
    """Row and column of scores above each row's floor, and the floors.

    The floor is the score after the `count` best, 0 where there are fewer. Ties with it are all left out, so that
    whether a pair is a candidate depends on its own score and the floor alone.
    """
    floor = np.zeros(rows.shape[0], dtype=np.float32)
    for row, (begin, end) in enumerate(pairwise(rows.indptr)):
        if end - begin > count:
            floor[row] = max(0.0, -np.partition(-score[begin:end], count)[count])
    of_row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    at = np.flatnonzero(score > floor[of_row])
    return of_row[at], rows.indices[at].astype(np.int64), floor


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

    def rows(self, begin: int, end: int, options: PairOptions) -> tuple[tuple[Ints | Floats, ...], Floats]:
        """Source, target and the four statistics of the pairs whose trigger is in begin..end, and the floors."""
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
        row, column = np.divmod(np.unique(np.concatenate([r * size + c for r, c, _ in found])), size)
        keep = row + begin != column
        row, column = row[keep], column[keep]
        values = (
            m.toarray()[row, column] for m in (together, self.forward[begin:end], self.backward[begin:end], alike)
        )
        return (row + begin, column, *values), np.stack([floor for _, _, floor in found], axis=1)

    def _normalised(self, rows: sparse.csr_array, begin: int, shrink: float) -> Floats:
        mine = np.repeat(self.buyers[begin : begin + rows.shape[0]], np.diff(rows.indptr))
        return normalised(rows.data, mine, self.buyers[rows.indices], shrink)


def candidate_pairs(events: Interactions, data: HeteroData, options: PairOptions) -> Pairs:
    """Find k̂ candidates for each trigger: by co-occurrence, by transition and by profile (section 5.2 step 1).

    Every statistic is over `events` alone, so give it training rows only.
    """
    eligible = np.flatnonzero(events.buyers >= options.min_buyers)
    paths = browse_paths(data)
    with step("candidate pairs", total=len(eligible)) as shown:
        matrices = _Matrices.of(events, profile_vectors(data, paths), eligible, options.window)
        blocks, floors = [], []
        size = max(1, CELLS // max(1, len(eligible)))
        for begin in range(0, len(eligible), size):
            end = min(begin + size, len(eligible))
            block, floor = matrices.rows(begin, end, options)
            blocks.append(block)
            floors.append(floor)
            shown.advance(end - begin)
    empty = (np.zeros(0, dtype=np.int64),) * 2 + (np.zeros(0, dtype=np.float32),) * 4
    source, target, together, forward, backward, text = (
        np.concatenate(column) for column in zip(*(blocks or [empty]), strict=True)
    )
    source, target = eligible[source], eligible[target]
    floor = np.zeros((events.items, 3), dtype=np.float32)
    floor[eligible] = np.concatenate([*floors, np.zeros((0, 3), dtype=np.float32)])
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
        floor=floor,
        options=options,
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
