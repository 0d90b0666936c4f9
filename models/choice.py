"""Which pairs become candidates, decided for some triggers at a time: the one definition that every engine asks."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse

from models.interactions import Floats, Interactions, Ints
from models.pairs import ITSELF, PairOptions, Pairs, normalised, repeated, trends
from models.profiles import PathKinds, brand_codes, same_brand

if TYPE_CHECKING:
    from torch_geometric.data import HeteroData


@dataclass(frozen=True)
class Choice:
    """What is known of N items besides how they meet, and what becomes of M of them that are eligible.

    Attributes:
        eligible: [M] items with enough buyers; triggers and candidates are places in it until they are chosen.
        buyers: [N] distinct users of each item; brand: [N] `brand_codes`.
        several, moved: [N] `Pairs.together` and `Pairs.forward` of an item with itself.
        floor: [N, 3] `Pairs.floor`, filled in as triggers are decided; trend: [N] `Pairs.trend`.
    """

    eligible: Ints
    buyers: Ints
    brand: Ints
    kinds: PathKinds
    several: Floats
    moved: Floats
    floor: Floats
    trend: Floats
    options: PairOptions

    @classmethod
    def of(cls, events: Interactions, data: "HeteroData", paths: list[list[int]], options: PairOptions) -> Self:
        several, moved = (
            np.bincount(events.item[events.first], weights=part[events.first], minlength=events.items)
            for part in repeated(events, options.window)
        )
        return cls(
            eligible=np.flatnonzero(events.buyers >= options.min_buyers),
            buyers=events.buyers,
            brand=brand_codes(data),
            kinds=PathKinds.of(paths),
            several=several.astype(np.float32),
            moved=moved.astype(np.float32),
            floor=np.zeros((events.items, 3), dtype=np.float32),
            trend=trends(events, options),
            options=options,
        )

    def nothing(self) -> Pairs:
        """No pairs of no triggers."""
        empty = sparse.csr_array((0, len(self.eligible)), dtype=np.float32)
        plain = replace(self, options=replace(self.options, repeats=False))
        return plain.pairs(np.zeros(0, dtype=np.int64), *[empty] * 4, np.zeros(0, dtype=np.float32))

    def pairs(
        self,
        triggers: Ints,
        together: sparse.csr_array,
        forward: sparse.csr_array,
        backward: sparse.csr_array,
        text: sparse.csr_array,
        room: Floats,
    ) -> Pairs:
        """The candidate pairs of B triggers, which ascend, from the statistics [B, M] that they have with all others.

        k̂ of each (section 5.2 step 1): by transitions in both directions and by co-occurrence, over the root of both
        items' buyers, and by the words of their profiles. The statistics have the trigger itself too: it takes a place
        among the best and is no candidate. `room` [B · M or more] is written over.
        """
        options, size = self.options, len(self.eligible)
        profile = int(options.candidates * options.profile_share)
        moved = (options.candidates - profile) // 2
        moves = (forward + backward).tocsr()
        found = (
            _best(moves, self._normalised(moves, triggers), moved),
            _best(together, self._normalised(together, triggers), options.candidates - profile - moved),
            _best(text, text.data, profile),
        )
        self.floor[self.eligible[triggers]] = np.stack([floor for _, _, floor in found], axis=1)
        row, column = np.divmod(np.unique(np.concatenate([r * size + c for r, c, _ in found])), size)
        keep = triggers[row] != column
        row, column = row[keep], column[keep]
        values = _values((together, forward, backward, text), row, column, room)
        source, target = self.eligible[triggers[row]], self.eligible[column]
        brand, depth = same_brand(self.brand, source, target), self.kinds.shared_depth(source, target)
        columns: tuple[Any, ...] = (source, target, *values, brand, depth)
        if options.repeats:
            columns = self._with_itself(columns, self.eligible[triggers])
        source, target, *values, brand, depth = columns
        mine = self.eligible[triggers]
        rows = np.arange(mine[0], mine[-1] + 2) if len(mine) else np.zeros(1, dtype=np.int64)
        return Pairs(
            first=int(rows[0]),
            start=np.searchsorted(source, rows),
            target=target,
            together=values[0],
            forward=values[1],
            backward=values[2],
            text=np.clip(values[3], 0, 1),
            brand=brand,
            depth=depth,
            buyers=self.buyers,
            floor=self.floor,
            trend=self.trend,
            options=options,
        )

    @cached_property
    def _buyers(self) -> Ints:
        """[M] of the eligible items."""
        return self.buyers[self.eligible]

    def _normalised(self, rows: sparse.csr_array, triggers: Ints) -> Floats:
        buyers = self._buyers
        mine = np.repeat(buyers[triggers], np.diff(rows.indptr))
        return normalised(rows.data, mine, buyers[rows.indices], self.options.shrink)

    def _with_itself(self, columns: tuple[Any, ...], items: Ints) -> tuple[Any, ...]:
        """The columns of `Pairs` with a pair more for each of these items: the item itself."""
        moved, same = self.moved[items], np.ones(len(items), dtype=np.float32)
        depth = np.full(len(items), ITSELF, np.int8)
        own = (items, items, self.several[items], moved, moved, same, same.astype(bool), depth)
        whole = [np.concatenate(both) for both in zip(columns, own, strict=True)]
        order = np.lexsort((whole[1], whole[0]))
        return tuple(column[order] for column in whole)


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


def _values(matrices: tuple[sparse.csr_array, ...], row: Ints, column: Ints, room: Floats) -> list[Floats]:
    """What sparse matrices [B, M] have in cells [E].

    By way of one table in `room`, of which only cells in use are touched: dense copies took most of the time.
    """
    height, size = matrices[0].shape
    wanted, values = row * size + column, []
    for matrix in matrices:
        room[wanted] = 0
        room[np.repeat(np.arange(height) * size, np.diff(matrix.indptr)) + matrix.indices] = matrix.data
        values.append(room[wanted])
    return values
