"""Offline evaluation of whatever ranks (`models.engines`): metrics, groups of users, comparisons."""

import typing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from models.interactions import Flags, Ints
from models.metrics import (
    Floats,
    Lists,
    accuracy,
    category_diversity,
    coverage,
    popularity_bias,
)
from models.protocols import Items, Protocol
from models.significance import Comparison, Estimate, compare, estimate

K = 10
DIGITS = 5
LIMITS = {"popularity_bias": (-1.0, np.inf)}  # all others are from 0 to 1


class CatalogueItem(typing.Protocol):
    @property
    def id(self) -> str: ...
    @property
    def popularity(self) -> int: ...
    @property
    def categories(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Catalogue:
    """The N items that can be recommended at all.

    Attributes:
        popularity: [N] buyers in the training rows.
        categories: numbers of each item's categories, of `category_count` that any item has.
    """

    items: tuple[str, ...]
    popularity: Floats
    categories: Lists
    category_count: int

    @classmethod
    def of(cls, rows: Iterable[CatalogueItem]) -> "Catalogue":
        rows = list(rows)
        names = {name: place for place, name in enumerate(sorted({name for row in rows for name in row.categories}))}
        return cls(
            tuple(row.id for row in rows),
            np.array([row.popularity for row in rows], dtype=np.float64),
            Lists.of([names[name] for name in row.categories] for row in rows),
            len(names),
        )

    @cached_property
    def number(self) -> dict[str, int]:
        return {item: place for place, item in enumerate(self.items)}

    def lists(self, lists: Iterable[Iterable[str]]) -> Lists:
        """Items by number; those outside of the catalogue are left out."""
        number = self.number
        return Lists.of([number[item] for item in items if item in number] for items in lists)


@dataclass(frozen=True)
class Rankings:
    """What an engine makes of R users: `rank` [P] of what they want, and their lists `top` [R, k], -1 where short.

    `top` is None for a sampled protocol: a list among drawn items is none that anybody gets.
    """

    wanted: Lists
    rank: Floats
    top: Ints | None


class Engine(typing.Protocol):
    """Ranks for the users of `protocol.truth`, in its order, items as numbered by the catalogue."""

    def __call__(self, protocol: Protocol, catalogue: Catalogue, k: int) -> Rankings: ...


@dataclass(frozen=True)
class Outcome:
    """How good a ranker was for each user of a protocol: metrics, groups of users, and what sets it from another one.

    Attributes:
        users: R ids; those of the protocol that want anything.
        history: [R] distinct items of each user's training rows.
        had: the same items, those of the catalogue.
    """

    users: tuple[str, ...]
    history: Ints
    rankings: Rankings
    had: Lists
    catalogue: Catalogue = field(repr=False)
    k: int = K

    @cached_property
    def values(self) -> dict[str, Floats]:
        """[R] for each metric, their mean being the metric; NaN where a user has none."""
        if not self.users:
            return {}
        found, top, k, shop = self.rankings, self.rankings.top, self.k, self.catalogue
        values = accuracy(found.rank, found.wanted, k)
        if top is not None:
            values[f"coverage@{k}"] = coverage(top, len(shop.items))
            if shop.category_count:
                values[f"category_diversity@{k}"] = category_diversity(top, shop.categories, shop.category_count)
            bias = popularity_bias(top, self.had, shop.popularity)
            if not np.isnan(bias).all():
                values[f"popularity_bias@{k}"] = bias
        return values

    def estimates(self) -> dict[str, Estimate]:
        """Each metric with its 95% interval."""
        found = {name: estimate(value, *LIMITS.get(name.split("@")[0], (0, 1))) for name, value in self.values.items()}
        return {name: told for name, told in found.items() if told}

    def against(self, other: "Outcome", seed: int = 0) -> dict[str, Comparison]:
        """Each metric minus the other ranker's, user by user.

        Raises `ValueError` where the two are not of the same users and the same truth.
        """
        ours, theirs = self.rankings.wanted, other.rankings.wanted
        same = self.users == other.users and self.catalogue.items == other.catalogue.items
        if not (same and np.array_equal(ours.row, theirs.row) and np.array_equal(ours.item, theirs.item)):
            raise ValueError("the two rankers were not evaluated on the same users and the same truth")
        both = {name: (value, other.values[name]) for name, value in self.values.items() if name in other.values}
        found = {name: compare(*pair, seed=seed) for name, pair in both.items()}
        return {name: told for name, told in found.items() if told}

    def of(self, keep: Flags) -> "Outcome":
        """The users under a mask [R] alone."""
        wanted, top = self.rankings.wanted, self.rankings.top
        rankings = Rankings(
            wanted.where(keep), self.rankings.rank[keep[wanted.row]], None if top is None else top[keep]
        )
        users = tuple(user for user, kept in zip(self.users, keep, strict=True) if kept)
        return Outcome(users, self.history[keep], rankings, self.had.where(keep), self.catalogue, self.k)

    def by_history(self, edges: Sequence[int]) -> "dict[str, Outcome]":
        """The users in groups by the length n of their history, as in PDN's table 4 and figure 7.

        Edges 15, 30 make the groups n <= 15, 15 < n <= 30 and n > 30; n counts distinct items, as triggers do.
        """
        group = np.searchsorted(edges, self.history, side="left")
        between = [f"{low} < n <= {high}" for low, high in pairwise(edges)]
        names = [f"n <= {edges[0]}", *between, f"n > {edges[-1]}"]
        return {name: self.of(group == place) for place, name in enumerate(names)}


def evaluate(protocol: Protocol, engine: Engine, catalogue: Catalogue, k: int = K) -> Outcome:
    """Rank for the users of the protocol that want anything in the catalogue; negatives outside of it are left out."""

    def within(lists: Items) -> Items:
        kept = {
            user: dict.fromkeys(item for item in items if item in catalogue.number) for user, items in lists.items()
        }
        return {user: tuple(items) for user, items in kept.items() if items}

    truth = within(protocol.truth)
    among = None if protocol.among is None else within(protocol.among)
    rankings = engine(replace(protocol, truth=truth, among=among), catalogue, k)
    had = [protocol.had.get(user, ()) for user in truth]
    history = np.array([len(set(items)) for items in had], dtype=np.int64)
    return Outcome(tuple(truth), history, rankings, catalogue.lists(had), catalogue, k)


@dataclass(frozen=True)
class Evaluation:
    """One line of `twohop evaluate --json`: the metrics, and for each its interval and its users."""

    data: str
    protocol: str
    engine: str
    users: int
    items: int
    metrics: dict[str, float]
    intervals: dict[str, dict[str, float | int | None]]
    note: str = ""

    @classmethod
    def of(cls, data: str, protocol: str, engine: str, outcome: Outcome, note: str = "") -> "Evaluation":
        found = outcome.estimates()
        return cls(
            data=data,
            protocol=protocol,
            engine=engine,
            users=len(outcome.users),
            items=len(outcome.catalogue.items),
            metrics={name: round(told.mean, DIGITS) for name, told in found.items()},
            intervals={
                name: {"low": _rounded(told.low), "high": _rounded(told.high), "users": told.users}
                for name, told in found.items()
            },
            note=note,
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
