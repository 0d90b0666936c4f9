"""A small shop in Neo4j, of any number of users, as PyG's loaders read it."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from graph.constraints import create_constraints
from graph.driver import Database
from graph.generations import switch, write_generation
from graph.incremental import write_incremental
from graph.schema import BROWSE_NODE, CHILD_OF, IN_CATEGORY, INTERACTION, Source, Tables
from graph.settings import Settings
from graph.snapshot import read_snapshot
from graph.weights import Weights

ITEMS, WIDTH = 24, 3


def shop_tables(users: int, items: int = ITEMS) -> Tables:
    """Users with 1 to 6 items each, all of them with item 0; ids that no number would sort so ("10" before "9")."""
    rng = np.random.default_rng(1)
    pairs = [
        (str(user), str(item), place)
        for user in range(users)
        for place, item in enumerate([0, *(1 + rng.permutation(items - 1)[: rng.integers(0, 6)])])
    ]
    rows = [
        {**dict.fromkeys(INTERACTION), "user": user, "item": item, "kind": "purchase", "position": place}
        for user, item, place in pairs
    ]
    return Tables(
        Source("shop", ("age",), ("size",), "last"),
        pl.DataFrame(
            {"id": [str(one) for one in range(users)], "age": [(None, "old", "young")[one % 3] for one in range(users)]}
        ),
        pl.DataFrame(
            {
                "id": [str(one) for one in range(items)],
                "title": [f"thing {one}" for one in range(items)],
                "brand": [(None, "B", "A")[one % 3] for one in range(items)],
                "price": [None if one == 2 else one / 4 for one in range(items)],
                "available": [one != 3 for one in range(items)],
                "size": [one % 4 for one in range(items)],
            }
        ),
        pl.DataFrame(rows, schema=INTERACTION),
        browse_nodes=pl.DataFrame([("all", "all", 0), ("b", "b", 1), ("a", "a", 1)], schema=BROWSE_NODE, orient="row"),
        in_category=pl.DataFrame([(str(one), "ab"[one % 2]) for one in range(items)], schema=IN_CATEGORY, orient="row"),
        child_of=pl.DataFrame([("a", "all"), ("b", "all")], schema=CHILD_OF, orient="row"),
        held_out=pl.DataFrame(
            [{**dict.fromkeys(INTERACTION), "user": "0", "item": "1", "kind": "purchase"}], schema=INTERACTION
        ),
    )


def write_direct(database: Database) -> int:
    """A live generation with vectors of `WIDTH` for all users and items, and no other weights than 1."""
    data = read_snapshot(database)
    users, items = (np.random.default_rng(2).normal(size=(data[kind].num_nodes, WIDTH)) for kind in ("user", "item"))
    user, item = data["user", "interacted", "item"].edge_index.numpy()
    none = np.zeros(0, dtype=int)
    weights = Weights(
        data["user"].id, data["item"].id, users, items, user, item, np.ones(len(user)), none, none, np.zeros(0), none
    )
    generation = write_generation(database, weights, model="pdn", data="shop", artefact="sha", metrics={})
    switch(database, generation)
    return generation


@pytest.fixture(scope="module")
def make_shop(database: Database, settings: Settings) -> Callable[[int], Database]:
    """Gives the shared database with a shop of so many users in the place of whatever it held."""

    def make(users: int) -> Database:
        database.write_in_batches("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS")
        create_constraints(database)
        write_incremental(shop_tables(users), settings, database)
        return database

    return make


@pytest.fixture(scope="module")
def shop(make_shop: Callable[[int], Database]) -> Database:
    return make_shop(30)
