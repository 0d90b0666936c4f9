"""Candidate item pairs and their co-occurrence statistics c_ji (PDN, section 5.2 step 1 and eq. 9)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from models.fields import steady
from models.interactions import DAY, Flags, Floats, Interactions, Ints, spans

ITSELF = 127  # levels that an item shares with itself: more than any two items do
WALKED = 2  # pairs that are walked in the time that one is looked up
COLUMNS = ("target", "together", "forward", "backward", "text", "brand", "depth")  # of Pairs, one entry a pair


@dataclass(frozen=True)
class PairOptions:
    """How candidates are found.

    Attributes:
        candidates: k̂, candidate pairs a trigger, about ten times the k that is served.
        window: moments within which one item after another counts as a transition.
        shrink: added to the denominators, so that pairs seen once between rare items do not come first.
        min_buyers: an item with fewer buyers is neither trigger nor candidate in the index.
        profile_share: share of the candidates that is taken by profile alone.
        repeats: every item is besides a candidate of itself, so that a path leads to what the user had already.
        hottest: buyers of an item that count in the statistics of its pairs, drawn among all of them, and items that
            may have a word of a profile, else the word says nothing. It bounds the work: without it the pairs of an
            item grow with its buyers times theirs. An item with more buyers has fewer meetings with every other, by
            the share that is drawn; nothing else changes.
        trend: power α with which a path to an item counts less where fewer of its buyers are recent (`trends`). 0: off.
        trend_days: days up to the latest event of all that are recent.
    """

    candidates: int = 400
    window: int = 10
    shrink: float = 5.0
    min_buyers: int = 1
    profile_share: float = 0.15
    repeats: bool = False
    hottest: int = 20_000
    trend: float = 0.0
    trend_days: int = 28

    def __post_init__(self) -> None:
        if self.trend < 0 or self.trend_days < 1:
            raise ValueError("trend is a power, 0 or more, and trend_days a number of days, 1 or more")


@dataclass(frozen=True)
class Part:
    """What one user adds to the statistics of pairs [R]: to be left out where this user is an example."""

    together: Floats
    forward: Floats
    backward: Floats
    buyers: Ints


@dataclass(frozen=True)
class Pairs:
    """E candidate pairs j → i in CSR order, with raw statistics over training rows only.

    Attributes:
        start: [N + 1] offsets by trigger j, in a block [J + 1], those of its own triggers alone, from item `first` on;
            target: [E] candidate i, ascending within j.
        together: [E] users who have both; of an item with itself: users who have it at several moments.
        forward, backward: [E] transitions j → i and i → j between first meetings, each 1 / gap in moments; of an item
            with itself: from each time to the next.
        text: [E] cosine of the TF-IDF vectors of title, brand and browse path, 0 to 1.
        brand: [E] same brand; depth: [E] shared levels of the browse tree, `ITSELF` of an item with itself.
        buyers: [N] distinct users of each item.
        floor: [N, 3] what a candidate of trigger j must exceed: in transitions, in co-occurrence (both normalised)
            or in text.
        trend: [N] what is added to s of every pair that leads to another item (`trends`).
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
    trend: Floats
    options: PairOptions
    first: int = 0

    def __len__(self) -> int:
        return len(self.target)

    @classmethod
    def joined(cls, blocks: "Iterable[Pairs]") -> "Pairs":
        """One of several blocks, each with all pairs of its triggers; the triggers ascend from block to block."""
        block, counts, columns = None, np.zeros(0, dtype=np.int64), {name: [] for name in COLUMNS}
        for block in blocks:
            counts = counts if len(counts) else np.zeros(len(block.buyers), dtype=np.int64)
            counts[block.first : block.first + len(block.start) - 1] = np.diff(block.start)
            for name, parts in columns.items():
                parts.append(getattr(block, name))
        if block is None:
            raise ValueError("no blocks: a snapshot without candidates is one block without pairs")
        # A column leaves its parts before the next one is joined: else all would be there twice.
        start = np.concatenate([[0], np.cumsum(counts)])
        return replace(block, first=0, start=start, **{name: np.concatenate(columns.pop(name)) for name in COLUMNS})

    def where(self, keep: npt.NDArray[np.bool_]) -> "Pairs":
        """The pairs under a mask [E]."""
        start = np.concatenate([[0], np.cumsum(keep)])[self.start]
        return replace(self, start=start, **{name: getattr(self, name)[keep] for name in COLUMNS})

    @property
    def source(self) -> Ints:
        """[E] trigger j of each pair."""
        return self.first + np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    def source_of(self, pair: Ints) -> Ints:
        """[R] trigger of some pairs [R]."""
        return self.first + np.searchsorted(self.start, pair, side="right") - 1

    def stands_without(self, pair: Ints, source: Ints, met: Floats, own: Floats) -> npt.NDArray[np.bool_]:
        """Whether pairs [R] of triggers [R] would be candidates without one buyer's part.

        `met` is 1 where the buyer counts in `together`, and `own` what the buyer adds to `forward`. A pair that is a
        candidate only because this shopper bought both would give the positive away.
        """
        source_buyers, target_buyers = self.buyers[source], self.buyers[self.target[pair]] - 1
        moved = np.maximum(self.forward[pair] - own, 0) + self.backward[pair]
        scores = (
            normalised(steady(moved), source_buyers, target_buyers, self.options.shrink),
            normalised(self.together[pair] - met, source_buyers, target_buyers, self.options.shrink),
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

    def between(self, place: Ints, source: Ints, of: Ints, target: Ints) -> tuple[Ints, Ints, Ints]:
        """Which sources of a place pair with which targets of the same place, and by which pair.

        Places ascend in `of`; the sources [R] have `place` [R], the targets [C] have `of` [C], and a target may stand
        there twice. By looking up each couple, or by walking all pairs of the sources where these are not many more.

        Returns:
            [P] place in `source`, place in `target`, and number of the pair; pairs of a source follow one another.
        """
        first, last = np.searchsorted(of, place), np.searchsorted(of, place, side="right")
        begin, end = self.start[source], self.start[source + 1]
        if (end - begin).sum() > WALKED * (last - first).sum():
            at, candidate = spans(first, last)
            pair = self.find(source[at], target[candidate])
            keep = pair >= 0
            return at[keep], candidate[keep], pair[keep]
        at, pair = spans(begin, end)
        key, wanted = place[at] * len(self.buyers) + self.target[pair], of * len(self.buyers) + target
        bits = np.zeros(1 << max(3, (len(wanted) * 16).bit_length()), dtype=bool)
        bits[_hash(wanted, len(bits))] = True
        maybe = np.flatnonzero(bits[_hash(key, len(bits))])
        at, pair, key = at[maybe], pair[maybe], key[maybe]
        order = np.argsort(wanted, kind="stable")
        lower, upper = (np.searchsorted(wanted[order], key, side=side) for side in ("left", "right"))
        met, candidate = spans(lower, upper)
        return at[met], order[candidate], pair[met]


def _hash(keys: Ints, size: int) -> Ints:
    """Multiplicative (Fibonacci) hash to 0..size - 1, where size is a power of two."""
    mixed = keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(64 - (size.bit_length() - 1))).astype(np.int64)


