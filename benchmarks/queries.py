"""What the named queries cost beside their floors: `python -m benchmarks.queries [STORE …]`.

A floor is the same traversal with `count` only, a file of `benchmarks/floors`; each query with such a file is measured.
In each round, in turns, both are asked for the same users and items, and one query of no hop at all (`round_trip`),
which says how much of a time is the driver, the network and the machine. Wants stores that are indexed, and runs. A
query that finds nothing in a store (intents where none are linked) is left out. Writes
`benchmarks/results/queries.json`.
"""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks.runs import STORE, command, keep, kept, results, running, sized
from benchmarks.serving import machine, percentile
from cypher.filters import NO_FILTERS
from cypher.walk import shortlist_for
from graph.driver import Database
from graph.progress import track
from graph.statements import statement

FLOORS = Path(__file__).with_name("floors")
RESULTS = results("queries")
STORES = sized(("movielens-1m",), (STORE,))
SIZES = sized(((20, 50), (50, 200), (300, 100)), ((20, 20),))  # m and k
WALKS = ("recommend", "recommend_session", "rank", "paths")  # are measured at all sizes, the others at the first
ROUNDS, ASKED = sized((5, 30), (2, 10))
N, LEAST = 10, 0.75
CANDIDATES = 100  # of rank, as in the evaluation with 99 negatives
ROUND_TRIP = "RETURN 1 AS found"
Parameters = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    for store in command(__doc__, STORES).parse_args(arguments).stores:
        with running(store) as database:
            rows = measure(store, database)
        keep(RESULTS, [one for one in kept(RESULTS, []) if one["data"] != store] + rows)
        for one in rows:
            print(one, flush=True)


def floor(name: str) -> str:
    """The floor of a named query."""
    return (FLOORS / f"{name}.cypher").read_text("utf-8")


def measure(store: str, database: Database) -> list[Parameters]:
    chosen = random.Random(0)  # noqa: S311  an order
    users, items = read_names(database)
    given = [asked(database, chosen, users, items) for _ in track(range(ASKED), "Parameters", ASKED)]
    rows = []
    for name in sorted(path.stem for path in FLOORS.glob("*.cypher")):
        for m, k in SIZES if name in WALKS else SIZES[:1]:
            sized = [one | {"m": m, "k": k} for one in given]
            if any(database.read(statement(name, "cypher"), one) for one in sized):
                rows.append(row(store, name, m, k, in_turns(database, name, sized)))
    return rows


def read_names(database: Database) -> tuple[list[str], list[str]]:
    """Ids of the users with triggers and of the items with neighbours."""
    users = database.read("MATCH (u:User)-[:INTERACTED]->() RETURN DISTINCT u.id AS id ORDER BY id")
    items = database.read("MATCH (i:Item)-[:SIMILAR]->() RETURN DISTINCT i.id AS id ORDER BY id")
    return [one["id"] for one in users], [one["id"] for one in items]


def asked(database: Database, chosen: random.Random, users: Sequence[str], items: Sequence[str]) -> Parameters:
    """Parameters of all queries, for a user and an item drawn anew; the item is one that the user is recommended."""
    user = chosen.choice(users)
    drawn = chosen.sample(items, min(CANDIDATES, len(items)))
    found = {
        "user": user, "n": N, "shortlist": shortlist_for(N), "repeats": False, "bucket": None, "generation": None,
        "items": drawn, "least": LEAST, "needs": 5, "each": 2, "covered_days": None, "now": None, "lambda": None,
        "tau": None, "alpha": None, "epsilon": None, "triggers": [], "direct": [],
    } | NO_FILTERS.parameters()  # fmt: skip
    triggers = database.read(statement("triggers", "cypher"), found | {"m": SIZES[-1][0]})
    found["triggers"] = [{"id": one["id"], "weight": one["weight"]} for one in triggers]
    best = database.read(statement("recommend", "cypher"), found | {"m": SIZES[-1][0], "k": SIZES[-1][1]})
    return found | {"item": best[0]["id"] if best else drawn[0]}


def in_turns(database: Database, name: str, given: Sequence[Parameters]) -> dict[str, list[list[float]]]:
    """Milliseconds of each request, by what was asked and by round."""
    texts = {"query": statement(name, "cypher"), "floor": floor(name), "round_trip": ROUND_TRIP}
    asks: dict[str, Callable[[Parameters], object]] = {
        what: lambda one, text=text: database.read(text, one) for what, text in texts.items()
    }
    took: dict[str, list[list[float]]] = {what: [] for what in asks}
    for round_ in track(range(-2, ROUNDS), name, ROUNDS + 2):  # the first two warm up
        for what, ask in asks.items():
            some = []
            for one in given:
                begun = time.perf_counter()
                ask(one)
                some.append(1e3 * (time.perf_counter() - begun))
            if round_ >= 0:
                took[what].append(some)
    return took


def row(store: str, name: str, m: int, k: int, took: dict[str, list[list[float]]]) -> Parameters:
    """The ratio is of the two medians within a round; of the rounds' ratios the median, the least and the greatest."""
    every = {what: [one for some in rounds for one in some] for what, rounds in took.items()}
    pairs = zip(took["query"], took["floor"], strict=True)
    ratios = [statistics.median(query) / statistics.median(floor) for query, floor in pairs]
    walks = name in WALKS or name == "explain"
    return {
        "data": store,
        "query": name,
        "m": m if walks else None,
        "k": k if walks else None,
        "p50_ms": round(statistics.median(every["query"]), 3),
        "p99_ms": round(percentile(every["query"], 0.99), 3),
        "floor_p50_ms": round(statistics.median(every["floor"]), 3),
        "round_trip_p50_ms": round(statistics.median(every["round_trip"]), 3),
        "ratio": round(statistics.median(ratios), 2),
        "least_and_greatest_ratio": [round(min(ratios), 2), round(max(ratios), 2)],
        "requests": len(every["query"]),
        "load": round(psutil.getloadavg()[0], 1),
        "machine": machine(),
    }


if __name__ == "__main__":
    main()
