"""What the network says about a whole snapshot: t of every trigger, s of every candidate pair, p_u and q_i."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse

from graph.progress import step
from models.features import Encoder
from models.interactions import Interactions, Ints, spans
from models.pairs import Pairs
from models.pdn import PDN
from models.serving import edge_weights, ended
from models.windows import grouped, last_items

PART = 200_000  # edges at a time
USERS = 256  # histories at a time
SETS = 16  # users at a time whose triggers are seen together: long histories are squared


def strengths(s: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """[E] s of each pair; of a vector-based network ln Σ_k e^s_k, as if all of the trigger's numbers were alike."""
    return s if s.ndim == 1 else np.logaddexp.reduce(s, axis=1)


def ranks(pairs: Pairs, strength: npt.NDArray[np.float32]) -> Ints:
    """[E] place of each pair among its trigger's, 1 = the strongest; ties by candidate. 0: the trigger itself."""
    source, target = pairs.source, pairs.target
    own, row = source == target, source - pairs.first
    order = np.lexsort((target, -strength, ~own, source))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - pairs.start[row[order]] + 1
    has_own = np.zeros(len(pairs.start) - 1, dtype=np.int64)
    has_own[row[own]] = 1
    return rank - has_own[row]


@dataclass(frozen=True)
class Scores:
    """Weights of all edges, as logits.

    Attributes:
        events: what the shoppers have done so far; `trigger` [T] numbers the latest event of each user and item.
        t: [T] logits of TrigNet; s: [E] logits of SimNet in the order of `pairs`. Of a vector-based network [T, K] and
            [E, K].
        p: [U, k] and q: [N, k] vectors of Direct Net; empty columns (k = 0) without it. With `PairOptions.trend` their
            last numbers are a 1 and the item's trend.
        repeat_power: `PDNOptions.repeat_power`.
    """

    events: Interactions
    pairs: Pairs
    trigger: Ints
    t: npt.NDArray[np.float32]
    s: npt.NDArray[np.float32]
    p: npt.NDArray[np.float32]
    q: npt.NDArray[np.float32]
    repeat_power: float = 1.0

    @cached_property
    def _strength(self) -> npt.NDArray[np.float32]:
        return strengths(self.s)

    @cached_property
    def rank(self) -> Ints:
        return ranks(self.pairs, self._strength)

    def similarity(self, k: int) -> sparse.csr_array:
        """[N, N] e^s_ji of the k strongest pairs of each trigger j, its row: what `SIMILAR` edges to others carry."""
        kept = np.flatnonzero((self.rank > 0) & (self.rank <= k))
        index = (self.pairs.source[kept], self.pairs.target[kept])
        return sparse.csr_array(
            (edge_weights(self._strength[kept]), index), shape=(self.events.items, self.events.items)
        )

    @cached_property
    def _begin(self) -> Ints:
        return np.searchsorted(self.events.user[self.trigger], np.arange(self.events.users + 1))

    def of_user(self, user: int) -> npt.NDArray[np.float64]:
        """ŝ_ui of all items [N] over all triggers and pairs, without truncation (eq. 14)."""
        mine = slice(self._begin[user], self._begin[user + 1])
        item = self.events.item[self.trigger[mine]]
        row, pair = spans(self.pairs.start[item], self.pairs.start[item + 1])
        power = np.where(self.pairs.target[pair] == item[row], self.repeat_power, 1.0)
        t = self.t[mine][row].astype(np.float64)
        both = t * (power if t.ndim == 1 else power[:, None]) + self.s[pair]
        path = np.logaddexp(0, both if both.ndim == 1 else np.logaddexp.reduce(both, axis=1))
        total = np.bincount(self.pairs.target[pair], path, minlength=self.events.items).astype(np.float64)
        if self.p.shape[1]:
            total += np.logaddexp(0, self.q.astype(np.float64) @ self.p[user])
        return total

    def of_users(self, users: Ints) -> npt.NDArray[np.float64]:
        """`of_user` of several: [B, N]."""
        return np.stack([self.of_user(user) for user in users])


def _parts(rows: int) -> Iterator[Ints]:
    for begin in range(0, rows, PART):
        yield np.arange(begin, min(begin + PART, rows))


def _trigger_parts(model: PDN, user: Ints) -> Iterator[Ints]:
    """Triggers [T], ordered by `user`, in parts; those of one user stay together where they are seen together."""
    if model.among_triggers is None:
        yield from _parts(len(user))
        return
    opens = np.flatnonzero(np.diff(user, prepend=-1))[::SETS]
    yield from (np.arange(begin, end) for begin, end in pairwise([*opens, len(user)]))


