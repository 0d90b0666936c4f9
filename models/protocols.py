"""Who is to find what, among which items: leave-one-out or the last days, all items or a sample of them."""

import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np

from graph.errors import StoreEmpty

Items = Mapping[str, Sequence[str]]
"""Items of each user."""


class Truth(typing.Protocol):
    """What a user was held out with: `new` items, and items that the user `had` before and had `again`."""

    @property
    def user(self) -> str: ...
    @property
    def new(self) -> tuple[str, ...]: ...
    @property
    def again(self) -> tuple[str, ...]: ...
    @property
    def had(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Protocol:
    """What is ranked and what counts as a hit.

    Attributes:
        name: as it is printed, such as `last 28 days, discovery`.
        repeats: items that the user had before may be recommended, and count when held out.
        truth: held-out items of each user, restricted to the catalogue.
        had: items of each user's training rows: what is not recommended without `repeats`, and the user's history.
        among: for sampled evaluation the negatives of each user; None ranks all items.
    """

    name: str
    repeats: bool
    truth: Items
    had: Items = field(default_factory=dict, repr=False)
    among: Items | None = field(default=None, repr=False)


def protocols(hold_out: str, truths: Iterable[Truth], samples: Mapping[str, Items] | None = None) -> list[Protocol]:
    """The protocols that fit how the store was loaded (`Source.protocol`).

    Repeats are a different job from discovery and are reported apart where the held-out rows have any.

    Args:
        hold_out: `last` or `marked` (leave-one-out), or `days:N`.
        truths: several rows of one user are put together.
        samples: what the protocol's name says of them → negatives. Each adds a sampled protocol: a user's new items
            among these, for the users that have any.

    Raises `StoreEmpty` where nothing was held out.
    """
    new: dict[str, tuple[str, ...]] = {}
    again: dict[str, tuple[str, ...]] = {}
    had: dict[str, tuple[str, ...]] = {}
    for row in truths:
        for kept, items in ((new, row.new), (again, row.again), (had, row.had)):
            kept[row.user] = tuple(dict.fromkeys(kept.get(row.user, ()) + tuple(items)))
    both = {user: items for user in new if (items := new[user] + again[user])}
    found_again = any(again.values())
    new = {user: items for user, items in new.items() if items}
    if not both:
        raise StoreEmpty("nothing was held out to evaluate with: load with --hold-out last or --hold-out days:28")
    name = {"last": "leave-one-out", "marked": "leave-one-out (NCF split)"}.get(hold_out)
    name = name or f"last {hold_out.removeprefix('days:')} days"
    if found_again:
        found = [Protocol(f"{name}, discovery", False, new, had), Protocol(f"{name}, with repeats", True, both, had)]
    else:
        found = [Protocol(f"{name}, all items", False, new, had)]
    for what, negatives in (samples or {}).items():
        truth = {user: items for user, items in new.items() if negatives.get(user)}
        if truth:
            size = max(len(negatives[user]) for user in truth)
            found.append(Protocol(f"{name}, {size} {what}", False, truth, had, negatives))
    return found


def drawn_negatives(truth: Items, catalogue: Iterable[str], seen: Items, count: int, seed: int = 0) -> Items:
    """`count` different items for each user of `truth`, drawn evenly from what the user neither wants nor has `seen`.

    A user's draw depends on the seed, the user and the catalogue alone, so a few users get what they would among all.
    Where fewer items are left the user gets those.
    """
    items = np.array(sorted(set(catalogue)), dtype=object)
    number = {item: place for place, item in enumerate(items)}
    drawn: dict[str, tuple[str, ...]] = {}
    for user, wanted in truth.items():
        left_out = {number[item] for item in (*wanted, *seen.get(user, ())) if item in number}
        own = int.from_bytes(blake2b(user.encode(), digest_size=8).digest(), "big")
        # A random order without what is left out is a random order of the others: so many are enough.
        size = min(len(items), count + len(left_out))
        places = np.random.default_rng((seed, own)).choice(len(items), size, replace=False)
        drawn[user] = tuple(items[place] for place in places if place not in left_out)[:count]
    return drawn
