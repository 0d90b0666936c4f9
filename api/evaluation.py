"""What is evaluated on a store, and the query as it is served there, as the command and the benchmarks do it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from api.engines import Engine
from cypher.held_out import held_out
from graph.driver import Database
from graph.schema import Source
from graph.settings import Settings
from loaders import movielens_1m
from models.engines import served_engine
from models.evaluation import Engine as Ranker
from models.protocols import Items, Protocol, drawn_negatives, protocols

SEED = 0  # of drawn negatives and users


def store_protocols(
    database: Database, source: Source, settings: Settings, items: Sequence[str], negatives: int | None = None
) -> list[Protocol]:
    """The protocols of what the store held out; among published negatives too, and among `negatives` drawn ones."""
    rows = held_out(database, source.min_buyers)
    samples: dict[str, Items] = {}
    if published := _published_negatives(source, settings):
        samples["negatives"] = published
    if negatives:
        truth, seen = {row.user: row.new for row in rows}, {row.user: row.had for row in rows}
        samples["drawn negatives"] = drawn_negatives(truth, items, seen, negatives, SEED)
    return protocols(source.protocol, rows, samples)


def drawn(protocols: Sequence[Protocol], users: int) -> list[Protocol]:
    """The same random users for every protocol; its name says that these are not all."""
    every = sorted({user for protocol in protocols for user in protocol.truth})
    if users >= len(every):
        return list(protocols)
    chosen = {str(user) for user in np.random.default_rng(SEED).choice(every, users, replace=False)}
    return [
        replace(
            protocol,
            name=f"{protocol.name}, {users} random users",
            truth={user: items for user, items in protocol.truth.items() if user in chosen},
        )
        for protocol in protocols
    ]


def _published_negatives(source: Source, settings: Settings) -> dict[str, list[str]] | None:
    """MovieLens-1M's published negatives, where their file is at hand."""
    folder = settings.data / source.id if settings.data else None
    if folder is None or source.id != "movielens-1m" or source.protocol != "marked":
        return None
    if not (folder / "ml-1m.test.negative.gz").is_file():
        return None
    rows = movielens_1m.negatives(folder).group_by("user").agg("item")
    return dict(rows.select("user", "item").iter_rows())


def as_served(served: Engine, m: int, k: int) -> Ranker:
    """What a user of the live generation gets from an engine of `api.engines`."""

    def recommended(user: str, n: int, repeats: bool) -> list[str]:
        return [item.id for item in served.recommend(user, n, m=m, k=k, repeats=repeats, fill=False).items]

    def ranked(user: str, items: Sequence[str]) -> dict[str, float]:
        return {item.id: item.score for item in served.rank(user, items, m=m, k=k)}

    return served_engine(recommended, ranked)