@torch.no_grad()
def score(model: PDN, encoder: Encoder, events: Interactions, blocks: Iterable[Pairs], k: int | None = None) -> Scores:
    """Run the network once over every trigger and every candidate pair.

    `blocks` are the candidate pairs, all of a trigger in one block (`Pairs.joined`). With `k` only the strongest pairs
    of each trigger stay, those of rank k or less, so that memory need not hold all candidates at once.
    """
    device = next(model.parameters()).device
    model.eval()
    x = torch.from_numpy(encoder.item_codes(events.buyers)).to(device)
    end = events.start[events.user + 1]
    trigger = events.triggers
    z = torch.from_numpy(encoder.user_codes(np.arange(events.users), events.activity)).to(device)
    nothing = np.zeros(0 if model.options.path == 1 else (0, model.options.path), np.float32)
    t, s = [nothing], [nothing]
    with step("weights of interactions", total=len(trigger)) as shown:
        for part in _trigger_parts(model, events.user[trigger]):
            event = trigger[part]
            users, row = np.unique(events.user[event], return_inverse=True)
            index = torch.from_numpy(np.stack([row, events.item[event]])).to(device)
            codes = torch.from_numpy(encoder.behaviour_codes(events, event, end[event])).to(device)
            groups = None
            if model.among_triggers is not None:
                groups = torch.from_numpy(grouped(row, len(users))).to(device)
            t.append(model.triggers(z[torch.from_numpy(users)], x, index, codes, groups).cpu().numpy())
            shown.advance(len(part))
    from_item, to_item = model.projections(x)

    def kept() -> Iterator[Pairs]:
        for block in blocks:
            logits = pair_logits(model, encoder, from_item, to_item, block)
            keep = np.ones(len(block), dtype=bool) if k is None else ranks(block, strengths(logits)) <= k
            s.append(logits[keep])
            yield block.where(keep)

    pairs = Pairs.joined(kept())
    p, q = np.zeros((events.users, 0), np.float32), np.zeros((events.items, 0), np.float32)
    if model.options.direct_net:
        p, q = _user_vectors(model, z, x, events), model.item_vectors(x).cpu().numpy()
    if pairs.options.trend:  # d_ui gets it as every path to the item does
        p, q = ended(p, np.ones(events.users)), ended(q, pairs.trend)
    return Scores(
        events=events,
        pairs=pairs,
        trigger=trigger,
        t=np.concatenate(t),
        s=np.concatenate(s),
        p=p,
        q=q,
        repeat_power=model.options.repeat_power,
    )


def pair_logits(
    model: PDN, encoder: Encoder, from_item: torch.Tensor, to_item: torch.Tensor, pairs: Pairs
) -> npt.NDArray[np.float32]:
    """s of all pairs of a block, in its order, with the trends of the candidates (`PairOptions.trend`)."""
    source, s = pairs.source, [np.zeros(0 if model.options.path == 1 else (0, model.options.path), np.float32)]
    for part in _parts(len(pairs)):
        codes = torch.from_numpy(encoder.pair_codes(pairs, part)).to(from_item.device)
        # Only items that the part has: the network joins its tables, and those of all items are large.
        ends = (np.unique(column[part], return_inverse=True) for column in (source, pairs.target))
        (left, row), (right, place) = ([torch.from_numpy(one).to(from_item.device) for one in end] for end in ends)
        s.append(model.projected_similarities(from_item[left], to_item[right], row, place, codes).cpu().numpy())
    logits = np.concatenate(s)
    trend = np.where(source == pairs.target, 0, pairs.trend[pairs.target])
    return logits + (trend if logits.ndim == 1 else trend[:, None])


def _user_vectors(model: PDN, z: torch.Tensor, x: torch.Tensor, events: Interactions) -> npt.NDArray[np.float32]:
    if not model.options.reads_history:
        return model.user_vectors(z).cpu().numpy()
    p, length = [np.zeros((0, model.options.direct), np.float32)], model.options.history
    for begin in range(0, events.users, USERS):
        history = last_items(events, np.arange(begin, min(begin + USERS, events.users)), length)
        p.append(model.history_vectors(x, torch.from_numpy(history).to(x.device)).cpu().numpy())
    return np.concatenate(p)
