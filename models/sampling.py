"""Training examples and batches: a shopper at a moment, the triggers before it, what was found, and negatives."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch_geometric.data import HeteroData

from graph.errors import SourceError
from graph.progress import step
from models.features import Encoder
from models.interactions import DAY, Flags, Floats, Interactions, Ints, spans
from models.pairs import Pairs, Part, counted, gap_weight, repeated
from models.windows import grouped, padded

PART = 200_000  # pairs encoded at a time


@dataclass(frozen=True)
class SamplingOptions:
    """What a batch holds.

    Attributes:
        triggers: latest events of a shopper that may be triggers.
        horizon: days from an example's moment on, within which what the shopper finds is a positive; 0: the moment
            alone. Only moments are examples whose days the training events cover.
        positives: most items taken of an example, new ones or, with `PairOptions.repeats`, also those had before.
        negatives: negatives an example, all of them items that the shopper never had.
        own: where `PairOptions.repeats` asks for paths to what a shopper had already: negatives an example that are
            such items and were not taken again. What was taken again is a positive then.
        popular: share of the negatives that is drawn by popularity^0.75. Popular negatives teach more a draw, and teach
            that popularity counts for less.
        in_batch: share that is drawn among the positives of the batch, so by popularity.
        hard: share that is drawn among the candidates of one of the example's triggers, so with a path at least.
            What is left of the shares is drawn uniformly.
        weighted: each negative counts as many times as it stands for items that were not drawn, so that p is the
            probability among all items however they are drawn. Not together with `in_batch` or `hard`, whose chances
            are not known.
        recent: only each shopper's last moments are examples; 0 takes all.
        examples: most examples an epoch, drawn anew each epoch; 0 takes all.
        batch: examples a batch.
        seed: together with epoch and batch number it fixes every draw.
    """

    triggers: int = 50
    horizon: int = 0
    positives: int = 8
    negatives: int = 48
    own: int = 50
    popular: float = 0.5
    in_batch: float = 0.0
    hard: float = 0.0
    weighted: bool = False
    recent: int = 0
    examples: int = 0
    batch: int = 128
    seed: int = 0

    def __post_init__(self) -> None:
        shares = (self.popular, self.in_batch, self.hard)
        if min(shares) < 0 or sum(shares) > 1 + 1e-9:
            raise ValueError(
                "popular, in_batch and hard are shares of the negatives: from 0 to 1, and 1 together at most"
            )
        if self.weighted and self.in_batch + self.hard > 0:
            raise ValueError("weighted negatives are drawn uniformly or by popularity: set in_batch and hard to 0")


class Sampler:
    """Draws batches for `PDN.forward` from training events; `targets` [V] masks the events that are positives.

    Raises `SourceError` where a horizon is asked for and times are not known.

    `history`: latest items that the network reads besides (`PDNOptions.history`).
    """

    def __init__(
        self,
        events: Interactions,
        pairs: Pairs,
        encoder: Encoder,
        targets: Flags,
        options: SamplingOptions,
        history: int = 0,
    ) -> None:
        self.history = history
        self.events, self.pairs, self.encoder, self.options = events, pairs, encoder, options
        self.eligible = np.unique(pairs.target)
        weight = np.sqrt(pairs.buyers[self.eligible].astype(np.float64)) ** 1.5
        chance = weight / max(weight.sum(), 1e-12)
        self._cumulative = np.cumsum(chance)
        expected = options.popular * chance + (1 - options.popular) / max(1, len(self.eligible))
        self._weight = np.ones(events.items, dtype=np.float32)
        self._own_weight = 1.0
        if options.weighted:
            self._weight[self.eligible] = 1 / np.maximum(expected * options.negatives, 1e-12)
        else:  # what the shopper had counts as if it were drawn at the rate of the others
            self._own_weight = min(1.0, options.negatives / max(1, len(self.eligible)))
        indexed = np.zeros(events.items, dtype=bool)
        indexed[self.eligible] = True
        taken = events.first
        if pairs.options.repeats:
            taken = np.ones(len(events), dtype=bool)
            self._repeated = repeated(events, pairs.options.window)
        self._indexed = indexed
        self._positive = np.flatnonzero(targets & taken & (events.moment > 0) & indexed[events.item])
        self._begin, self._end = self._examples()
        self._first, self._stop = np.searchsorted(self._positive, [self._begin, self._end])
        self._counted = counted(events, pairs.options.hottest)
        self._mine = np.unique(events.user * events.items + events.item)
        self._distinct = np.concatenate([[0], np.cumsum(events.first)])
        buyers = torch.from_numpy(encoder.item_codes(pairs.buyers))
        fewer = torch.from_numpy(encoder.item_codes(np.maximum(pairs.buyers - 1, 0)))
        self.item_codes = torch.cat([buyers, fewer])
        self._pair_codes = self._coded_pairs()

    def _coded_pairs(self) -> npt.NDArray[np.integer[Any]]:
        """[E, Fc] codes of all pairs with everybody's part, which is what most paths see; a byte each where it fits."""
        sizes = self.encoder.features.pair.sizes
        codes = np.empty((len(self.pairs), len(sizes)), np.uint8 if max(sizes) <= 256 else np.int32)
        with step("codes of pairs", total=len(codes)) as shown:
            for begin in range(0, len(codes), PART):
                part = np.arange(begin, min(begin + PART, len(codes)))
                codes[part] = self.encoder.pair_codes(self.pairs, part)
                shown.advance(len(part))
        return codes

    def __len__(self) -> int:
        """Examples an epoch."""
        return min(len(self._begin), self.options.examples or len(self._begin))

    def _examples(self) -> tuple[Ints, Ints]:
        """First event of each example's moment and the first one after its horizon [B], with a positive between."""
        events, options = self.events, self.options
        begin = np.unique(events.moment_start[events.moment > 0])
        if options.horizon:
            if (untimed := int((events.time < 0).sum())) > 0:
                raise SourceError(
                    f"a horizon of days wants the time of every interaction, and {untimed:,} of {len(events):,} "
                    "have none: train with sampling: {horizon: 0}"
                )
            span = options.horizon * DAY
            begin = begin[events.time[begin] + span <= events.time.max(initial=0) + 1]
            # Times ascend within a user: with a span of time for each user they ascend as a whole.
            least, most = events.time.min(initial=0), events.time.max(initial=0) + span + 1
            alone = events.user * (most - least) + events.time - least
            end = np.searchsorted(alone, alone[begin] + span)
        else:
            end = np.searchsorted(events.moment_start, begin, side="right")
        some = np.searchsorted(self._positive, end) > np.searchsorted(self._positive, begin)
        begin, end = begin[some], end[some]
        if options.recent:
            last = np.zeros(events.users, dtype=np.int64)
            np.maximum.at(last, events.user[begin], events.moment[begin])
            late = events.moment[begin] > last[events.user[begin]] - options.recent
            begin, end = begin[late], end[late]
        return begin, end

    def batches(self, epoch: int, skip: int = 0) -> Iterator[HeteroData]:
        """The batches of one epoch from number `skip` on; the same for the same seed."""
        return (draw() for draw in self.draws(epoch, skip))

    def draws(self, epoch: int, skip: int = 0) -> Iterator[Callable[[], HeteroData]]:
        """What makes each of these batches: in any thread, and the same whatever is made before it."""
        order = np.random.default_rng([self.options.seed, epoch]).permutation(len(self._begin))[: len(self)]
        for number, begin in enumerate(range(0, len(order), self.options.batch)):
            if number >= skip:
                rng = np.random.default_rng([self.options.seed, epoch, number])
                yield partial(self.batch, order[begin : begin + self.options.batch], rng)

    def batch(self, example: Ints, rng: np.random.Generator) -> HeteroData:
        events, begin = self.events, self._begin[example]
        user = events.user[begin]
        history = events.start[user]
        row, event = spans(np.maximum(history, begin - self.options.triggers), begin)
        last = events.next_same[event] >= begin[row]
        triggers = row, event = row[last], event[last]
        # Triggers by item: the look-ups of pairs then walk through the pairs in order, which the cache rewards.
        by_item = np.argsort(events.item[event], kind="stable")
        row, event = row[by_item], event[by_item]

        found_row, found, found_weight = self._positives(example, rng)
        other_row, other = self._negatives(user, triggers, events.item[found], rng)
        parts = [(found_row, events.item[found], found, found_weight),
                 (other_row, other, np.full(len(other), -1), self._weight[other])]  # fmt: skip
        if self.pairs.options.repeats:
            own_row, own, weight = self._own(example, triggers, rng)
            parts.append((own_row, own, np.full(len(own), -1), weight))
        place, item, found, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(place, kind="stable")
        place, item, found, weight = place[order], item[order], found[order], weight[order]
        label = found >= 0

        batch = HeteroData()
        activity = self._distinct[begin] - self._distinct[history]
        batch["user"].z = torch.from_numpy(self.encoder.user_codes(user, activity))
        # A positive is seen as it was without this buyer: these codes stand in the second half of the item table.
        # Negatives are seen with one buyer less too, else an item's number and its count together tell which it is.
        latest = padded(events, np.maximum(history, begin - self.history), begin, self.history)
        read = latest < events.items
        met, local = np.unique(
            np.concatenate([events.item[event], item + events.items, latest[read]]), return_inverse=True
        )
        batch["item"].x = self.item_codes[torch.from_numpy(met)]
        if self.history:
            latest[~read] = len(met)
            latest[read] = local[len(row) + len(item) :]
            batch["user"].history = torch.from_numpy(latest)
        trigger = batch["user", "trigger", "item"]
        trigger.edge_index = torch.from_numpy(np.stack([row, local[: len(row)]]))
        trigger.a = torch.from_numpy(self.encoder.behaviour_codes(events, event, begin[row]))
        trigger.groups = torch.from_numpy(grouped(row, len(user)))
        candidate = batch["user", "candidate", "item"]
        candidate.edge_index = torch.from_numpy(np.stack([place, local[len(row) : len(row) + len(item)]]))
        candidate.y = torch.from_numpy(label.astype(np.float32))
        if self.options.weighted or self.pairs.options.repeats:
            candidate.weight = torch.from_numpy(weight)
        candidate.bias = torch.from_numpy(
            self.encoder.bias_codes(item, events.place[begin][place], events.time[begin][place])
        )
        self._add_paths(batch, (row, event), (place, item), found)
        return batch

    def _positives(self, example: Ints, rng: np.random.Generator) -> tuple[Ints, Ints, Floats]:
        """Example and event of what was found, and its weight, as `_some` gives it."""
        row, at = spans(self._first[example], self._stop[example])
        event = self._positive[at]
        once = self.events.previous_same[event] < self._begin[example][row]  # taken several times: the first
        row, event = row[once], event[once]
        drawn, weight = _some(row, self.options.positives, rng)
        return row[drawn], event[drawn], weight

    def _own(self, example: Ints, triggers: tuple[Ints, Ints], rng: np.random.Generator) -> tuple[Ints, Ints, Floats]:
        """Of each example some triggers that are not met again, and the weight of each."""
        events = self.events
        row, item = triggers[0], events.item[triggers[1]]
        later_row, later = spans(self._begin[example], self._end[example])
        met = later_row * events.items + events.item[later]
        keep = self._indexed[item] & ~np.isin(row * events.items + item, met)
        row, item = row[keep], item[keep]
        drawn, weight = _some(row, self.options.own, rng)
        return row[drawn], item[drawn], (self._own_weight * weight).astype(np.float32)

    def _negatives(
        self, user: Ints, triggers: tuple[Ints, Ints], positives: Ints, rng: np.random.Generator
    ) -> tuple[Ints, Ints]:
        """Example and item of each; `triggers` are examples, in order, and their events."""
        options = self.options
        row = np.repeat(np.arange(len(user)), options.negatives)
        uniform = rng.integers(len(self.eligible), size=len(row))
        popular = np.minimum(np.searchsorted(self._cumulative, rng.random(len(row))), len(self.eligible) - 1)
        kind = rng.random(len(row))
        item = self.eligible[np.where(kind < options.popular, popular, uniform)]
        if options.in_batch:
            at = np.flatnonzero((kind >= options.popular) & (kind < options.popular + options.in_batch))
            item[at] = positives[rng.integers(len(positives), size=len(at))]
        if options.hard:
            at = np.flatnonzero(kind >= 1 - options.hard)
            at, hard = self._hard(at, row[at], triggers, rng)
            item[at] = hard
        key = user[row] * self.events.items + item
        at = np.minimum(np.searchsorted(self._mine, key), len(self._mine) - 1)
        keep = self._mine[at] != key
        return row[keep], item[keep]

    def _hard(self, at: Ints, row: Ints, triggers: tuple[Ints, Ints], rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Those `at` whose example has a trigger with candidates, and for each one of these candidates."""
        start = self.pairs.start
        first, last = np.searchsorted(triggers[0], [row, row + 1])
        at, first, last = at[last > first], first[last > first], last[last > first]
        trigger = self.events.item[triggers[1][rng.integers(first, last)]]
        some = start[trigger + 1] > start[trigger]
        at, trigger = at[some], trigger[some]
        return at, self.pairs.target[rng.integers(start[trigger], start[trigger + 1])]

    def _add_paths(
        self, batch: HeteroData, triggers: tuple[Ints, Ints], candidates: tuple[Ints, Ints], found: Ints
    ) -> None:
        """Two-hop paths along the candidate pairs, from triggers (example, event) to candidates (example, item).

        `found` numbers the event of a candidate that is a positive, -1 for negatives.
        """
        events, (row, event), (place, item) = self.events, triggers, candidates
        trigger, candidate, pair = self.pairs.between(row, events.item[event], place, item)
        # Leave the example's own pair out: of every count, and where only it made the pair a candidate.
        at = np.flatnonzero((found[candidate] >= 0) & events.first[found[candidate]])
        bought, earlier = found[candidate[at]], events.first_event[event[trigger[at]]]
        gap = events.moment[bought] - events.moment[earlier]
        met = self._counted[bought] & self._counted[earlier]
        own = np.where(met & (gap <= self.pairs.options.window), gap_weight(gap), 0).astype(np.float32)
        keep, less = np.ones(len(pair), dtype=bool), np.zeros((3, len(pair)), dtype=np.float32)
        keep[at] = self.pairs.stands_without(pair[at], events.item[event[trigger[at]]], met, own)
        less[:, at] = met, own, np.ones(len(at))
        candidate, trigger, pair, less = candidate[keep], trigger[keep], pair[keep], less[:, keep]
        batch.path_candidate = torch.from_numpy(candidate)
        batch.path_trigger = torch.from_numpy(trigger)
        part = Part(less[0], less[1], np.zeros_like(less[1]), less[2].astype(np.int64))
        if self.pairs.options.repeats:
            same = events.item[event[trigger]] == item[candidate]
            part = self._and_repeats(part, event[trigger], same)
            batch.path_itself = torch.from_numpy(same)
        codes = self._pair_codes[pair]
        changed = np.flatnonzero(part.buyers)  # who takes no buyer away takes nothing away
        some = Part(part.together[changed], part.forward[changed], part.backward[changed], part.buyers[changed])
        codes[changed] = self.encoder.pair_codes(self.pairs, pair[changed], some)
        batch.c = torch.from_numpy(codes)

    def _and_repeats(self, less: Part, event: Ints, same: Flags) -> Part:
        """`less` of paths [P] from trigger events; where they lead to the `same` item, without all that the user did.

        The same for items that were taken again and for those that were not: what is left out must not tell them apart.
        """
        several, moved = (part[event] for part in self._repeated)
        return Part(
            together=np.where(same, several, less.together),
            forward=np.where(same, moved, less.forward),
            backward=np.where(same, moved, less.backward),
            buyers=np.where(same, 1, less.buyers),
        )


def _some(row: Ints, most: int, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Places of at most `most` random elements of each row, and how many elements each of them stands for."""
    shuffled = np.lexsort((rng.random(len(row)), row))
    row = row[shuffled]
    first = np.searchsorted(row, row)
    there = np.searchsorted(row, row, side="right") - first
    drawn = np.arange(len(row)) - first < most
    return shuffled[drawn], np.maximum(there / most, 1)[drawn].astype(np.float32)