def counted(events: Interactions, hottest: int) -> Flags:
    """[V] mask of first events: of each item all, or as many as `hottest` drawn by a number that each user has.

    Because the number is the user's, two hot items are counted over the same users where these have both.
    """
    first = np.flatnonzero(events.first)
    kept = np.zeros(len(events), dtype=bool)
    kept[first] = True
    over = first[events.buyers[events.item[first]] > hottest]
    order = over[np.lexsort((_hash(events.user[over], 1 << 62), events.item[over]))]
    begin = np.searchsorted(events.item[order], events.item[order])
    kept[order[np.arange(len(order)) - begin >= hottest]] = False
    return kept


def trends(events: Interactions, options: PairOptions) -> Floats:
    """α ln r_i of each item [N], with r_i = (its buyers of the recent days + ½) / (all its buyers + ½), 0 to 1.

    An item without buyers has r = 1; so have all where no event has a time.
    """
    if not options.trend or not (events.time >= 0).any():
        return np.zeros(events.items, dtype=np.float32)
    late = events.time > events.time.max() - options.trend_days * DAY
    met = np.unique(events.user[late] * events.items + events.item[late])
    recent = np.bincount(met % events.items, minlength=events.items)
    return (options.trend * np.log((recent + 0.5) / (events.buyers + 0.5))).astype(np.float32)


def repeated(events: Interactions, window: int) -> tuple[Floats, Floats]:
    """What the user of each event [V] did with its item in all: 1 if at several moments, and Σ 1 / gap of its returns.

    Returns after more than `window` moments add nothing to the sum, as between two items.
    """
    again = events.gap_before > 0
    weight = np.where(events.gap_before <= window, gap_weight(events.gap_before), 0)[again]
    of = events.first_event
    several = np.bincount(of[again], minlength=len(events)) > 0
    moved = np.bincount(of[again], weights=weight, minlength=len(events))
    return several[of].astype(np.float32), moved[of].astype(np.float32)


def gap_weight(gap: Ints) -> npt.NDArray[np.float64]:
    """Weight of a transition over `gap` moments; the same basket counts as the next one."""
    return 1.0 / np.maximum(gap, 1)


def normalised(value: Floats, source: Ints, target: Ints, shrink: float) -> Floats:
    """Counts [E] over the root of both items' buyers [E], which is what candidates are chosen by."""
    return (value / (np.sqrt(source * target) + shrink)).astype(np.float32)
