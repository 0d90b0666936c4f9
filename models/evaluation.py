"""Offline evaluation of whatever ranks: the Cypher query as served, or the network alone."""

import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from graph.errors import StoreEmpty
from graph.progress import track
from models.metrics import ranking_metrics
from models.scoring import Scores

K = 10
THREADS = 2  # requests under way at once


class Truth(typing.Protocol):
    """What a user was held out with: `new` items, and items that the user had before and had `again`."""

    @property
    def user(self) -> str: ...
    @property
    def new(self) -> tuple[str, ...]: ...
    @property
    def again(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Protocol:
    """What is ranked and what counts as a hit.

    Attributes:
        name: as it is printed, such as `last 28 days, discovery`.
        repeats: items that the user had before may be recommended, and count when held out.
        truth: held-out items of each user, restricted to the catalogue.
        among: for sampled evaluation the candidates of each user; None ranks all items.
    """

    name: str
    repeats: bool
    truth: dict[str, tuple[str, ...]]
    among: dict[str, tuple[str, ...]] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Evaluation:
    """One line of `twohop evaluate --json`."""

    data: str
    protocol: str
    engine: str
    users: int
    items: int
    metrics: dict[str, float]
    note: str = ""


def protocols(
    hold_out: str, truths: Iterable[Truth], negatives: Mapping[str, Sequence[str]] | None = None
) -> list[Protocol]:
    """The protocols that fit how the store was loaded (`Source.protocol`).

    Repeats are a different job from discovery and are reported apart where the held-out rows have any. `negatives`
    adds a sampled protocol: each user's held-out item among these.

    Raises `StoreEmpty` where nothing was held out.
    """
    rows = list(truths)
    new = {row.user: row.new for row in rows if row.new}
    both = {row.user: row.new + row.again for row in rows if row.new or row.again}
    if not both:
        raise StoreEmpty("nothing was held out to evaluate with: load with --hold-out last or --hold-out days:28")
    name = {"last": "leave-one-out", "marked": "leave-one-out (NCF split)"}.get(hold_out)
    name = name or f"last {hold_out.removeprefix('days:')} days"
    if len(both) == len(new) and all(not row.again for row in rows):
        found = [Protocol(f"{name}, all items", False, new)]
    else:
        found = [Protocol(f"{name}, discovery", False, new), Protocol(f"{name}, with repeats", True, both)]
    if negatives:
        size = max(map(len, negatives.values()))
        truth = {user: items for user, items in new.items() if user in negatives}
        found.append(Protocol(f"{name}, {size} negatives", False, truth, {u: tuple(negatives[u]) for u in truth}))
    return found


Recommend = Callable[[str, int, bool], Sequence[str]]
"""(user, n, repeats) → the n best items."""
Rank = Callable[[str, Sequence[str]], Mapping[str, float]]
"""(user, items) → their scores."""


def evaluate(protocol: Protocol, recommend: Recommend, rank: Rank) -> dict[str, float]:
    """HR, NDCG, recall and MRR at 10, averaged over the users of the protocol."""
    users = list(protocol.truth)

    def top(user: str) -> Sequence[str]:
        if protocol.among is None:
            return recommend(user, K, protocol.repeats)
        return sampled_top(user, protocol.truth[user], protocol.among[user], rank)

    with ThreadPoolExecutor(THREADS) as pool:
        ranked = list(track(pool.map(top, users), f"evaluate: {protocol.name}", total=len(users)))
    number: dict[str, int] = {}
    codes = {place: [number.setdefault(item, len(number)) for item in items] for place, items in enumerate(ranked)}
    truth = {
        place: [number.setdefault(item, len(number)) for item in protocol.truth[user]]
        for place, user in enumerate(users)
    }
    return ranking_metrics(codes, truth, K)


def sampled_top(user: str, wanted: Sequence[str], among: Sequence[str], rank: Rank) -> list[str]:
    """The best of the wanted items and their negatives; at equal scores the negatives come first.

    A wanted item that also stands among its own negatives is ranked once.
    """
    own = set(wanted)
    scores = rank(user, [*wanted, *(item for item in among if item not in own)])
    return sorted(scores, key=lambda item: (-scores[item], item in own, item))[:K]


def network_engine(
    scores: Scores, users: Sequence[str], items: Sequence[str], min_buyers: int
) -> tuple[Recommend, Rank]:
    """Ranks by the network over all triggers and all candidate pairs, without truncation: what serving cuts from."""
    user_number = {user: place for place, user in enumerate(users)}
    item_number = {item: place for place, item in enumerate(items)}
    allowed = scores.pairs.buyers >= min_buyers

    def recommend(user: str, n: int, repeats: bool) -> list[str]:
        return [items[place] for place in scores.top(user_number[user], n, allowed, repeats)]

    def rank(user: str, wanted: Sequence[str]) -> dict[str, float]:
        total = scores.of_user(user_number[user])
        return {item: float(total[item_number[item]]) for item in wanted}

    return recommend, rank
