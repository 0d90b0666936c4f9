"""A shop of any size that is made up: popularity by a power law, users with tastes, times, all from one seed.

- **Items.** The item of rank r has buyers in proportion to r^(−1/(α−1)), rounded, so that the share of items with
  k buyers falls as k^(−α) (Newman, 2005, https://doi.org/10.1080/00107510500052444, section 3.3); half of
  the users at most. Each belongs to one latent group, dealt evenly over the ranks: the lowest level of the browse tree.
- **Users.** How many items a user has is log-normal. Each has some groups as tastes, drawn by the groups' buyers.
- **Interactions.** Who has how many and who is had by how many stands first; then places are dealt (a bipartite
  configuration model). `FAITHFUL` of a user's places ask for an item of the user's groups and get one while there are
  any; the rest get any item. No pair comes twice. A user goes from group to group in time, with overlap, so what
  came last says what comes next.

Files are written in parts of about `USERS_AT_ONCE` users: beside one part only some numbers a user and an item are
held.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import brentq

from graph.errors import SourceError
from graph.progress import step
from graph.settings import Settings
from loaders.mapping import Mapping
from loaders.pipeline import Recipe

USERS_AT_ONCE = 20_000
FAITHFUL = 0.8  # share of what a user takes that comes from the user's own groups
ITEMS_A_GROUP, MOST_GROUPS = 50, 2_000
GROUPS_A_CATEGORY = 8  # and categories a department
ITEMS_A_TASTE = 8  # a user has one group more for each so many items
SPREAD = 1.0  # sigma of the log-normal activity
BEGIN, SPAN = 1_672_531_200, 2 * 365 * 24 * 3600  # from 1 January 2023 UTC, two years
MOST_SWAPS, SAME_GROUP = 1000, 20  # rounds in which doubles are exchanged; some tens do
KINDS = ("Basic", "Classic", "Compact", "Deluxe", "Light", "Modern", "Natural", "Simple", "Soft", "Strong")
THINGS = ("Bag", "Book", "Bottle", "Brush", "Chair", "Cup", "Game", "Jacket", "Lamp", "Shoe", "Table", "Watch")
SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """How large, how uneven, and which of all such shops.

    Attributes:
        items, users, interactions: exactly so many; each user has at least one interaction.
        exponent: α above, from 1.5 to 4; real shops have about 2.
        seed: the same seed and numpy give the same shop.
    """

    items: int = 10_000
    users: int = 10_000
    interactions: int = 100_000
    exponent: float = 2.2
    seed: int = 0

    def check(self) -> None:
        """Raises `SourceError` for a shape that cannot be."""
        if self.items < 20 or self.users < 1 or self.seed < 0:
            raise SourceError("generated: give at least 20 items, 1 user and a seed of 0 or more")
        if not self.users <= self.interactions <= self.users * (self.items // 4):
            raise SourceError(
                f"generated: {self.interactions} interactions of {self.users} users: give from {self.users} "
                f"(one a user) to {self.users * (self.items // 4)} (a quarter of the items a user)"
            )
        if not 1.5 <= self.exponent <= 4:
            raise SourceError(f"generated: exponent {self.exponent:g}: give one from 1.5 to 4")

    @property
    def name(self) -> str:
        """Id of the source: another shape is another source, so that no store mixes two."""
        sizes = f"{self.items}-{self.users}-{self.interactions}"
        return f"generated-{sizes}-{self.exponent:g}-{self.seed}"


@contextmanager
def prepare(settings: Settings, shape: Shape) -> Iterator[Recipe]:
    """Make the files, which are there as long as the context is. Raises `SourceError`."""
    shape.check()
    folder = settings.store_folder / "generated"  # what a killed run left is overwritten
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        write_files(shape, folder)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise SourceError(f"generated: cannot write {folder}: {error.strerror or error}: make room there") from None
    try:
        yield Recipe(_mapping(shape), folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _mapping(shape: Shape) -> Mapping:
    note = f"made up: power law {shape.exponent:g}, seed {shape.seed}"
    return Mapping.model_validate(
        {
            "source": {"id": shape.name, "note": note, "hold_out": "last"},
            "items": {
                "file": "items.parquet",
                "columns": {"id": "item", "title": "title", "brand": "brand", "price": "price"},
                "browse": {"path": ["department", "category", "group"]},
            },
            "interactions": {
                "file": "interactions-*.parquet",
                "columns": {
                    "user": "user",
                    "item": "item",
                    "kind": {"value": "purchase"},
                    "time": {"column": "time", "format": "seconds"},
                },
            },
        }
    )


def write_files(shape: Shape, folder: Path) -> None:
    """`items.parquet`, and one `interactions-….parquet` a part of the users, sorted by user and time."""
    shop = Shop(shape)
    shop.items().write_parquet(folder / "items.parquet")
    with step("Generating interactions", shape.interactions) as shown:
        for number, rows in enumerate(shop.interactions()):
            rows.write_parquet(folder / f"interactions-{number:06}.parquet")
            shown.advance(rows.height)


class Shop:
    """What all parts share.

    Attributes:
        group: [I] latent group of each item, one of `groups`.
        buyers: [I] of each item.
        activity: [U] interactions of each user.
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        rng = self._generator(0)
        self.groups = max(2, min(MOST_GROUPS, shape.items // ITEMS_A_GROUP))
        rank = rng.permutation(shape.items)
        self.group: Ints = rank % self.groups
        self.buyers: Ints = _power_law(shape)[rank]
        self.activity = _share_out(shape, rng)

    def _generator(self, *purpose: int) -> np.random.Generator:
        return np.random.default_rng([self.shape.seed, *purpose])

    def items(self) -> pl.DataFrame:
        """Columns item, title, brand, price, department, category, group."""
        rng, shape = self._generator(1), self.shape
        number, group = np.arange(shape.items), self.group
        price = np.exp(rng.normal(3.0, 0.7, self.groups)[group] + rng.normal(0.0, 0.4, shape.items)).clip(0.5)
        return pl.DataFrame(
            {
                "item": number,
                "kind": np.array(KINDS)[rng.integers(len(KINDS), size=shape.items)],
                "thing": np.array(THINGS)[group % len(THINGS)],
                # A brand makes things of one or two groups; the first of a group makes most of them.
                "maker": group // 2 * 8 + rng.geometric(0.4, shape.items).clip(max=8),
                "price": price.round(2),
                "top": group // GROUPS_A_CATEGORY**2,
                "middle": group // GROUPS_A_CATEGORY,
                "group": group,
            }
        ).select(
            _id("i", "item", shape.items),
            pl.format("{} {} {}", "kind", "thing", "item").alias("title"),
            pl.format("Brand {}", "maker").alias("brand"),
            "price",
            pl.format("Department {}", "top").alias("department"),
            pl.format("Category {}", "middle").alias("category"),
            pl.format("Group {}", "group").alias("group"),
        )

    def interactions(self) -> Iterator[pl.DataFrame]:
        """Columns user, item, time; a frame a part of the users, each sorted by user and time."""
        shape, left = self.shape, self.buyers
        parts = -(-shape.users // USERS_AT_ONCE)
        for number, (begin, end) in enumerate(pairwise(np.linspace(0, shape.users, parts + 1).astype(int))):
            rng, activity = self._generator(2, number), self.activity[begin:end]
            buyers = rng.multivariate_hypergeometric(left, int(activity.sum()), method="marginals")
            left = left - buyers
            user, item, moment = self._deal(rng, activity, buyers)
            rows = pl.DataFrame({"user": user + begin, "item": item, "time": BEGIN + (moment * SPAN).astype(np.int64)})
            yield rows.sort("user", "time", "item").select(
                _id("u", "user", shape.users), _id("i", "item", shape.items), "time"
            )

    def _deal(self, rng: np.random.Generator, activity: Ints, buyers: Ints) -> tuple[Ints, Ints, Floats]:
        """Users, items and moments in 0…1 of all places of a part: users with so many, items of so many."""
        user = np.repeat(np.arange(len(activity)), activity)
        stock = rng.permutation(np.repeat(np.arange(len(buyers)), buyers))
        tastes = 1 + activity // ITEMS_A_TASTE
        first = np.cumsum(tastes) - tastes
        taste = self.group[rng.choice(stock, int(tastes.sum()))]
        which = rng.integers(tastes[user])
        asked = np.where(rng.random(len(user)) < FAITHFUL, taste[first[user] + which], self.groups)
        item = _match(rng, asked, stock, self.group[stock])
        _swap_doubles(rng, user, item, self.group)
        return user, item, (which + 2 * rng.random(len(user))) / (tastes[user] + 1)


def _match(rng: np.random.Generator, asked: Ints, stock: Ints, group: Ints) -> Ints:
    """An item of `stock` for each place: from the group that it asks for while there are any, else any that is left."""
    order = rng.permutation(len(asked))
    order = order[np.argsort(asked[order], kind="stable")]
    offered = np.argsort(group, kind="stable")
    begin = np.searchsorted(group[offered], asked[order])  # where the stock of a place's group begins
    nth = np.arange(len(order)) - np.searchsorted(asked[order], asked[order])
    taken = begin + nth
    served = taken < np.searchsorted(group[offered], asked[order], side="right")
    item = np.empty_like(stock)
    item[order[served]] = stock[offered[taken[served]]]
    rest = np.ones(len(stock), dtype=bool)
    rest[taken[served]] = False
    item[order[~served]] = rng.permutation(stock[offered[rest]])
    return item


def _swap_doubles(rng: np.random.Generator, user: Ints, item: Ints, group: Ints) -> None:
    """Exchange items of places that repeat a pair with those of others, in `item`, until no pair comes twice.

    First with places whose items are of the same group, so that tastes stay; then with any.
    """
    items, mine = len(group), group[item]
    alike = np.argsort(mine, kind="stable")
    begin, end = (np.searchsorted(mine[alike], mine, side=side) for side in SIDES)
    for attempt in range(MOST_SWAPS):
        pairs, first = np.unique(user * items + item, return_index=True)
        if len(pairs) == len(user):
            return
        double = np.ones(len(user), dtype=bool)
        double[first] = False
        here = rng.permutation(np.flatnonzero(double))
        within = attempt < SAME_GROUP
        drawn = alike[rng.integers(begin[here], end[here])] if within else rng.integers(len(user), size=len(here))
        there, of = np.unique(drawn, return_index=True)
        here = here[of]
        new = np.stack((user[here] * items + item[there], user[there] * items + item[here]))
        good = ~_among(pairs, new).any(axis=0) & ~double[there]
        here, there = here[good], there[good]
        item[here], item[there] = item[there], item[here]
    raise SourceError("generated: so few users cannot have so many different items: ask for fewer interactions")


def _among(ascending: Ints, values: Ints) -> NDArray[np.bool_]:
    """Whether each value is one of `ascending`; `np.isin` would sort or hash all of them each time."""
    place = np.searchsorted(ascending, values).clip(max=len(ascending) - 1)
    same: NDArray[np.bool_] = ascending[place] == values
    return same


def _power_law(shape: Shape) -> Ints:
    """[I] buyers by rank, in sum all interactions."""
    curve = np.arange(1.0, shape.items + 1) ** (-1 / (shape.exponent - 1))
    most = max(1, shape.users // 2)

    def buyers(scale: float) -> Floats:
        return np.minimum(curve * scale, most)

    scale = brentq(lambda one: float(buyers(one).sum()) - shape.interactions, 0.0, most / float(curve[-1]))
    sums = np.rint(np.cumsum(buyers(scale)))
    sums[-1] = shape.interactions
    return np.diff(sums, prepend=0).astype(np.int64)


def _share_out(shape: Shape, rng: np.random.Generator) -> Ints:
    """[U] interactions of each user: log-normal, from 1 to a quarter of the items, exactly as many as asked for."""
    most = shape.items // 4
    share = rng.lognormal(0.0, SPREAD, shape.users)
    activity = np.ones(shape.users, np.int64)
    while left := shape.interactions - int(activity.sum()):
        open_share = np.where(activity < most, share, 0.0)
        activity = np.minimum(activity + rng.multinomial(left, open_share / open_share.sum()), most)
    return activity


def _id(letter: str, column: str, count: int) -> pl.Expr:
    """`u007` of 7: as wide as the last one, so that ids sort as numbers."""
    return pl.concat_str(pl.lit(letter), pl.col(column).cast(pl.String).str.zfill(len(str(count - 1)))).alias(column)
