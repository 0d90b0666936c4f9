"""How candidate pairs are found among all items: by co-occurrence, by transition and by profile."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse

from graph.progress import step
from models.interactions import Floats, Interactions, Ints, spans
from models.pairs import ITSELF, PairOptions, Pairs, gap_weight, normalised, repeated
from models.profiles import Terms, browse_paths, profile_words, same_brand, shared_depth

if TYPE_CHECKING:
    from torch_geometric.data import HeteroData

CELLS = 16_000_000  # cells of the co-occurrence matrix held at a time: bounds the memory


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


def profile_vectors(data: "HeteroData", paths: list[list[int]]) -> sparse.csr_array:
    """[N, terms] unit-length TF-IDF vectors of all items."""
    words = profile_words(data, paths)
    terms = Terms.fit(words)
    row, term, value = terms.vectors(words)
    return sparse.csr_array((value, (row, term)), shape=(len(words), max(1, len(terms.names))), dtype=np.float32)


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


def _with_itself(columns: tuple[Any, ...], events: Interactions, eligible: Ints, window: int) -> tuple[Any, ...]:
    """The columns of `Pairs` with a pair more for each eligible item: the item itself."""
    first = events.first
    several, moved = (
        np.bincount(events.item[first], weights=part[first], minlength=events.items)[eligible].astype(np.float32)
        for part in repeated(events, window)
    )
    same = np.ones(len(eligible), dtype=np.float32)
    own = (eligible, eligible, several, moved, moved, same, same.astype(bool), np.full(len(eligible), ITSELF, np.int8))
    whole = [np.concatenate(both) for both in zip(columns, own, strict=True)]
    order = np.lexsort((whole[1], whole[0]))
    return tuple(column[order] for column in whole)


def candidate_pairs(events: Interactions, data: "HeteroData", options: PairOptions) -> Pairs:
    """Find k̂ candidates for each trigger: by co-occurrence, by transition and by profile (section 5.2 step 1).

    Every statistic is over `events` alone, so give it training rows only. With `options.repeats` each item is besides
    a candidate of its own.
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
    brand, depth = same_brand(data, source, target), shared_depth(paths, source, target)
    columns = (source, target, together, forward, backward, text, brand, depth)
    if options.repeats:
        columns = _with_itself(columns, events, eligible, options.window)
    source, target, together, forward, backward, text, brand, depth = columns
    floor = np.zeros((events.items, 3), dtype=np.float32)
    floor[eligible] = np.concatenate([*floors, np.zeros((0, 3), dtype=np.float32)])
    return Pairs(
        start=np.searchsorted(source, np.arange(events.items + 1)),
        target=target,
        together=together,
        forward=forward,
        backward=backward,
        text=np.clip(text, 0, 1),
        brand=brand,
        depth=depth,
        buyers=events.buyers,
        floor=floor,
        options=options,
    )
