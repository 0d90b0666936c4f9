"""How candidate pairs are found among all items: by co-occurrence, by transition and by profile."""

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from graph.progress import Step, step
from models.choice import Choice
from models.interactions import Flags, Interactions, spans
from models.pairs import PairOptions, Pairs, counted, gap_weight
from models.profiles import Terms, browse_paths, profile_words

if TYPE_CHECKING:
    from torch_geometric.data import HeteroData

CELLS = 16_000_000  # cells of the co-occurrence matrix held at a time: bounds the memory
LEAST = 64  # triggers at a time all the same: products of a few rows cost as much as those of many


def transitions(events: Interactions, window: int, kept: Flags | None = None) -> sparse.csr_array:
    """[N, N] sums of 1 / gap over first meetings of j and then i within `window` moments of one user.

    `kept` [V]: first meetings that count, all where it is None. The sums are made in double precision, so that their
    order does not show when they are rounded.
    """
    first = events.where(events.first if kept is None else kept)
    key = first.user * (first.moment.max(initial=0) + window + 2) + first.moment
    stop = np.searchsorted(key, key + window, side="right")
    row, other = spans(np.arange(len(first)) + 1, stop)
    gap = first.moment[other] - first.moment[row]
    weight = gap_weight(gap)
    back = gap == 0
    j = np.concatenate([first.item[row], first.item[other[back]]])
    i = np.concatenate([first.item[other], first.item[row[back]]])
    values = np.concatenate([weight, weight[back]])
    return sparse.coo_array((values, (j, i)), shape=(events.items, events.items)).tocsr().astype(np.float32)


def profile_vectors(data: "HeteroData", paths: list[list[int]], most: int) -> sparse.csr_array:
    """[N, terms] unit-length TF-IDF vectors of all items; `most` as in `Terms`."""
    words = profile_words(data, paths)
    terms = Terms.fit(words, most)
    row, term, value = terms.vectors(words)
    return sparse.csr_array((value, (row, term)), shape=(len(words), max(1, len(terms.names))), dtype=np.float32)


def block_size(eligible: int) -> int:
    """Triggers at a time, of so many eligible items."""
    return max(LEAST, CELLS // max(1, eligible))


class Candidates:
    """All candidate pairs of a snapshot, a block of triggers at a time: the memory is bounded however many items.

    Every statistic is over `events` alone, so give it training rows only. With `options.repeats` each item is besides
    a candidate of its own. `len` is the number of triggers.
    """

    def __init__(self, events: Interactions, data: "HeteroData", options: PairOptions) -> None:
        self.events, self.options = events, options
        paths = browse_paths(data)
        self.choice = Choice.of(events, data, paths, options)
        self.text = profile_vectors(data, paths, options.hottest)[self.choice.eligible].tocsr()

    def __len__(self) -> int:
        return len(self.choice.eligible)

    @cached_property
    def kept(self) -> Flags:
        """[V] first meetings that count in the statistics."""
        return counted(self.events, self.options.hottest)

    def blocks(self, shown: Step) -> Iterator[Pairs]:
        """The pairs, all of a trigger in one block, in the order of the triggers; one block at least.

        `shown` advances by the triggers of a block once it was taken.
        """
        events, eligible = self.events, self.choice.eligible
        ones = np.ones(self.kept.sum(), dtype=np.float32)
        index = (events.user[self.kept], events.item[self.kept])
        users = sparse.csr_array((ones, index), shape=(events.users, events.items))[:, eligible].tocsr()
        items = users.T.tocsr()
        forward = transitions(events, self.options.window, self.kept)[eligible][:, eligible].tocsr()
        backward = forward.T.tocsr()
        # Products of single precision are exact in double precision: the order of a sum does not show either.
        text = self.text.astype(np.float64)
        words = text.T.tocsr()
        size = block_size(len(eligible))
        room = np.empty(min(size, len(eligible)) * len(eligible), dtype=np.float32)
        for begin in range(0, max(1, len(eligible)), size):
            rows = slice(begin, min(begin + size, len(eligible)))
            alike = (text[rows] @ words).tocsr()
            alike.data = alike.data.astype(np.float32)  # the matrix' own astype would sort it, which is slow
            yield self.choice.pairs(
                np.arange(rows.start, rows.stop),
                (items[rows] @ users).tocsr(),
                forward[rows],
                backward[rows],
                alike,
                room,
            )
            shown.advance(rows.stop - rows.start)


def candidate_pairs(events: Interactions, data: "HeteroData", options: PairOptions) -> Pairs:
    """Find k̂ candidates for each trigger: by co-occurrence, by transition and by profile (section 5.2 step 1).

    As `Candidates` says, all in memory.
    """
    candidates = Candidates(events, data, options)
    with step("candidate pairs", total=len(candidates)) as shown:
        return Pairs.joined(candidates.blocks(shown))
